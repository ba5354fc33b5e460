// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/pvclock.h"

#define NSEC_PER_SEC 1000000000ULL

void pvclock_init(struct pvclock *clock, uint64_t base, uint32_t tsc_khz)
{
	const uint64_t hz = tsc_khz * 1000ULL;
	unsigned __int128 mul = (unsigned __int128)NSEC_PER_SEC << 32;
	uint64_t shifted = hz;

	/* The multiplier is a fraction below 1 and wants its top bit set, for precision. */
	*clock = (struct pvclock){ .base = base };
	for (; shifted > NSEC_PER_SEC * 2; shifted >>= 1)
		clock->shift--;
	for (; shifted <= NSEC_PER_SEC; shifted <<= 1)
		clock->shift++;
	if (clock->shift < 0)
		clock->mul = (mul << -clock->shift) / hz;
	else
		clock->mul = mul / shifted;
}

uint64_t pvclock_ns(const struct pvclock *clock, uint64_t tsc)
{
	uint64_t delta = tsc - clock->base;

	if ((int64_t)delta < 0)
		return 0;
	delta = clock->shift < 0 ? delta >> -clock->shift : delta << clock->shift;
	return (unsigned __int128)delta * clock->mul >> 32;
}
