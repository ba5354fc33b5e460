// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/gnttab.h"
#include "hv/gnttab_entry.h"
#include "hv/mem.h"
#include "tests/unit/fake_domain.h"

#include <xen-public/memory.h>

#define PER_FRAME (PAGE_SIZE / sizeof(grant_entry_v1_t))
#define TABLE_GFN 0x40

static grant_entry_v1_t *table; /* frame 0 as the guest sees it */

static long place_frame(unsigned int index, gfn_t gfn)
{
	struct xen_add_to_physmap x = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .idx = index, .gpfn = gfn
	};

	return fake_op(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &x, sizeof(x));
}

static int setup(void **state)
{
	if (fake_setup(state))
		return -1;
	assert_int_equal(place_frame(0, TABLE_GFN), 0);
	table = fake_ram(TABLE_GFN << PAGE_SHIFT);
	return 0;
}

static void grant(grant_ref_t ref, uint16_t flags, domid_t domid, uint32_t frame)
{
	table[ref] = (grant_entry_v1_t){ .flags = flags, .domid = domid, .frame = frame };
}

static long op(unsigned int cmd, void *arg, size_t size, unsigned int count)
{
	long ret;

	memcpy(fake_ram(FAKE_ARG), arg, size);
	ret = fake_call(__HYPERVISOR_grant_table_op, cmd, FAKE_ARG, count);
	memcpy(arg, fake_ram(FAKE_ARG), size);
	return ret;
}

#define OP(cmd, s) op(GNTTABOP_##cmd, s, sizeof(*(s)), 1)

static void test_map_read(void **state)
{
	void *page, *again;

	(void)state;
	grant(9, GTF_permit_access | GTF_readonly, 0, 0x50);
	assert_int_equal(gnttab_map(&fake->d, 9, true, &page), -EPERM);
	assert_int_equal(table[9].flags, GTF_permit_access | GTF_readonly);
	assert_int_equal(gnttab_map(&fake->d, 9, false, &page), 0);
	assert_ptr_equal(page, fake_ram(0x50000));
	assert_int_equal(table[9].flags, GTF_permit_access | GTF_readonly | GTF_reading);

	/* While it is in use, the frame is the one first read */
	table[9].frame = 0x51;
	assert_int_equal(gnttab_map(&fake->d, 9, false, &again), 0);
	assert_ptr_equal(page, again);
	gnttab_unmap(&fake->d, 9, false);
	assert_true(table[9].flags & GTF_reading);
	gnttab_unmap(&fake->d, 9, false);
	assert_int_equal(table[9].flags, GTF_permit_access | GTF_readonly);
	assert_int_equal(gnttab_map(&fake->d, 9, false, &again), 0);
	assert_ptr_equal(again, fake_ram(0x51000));
	gnttab_unmap(&fake->d, 9, false);
}

static void test_map_write(void **state)
{
	void *page;

	(void)state;
	grant(9, GTF_permit_access, 0, 0x50);
	assert_int_equal(gnttab_map(&fake->d, 9, false, &page), 0);
	assert_int_equal(gnttab_map(&fake->d, 9, true, &page), 0);
	assert_int_equal(table[9].flags, GTF_permit_access | GTF_reading | GTF_writing);
	gnttab_unmap(&fake->d, 9, true);
	assert_int_equal(table[9].flags, GTF_permit_access | GTF_reading);
	gnttab_unmap(&fake->d, 9, false);
	assert_int_equal(table[9].flags, GTF_permit_access);

	/* One unmap too many changes nothing */
	gnttab_unmap(&fake->d, 9, true);
	gnttab_unmap(&fake->d, 9, false);
	assert_int_equal(gnttab_map(&fake->d, 9, true, &page), 0);
	assert_int_equal(table[9].flags, GTF_permit_access | GTF_reading | GTF_writing);
	gnttab_unmap(&fake->d, 9, true);
}

static void test_map_refused(void **state)
{
	static const struct {
		uint16_t flags;
		domid_t domid;
		uint32_t frame;
		int want;
	} bad[] = {
		{ GTF_invalid, 0, 0x50, -EPERM },
		{ GTF_permit_access, 1, 0x50, -EPERM },
		{ GTF_permit_access, FAKE_DOMID, 0x50, -EPERM },
		{ GTF_permit_access, DOMID_SELF, 0x50, -EPERM },
		{ GTF_accept_transfer, 0, 0x50, -EPERM },
		{ GTF_transitive, 0, 0x50, -EPERM },
		{ GTF_permit_access | GTF_sub_page, 0, 0x50, -EPERM },
		{ GTF_permit_access, 0, FAKE_BAD >> PAGE_SHIFT, -EINVAL },
		{ GTF_permit_access, 0, 0xffffffff, -EINVAL },
	};
	void *page;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		grant(9, bad[i].flags, bad[i].domid, bad[i].frame);
		assert_int_equal(gnttab_map(&fake->d, 9, false, &page), bad[i].want);
		assert_int_equal(table[9].flags, bad[i].flags);
	}
	assert_int_equal(gnttab_map(&fake->d, PER_FRAME, false, &page), -EINVAL);
	assert_int_equal(gnttab_map(&fake->d, 0xffffffff, false, &page), -EINVAL);
	gnttab_unmap(&fake->d, 0xffffffff, false);
}

static void test_too_many_maps(void **state)
{
	unsigned int n = 0;
	void *page;

	(void)state;
	grant(9, GTF_permit_access, 0, 0x50);
	while (!gnttab_map(&fake->d, 9, true, &page))
		n++;
	assert_int_equal(n, 0x7fff);
	assert_int_equal(gnttab_map(&fake->d, 9, true, &page), -ENOSPC);
	assert_int_equal(gnttab_map(&fake->d, 9, false, &page), 0);
	gnttab_unmap(&fake->d, 9, false);
	while (n--)
		gnttab_unmap(&fake->d, 9, true);
	assert_int_equal(table[9].flags, GTF_permit_access);
}

static void test_preset(void **state)
{
	void *page;

	(void)state;
	gnttab_preset(&fake->d, GNTTAB_RESERVED_XENSTORE, 0x60);
	assert_int_equal(gnttab_map(&fake->d, GNTTAB_RESERVED_XENSTORE, true, &page), 0);
	assert_ptr_equal(page, fake_ram(0x60000));
	gnttab_unmap(&fake->d, GNTTAB_RESERVED_XENSTORE, true);
}

static void test_table_moves(void **state)
{
	void *page;

	(void)state;
	grant(9, GTF_permit_access, 0, 0x50);
	assert_int_equal(gnttab_map(&fake->d, 9, true, &page), 0);
	assert_int_equal(place_frame(0, TABLE_GFN + 1), 0);
	table = fake_ram((TABLE_GFN + 1) << PAGE_SHIFT);
	assert_int_equal(table[9].flags, GTF_permit_access | GTF_reading | GTF_writing);
	gnttab_unmap(&fake->d, 9, true);
	assert_int_equal(table[9].flags, GTF_permit_access);

	assert_int_equal(place_frame(GNTTAB_MAX_FRAMES, 0x70), -EINVAL);
	assert_int_equal(place_frame(0xffffffff, 0x70), -EINVAL);
	assert_int_equal(gnttab_nr_frames(&fake->d), 1);
	assert_int_equal(place_frame(2, 0x70), 0);
	assert_int_equal(gnttab_nr_frames(&fake->d), 3);
}

/* What a map or an unmap finds undone when it changed the old place after the copy was made */
static void test_entry_settles(void **state)
{
	grant_entry_v1_t old = { .flags = GTF_permit_access, .frame = 0x50 }, copy;
	struct gnttab_use use = { 0 };
	gfn_t gfn;

	(void)state;
	copy = old;
	assert_int_equal(gnttab_entry_get(&old, &use, 0, true, &gfn), 0);
	gnttab_entry_settle(&copy, &use);
	assert_int_equal(copy.flags, GTF_permit_access | GTF_reading | GTF_writing);

	old = copy;
	gnttab_entry_put(&old, &use, true);
	gnttab_entry_settle(&copy, &use);
	assert_int_equal(copy.flags, GTF_permit_access);
}

static void test_sizes_and_version(void **state)
{
	struct gnttab_query_size q = { .dom = DOMID_SELF };
	struct gnttab_set_version s = { .version = 2 };
	struct gnttab_get_version g = { .dom = DOMID_SELF };

	(void)state;
	assert_int_equal(OP(query_size, &q), 0);
	assert_int_equal(q.status, GNTST_okay);
	assert_int_equal(q.nr_frames, 1);
	assert_int_equal(q.max_nr_frames, GNTTAB_MAX_FRAMES);
	q.dom = 0;
	assert_int_equal(OP(query_size, &q), 0);
	assert_int_equal(q.status, GNTST_permission_denied);
	q.dom = 9;
	assert_int_equal(OP(query_size, &q), 0);
	assert_int_equal(q.status, GNTST_bad_domain);
	assert_int_equal(op(GNTTABOP_query_size, &q, sizeof(q), 2), -EINVAL);
	assert_int_equal(op(GNTTABOP_query_size, &q, sizeof(q), 0x80000000), -EINVAL);

	assert_int_equal(OP(set_version, &s), -ENOSYS);
	assert_int_equal(s.version, 1);
	assert_int_equal(OP(set_version, &s), 0);
	s.version = 3;
	assert_int_equal(OP(set_version, &s), -EINVAL);
	assert_int_equal(OP(get_version, &g), 0);
	assert_int_equal(g.version, 1);
	g.dom = 0;
	assert_int_equal(OP(get_version, &g), -EPERM);
	g = (struct gnttab_get_version){ .dom = 9, .version = 77 };
	assert_int_equal(OP(get_version, &g), -ESRCH);
	assert_int_equal(g.version, 77);
}

static void test_setup_table(void **state)
{
	struct gnttab_setup_table s = { .dom = DOMID_SELF, .nr_frames = 2 };
	xen_pfn_t *list = fake_ram(0x9000);

	(void)state;
	s.frame_list.p = (void *)0x9000;
	assert_int_equal(OP(setup_table, &s), 0);
	assert_int_equal(s.status, GNTST_okay);
	assert_int_equal(list[0], TABLE_GFN);
	assert_int_equal(list[1], GFN_NONE);
	assert_int_equal(gnttab_nr_frames(&fake->d), 2);
	s.nr_frames = GNTTAB_MAX_FRAMES + 1;
	assert_int_equal(OP(setup_table, &s), 0);
	assert_int_equal(s.status, GNTST_general_error);
	s.nr_frames = 1;
	s.frame_list.p = (void *)FAKE_BAD;
	assert_int_equal(OP(setup_table, &s), 0);
	assert_int_equal(s.status, GNTST_bad_virt_addr);
}

static void test_guest_maps(void **state)
{
	struct gnttab_map_grant_ref m[2] = {
		{ .flags = GNTMAP_host_map, .dom = 0, .ref = 8 },
		{ .flags = GNTMAP_host_map, .dom = 9, .ref = 8 },
	};
	struct gnttab_unmap_grant_ref u = { .handle = 0 };

	(void)state;
	assert_int_equal(op(GNTTABOP_map_grant_ref, m, sizeof(m), 2), 0);
	assert_int_equal(m[0].status, GNTST_bad_gntref);
	assert_int_equal(m[1].status, GNTST_bad_domain);
	m[0] = (struct gnttab_map_grant_ref){ .flags = GNTMAP_host_map, .dom = FAKE_DOMID };
	m[1] = (struct gnttab_map_grant_ref){ .flags = 0, .dom = FAKE_DOMID };
	assert_int_equal(op(GNTTABOP_map_grant_ref, m, sizeof(m), 2), 0);
	assert_int_equal(m[0].status, GNTST_general_error);
	assert_int_equal(m[1].status, GNTST_bad_gntref);
	assert_int_equal(OP(unmap_grant_ref, &u), 0);
	assert_int_equal(u.status, GNTST_bad_handle);
}

static void test_copy(void **state)
{
	struct gnttab_copy c = { .flags = GNTCOPY_source_gref, .len = 5 };

	(void)state;
	memcpy(fake_ram(0x50010), "hello", 5);
	grant(9, GTF_permit_access | GTF_readonly, FAKE_DOMID, 0x50);
	c.source.domid = FAKE_DOMID;
	c.source.u.ref = 9;
	c.source.offset = 0x10;
	c.dest.domid = DOMID_SELF;
	c.dest.u.gmfn = 0x52;
	c.dest.offset = 0xffb;
	assert_int_equal(OP(copy, &c), 0);
	assert_int_equal(c.status, GNTST_okay);
	assert_memory_equal(fake_ram(0x52ffb), "hello", 5);
	assert_int_equal(table[9].flags, GTF_permit_access | GTF_readonly);

	c.dest.offset = 0xffc;
	assert_int_equal(OP(copy, &c), 0);
	assert_int_equal(c.status, GNTST_bad_copy_arg);
	c.len = 0xffff;
	c.source.offset = c.dest.offset = 0xffff;
	assert_int_equal(OP(copy, &c), 0);
	assert_int_equal(c.status, GNTST_bad_copy_arg);
	assert_int_equal(table[9].flags, GTF_permit_access | GTF_readonly);
}

static void test_copy_refused(void **state)
{
	static const struct {
		uint16_t flags;
		domid_t src, dst;
		uint64_t src_what, dst_what;
		int16_t want;
	} bad[] = {
		{ 0, 0, DOMID_SELF, 0x50, 0x52, GNTST_permission_denied },
		{ 0, FAKE_DOMID, DOMID_SELF, 0x50, 0x52, GNTST_permission_denied },
		{ GNTCOPY_source_gref, 0, DOMID_SELF, 9, 0x52, GNTST_bad_gntref },
		{ GNTCOPY_source_gref, 5, DOMID_SELF, 9, 0x52, GNTST_bad_domain },
		{ GNTCOPY_source_gref, DOMID_SELF, DOMID_SELF, 0xffffffff, 0x52, GNTST_bad_gntref },
		{ GNTCOPY_source_gref, DOMID_SELF, DOMID_SELF, 10, 0x52, GNTST_general_error },
		{ GNTCOPY_source_gref, DOMID_SELF, DOMID_SELF, 9, ~0UL, GNTST_bad_page },
		{ GNTCOPY_dest_gref, DOMID_SELF, DOMID_SELF, 0x50, 9, GNTST_general_error },
		{ 0, DOMID_SELF, DOMID_SELF, FAKE_BAD >> PAGE_SHIFT, 0x52, GNTST_bad_page },
	};

	(void)state;
	grant(9, GTF_permit_access | GTF_readonly, FAKE_DOMID, 0x50);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct gnttab_copy c = { .flags = bad[i].flags, .len = 8 };

		c.source.domid = bad[i].src;
		c.source.u.gmfn = bad[i].src_what;
		c.dest.domid = bad[i].dst;
		c.dest.u.gmfn = bad[i].dst_what;
		assert_int_equal(OP(copy, &c), 0);
		assert_int_equal(c.status, bad[i].want);
		assert_int_equal(table[9].flags, GTF_permit_access | GTF_readonly);
	}
}

/* A page in use by one domain is not another's because the guest rewrote the entry */
static void test_copy_while_mapped(void **state)
{
	struct gnttab_copy c = { .flags = GNTCOPY_source_gref, .len = 8 };
	void *page;

	(void)state;
	c.source.domid = FAKE_DOMID;
	c.source.u.ref = 9;
	c.dest.domid = DOMID_SELF;
	c.dest.u.gmfn = 0x52;
	grant(9, GTF_permit_access, 0, 0x50);
	assert_int_equal(gnttab_map(&fake->d, 9, false, &page), 0);
	table[9].domid = FAKE_DOMID;
	assert_int_equal(OP(copy, &c), 0);
	assert_int_equal(c.status, GNTST_general_error);
	gnttab_unmap(&fake->d, 9, false);
	assert_int_equal(OP(copy, &c), 0);
	assert_int_equal(c.status, GNTST_okay);
}

static void test_unserved(void **state)
{
	static const unsigned int cmds[] = { GNTTABOP_transfer,
					     GNTTABOP_unmap_and_replace,
					     GNTTABOP_get_status_frames,
					     GNTTABOP_swap_grant_ref,
					     GNTTABOP_cache_flush,
					     13,
					     0xffffffff };
	uint8_t arg[64] = { 0 };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++)
		assert_int_equal(op(cmds[i], arg, sizeof(arg), 1), -ENOSYS);
}

#define FLIPS 200000

/* A guest that changes an entry all the time, now granted, now not */
static void *flip(void *arg)
{
	grant_entry_v1_t *entry = arg;

	for (unsigned int i = 0; i < FLIPS; i++) {
		__atomic_store_n(&entry->frame, i & 1 ? 0x50 : 0xffffff, __ATOMIC_RELAXED);
		__atomic_store_n((uint32_t *)(void *)entry, i % 3 ? GTF_permit_access : i << 16,
				 __ATOMIC_RELAXED);
	}
	return NULL;
}

static void test_hostile_guest(void **state)
{
	pthread_t thread;
	void *page;

	(void)state;
	grant(9, GTF_permit_access, 0, 0x50);
	pthread_create(&thread, NULL, flip, &table[9]);
	for (unsigned int i = 0; i < FLIPS; i++) {
		int err = gnttab_map(&fake->d, 9, i & 1, &page);

		if (!err) {
			assert_ptr_equal(page, fake_ram(0x50000));
			gnttab_unmap(&fake->d, 9, i & 1);
		} else if (err != -EPERM && err != -EBUSY && err != -EINVAL) {
			fail_msg("gnttab_map: %d", err);
		}
	}
	pthread_join(thread, NULL);
	/* Afterwards it works as if nothing had been */
	grant(9, GTF_permit_access, 0, 0x51);
	assert_int_equal(gnttab_map(&fake->d, 9, true, &page), 0);
	assert_ptr_equal(page, fake_ram(0x51000));
	gnttab_unmap(&fake->d, 9, true);
	assert_int_equal(table[9].flags, GTF_permit_access);
}

#define T(n) cmocka_unit_test_setup_teardown(test_##n, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(map_read),	  T(map_write),	    T(map_refused),	  T(too_many_maps),
		T(preset),	  T(table_moves),   T(sizes_and_version), T(setup_table),
		T(guest_maps),	  T(copy),	    T(copy_refused),	  T(unserved),
		T(hostile_guest), T(entry_settles), T(copy_while_mapped),
	};

	return cmocka_run_group_tests_name("gnttab", tests, NULL, NULL);
}
