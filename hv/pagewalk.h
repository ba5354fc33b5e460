/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_PAGEWALK_H
#define HV_PAGEWALK_H

#include <linux/kvm.h>

#include "hv/types.h"

/**
 * pagewalk - translate a linear address as the processor would for a supervisor access
 * @sregs: control registers of the vCPU
 * @write: the access writes; read-only pages refuse it where CR0.WP is set
 * @gpa: the guest physical address; not necessarily RAM
 *
 * Handles no paging, 2-level, PAE, 4-level and 5-level tables, and sets accessed and dirty bits. Any
 * thread; a guest that changes its tables meanwhile only confuses itself.
 * Return: 0 or -EFAULT.
 */
int pagewalk(const struct domain *d, const struct kvm_sregs *sregs, gva_t gva, bool write,
	     gpa_t *gpa);

#endif /* HV_PAGEWALK_H */
