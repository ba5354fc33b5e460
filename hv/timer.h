/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest system time and the timers that run on it. System time is nanoseconds since the domain was
 * created; it is computed from the guest's TSC with the numbers published in the pvclock page, so
 * that the guest's reading and ours never disagree.
 */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include "hv/types.h"

/**
 * timer_create_domain - start the domain's clock
 *
 * The guest's TSC must have its final offset; it is the same on all vCPUs. Return: 0, -ENOMEM,
 * -errno of KVM (before Linux 5.16 it does not tell the offset: -ENXIO) or of timerfd.
 */
int timer_create_domain(struct domain *d);
void timer_destroy_domain(struct domain *d);

/** timer_now - guest system time, ns; any thread */
uint64_t timer_now(const struct domain *d);

/**
 * timer_set_singleshot - raise VIRQ_TIMER on @v at @deadline (guest system time, ns); replaces an
 * earlier one; any thread
 */
int timer_set_singleshot(struct vcpu *v, uint64_t deadline);
int timer_set_periodic(struct vcpu *v, uint64_t period);
void timer_stop_singleshot(struct vcpu *v);
void timer_stop_periodic(struct vcpu *v);
/** timer_upcall_retry - call evtchn_upcall_retry(@v) in a while; any thread */
void timer_upcall_retry(struct vcpu *v);

/** pvclock_publish - fill a vcpu_time_info the guest registered (version protocol observed) */
void pvclock_publish(const struct domain *d, struct vcpu_time_info *ti);
/** wallclock_publish - fill shared_info's wc_* fields */
void wallclock_publish(const struct domain *d, struct shared_info *si);

/** timer_align_kvm_clock - set KVM's own guest clock to ours; 0 or -errno */
long timer_align_kvm_clock(struct domain *d);

#endif /* HV_TIMER_H */
