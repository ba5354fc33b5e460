/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_CPUID_H
#define HV_CPUID_H

#include "hv/config.h"
#include "hv/types.h"

struct kvm_cpuid2;

#define CPUID_MAX_ENTRIES 256

/**
 * struct cpuid_request - what a vCPU's CPUID depends on besides the host's processor
 * @port_transport: announce hypercalls by port
 * @tsc_khz: the guest's TSC frequency
 */
struct cpuid_request {
	enum profile profile;
	unsigned int vcpu_id, nr_vcpus;
	uint32_t apic_id;
	domid_t domid;
	bool port_transport;
	uint32_t tsc_khz;
};

/**
 * cpuid_build - turn what KVM supports into what one vCPU sees
 * @cpuid: KVM_GET_SUPPORTED_CPUID's answer, room for CPUID_MAX_ENTRIES
 *
 * Return: 0, or -E2BIG if there is no room.
 */
int cpuid_build(struct kvm_cpuid2 *cpuid, const struct cpuid_request *req);

/** cpuid_setup - give @v its CPUID, before it runs; 0 or -errno */
int cpuid_setup(struct vcpu *v);

#endif /* HV_CPUID_H */
