// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "hv/domain.h"
#include "hv/evtchn.h"
#include "hv/evtchn_port.h"
#include "hv/hypercall.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"
#include "hv/xen/evtchn_fifo.h"

static long op_alloc_unbound(struct vcpu *v, void *arg)
{
	struct evtchn_alloc_unbound *op = arg;
	struct domain *d = v->domain;
	domid_t remote = op->remote_dom == DOMID_SELF ? d->domid : op->remote_dom;
	long err = hypercall_check_domid(d, op->dom);

	if (err)
		return err;
	return evtchn_alloc(d,
			    &(struct evtchn_port){ .state = EVTCHN_UNBOUND, .remote_dom = remote },
			    &op->port);
}

/* Both ends are ours: domain 0 allocates none for a guest to bind */
static long op_bind_interdomain(struct vcpu *v, void *arg)
{
	struct evtchn_bind_interdomain *op = arg;
	struct domain *d = v->domain;
	struct evtchn_port *local, *remote;
	long err = hypercall_check_domid(d, op->remote_dom);
	int port;

	if (err)
		return err == -EPERM ? -EINVAL : err;
	pthread_mutex_lock(&d->evtchn->lock);
	port = evtchn_find_free(d, &local);
	remote = evtchn_port(d, op->remote_port);
	if (port < 0) {
		err = port;
	} else if (!remote || remote->state != EVTCHN_UNBOUND || remote->remote_dom != d->domid) {
		err = -EINVAL;
	} else {
		evtchn_bind(local, &(struct evtchn_port){ .state = EVTCHN_INTERDOMAIN,
							  .remote_dom = d->domid,
							  .remote_port = op->remote_port });
		evtchn_bind(remote, &(struct evtchn_port){ .state = EVTCHN_INTERDOMAIN,
							   .notify_vcpu = remote->notify_vcpu,
							   .remote_dom = d->domid,
							   .remote_port = port });
		/* Sends on the unbound port were dropped; one event makes up for them. */
		evtchn_raise(d, port);
		op->local_port = port;
	}
	pthread_mutex_unlock(&d->evtchn->lock);
	return err;
}

static long op_bind_virq(struct vcpu *v, void *arg)
{
	struct evtchn_bind_virq *op = arg;
	struct domain *d = v->domain;
	struct evtchn_port *ch;
	evtchn_port_t *bound;
	int port;

	if (op->virq >= NR_VIRQS || (evtchn_virq_is_global(op->virq) && op->vcpu))
		return -EINVAL;
	if (op->vcpu >= d->nr_vcpus)
		return -ENOENT;
	bound = &d->vcpu[op->vcpu]->abi->virq_port[op->virq];

	pthread_mutex_lock(&d->evtchn->lock);
	port = *bound ? -EEXIST : evtchn_find_free(d, &ch);
	if (port > 0) {
		evtchn_bind(ch, &(struct evtchn_port){ .state = EVTCHN_VIRQ,
						       .notify_vcpu = op->vcpu,
						       .virq = op->virq });
		op->port = port;
		__atomic_store_n(bound, port, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&d->evtchn->lock);
	return port < 0 ? port : 0;
}

static long op_bind_ipi(struct vcpu *v, void *arg)
{
	struct evtchn_bind_ipi *op = arg;
	struct domain *d = v->domain;

	if (op->vcpu >= d->nr_vcpus)
		return -ENOENT;
	return evtchn_alloc(d,
			    &(struct evtchn_port){ .state = EVTCHN_IPI, .notify_vcpu = op->vcpu },
			    &op->port);
}

static long op_close(struct vcpu *v, void *arg)
{
	return evtchn_close(v->domain, ((struct evtchn_close *)arg)->port);
}

static long op_send(struct vcpu *v, void *arg)
{
	return evtchn_guest_send(v->domain, ((struct evtchn_send *)arg)->port);
}

static long op_status(struct vcpu *v, void *arg)
{
	struct evtchn_status *op = arg;
	struct domain *d = v->domain;
	long err = hypercall_check_domid(d, op->dom);
	struct evtchn_port *ch = evtchn_port(d, op->port);

	if (err)
		return err;
	if (!ch)
		return -EINVAL;
	pthread_mutex_lock(&ch->lock);
	switch (ch->state) {
	case EVTCHN_UNBOUND:
		op->status = EVTCHNSTAT_unbound;
		op->u.unbound.dom = ch->remote_dom;
		break;
	case EVTCHN_INTERDOMAIN:
		op->status = EVTCHNSTAT_interdomain;
		op->u.interdomain.dom = ch->remote_dom;
		op->u.interdomain.port = ch->remote_port;
		break;
	case EVTCHN_VIRQ:
		op->status = EVTCHNSTAT_virq;
		op->u.virq = ch->virq;
		break;
	case EVTCHN_IPI:
		op->status = EVTCHNSTAT_ipi;
		break;
	default:
		op->status = EVTCHNSTAT_closed;
	}
	op->vcpu = ch->notify_vcpu;
	pthread_mutex_unlock(&ch->lock);
	return 0;
}

static bool may_move(const struct evtchn_port *ch)
{
	return ch->state == EVTCHN_UNBOUND || ch->state == EVTCHN_INTERDOMAIN ||
	       (ch->state == EVTCHN_VIRQ && evtchn_virq_is_global(ch->virq));
}

static long op_bind_vcpu(struct vcpu *v, void *arg)
{
	struct evtchn_bind_vcpu *op = arg;
	struct domain *d = v->domain;
	struct evtchn_port *ch = evtchn_port(d, op->port);
	long err = 0;

	if (op->vcpu >= d->nr_vcpus)
		return -ENOENT;
	if (!ch)
		return -EINVAL;
	pthread_mutex_lock(&d->evtchn->lock);
	pthread_mutex_lock(&ch->lock);
	if (may_move(ch))
		ch->notify_vcpu = op->vcpu;
	else
		err = -EINVAL;
	pthread_mutex_unlock(&ch->lock);
	pthread_mutex_unlock(&d->evtchn->lock);
	return err;
}

static long op_unmask(struct vcpu *v, void *arg)
{
	struct evtchn_unmask *op = arg;
	struct evtchn_port *ch = evtchn_port(v->domain, op->port);

	if (!ch)
		return -EINVAL;
	pthread_mutex_lock(&ch->lock);
	if (evtchn_is_open(ch))
		evtchn_clear_mask(v->domain->vcpu[ch->notify_vcpu], op->port);
	pthread_mutex_unlock(&ch->lock);
	return 0;
}

static long op_reset(struct vcpu *v, void *arg)
{
	struct evtchn_reset *op = arg;
	struct domain *d = v->domain;
	long err = hypercall_check_domid(d, op->dom);

	if (err)
		return err;
	evtchn_reset(d);
	return 0;
}

#define OP_BY(fn, n, ...) \
	[EVTCHNOP_##n] = { #n, fn, HYPERCALL_SUBOP_SIZE(struct evtchn_##n), __VA_ARGS__ }
#define OP(n, ...) OP_BY(op_##n, n, __VA_ARGS__)

static const struct hypercall_subop ops[] = {
	OP(alloc_unbound, .out = true),
	OP(bind_interdomain, .out = true),
	OP(bind_virq, .out = true),
	OP(bind_ipi, .out = true),
	OP(close),
	OP(send),
	OP(status, .out = true),
	OP(bind_vcpu),
	OP(unmask),
	OP(reset),
	OP_BY(evtchn_fifo_init_control, init_control, .out = true),
	OP_BY(evtchn_fifo_expand_array, expand_array),
	OP_BY(evtchn_fifo_set_priority, set_priority),
};

long evtchn_op(struct vcpu *v, const uint64_t *arg)
{
	return hypercall_subop(v, __HYPERVISOR_event_channel_op, ops, ARRAY_SIZE(ops),
			       (uint32_t)arg[0], arg[1]);
}
