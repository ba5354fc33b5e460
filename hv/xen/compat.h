/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What 32-bit callers need to boot and to stop, of hypercalls whose structures look different to
 * them. Handlers like those of hv/hypercalls.h, with arguments that are cut to 32 bits already.
 */
#ifndef HV_XEN_COMPAT_H
#define HV_XEN_COMPAT_H

#include "hv/types.h"

/** compat_memory_op - add_to_physmap; -ENOSYS for anything else */
long compat_memory_op(struct vcpu *v, const uint64_t *arg);
/** compat_vcpu_op - initialise, up, down and is_up, which look the same; -ENOSYS for anything else */
long compat_vcpu_op(struct vcpu *v, const uint64_t *arg);
/** compat_sched_op - everything that hc_sched_op() serves */
long compat_sched_op(struct vcpu *v, const uint64_t *arg);

#endif /* HV_XEN_COMPAT_H */
