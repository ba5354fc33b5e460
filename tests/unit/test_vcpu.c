// SPDX-License-Identifier: GPL-2.0-or-later
/* A vCPU's thread, its kicks and calls, on a KVM_RUN that only waits to be left. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "hv/vcpu.c"

#define CALLS 2000
#define TIMEOUT_MS 10000

static struct domain domain;
static struct vcpu vcpu;
static struct kvm_run run;
static unsigned int entered; /* how often KVM_RUN was, atomic */
static bool stopping;

/* ---- what hv/vcpu.c needs ---- */

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	assert_int_equal(request, KVM_RUN);
	__atomic_fetch_add(&entered, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&run.immediate_exit, __ATOMIC_SEQ_CST))
		sched_yield();
	errno = EINTR;
	return -1;
}

int cpuid_setup(struct vcpu *v)
{
	(void)v;
	return 0;
}

void vcpu_exit(struct vcpu *v)
{
	(void)v;
}

bool domain_stopping(const struct domain *d)
{
	(void)d;
	return __atomic_load_n(&stopping, __ATOMIC_SEQ_CST);
}

void domain_shutdown(struct domain *d, int reason)
{
	(void)d;
	(void)reason;
}

/* ---- tests ---- */

static int setup(void **state)
{
	(void)state;
	domain = (struct domain){ .vcpu = { &vcpu }, .nr_vcpus = 1 };
	vcpu = (struct vcpu){ .domain = &domain, .run = &run };
	pthread_mutex_init(&domain.call_lock, NULL);
	pthread_cond_init(&domain.call_cond, NULL);
	stopping = false;
	return vcpu_process_init() || vcpu_start(&vcpu);
}

static int teardown(void **state)
{
	(void)state;
	vcpu_stop(&vcpu);
	pthread_mutex_destroy(&domain.call_lock);
	pthread_cond_destroy(&domain.call_cond);
	return 0;
}

static bool enters_again(unsigned int since)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	for (int i = 0; i < TIMEOUT_MS; i++) {
		if (__atomic_load_n(&entered, __ATOMIC_SEQ_CST) > since)
			return true;
		nanosleep(&ms, NULL);
	}
	return false;
}

/* Every upcall kicks: whoever holds the lock of calls must not keep a vCPU from its guest. */
static void test_kick_takes_no_lock(void **state)
{
	unsigned int before;
	bool again;

	(void)state;
	assert_true(enters_again(0));
	pthread_mutex_lock(&domain.call_lock);
	before = __atomic_load_n(&entered, __ATOMIC_SEQ_CST);
	vcpu_kick(&vcpu);
	again = enters_again(before);
	pthread_mutex_unlock(&domain.call_lock);
	assert_true(again);
}

static long add(struct vcpu *v, void *arg)
{
	assert_ptr_equal(v, &vcpu);
	return ++*(long *)arg;
}

static void *kick_always(void *arg)
{
	while (!__atomic_load_n(&stopping, __ATOMIC_SEQ_CST)) {
		vcpu_kick(arg);
		sched_yield();
	}
	return NULL;
}

static void *call_often(void *arg)
{
	for (int i = 0; i < CALLS; i++)
		vcpu_call(&vcpu, add, arg);
	return NULL;
}

/* Not one call is overlooked between kicks that mean nothing. */
static void test_calls_among_kicks(void **state)
{
	pthread_t kicker, caller;
	long sum = 0;

	(void)state;
	pthread_create(&kicker, NULL, kick_always, &vcpu);
	pthread_create(&caller, NULL, call_often, &sum);
	call_often(&sum);
	pthread_join(caller, NULL);
	__atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
	pthread_join(kicker, NULL);
	assert_int_equal(sum, 2 * CALLS);
}

/* The thread has ended, or is about to: the caller does it. */
static void test_call_after_stop(void **state)
{
	long sum = 0;

	(void)state;
	vcpu_stop(&vcpu);
	assert_int_equal(vcpu_call(&vcpu, add, &sum), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kick_takes_no_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_calls_among_kicks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_call_after_stop, setup, teardown),
	};

	return cmocka_run_group_tests_name("vcpu", tests, NULL, NULL);
}
