// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

#define MSEC 1000000ull

/* No timeout: only the timer's event can end such a poll, masked or as an interrupt */
static void poll_and_timer(struct sched_poll *p)
{
	volatile struct vcpu_time_info *ti = &shared.vcpu_info[0].time;
	evtchn_port_t *polled = p->ports.p, quiet = *polled, timer = bind_timer();
	unsigned int seen = upcalls;
	uint64_t until = now_ns(ti) + 20 * MSEC;

	p->timeout = 0;
	set_mask(timer, true);
	*polled = timer;
	hypercall(__HYPERVISOR_set_timer_op, until, 0, 0);
	check("poll: a masked port", sched_op(SCHEDOP_poll, p), 0);
	check_true("poll: a masked port, until its event",
		   now_ns(ti) >= until && port_pending(timer));
	sti();
	__asm__ volatile("nop; nop");
	cli();
	check("poll: a masked port, no upcall", upcalls, seen);

	set_mask(timer, false);
	consume();
	*polled = quiet;
	until = now_ns(ti) + 20 * MSEC;
	hypercall(__HYPERVISOR_set_timer_op, until, 0, 0);
	sti();
	check("poll: another port's interrupt", sched_op(SCHEDOP_poll, p), 0);
	cli();
	check_true("poll: another port's interrupt ends it",
		   now_ns(ti) >= until && upcalls != seen && !port_pending(quiet));
	close_port(timer);
	consume();
}

static void poll(void)
{
	volatile struct vcpu_time_info *ti = &shared.vcpu_info[0].time;
	evtchn_port_t ports[2] = { bind_ipi(0) };
	struct sched_poll p = { .nr_ports = 1 };

	consume();
	p.ports.p = ports;
	set_mask(ports[0], true);
	if (transport != BY_PORT) {
		/* KVM's Xen support takes the call for a yield and never asks the hypervisor */
		check("poll: KVM yields", sched_op(SCHEDOP_poll, &p), 0);
		say("SKIP poll/until-the-timeout: KVM answers poll itself\n");
		set_mask(ports[0], false);
		close_port(ports[0]);
		return;
	}
	p.timeout = now_ns(ti) + 10 * MSEC;
	check("poll: until the timeout", sched_op(SCHEDOP_poll, &p), 0);
	check_true("poll: not early", now_ns(ti) >= p.timeout);
	p.timeout = 1;
	check("poll: timeout in the past", sched_op(SCHEDOP_poll, &p), 0);
	poll_and_timer(&p);
	send(ports[0]);
	check("poll: a pending port, no timeout", sched_op(SCHEDOP_poll, &p), 0);
	set_mask(ports[0], false);
	close_port(ports[0]);
	consume();

	check("poll: a free port", sched_op(SCHEDOP_poll, &p), -XEN_EINVAL);
	ports[0] = 4096;
	check("poll: wild port", sched_op(SCHEDOP_poll, &p), -XEN_EINVAL);
	p.nr_ports = 129;
	check("poll: too many ports", sched_op(SCHEDOP_poll, &p), -XEN_EINVAL);
	p.nr_ports = 1;
	p.ports.p = (void *)UNMAPPED;
	check("poll: bad pointer inside", sched_op(SCHEDOP_poll, &p), -XEN_EFAULT);
}

static bool interrupts_on(void)
{
	uint64_t flags;

	__asm__ volatile("pushf; pop %0" : "=r"(flags)::"memory");
	return flags & 0x200;
}

/* Sleeps until the timer's event, which is taken in the sleep or, with interrupts off, after it */
static void block(const char *name, const char *until_an_event, bool interrupts)
{
	volatile struct vcpu_time_info *ti = &shared.vcpu_info[0].time;
	struct evtchn_bind_virq b = { .virq = VIRQ_TIMER, .vcpu = 0 };
	unsigned int before, after;
	uint64_t until;
	bool on;

	evtchn_op(EVTCHNOP_bind_virq, &b);
	consume();
	before = upcalls;
	until = now_ns(ti) + 20 * MSEC;
	hypercall(__HYPERVISOR_set_timer_op, until, 0, 0);
	if (interrupts)
		sti();
	check(name, hypercall(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0), 0);
	on = interrupts_on();
	after = upcalls;
	cli();
	check_true(until_an_event, on == interrupts && now_ns(ti) >= until &&
					   (after != before) == interrupts && wait_upcalls(before));
	evtchn_op(EVTCHNOP_close, &(struct evtchn_close){ .port = b.port });
	consume();
}

void test_sched(void)
{
	struct sched_shutdown s = { .reason = SHUTDOWN_suspend };

	check("yield", hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0), 0);
	poll();
	block("block", "block: until an event", true);
	block("block: interrupts off", "block: interrupts off, until an event", false);
	check("shutdown: suspend", sched_op(SCHEDOP_shutdown, &s), 1);
	check("sched_op: unknown command", sched_op(99, &s), -XEN_ENOSYS);
	check_bad_pointers("shutdown: bad pointer", __HYPERVISOR_sched_op, SCHEDOP_shutdown, 0);
	if (transport == BY_PORT)
		check_bad_pointers("poll: bad pointer", __HYPERVISOR_sched_op, SCHEDOP_poll, 0);
}
