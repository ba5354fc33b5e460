/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels, 2-level ABI (xen-public/event_channel.h). The guest's ends are ports; domain 0's
 * ends are struct evtchn_peer, used by the back ends, XenStore and the console in this process.
 */
#ifndef HV_EVTCHN_H
#define HV_EVTCHN_H

#include "hv/types.h"

struct evtchn_table;
struct evtchn_peer;

int evtchn_create(struct domain *d);
void evtchn_destroy(struct domain *d);

/** evtchn_alloc_unbound - give the guest a new port that domain 0 may bind; port, or -ENOSPC; any thread */
int evtchn_alloc_unbound(struct domain *d);

/**
 * evtchn_peer_bind - take domain 0's end of guest port @port
 * @kick_fd: eventfd written for each send by the guest; stays the caller's; also wired to the doorbell
 *
 * The port must be unbound and meant for domain 0. Return: 0, -EINVAL, -ENOENT, -ENOMEM. Any thread.
 */
int evtchn_peer_bind(struct domain *d, evtchn_port_t port, int kick_fd, struct evtchn_peer **peer);

/** evtchn_peer_notify - raise the guest's port; nothing happens if the guest closed it; any thread, no shared lock */
void evtchn_peer_notify(struct evtchn_peer *peer);
/** evtchn_peer_unbind - give the end back: the guest's port becomes unbound again; frees @peer */
void evtchn_peer_unbind(struct evtchn_peer *peer);

/** evtchn_send_virq - raise per-vCPU @virq on @v, or a global one (on vCPU 0's binding); any thread */
void evtchn_send_virq(struct vcpu *v, unsigned int virq);

/** evtchn_guest_send - what EVTCHNOP_send and an unmatched doorbell do; 0 or -errno; vCPU thread */
long evtchn_guest_send(struct domain *d, evtchn_port_t port);

/** evtchn_op - HYPERVISOR_event_channel_op(cmd, arg); a hypercall_fn */
long evtchn_op(struct vcpu *v, const uint64_t *arg);

#endif /* HV_EVTCHN_H */
