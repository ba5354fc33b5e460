// SPDX-License-Identifier: GPL-2.0-only
/*
 * <paravane/gnttab.h>: entries and the free list.
 */
#include "tests/kunit/case.h"

#include <paravane/gnttab.h>

#define CAPACITY 1024u

static uint32_t next[CAPACITY];

CASE(grant_and_end)
{
	struct grant_entry_v1 entry = {};

	paravane_gnttab_entry_grant(&entry, 7, 0x12345678, false);
	CHECK_EQ(entry.flags, GTF_permit_access);
	CHECK_EQ(entry.domid, 7);
	CHECK_EQ(entry.frame, 0x12345678);
	CHECK(paravane_gnttab_entry_end(&entry));
	CHECK_EQ(entry.flags, 0);
}

CASE(readonly_grant)
{
	struct grant_entry_v1 entry = {};

	paravane_gnttab_entry_grant(&entry, 0, 1, true);
	CHECK_EQ(entry.flags, GTF_permit_access | GTF_readonly);
}

CASE(mapped_entry_stays)
{
	struct grant_entry_v1 entry = {};

	paravane_gnttab_entry_grant(&entry, 0, 1, false);
	entry.flags |= GTF_reading;
	CHECK(!paravane_gnttab_entry_end(&entry));
	entry.flags |= GTF_writing;
	CHECK(!paravane_gnttab_entry_end(&entry));
	CHECK_EQ(entry.flags, GTF_permit_access | GTF_reading | GTF_writing);
	entry.flags = GTF_permit_access;
	CHECK(paravane_gnttab_entry_end(&entry));
}

CASE(reserved_references_are_never_given)
{
	struct paravane_gnttab_list list;
	grant_ref_t ref;

	paravane_gnttab_list_init(&list, next, CAPACITY);
	CHECK_EQ(paravane_gnttab_list_take(&list, &ref, 1), -ENOSPC);
	CHECK_EQ(paravane_gnttab_list_put(&list, 0), -EINVAL);
	CHECK_EQ(paravane_gnttab_list_put(&list, 7), -EINVAL);
	CHECK_EQ(paravane_gnttab_list_grow(&list, 512), 0);
	CHECK_EQ(paravane_gnttab_list_take(&list, &ref, 1), 0);
	CHECK_EQ(ref, PARAVANE_GNTTAB_RESERVED);
}

CASE(every_reference_once)
{
	static grant_ref_t refs[CAPACITY];
	static unsigned char seen[CAPACITY];
	struct paravane_gnttab_list list;
	unsigned int i, count = CAPACITY - PARAVANE_GNTTAB_RESERVED;

	memset(seen, 0, sizeof(seen));
	paravane_gnttab_list_init(&list, next, CAPACITY);
	CHECK_EQ(paravane_gnttab_list_grow(&list, 512), 0);
	CHECK_EQ(paravane_gnttab_list_grow(&list, CAPACITY), 0);
	CHECK_EQ(list.free, count);
	CHECK_EQ(paravane_gnttab_list_take(&list, refs, count + 1), -ENOSPC);
	CHECK_EQ(paravane_gnttab_list_take(&list, refs, count), 0);
	for (i = 0; i < count; i++) {
		CHECK(refs[i] >= PARAVANE_GNTTAB_RESERVED && refs[i] < CAPACITY);
		CHECK(!seen[refs[i]]);
		seen[refs[i]] = 1;
	}
	CHECK_EQ(list.free, 0);
	for (i = 0; i < count; i++)
		CHECK_EQ(paravane_gnttab_list_put(&list, refs[i]), 0);
	CHECK_EQ(list.free, count);
}

CASE(wrong_put_is_refused)
{
	struct paravane_gnttab_list list;
	grant_ref_t ref;

	paravane_gnttab_list_init(&list, next, CAPACITY);
	paravane_gnttab_list_grow(&list, 512);
	CHECK_EQ(paravane_gnttab_list_take(&list, &ref, 1), 0);
	CHECK_EQ(paravane_gnttab_list_put(&list, ref), 0);
	CHECK_EQ(paravane_gnttab_list_put(&list, ref), -EINVAL);
	CHECK_EQ(paravane_gnttab_list_put(&list, 512), -EINVAL);
	CHECK_EQ(paravane_gnttab_list_put(&list, ~0u), -EINVAL);
}

CASE(wrong_growth_is_refused)
{
	struct paravane_gnttab_list list;

	paravane_gnttab_list_init(&list, next, CAPACITY);
	CHECK_EQ(paravane_gnttab_list_grow(&list, 512), 0);
	CHECK_EQ(paravane_gnttab_list_grow(&list, 511), -EINVAL);
	CHECK_EQ(paravane_gnttab_list_grow(&list, CAPACITY + 1), -EINVAL);
	CHECK_EQ(list.size, 512);
}

static int every_third(grant_ref_t ref, void *data)
{
	return ref % 3 == *(unsigned int *)data;
}

CASE(dropped_references_are_never_given)
{
	unsigned int rest = 2, dropped, left;
	struct paravane_gnttab_list list;
	grant_ref_t ref;

	paravane_gnttab_list_init(&list, next, CAPACITY);
	paravane_gnttab_list_grow(&list, 512);
	left = list.free;
	dropped = paravane_gnttab_list_drop(&list, every_third, &rest);
	/* 8, 11, ..., 509 */
	CHECK_EQ(dropped, 168);
	CHECK_EQ(list.free, left - dropped);
	CHECK_EQ(paravane_gnttab_list_drop(&list, every_third, &rest), 0);
	for (left = list.free; left; left--) {
		CHECK_EQ(paravane_gnttab_list_take(&list, &ref, 1), 0);
		CHECK(ref % 3 != rest);
	}
	CHECK_EQ(paravane_gnttab_list_take(&list, &ref, 1), -ENOSPC);
	CHECK_EQ(paravane_gnttab_list_put(&list, 8), -EINVAL);
}

#define CASES(X)                               \
	X(grant_and_end)                       \
	X(readonly_grant)                      \
	X(mapped_entry_stays)                  \
	X(reserved_references_are_never_given) \
	X(every_reference_once)                \
	X(wrong_put_is_refused)                \
	X(wrong_growth_is_refused)             \
	X(dropped_references_are_never_given)

SUITE(guest_gnttab, CASES);
