// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/gnttab.c: what an earlier kernel left in the table. This file plays the hypervisor.
 */
#include "tests/kunit/core.c"

#include "guest/linux/gnttab.c"

#define LIVE 100
#define MAPPED 101

static struct grant_entry_v1 *table;
static unsigned long put_to; /* where a frame was put once more */

struct page *paravane_physmap_take(unsigned int space, unsigned long idx)
{
	return virt_to_page(table);
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
	if (a1 == GNTTABOP_query_size) {
		size->max_nr_frames = 1;
		size->status = GNTST_okay;
	}
	return 0;
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

static struct kunit_case cases[] = {
	KUNIT_CASE(left_by_an_earlier_kernel),
	KUNIT_CASE(in_another_domain),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_grants",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
