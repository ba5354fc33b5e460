/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's clock arithmetic: how a TSC value becomes nanoseconds (xen-public/xen.h, vcpu_time_info).
 * No I/O.
 */
#ifndef HV_PVCLOCK_H
#define HV_PVCLOCK_H

#include <stdint.h>

/**
 * struct pvclock - a linear clock: ns = ((tsc - base) shifted by @shift) * @mul / 2^32
 * @base: TSC at which it reads 0
 * @mul: ns per (shifted) cycle, as a 32-bit fraction
 * @shift: positive shifts left
 */
struct pvclock {
	uint64_t base;
	uint32_t mul;
	int8_t shift;
};

/** pvclock_init - a clock that starts at @base of a TSC running at @tsc_khz (not 0) */
void pvclock_init(struct pvclock *clock, uint64_t base, uint32_t tsc_khz);

/** pvclock_ns - what the guest computes; a TSC before the base reads 0 */
uint64_t pvclock_ns(const struct pvclock *clock, uint64_t tsc);

#endif /* HV_PVCLOCK_H */
