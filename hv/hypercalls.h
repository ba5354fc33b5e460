/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypercall handlers that live in hv/hc_*.c; hv/evtchn.h and hv/gnttab.h declare theirs. All
 * are of type hypercall_fn: they run on the calling vCPU's thread and return 0 or more, or a
 * negative Xen errno.
 */
#ifndef HV_HYPERCALLS_H
#define HV_HYPERCALLS_H

#include "hv/types.h"

/** hc_memory_op - HYPERVISOR_memory_op(cmd, arg), xen-public/memory.h */
long hc_memory_op(struct vcpu *v, const uint64_t *arg);
/** memory_add_to_physmap - its sub-operation of that name, on a struct xen_add_to_physmap */
long memory_add_to_physmap(struct vcpu *v, void *arg);
/** hc_multicall - HYPERVISOR_multicall(list, nr), xen-public/xen.h */
long hc_multicall(struct vcpu *v, const uint64_t *arg);
/** hc_set_timer_op - HYPERVISOR_set_timer_op(deadline), ns of guest system time; 0 stops */
long hc_set_timer_op(struct vcpu *v, const uint64_t *arg);
/** hc_xen_version - HYPERVISOR_xen_version(cmd, arg), xen-public/version.h */
long hc_xen_version(struct vcpu *v, const uint64_t *arg);
/** hc_console_io - HYPERVISOR_console_io(cmd, count, buffer): lines for the log */
long hc_console_io(struct vcpu *v, const uint64_t *arg);
/** hc_vm_assist - HYPERVISOR_vm_assist(cmd, type) */
long hc_vm_assist(struct vcpu *v, const uint64_t *arg);
/** hc_vcpu_op - HYPERVISOR_vcpu_op(cmd, vcpu id, arg), xen-public/vcpu.h */
long hc_vcpu_op(struct vcpu *v, const uint64_t *arg);
/** hc_sched_op - HYPERVISOR_sched_op(cmd, arg), xen-public/sched.h */
long hc_sched_op(struct vcpu *v, const uint64_t *arg);
/** sched_poll - its sub-operation poll, on a struct sched_poll */
long sched_poll(struct vcpu *v, void *arg);
/** hc_hvm_op - HYPERVISOR_hvm_op(op, arg), xen-public/hvm/hvm_op.h */
long hc_hvm_op(struct vcpu *v, const uint64_t *arg);

#endif /* HV_HYPERCALLS_H */
