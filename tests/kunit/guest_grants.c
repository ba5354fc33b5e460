// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/gnttab.c: what an earlier kernel left in the table, what another domain's has, and
 * hypervisors that give none. This file plays the hypervisor.
 */
#include "tests/kunit/core.c"
#include "tests/kunit/lines.c"

#include "guest/linux/gnttab.c"

#define LIVE 100
#define MAPPED 101

static struct grant_entry_v1 *table;
static unsigned long put_to; /* where a frame was put once more */
static unsigned int most_frames = 1;
static long no_version, no_size, no_frame; /* what it answers instead */
static int16_t size_status = GNTST_okay;

struct page *paravane_physmap_take(unsigned int space, unsigned long idx)
{
	return no_frame ? ERR_PTR(no_frame) : virt_to_page(table);
}

bool paravane_physmap_leave(struct page *page)
{
	return true;
}

void paravane_physmap_give(struct page *page)
{
}

static long hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
		      unsigned long a4, unsigned long a5)
{
	struct gnttab_query_size *size = (void *)a2;

	if (nr == __HYPERVISOR_memory_op && a1 == XENMEM_add_to_physmap) {
		put_to = ((const struct xen_add_to_physmap *)a2)->gpfn;
		return 0;
	}
	if (nr != __HYPERVISOR_grant_table_op)
		return -ENOSYS;
	if (a1 != GNTTABOP_query_size)
		return no_version;
	size->max_nr_frames = most_frames;
	size->status = size_status;
	return no_size;
}

/* Of an earlier kernel's grants none stays live, and what is mapped is not handed out. */
static void left_by_an_earlier_kernel(struct kunit *test)
{
	static grant_ref_t refs[PARAVANE_GNTTAB_PER_FRAME];
	unsigned int count = PARAVANE_GNTTAB_PER_FRAME - PARAVANE_GNTTAB_RESERVED - 1;
	unsigned int i;

	table = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, table);
	static_call_update(paravane_hypercall, hypercall);
	/* the toolstack's own: XenStore's page */
	table[1].flags = GTF_permit_access;
	table[LIVE].flags = GTF_permit_access;
	table[MAPPED].flags = GTF_permit_access | GTF_reading;
	KUNIT_ASSERT_EQ(test, paravane_gnttab_init(), 0);
	KUNIT_EXPECT_EQ(test, table[1].flags, GTF_permit_access);
	KUNIT_EXPECT_EQ(test, table[LIVE].flags, 0);
	KUNIT_EXPECT_EQ(test, table[MAPPED].flags, GTF_permit_access | GTF_reading);
	KUNIT_EXPECT_EQ(test, paravane_gnttab_alloc(refs, count + 1), -ENOSPC);
	KUNIT_ASSERT_EQ(test, paravane_gnttab_alloc(refs, count), 0);
	for (i = 0; i < count; i++)
		KUNIT_EXPECT_NE(test, refs[i], MAPPED);
	paravane_gnttab_free(refs, count);
	paravane_gnttab_exit();
	free_page((unsigned long)table);
}

/* In another domain's table, which is empty, every grant ends, also one that was mapped. */
static void in_another_domain(struct kunit *test)
{
	grant_ref_t ref;

	table = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, table);
	static_call_update(paravane_hypercall, hypercall);
	KUNIT_ASSERT_EQ(test, paravane_gnttab_init(), 0);
	KUNIT_ASSERT_EQ(test, paravane_gnttab_alloc(&ref, 1), 0);
	paravane_gnttab_grant(ref, 0, virt_to_page(table), false);
	table[ref].flags |= GTF_writing;
	KUNIT_EXPECT_EQ(test, paravane_gnttab_end(ref), -EBUSY);
	put_to = 0;
	paravane_gnttab_resume();
	KUNIT_EXPECT_EQ(test, put_to, page_to_pfn(virt_to_page(table)));
	memset(table, 0, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, paravane_gnttab_end(ref), 0);
	paravane_gnttab_free(&ref, 1);
	paravane_gnttab_exit();
	free_page((unsigned long)table);
}

static void expect_no_table(struct kunit *test, int err, const char *why)
{
	static_call_update(paravane_hypercall, hypercall);
	said = 0;
	KUNIT_EXPECT_EQ(test, paravane_gnttab_init(), err);
	EXPECT_ONE_LINE(test, why);
	most_frames = 1;
	no_version = 0;
	no_size = 0;
	no_frame = 0;
	size_status = GNTST_okay;
}

static void no_table(struct kunit *test)
{
	no_version = -EBUSY;
	expect_no_table(test, -EBUSY, "none of version 1 (-16)");
	no_size = -ENOSYS;
	expect_no_table(test, -ENOSYS, "has no frame for it (-38)");
	size_status = GNTST_permission_denied;
	expect_no_table(test, -EIO, "has no frame for it (-5)");
	most_frames = 0;
	expect_no_table(test, -ENOSPC, "has no frame for it (-28)");
	no_frame = -EINVAL;
	expect_no_table(test, -EINVAL, "first frame cannot be mapped (-22)");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(left_by_an_earlier_kernel),
	KUNIT_CASE(in_another_domain),
	KUNIT_CASE(no_table),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_grants",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
