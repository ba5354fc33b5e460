/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory map for guests that ask for it; those that read what they were booted with need not. */
#ifndef HV_XEN_MEMORY_MAP_H
#define HV_XEN_MEMORY_MAP_H

#include "hv/types.h"

/** memory_map - XENMEM_memory_map on a struct xen_memory_map; 0 or -EFAULT; the vCPU's own thread */
long memory_map(struct vcpu *v, void *arg);

#endif /* HV_XEN_MEMORY_MAP_H */
