// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <linux/kvm.h>

#include <cmocka.h>

#include <paravane/cpuid.h>

#include "hv/cpuid.h"

static struct kvm_cpuid2 *cpuid;

static void supported(uint32_t function, uint32_t index, uint32_t eax, uint32_t ebx, uint32_t ecx,
		      uint32_t edx)
{
	cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2){
		.function = function, .index = index, .eax = eax, .ebx = ebx, .ecx = ecx, .edx = edx
	};
}

static int setup(void **state)
{
	(void)state;
	cpuid = calloc(1, sizeof(*cpuid) + CPUID_MAX_ENTRIES * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return -1;
	supported(0x0, 0, 0x10, 0x68747541, 0x444d4163, 0x69746e65);
	supported(0x1, 0, 0x800f12, 0x00010800, 0x76d83203, 0x178bfbff);
	supported(0x4, 0, 0x04004121, 0, 0, 0);
	supported(0x4, 3, 0x04004163, 0, 0, 0);
	supported(0xb, 0, 0, 0, 0, 0);
	supported(0xb, 1, 0, 0, 1, 0);
	supported(0x40000000, 0, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d);
	supported(0x40000001, 0, 0x01007efb, 0, 0, 0);
	supported(0x80000007, 0, 0, 0, 0, 0);
	supported(0x80000008, 0, 0x3030, 0, 0x7007, 0);
	supported(0x8000001e, 0, 5, 5, 5, 5);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(cpuid);
	return 0;
}

static const struct kvm_cpuid_entry2 *find(uint32_t function, uint32_t index)
{
	for (unsigned int i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == function && cpuid->entries[i].index == index)
			return &cpuid->entries[i];
	}
	return NULL;
}

/* What a guest's CPUID instruction would give */
static void guest_cpuid(unsigned int leaf, struct paravane_cpuid_regs *regs)
{
	const struct kvm_cpuid_entry2 *e = find(leaf, 0);

	*regs = e ? (struct paravane_cpuid_regs){ e->eax, e->ebx, e->ecx, e->edx } :
		    (struct paravane_cpuid_regs){ 0 };
}

static void build(enum profile profile, unsigned int nr_vcpus, unsigned int id, bool port)
{
	const struct cpuid_request req = {
		.profile = profile,
		.vcpu_id = id,
		.apic_id = id,
		.nr_vcpus = nr_vcpus,
		.domid = 7,
		.port_transport = port,
		.tsc_khz = 2500000,
	};

	assert_int_equal(cpuid_build(cpuid, &req), 0);
}

static void test_profile_kvm(void **state)
{
	uint32_t xen, ours;

	(void)state;
	build(PROFILE_KVM, 2, 1, true);
	xen = paravane_cpuid_find_xen(guest_cpuid);
	assert_int_equal(xen, 0x40000000);
	assert_int_equal(find(xen + 1, 0)->eax, 4 << 16 | 17);
	assert_int_equal(find(xen + 2, 0)->ebx, 0x40000000);
	assert_int_equal(find(xen + 3, 2)->eax, 2500000);
	assert_int_equal(find(xen + 4, 0)->ebx, 1);
	assert_int_equal(find(xen + 4, 0)->ecx, 7);
	assert_int_equal(find(xen + 4, 0)->eax, 1 << 3 | 1 << 4 | 1 << 6);
	assert_int_equal(find(0x40000100, 0)->ebx, 0x4b4d564b);
	assert_int_equal(find(0x40000100, 0)->eax, 0x40000101);
	assert_int_equal(find(0x40000101, 0)->eax, 0x01007efb);
	ours = paravane_cpuid_find_paravane(guest_cpuid);
	assert_int_equal(ours, 0x40000200);
	assert_int_equal(find(ours + 1, 0)->ebx,
			 PARAVANE_CPUID_FEAT_PORT_TRANSPORT | PARAVANE_CPUID_FEAT_DOORBELL);
	assert_int_equal(PARAVANE_CPUID_PORTS_HYPERCALL(find(ours + 1, 0)->ecx), 0xb4);
	assert_int_equal(PARAVANE_CPUID_PORTS_DOORBELL(find(ours + 1, 0)->ecx), 0xb08);
	assert_true(find(1, 0)->ecx >> 31);
}

static void test_profile_xen(void **state)
{
	(void)state;
	build(PROFILE_XEN, 1, 0, false);
	assert_int_equal(paravane_cpuid_find_xen(guest_cpuid), 0x40000000);
	assert_int_equal(paravane_cpuid_find_paravane(guest_cpuid), 0x40000100);
	assert_int_equal(find(0x40000101, 0)->ebx, PARAVANE_CPUID_FEAT_DOORBELL);
	for (unsigned int i = 0; i < cpuid->nent; i++)
		assert_int_not_equal(cpuid->entries[i].ebx, 0x4b4d564b);
}

static void test_profile_none(void **state)
{
	(void)state;
	build(PROFILE_NONE, 1, 0, true);
	assert_int_equal(paravane_cpuid_find_xen(guest_cpuid), 0);
	assert_int_equal(paravane_cpuid_find_paravane(guest_cpuid), 0);
	assert_null(find(0x40000000, 0));
	assert_null(find(0x40000001, 0));
	assert_int_equal(find(1, 0)->ecx >> 31, 0);
}

static void test_topology(void **state)
{
	(void)state;
	build(PROFILE_KVM, 6, 5, true);
	assert_int_equal(find(1, 0)->ebx, 5u << 24 | 6 << 16 | 0x800);
	assert_true(find(1, 0)->edx & 1 << 28);
	assert_true(find(1, 0)->ecx & 1 << 24); /* TSC deadline */
	assert_true(find(1, 0)->ecx & 1 << 21); /* x2APIC */
	assert_int_equal(find(4, 0)->eax >> 26, 5);
	assert_int_equal(find(4, 0)->eax >> 14 & 0xfff, 0);
	assert_int_equal(find(4, 3)->eax >> 14 & 0xfff, 5);
	assert_int_equal(find(0xb, 0)->ebx, 1);
	assert_int_equal(find(0xb, 0)->ecx, 1 << 8);
	assert_int_equal(find(0xb, 1)->eax, 3);
	assert_int_equal(find(0xb, 1)->ebx, 6);
	assert_int_equal(find(0xb, 1)->ecx, 2 << 8 | 1);
	assert_int_equal(find(0xb, 1)->edx, 5);
	assert_int_equal(find(0x80000008, 0)->ecx, 3 << 12 | 5);
	assert_int_equal(find(0x8000001e, 0)->eax, 5);
	assert_true(find(0x80000007, 0)->edx & 1 << 8);
}

static void test_one_vcpu_is_one(void **state)
{
	(void)state;
	build(PROFILE_KVM, 1, 0, true);
	assert_false(find(1, 0)->edx & 1 << 28);
	assert_int_equal(find(1, 0)->ebx >> 16, 1);
	assert_int_equal(find(0x80000008, 0)->ecx, 0);
}

static void test_table_full(void **state)
{
	const struct cpuid_request req = { .profile = PROFILE_KVM, .nr_vcpus = 1 };

	(void)state;
	while (cpuid->nent < CPUID_MAX_ENTRIES)
		supported(0x80000100 + cpuid->nent, 0, 0, 0, 0, 0);
	assert_int_equal(cpuid_build(cpuid, &req), -E2BIG);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_profile_kvm), TEST(test_profile_xen),	    TEST(test_profile_none),
		TEST(test_topology),	TEST(test_one_vcpu_is_one), TEST(test_table_full),
	};

	return cmocka_run_group_tests_name("cpuid", tests, NULL, NULL);
}
