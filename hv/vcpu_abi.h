/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_VCPU_ABI_H
#define HV_VCPU_ABI_H

#include <pthread.h>

#include "hv/guest_line.h"
#include "hv/types.h"

#include <xen-public/vcpu.h>

/**
 * struct guest_area - a structure of the guest's that we fill, registered by linear address
 * @part: host address and length of its pieces; it may straddle two pages
 *
 * The pieces are looked up when the guest registers the area and stay valid, since RAM never moves.
 */
struct guest_area {
	struct {
		void *va;
		size_t len;
	} part[2];
};

/** guest_area_pin - find the RAM behind [@addr, @addr + @len); 0 or -EFAULT; @v's own thread */
int guest_area_pin(struct vcpu *v, gva_t addr, size_t len, struct guest_area *area);
bool guest_area_is_set(const struct guest_area *area);
/** guest_area_write - copy @len bytes to @offset of the area; any thread */
void guest_area_write(const struct guest_area *area, size_t offset, const void *src, size_t len);

/**
 * struct vcpu_abi - what hypercalls keep per vCPU
 * @info: where the guest registered its vcpu_info, NULL for the slot in shared_info; under RCU
 * @info_gpa: its guest physical address
 * @kvm_info_gpa: where KVM was told that it is, or GFN_NONE
 * @upcall_vector: HVMOP_set_evtchn_upcall_vector, 0 for none; accessed atomically
 * @upcall_owed: the LAPIC refused an upcall, a timer tries again; accessed atomically
 * @virq_port: ports bound to virtual interrupts, 0 for none; accessed atomically
 * @initialised: it was given registers to start with, or stopped; own thread only
 * @in_multicall: a multicall is being served; own thread only
 * @line: CONSOLEIO_write's current line; own thread only
 * @runstate_area: VCPUOP_register_runstate_memory_area, unless KVM keeps it; this and the next four are
 *		   hv/xen/runstate.c's, own thread only
 * @runstate: last figures
 * @runstate_due: guest system time from which on it is worth publishing again
 * @kvm_counts: the figures are KVM's
 * @sched_fd: scheduler statistics of the vCPU's thread, -1 before its first use
 * @wait_lock: guards @woken
 * @wait: SCHEDOP_poll and SCHEDOP_block sleep here
 * @woken: something happened that ends them
 */
struct vcpu_abi {
	struct vcpu_info *info;
	gpa_t info_gpa;
	gpa_t kvm_info_gpa;
	uint8_t upcall_vector;
	bool upcall_owed;
	evtchn_port_t virq_port[NR_VIRQS];
	bool initialised;
	bool in_multicall;
	struct guest_line line;

	struct guest_area runstate_area;
	struct vcpu_runstate_info runstate;
	uint64_t runstate_due;
	bool kvm_counts;
	int sched_fd;

	pthread_mutex_t wait_lock;
	pthread_cond_t wait;
	bool woken;
};

int vcpu_abi_create(struct vcpu *v);
void vcpu_abi_destroy(struct vcpu *v);

/** vcpu_wake - end @v's vcpu_wait(), if it is in one; any thread */
void vcpu_wake(struct vcpu *v);
/** vcpu_wait - sleep until vcpu_wake() or for @ns; true if woken; @v's own thread */
bool vcpu_wait(struct vcpu *v, uint64_t ns);

#endif /* HV_VCPU_ABI_H */
