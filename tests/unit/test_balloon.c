// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RAM that a guest gives back and takes again.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "hv/domain_abi.h"
#include "hv/mem.h"
#include "hv/xen/balloon.h"
#include "tests/unit/fake_domain.h"

#include <xen-public/memory.h>

#define PAGES (FAKE_RAM >> PAGE_SHIFT)
#define LIST 0x9000
#define FIRST 0x100

/* @n extents from guest address @list */
static long change_at(unsigned int cmd, gva_t list, xen_ulong_t n, unsigned int order,
		      unsigned int flags, domid_t domid)
{
	struct xen_memory_reservation r = {
		.nr_extents = n, .extent_order = order, .mem_flags = flags, .domid = domid
	};

	r.extent_start.p = (void *)(uintptr_t)list;
	return fake_op(__HYPERVISOR_memory_op, cmd, &r, sizeof(r));
}

/* The frames in @gfn */
static long change(unsigned int cmd, const xen_pfn_t *gfn, xen_ulong_t n, unsigned int order)
{
	memcpy(fake_ram(LIST), gfn, n * sizeof(*gfn));
	return change_at(cmd, LIST, n, order, 0, DOMID_SELF);
}

static long one(unsigned int cmd, xen_pfn_t gfn)
{
	return change(cmd, &gfn, 1, 0);
}

static void expect_out(uint64_t pages)
{
	struct xen_memory_domain m = { .domid = DOMID_SELF };

	assert_int_equal(fake_op(__HYPERVISOR_memory_op, XENMEM_current_reservation, &m, sizeof(m)),
			 PAGES - pages);
	assert_int_equal(fake_op(__HYPERVISOR_memory_op, XENMEM_maximum_reservation, &m, sizeof(m)),
			 PAGES);
	assert_int_equal(balloon_pages(&fake->d), pages);
}

static bool resident(gfn_t gfn)
{
	unsigned char vec;

	assert_int_equal(mincore(fake_ram(gfn << PAGE_SHIFT), PAGE_SIZE, &vec), 0);
	return vec & 1;
}

static void test_give_and_take(void **state)
{
	const xen_pfn_t gfn[] = { FIRST, FIRST + 7, FIRST + 1 };

	(void)state;
	for (gfn_t i = 0; i < 16; i++)
		memset(fake_ram((FIRST + i) << PAGE_SHIFT), 0xaa, PAGE_SIZE);
	assert_int_equal(change(XENMEM_decrease_reservation, gfn, 3, 0), 3);
	expect_out(3);
	for (gfn_t i = 0; i < 16; i++)
		assert_int_equal(resident(FIRST + i), i > 1 && i != 7);
	/* Given back is given back: the host keeps no copy. */
	assert_int_equal(*(uint8_t *)fake_ram((FIRST + 7) << PAGE_SHIFT), 0);
	assert_int_equal(*(uint8_t *)fake_ram((FIRST + 2) << PAGE_SHIFT), 0xaa);
	assert_int_equal(change(XENMEM_populate_physmap, gfn, 3, 0), 3);
	expect_out(0);
	assert_int_equal(one(XENMEM_decrease_reservation, FIRST + 1), 1);
	expect_out(1);
}

/* As many as could be done, up to the first that could not */
static void test_stops(void **state)
{
	const xen_pfn_t twice[] = { FIRST, FIRST + 1, FIRST, FIRST + 2 };
	static const xen_pfn_t bad[] = { PAGES, PAGES + 1, 1UL << 40, ~0UL, 1UL << 52, 1UL << 63 };

	(void)state;
	assert_int_equal(change(XENMEM_decrease_reservation, twice, 4, 0), 2);
	expect_out(2);
	assert_int_equal(one(XENMEM_decrease_reservation, FIRST + 1), 0);
	assert_int_equal(change(XENMEM_populate_physmap, twice, 4, 0), 2);
	expect_out(0);
	assert_int_equal(one(XENMEM_populate_physmap, FIRST + 1), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(one(XENMEM_decrease_reservation, bad[i]), 0);
		assert_int_equal(one(XENMEM_populate_physmap, bad[i]), 0);
	}
	/* The list ends where RAM does. */
	memcpy(fake_ram(FAKE_RAM - 2 * sizeof(*twice)), twice, 2 * sizeof(*twice));
	assert_int_equal(change_at(XENMEM_decrease_reservation, FAKE_RAM - 2 * sizeof(*twice), 9, 0,
				   0, DOMID_SELF),
			 2);
	assert_int_equal(change_at(XENMEM_decrease_reservation, FAKE_BAD, 1, 0, 0, DOMID_SELF), 0);
	assert_int_equal(change_at(XENMEM_decrease_reservation, LIST, 0, 0, 0, DOMID_SELF), 0);
	expect_out(2);
}

static void test_extents(void **state)
{
	const xen_pfn_t gfn[] = { 0x200, 0x3f0, 0x300 };

	(void)state;
	assert_int_equal(change(XENMEM_decrease_reservation, gfn, 3, 4), 3);
	expect_out(48);
	/* One page of it is out already, or it ends beyond RAM: nothing of it is touched. */
	assert_int_equal(one(XENMEM_populate_physmap, 0x205), 1);
	assert_int_equal(change(XENMEM_populate_physmap, gfn, 1, 4), 0);
	assert_int_equal(change(XENMEM_decrease_reservation, gfn, 1, 4), 0);
	assert_int_equal(change(XENMEM_decrease_reservation, (xen_pfn_t[]){ PAGES - 8 }, 1, 4), 0);
	assert_int_equal(change(XENMEM_decrease_reservation, (xen_pfn_t[]){ ~0UL - 8 }, 1, 4), 0);
	expect_out(47);
	assert_int_equal(change(XENMEM_populate_physmap, gfn + 1, 2, 4), 2);
	expect_out(15);
	/* A huge page is the most; here it lies across two of the host's. */
	assert_int_equal(change(XENMEM_decrease_reservation, (xen_pfn_t[]){ 0x110 }, 1, 9), 0);
	assert_int_equal(one(XENMEM_decrease_reservation, 0x205), 1);
	assert_int_equal(change(XENMEM_populate_physmap, gfn, 1, 4), 1);
	assert_int_equal(change(XENMEM_decrease_reservation, (xen_pfn_t[]){ 0x110 }, 1, 9), 1);
	expect_out(512);
	assert_int_equal(change(XENMEM_populate_physmap, (xen_pfn_t[]){ 0x110 }, 1, 9), 1);
	assert_int_equal(change(XENMEM_decrease_reservation, (xen_pfn_t[]){ 0 }, 1, 10), 0);
	assert_int_equal(change(XENMEM_decrease_reservation, (xen_pfn_t[]){ 0 }, 1, ~0U), 0);
	expect_out(0);
}

static void test_refused(void **state)
{
	static const unsigned int cmds[] = { XENMEM_increase_reservation,
					     XENMEM_decrease_reservation, XENMEM_populate_physmap };
	struct xen_memory_domain other = { .domid = 0 };
	const xen_pfn_t gfn = FIRST;

	(void)state;
	memcpy(fake_ram(LIST), &gfn, sizeof(gfn));
	for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
		assert_int_equal(change_at(cmds[i], LIST, 1, 0, 0, 0), -EPERM);
		assert_int_equal(change_at(cmds[i], LIST, 1, 0, 0, FAKE_DOMID + 1), 0);
		assert_int_equal(change_at(cmds[i], LIST, ~0UL, 0, 0, DOMID_SELF), 0);
		assert_int_equal(change_at(cmds[i], LIST, ~0UL, 0, 0, 0), 0);
		assert_int_equal(fake_call(__HYPERVISOR_memory_op, cmds[i], FAKE_BAD, 0), 0);
		assert_int_equal(change_at(cmds[i], LIST, 0, 0, 0, 0), 0);
	}
	expect_out(0);
	assert_int_equal(change_at(XENMEM_decrease_reservation, LIST, 1, 0, 0, FAKE_DOMID), 1);
	assert_int_equal(change_at(XENMEM_increase_reservation, LIST, 1, 0, 0, DOMID_SELF), 0);
	assert_int_equal(change_at(XENMEM_populate_physmap, LIST, 1, 0, XENMEMF_populate_on_demand,
				   DOMID_SELF),
			 0);
	expect_out(1);
	assert_int_equal(fake_op(__HYPERVISOR_memory_op, XENMEM_current_reservation, &other,
				 sizeof(other)),
			 -EPERM);
}

/* May the host make a huge page of what is around @gfn? It tells in the flags of its mappings. */
static bool may_be_huge(gfn_t gfn)
{
	uintptr_t va = (uintptr_t)fake_ram(gfn << PAGE_SHIFT);
	FILE *smaps = fopen("/proc/self/smaps", "r");
	bool here = false, huge = false;
	unsigned long from, to;
	char line[4096];

	assert_non_null(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = va >= from && va < to;
		else if (here && !strncmp(line, "VmFlags:", 8))
			huge = strstr(line, " hg");
	}
	fclose(smaps);
	return huge;
}

/* RAM has two huge pages here. One that has a hole stays small, or it would fill the hole again. */
static void test_huge_pages(void **state)
{
	(void)state;
	if (!may_be_huge(0))
		skip(); /* the host makes none */
	assert_int_equal(one(XENMEM_decrease_reservation, 0x1ff), 1);
	assert_false(may_be_huge(0));
	assert_true(may_be_huge(0x200));
	assert_int_equal(one(XENMEM_decrease_reservation, FIRST), 1);
	assert_int_equal(one(XENMEM_populate_physmap, 0x1ff), 1);
	assert_false(may_be_huge(0));
	assert_int_equal(one(XENMEM_decrease_reservation, 0x200), 1);
	assert_int_equal(one(XENMEM_populate_physmap, FIRST), 1);
	assert_true(may_be_huge(0));
	assert_false(may_be_huge(0x200));
}

/* A page of the hypervisor's that is placed where the guest gave memory back works as elsewhere. */
static void test_placed_page(void **state)
{
	(void)state;
	assert_int_equal(one(XENMEM_decrease_reservation, FIRST), 1);
	assert_int_equal(fake_place_shared_info(FIRST), 0);
	assert_true(resident(FIRST));
	assert_ptr_equal(fake->d.shared_info.va, fake_ram(FIRST << PAGE_SHIFT));
	expect_out(1);
}

static void test_everything(void **state)
{
	xen_pfn_t *list = fake_ram(LIST);

	(void)state;
	for (xen_pfn_t i = 0; i < PAGES; i++)
		list[i] = PAGES - 1 - i;
	/* Until the list itself is gone */
	assert_in_range(change_at(XENMEM_decrease_reservation, LIST, PAGES, 0, 0, DOMID_SELF),
			PAGES - 0x10, PAGES - 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_give_and_take), TEST(test_stops),	  TEST(test_extents),
		TEST(test_refused),	  TEST(test_placed_page), TEST(test_everything),
		TEST(test_huge_pages),
	};

	return cmocka_run_group_tests_name("balloon", tests, NULL, NULL);
}
