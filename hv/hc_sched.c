// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "hv/domain.h"
#include "hv/domain_abi.h"
#include "hv/evtchn.h"
#include "hv/evtchn_port.h"
#include "hv/hypercall.h"
#include "hv/hypercalls.h"
#include "hv/log.h"
#include "hv/timer.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"

#include <xen-public/sched.h>

#define POLL_PORTS_MAX 128
/*
 * While we poll for a vCPU, interrupts that other vCPUs send it through KVM are noticed this late
 */
#define POLL_SLICE_NS 2000000ULL
#define X86_EFLAGS_IF 0x200
#define APIC_IRR 0x200

static long op_yield(struct vcpu *v, void *arg)
{
	(void)v;
	(void)arg;
	sched_yield();
	return 0;
}

static long op_shutdown(struct vcpu *v, void *arg)
{
	struct sched_shutdown *op = arg;
	uint8_t reason = op->reason;

	if (reason == SHUTDOWN_suspend)
		return 1; /* what a guest is told whose suspension is cancelled: go on */
	domain_shutdown(v->domain, reason);
	return 0;
}

static bool lapic_has_interrupt(struct vcpu *v)
{
	struct kvm_lapic_state lapic;

	if (ioctl(v->fd, KVM_GET_LAPIC, &lapic))
		return false;
	for (unsigned int i = 0; i < 8; i++) {
		if (*(uint32_t *)(void *)&lapic.regs[APIC_IRR + i * 16])
			return true;
	}
	return false;
}

static bool interrupts_enabled(const struct vcpu *v)
{
	return v->run->s.regs.regs.rflags & X86_EFLAGS_IF;
}

/* True if there is an interrupt that the vCPU would take if it ran; Xen ends a poll for it, too */
static bool interrupt_waits(struct vcpu *v)
{
	return interrupts_enabled(v) && (evtchn_upcall_pending(v) || lapic_has_interrupt(v));
}

/* Announce a wait in user space first, look afterwards: an event in between is seen or wakes us */
static void wait_begin(struct vcpu *v)
{
	pthread_mutex_lock(&v->abi->wait_lock);
	v->abi->woken = false;
	pthread_mutex_unlock(&v->abi->wait_lock);
	__atomic_fetch_or(&v->domain->abi->pollers, 1u << v->id, __ATOMIC_SEQ_CST);
}

static void wait_end(struct vcpu *v)
{
	__atomic_fetch_and(&v->domain->abi->pollers, ~(1u << v->id), __ATOMIC_SEQ_CST);
}

/* False also for a kick: somebody waits for this thread, and the guest will ask again */
static bool may_wait(struct vcpu *v)
{
	return !domain_stopping(v->domain) &&
	       !__atomic_load_n(&v->run->immediate_exit, __ATOMIC_ACQUIRE);
}

/*
 * KVM wakes a halted vCPU for an upcall like for any interrupt, but only if it can take one.
 * Otherwise the wait is here, and the guest goes on after the call with interrupts off.
 */
static long op_block(struct vcpu *v, void *arg)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_HALTED };

	(void)arg;
	evtchn_unmask_upcall(v);
	if (interrupts_enabled(v)) {
		if (evtchn_upcall_pending(v))
			return 0;
		return ioctl(v->fd, KVM_SET_MP_STATE, &state) ? -errno : 0;
	}
	wait_begin(v);
	while (may_wait(v) && !evtchn_upcall_pending(v) && !lapic_has_interrupt(v) &&
	       !vcpu_wait(v, POLL_SLICE_NS))
		;
	wait_end(v);
	return 0;
}

static bool is_open(struct domain *d, evtchn_port_t port)
{
	struct evtchn_port *ch = evtchn_port(d, port);
	bool open = false;

	if (ch) {
		pthread_mutex_lock(&ch->lock);
		open = evtchn_is_open(ch);
		pthread_mutex_unlock(&ch->lock);
	}
	return open;
}

/* 1 if one of the ports is pending, 0 if none is, or -errno */
static long any_pending(struct vcpu *v, const evtchn_port_t *port, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (!is_open(v->domain, port[i]))
			return -EINVAL;
		if (evtchn_is_pending(v->domain, port[i]))
			return 1;
	}
	return 0;
}

static void poll_ports(struct vcpu *v, const evtchn_port_t *port, unsigned int nr, uint64_t timeout)
{
	while (may_wait(v)) {
		uint64_t now = timer_now(v->domain), ns = POLL_SLICE_NS;

		if (timeout && timeout <= now)
			return;
		if (timeout && timeout - now < ns)
			ns = timeout - now;
		if (vcpu_wait(v, ns) || any_pending(v, port, nr) || interrupt_waits(v))
			return;
	}
}

long sched_poll(struct vcpu *v, void *arg)
{
	struct sched_poll *op = arg;
	evtchn_port_t port[POLL_PORTS_MAX];
	long ret;

	if (op->nr_ports > POLL_PORTS_MAX)
		return -EINVAL;
	if (mem_read_gva(v, port, (uintptr_t)op->ports.p, op->nr_ports * sizeof(*port)))
		return -EFAULT;
	wait_begin(v);
	ret = interrupt_waits(v) ? 1 : any_pending(v, port, op->nr_ports);
	if (!ret)
		poll_ports(v, port, op->nr_ports, op->timeout);
	wait_end(v);
	return ret < 0 ? ret : 0;
}

#define OP(n, size) [SCHEDOP_##n] = { #n, op_##n, size }

static const struct hypercall_subop ops[] = {
	OP(yield, 0),
	OP(block, 0),
	OP(shutdown, HYPERCALL_SUBOP_SIZE(struct sched_shutdown)),
	[SCHEDOP_poll] = { "poll", sched_poll, HYPERCALL_SUBOP_SIZE(struct sched_poll) },
};

long hc_sched_op(struct vcpu *v, const uint64_t *arg)
{
	return hypercall_subop(v, __HYPERVISOR_sched_op, ops, ARRAY_SIZE(ops), (uint32_t)arg[0],
			       arg[1]);
}
