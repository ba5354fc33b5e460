// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

#define MSEC 1000000ull

static struct vcpu_time_info time_info;
static struct vcpu_runstate_info runstate;

static void clocks(void)
{
	struct vcpu_register_time_memory_area a;
	volatile struct vcpu_time_info *ti = &shared.vcpu_info[0].time;
	struct xen_hvm_get_time xen;
	uint64_t before, after;

	check_true("vcpu_time_info: in shared_info", ti->tsc_to_system_mul && !(ti->version & 1));
	check_true("vcpu_time_info: stable", ti->flags & XEN_PVCLOCK_TSC_STABLE_BIT);
	before = now_ns(ti);
	hvm_op(HVMOP_get_time, &xen);
	after = now_ns(ti);
	check_true("vcpu_time_info: agrees with the hypervisor",
		   xen.now >= before && xen.now <= after);

	a.addr.v = &time_info;
	check("register_vcpu_time_memory_area",
	      vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &a), 0);
	check_true("register_vcpu_time_memory_area: filled",
		   time_info.tsc_to_system_mul == ti->tsc_to_system_mul);
	a.addr.v = NULL;
	check("register_vcpu_time_memory_area: none",
	      vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &a), 0);
	a.addr.v = (void *)UNMAPPED;
	check("register_vcpu_time_memory_area: bad address",
	      vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &a), -XEN_EFAULT);
}

static uint64_t all_times(const struct vcpu_runstate_info *info)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(info->time); i++)
		sum += info->time[i];
	return sum;
}

static void sleep_until(uint64_t deadline)
{
	evtchn_port_t port = bind_timer();

	consume();
	hypercall(__HYPERVISOR_set_timer_op, deadline, 0, 0);
	sti();
	hypercall(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0);
	cli();
	close_port(port);
	consume();
}

/* KVM, if it counts, takes halted time for running */
static void sleeping(void)
{
	struct vcpu_runstate_info before, after;
	unsigned int slept = transport == BY_PORT ? RUNSTATE_blocked : RUNSTATE_running;

	vcpu_op(VCPUOP_get_runstate_info, 0, &before);
	sleep_until(now_ns(&shared.vcpu_info[0].time) + 50 * MSEC);
	vcpu_op(VCPUOP_get_runstate_info, 0, &after);
	check_true("get_runstate_info: 50 ms of sleep",
		   after.time[slept] - before.time[slept] > 40 * MSEC);
	check("get_runstate_info: awake", after.state, RUNSTATE_running);
	check("get_runstate_info: never offline", after.time[RUNSTATE_offline], 0);
	check("get_runstate_info: the times add up", all_times(&after), after.state_entry_time);
	vcpu_op(VCPUOP_get_runstate_info, 1, &after);
	check("get_runstate_info: not started yet", after.state, RUNSTATE_offline);
	check("get_runstate_info: offline from the beginning", after.time[RUNSTATE_offline],
	      after.state_entry_time);
}

static void runstates(void)
{
	struct vcpu_register_runstate_memory_area a;
	struct vcpu_runstate_info info = { 0 };
	uint64_t entry;

	a.addr.v = &runstate;
	check("register_runstate_memory_area", vcpu_op(VCPUOP_register_runstate_memory_area, 0, &a),
	      0);
	check("register_runstate_memory_area: running", runstate.state, RUNSTATE_running);
	check_true("register_runstate_memory_area: has times", runstate.state_entry_time);
	memcpy(&info, &runstate, sizeof(info));
	check("register_runstate_memory_area: the times add up", all_times(&info),
	      info.state_entry_time);
	entry = *(volatile uint64_t *)&runstate.state_entry_time;
	check("get_runstate_info", vcpu_op(VCPUOP_get_runstate_info, 0, &info), 0);
	check_true("get_runstate_info: goes on", info.state_entry_time >= entry);
	sleeping();
	a.addr.v = NULL;
	check("register_runstate_memory_area: none",
	      vcpu_op(VCPUOP_register_runstate_memory_area, 0, &a), 0);
	a.addr.v = (void *)UNMAPPED;
	check("register_runstate_memory_area: bad address",
	      vcpu_op(VCPUOP_register_runstate_memory_area, 0, &a), -XEN_EFAULT);
}

static void timers(void)
{
	volatile struct vcpu_time_info *ti = &shared.vcpu_info[0].time;
	struct vcpu_set_singleshot_timer s = { .flags = VCPU_SSHOTTMR_future, .timeout_abs_ns = 1 };
	struct vcpu_set_periodic_timer p = { .period_ns = 5 * MSEC };
	evtchn_port_t port = bind_timer();
	unsigned int seen;

	check_true("bind_virq: timer", port);
	check("set_singleshot_timer: in the past", vcpu_op(VCPUOP_set_singleshot_timer, 0, &s),
	      -XEN_ETIME);
	consume();
	seen = upcalls;
	s = (struct vcpu_set_singleshot_timer){ .timeout_abs_ns = now_ns(ti) + 5 * MSEC };
	check("set_singleshot_timer", vcpu_op(VCPUOP_set_singleshot_timer, 0, &s), 0);
	check_true("set_singleshot_timer: fires", wait_upcalls(seen) && port_pending(port));
	check_true("set_singleshot_timer: not early", now_ns(ti) >= s.timeout_abs_ns);
	consume();
	seen = upcalls;
	s.timeout_abs_ns = 1;
	vcpu_op(VCPUOP_set_singleshot_timer, 0, &s);
	check_true("set_singleshot_timer: past deadline fires at once", port_pending(port));
	wait_upcalls(seen);
	consume();
	s.timeout_abs_ns = now_ns(ti) + 20 * MSEC;
	vcpu_op(VCPUOP_set_singleshot_timer, 0, &s);
	check("stop_singleshot_timer", vcpu_op(VCPUOP_stop_singleshot_timer, 0, 0), 0);
	while (now_ns(ti) < s.timeout_abs_ns + 20 * MSEC)
		;
	check_true("stop_singleshot_timer: does not fire", !port_pending(port));
	consume();
	seen = upcalls;
	s.timeout_abs_ns = now_ns(ti) + 10 * MSEC;
	vcpu_op(VCPUOP_set_singleshot_timer, 0, &s);
	s.timeout_abs_ns += 40 * MSEC;
	check("set_singleshot_timer: again", vcpu_op(VCPUOP_set_singleshot_timer, 0, &s), 0);
	check_true("set_singleshot_timer: again, the later deadline holds",
		   wait_upcalls(seen) && now_ns(ti) >= s.timeout_abs_ns);
	consume();
	check("set_singleshot_timer: another vCPU's", vcpu_op(VCPUOP_set_singleshot_timer, 1, &s),
	      -XEN_EINVAL);

	for (unsigned int i = 0, fired = 0; i < 3; i++) {
		if (!i)
			check("set_periodic_timer", vcpu_op(VCPUOP_set_periodic_timer, 0, &p), 0);
		seen = upcalls;
		fired += wait_upcalls(seen);
		consume();
		if (i == 2)
			check("set_periodic_timer: fires", fired, 3);
	}
	check("stop_periodic_timer", vcpu_op(VCPUOP_stop_periodic_timer, 0, 0), 0);
	p.period_ns = MSEC - 1;
	check("set_periodic_timer: too short", vcpu_op(VCPUOP_set_periodic_timer, 0, &p),
	      -XEN_EINVAL);

	consume();
	seen = upcalls;
	check("set_timer_op", hypercall(__HYPERVISOR_set_timer_op, now_ns(ti) + MSEC, 0, 0), 0);
	check_true("set_timer_op: fires", wait_upcalls(seen) && port_pending(port));
	check("set_timer_op: stop", hypercall(__HYPERVISOR_set_timer_op, 0, 0, 0), 0);
	close_port(port);
	consume();
}

/* Moves vCPU 1's vcpu_info; it is not running yet */
static void vcpu_info(void)
{
	volatile struct vcpu_info *vi = (void *)(scratch[2] + 128);
	struct vcpu_register_vcpu_info r = { .mfn = GFN(scratch[2]), .offset = PAGE_SIZE - 60 };

	check("register_vcpu_info: leaves the page", vcpu_op(VCPUOP_register_vcpu_info, 1, &r),
	      -XEN_ENXIO);
	r.offset = 4;
	check("register_vcpu_info: unaligned", vcpu_op(VCPUOP_register_vcpu_info, 1, &r),
	      -XEN_ENXIO);
	r = (struct vcpu_register_vcpu_info){ .mfn = NOT_RAM / PAGE_SIZE };
	check("register_vcpu_info: no RAM", vcpu_op(VCPUOP_register_vcpu_info, 1, &r), -XEN_EINVAL);
	r = (struct vcpu_register_vcpu_info){ .mfn = GFN(scratch[2]), .offset = 128 };
	check("register_vcpu_info: no such vCPU", vcpu_op(VCPUOP_register_vcpu_info, 99, &r),
	      -XEN_ENOENT);
	check("register_vcpu_info", vcpu_op(VCPUOP_register_vcpu_info, 1, &r), 0);
	check_true("register_vcpu_info: everything is pending",
		   vi->evtchn_upcall_pending && vi->evtchn_pending_sel == ~0ul);
	check_true("register_vcpu_info: has the time", vi->time.tsc_to_system_mul);
	check("register_vcpu_info: twice", vcpu_op(VCPUOP_register_vcpu_info, 1, &r), -XEN_EINVAL);
}

void test_vcpu(void)
{
	static const struct {
		const char *name;
		unsigned int cmd;
	} ops[] = {
		{ "get_runstate_info: bad pointer", VCPUOP_get_runstate_info },
		{ "register_runstate_memory_area: bad pointer",
		  VCPUOP_register_runstate_memory_area },
		{ "register_vcpu_time_memory_area: bad pointer",
		  VCPUOP_register_vcpu_time_memory_area },
		{ "register_vcpu_info: bad pointer", VCPUOP_register_vcpu_info },
		{ "set_periodic_timer: bad pointer", VCPUOP_set_periodic_timer },
		{ "set_singleshot_timer: bad pointer", VCPUOP_set_singleshot_timer },
	};

	clocks();
	timers();
	runstates();
	vcpu_info();
	check("vcpu_op: no such vCPU", vcpu_op(VCPUOP_get_runstate_info, 99, scratch[0]),
	      -XEN_ENOENT);
	check("vcpu_op: unknown command", vcpu_op(99, 0, scratch[0]), -XEN_ENOSYS);
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		check_bad_pointers(ops[i].name, __HYPERVISOR_vcpu_op, ops[i].cmd, 0);
}
