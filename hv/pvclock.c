// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/pvclock.h"

#define NSEC_PER_SEC 1000000000ULL

void pvclock_init(struct pvclock *clock, uint64_t base, uint32_t tsc_khz)
{
	uint64_t hz = tsc_khz * 1000ULL;

	/* The multiplier is a fraction below 1 and wants its top bit set, for precision. */
	*clock = (struct pvclock){ .base = base };
	for (; hz > NSEC_PER_SEC * 2; hz >>= 1)
		clock->shift--;
	for (; hz <= NSEC_PER_SEC; hz <<= 1)
		clock->shift++;
	clock->mul = (NSEC_PER_SEC << 32) / hz;
}

uint64_t pvclock_ns(const struct pvclock *clock, uint64_t tsc)
{
	uint64_t delta = tsc - clock->base;

	if ((int64_t)delta < 0)
		return 0;
	delta = clock->shift < 0 ? delta >> -clock->shift : delta << clock->shift;
	return (unsigned __int128)delta * clock->mul >> 32;
}
