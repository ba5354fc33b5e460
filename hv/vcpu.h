/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_VCPU_H
#define HV_VCPU_H

#include <pthread.h>

#include "hv/kvm.h"
#include "hv/types.h"

struct vcpu_abi;

/**
 * struct vcpu - one virtual CPU and the thread that runs it
 * @id: Xen vCPU id; also the ACPI processor id
 * @apic_id: LAPIC id
 * @run: KVM's shared page; registers are synced in @run->s.regs at every hypercall exit
 * @abi: what hypercalls keep per vCPU (vcpu_info, upcall vector, runstate area, timer); hv/vcpu_abi.h
 * @stats: counters of this vCPU, written by its own thread only
 */
struct vcpu {
	struct domain *domain;
	unsigned int id;
	uint32_t apic_id;
	int fd;
	int stats_fd;
	struct kvm_run *run;
	pthread_t thread;
	struct vcpu_abi *abi;
	struct vcpu_stats {
		uint64_t user_exits;
		uint64_t exits[64]; /* by KVM_EXIT_* */
	} stats;
};

int vcpu_create(struct domain *d, unsigned int id);
int vcpu_start(struct vcpu *v);
/** vcpu_stop - make the vCPU's thread leave KVM_RUN for good and join it; loop thread */
void vcpu_stop(struct vcpu *v);
void vcpu_destroy(struct vcpu *v);

/** vcpu_kick - make the vCPU leave guest mode and re-enter, so that changed state is noticed; any thread */
void vcpu_kick(struct vcpu *v);

/** vcpu_call - run fn(v, arg) on the vCPU's own thread and wait; any other thread; for vCPU ioctls of a running vCPU */
long vcpu_call(struct vcpu *v, long (*fn)(struct vcpu *v, void *arg), void *arg);

/** vcpu_cpl - privilege level the synced registers show */
unsigned int vcpu_cpl(const struct vcpu *v);

#endif /* HV_VCPU_H */
