// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is there a hypervisor with Xen's interface, and how do we call it?
 *
 * The kernel's own detection is not asked: it takes another hypervisor's leaves when both are
 * there, and nothing at all when booted with "nopv".
 */
#include <linux/module.h>
#include <linux/string.h>
#include <asm/processor.h>

#include <xen-public/arch-x86/cpuid.h>
#include <paravane/abi_check.h>
#include <paravane/transport.h>

#include "guest/linux/hypercall.h"
#include "guest/linux/internal.h"

/* Nobody has tried anything older, so it is refused rather than tried on a user's data. */
#define XEN_OLDEST 4

struct paravane_platform paravane_platform;

static char *transport = "auto";
module_param(transport, charp, 0444);
MODULE_PARM_DESC(transport, "How to make hypercalls: auto (default), intercept or port");

static bool doorbell = true;
module_param(doorbell, bool, 0444);
MODULE_PARM_DESC(doorbell, "Notify back ends through the hypervisor's doorbell where it has one");

long paravane_hypercall_none(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
			     unsigned long a4, unsigned long a5)
{
	return -ENOSYS;
}

DEFINE_STATIC_CALL(paravane_hypercall, paravane_hypercall_none);

struct transport {
	const char *name;
	long (*call)(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
		     unsigned long a4, unsigned long a5);
};

/*
 * The other vendor's instruction is no choice: KVM would try to rewrite it in our read-only text,
 * and the kernel would take the write fault.
 */
static const struct transport vmcall = { "vmcall", paravane_vmcall };
static const struct transport vmmcall = { "vmmcall", paravane_vmmcall };
static const struct transport port = { "port", paravane_portcall };

static const struct transport *transport_intercept(void)
{
	if (boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
	    boot_cpu_data.x86_vendor == X86_VENDOR_HYGON)
		return &vmmcall;
	return &vmcall;
}

static const struct transport *transport_by_name(const char *name)
{
	if (!strcmp(name, "intercept"))
		return transport_intercept();
	if (!strcmp(name, "port"))
		return &port;
	if (strcmp(name, "auto"))
		return NULL;
	if (paravane_platform.features & PARAVANE_CPUID_FEAT_PORT_TRANSPORT)
		return &port;
	return transport_intercept();
}

static int transport_choose(void)
{
	const struct transport *chosen = transport_by_name(transport);
	long version;

	if (!chosen) {
		pr_err("unknown transport \"%s\" (auto, intercept or port)\n", transport);
		return -EINVAL;
	}
	static_call_update(paravane_hypercall, chosen->call);

	version = paravane_xen_version(XENVER_version, NULL);
	if (version != paravane_platform.version) {
		pr_err("hypercalls by %s do not work (XENVER_version gave %ld)\n", chosen->name,
		       version);
		return -ENODEV;
	}
	pr_info("Xen %u.%u interface, %s, hypercalls by %s%s\n", paravane_platform.version >> 16,
		paravane_platform.version & 0xffff,
		paravane_platform.is_paravane ? "Paravane" : "no Paravane extensions", chosen->name,
		paravane_platform.doorbell ? ", doorbell" : "");
	return 0;
}

static void read_paravane_block(void)
{
	u32 base = paravane_cpuid_find_paravane(paravane_cpuid_native);
	struct paravane_cpuid_regs regs;

	if (!base)
		return;
	paravane_cpuid_native(base + PARAVANE_CPUID_LEAF_FEATURES, &regs);
	if (regs.eax < PARAVANE_CPUID_VERSION)
		return;
	paravane_platform.is_paravane = true;
	paravane_platform.features = regs.ebx;
	if (PARAVANE_CPUID_PORTS_HYPERCALL(regs.ecx) != PARAVANE_HYPERCALL_PORT)
		paravane_platform.features &= ~PARAVANE_CPUID_FEAT_PORT_TRANSPORT;
	if (doorbell && regs.ebx & PARAVANE_CPUID_FEAT_DOORBELL)
		paravane_platform.doorbell = PARAVANE_CPUID_PORTS_DOORBELL(regs.ecx);
}

/**
 * paravane_this_vcpu() - Xen's number of the vCPU this runs on
 *
 * Call it with migration disabled.
 */
int paravane_this_vcpu(void)
{
	struct paravane_cpuid_regs regs;

	if (!paravane_platform.has_vcpu_id)
		return smp_processor_id();
	paravane_cpuid_native(paravane_platform.xen_base + 4, &regs);
	return regs.ebx;
}

static int check_features(void)
{
	struct xen_feature_info info = { .submap_idx = 0 };
	long ret = paravane_xen_version(XENVER_get_features, &info);

	if (ret < 0) {
		pr_err("the hypervisor does not say what it can do (XENVER_get_features gave %ld)\n",
		       ret);
		return -ENODEV;
	}
	if (!(info.submap & BIT(XENFEAT_auto_translated_physmap))) {
		pr_err("this is a Xen PV domain, not a hardware-virtualized one\n");
		return -ENODEV;
	}
	return 0;
}

/**
 * paravane_detect() - find the hypervisor and choose the transport
 *
 * Return: 0; -ENODEV with one line in the log saying why not.
 */
int paravane_detect(void)
{
	struct paravane_cpuid_regs regs;
	bool has_hvm_leaf;
	u32 base;
	int err;

	memset(&paravane_platform, 0, sizeof(paravane_platform));
	if (paravane_intree_xen_active()) {
		pr_info("the kernel's own Xen support is active (boot with \"nopv\")\n");
		return -ENODEV;
	}
	base = paravane_cpuid_find_xen(paravane_cpuid_native);
	if (!base) {
		pr_info("no Xen interface: not running under Paravane or Xen\n");
		return -ENODEV;
	}
	paravane_platform.xen_base = base;
	paravane_cpuid_native(base, &regs);
	has_hvm_leaf = regs.eax - base >= 4;
	paravane_cpuid_native(base + 1, &regs);
	paravane_platform.version = regs.eax;
	if (regs.eax >> 16 < XEN_OLDEST) {
		pr_err("Xen %u.%u is too old, it has to be %u.0 at least\n", regs.eax >> 16,
		       regs.eax & 0xffff, XEN_OLDEST);
		return -ENODEV;
	}
	if (has_hvm_leaf) {
		paravane_cpuid_native(base + 4, &regs);
		paravane_platform.has_vcpu_id = regs.eax & XEN_HVM_CPUID_VCPU_ID_PRESENT;
		paravane_platform.has_upcall_vector = regs.eax & XEN_HVM_CPUID_UPCALL_VECTOR;
	}

	read_paravane_block();
	err = transport_choose();
	return err ? err : check_features();
}
