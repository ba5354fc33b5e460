/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_VCPU_H
#define HV_VCPU_H

#include <pthread.h>

#include "hv/kvm.h"
#include "hv/pio.h"
#include "hv/types.h"

struct vcpu_abi;
struct vcpu_call;

/**
 * struct vcpu - one virtual CPU and the thread that runs it
 * @id: Xen vCPU id; also the ACPI processor id
 * @apic_id: LAPIC id
 * @run: KVM's shared page; registers are synced in @run->s.regs at every exit
 * @abi: what hypercalls keep per vCPU (vcpu_info, upcall vector, runstate area, timer); hv/vcpu_abi.h
 * @stats: counters of this vCPU, written by its own thread only
 * @calls: what vcpu_call() wants done on the vCPU's thread; written under the domain's call lock, atomic
 * @running: the thread takes calls; under the domain's call lock
 * @started: the thread exists and is to be joined
 * @stop: the thread is to end; set once, atomic
 */
struct vcpu {
	struct domain *domain;
	unsigned int id;
	uint32_t apic_id;
	int fd;
	int stats_fd;
	struct kvm_run *run;
	pthread_t thread;
	pid_t tid; /* of @thread once it runs, else 0; atomic */
	struct vcpu_abi *abi;
	struct vcpu_stats {
		uint64_t user_exits;
		uint64_t exits[64]; /* by KVM_EXIT_* */
		uint64_t pio[PIO_RANGES]; /* by port range */
	} stats;

	struct vcpu_call *calls;
	bool running, started, stop;
};

/** vcpu_process_init - what the process needs before the first vCPU thread: the handler of the kick signal */
int vcpu_process_init(void);

int vcpu_create(struct domain *d, unsigned int id);
int vcpu_start(struct vcpu *v);
/** vcpu_stop - make the vCPU's thread leave KVM_RUN for good and join it; loop thread */
void vcpu_stop(struct vcpu *v);
void vcpu_destroy(struct vcpu *v);

/** vcpu_kick - make the vCPU leave guest mode and re-enter, so that changed state is noticed; any thread */
void vcpu_kick(struct vcpu *v);

/**
 * vcpu_call - run fn(v, arg) on the vCPU's own thread and wait for its result
 *
 * For vCPU ioctls of a running vCPU. Any thread without locks; a vCPU's thread serves its own calls while it
 * waits. @fn must not wait for anything.
 */
long vcpu_call(struct vcpu *v, long (*fn)(struct vcpu *v, void *arg), void *arg);

/** vcpu_cpl - privilege level the synced registers show */
unsigned int vcpu_cpl(const struct vcpu *v);

/** vcpu_long_mode - true if the synced registers show 64-bit code */
bool vcpu_long_mode(const struct vcpu *v);

/** vcpu_exit_name - for reports; "other" for a KVM_EXIT_* that is not served */
const char *vcpu_exit_name(unsigned int reason);

/** vcpu_exit - act on the exit that KVM reports in v->run; vCPU thread (hv/exit.c) */
void vcpu_exit(struct vcpu *v);

#endif /* HV_VCPU_H */
