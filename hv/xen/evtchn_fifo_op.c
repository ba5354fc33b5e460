// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include <urcu-bp.h>

#include "hv/domain.h"
#include "hv/evtchn.h"
#include "hv/evtchn_port.h"
#include "hv/mem.h"
#include "hv/vcpu.h"
#include "hv/xen/evtchn_fifo.h"

/* Take what is pending in the 2-level bits; port lock held */
static bool take_pending(struct domain *d, evtchn_port_t port)
{
	xen_ulong_t bit = 1UL << port % 64, was;
	struct shared_info *si;

	rcu_read_lock();
	si = rcu_dereference(d->shared_info.va);
	was = __atomic_fetch_and(&si->evtchn_pending[port / 64], ~bit, __ATOMIC_SEQ_CST);
	rcu_read_unlock();
	return was & bit;
}

/* Senders look for the queues in an RCU read-side section; table lock held */
static void switch_to_fifo(struct domain *d, struct evtchn_fifo *fifo)
{
	struct evtchn_port *ch;

	rcu_assign_pointer(d->evtchn->fifo, fifo);
	/* After this nobody sets 2-level bits any more; those that are set are owed. */
	synchronize_rcu();
	for (evtchn_port_t port = 1; port < EVTCHN_2L_NR_CHANNELS; port++) {
		ch = evtchn_port(d, port);
		if (!ch)
			break;
		pthread_mutex_lock(&ch->lock);
		ch->owed |= take_pending(d, port);
		pthread_mutex_unlock(&ch->lock);
	}
}

long evtchn_fifo_init_control(struct vcpu *v, void *arg)
{
	struct evtchn_init_control *op = arg;
	struct domain *d = v->domain;
	struct evtchn_fifo *fifo;
	uint8_t *page;
	long err = -ENOMEM;

	if (op->vcpu >= d->nr_vcpus)
		return -ENOENT;
	page = mem_page(d, op->control_gfn);
	if (!page || op->offset % sizeof(uint64_t) ||
	    op->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block))
		return -EINVAL;
	op->link_bits = EVTCHN_FIFO_LINK_BITS;

	pthread_mutex_lock(&d->evtchn->lock);
	fifo = d->evtchn->fifo ? d->evtchn->fifo : evtchn_fifo_create();
	if (fifo)
		err = evtchn_fifo_set_control(fifo, op->vcpu, page + op->offset);
	if (fifo && !d->evtchn->fifo)
		switch_to_fifo(d, fifo);
	pthread_mutex_unlock(&d->evtchn->lock);
	return err;
}

/* Table lock held */
static void raise_owed(struct domain *d, evtchn_port_t port)
{
	struct evtchn_port *ch = evtchn_port(d, port);

	pthread_mutex_lock(&ch->lock);
	if (ch->owed) {
		ch->owed = false;
		evtchn_set_pending(d->vcpu[ch->notify_vcpu], port);
	}
	pthread_mutex_unlock(&ch->lock);
}

long evtchn_fifo_expand_array(struct vcpu *v, void *arg)
{
	struct evtchn_expand_array *op = arg;
	struct domain *d = v->domain;
	void *page = mem_page(d, op->array_gfn);
	struct evtchn_fifo *fifo;
	evtchn_port_t port;
	long err;

	pthread_mutex_lock(&d->evtchn->lock);
	fifo = d->evtchn->fifo;
	if (!fifo) {
		err = -EOPNOTSUPP;
	} else if (!page) {
		err = -EINVAL;
	} else {
		port = evtchn_fifo_nr_words(fifo);
		err = evtchn_fifo_add_page(fifo, page);
		for (; port < evtchn_fifo_nr_words(fifo) && evtchn_port(d, port); port++)
			raise_owed(d, port);
	}
	pthread_mutex_unlock(&d->evtchn->lock);
	return err;
}

long evtchn_fifo_set_priority(struct vcpu *v, void *arg)
{
	struct evtchn_set_priority *op = arg;
	struct domain *d = v->domain;
	struct evtchn_port *ch = evtchn_port(d, op->port);
	long err = 0;

	if (!ch)
		return -EINVAL;
	pthread_mutex_lock(&d->evtchn->lock);
	pthread_mutex_lock(&ch->lock);
	if (!d->evtchn->fifo)
		err = -ENOSYS;
	else if (!evtchn_is_open(ch))
		err = -EACCES;
	else if (op->priority > EVTCHN_FIFO_PRIORITY_MIN)
		err = -EINVAL;
	else
		ch->priority = op->priority; /* for the next event */
	pthread_mutex_unlock(&ch->lock);
	pthread_mutex_unlock(&d->evtchn->lock);
	return err;
}

void evtchn_fifo_stop(struct domain *d)
{
	struct evtchn_fifo *fifo = d->evtchn->fifo;

	rcu_assign_pointer(d->evtchn->fifo, NULL);
	if (fifo)
		synchronize_rcu();
	evtchn_fifo_destroy(fifo);
}
