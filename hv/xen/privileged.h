/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypercalls of the privileged domain. Xen has them in every guest's table and refuses them there:
 * with -EFAULT, then -EACCES if they are made for another Xen's interface, then -EPERM. Handlers like those
 * of hv/hypercalls.h, for callers of either width.
 */
#ifndef HV_XEN_PRIVILEGED_H
#define HV_XEN_PRIVILEGED_H

#include "hv/types.h"

/** privileged_sysctl - HYPERVISOR_sysctl(op), xen-public/sysctl.h */
long privileged_sysctl(struct vcpu *v, const uint64_t *arg);
/** privileged_domctl - HYPERVISOR_domctl(op), xen-public/domctl.h; of a domain that is not there: -ESRCH */
long privileged_domctl(struct vcpu *v, const uint64_t *arg);
/** privileged_platform_op - HYPERVISOR_platform_op(op), xen-public/platform.h */
long privileged_platform_op(struct vcpu *v, const uint64_t *arg);

#endif /* HV_XEN_PRIVILEGED_H */
