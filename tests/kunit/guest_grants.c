// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/gnttab.c: what an earlier kernel left in the table. This file plays the hypervisor.
 */
#include "tests/kunit/core.c"

#include "guest/linux/gnttab.c"

#define LIVE 100
#define MAPPED 101

static struct grant_entry_v1 *table;

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

static struct kunit_case cases[] = {
	KUNIT_CASE(left_by_an_earlier_kernel),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_grants",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
