// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "hv/domain.h"
#include "hv/evtchn.h"
#include "hv/gnttab.h"
#include "hv/hypercall.h"
#include "hv/hypercalls.h"
#include "hv/vcpu.h"
#include "hv/xen/balloon.h"
#include "hv/xen/memory_map.h"

#include <xen-public/memory.h>

/*
 * Low bits of the command name the operation, the others where to resume it; we never ask for that
 */
#define CMD_BITS 6

static uint64_t ram_pages(const struct domain *d)
{
	return mem_bytes(d) >> PAGE_SHIFT;
}

static gfn_t highest_gfn(const struct domain *d)
{
	uint64_t bytes = mem_bytes(d);

	if (bytes > MEM_LOW_MAX)
		bytes = MEM_HIGH_BASE + (bytes - MEM_LOW_MAX);
	return (bytes >> PAGE_SHIFT) - 1;
}

static long place_grant_frame(struct domain *d, uint64_t index, gfn_t gfn)
{
	bool displaces = gfn == d->shared_info.gfn;
	long err = gnttab_place_frame(d, index, gfn);

	return err || !displaces ? err : evtchn_shared_info_moved(d);
}

static long place(struct vcpu *v, unsigned int space, uint64_t index, gfn_t gfn)
{
	if (gfn == GFN_NONE)
		return -EINVAL;
	switch (space) {
	case XENMAPSPACE_shared_info:
		return index ? -EINVAL : evtchn_place_shared_info(v->domain, gfn);
	case XENMAPSPACE_grant_table:
		return place_grant_frame(v->domain, index, gfn);
	case XENMAPSPACE_gmfn:
	case XENMAPSPACE_gmfn_range:
	case XENMAPSPACE_gmfn_foreign:
		return -ENOSYS;
	default:
		return -EINVAL;
	}
}

long memory_add_to_physmap(struct vcpu *v, void *arg)
{
	struct xen_add_to_physmap *op = arg;
	long err;

	if (op->space == XENMAPSPACE_gmfn_foreign)
		return -ENOSYS;
	err = hypercall_check_domid(v->domain, op->domid);
	return err ? err : place(v, op->space, op->idx, op->gpfn);
}

static long op_add_to_physmap_batch(struct vcpu *v, void *arg)
{
	struct xen_add_to_physmap_batch *op = arg;
	gva_t idxs = (uintptr_t)op->idxs.p, gfns = (uintptr_t)op->gpfns.p;
	gva_t errs = (uintptr_t)op->errs.p;
	long err;

	if (op->space == XENMAPSPACE_gmfn_range)
		return -EOPNOTSUPP;
	err = hypercall_check_domid(v->domain, op->domid);
	for (unsigned int i = 0; i < op->size && !err && !domain_stopping(v->domain); i++) {
		xen_ulong_t idx;
		xen_pfn_t gfn;
		int result;

		if (mem_read_gva(v, &idx, idxs + i * sizeof(idx), sizeof(idx)) ||
		    mem_read_gva(v, &gfn, gfns + i * sizeof(gfn), sizeof(gfn)))
			return -EFAULT;
		result = place(v, op->space, idx, gfn);
		if (mem_write_gva(v, errs + i * sizeof(result), &result, sizeof(result)))
			return -EFAULT;
	}
	return err;
}

/* Only the hypervisor's pages can go; RAM is given back by decrease_reservation */
static long op_remove_from_physmap(struct vcpu *v, void *arg)
{
	struct xen_remove_from_physmap *op = arg;
	long err = hypercall_check_domid(v->domain, op->domid);

	if (err)
		return err;
	if (op->gpfn == GFN_NONE)
		return -ENOENT;
	err = evtchn_unplace_shared_info(v->domain, op->gpfn);
	if (err == -ENOENT)
		err = gnttab_unplace_frame(v->domain, op->gpfn);
	if (err == -ENOENT && mem_page(v->domain, op->gpfn))
		err = -ENOSYS;
	return err;
}

static long op_maximum_reservation(struct vcpu *v, void *arg)
{
	struct xen_memory_domain *op = arg;
	long err = hypercall_check_domid(v->domain, op->domid);

	return err ? err : (long)ram_pages(v->domain);
}

static long op_current_reservation(struct vcpu *v, void *arg)
{
	long ret = op_maximum_reservation(v, arg);

	return ret < 0 ? ret : ret - (long)balloon_pages(v->domain);
}

static long op_maximum_gpfn(struct vcpu *v, void *arg)
{
	struct xen_memory_domain *op = arg;
	long err = hypercall_check_domid(v->domain, op->domid);

	return err ? err : (long)highest_gfn(v->domain);
}

static long op_maximum_ram_page(struct vcpu *v, void *arg)
{
	(void)arg;
	return highest_gfn(v->domain) + 1;
}

#define OP(n, fn, type) [XENMEM_##n] = { #n, op_##fn, HYPERCALL_SUBOP_SIZE(type) }
#define BALLOON_OP(n) \
	[XENMEM_##n] = { #n, balloon_##n, HYPERCALL_SUBOP_SIZE(struct xen_memory_reservation) }

static const struct hypercall_subop ops[] = {
	[XENMEM_maximum_ram_page] = { .name = "maximum_ram_page", .fn = op_maximum_ram_page },
	BALLOON_OP(populate_physmap),
	BALLOON_OP(increase_reservation),
	BALLOON_OP(decrease_reservation),
	OP(current_reservation, current_reservation, struct xen_memory_domain),
	OP(maximum_reservation, maximum_reservation, struct xen_memory_domain),
	[XENMEM_memory_map] = { "memory_map", memory_map,
				HYPERCALL_SUBOP_SIZE(struct xen_memory_map), .out = true },
	OP(maximum_gpfn, maximum_gpfn, struct xen_memory_domain),
	[XENMEM_add_to_physmap] = { "add_to_physmap", memory_add_to_physmap,
				    HYPERCALL_SUBOP_SIZE(struct xen_add_to_physmap) },
	OP(add_to_physmap_batch, add_to_physmap_batch, struct xen_add_to_physmap_batch),
	OP(remove_from_physmap, remove_from_physmap, struct xen_remove_from_physmap),
};

long hc_memory_op(struct vcpu *v, const uint64_t *arg)
{
	uint64_t resume_at = arg[0] >> CMD_BITS;
	long ret;

	if (resume_at)
		return -EINVAL;
	ret = hypercall_subop(v, __HYPERVISOR_memory_op, ops, ARRAY_SIZE(ops), arg[0], arg[1]);
	/* As Xen does: these tell how many extents they did, none if they do not know of any. */
	if (ret == -EFAULT &&
	    (arg[0] == XENMEM_increase_reservation || arg[0] == XENMEM_decrease_reservation ||
	     arg[0] == XENMEM_populate_physmap))
		ret = 0;
	return ret;
}
