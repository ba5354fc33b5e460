// SPDX-License-Identifier: GPL-2.0-only
/*
 * <paravane/cpuid.h>: finding leaves.
 */
#include "tests/kunit/case.h"

#include <paravane/abi_check.h>
#include <paravane/cpuid.h>

static unsigned int xen_base, xen_leaves, our_base;

static void fake_cpuid(unsigned int leaf, struct paravane_cpuid_regs *regs)
{
	memset(regs, 0, sizeof(*regs));
	if (xen_base && leaf == xen_base)
		*regs = (struct paravane_cpuid_regs){ xen_base + xen_leaves, PARAVANE_XEN_SIG_EBX,
						      PARAVANE_XEN_SIG_ECX, PARAVANE_XEN_SIG_EDX };
	if (our_base && leaf == our_base)
		*regs = (struct paravane_cpuid_regs){ our_base + 1, PARAVANE_CPUID_SIG_EBX,
						      PARAVANE_CPUID_SIG_ECX,
						      PARAVANE_CPUID_SIG_EDX };
}

CASE(nothing_there)
{
	xen_base = our_base = 0;
	CHECK_EQ(paravane_cpuid_find_xen(fake_cpuid), 0);
	CHECK_EQ(paravane_cpuid_find_paravane(fake_cpuid), 0);
}

CASE(each_base)
{
	unsigned int base;

	xen_leaves = 4;
	for (base = 0x40000000; base < 0x40010000; base += 0x100) {
		xen_base = base;
		our_base = base < 0x4000ff00 ? base + 0x100 : 0;
		CHECK_EQ(paravane_cpuid_find_xen(fake_cpuid), base);
		CHECK_EQ(paravane_cpuid_find_paravane(fake_cpuid), our_base);
	}
}

CASE(too_few_leaves)
{
	xen_base = 0x40000000;
	xen_leaves = 1;
	CHECK_EQ(paravane_cpuid_find_xen(fake_cpuid), 0);
	xen_leaves = -0x40000000;
	CHECK_EQ(paravane_cpuid_find_xen(fake_cpuid), 0);
}

CASE(ports)
{
	unsigned int ecx = PARAVANE_CPUID_PORTS(PARAVANE_HYPERCALL_PORT, PARAVANE_DOORBELL_PORT);

	CHECK_EQ(PARAVANE_CPUID_PORTS_HYPERCALL(ecx), PARAVANE_HYPERCALL_PORT);
	CHECK_EQ(PARAVANE_CPUID_PORTS_DOORBELL(ecx), PARAVANE_DOORBELL_PORT);
}

#define CASES(X)          \
	X(nothing_there)  \
	X(each_base)      \
	X(too_few_leaves) \
	X(ports)

SUITE(guest_cpuid, CASES);
