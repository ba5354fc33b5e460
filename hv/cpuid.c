// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/cpuid.h"

#include <asm/kvm_para.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <paravane/cpuid.h>
#include <xen-public/arch-x86/cpuid.h>

#include "hv/domain.h"
#include "hv/vcpu.h"

/* The version of Xen whose interface is offered */
#define XEN_VERSION (4 << 16 | 17)
#define XEN_LEAVES 4
#define XEN_TSC_NEVER_EMULATED 2
#define XEN_HYPERCALL_MSR 0x40000000
#define KVM_LEAVES 1

#define FEAT1_ECX_X2APIC (1u << 21)
#define FEAT1_ECX_TSC_DEADLINE (1u << 24)
#define FEAT1_ECX_HYPERVISOR (1u << 31)
#define FEAT1_EDX_HTT (1u << 28)
#define FEAT80000007_EDX_INVARIANT_TSC (1u << 8)
#define TOPOLOGY_THREAD (1u << 8)
#define TOPOLOGY_CORE (2u << 8)
#define HYPERVISOR_LEAVES(function) (((function)&0xf0000000u) == PARAVANE_CPUID_FIRST)

static unsigned int log2_up(unsigned int n)
{
	unsigned int bits = 0;

	while (1u << bits < n)
		bits++;
	return bits;
}

/* Bits 25:14 of a cache's EAX: how many logical processors, less one, share it. */
static void cpuid_cache_sharing(struct kvm_cpuid_entry2 *e, unsigned int nr_vcpus)
{
	unsigned int level = e->eax >> 5 & 7;

	e->eax &= ~(0xfffu << 14);
	if (level >= 3)
		e->eax |= (nr_vcpus - 1) << 14;
}

/* One package of nr_vcpus cores with one thread each. */
static void cpuid_topology_level(struct kvm_cpuid_entry2 *e, const struct cpuid_request *req)
{
	e->edx = req->apic_id;
	e->ecx = e->index;
	e->eax = 0;
	e->ebx = 0;
	if (e->index == 0) {
		e->ebx = 1;
		e->ecx |= TOPOLOGY_THREAD;
	} else if (e->index == 1) {
		e->eax = log2_up(req->nr_vcpus);
		e->ebx = req->nr_vcpus;
		e->ecx |= TOPOLOGY_CORE;
	}
}

static void cpuid_features(struct kvm_cpuid_entry2 *e, const struct cpuid_request *req)
{
	e->ebx = (e->ebx & 0xff00) | req->nr_vcpus << 16 | req->apic_id << 24;
	e->ecx |= FEAT1_ECX_X2APIC | FEAT1_ECX_TSC_DEADLINE;
	if (req->profile == PROFILE_NONE)
		e->ecx &= ~FEAT1_ECX_HYPERVISOR;
	else
		e->ecx |= FEAT1_ECX_HYPERVISOR;
	e->edx &= ~FEAT1_EDX_HTT;
	if (req->nr_vcpus > 1)
		e->edx |= FEAT1_EDX_HTT;
}

static void cpuid_adjust(struct kvm_cpuid_entry2 *e, const struct cpuid_request *req)
{
	switch (e->function) {
	case 0x1:
		cpuid_features(e, req);
		break;
	case 0x4:
		cpuid_cache_sharing(e, req->nr_vcpus);
		if (e->eax & 0x1f)
			e->eax = (e->eax & 0x03ffffff) | (req->nr_vcpus - 1) << 26;
		break;
	case 0xa: /* no performance counters */
		e->eax = e->ebx = e->ecx = e->edx = 0;
		break;
	case 0xb:
	case 0x1f:
		cpuid_topology_level(e, req);
		break;
	case 0x80000007:
		e->edx |= FEAT80000007_EDX_INVARIANT_TSC;
		break;
	case 0x80000008:
		e->ecx = (e->ecx & ~0xf0ffu) | log2_up(req->nr_vcpus) << 12 | (req->nr_vcpus - 1);
		break;
	case 0x8000001d:
		cpuid_cache_sharing(e, req->nr_vcpus);
		break;
	case 0x8000001e:
		e->eax = req->apic_id;
		e->ebx = req->apic_id;
		e->ecx = 0;
		e->edx = 0;
		break;
	}
}

/** struct cpuid_leaf - a leaf of ours; @subleaf is -1 if it has none */
struct cpuid_leaf {
	uint32_t function;
	int subleaf;
	uint32_t eax, ebx, ecx, edx;
};

static int cpuid_add(struct kvm_cpuid2 *cpuid, const struct cpuid_leaf *leaf, unsigned int n)
{
	if (n > CPUID_MAX_ENTRIES - cpuid->nent)
		return -E2BIG;
	for (; n--; leaf++) {
		cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2){
			.function = leaf->function,
			.index = leaf->subleaf < 0 ? 0 : leaf->subleaf,
			.flags = leaf->subleaf < 0 ? 0 : KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.eax = leaf->eax,
			.ebx = leaf->ebx,
			.ecx = leaf->ecx,
			.edx = leaf->edx,
		};
	}
	return 0;
}

static int cpuid_add_xen(struct kvm_cpuid2 *cpuid, uint32_t base, const struct cpuid_request *req)
{
	const uint32_t hvm = XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_DOMID_PRESENT |
			     XEN_HVM_CPUID_UPCALL_VECTOR;
	const struct cpuid_leaf leaves[] = {
		{ base, -1, base + XEN_LEAVES, XEN_CPUID_SIGNATURE_EBX, XEN_CPUID_SIGNATURE_ECX,
		  XEN_CPUID_SIGNATURE_EDX },
		{ base + 1, -1, XEN_VERSION, 0, 0, 0 },
		{ base + 2, -1, 1, XEN_HYPERCALL_MSR, 0, 0 },
		{ base + 3, 0, 0, XEN_TSC_NEVER_EMULATED, req->tsc_khz, 0 },
		{ base + 3, 2, req->tsc_khz, 0, 0, 0 },
		{ base + 4, -1, hvm, req->vcpu_id, req->domid, 0 },
	};

	return cpuid_add(cpuid, leaves, ARRAY_SIZE(leaves));
}

/* @features: KVM's own answer for its feature leaf */
static int cpuid_add_kvm(struct kvm_cpuid2 *cpuid, uint32_t base,
			 const struct kvm_cpuid_entry2 *features)
{
	const struct cpuid_leaf leaves[] = {
		/* "KVMKVMKVM" */
		{ base, -1, base + KVM_LEAVES, 0x4b4d564b, 0x564b4d56, 0x4d },
		{ base + 1, -1, features->eax, features->ebx, features->ecx, features->edx },
	};

	return cpuid_add(cpuid, leaves, ARRAY_SIZE(leaves));
}

static int cpuid_add_paravane(struct kvm_cpuid2 *cpuid, uint32_t base,
			      const struct cpuid_request *req)
{
	const uint32_t features = PARAVANE_CPUID_FEAT_DOORBELL |
				  (req->port_transport ? PARAVANE_CPUID_FEAT_PORT_TRANSPORT : 0);
	const struct cpuid_leaf leaves[] = {
		{ base, -1, base + PARAVANE_CPUID_MAX_LEAF, PARAVANE_CPUID_SIG_EBX,
		  PARAVANE_CPUID_SIG_ECX, PARAVANE_CPUID_SIG_EDX },
		{ base + PARAVANE_CPUID_LEAF_FEATURES, -1, PARAVANE_CPUID_VERSION, features,
		  PARAVANE_CPUID_PORTS(PARAVANE_HYPERCALL_PORT, PARAVANE_DOORBELL_PORT), 0 },
	};

	return cpuid_add(cpuid, leaves, ARRAY_SIZE(leaves));
}

int cpuid_build(struct kvm_cpuid2 *cpuid, const struct cpuid_request *req)
{
	struct kvm_cpuid_entry2 kvm_features = { 0 };
	uint32_t base = PARAVANE_CPUID_FIRST;
	unsigned int kept = 0;
	int ret;

	for (unsigned int i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == KVM_CPUID_FEATURES)
			kvm_features = *e;
		if (HYPERVISOR_LEAVES(e->function))
			continue;
		cpuid_adjust(e, req);
		cpuid->entries[kept++] = *e;
	}
	cpuid->nent = kept;
	if (req->profile == PROFILE_NONE)
		return 0;
	ret = cpuid_add_xen(cpuid, base, req);
	base += PARAVANE_CPUID_STEP;
	if (!ret && req->profile == PROFILE_KVM) {
		ret = cpuid_add_kvm(cpuid, base, &kvm_features);
		base += PARAVANE_CPUID_STEP;
	}
	return ret ? ret : cpuid_add_paravane(cpuid, base, req);
}

int cpuid_setup(struct vcpu *v)
{
	const struct domain *d = v->domain;
	const struct cpuid_request req = {
		.profile = d->config->profile,
		.vcpu_id = v->id,
		.nr_vcpus = d->config->vcpus,
		.apic_id = v->apic_id,
		.domid = d->domid,
		.port_transport = d->transport == TRANSPORT_PORT,
		.tsc_khz = d->kvm.tsc_khz,
	};
	struct kvm_cpuid2 *cpuid;
	int ret;

	cpuid = calloc(1, sizeof(*cpuid) + CPUID_MAX_ENTRIES * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return -ENOMEM;
	cpuid->nent = CPUID_MAX_ENTRIES;
	ret = ioctl(d->kvm.fd, KVM_GET_SUPPORTED_CPUID, cpuid) ? -errno : 0;
	if (!ret)
		ret = cpuid_build(cpuid, &req);
	if (!ret && ioctl(v->fd, KVM_SET_CPUID2, cpuid))
		ret = -errno;
	free(cpuid);
	return ret;
}
