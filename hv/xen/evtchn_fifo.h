/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels, FIFO ABI (xen-public/event_channel.h): an event word per port in pages of the
 * guest, and a control block and 16 queues per vCPU. The guest takes events off, we put them on.
 *
 * All of it is the guest's memory. We write links and heads, but never follow them: where a queue
 * ends we remember ourselves. Whatever the guest does to the words, it can only lose its own
 * events.
 */
#ifndef HV_XEN_EVTCHN_FIFO_H
#define HV_XEN_EVTCHN_FIFO_H

#include "hv/types.h"

struct evtchn_fifo;
struct evtchn_port;

/** evtchn_fifo_create - without pages and control blocks; NULL if there is no memory */
struct evtchn_fifo *evtchn_fifo_create(void);
/** evtchn_fifo_destroy - when nobody uses it any more; NULL is allowed */
void evtchn_fifo_destroy(struct evtchn_fifo *fifo);

/**
 * evtchn_fifo_set_control - give @vcpu the control block at @block (8-aligned); 0, or -EINVAL if it
 * has one; table lock held
 */
int evtchn_fifo_set_control(struct evtchn_fifo *fifo, unsigned int vcpu, void *block);
/** evtchn_fifo_add_page - words for the next ports; 0, or -ENOSPC after the last; table lock held */
int evtchn_fifo_add_page(struct evtchn_fifo *fifo, void *page);
/** evtchn_fifo_nr_words - ports that have a word */
evtchn_port_t evtchn_fifo_nr_words(const struct evtchn_fifo *fifo);

/**
 * evtchn_fifo_set_pending - mark @port, whose data is @ch, and queue it for @vcpu unless it is masked
 *
 * What has no word yet is noted in @ch->owed. Port lock held. Return: true if the vCPU must be told.
 */
bool evtchn_fifo_set_pending(struct evtchn_fifo *fifo, unsigned int vcpu, struct evtchn_port *ch,
			     evtchn_port_t port);
/** evtchn_fifo_clear_pending - forget an event that was not taken; port lock held */
void evtchn_fifo_clear_pending(struct evtchn_fifo *fifo, struct evtchn_port *ch,
			       evtchn_port_t port);
/** evtchn_fifo_clear_mask - unmask, and queue what is pending; port lock held; as set_pending */
bool evtchn_fifo_clear_mask(struct evtchn_fifo *fifo, unsigned int vcpu, struct evtchn_port *ch,
			    evtchn_port_t port);
/** evtchn_fifo_is_pending - any thread */
bool evtchn_fifo_is_pending(const struct evtchn_fifo *fifo, evtchn_port_t port);
/** evtchn_fifo_is_queued - the guest has not taken it off: the port cannot have a new owner yet; any thread */
bool evtchn_fifo_is_queued(const struct evtchn_fifo *fifo, evtchn_port_t port);

/*
 * Sub-operations of HYPERVISOR_event_channel_op (hv/xen/evtchn_fifo_op.c), see struct hypercall_subop
 */

/**
 * evtchn_fifo_init_control - EVTCHNOP_init_control: a vCPU's control block; the first one switches
 * the domain from 2-level to FIFO
 *
 * Return: 0, -ENOENT for a vCPU that does not exist, -EINVAL for a place that is no RAM, unaligned
 * or leaves the page, or if the vCPU has a control block, -ENOMEM.
 */
long evtchn_fifo_init_control(struct vcpu *v, void *arg);
/**
 * evtchn_fifo_expand_array - EVTCHNOP_expand_array: a page of event words
 *
 * Return: 0, -EOPNOTSUPP before init_control, -EINVAL for a frame that is no RAM, -ENOSPC.
 */
long evtchn_fifo_expand_array(struct vcpu *v, void *arg);
/**
 * evtchn_fifo_set_priority - EVTCHNOP_set_priority: 0, -EINVAL, -EACCES for a port that is not open,
 * -ENOSYS before init_control
 */
long evtchn_fifo_set_priority(struct vcpu *v, void *arg);

/** evtchn_fifo_stop - back to 2-level; no port may be open; table lock held */
void evtchn_fifo_stop(struct domain *d);

#endif /* HV_XEN_EVTCHN_FIFO_H */
