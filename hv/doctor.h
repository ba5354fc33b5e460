/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What paravane doctor looks at, a table for each kind of host.
 */
#ifndef HV_DOCTOR_H
#define HV_DOCTOR_H

#include <stddef.h>

/* Unusable is what no guest can do without; anything less costs one feature or some speed. */
enum verdict { VERDICT_OK, VERDICT_UNKNOWN, VERDICT_DEGRADED, VERDICT_UNUSABLE };

/** struct finding - what one check found: @found is a fact, @follows what it means for guests */
struct finding {
	enum verdict verdict;
	char found[200];
	const char *follows;
};

/** struct check - @find fills in a finding that is all zeros */
struct check {
	const char *name;
	void (*find)(struct finding *f);
};

/** doctor_xen_checks - those of a Xen domain 0 */
extern const struct check doctor_xen_checks[];
extern const size_t doctor_xen_nr_checks;

#endif /* HV_DOCTOR_H */
