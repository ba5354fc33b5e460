// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One timerfd per vCPU, on the loop thread. It is armed for the earliest of the vCPU's deadlines by
 * whoever changes one, under the vCPU's timer lock.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <x86intrin.h>

#include "hv/domain.h"
#include "hv/evtchn.h"
#include "hv/loop.h"
#include "hv/pvclock.h"
#include "hv/timer.h"
#include "hv/vcpu.h"

#define NSEC_PER_SEC 1000000000ULL
#define UPCALL_RETRY_NS 10000000ULL

enum deadline { SINGLESHOT, PERIODIC, UPCALL_RETRY, NR_DEADLINES };

/**
 * struct vcpu_timer - a vCPU's deadlines
 * @source: the timerfd
 * @due: guest system time, 0 for none
 * @period: of the periodic timer, ns
 */
struct vcpu_timer {
	struct loop_source source;
	struct vcpu *vcpu;
	pthread_mutex_t lock;
	uint64_t due[NR_DEADLINES];
	uint64_t period;
};

/** struct timers - @tsc_offset: guest's TSC minus host's */
struct timers {
	struct pvclock clock;
	uint64_t tsc_offset;
	struct vcpu_timer timer[MAX_VCPUS];
};

static uint64_t guest_tsc(const struct timers *t)
{
	/*
	 * Not before what the program did before: a deadline just set must not look further away.
	 */
	_mm_lfence();
	return __rdtsc() + t->tsc_offset;
}

uint64_t timer_now(const struct domain *d)
{
	return pvclock_ns(&d->timers->clock, guest_tsc(d->timers));
}

/* The earliest deadline; lock held */
static uint64_t next_due(const struct vcpu_timer *t)
{
	uint64_t due = 0;

	for (unsigned int i = 0; i < NR_DEADLINES; i++) {
		if (t->due[i] && (!due || t->due[i] < due))
			due = t->due[i];
	}
	return due;
}

/* Lock held. The kernel counts in its own time, so what we pass is a distance. */
static int arm(struct vcpu_timer *t)
{
	uint64_t due = next_due(t), now;
	struct itimerspec when = { 0 };

	if (due) {
		now = timer_now(t->vcpu->domain);
		due = due > now ? due - now : 1; /* 0 would disarm */
		when.it_value.tv_sec = due / NSEC_PER_SEC;
		when.it_value.tv_nsec = due % NSEC_PER_SEC;
	}
	return timerfd_settime(t->source.fd, 0, &when, NULL) ? -errno : 0;
}

static int set_due(struct vcpu *v, enum deadline which, uint64_t due)
{
	struct vcpu_timer *t = &v->domain->timers->timer[v->id];
	int err;

	pthread_mutex_lock(&t->lock);
	t->due[which] = due;
	err = arm(t);
	pthread_mutex_unlock(&t->lock);
	return err;
}

/* Which deadlines are over, one bit each; sets the next ones. Lock held. */
static unsigned int take_due(struct vcpu_timer *t, uint64_t now)
{
	unsigned int over = 0;

	for (unsigned int i = 0; i < NR_DEADLINES; i++) {
		if (!t->due[i] || t->due[i] > now)
			continue;
		over |= 1u << i;
		/* Periods nobody could take are skipped, as the event bit could not count them. */
		t->due[i] = i == PERIODIC ? now + t->period - (now - t->due[i]) % t->period : 0;
	}
	return over;
}

static void timer_expired(struct loop_source *s, uint32_t events)
{
	struct vcpu_timer *t = container_of(s, struct vcpu_timer, source);
	unsigned int over;

	(void)events;
	pthread_mutex_lock(&t->lock);
	over = take_due(t, timer_now(t->vcpu->domain));
	if (next_due(t))
		arm(t);
	pthread_mutex_unlock(&t->lock);

	if (over & (1u << SINGLESHOT | 1u << PERIODIC))
		evtchn_send_virq(t->vcpu, VIRQ_TIMER);
	if (over & 1u << UPCALL_RETRY)
		evtchn_upcall_retry(t->vcpu);
}

int timer_set_singleshot(struct vcpu *v, uint64_t deadline)
{
	int err;

	if (deadline > timer_now(v->domain))
		return set_due(v, SINGLESHOT, deadline);
	err = set_due(v, SINGLESHOT, 0);
	if (!err)
		evtchn_send_virq(v, VIRQ_TIMER);
	return err;
}

int timer_set_periodic(struct vcpu *v, uint64_t period)
{
	struct vcpu_timer *t = &v->domain->timers->timer[v->id];
	int err;

	pthread_mutex_lock(&t->lock);
	t->period = period;
	t->due[PERIODIC] = timer_now(v->domain) + period;
	err = arm(t);
	pthread_mutex_unlock(&t->lock);
	return err;
}

void timer_stop_singleshot(struct vcpu *v)
{
	set_due(v, SINGLESHOT, 0);
}

void timer_stop_periodic(struct vcpu *v)
{
	set_due(v, PERIODIC, 0);
}

void timer_upcall_retry(struct vcpu *v)
{
	set_due(v, UPCALL_RETRY, timer_now(v->domain) + UPCALL_RETRY_NS);
}

void pvclock_publish(const struct domain *d, struct vcpu_time_info *ti)
{
	const struct pvclock *clock = &d->timers->clock;
	uint32_t version = __atomic_load_n(&ti->version, __ATOMIC_RELAXED) | 1;

	/*
	 * A reader retries while the version is odd or changes; its loads are ordered against
	 * these.
	 */
	__atomic_store_n(&ti->version, version, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	ti->tsc_timestamp = clock->base;
	ti->system_time = 0;
	ti->tsc_to_system_mul = clock->mul;
	ti->tsc_shift = clock->shift;
	ti->flags = XEN_PVCLOCK_TSC_STABLE_BIT;
	__atomic_store_n(&ti->version, version + 1, __ATOMIC_RELEASE);
}

void wallclock_publish(const struct domain *d, struct shared_info *si)
{
	uint32_t version = __atomic_load_n(&si->wc_version, __ATOMIC_RELAXED) | 1;
	struct timespec wall;
	uint64_t boot;

	clock_gettime(CLOCK_REALTIME, &wall);
	boot = wall.tv_sec * NSEC_PER_SEC + wall.tv_nsec - timer_now(d);

	__atomic_store_n(&si->wc_version, version, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	si->wc_sec = boot / NSEC_PER_SEC;
	si->wc_sec_hi = (boot / NSEC_PER_SEC) >> 32;
	si->wc_nsec = boot % NSEC_PER_SEC;
	__atomic_store_n(&si->wc_version, version + 1, __ATOMIC_RELEASE);
}

long timer_align_kvm_clock(struct domain *d)
{
	struct kvm_clock_data clock = { .clock = timer_now(d) };

	return ioctl(d->kvm.vm_fd, KVM_SET_CLOCK, &clock) ? -errno : 0;
}

static int read_tsc_offset(struct domain *d)
{
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&d->timers->tsc_offset,
	};

	return ioctl(d->vcpu[0]->fd, KVM_GET_DEVICE_ATTR, &attr) ? -errno : 0;
}

static int timer_init(struct vcpu_timer *t, struct vcpu *v)
{
	int err;

	t->vcpu = v;
	t->source.fn = timer_expired;
	t->source.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (t->source.fd < 0)
		return -errno;
	pthread_mutex_init(&t->lock, NULL);
	/* Every expiry is one event; nobody reads the descriptor, arming it clears it. */
	err = loop_add(v->domain->loop, &t->source, EPOLLIN | EPOLLET);
	if (err) {
		close(t->source.fd);
		t->vcpu = NULL;
	}
	return err;
}

int timer_create_domain(struct domain *d)
{
	struct shared_info *si = d->shared_info.va;
	int err;

	d->timers = calloc(1, sizeof(*d->timers));
	if (!d->timers)
		return -ENOMEM;
	err = read_tsc_offset(d);
	if (err)
		goto fail;
	pvclock_init(&d->timers->clock, guest_tsc(d->timers), d->kvm.tsc_khz);
	err = timer_align_kvm_clock(d);
	if (err)
		goto fail;
	for (unsigned int i = 0; i < d->nr_vcpus; i++) {
		err = timer_init(&d->timers->timer[i], d->vcpu[i]);
		if (err)
			goto fail;
		pvclock_publish(d, &si->vcpu_info[i].time);
	}
	wallclock_publish(d, si);
	return 0;

fail:
	timer_destroy_domain(d);
	return err;
}

void timer_destroy_domain(struct domain *d)
{
	if (!d->timers)
		return;
	for (unsigned int i = 0; i < d->nr_vcpus; i++) {
		struct vcpu_timer *t = &d->timers->timer[i];

		if (!t->vcpu)
			continue;
		loop_del(d->loop, &t->source);
		close(t->source.fd);
		pthread_mutex_destroy(&t->lock);
	}
	free(d->timers);
	d->timers = NULL;
}
