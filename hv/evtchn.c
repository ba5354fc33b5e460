// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The port table. Ports are allocated 64 at a time and never freed before the domain goes, so a
 * port, once seen, can be used without a lock on the table.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "hv/domain.h"
#include "hv/evtchn.h"
#include "hv/evtchn_port.h"
#include "hv/log.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"
#include "hv/xen/evtchn_fifo.h"

struct evtchn_port *evtchn_port(struct domain *d, uint64_t port)
{
	struct evtchn_table *t = d->evtchn;

	/* Pairs with the release in grow_table(): a bucket is filled in before it counts. */
	if (port >= __atomic_load_n(&t->nr_valid, __ATOMIC_ACQUIRE))
		return NULL;
	return &t->bucket[port / EVTCHN_BUCKET][port % EVTCHN_BUCKET];
}

static int grow_table(struct evtchn_table *t)
{
	struct evtchn_port *bucket = calloc(EVTCHN_BUCKET, sizeof(*bucket));

	if (!bucket)
		return -ENOMEM;
	for (unsigned int i = 0; i < EVTCHN_BUCKET; i++) {
		pthread_mutex_init(&bucket[i].lock, NULL);
		bucket[i].priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	}
	t->bucket[t->nr_valid / EVTCHN_BUCKET] = bucket;
	__atomic_store_n(&t->nr_valid, t->nr_valid + EVTCHN_BUCKET, __ATOMIC_RELEASE);
	return 0;
}

int evtchn_create(struct domain *d)
{
	struct evtchn_table *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	pthread_mutex_init(&t->lock, NULL);
	d->evtchn = t;
	err = grow_table(t);
	if (err) {
		evtchn_destroy(d);
		return err;
	}
	evtchn_port(d, 0)->state = EVTCHN_RESERVED;
	return 0;
}

void evtchn_destroy(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;

	if (!t)
		return;
	evtchn_fifo_stop(d);
	for (unsigned int i = 0; i < t->nr_valid; i++)
		pthread_mutex_destroy(&evtchn_port(d, i)->lock);
	for (unsigned int i = 0; i < ARRAY_SIZE(t->bucket); i++)
		free(t->bucket[i]);
	pthread_mutex_destroy(&t->lock);
	free(t);
	d->evtchn = NULL;
}

int evtchn_find_free(struct domain *d, struct evtchn_port **found)
{
	struct evtchn_table *t = d->evtchn;
	evtchn_port_t limit = t->fifo ? EVTCHN_FIFO_NR_CHANNELS : EVTCHN_2L_NR_CHANNELS;
	int err;

	for (evtchn_port_t port = t->first_free; port < limit; port++) {
		if (port == t->nr_valid) {
			err = grow_table(t);
			if (err)
				return err;
		}
		*found = evtchn_port(d, port);
		if ((*found)->state == EVTCHN_FREE) {
			/* The guest may still have an event of the last owner before it. */
			if (!t->fifo || !evtchn_fifo_is_queued(t->fifo, port))
				return port;
		} else if (port == t->first_free) {
			t->first_free++;
		}
	}
	return -ENOSPC;
}

void evtchn_bind(struct evtchn_port *ch, const struct evtchn_port *as)
{
	pthread_mutex_lock(&ch->lock);
	ch->state = as->state;
	ch->notify_vcpu = as->notify_vcpu;
	ch->virq = as->virq;
	ch->remote_dom = as->remote_dom;
	ch->remote_port = as->remote_port;
	ch->peer = as->peer;
	pthread_mutex_unlock(&ch->lock);
}

int evtchn_alloc(struct domain *d, const struct evtchn_port *as, evtchn_port_t *port)
{
	struct evtchn_port *ch;
	int found;

	pthread_mutex_lock(&d->evtchn->lock);
	found = evtchn_find_free(d, &ch);
	if (found > 0) {
		evtchn_bind(ch, as);
		*port = found;
	}
	pthread_mutex_unlock(&d->evtchn->lock);
	return found < 0 ? found : 0;
}

int evtchn_alloc_unbound(struct domain *d, evtchn_port_t *port)
{
	return evtchn_alloc(d, &(struct evtchn_port){ .state = EVTCHN_UNBOUND }, port);
}

int evtchn_peer_bind(struct domain *d, evtchn_port_t port, int kick_fd, struct evtchn_peer **peer)
{
	struct evtchn_port *ch = evtchn_port(d, port);
	struct evtchn_peer *p;
	int err = 0;

	if (!ch)
		return -EINVAL;
	p = malloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	*p = (struct evtchn_peer){ .domain = d, .channel = ch, .port = port, .kick_fd = kick_fd };

	pthread_mutex_lock(&d->evtchn->lock);
	if (!evtchn_is_open(ch)) {
		err = -ENOENT;
	} else if (ch->state != EVTCHN_UNBOUND || ch->remote_dom != 0) {
		err = -EINVAL;
	} else {
		pthread_mutex_lock(&ch->lock);
		ch->state = EVTCHN_INTERDOMAIN;
		ch->remote_port = port;
		ch->peer = p;
		pthread_mutex_unlock(&ch->lock);
		if (kvm_doorbell(&d->kvm, kick_fd, port, true))
			pr_once(LOG_LEVEL_WARN,
				"KVM does not take doorbells, notifications are slower");
		else
			p->doorbell = true;
	}
	pthread_mutex_unlock(&d->evtchn->lock);
	if (err)
		free(p);
	else
		*peer = p;
	return err;
}

void evtchn_peer_notify(struct evtchn_peer *peer)
{
	struct evtchn_port *ch = peer->channel;

	pthread_mutex_lock(&ch->lock);
	if (ch->state == EVTCHN_INTERDOMAIN && ch->peer == peer)
		evtchn_set_pending(peer->domain->vcpu[ch->notify_vcpu], peer->port);
	pthread_mutex_unlock(&ch->lock);
}

/* Table lock held */
static void peer_stop_doorbell(struct evtchn_peer *peer)
{
	if (peer->doorbell)
		kvm_doorbell(&peer->domain->kvm, peer->kick_fd, peer->port, false);
	peer->doorbell = false;
}

void evtchn_peer_unbind(struct evtchn_peer *peer)
{
	struct evtchn_port *ch = peer->channel;
	struct domain *d = peer->domain;

	pthread_mutex_lock(&d->evtchn->lock);
	peer_stop_doorbell(peer);
	if (ch->state == EVTCHN_INTERDOMAIN && ch->peer == peer) {
		pthread_mutex_lock(&ch->lock);
		ch->state = EVTCHN_UNBOUND;
		ch->peer = NULL;
		pthread_mutex_unlock(&ch->lock);
	}
	pthread_mutex_unlock(&d->evtchn->lock);
	free(peer);
}

/* Table lock held; @ch is in use */
static void close_locked(struct domain *d, struct evtchn_port *ch, evtchn_port_t port)
{
	struct evtchn_port *other = NULL;

	if (ch->state == EVTCHN_VIRQ)
		__atomic_store_n(&d->vcpu[evtchn_virq_vcpu(ch)]->abi->virq_port[ch->virq], 0,
				 __ATOMIC_RELAXED);
	if (ch->state == EVTCHN_INTERDOMAIN && !ch->peer)
		other = evtchn_port(d, ch->remote_port);
	if (ch->peer)
		peer_stop_doorbell(ch->peer);

	pthread_mutex_lock(&ch->lock);
	ch->state = EVTCHN_FREE;
	ch->peer = NULL;
	ch->notify_vcpu = 0;
	ch->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	/* The next owner must not see an event of this one. */
	evtchn_clear_pending(d, port);
	pthread_mutex_unlock(&ch->lock);
	if (port < d->evtchn->first_free)
		d->evtchn->first_free = port;

	if (other)
		evtchn_bind(other, &(struct evtchn_port){ .state = EVTCHN_UNBOUND,
							  .remote_dom = d->domid,
							  .notify_vcpu = other->notify_vcpu });
}

long evtchn_close(struct domain *d, evtchn_port_t port)
{
	struct evtchn_port *ch = evtchn_port(d, port);
	long err = 0;

	if (!ch)
		return -EINVAL;
	pthread_mutex_lock(&d->evtchn->lock);
	if (evtchn_is_open(ch))
		close_locked(d, ch, port);
	else
		err = -EINVAL;
	pthread_mutex_unlock(&d->evtchn->lock);
	return err;
}

void evtchn_reset(struct domain *d)
{
	struct evtchn_port *ch;

	pthread_mutex_lock(&d->evtchn->lock);
	for (evtchn_port_t port = 1; (ch = evtchn_port(d, port)); port++) {
		if (evtchn_is_open(ch))
			close_locked(d, ch, port);
	}
	evtchn_fifo_stop(d);
	pthread_mutex_unlock(&d->evtchn->lock);
}

void evtchn_raise(struct domain *d, evtchn_port_t port)
{
	struct evtchn_port *ch = evtchn_port(d, port);

	pthread_mutex_lock(&ch->lock);
	if (ch->state == EVTCHN_INTERDOMAIN && !ch->peer)
		evtchn_set_pending(d->vcpu[ch->notify_vcpu], port);
	pthread_mutex_unlock(&ch->lock);
}

long evtchn_guest_send(struct domain *d, evtchn_port_t port)
{
	struct evtchn_port *ch = evtchn_port(d, port);
	evtchn_port_t loop = 0;
	long err = 0;

	if (!ch)
		return -EINVAL;
	pthread_mutex_lock(&ch->lock);
	switch (ch->state) {
	case EVTCHN_INTERDOMAIN:
		if (!ch->peer)
			loop = ch->remote_port;
		else if (eventfd_write(ch->peer->kick_fd, 1))
			pr_once(LOG_LEVEL_WARN, "a back end's event descriptor takes no events");
		break;
	case EVTCHN_IPI:
		evtchn_set_pending(d->vcpu[ch->notify_vcpu], port);
		break;
	case EVTCHN_UNBOUND:
		break; /* Xen drops it without a word */
	default:
		err = -EINVAL;
	}
	pthread_mutex_unlock(&ch->lock);
	if (loop)
		evtchn_raise(d, loop);
	return err;
}

void evtchn_send_virq(struct vcpu *v, unsigned int virq)
{
	struct domain *d = v->domain;
	evtchn_port_t port;
	struct evtchn_port *ch;

	if (evtchn_virq_is_global(virq))
		v = d->vcpu[0];
	port = __atomic_load_n(&v->abi->virq_port[virq], __ATOMIC_RELAXED);
	if (!port)
		return;
	ch = evtchn_port(d, port);
	pthread_mutex_lock(&ch->lock);
	/* The port may have been closed and given to somebody else since. */
	if (ch->state == EVTCHN_VIRQ && ch->virq == virq)
		evtchn_set_pending(d->vcpu[ch->notify_vcpu], port);
	pthread_mutex_unlock(&ch->lock);
}
