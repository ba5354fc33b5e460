// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/kvm.h>

#include <cmocka.h>

#include "hv/domain.h"
#include "hv/mem.h"
#include "hv/pagewalk.h"
#include "hv/vcpu.h"

#define RAM (4UL << 20)
#define P 1UL
#define W 2UL
#define PS 0x80UL
#define CR0_PAGING (1UL << 31 | 1UL << 16 | 1)
#define CR4_PAE (1UL << 5)
#define CR4_LA57 (1UL << 12)
#define EFER_LMA (1UL << 10)

static struct domain d;
static struct vcpu vcpu;
static struct kvm_run run;
static struct kvm_sregs *sregs = &run.s.regs.sregs;

static int setup(void **state)
{
	(void)state;
	memset(&run, 0, sizeof(run));
	d = (struct domain){ .kvm.vm_fd = -1 };
	vcpu = (struct vcpu){ .domain = &d, .run = &run };
	return mem_alloc(&d, RAM);
}

static int teardown(void **state)
{
	(void)state;
	mem_destroy(&d);
	return 0;
}

static uint64_t *ram(gpa_t gpa)
{
	return mem_range(&d, gpa, sizeof(uint64_t));
}

static void test_range(void **state)
{
	uint8_t *base = mem_range(&d, 0, RAM);

	(void)state;
	assert_non_null(base);
	assert_int_equal((uintptr_t)base % (2 << 20), 0);
	assert_ptr_equal(mem_range(&d, RAM - 1, 1), base + RAM - 1);
	assert_ptr_equal(mem_range(&d, RAM - 1, 0), base + RAM - 1);
	assert_null(mem_range(&d, RAM, 0));
	assert_null(mem_range(&d, RAM - 1, 2));
	assert_null(mem_range(&d, RAM, 1));
	assert_null(mem_range(&d, 0, SIZE_MAX));
	assert_null(mem_range(&d, PAGE_SIZE, SIZE_MAX - 1));
	assert_null(mem_range(&d, UINT64_MAX, 1));
	assert_null(mem_range(&d, MEM_HIGH_BASE, 1));
	assert_null(mem_page(&d, GFN_NONE));
	assert_null(mem_page(&d, 1ULL << 52));
	assert_null(mem_page(&d, RAM >> PAGE_SHIFT));
	assert_ptr_equal(mem_page(&d, 1), base + PAGE_SIZE);
}

/* RAM above 4 GiB follows directly in the host; the hole between is no RAM. */
static void test_range_with_hole(void **state)
{
	uint8_t *base;

	(void)state;
	mem_destroy(&d);
	assert_int_equal(mem_alloc(&d, MEM_LOW_MAX + RAM), 0);
	base = mem_range(&d, 0, 1);
	assert_int_equal(mem_bytes(&d), MEM_LOW_MAX + RAM);
	assert_int_equal(mem_low_bytes(&d), MEM_LOW_MAX);
	assert_null(mem_range(&d, MEM_LOW_MAX, 1));
	assert_null(mem_range(&d, MEM_LOW_MAX - 1, 2));
	assert_null(mem_range(&d, MEM_HIGH_BASE - 1, 2));
	assert_ptr_equal(mem_range(&d, MEM_HIGH_BASE, RAM), base + MEM_LOW_MAX);
	assert_null(mem_range(&d, MEM_HIGH_BASE, RAM + 1));
	assert_null(mem_range(&d, MEM_HIGH_BASE + RAM, 1));
}

static void long_mode(uint64_t cr4)
{
	sregs->cr0 = CR0_PAGING;
	sregs->cr4 = CR4_PAE | cr4;
	sregs->efer = EFER_LMA;
	sregs->cr3 = 0x1000;
}

/* Linear 0x8040201000 + n pages by four levels; the tables are at 0x1000 ... 0x4000. */
#define GVA 0x8040201000UL
static void map_4_level(void)
{
	long_mode(0);
	*ram(0x1000 + 8 * 1) = 0x2000 | P | W;
	*ram(0x2000 + 8 * 1) = 0x3000 | P | W;
	*ram(0x3000 + 8 * 1) = 0x4000 | P | W;
	*ram(0x4000 + 8 * 1) = 0x10000 | P | W | 1UL << 63;
	*ram(0x4000 + 8 * 2) = 0x20000 | P;
}

static void test_no_paging(void **state)
{
	gpa_t gpa;

	(void)state;
	assert_int_equal(pagewalk(&d, sregs, 0x12345, true, &gpa), 0);
	assert_int_equal(gpa, 0x12345);
}

static void test_4_level(void **state)
{
	gpa_t gpa;

	(void)state;
	map_4_level();
	assert_int_equal(pagewalk(&d, sregs, GVA + 0x123, true, &gpa), 0);
	assert_int_equal(gpa, 0x10123);
	assert_int_equal(*ram(0x4008) & 0x60, 0x60);
	assert_int_equal(*ram(0x3008) & 0x60, 0x20);
	/* read-only */
	assert_int_equal(pagewalk(&d, sregs, GVA + 0x1000, false, &gpa), 0);
	assert_int_equal(*ram(0x4010) & 0x60, 0x20);
	assert_int_equal(pagewalk(&d, sregs, GVA + 0x1000, true, &gpa), -EFAULT);
	sregs->cr0 &= ~(1UL << 16);
	assert_int_equal(pagewalk(&d, sregs, GVA + 0x1000, true, &gpa), 0);
	/* not present; a table that is not RAM */
	assert_int_equal(pagewalk(&d, sregs, GVA + 0x2000, false, &gpa), -EFAULT);
	assert_int_equal(pagewalk(&d, sregs, 0, false, &gpa), -EFAULT);
	*ram(0x3008) = (RAM + 0x1000) | P | W;
	assert_int_equal(pagewalk(&d, sregs, GVA, false, &gpa), -EFAULT);
	sregs->cr3 = 0x000ffffffffff000UL;
	assert_int_equal(pagewalk(&d, sregs, GVA, false, &gpa), -EFAULT);
}

static void test_large_pages(void **state)
{
	gpa_t gpa;

	(void)state;
	map_4_level();
	*ram(0x3008) = 0x200000 | P | W | PS;
	assert_int_equal(pagewalk(&d, sregs, GVA + 0x456, false, &gpa), 0);
	assert_int_equal(gpa, 0x201456);
	*ram(0x2008) = 0x40000000 | P | W | PS;
	assert_int_equal(pagewalk(&d, sregs, GVA + 0x456, false, &gpa), 0);
	assert_int_equal(gpa, 0x40201456);
}

static void test_5_level(void **state)
{
	gpa_t gpa;

	(void)state;
	map_4_level();
	sregs->cr4 |= CR4_LA57;
	sregs->cr3 = 0x5000;
	*ram(0x5000) = 0x1000 | P | W;
	assert_int_equal(pagewalk(&d, sregs, GVA, true, &gpa), 0);
	assert_int_equal(gpa, 0x10000);
}

static void test_pae(void **state)
{
	gpa_t gpa;

	(void)state;
	sregs->cr0 = CR0_PAGING;
	sregs->cr4 = CR4_PAE;
	sregs->cr3 = 0x1020; /* 32-byte aligned */
	*ram(0x1020 + 8 * 3) = 0x2000 | P;
	*ram(0x2000 + 8 * 1) = 0x3000 | P | W;
	*ram(0x3000 + 8 * 2) = 0x7000 | P | W;
	assert_int_equal(pagewalk(&d, sregs, 0xffffffffc0202008UL, true, &gpa), 0);
	assert_int_equal(gpa, 0x7008);
	assert_int_equal(*ram(0x1020 + 8 * 3), 0x2000 | P);
}

static void test_32_bit(void **state)
{
	uint32_t *entry;
	gpa_t gpa;

	(void)state;
	sregs->cr0 = CR0_PAGING;
	sregs->cr3 = 0x1000;
	entry = mem_range(&d, 0x1000, PAGE_SIZE);
	entry[1] = 0x2000 | P | W;
	entry[2] = 0x400000 | P | W | PS;
	entry = mem_range(&d, 0x2000, PAGE_SIZE);
	entry[3] = 0x9000 | P | W;
	assert_int_equal(pagewalk(&d, sregs, 0x403abc, true, &gpa), 0);
	assert_int_equal(gpa, 0x9abc);
	assert_int_equal(entry[3] & 0x60, 0x60);
	assert_int_equal(entry[2], 0);
	assert_int_equal(pagewalk(&d, sregs, 0x812345, true, &gpa), 0);
	assert_int_equal(gpa, 0x412345);
}

static void test_copy_straddles_pages(void **state)
{
	static char out[3000], in[3000];

	(void)state;
	map_4_level();
	*ram(0x4010) |= W;
	memset(out, 'x', sizeof(out));
	memcpy(out + 1490, "boundary", 8);
	assert_int_equal(mem_write_gva(&vcpu, GVA + PAGE_SIZE - 1500, out, sizeof(out)), 0);
	assert_int_equal(mem_read_gva(&vcpu, in, GVA + PAGE_SIZE - 1500, sizeof(in)), 0);
	assert_memory_equal(in, out, sizeof(out));
	assert_memory_equal(mem_range(&d, 0x20000, 1500), out + 1500, 1500);
	/* the second page ends in nothing; wrapping around the address space is no way out either */
	assert_int_equal(mem_read_gva(&vcpu, in, GVA + 2 * PAGE_SIZE - 10, 20), -EFAULT);
	assert_int_equal(mem_read_gva(&vcpu, in, UINT64_MAX - 5, 20), -EFAULT);
	assert_int_equal(mem_write_gva(&vcpu, 0x10000, out, 1), -EFAULT);
}

static const void *settled_from;
static void *settled_to;

static void settle(struct domain *dom, const void *from, void *to)
{
	assert_ptr_equal(dom, &d);
	settled_from = from;
	settled_to = to;
}

static void test_place_page(void **state)
{
	struct hv_page page;
	void *private_va;

	(void)state;
	assert_int_equal(hv_page_init(&page, settle), 0);
	private_va = page.va;
	strcpy(page.va, "contents");
	assert_int_equal(hv_page_place(&d, &page, 0x10), 0);
	assert_ptr_equal(page.va, mem_page(&d, 0x10));
	assert_ptr_equal(settled_from, private_va);
	assert_ptr_equal(settled_to, page.va);
	assert_string_equal(page.va, "contents");
	assert_int_equal(page.gfn, 0x10);
	/* moving keeps the contents, and leaves the old frame to the guest */
	assert_int_equal(hv_page_place(&d, &page, 0x20), 0);
	assert_ptr_equal(page.va, mem_page(&d, 0x20));
	assert_string_equal(page.va, "contents");
	assert_int_equal(hv_page_unplace(&d, &page), 0);
	assert_ptr_equal(page.va, private_va);
	assert_string_equal(page.va, "contents");
	assert_int_equal(hv_page_unplace(&d, &page), -EINVAL);
	/* what cannot hold it: interrupt controllers, frames no processor can address */
	assert_int_equal(hv_page_place(&d, &page, 0xfee00), -EINVAL);
	assert_int_equal(hv_page_place(&d, &page, 1ULL << 40), -EINVAL);
	assert_int_equal(hv_page_place(&d, &page, GFN_NONE - 1), -EINVAL);
	/* outside RAM KVM is asked, and there is none here */
	assert_int_equal(hv_page_place(&d, &page, 0x100000), -EBADF);
	assert_ptr_equal(page.va, private_va);
	hv_page_fini(&d, &page);
}

/* A page placed where another is takes its place; the other keeps its contents */
static void test_displace_page(void **state)
{
	struct hv_page first, second;

	(void)state;
	assert_int_equal(hv_page_init(&first, settle), 0);
	assert_int_equal(hv_page_init(&second, settle), 0);
	strcpy(first.va, "first");
	strcpy(second.va, "second");
	assert_int_equal(hv_page_place(&d, &first, 0x10), 0);
	assert_int_equal(hv_page_place(&d, &second, 0x10), 0);
	assert_int_equal(first.gfn, GFN_NONE);
	assert_ptr_equal(first.va, first.private_va);
	assert_string_equal(first.va, "first");
	assert_ptr_equal(second.va, mem_page(&d, 0x10));
	assert_string_equal(second.va, "second");
	hv_page_fini(&d, &first);
	hv_page_fini(&d, &second);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_range),
		TEST(test_range_with_hole),
		TEST(test_no_paging),
		TEST(test_4_level),
		TEST(test_5_level),
		TEST(test_large_pages),
		TEST(test_pae),
		TEST(test_32_bit),
		TEST(test_place_page),
		TEST(test_displace_page),
		TEST(test_copy_straddles_pages),
	};

	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
