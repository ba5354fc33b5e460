// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "hv/domain.h"
#include "hv/evtchn.h"
#include "hv/hypercall.h"
#include "hv/hypercalls.h"
#include "hv/mem.h"
#include "hv/timer.h"
#include "hv/vcpu.h"
#include "hv/xen/runstate.h"
#include "hv/xen/vcpu_updown.h"

#include <xen-public/vcpu.h>

#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC 1000000000ULL
/* Xen's limits for deadlines and periods */
#define PERIOD_MAX (10 * 365 * 86400 * NSEC_PER_SEC)
#define TIMEOUT_MAX (1ULL << 50)

static long op_get_runstate_info(struct vcpu *caller, struct vcpu *v, gva_t arg)
{
	struct vcpu_runstate_info info;

	runstate_get(v, &info);
	return mem_write_gva(caller, arg, &info, sizeof(info));
}

static long op_register_runstate_memory_area(struct vcpu *caller, struct vcpu *v, gva_t arg)
{
	struct vcpu_register_runstate_memory_area op;

	if (mem_read_gva(caller, &op, arg, sizeof(op)))
		return -EFAULT;
	return runstate_register(caller, v, op.addr.p);
}

static long op_register_vcpu_time_memory_area(struct vcpu *caller, struct vcpu *v, gva_t arg)
{
	struct vcpu_register_time_memory_area op;

	if (mem_read_gva(caller, &op, arg, sizeof(op)))
		return -EFAULT;
	return runstate_register_time(caller, v, op.addr.p);
}

static long op_register_vcpu_info(struct vcpu *caller, struct vcpu *v, gva_t arg)
{
	struct vcpu_register_vcpu_info op;

	if (mem_read_gva(caller, &op, arg, sizeof(op)))
		return -EFAULT;
	return evtchn_register_vcpu_info(caller, v, op.mfn, op.offset);
}

static long op_set_periodic_timer(struct vcpu *caller, struct vcpu *v, gva_t arg)
{
	struct vcpu_set_periodic_timer op;

	if (mem_read_gva(caller, &op, arg, sizeof(op)))
		return -EFAULT;
	if (op.period_ns < NSEC_PER_MSEC || op.period_ns > PERIOD_MAX)
		return -EINVAL;
	return timer_set_periodic(v, op.period_ns);
}

static long op_stop_periodic_timer(struct vcpu *caller, struct vcpu *v, gva_t arg)
{
	(void)caller;
	(void)arg;
	timer_stop_periodic(v);
	return 0;
}

static long op_set_singleshot_timer(struct vcpu *caller, struct vcpu *v, gva_t arg)
{
	struct vcpu_set_singleshot_timer op;

	if (v != caller)
		return -EINVAL;
	if (mem_read_gva(caller, &op, arg, sizeof(op)))
		return -EFAULT;
	if ((op.flags & VCPU_SSHOTTMR_future) && op.timeout_abs_ns < timer_now(v->domain))
		return -ETIME;
	return timer_set_singleshot(v, op.timeout_abs_ns);
}

static long op_stop_singleshot_timer(struct vcpu *caller, struct vcpu *v, gva_t arg)
{
	(void)arg;
	if (v != caller)
		return -EINVAL;
	timer_stop_singleshot(v);
	return 0;
}

static long (*const ops[])(struct vcpu *caller, struct vcpu *v, gva_t arg) = {
	[VCPUOP_initialise] = vcpu_op_initialise,
	[VCPUOP_up] = vcpu_op_up,
	[VCPUOP_down] = vcpu_op_down,
	[VCPUOP_is_up] = vcpu_op_is_up,
	[VCPUOP_get_runstate_info] = op_get_runstate_info,
	[VCPUOP_register_runstate_memory_area] = op_register_runstate_memory_area,
	[VCPUOP_set_periodic_timer] = op_set_periodic_timer,
	[VCPUOP_stop_periodic_timer] = op_stop_periodic_timer,
	[VCPUOP_set_singleshot_timer] = op_set_singleshot_timer,
	[VCPUOP_stop_singleshot_timer] = op_stop_singleshot_timer,
	[VCPUOP_register_vcpu_info] = op_register_vcpu_info,
	[VCPUOP_register_vcpu_time_memory_area] = op_register_vcpu_time_memory_area,
};

long hc_vcpu_op(struct vcpu *v, const uint64_t *arg)
{
	uint32_t cmd = arg[0], id = arg[1];

	if (id >= v->domain->nr_vcpus)
		return -ENOENT;
	if (cmd >= ARRAY_SIZE(ops) || !ops[cmd])
		return hypercall_unserved(v->domain, __HYPERVISOR_vcpu_op, cmd);
	return ops[cmd](v, v->domain->vcpu[id], arg[2]);
}

long hc_set_timer_op(struct vcpu *v, const uint64_t *arg)
{
	uint64_t now = timer_now(v->domain);
	uint64_t deadline = arg[0];

	if (!deadline) {
		timer_stop_singleshot(v);
		return 0;
	}
	/*
	 * Deadlines that wrapped, or lie weeks ahead, are guests' arithmetic mistakes; Xen's cure
	 * is the same.
	 */
	if ((int64_t)deadline < 0 || (deadline > now && deadline - now >= TIMEOUT_MAX))
		deadline = now + 100 * NSEC_PER_MSEC;
	return timer_set_singleshot(v, deadline);
}
