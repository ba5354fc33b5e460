// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

#include <xen-public/io/xs_wire.h>

static const evtchn_port_t wild[] = { 0, 100, 4095, 4096, 0x7fffffff, 0x80000000, 0xffffffff };

static long status_of(evtchn_port_t port)
{
	struct evtchn_status s = { .dom = DOMID_SELF, .port = port };
	long ret = evtchn_op(EVTCHNOP_status, &s);

	return ret ? ret : (long)s.status;
}

static void ipi(void)
{
	struct evtchn_bind_ipi b = { .vcpu = 0 };
	struct evtchn_unmask u;
	unsigned int seen;

	check("bind_ipi", evtchn_op(EVTCHNOP_bind_ipi, &b), 0);
	check("status: ipi", status_of(b.port), EVTCHNSTAT_ipi);
	consume();
	seen = upcalls;
	check("send: ipi", send(b.port), 0);
	check_true("send: the port is pending", port_pending(b.port));
	check_true("send: upcall to the vector", wait_upcalls(seen));
	seen = upcalls;
	check("send: again, not yet taken", send(b.port), 0);
	sti();
	hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	cli();
	check("send: one upcall until it is taken", upcalls, seen);

	consume();
	shared.evtchn_mask[b.port / 64] = 1ul << b.port % 64;
	send(b.port);
	check_true("send: masked, pending", port_pending(b.port));
	check("send: masked, no upcall", shared.vcpu_info[0].evtchn_upcall_pending, 0);
	seen = upcalls;
	u.port = b.port;
	check("unmask", evtchn_op(EVTCHNOP_unmask, &u), 0);
	check_true("unmask: upcall", wait_upcalls(seen));

	check("close: ipi", close_port(b.port), 0);
	check_true("close: takes the event back", !port_pending(b.port));
	check("status: closed", status_of(b.port), EVTCHNSTAT_closed);
	consume();
	b.vcpu = 99;
	check("bind_ipi: no such vCPU", evtchn_op(EVTCHNOP_bind_ipi, &b), -XEN_ENOENT);
}

/* Writes a question into the store's ring; true if the store answers once it is notified */
static bool store_answers(void (*notify)(evtchn_port_t port), evtchn_port_t port)
{
	static const char path[] = "domid";
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = HVM_PARAM_STORE_PFN };
	struct xsd_sockmsg msg = { .type = XS_READ, .len = sizeof(path) };
	volatile struct xenstore_domain_interface *ring;
	uint64_t start = rdtsc();
	XENSTORE_RING_IDX prod;
	bool answered;

	hvm_op(HVMOP_get_param, &p);
	ring = (void *)(p.value * PAGE_SIZE);
	prod = ring->req_prod;
	for (unsigned int i = 0; i < sizeof(msg) + sizeof(path); i++)
		ring->req[prod++ % XENSTORE_RING_SIZE] = i < sizeof(msg) ? ((char *)&msg)[i] :
									   path[i - sizeof(msg)];
	ring->req_prod = prod;
	notify(port);
	while (ring->rsp_prod - ring->rsp_cons <= sizeof(msg) && rdtsc() - start < PATIENCE)
		__asm__ volatile("pause");
	answered = ring->req_cons == prod && ring->rsp_prod - ring->rsp_cons > sizeof(msg);
	ring->rsp_cons = ring->rsp_prod;
	return answered;
}

static void send_to(evtchn_port_t port)
{
	send(port);
}

/* Events that leave the guest, as a back end of it waits for */
static void outbound(void)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = HVM_PARAM_STORE_EVTCHN };

	hvm_op(HVMOP_get_param, &p);
	consume();
	check_true("send: reaches a back end", store_answers(send_to, p.value));
	check_true("send: which sends one, too", port_pending(p.value));
	if (doorbell_port)
		check_true("doorbell: reaches a back end", store_answers(ring_doorbell, p.value));
	consume();
}

/* Paravane's own: an out instead of a hypercall, without a result */
static void doorbell(void)
{
	struct evtchn_bind_ipi b = { .vcpu = 0 };

	if (!doorbell_port)
		return;
	evtchn_op(EVTCHNOP_bind_ipi, &b);
	consume();
	ring_doorbell(b.port);
	check_true("doorbell: sends", port_pending(b.port));
	close_port(b.port);
	consume();
	for (unsigned int n = 0; n < ARRAY_SIZE(wild); n++)
		ring_doorbell(wild[n]);
	check("doorbell: wild ports change nothing", version_op(XENVER_version, 0), 4 << 16 | 17);
}

static void unbound_and_loopback(void)
{
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_bind_interdomain b = { .remote_dom = DOMID_SELF };
	struct evtchn_bind_vcpu m;

	check("alloc_unbound", evtchn_op(EVTCHNOP_alloc_unbound, &a), 0);
	check("status: unbound", status_of(a.port), EVTCHNSTAT_unbound);
	check("send: unbound is dropped", send(a.port), 0);
	m = (struct evtchn_bind_vcpu){ .port = a.port, .vcpu = 1 };
	check("bind_vcpu", evtchn_op(EVTCHNOP_bind_vcpu, &m), 0);
	b.remote_port = a.port;
	check("bind_interdomain: ourselves", evtchn_op(EVTCHNOP_bind_interdomain, &b), 0);
	check("status: interdomain", status_of(b.local_port), EVTCHNSTAT_interdomain);
	check_true("bind_interdomain: one event to be safe", port_pending(b.local_port));
	check("bind_interdomain: taken", evtchn_op(EVTCHNOP_bind_interdomain, &b), -XEN_EINVAL);
	consume();
	check("send: loopback", send(b.local_port), 0);
	check_true("send: the other end is pending",
		   port_pending(a.port) && !port_pending(b.local_port));
	check("send: on the vCPU it is bound to", shared.vcpu_info[1].evtchn_upcall_pending, 1);
	check("close: loopback", close_port(b.local_port), 0);
	check("close: the other end is unbound", status_of(a.port), EVTCHNSTAT_unbound);
	close_port(a.port);
	consume();

	m.vcpu = 99;
	check("bind_vcpu: no such vCPU", evtchn_op(EVTCHNOP_bind_vcpu, &m), -XEN_ENOENT);
	a.dom = 0;
	check("alloc_unbound: domain 0", evtchn_op(EVTCHNOP_alloc_unbound, &a), -XEN_EPERM);
	a.dom = 99;
	check("alloc_unbound: no such domain", evtchn_op(EVTCHNOP_alloc_unbound, &a), -XEN_ESRCH);
	b.remote_dom = 99;
	check("bind_interdomain: no such domain", evtchn_op(EVTCHNOP_bind_interdomain, &b),
	      -XEN_ESRCH);
	b = (struct evtchn_bind_interdomain){ .remote_dom = 0, .remote_port = 1 };
	check("bind_interdomain: not offered by domain 0", evtchn_op(EVTCHNOP_bind_interdomain, &b),
	      -XEN_EINVAL);
}

static void virq(void)
{
	struct evtchn_bind_virq b = { .virq = VIRQ_DEBUG, .vcpu = 1 };
	struct evtchn_bind_virq bad = { .virq = 99 };

	check("bind_virq", evtchn_op(EVTCHNOP_bind_virq, &b), 0);
	check("status: virq", status_of(b.port), EVTCHNSTAT_virq);
	check("bind_virq: twice", evtchn_op(EVTCHNOP_bind_virq, &b), -XEN_EEXIST);
	check("send: virq", send(b.port), -XEN_EINVAL);
	check("close: virq", close_port(b.port), 0);
	check("bind_virq: no such virq", evtchn_op(EVTCHNOP_bind_virq, &bad), -XEN_EINVAL);
	bad = (struct evtchn_bind_virq){ .virq = VIRQ_TIMER, .vcpu = 99 };
	check("bind_virq: no such vCPU", evtchn_op(EVTCHNOP_bind_virq, &bad), -XEN_ENOENT);
	bad = (struct evtchn_bind_virq){ .virq = VIRQ_CONSOLE, .vcpu = 1 };
	check("bind_virq: global, not on vCPU 0", evtchn_op(EVTCHNOP_bind_virq, &bad), -XEN_EINVAL);
}

static void wild_ports(void)
{
	static const struct {
		const char *name;
		unsigned int cmd;
	} ops[] = {
		{ "close: wild port", EVTCHNOP_close },
		{ "send: wild port", EVTCHNOP_send },
		{ "bind_vcpu: wild port", EVTCHNOP_bind_vcpu },
	};
	struct {
		evtchn_port_t port, vcpu;
	} arg = { 0, 0 };
	long got;

	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		got = -XEN_EINVAL;
		for (unsigned int n = 0; n < ARRAY_SIZE(wild) && got == -XEN_EINVAL; n++) {
			arg.port = wild[n];
			got = evtchn_op(ops[i].cmd, &arg);
		}
		check(ops[i].name, got, -XEN_EINVAL);
	}
	got = -XEN_EINVAL;
	for (unsigned int n = 2; n < ARRAY_SIZE(wild) && got == -XEN_EINVAL; n++) {
		arg.port = wild[n];
		got = evtchn_op(EVTCHNOP_unmask, &arg);
	}
	check("unmask: wild port", got, -XEN_EINVAL);
	got = -XEN_EINVAL;
	for (unsigned int n = 2; n < ARRAY_SIZE(wild) && got == -XEN_EINVAL; n++)
		got = status_of(wild[n]);
	check("status: wild port", got, -XEN_EINVAL);
	got = -XEN_EINVAL;
	for (unsigned int n = 0; n < ARRAY_SIZE(wild) && got == -XEN_EINVAL; n++) {
		struct evtchn_bind_interdomain b = { .remote_dom = DOMID_SELF,
						     .remote_port = wild[n] };

		got = evtchn_op(EVTCHNOP_bind_interdomain, &b);
	}
	check("bind_interdomain: wild port", got, -XEN_EINVAL);
}

void test_evtchn(void)
{
	static const struct {
		const char *name;
		unsigned int cmd;
	} ops[] = {
		{ "alloc_unbound: bad pointer", EVTCHNOP_alloc_unbound },
		{ "bind_interdomain: bad pointer", EVTCHNOP_bind_interdomain },
		{ "bind_virq: bad pointer", EVTCHNOP_bind_virq },
		{ "bind_ipi: bad pointer", EVTCHNOP_bind_ipi },
		{ "bind_vcpu: bad pointer", EVTCHNOP_bind_vcpu },
		{ "close: bad pointer", EVTCHNOP_close },
		{ "send: bad pointer", EVTCHNOP_send },
		{ "status: bad pointer", EVTCHNOP_status },
		{ "unmask: bad pointer", EVTCHNOP_unmask },
		{ "reset: bad pointer", EVTCHNOP_reset },
		{ "init_control: bad pointer", EVTCHNOP_init_control },
		{ "expand_array: bad pointer", EVTCHNOP_expand_array },
		{ "set_priority: bad pointer", EVTCHNOP_set_priority },
	};
	struct evtchn_status s = { .dom = 0, .port = 1 };
	struct evtchn_reset r = { .dom = 0 };

	ipi();
	doorbell();
	outbound();
	unbound_and_loopback();
	virq();
	wild_ports();
	check("status: domain 0", evtchn_op(EVTCHNOP_status, &s), -XEN_EPERM);
	s.dom = 99;
	check("status: no such domain", evtchn_op(EVTCHNOP_status, &s), -XEN_ESRCH);
	check("reset: domain 0", evtchn_op(EVTCHNOP_reset, &r), -XEN_EPERM);
	r.dom = 99;
	check("reset: no such domain", evtchn_op(EVTCHNOP_reset, &r), -XEN_ESRCH);
	check("event_channel_op: unknown command", evtchn_op(99, scratch[0]), -XEN_ENOSYS);
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		check_bad_pointers(ops[i].name, __HYPERVISOR_event_channel_op, ops[i].cmd, 0);
}
