// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

long place(domid_t dom, unsigned int space, unsigned long idx, unsigned long gfn)
{
	struct xen_add_to_physmap x = { .domid = dom, .space = space, .idx = idx, .gpfn = gfn };

	return memory_op(XENMEM_add_to_physmap, &x);
}

long unplace(domid_t dom, unsigned long gfn)
{
	struct xen_remove_from_physmap r = { .domid = dom, .gpfn = gfn };

	return memory_op(XENMEM_remove_from_physmap, &r);
}

static void placing(void)
{
	volatile struct shared_info *outside = (void *)(OUTSIDE_RAM * PAGE_SIZE);
	volatile struct shared_info *other = (void *)scratch[0];

	check("add_to_physmap shared_info",
	      place(DOMID_SELF, XENMAPSPACE_shared_info, 0, GFN(shared_info_page)), 0);
	check_true("add_to_physmap shared_info: has a wall clock",
		   shared.wc_sec > 1600000000 && !(shared.wc_version & 1));
	shared.evtchn_mask[63] = 0x1234;
	check("add_to_physmap shared_info: to another page",
	      place(domid, XENMAPSPACE_shared_info, 0, GFN(scratch[0])), 0);
	check("add_to_physmap shared_info: contents move", other->evtchn_mask[63], 0x1234);
	check("add_to_physmap shared_info: outside RAM",
	      place(DOMID_SELF, XENMAPSPACE_shared_info, 0, OUTSIDE_RAM), 0);
	check("add_to_physmap shared_info: contents move outside", outside->evtchn_mask[63],
	      0x1234);
	check("remove_from_physmap shared_info", unplace(DOMID_SELF, OUTSIDE_RAM), 0);
	check("add_to_physmap shared_info: back again",
	      place(DOMID_SELF, XENMAPSPACE_shared_info, 0, GFN(shared_info_page)), 0);
	check("add_to_physmap shared_info: contents are kept", shared.evtchn_mask[63], 0x1234);
	shared.evtchn_mask[63] = 0;

	check("add_to_physmap grant_table",
	      place(DOMID_SELF, XENMAPSPACE_grant_table, 0, GFN(grants)), 0);
	check("add_to_physmap grant_table: grows",
	      place(DOMID_SELF, XENMAPSPACE_grant_table, 3, GFN(scratch[1])), 0);
	unplace(DOMID_SELF, GFN(scratch[1]));
	check("add_to_physmap grant_table: the last frame",
	      place(DOMID_SELF, XENMAPSPACE_grant_table, 63, GFN(scratch[1])), 0);
	check("remove_from_physmap grant_table", unplace(DOMID_SELF, GFN(scratch[1])), 0);
	scratch[1][0] = 0x55;
	check("remove_from_physmap: the page is the guest's again", scratch[1][0], 0x55);
}

static void placing_wrongly(void)
{
	static const struct {
		const char *name;
		domid_t dom;
		unsigned int space;
		unsigned long idx, gfn;
		long want;
	} bad[] = {
		{ "add_to_physmap: domain 0", 0, XENMAPSPACE_shared_info, 0, 0x200, -XEN_EPERM },
		{ "add_to_physmap: no such domain", 99, XENMAPSPACE_shared_info, 0, 0x200,
		  -XEN_ESRCH },
		{ "add_to_physmap: no such shared_info", DOMID_SELF, XENMAPSPACE_shared_info, 1,
		  0x200, -XEN_EINVAL },
		{ "add_to_physmap: no frame", DOMID_SELF, XENMAPSPACE_shared_info, 0, ~0ul,
		  -XEN_EINVAL },
		{ "add_to_physmap: frame beyond physical addresses", DOMID_SELF,
		  XENMAPSPACE_shared_info, 0, 1ul << 52, -XEN_EINVAL },
		{ "add_to_physmap: wild grant frame", DOMID_SELF, XENMAPSPACE_grant_table, 64,
		  0x200, -XEN_EINVAL },
		{ "add_to_physmap: wilder grant frame", DOMID_SELF, XENMAPSPACE_grant_table, ~0ul,
		  0x200, -XEN_EINVAL },
		{ "add_to_physmap: foreign space", DOMID_SELF, XENMAPSPACE_gmfn_foreign, 0, 0x200,
		  -XEN_ENOSYS },
		{ "add_to_physmap: no such space", DOMID_SELF, 99, 0, 0x200, -XEN_EINVAL },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		check(bad[i].name, place(bad[i].dom, bad[i].space, bad[i].idx, bad[i].gfn),
		      bad[i].want);
	check("remove_from_physmap: domain 0", unplace(0, 0x200), -XEN_EPERM);
	check("remove_from_physmap: no such domain", unplace(99, 0x200), -XEN_ESRCH);
	check("remove_from_physmap: nothing there", unplace(DOMID_SELF, OUTSIDE_RAM), -XEN_ENOENT);
}

static void batch(void)
{
	xen_ulong_t idx[3] = { 1, 64, 2 };
	xen_pfn_t gfn[3] = { GFN(scratch[0]), GFN(scratch[1]), GFN(scratch[2]) };
	int errs[3] = { 9, 9, 9 };
	struct xen_add_to_physmap_batch b = { .domid = DOMID_SELF,
					      .space = XENMAPSPACE_grant_table,
					      .size = 3 };

	b.idxs.p = idx;
	b.gpfns.p = gfn;
	b.errs.p = errs;
	check("add_to_physmap_batch", memory_op(XENMEM_add_to_physmap_batch, &b), 0);
	check_true("add_to_physmap_batch: an error each",
		   errs[0] == 0 && errs[1] == -XEN_EINVAL && errs[2] == 0);
	unplace(DOMID_SELF, gfn[0]);
	unplace(DOMID_SELF, gfn[2]);
	b.errs.p = (void *)UNMAPPED;
	check("add_to_physmap_batch: bad pointer inside",
	      memory_op(XENMEM_add_to_physmap_batch, &b), -XEN_EFAULT);
	unplace(DOMID_SELF, gfn[0]);
	b.space = XENMAPSPACE_gmfn_range;
	check("add_to_physmap_batch: ranges", memory_op(XENMEM_add_to_physmap_batch, &b),
	      -XEN_EOPNOTSUPP);
}

static long change(unsigned int cmd, const xen_pfn_t *gfn, xen_ulong_t n, unsigned int order,
		   domid_t dom)
{
	struct xen_memory_reservation r = { .nr_extents = n, .extent_order = order, .domid = dom };

	r.extent_start.p = (xen_pfn_t *)gfn;
	return memory_op(cmd, &r);
}

static void ballooning(long pages)
{
	static const xen_pfn_t outside = OUTSIDE_RAM;
	xen_pfn_t gfn[3] = { GFN(scratch[0]), GFN(scratch[2]), GFN(scratch[0]) };
	struct xen_memory_domain m = { .domid = DOMID_SELF };

	scratch[0][0] = 0x66;
	check("decrease_reservation: until a page that is gone",
	      change(XENMEM_decrease_reservation, gfn, 3, 0, DOMID_SELF), 2);
	check("decrease_reservation: again",
	      change(XENMEM_decrease_reservation, gfn, 1, 0, DOMID_SELF), 0);
	check("current_reservation: less", memory_op(XENMEM_current_reservation, &m), pages - 2);
	check("maximum_reservation: as before", memory_op(XENMEM_maximum_reservation, &m), pages);
	check("populate_physmap", change(XENMEM_populate_physmap, gfn, 2, 0, domid), 2);
	check("populate_physmap: again", change(XENMEM_populate_physmap, gfn, 1, 0, DOMID_SELF), 0);
	check("current_reservation: more", memory_op(XENMEM_current_reservation, &m), pages);
	check("populate_physmap: another page", *(volatile unsigned char *)scratch[0], 0);
	scratch[0][0] = 0x77;
	check("populate_physmap: is RAM", *(volatile unsigned char *)scratch[0], 0x77);
	check("decrease_reservation: not RAM",
	      change(XENMEM_decrease_reservation, &outside, 1, 0, DOMID_SELF), 0);
	check("populate_physmap: more than was given",
	      change(XENMEM_populate_physmap, &outside, 1, 0, DOMID_SELF), 0);
	check("increase_reservation: gives nothing",
	      change(XENMEM_increase_reservation, gfn, 1, 0, DOMID_SELF), 0);
	check("decrease_reservation: extent too large",
	      change(XENMEM_decrease_reservation, gfn, 1, 10, DOMID_SELF), 0);
	check("decrease_reservation: too many extents",
	      change(XENMEM_decrease_reservation, gfn, ~0ul, 0, DOMID_SELF), 0);
	check("decrease_reservation: bad pointer inside",
	      change(XENMEM_decrease_reservation, (void *)UNMAPPED, 1, 0, DOMID_SELF), 0);
	check("decrease_reservation: bad pointer",
	      memory_op(XENMEM_decrease_reservation, (void *)UNMAPPED), 0);
	check("populate_physmap: bad pointer", memory_op(XENMEM_populate_physmap, (void *)UNMAPPED),
	      0);
	check("increase_reservation: bad pointer",
	      memory_op(XENMEM_increase_reservation, (void *)UNMAPPED), 0);
	check("decrease_reservation: domain 0", change(XENMEM_decrease_reservation, gfn, 1, 0, 0),
	      -XEN_EPERM);
	check("decrease_reservation: no such domain",
	      change(XENMEM_decrease_reservation, gfn, 1, 0, 99), 0);
	check("populate_physmap: domain 0", change(XENMEM_populate_physmap, gfn, 1, 0, 0),
	      -XEN_EPERM);
	check("current_reservation: in the end", memory_op(XENMEM_current_reservation, &m), pages);
}

/* The RAM it names is ours, but for what the PC keeps below 1 MiB */
static void memory_map(long pages)
{
	struct {
		uint64_t addr, size;
		uint32_t type;
	} __attribute__((packed)) row[8];
	struct xen_memory_map m = { .nr_entries = ARRAY_SIZE(row) };
	uint64_t ram = 0;

	m.buffer.p = row;
	check("memory_map", memory_op(XENMEM_memory_map, &m), 0);
	for (unsigned int i = 0; i < m.nr_entries && i < ARRAY_SIZE(row); i++) {
		if (row[i].type == 1)
			ram += row[i].size;
	}
	check_true("memory_map: what there is",
		   ram / PAGE_SIZE <= (uint64_t)pages && ram / PAGE_SIZE >= (uint64_t)pages - 256);
	m.nr_entries = 1;
	check("memory_map: less room", memory_op(XENMEM_memory_map, &m), 0);
	check("memory_map: less room, fewer rows", m.nr_entries, 1);
}

void test_memory(void)
{
	static const struct {
		const char *name;
		unsigned int cmd;
	} ops[] = {
		{ "add_to_physmap: bad pointer", XENMEM_add_to_physmap },
		{ "add_to_physmap_batch: bad pointer", XENMEM_add_to_physmap_batch },
		{ "remove_from_physmap: bad pointer", XENMEM_remove_from_physmap },
		{ "current_reservation: bad pointer", XENMEM_current_reservation },
		{ "maximum_reservation: bad pointer", XENMEM_maximum_reservation },
		{ "maximum_gpfn: bad pointer", XENMEM_maximum_gpfn },
		{ "memory_map: bad pointer", XENMEM_memory_map },
	};
	struct xen_memory_domain m = { .domid = DOMID_SELF };
	long pages = memory_op(XENMEM_current_reservation, &m);

	check_true("current_reservation", pages > 1024);
	check("maximum_reservation", memory_op(XENMEM_maximum_reservation, &m), pages);
	check("maximum_gpfn", memory_op(XENMEM_maximum_gpfn, &m), pages - 1);
	check("maximum_ram_page", memory_op(XENMEM_maximum_ram_page, 0), pages);
	m.domid = 0;
	check("current_reservation: domain 0", memory_op(XENMEM_current_reservation, &m),
	      -XEN_EPERM);
	m.domid = 99;
	check("current_reservation: no such domain", memory_op(XENMEM_current_reservation, &m),
	      -XEN_ESRCH);
	memory_map(pages);
	check("memory_op exchange", memory_op(XENMEM_exchange, scratch[0]), -XEN_ENOSYS);
	check("memory_op: unknown command", memory_op(63, scratch[0]), -XEN_ENOSYS);
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		check_bad_pointers(ops[i].name, __HYPERVISOR_memory_op, ops[i].cmd, 0);
	placing_wrongly();
	placing();
	batch();
	ballooning(pages);
}
