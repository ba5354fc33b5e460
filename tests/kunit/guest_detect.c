// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/detect.c: what hypervisors we are loaded under. This file plays the processor and the
 * hypervisor.
 */
#include "tests/kunit/core.c"
#include "tests/kunit/lines.c"

#include <paravane/cpuid.h>
#include <paravane/transport.h>

static typeof(paravane_hypercall_none) hypercall, another_none __maybe_unused;
static void leaf_of(unsigned int leaf, struct paravane_cpuid_regs *regs);

#define paravane_cpuid_native leaf_of
#define paravane_vmcall hypercall
#define paravane_vmmcall hypercall
#define paravane_portcall hypercall
/* core.c has one for the suites that do without detection. */
#define paravane_hypercall_none another_none
#undef DEFINE_STATIC_CALL
#define DEFINE_STATIC_CALL(name, fn) static_assert(1)

#include "guest/linux/detect.c"

#define VERSION(major, minor) ((major) << 16 | (minor))
#define BASE 0x40000100u

static struct {
	bool absent;
	u32 version, told; /* by CPUID, and by the hypercall */
	unsigned int leaves;
	long refuses;
	u32 features;
	bool in_tree;
} xen;

bool paravane_intree_xen_active(void)
{
	return xen.in_tree;
}

static void leaf_of(unsigned int leaf, struct paravane_cpuid_regs *regs)
{
	memset(regs, 0, sizeof(*regs));
	if (xen.absent)
		return;
	if (leaf == BASE)
		*regs = (struct paravane_cpuid_regs){ BASE + xen.leaves, PARAVANE_XEN_SIG_EBX,
						      PARAVANE_XEN_SIG_ECX, PARAVANE_XEN_SIG_EDX };
	else if (leaf == BASE + 1)
		regs->eax = xen.version;
	else if (leaf == BASE + 4)
		regs->eax = XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_UPCALL_VECTOR;
}

static long hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
		      unsigned long a4, unsigned long a5)
{
	struct xen_feature_info *info = (void *)a2;

	if (nr != __HYPERVISOR_xen_version)
		return -ENOSYS;
	if (a1 == XENVER_version)
		return xen.told;
	if (xen.refuses)
		return xen.refuses;
	info->submap = xen.features;
	return 0;
}

static void start(void)
{
	memset(&xen, 0, sizeof(xen));
	xen.version = VERSION(4, 17);
	xen.told = xen.version;
	xen.leaves = 5;
	xen.features = BIT(XENFEAT_auto_translated_physmap);
	transport = "auto";
	said = 0;
}

static void versions_that_serve(struct kunit *test)
{
	static const u32 versions[] = { VERSION(4, 0), VERSION(4, 17), VERSION(5, 1) };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		start();
		xen.version = versions[i];
		xen.told = versions[i];
		KUNIT_EXPECT_EQ(test, paravane_detect(), 0);
		KUNIT_EXPECT_EQ(test, said, 0);
		KUNIT_EXPECT_TRUE(test, paravane_platform.has_upcall_vector);
	}
	/* Older ones have fewer leaves. */
	start();
	xen.leaves = 3;
	KUNIT_EXPECT_EQ(test, paravane_detect(), 0);
	KUNIT_EXPECT_FALSE(test, paravane_platform.has_upcall_vector);
	KUNIT_EXPECT_FALSE(test, paravane_platform.has_vcpu_id);
}

static void wrong_versions(struct kunit *test)
{
	start();
	xen.version = VERSION(3, 4);
	KUNIT_EXPECT_EQ(test, paravane_detect(), -ENODEV);
	EXPECT_ONE_LINE(test, "Xen 3.4 is too old, it has to be 4.0 at least");
	/* Whatever makes the call does not make it. */
	start();
	xen.told = __HYPERVISOR_xen_version;
	KUNIT_EXPECT_EQ(test, paravane_detect(), -ENODEV);
	EXPECT_ONE_LINE(test, "do not work (XENVER_version gave 17)");
}

static void features_that_are_missing(struct kunit *test)
{
	start();
	xen.features = 0;
	KUNIT_EXPECT_EQ(test, paravane_detect(), -ENODEV);
	EXPECT_ONE_LINE(test, "this is a Xen PV domain");
	start();
	xen.refuses = -ENOSYS;
	KUNIT_EXPECT_EQ(test, paravane_detect(), -ENODEV);
	EXPECT_ONE_LINE(test, "XENVER_get_features gave -38");
}

static void nothing_to_do(struct kunit *test)
{
	start();
	xen.absent = true;
	KUNIT_EXPECT_EQ(test, paravane_detect(), -ENODEV);
	start();
	xen.in_tree = true;
	KUNIT_EXPECT_EQ(test, paravane_detect(), -ENODEV);
	KUNIT_EXPECT_EQ(test, said, 0);
	start();
	transport = "pigeon";
	KUNIT_EXPECT_EQ(test, paravane_detect(), -EINVAL);
	EXPECT_ONE_LINE(test, "unknown transport \"pigeon\"");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(versions_that_serve),
	KUNIT_CASE(wrong_versions),
	KUNIT_CASE(features_that_are_missing),
	KUNIT_CASE(nothing_to_do),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_detect",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
