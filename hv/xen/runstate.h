/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a vCPU spends its time, as Xen tells guests (xen-public/vcpu.h). Our scheduler is Linux:
 * running is the thread's processor time, runnable is what it waited for a processor (a guest's
 * steal time), blocked is the rest. A KVM with Xen support counts itself.
 */
#ifndef HV_XEN_RUNSTATE_H
#define HV_XEN_RUNSTATE_H

#include "hv/types.h"

struct vcpu_runstate_info;

/**
 * runstate_register - where to publish, 0 to stop publishing; 0 or -EFAULT; @caller's thread, @v may be
 * another vCPU; no lock held
 */
long runstate_register(struct vcpu *caller, struct vcpu *v, gva_t area);
/** runstate_register_time - where to publish a vcpu_time_info, 0 to stop; 0 or -EFAULT */
long runstate_register_time(struct vcpu *caller, struct vcpu *v, gva_t area);

/** runstate_state - RUNSTATE_offline: waits to be started, _blocked: halted, or _running; @v's own thread */
int runstate_state(struct vcpu *v);

/** runstate_get - current figures of @v; a vCPU's thread, no lock held */
void runstate_get(struct vcpu *v, struct vcpu_runstate_info *info);

/** runstate_refresh - publish anew if it is worth it; @v's own thread, after each hypercall */
void runstate_refresh(struct vcpu *v);

/** runstate_assist - the guest turned VMASST_TYPE_runstate_update_flag on or off; any thread */
void runstate_assist(struct domain *d);

#endif /* HV_XEN_RUNSTATE_H */
