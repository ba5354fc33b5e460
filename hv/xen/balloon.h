/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_XEN_BALLOON_H
#define HV_XEN_BALLOON_H

#include "hv/types.h"

/**
 * struct balloon - RAM that the guest gave back; all under the domain's physmap lock
 * @out: one bit per page of RAM, in the order of its storage; NULL until there is one
 * @range_out: how many of them are in each 2 MiB of it
 * @pages: how many in all; also read without the lock
 */
struct balloon {
	uint64_t *out;
	uint16_t *range_out;
	uint64_t pages;
};

/** balloon_pages - pages the guest has given back; any thread */
uint64_t balloon_pages(const struct domain *d);

/**
 * balloon_decrease_reservation, balloon_populate_physmap, balloon_increase_reservation - XENMEM_*
 * @arg: struct xen_memory_reservation
 *
 * Return: as Xen's, how many extents were done until one could not be; -EPERM for domain 0.
 */
long balloon_decrease_reservation(struct vcpu *v, void *arg);
long balloon_populate_physmap(struct vcpu *v, void *arg);
long balloon_increase_reservation(struct vcpu *v, void *arg);

/** balloon_destroy - forget everything */
void balloon_destroy(struct domain *d);

#endif /* HV_XEN_BALLOON_H */
