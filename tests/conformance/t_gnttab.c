// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

#define REF 20

static void grant(grant_ref_t ref, uint16_t flags, domid_t to, const void *page)
{
	grants[ref].domid = to;
	grants[ref].frame = GFN(page);
	grants[ref].flags = flags;
}

static void sizes(void)
{
	struct gnttab_query_size q = { .dom = DOMID_SELF };
	struct gnttab_set_version s = { .version = 2 };
	struct gnttab_get_version g = { .dom = DOMID_SELF };
	struct gnttab_setup_table t = { .dom = DOMID_SELF, .nr_frames = 1 };
	xen_pfn_t list[1];

	check("query_size", gnttab_op(GNTTABOP_query_size, &q, 1), 0);
	check_true("query_size: sizes",
		   q.status == GNTST_okay && q.nr_frames && q.max_nr_frames == 64);
	q.dom = 0;
	gnttab_op(GNTTABOP_query_size, &q, 1);
	check("query_size: domain 0", q.status, GNTST_permission_denied);
	q.dom = 99;
	gnttab_op(GNTTABOP_query_size, &q, 1);
	check("query_size: no such domain", q.status, GNTST_bad_domain);
	check("query_size: two at a time", gnttab_op(GNTTABOP_query_size, &q, 2), -XEN_EINVAL);
	check("query_size: negative count", gnttab_op(GNTTABOP_query_size, &q, 0xffffffff),
	      -XEN_EINVAL);
	check("set_version: 2", gnttab_op(GNTTABOP_set_version, &s, 1), -XEN_ENOSYS);
	check("set_version: 2 leaves 1", s.version, 1);
	check("set_version: 1", gnttab_op(GNTTABOP_set_version, &s, 1), 0);
	s.version = 3;
	check("set_version: 3", gnttab_op(GNTTABOP_set_version, &s, 1), -XEN_EINVAL);
	check("get_version", gnttab_op(GNTTABOP_get_version, &g, 1), 0);
	check("get_version: 1", g.version, 1);
	g.dom = 99;
	check("get_version: no such domain", gnttab_op(GNTTABOP_get_version, &g, 1), -XEN_ESRCH);

	t.frame_list.p = list;
	check("setup_table", gnttab_op(GNTTABOP_setup_table, &t, 1), 0);
	check_true("setup_table: where we placed it",
		   t.status == GNTST_okay && list[0] == GFN(grants));
	t.nr_frames = 65;
	gnttab_op(GNTTABOP_setup_table, &t, 1);
	check("setup_table: too many frames", t.status, GNTST_general_error);
	t.nr_frames = 1;
	t.frame_list.p = (void *)UNMAPPED;
	gnttab_op(GNTTABOP_setup_table, &t, 1);
	check("setup_table: bad pointer inside", t.status, GNTST_bad_virt_addr);
}

static int16_t copy(uint16_t flags, domid_t from, unsigned long src, domid_t to, unsigned long dst,
		    uint16_t offset, uint16_t len)
{
	struct gnttab_copy c = { .flags = flags, .len = len };
	long ret;

	c.source.domid = from;
	c.source.u.gmfn = src;
	c.source.offset = offset;
	c.dest.domid = to;
	c.dest.u.gmfn = dst;
	c.dest.offset = offset;
	ret = gnttab_op(GNTTABOP_copy, &c, 1);
	return ret ? 99 : c.status;
}

static void copies(void)
{
	const unsigned long to = GFN(scratch[1]);

	scratch[0][8] = 0x77;
	scratch[1][8] = 0;
	grant(REF, GTF_permit_access | GTF_readonly, domid, scratch[0]);
	check("copy: from a grant", copy(GNTCOPY_source_gref, domid, REF, DOMID_SELF, to, 8, 8),
	      GNTST_okay);
	check("copy: arrives", scratch[1][8], 0x77);
	check("copy: leaves no mark", grants[REF].flags, GTF_permit_access | GTF_readonly);
	check("copy: into a read-only grant",
	      copy(GNTCOPY_dest_gref, DOMID_SELF, to, domid, REF, 8, 8), GNTST_general_error);
	check("copy: beyond the page",
	      copy(GNTCOPY_source_gref, domid, REF, DOMID_SELF, to, 0xff9, 8), GNTST_bad_copy_arg);
	check("copy: wild reference",
	      copy(GNTCOPY_source_gref, domid, 0xffffffff, DOMID_SELF, to, 8, 8), GNTST_bad_gntref);
	check("copy: not granted", copy(GNTCOPY_source_gref, domid, REF + 1, DOMID_SELF, to, 8, 8),
	      GNTST_general_error);
	check("copy: no such domain", copy(GNTCOPY_source_gref, 99, REF, DOMID_SELF, to, 8, 8),
	      GNTST_bad_domain);
	check("copy: domain 0 grants nothing",
	      copy(GNTCOPY_source_gref, 0, REF, DOMID_SELF, to, 8, 8), GNTST_bad_gntref);
	check("copy: a frame of another domain", copy(0, 0, 5, DOMID_SELF, to, 8, 8),
	      GNTST_permission_denied);
	check("copy: no RAM", copy(0, DOMID_SELF, NOT_RAM / PAGE_SIZE, DOMID_SELF, to, 8, 8),
	      GNTST_bad_page);
	grant(REF, GTF_transitive, domid, scratch[0]);
	check("copy: transitive", copy(GNTCOPY_source_gref, domid, REF, DOMID_SELF, to, 8, 8),
	      GNTST_general_error);
	grant(REF, 0, 0, 0);
}

static void maps(void)
{
	struct gnttab_map_grant_ref m = { .flags = GNTMAP_host_map, .dom = 0, .ref = 8 };
	struct gnttab_unmap_grant_ref u = { .handle = 0xffffffff };

	check("map_grant_ref", gnttab_op(GNTTABOP_map_grant_ref, &m, 1), 0);
	check("map_grant_ref: domain 0 grants nothing", m.status, GNTST_bad_gntref);
	m.dom = 99;
	gnttab_op(GNTTABOP_map_grant_ref, &m, 1);
	check("map_grant_ref: no such domain", m.status, GNTST_bad_domain);
	m = (struct gnttab_map_grant_ref){ .flags = 0, .dom = domid };
	gnttab_op(GNTTABOP_map_grant_ref, &m, 1);
	check("map_grant_ref: no flags", m.status, GNTST_bad_gntref);
	m.flags = GNTMAP_host_map | GNTMAP_device_map;
	gnttab_op(GNTTABOP_map_grant_ref, &m, 1);
	check("map_grant_ref: for a device", m.status, GNTST_general_error);
	check("unmap_grant_ref", gnttab_op(GNTTABOP_unmap_grant_ref, &u, 1), 0);
	check("unmap_grant_ref: wild handle", u.status, GNTST_bad_handle);
}

void test_gnttab(void)
{
	static const struct {
		const char *name;
		unsigned int cmd;
	} ops[] = {
		{ "map_grant_ref: bad pointer", GNTTABOP_map_grant_ref },
		{ "unmap_grant_ref: bad pointer", GNTTABOP_unmap_grant_ref },
		{ "setup_table: bad pointer", GNTTABOP_setup_table },
		{ "copy: bad pointer", GNTTABOP_copy },
		{ "query_size: bad pointer", GNTTABOP_query_size },
		{ "set_version: bad pointer", GNTTABOP_set_version },
		{ "get_version: bad pointer", GNTTABOP_get_version },
	};

	sizes();
	copies();
	maps();
	check("grant_table_op transfer", gnttab_op(GNTTABOP_transfer, scratch[0], 1), -XEN_ENOSYS);
	check("grant_table_op get_status_frames",
	      gnttab_op(GNTTABOP_get_status_frames, scratch[0], 1), -XEN_ENOSYS);
	check("grant_table_op: unknown command", gnttab_op(99, scratch[0], 1), -XEN_ENOSYS);
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		check_bad_pointers(ops[i].name, __HYPERVISOR_grant_table_op, ops[i].cmd, 1);
}
