// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Everything here is done on the vCPU's own thread: only there can its times be found, and KVM
 * takes the caller's.
 */
#include "hv/xen/runstate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "hv/domain.h"
#include "hv/domain_abi.h"
#include "hv/pagewalk.h"
#include "hv/timer.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"

/*
 * Steal time feeds a guest's scheduler statistics, which need no finer steps; each costs a system
 * call.
 */
#define REFRESH_NS 20000000ULL

/* From Linux 6.2 on; older headers lack them. */
enum {
	KVM_CONFIG_UPDATE_FLAG = 1 << 6,
	KVM_ATTR_UPDATE_FLAG = 0x5,
};

/** struct registration - an area as vcpu_call() passes it on; @gpa: GFN_NONE if it straddles pages */
struct registration {
	struct guest_area area;
	gpa_t gpa;
};

int runstate_state(struct vcpu *v)
{
	struct kvm_mp_state mp;

	if (ioctl(v->fd, KVM_GET_MP_STATE, &mp))
		return RUNSTATE_running;
	switch (mp.mp_state) {
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_INIT_RECEIVED:
		return RUNSTATE_offline;
	case KVM_MP_STATE_HALTED:
		return RUNSTATE_blocked;
	default:
		return RUNSTATE_running;
	}
}

/* ---- what Linux knows about the thread ---- */

/* Processor time and time spent waiting for a processor, ns; 0 where Linux does not count them */
static void thread_times(int fd, uint64_t *ran, uint64_t *waited)
{
	unsigned long long r, w;
	char text[96];
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

	*ran = *waited = 0;
	if (n <= 0)
		return;
	text[n] = '\0';
	if (sscanf(text, "%llu %llu", &r, &w) == 2) {
		*ran = r;
		*waited = w;
	}
}

/* Moves what is new of @counted out of @left into @time. The rest of it, if any, is due next time */
static void take(uint64_t *time, uint64_t counted, uint64_t *left)
{
	uint64_t ns = counted > *time ? counted - *time : 0;

	if (ns > *left)
		ns = *left;
	*time += ns;
	*left -= ns;
}

/*
 * Linux counts in ticks, and late. The times of all states add up to the time of the last change
 * nevertheless, as guests are promised.
 */
static void account_thread(struct vcpu *v, int state)
{
	struct vcpu_abi *abi = v->abi;
	struct vcpu_runstate_info *info = &abi->runstate;
	uint64_t now = timer_now(v->domain), left = now - info->state_entry_time;
	uint64_t ran, waited;

	if (abi->sched_fd < 0)
		abi->sched_fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	thread_times(abi->sched_fd, &ran, &waited);
	info->state = state;
	info->state_entry_time = now;
	if (info->state != RUNSTATE_offline) {
		take(&info->time[RUNSTATE_running], ran, &left);
		take(&info->time[RUNSTATE_runnable], waited, &left);
	}
	info->time[info->state == RUNSTATE_offline ? RUNSTATE_offline : RUNSTATE_blocked] += left;
}

/* ---- what KVM counts ---- */

static bool kvm_can_count(const struct domain *d)
{
	return d->transport == TRANSPORT_INTERCEPT && d->kvm.xen_caps & KVM_XEN_HVM_CONFIG_RUNSTATE;
}

static bool kvm_set(struct vcpu *v, struct kvm_xen_vcpu_attr attr)
{
	return !ioctl(v->fd, KVM_XEN_VCPU_SET_ATTR, &attr);
}

/* Without this KVM would take the time until the guest registered an area for stolen. */
static bool kvm_start_counting(struct vcpu *v)
{
	struct kvm_xen_hvm_attr wide = { .type = KVM_XEN_ATTR_TYPE_LONG_MODE, .u.long_mode = 1 };
	const uint64_t *time = v->abi->runstate.time;
	struct kvm_clock_data clock = { 0 };
	uint64_t rest;

	account_thread(v, runstate_state(v));
	rest = time[RUNSTATE_running] + time[RUNSTATE_runnable] + time[RUNSTATE_offline];
	if (ioctl(v->domain->kvm.vm_fd, KVM_XEN_HVM_SET_ATTR, &wide) ||
	    ioctl(v->domain->kvm.vm_fd, KVM_GET_CLOCK, &clock) || clock.clock < rest)
		return false;
	return kvm_set(v, (struct kvm_xen_vcpu_attr){
				  .type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
				  .u.runstate.state = RUNSTATE_running,
				  .u.runstate.state_entry_time = clock.clock,
				  .u.runstate.time_running = time[RUNSTATE_running],
				  .u.runstate.time_runnable = time[RUNSTATE_runnable],
				  .u.runstate.time_offline = time[RUNSTATE_offline],
				  .u.runstate.time_blocked = clock.clock - rest,
			  });
}

/* True if from now on KVM keeps the area at @gpa; GFN_NONE: none */
static bool kvm_take_area(struct vcpu *v, gpa_t gpa)
{
	struct kvm_xen_vcpu_attr attr = { .type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR };
	bool *counts = &v->abi->kvm_counts;

	if (!*counts && gpa != GFN_NONE && kvm_can_count(v->domain))
		*counts = kvm_start_counting(v);
	if (!*counts)
		return false;
	attr.u.gpa = gpa;
	if (kvm_set(v, attr))
		return gpa != GFN_NONE;
	/* KVM would go on trying. */
	attr.u.gpa = GFN_NONE;
	kvm_set(v, attr);
	return false;
}

static void account_kvm(struct vcpu *v, int state)
{
	struct vcpu_runstate_info *info = &v->abi->runstate;
	struct kvm_xen_vcpu_attr attr = { .type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT,
					  .u.runstate.state = state };

	kvm_set(v, attr); /* which brings the times up to date */
	attr.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA;
	if (ioctl(v->fd, KVM_XEN_VCPU_GET_ATTR, &attr))
		return;
	info->state = attr.u.runstate.state;
	info->state_entry_time = attr.u.runstate.state_entry_time;
	info->time[RUNSTATE_running] = attr.u.runstate.time_running;
	info->time[RUNSTATE_runnable] = attr.u.runstate.time_runnable;
	info->time[RUNSTATE_blocked] = attr.u.runstate.time_blocked;
	info->time[RUNSTATE_offline] = attr.u.runstate.time_offline;
}

/* ---- the guest's side ---- */

static void account(struct vcpu *v, int state)
{
	if (v->abi->kvm_counts)
		account_kvm(v, state);
	else
		account_thread(v, state);
}

static bool wants_update_flag(const struct domain *d)
{
	return __atomic_load_n(&d->abi->vm_assist, __ATOMIC_RELAXED) &
	       1ULL << VMASST_TYPE_runstate_update_flag;
}

/* Bring the area up to date */
static void publish(struct vcpu *v, int state)
{
	const struct guest_area *area = &v->abi->runstate_area;
	const size_t entry = offsetof(struct vcpu_runstate_info, state_entry_time);
	struct vcpu_runstate_info info;

	account(v, state);
	info = v->abi->runstate;
	v->abi->runstate_due = info.state_entry_time + REFRESH_NS;
	if (info.state == RUNSTATE_blocked)
		info.state = RUNSTATE_running; /* which it is when the guest can look */
	else if (info.state == RUNSTATE_offline)
		v->abi->runstate_due = 0;
	if (wants_update_flag(v->domain)) {
		/*
		 * Readers on other vCPUs retry while the flag is set; x86 keeps the stores in
		 * order.
		 */
		info.state_entry_time |= XEN_RUNSTATE_UPDATE;
		guest_area_write(area, entry, &info.state_entry_time,
				 sizeof(info.state_entry_time));
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
	guest_area_write(area, 0, &info, sizeof(info));
	if (info.state_entry_time & XEN_RUNSTATE_UPDATE) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		info.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
		guest_area_write(area, entry, &info.state_entry_time,
				 sizeof(info.state_entry_time));
	}
}

static long register_own(struct vcpu *v, void *arg)
{
	const struct registration *reg = arg;

	v->abi->runstate_area = (struct guest_area){ 0 };
	if (kvm_take_area(v, reg->gpa))
		return 0;
	v->abi->runstate_area = reg->area;
	if (guest_area_is_set(&reg->area))
		publish(v, runstate_state(v));
	return 0;
}

long runstate_register(struct vcpu *caller, struct vcpu *v, gva_t addr)
{
	const size_t size = sizeof(struct vcpu_runstate_info);
	struct registration reg = { .gpa = GFN_NONE };

	if (addr && guest_area_pin(caller, addr, size, &reg.area))
		return -EFAULT;
	if (addr && reg.area.part[0].len == size)
		pagewalk(v->domain, &caller->run->s.regs.sregs, addr, true, &reg.gpa);
	return vcpu_call(v, register_own, &reg);
}

long runstate_register_time(struct vcpu *caller, struct vcpu *v, gva_t addr)
{
	struct vcpu_time_info info = { 0 };
	struct guest_area area = { 0 };

	if (addr && guest_area_pin(caller, addr, sizeof(info), &area))
		return -EFAULT;
	/* It never changes, so nobody needs to know the area later. */
	pvclock_publish(v->domain, &info);
	guest_area_write(&area, 0, &info, sizeof(info));
	return 0;
}

static long get_own(struct vcpu *v, void *arg)
{
	account(v, runstate_state(v));
	*(struct vcpu_runstate_info *)arg = v->abi->runstate;
	return 0;
}

void runstate_get(struct vcpu *v, struct vcpu_runstate_info *info)
{
	vcpu_call(v, get_own, info);
}

/*
 * Within a hypercall of @v's: it runs. KVM is not asked, as it would act upon an INIT and a SIPI first, and the
 * registers of the hypercall's caller, which it is given next, would overwrite those to start with.
 */
void runstate_refresh(struct vcpu *v)
{
	if (guest_area_is_set(&v->abi->runstate_area) &&
	    timer_now(v->domain) >= v->abi->runstate_due)
		publish(v, RUNSTATE_running);
}

void runstate_assist(struct domain *d)
{
	struct kvm_xen_hvm_attr attr = { .type = KVM_ATTR_UPDATE_FLAG };

	/* A flag like the one this member is for. An older KVM always does it. */
	attr.u.long_mode = wants_update_flag(d);
	if (kvm_can_count(d) && d->kvm.xen_caps & KVM_CONFIG_UPDATE_FLAG)
		ioctl(d->kvm.vm_fd, KVM_XEN_HVM_SET_ATTR, &attr);
}
