/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels' own data, shared by hv/evtchn.c (ports and sends) and hv/evtchn_op.c (the
 * hypercall).
 */
#ifndef HV_EVTCHN_PORT_H
#define HV_EVTCHN_PORT_H

#include <pthread.h>

#include "hv/types.h"

/**
 * EVTCHN_BUCKET - ports allocated at a time; as in Xen, a port beyond the last bucket does not
 * exist
 */
#define EVTCHN_BUCKET 64

enum evtchn_state {
	EVTCHN_FREE,
	EVTCHN_RESERVED, /* port 0 */
	EVTCHN_UNBOUND,
	EVTCHN_INTERDOMAIN,
	EVTCHN_VIRQ,
	EVTCHN_IPI,
};

/**
 * struct evtchn_port - the guest's end of an event channel
 * @lock: all that a send takes
 * @state: enum evtchn_state. Like the members below it is changed under the table's lock and @lock,
 *	   so either suffices to read it
 * @notify_vcpu: vCPU to tell
 * @virq: EVTCHN_VIRQ: its number
 * @remote_dom: EVTCHN_UNBOUND: who may bind; EVTCHN_INTERDOMAIN: who did
 * @remote_port: EVTCHN_INTERDOMAIN: the other end's port
 * @peer: EVTCHN_INTERDOMAIN with domain 0: the other end; NULL if it is a port of this guest
 * @priority: FIFO: of the queue it goes to, EVTCHN_FIFO_PRIORITY_*. This and what follows under @lock
 * @queue_vcpu, @queue_priority: FIFO: the queue it went to last
 * @owed: FIFO: an event came before the guest had a word for it
 */
struct evtchn_port {
	pthread_mutex_t lock;
	uint8_t state;
	uint8_t notify_vcpu;
	uint8_t virq;
	domid_t remote_dom;
	evtchn_port_t remote_port;
	struct evtchn_peer *peer;
	uint8_t priority, queue_vcpu, queue_priority;
	bool owed;
};

struct evtchn_fifo;

/** struct evtchn_peer - domain 0's end; @doorbell: KVM signals @kick_fd itself (table lock) */
struct evtchn_peer {
	struct domain *domain;
	struct evtchn_port *channel;
	evtchn_port_t port;
	int kick_fd;
	bool doorbell;
};

/**
 * struct evtchn_table - a domain's ports
 * @lock: binding and closing
 * @nr_valid: ports that were ever allocated; only grows; atomic
 * @first_free: no port before this one is free
 * @fifo: the queues if the guest wants FIFO events, NULL for 2-level; under RCU
 */
struct evtchn_table {
	pthread_mutex_t lock;
	evtchn_port_t nr_valid, first_free;
	struct evtchn_port *bucket[EVTCHN_FIFO_NR_CHANNELS / EVTCHN_BUCKET];
	struct evtchn_fifo *fifo;
};

/** evtchn_is_open - neither free nor port 0; table or port lock held */
static inline bool evtchn_is_open(const struct evtchn_port *ch)
{
	return ch->state > EVTCHN_RESERVED;
}

/** evtchn_port - a port that was ever allocated, else NULL; any thread */
struct evtchn_port *evtchn_port(struct domain *d, uint64_t port);
/** evtchn_find_free - number of a free port, -ENOSPC or -ENOMEM; table lock held */
int evtchn_find_free(struct domain *d, struct evtchn_port **found);
/** evtchn_bind - give @ch the state in @as; table lock held */
void evtchn_bind(struct evtchn_port *ch, const struct evtchn_port *as);
/** evtchn_alloc - allocate @port and give it the state in @as; 0 or -errno */
int evtchn_alloc(struct domain *d, const struct evtchn_port *as, evtchn_port_t *port);
/** evtchn_close - EVTCHNOP_close; 0, or -EINVAL for a port that is not open */
long evtchn_close(struct domain *d, evtchn_port_t port);
/** evtchn_reset - close all ports; back to 2-level */
void evtchn_reset(struct domain *d);
/** evtchn_raise - an event for our own port @port, if it is the end of a channel within the guest; no port lock held */
void evtchn_raise(struct domain *d, evtchn_port_t port);

/** evtchn_virq_is_global - one port per domain (on vCPU 0) instead of one per vCPU */
static inline bool evtchn_virq_is_global(unsigned int virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF &&
	       virq != VIRQ_XENPMU;
}

/** evtchn_virq_vcpu - the vCPU that a port of state EVTCHN_VIRQ belongs to */
static inline unsigned int evtchn_virq_vcpu(const struct evtchn_port *ch)
{
	return evtchn_virq_is_global(ch->virq) ? 0 : ch->notify_vcpu;
}

#endif /* HV_EVTCHN_PORT_H */
