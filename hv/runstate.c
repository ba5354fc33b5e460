// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "hv/domain.h"
#include "hv/domain_abi.h"
#include "hv/runstate.h"
#include "hv/timer.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"

/* Steal time feeds a guest's scheduler statistics; finer steps than a tick are of no use to it. */
#define REFRESH_NS 4000000ULL

/* The statistics can only be found by the thread itself; area lock held */
static void open_own_times(struct vcpu_abi *abi)
{
	if (abi->sched_fd < 0)
		abi->sched_fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

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

/* Area lock held */
static void account(struct vcpu *v)
{
	struct vcpu_abi *abi = v->abi;
	struct vcpu_runstate_info *info = &abi->runstate;
	uint64_t now = timer_now(v->domain);
	uint64_t ran, waited, rest;

	thread_times(abi->sched_fd, &ran, &waited);
	info->state = RUNSTATE_running;
	info->state_entry_time = now;
	if (ran > info->time[RUNSTATE_running])
		info->time[RUNSTATE_running] = ran;
	if (waited > info->time[RUNSTATE_runnable])
		info->time[RUNSTATE_runnable] = waited;
	rest = info->time[RUNSTATE_running] + info->time[RUNSTATE_runnable];
	if (now > rest && now - rest > info->time[RUNSTATE_blocked])
		info->time[RUNSTATE_blocked] = now - rest;
}

/* Bring the area up to date; when that is worth it again. Area lock held. */
static uint64_t publish(struct vcpu *v)
{
	const struct guest_area *area = &v->abi->runstate_area;
	uint64_t assist = __atomic_load_n(&v->domain->abi->vm_assist, __ATOMIC_RELAXED);
	const size_t entry = offsetof(struct vcpu_runstate_info, state_entry_time);
	struct vcpu_runstate_info info;

	account(v);
	info = v->abi->runstate;
	if (assist & 1ULL << VMASST_TYPE_runstate_update_flag) {
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
	return info.state_entry_time + REFRESH_NS;
}

long runstate_register(struct vcpu *caller, struct vcpu *v, gva_t addr)
{
	struct vcpu_abi *abi = v->abi;
	struct guest_area area = { 0 };
	uint64_t due = 0;

	if (addr && guest_area_pin(caller, addr, sizeof(struct vcpu_runstate_info), &area))
		return -EFAULT;
	pthread_mutex_lock(&abi->area_lock);
	abi->runstate_area = area;
	if (v == caller)
		open_own_times(abi);
	if (guest_area_is_set(&area))
		due = publish(v);
	__atomic_store_n(&abi->runstate_due, due, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&abi->area_lock);
	return 0;
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

void runstate_get(struct vcpu *v, struct vcpu_runstate_info *info)
{
	pthread_mutex_lock(&v->abi->area_lock);
	account(v);
	*info = v->abi->runstate;
	pthread_mutex_unlock(&v->abi->area_lock);
}

void runstate_refresh(struct vcpu *v)
{
	struct vcpu_abi *abi = v->abi;
	uint64_t due = __atomic_load_n(&abi->runstate_due, __ATOMIC_RELAXED);

	if (!due || timer_now(v->domain) < due)
		return;
	pthread_mutex_lock(&abi->area_lock);
	/* Another vCPU may have taken the area away since. */
	if (guest_area_is_set(&abi->runstate_area)) {
		open_own_times(abi);
		__atomic_store_n(&abi->runstate_due, publish(v), __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&abi->area_lock);
}
