// SPDX-License-Identifier: GPL-2.0-or-later
/* shared_info is moved while events come, timers run out and the other vCPU polls. */
#include "guest.h"

#define MSEC 1000000ull
#define ROUNDS 40
#define HOME GFN(shared_info_page)
#define AWAY GFN(scratch[0])

static evtchn_port_t port; /* to vCPU 0 */
static volatile unsigned int round, answered;
static volatile bool stop;
/* Its numbers never change; those in shared_info are written anew when it moves */
static struct vcpu_time_info clock;

static long move(unsigned long gfn)
{
	return place(DOMID_SELF, XENMAPSPACE_shared_info, 0, gfn);
}

static void elsewhere(void)
{
	volatile struct shared_info *outside = (void *)(OUTSIDE_RAM * PAGE_SIZE);
	evtchn_port_t timer;
	unsigned int seen;

	consume();
	move(OUTSIDE_RAM);
	seen = upcalls;
	check("moved: send", send(port), 0);
	check_true("moved: send, upcall", wait_upcalls(seen));
	check_true("moved: the event is where the page is",
		   outside->evtchn_pending[port / 64] >> port % 64 & 1 && !port_pending(port));
	move(HOME);
	check_true("moved: the event comes along", port_pending(port));

	consume();
	unplace(DOMID_SELF, HOME);
	seen = upcalls;
	check("nowhere: send", send(port), 0);
	move(HOME);
	check_true("nowhere: the event is kept", port_pending(port) && wait_upcalls(seen));

	consume();
	timer = bind_timer();
	unplace(DOMID_SELF, HOME);
	seen = upcalls;
	hypercall(__HYPERVISOR_set_timer_op, now_ns(&clock) + MSEC, 0, 0);
	for (uint64_t until = now_ns(&clock) + 20 * MSEC; now_ns(&clock) < until;)
		__asm__ volatile("pause");
	move(HOME);
	check_true("nowhere: so is a timer's", port_pending(timer) && wait_upcalls(seen));
	close_port(timer);
}

/* vCPU 1: an event in each round, by hypercall and by doorbell */
static void sender(void)
{
	while (answered < ROUNDS) {
		while (round == answered)
			__asm__ volatile("pause");
		if (round % 2 && doorbell_port)
			ring_doorbell(port);
		else
			send(port);
		answered++;
	}
}

static bool is_answered(void)
{
	uint64_t until = now_ns(&clock) + 2000 * MSEC;

	while (answered != round && now_ns(&clock) < until)
		__asm__ volatile("pause");
	return answered == round;
}

static void race_with_send(void)
{
	bool ok = true;

	consume();
	round = answered = 0;
	run_on_ap(sender);
	while (ok && round < ROUNDS) {
		unsigned int seen = upcalls;

		round++;
		move(AWAY);
		if (round % 3 == 0)
			unplace(DOMID_SELF, AWAY);
		move(HOME);
		ok = is_answered() && port_pending(port) && wait_upcalls(seen);
		consume();
	}
	check("race: no event is lost between two pages", round, ROUNDS);
	check_true("race: every round comes to its end", ok && wait_for_ap());
}

/* vCPU 1 */
static void mover(void)
{
	while (!stop) {
		move(AWAY);
		move(HOME);
	}
}

/* Both vCPUs ask something of each other: a poll may end early for that, and is repeated */
static void poll_until(evtchn_port_t which, uint64_t timeout, uint64_t until)
{
	struct sched_poll p = { .nr_ports = 1, .timeout = timeout };

	p.ports.p = &which;
	while (now_ns(&clock) < until)
		sched_op(SCHEDOP_poll, &p);
}

static void race_with_poll(void)
{
	evtchn_port_t timer = bind_timer();
	uint64_t until;
	long err;

	consume();
	set_mask(timer, true);
	set_mask(port, true);
	stop = false;
	run_on_ap(mover);
	until = now_ns(&clock) + 50 * MSEC;
	err = hypercall(__HYPERVISOR_set_timer_op, until, 0, 0);
	poll_until(timer, 0, until + 10 * MSEC);
	until = now_ns(&clock) + 50 * MSEC;
	poll_until(port, until, until);
	stop = true;
	check_true("race: polls end",
		   !err && wait_for_ap() && now_ns(&clock) < until + 2000 * MSEC);
	check_true("race: the timer's event is not lost", port_pending(timer));
	check_true("race: nor is there one that was not sent", !port_pending(port));
	set_mask(timer, false);
	set_mask(port, false);
	close_port(timer);
	consume();
}

void test_moves(void)
{
	memcpy(&clock, (void *)&shared.vcpu_info[0].time, sizeof(clock));
	port = bind_ipi(0);
	elsewhere();
	race_with_send();
	race_with_poll();
	close_port(port);
	consume();
}
