// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HYPERVISOR_grant_table_op. Errors of single operations go into their structures as GNTST_*; the
 * hypercall itself fails only if it cannot read or write those.
 */
#include <errno.h>
#include <string.h>

#include "hv/domain.h"
#include "hv/gnttab.h"
#include "hv/hypercall.h"
#include "hv/log.h"
#include "hv/vcpu.h"

static int16_t domid_status(const struct domain *d, domid_t domid)
{
	switch (hypercall_check_domid(d, domid)) {
	case 0:
		return GNTST_okay;
	case -EPERM:
		return GNTST_permission_denied;
	default:
		return GNTST_bad_domain;
	}
}

static long op_query_size(struct vcpu *v, void *arg)
{
	struct gnttab_query_size *op = arg;

	op->status = domid_status(v->domain, op->dom);
	if (op->status == GNTST_okay) {
		op->nr_frames = gnttab_nr_frames(v->domain);
		op->max_nr_frames = GNTTAB_MAX_FRAMES;
	}
	return 0;
}

static long op_setup_table(struct vcpu *v, void *arg)
{
	struct gnttab_setup_table *op = arg;
	gva_t list = (uintptr_t)op->frame_list.p;

	op->status = domid_status(v->domain, op->dom);
	if (op->status != GNTST_okay)
		return 0;
	if (gnttab_grow(v->domain, op->nr_frames)) {
		op->status = GNTST_general_error;
		return 0;
	}
	for (unsigned int i = 0; i < op->nr_frames; i++) {
		xen_pfn_t gfn = gnttab_frame_gfn(v->domain, i);

		if (mem_write_gva(v, list + i * sizeof(gfn), &gfn, sizeof(gfn)))
			op->status = GNTST_bad_virt_addr;
	}
	return 0;
}

/* Mapping into a guest's own address space is not served; what is wrong anyway gets Xen's status */
static long op_map(struct vcpu *v, void *arg)
{
	struct gnttab_map_grant_ref *op = arg;
	struct domain *d = v->domain;

	if (!(op->flags & (GNTMAP_device_map | GNTMAP_host_map))) {
		op->status = GNTST_bad_gntref;
	} else if (op->flags & (GNTMAP_device_map | GNTMAP_application_map | GNTMAP_contains_pte)) {
		op->status = GNTST_general_error;
	} else if (op->dom == 0) {
		op->status = GNTST_bad_gntref; /* domain 0 grants nothing */
	} else if (op->dom != d->domid) {
		op->status = GNTST_bad_domain;
	} else {
		pr_once(LOG_LEVEL_WARN,
			"guest tried to map a grant into itself, which is not served");
		op->status = GNTST_general_error;
	}
	return 0;
}

/* There are no maps, hence no valid handles */
static long op_unmap(struct vcpu *v, void *arg)
{
	struct gnttab_unmap_grant_ref *op = arg;

	(void)v;
	op->status = GNTST_bad_handle;
	return 0;
}

/* One side of a copy: the page, or a GNTST_* error; to be let go with put_side() */
static int16_t get_side(struct domain *d, domid_t domid, bool is_ref, grant_ref_t ref, gfn_t gfn,
			bool write, void **page)
{
	if (!is_ref) {
		if (domid != DOMID_SELF)
			return GNTST_permission_denied;
		*page = mem_page(d, gfn);
		return *page ? GNTST_okay : GNTST_bad_page;
	}
	if (domid == 0)
		return GNTST_bad_gntref; /* domain 0 grants nothing */
	if (hypercall_check_domid(d, domid))
		return GNTST_bad_domain;
	if (ref >= gnttab_nr_frames(d) * (PAGE_SIZE / sizeof(grant_entry_v1_t)))
		return GNTST_bad_gntref;
	switch (gnttab_map_for(d, d->domid, ref, write, page)) {
	case 0:
		return GNTST_okay;
	case -EINVAL:
		return GNTST_bad_page;
	default:
		return GNTST_general_error;
	}
}

static void put_side(struct domain *d, bool is_ref, grant_ref_t ref, bool write)
{
	if (is_ref)
		gnttab_unmap(d, ref, write);
}

static int16_t copy_one(struct domain *d, const struct gnttab_copy *op)
{
	bool src_ref = op->flags & GNTCOPY_source_gref;
	bool dst_ref = op->flags & GNTCOPY_dest_gref;
	void *src, *dst;
	int16_t status;

	status = get_side(d, op->source.domid, src_ref, op->source.u.ref, op->source.u.gmfn, false,
			  &src);
	if (status != GNTST_okay)
		return status;
	status = get_side(d, op->dest.domid, dst_ref, op->dest.u.ref, op->dest.u.gmfn, true, &dst);
	if (status == GNTST_okay) {
		if (op->source.offset + op->len > PAGE_SIZE ||
		    op->dest.offset + op->len > PAGE_SIZE)
			status = GNTST_bad_copy_arg;
		else
			memmove((uint8_t *)dst + op->dest.offset,
				(uint8_t *)src + op->source.offset, op->len);
		put_side(d, dst_ref, op->dest.u.ref, true);
	}
	put_side(d, src_ref, op->source.u.ref, false);
	return status;
}

static long op_copy(struct vcpu *v, void *arg)
{
	struct gnttab_copy *op = arg;

	op->status = copy_one(v->domain, op);
	return 0;
}

static long op_set_version(struct vcpu *v, void *arg)
{
	struct gnttab_set_version *op = arg;
	uint32_t asked = op->version;

	(void)v;
	op->version = 1;
	if (asked == 1)
		return 0;
	return asked == 2 ? -ENOSYS : -EINVAL;
}

static long op_get_version(struct vcpu *v, void *arg)
{
	struct gnttab_get_version *op = arg;
	long err = hypercall_check_domid(v->domain, op->dom);

	if (!err)
		op->version = 1;
	return err;
}

/**
 * struct gnttab_subop - a sub-operation
 * @fn: acts on one structure
 * @size: of it
 * @many: takes an array of any length; others exactly one
 * @count_ignored: takes one, whatever the count says
 */
struct gnttab_subop {
	long (*fn)(struct vcpu *v, void *arg);
	uint16_t size;
	bool many, count_ignored;
};

#define OP(n, fn, ...) \
	[GNTTABOP_##n] = { op_##fn, HYPERCALL_SUBOP_SIZE(struct gnttab_##n), __VA_ARGS__ }

static const struct gnttab_subop ops[] = {
	OP(map_grant_ref, map, .many = true),
	OP(unmap_grant_ref, unmap, .many = true),
	OP(setup_table, setup_table),
	OP(copy, copy, .many = true),
	OP(query_size, query_size),
	OP(set_version, set_version, .count_ignored = true),
	OP(get_version, get_version, .count_ignored = true),
};

long gnttab_op(struct vcpu *v, const uint64_t *arg)
{
	_Alignas(8) uint8_t copy[HYPERCALL_SUBOP_MAX];
	uint32_t cmd = arg[0], count = arg[2];
	const struct gnttab_subop *op = cmd < ARRAY_SIZE(ops) ? &ops[cmd] : NULL;
	gva_t uop = arg[1];
	long ret = 0, err;

	if (!op || !op->fn)
		return hypercall_unserved(v->domain, __HYPERVISOR_grant_table_op, cmd);
	if ((int32_t)count < 0)
		return -EINVAL;
	if (op->count_ignored)
		count = 1;
	else if (!op->many && count != 1)
		return -EINVAL;

	for (; count && !ret && !domain_stopping(v->domain); count--, uop += op->size) {
		if (mem_read_gva(v, copy, uop, op->size))
			return -EFAULT;
		ret = op->fn(v, copy);
		/* A refused version is reported in the structure, too. */
		err = mem_write_gva(v, uop, copy, op->size);
		if (err)
			ret = err;
	}
	return ret;
}
