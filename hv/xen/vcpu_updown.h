/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypercalls by which a guest stops vCPUs and starts them, beside INIT and SIPI, which still start
 * a vCPU that is down.
 */
#ifndef HV_XEN_VCPU_UPDOWN_H
#define HV_XEN_VCPU_UPDOWN_H

#include "hv/types.h"

/** vcpu_is_down - true while @v waits to be started; any thread that may vcpu_call(), no lock held */
bool vcpu_is_down(struct vcpu *v);

/* Handlers of hv/hc_vcpu.c's table */

/**
 * vcpu_op_initialise - VCPUOP_initialise: give @v the registers to start with
 *
 * Return: 0, -EFAULT, -EEXIST if it has some already or is up, or -EINVAL.
 */
long vcpu_op_initialise(struct vcpu *caller, struct vcpu *v, gva_t arg);
/** vcpu_op_up - VCPUOP_up: let @v run; 0 or, if nobody gave it registers, -EINVAL */
long vcpu_op_up(struct vcpu *caller, struct vcpu *v, gva_t arg);
/** vcpu_op_down - VCPUOP_down: stop @v where it is; a guest that stops its last vCPU is powered off */
long vcpu_op_down(struct vcpu *caller, struct vcpu *v, gva_t arg);
/** vcpu_op_is_up - VCPUOP_is_up: 1 or 0 */
long vcpu_op_is_up(struct vcpu *caller, struct vcpu *v, gva_t arg);

#endif /* HV_XEN_VCPU_UPDOWN_H */
