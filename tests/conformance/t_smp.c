// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

#define MSEC 1000000ull
/* test_vcpu() put it there */
#define ap_info ((volatile struct vcpu_info *)(scratch[2] + 128))

static evtchn_port_t to_ap, to_bsp;
static void (*volatile ap_job)(void);

/* vCPU 1 sleeps until it is given a job */
void ap_main(void)
{
	struct xen_hvm_evtchn_upcall_vector u = { .vcpu = 1, .vector = VECTOR_AP };

	machine_init_ap();
	hvm_op(HVMOP_set_evtchn_upcall_vector, &u);
	ap_is_up = true;
	for (;;) {
		while (!ap_job)
			__asm__ volatile("sti; hlt; cli" ::: "memory");
		ap_job();
		ap_job = NULL;
	}
}

void run_on_ap(void (*job)(void))
{
	ap_info->evtchn_pending_sel = 0;
	ap_info->evtchn_upcall_pending = 0;
	__atomic_fetch_and(&((struct shared_info *)shared_info_page)->evtchn_pending[to_ap / 64],
			   ~(1ul << to_ap % 64), __ATOMIC_SEQ_CST);
	ap_job = job;
	send(to_ap);
}

bool wait_for_ap(void)
{
	uint64_t start = rdtsc();

	while (ap_job && rdtsc() - start < PATIENCE)
		__asm__ volatile("pause");
	return !ap_job;
}

static void answer(void)
{
	send(to_bsp);
}

static void answer_late(void)
{
	volatile struct vcpu_time_info *ti = &shared.vcpu_info[0].time;
	uint64_t until = now_ns(ti) + 10 * MSEC;

	while (now_ns(ti) < until)
		__asm__ volatile("pause");
	send(to_bsp);
}

/* A poll that is under way when the event comes */
static void poll(void)
{
	struct sched_poll p = { .nr_ports = 1 };
	long ret;

	consume();
	set_mask(to_bsp, true);
	p.ports.p = &to_bsp;
	run_on_ap(answer_late);
	do
		ret = sched_op(SCHEDOP_poll, &p);
	while (transport != BY_PORT && !port_pending(to_bsp));
	check("second vCPU: poll", ret, 0);
	check_true("second vCPU: its event ends the poll", port_pending(to_bsp));
	check("second vCPU: masked, no upcall", shared.vcpu_info[0].evtchn_upcall_pending, 0);
	set_mask(to_bsp, false);
	wait_for_ap();
}

static volatile bool spin;

static void spinner(void)
{
	while (spin)
		__asm__ volatile("pause");
}

static bool ap_comes_to(int state)
{
	struct vcpu_runstate_info info;
	uint64_t start = rdtsc();

	do
		vcpu_op(VCPUOP_get_runstate_info, 1, &info);
	while (info.state != state && rdtsc() - start < PATIENCE);
	return info.state == state;
}

/* Two vCPUs that have work run or wait for a processor, and nothing else */
static void runstates(void)
{
	struct vcpu_runstate_info before, after;
	uint64_t busy, all;

	check_true("second vCPU: runstate, halted", ap_comes_to(RUNSTATE_blocked));
	spin = true;
	run_on_ap(spinner);
	check_true("second vCPU: runstate, at work", ap_comes_to(RUNSTATE_running));
	vcpu_op(VCPUOP_get_runstate_info, 0, &before);
	do {
		vcpu_op(VCPUOP_get_runstate_info, 0, &after);
		all = after.state_entry_time - before.state_entry_time;
	} while (all < 100 * MSEC);
	spin = false;
	busy = after.time[RUNSTATE_running] - before.time[RUNSTATE_running] +
	       after.time[RUNSTATE_runnable] - before.time[RUNSTATE_runnable];
	check_true("second vCPU: both busy, running or runnable", busy > all / 10 * 7);
	wait_for_ap();
}

void test_smp(void)
{
	struct vcpu_runstate_info info;
	unsigned int seen;

	vcpu_op(VCPUOP_get_runstate_info, 1, &info);
	check("second vCPU: runstate, not started", info.state, RUNSTATE_offline);
	to_ap = bind_ipi(1);
	to_bsp = bind_ipi(0);
	consume();
	start_ap();
	check_true("second vCPU: started", wait_for(&ap_is_up));
	seen = upcalls;
	run_on_ap(answer);
	check_true("second vCPU: answers", wait_upcalls(seen) && port_pending(to_bsp));
	check_true("second vCPU: in the vcpu_info it registered", ap_info->evtchn_upcall_pending);
	wait_for_ap();
	poll();
	runstates();
	consume();
}
