/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XenStore's rim towards the guest: the shared page struct xenstore_domain_interface
 * (xen-public/io/xs_wire.h) and its event channel.
 */
#ifndef HV_XS_RING_H
#define HV_XS_RING_H

#include "hv/types.h"
#include "xenstore/xenstore.h"

struct xs_ring;

/**
 * xs_ring_create - connect the guest to @store through the page at d->store_gfn and d->store_port
 *
 * Needs d->loop, guest memory and the event channels; @store stays the caller's. The domain is not
 * introduced by this. Loop thread, or before it runs. Return: 0, -EFAULT for a frame that is not
 * RAM, or -errno.
 */
int xs_ring_create(struct domain *d, struct xst_store *store, struct xs_ring **ring);

/** xs_ring_destroy - disconnect; while the store and guest memory still exist; NULL is allowed */
void xs_ring_destroy(struct xs_ring *ring);

#endif /* HV_XS_RING_H */
