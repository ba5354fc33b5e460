/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels (xen-public/event_channel.h). The guest's ends are ports; domain 0's
 * ends are struct evtchn_peer, used by the back ends, XenStore and the console in this process.
 */
#ifndef HV_EVTCHN_H
#define HV_EVTCHN_H

#include "hv/types.h"

struct evtchn_table;
struct evtchn_peer;

int evtchn_create(struct domain *d);
void evtchn_destroy(struct domain *d);

/**
 * evtchn_alloc_unbound - give the guest a new @port that domain 0 may bind; 0, -ENOSPC or -ENOMEM;
 * any thread
 */
int evtchn_alloc_unbound(struct domain *d, evtchn_port_t *port);

/**
 * evtchn_peer_bind - take domain 0's end of guest port @port
 * @kick_fd: eventfd written for each send by the guest; stays the caller's; also wired to the
 *	   doorbell
 *
 * The port must be unbound and meant for domain 0. Return: 0, -EINVAL, -ENOENT, -ENOMEM. Any
 * thread.
 */
int evtchn_peer_bind(struct domain *d, evtchn_port_t port, int kick_fd, struct evtchn_peer **peer);

/**
 * evtchn_peer_notify - raise the guest's port; nothing happens if the guest closed it; any thread,
 * no shared lock
 */
void evtchn_peer_notify(struct evtchn_peer *peer);
/** evtchn_peer_unbind - give the end back: the guest's port becomes unbound again; frees @peer */
void evtchn_peer_unbind(struct evtchn_peer *peer);

/**
 * evtchn_send_virq - raise per-vCPU @virq on @v, or a global one (on vCPU 0's binding); any thread
 */
void evtchn_send_virq(struct vcpu *v, unsigned int virq);

/** evtchn_guest_send - what EVTCHNOP_send and an unmatched doorbell do; 0 or -errno; vCPU thread */
long evtchn_guest_send(struct domain *d, evtchn_port_t port);

/** evtchn_op - HYPERVISOR_event_channel_op(cmd, arg); a hypercall_fn */
long evtchn_op(struct vcpu *v, const uint64_t *arg);

/*
 * The shared bits and the interrupt that announces them (hv/evtchn_upcall.c).
 */

/** evtchn_set_pending - an event for @port; if it is not masked, tell vCPU @v; any thread, port lock held */
void evtchn_set_pending(struct vcpu *v, evtchn_port_t port);
/** evtchn_clear_pending - forget an event that was not taken; any thread, port lock held */
void evtchn_clear_pending(struct domain *d, evtchn_port_t port);
/** evtchn_clear_mask - unmask @port and tell vCPU @v if it is pending; any thread, port lock held */
void evtchn_clear_mask(struct vcpu *v, evtchn_port_t port);
/** evtchn_is_pending - any thread */
bool evtchn_is_pending(struct domain *d, evtchn_port_t port);

/** evtchn_upcall_pending - vcpu_info's evtchn_upcall_pending; any thread */
bool evtchn_upcall_pending(struct vcpu *v);
/** evtchn_unmask_upcall - clear vcpu_info's evtchn_upcall_mask, which is for PV guests; any thread */
void evtchn_unmask_upcall(struct vcpu *v);
/**
 * evtchn_upcall - interrupt @v by the means it chose, whether or not an event is pending; any
 * thread
 */
void evtchn_upcall(struct vcpu *v);
/** evtchn_upcall_retry - upcall @v again if its LAPIC refused the last one; any thread */
void evtchn_upcall_retry(struct vcpu *v);

/**
 * evtchn_set_callback_vector - HVM_PARAM_CALLBACK_IRQ of type vector; 0 for any other type
 *
 * Such a vector is injected without the LAPIC, which only KVM itself can do, for vCPUs that have no
 * vector of their own. vCPU thread, no lock held. Return: 0, -ENOSYS on a host whose KVM has no Xen
 * support, -errno of KVM (-EINVAL for the vector of an exception).
 */
long evtchn_set_callback_vector(struct domain *d, uint8_t vector);
/**
 * evtchn_set_upcall_vector - raise @v's upcalls as @vector in its LAPIC; vCPU thread, no lock held;
 * 0 or -errno of KVM
 */
long evtchn_set_upcall_vector(struct vcpu *v, uint8_t vector);

/** evtchn_settle_shared_info - see struct hv_page */
void evtchn_settle_shared_info(struct domain *d, const void *from, void *to);
/** evtchn_shared_info_moved - tell everybody; 0 or -errno of KVM; no lock held */
long evtchn_shared_info_moved(struct domain *d);
/** evtchn_place_shared_info - XENMAPSPACE_shared_info; 0 or -errno; no lock held */
long evtchn_place_shared_info(struct domain *d, gfn_t gfn);
/**
 * evtchn_unplace_shared_info - the guest's page is its own again; -ENOENT if it is elsewhere; no
 * lock held
 */
long evtchn_unplace_shared_info(struct domain *d, gfn_t gfn);

/**
 * evtchn_register_vcpu_info - VCPUOP_register_vcpu_info for @v
 *
 * Every selector bit is set and @v interrupted, so that nothing is lost in the move. Once per vCPU.
 * Return: 0, -ENXIO for an offset that is unaligned or leaves the page, -EINVAL for a frame that is
 * not RAM, a second registration, or another vCPU that was started.
 */
long evtchn_register_vcpu_info(struct vcpu *caller, struct vcpu *v, gfn_t gfn, uint32_t offset);

/** evtchn_vcpu_info - @v's vcpu_info; call and use within an RCU read-side section */
struct vcpu_info *evtchn_vcpu_info(const struct vcpu *v);

#endif /* HV_EVTCHN_H */
