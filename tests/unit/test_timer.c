// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "hv/evtchn.h"
#include "hv/loop.h"
#include "hv/mem.h"
#include "hv/pvclock.h"
#include "hv/timer.h"
#include "tests/unit/fake_domain.h"

#include <xen-public/hvm/hvm_op.h>
#include <xen-public/vcpu.h>

#define MSEC 1000000ULL
#define SEC 1000000000ULL

static pthread_t loop_thread;

static void *run_loop(void *loop)
{
	loop_run(loop);
	return NULL;
}

static int setup(void **state)
{
	if (fake_setup(state))
		return -1;
	return pthread_create(&loop_thread, NULL, run_loop, fake->d.loop);
}

static int teardown(void **state)
{
	loop_stop(fake->d.loop);
	pthread_join(loop_thread, NULL);
	return fake_teardown(state);
}

/* What a guest does with the published numbers, in arithmetic that cannot overflow */
static uint64_t reference_ns(const struct pvclock *clock, uint64_t tsc)
{
	unsigned __int128 delta = tsc - clock->base;

	if (clock->shift < 0)
		delta >>= -clock->shift;
	else
		delta <<= clock->shift;
	return delta * clock->mul >> 32;
}

static void test_pvclock(void **state)
{
	static const uint32_t khz[] = { 1,	 999,	  32768,   499999,    500000,  999999,
					1000000, 1000001, 1999999, 2000000,   2000001, 2400123,
					3999999, 4000000, 5700000, 4294967295 };
	unsigned int seed = 1;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(khz); i++) {
		struct pvclock clock;
		uint64_t hour = khz[i] * 1000ULL * 3600, ns;

		pvclock_init(&clock, 12345, khz[i]);
		assert_int_equal(pvclock_ns(&clock, 12345), 0);
		assert_int_equal(pvclock_ns(&clock, 12344), 0);
		assert_int_equal(pvclock_ns(&clock, 0), 0);
		/* An hour later it is at most a few parts in 2^31 off */
		ns = pvclock_ns(&clock, 12345 + hour);
		assert_in_range(ns, 3600 * SEC - 3600 * SEC / (1u << 30), 3600 * SEC);
		for (unsigned int n = 0; n < 1000; n++) {
			uint64_t tsc = 12345 + ((uint64_t)rand_r(&seed) << 20 | rand_r(&seed));

			if (clock.shift > 10)
				tsc >>= clock.shift;
			if (tsc >= clock.base)
				assert_int_equal(pvclock_ns(&clock, tsc),
						 reference_ns(&clock, tsc));
		}
	}
}

static void test_published_clock(void **state)
{
	struct shared_info *si = fake->d.shared_info.va;
	struct vcpu_time_info *ti = &si->vcpu_info[1].time;
	struct pvclock clock;
	uint64_t before, guest, after, wall;
	struct timespec now;

	(void)state;
	assert_int_equal(ti->version & 1, 0);
	assert_int_equal(ti->flags, XEN_PVCLOCK_TSC_STABLE_BIT);
	clock = (struct pvclock){ ti->tsc_timestamp, ti->tsc_to_system_mul, ti->tsc_shift };
	before = timer_now(&fake->d);
	assert_in_range(fake->kvm_clock, 0, before); /* KVM's, which runstates are told in */
	guest = ti->system_time + reference_ns(&clock, __builtin_ia32_rdtsc());
	after = timer_now(&fake->d);
	assert_in_range(guest, before, after);

	clock_gettime(CLOCK_REALTIME, &now);
	wall = ((uint64_t)si->wc_sec_hi << 32 | si->wc_sec) * SEC + si->wc_nsec + after;
	assert_in_range(wall, (now.tv_sec - 2) * SEC, (now.tv_sec + 2) * SEC);
}

static evtchn_port_t bind_timer(void)
{
	struct evtchn_bind_virq b = { .virq = VIRQ_TIMER };

	assert_int_equal(fake_op(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &b, sizeof(b)),
			 0);
	return b.port;
}

static long vcpu_op(unsigned int cmd, unsigned int vcpu, const void *arg, size_t size)
{
	memcpy(fake_ram(FAKE_ARG), arg, size);
	return fake_call(__HYPERVISOR_vcpu_op, cmd, vcpu, FAKE_ARG);
}

static void sleep_ms(void)
{
	struct timespec ms = { .tv_nsec = MSEC };

	nanosleep(&ms, NULL);
}

/* Until the port was raised @n times, for two seconds at most */
static unsigned int wait_for(evtchn_port_t port, unsigned int n)
{
	unsigned int seen = 0;

	for (unsigned int i = 0; i < 2000 && seen < n; i++) {
		sleep_ms();
		if (evtchn_is_pending(&fake->d, port)) {
			evtchn_clear_pending(&fake->d, port);
			seen++;
		}
	}
	return seen;
}

static void test_singleshot(void **state)
{
	evtchn_port_t port = bind_timer();
	struct vcpu_set_singleshot_timer s = { 0 };

	(void)state;
	/* A deadline in the past fires at once */
	assert_int_equal(vcpu_op(VCPUOP_set_singleshot_timer, 0, &s, sizeof(s)), 0);
	assert_true(evtchn_is_pending(&fake->d, port));
	evtchn_clear_pending(&fake->d, port);
	s.flags = VCPU_SSHOTTMR_future;
	assert_int_equal(vcpu_op(VCPUOP_set_singleshot_timer, 0, &s, sizeof(s)), -ETIME);
	assert_false(evtchn_is_pending(&fake->d, port));

	s.timeout_abs_ns = timer_now(&fake->d) + 20 * MSEC;
	assert_int_equal(vcpu_op(VCPUOP_set_singleshot_timer, 0, &s, sizeof(s)), 0);
	assert_false(evtchn_is_pending(&fake->d, port));
	assert_int_equal(wait_for(port, 1), 1);
	assert_true(timer_now(&fake->d) >= s.timeout_abs_ns);

	/* A stopped one does not fire, a later one replaces an earlier one */
	s.timeout_abs_ns = timer_now(&fake->d) + 20 * MSEC;
	assert_int_equal(vcpu_op(VCPUOP_set_singleshot_timer, 0, &s, sizeof(s)), 0);
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_stop_singleshot_timer, 0, 0), 0);
	s.timeout_abs_ns = timer_now(&fake->d) + 3600 * SEC;
	assert_int_equal(vcpu_op(VCPUOP_set_singleshot_timer, 0, &s, sizeof(s)), 0);
	for (unsigned int i = 0; i < 50; i++)
		sleep_ms();
	assert_false(evtchn_is_pending(&fake->d, port));
}

static void test_timer_errors(void **state)
{
	struct vcpu_set_periodic_timer p = { .period_ns = MSEC - 1 };
	struct vcpu_set_singleshot_timer s = { 0 };

	(void)state;
	assert_int_equal(vcpu_op(VCPUOP_set_singleshot_timer, 1, &s, sizeof(s)), -EINVAL);
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_stop_singleshot_timer, 1, 0),
			 -EINVAL);
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, FAKE_BAD),
			 -EFAULT);
	assert_int_equal(vcpu_op(VCPUOP_set_periodic_timer, 0, &p, sizeof(p)), -EINVAL);
	p.period_ns = ~0ULL;
	assert_int_equal(vcpu_op(VCPUOP_set_periodic_timer, 0, &p, sizeof(p)), -EINVAL);
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 1, 0), 0);
}

static void test_periodic(void **state)
{
	struct vcpu_set_periodic_timer p = { .period_ns = 5 * MSEC };
	evtchn_port_t port = bind_timer();

	(void)state;
	assert_int_equal(vcpu_op(VCPUOP_set_periodic_timer, 0, &p, sizeof(p)), 0);
	assert_int_equal(wait_for(port, 3), 3);
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0), 0);
	evtchn_clear_pending(&fake->d, port);
}

static void test_set_timer_op(void **state)
{
	evtchn_port_t port = bind_timer();
	uint64_t start;

	(void)state;
	assert_int_equal(fake_call(__HYPERVISOR_set_timer_op, 1, 0, 0), 0);
	assert_true(evtchn_is_pending(&fake->d, port));
	evtchn_clear_pending(&fake->d, port);
	assert_int_equal(fake_call(__HYPERVISOR_set_timer_op, 0, 0, 0), 0);
	/* Nonsense fires in 100 ms instead of never */
	start = timer_now(&fake->d);
	assert_int_equal(fake_call(__HYPERVISOR_set_timer_op, ~0ULL, 0, 0), 0);
	assert_int_equal(wait_for(port, 1), 1);
	assert_true(timer_now(&fake->d) - start >= 100 * MSEC);
}

static void test_upcall_retried(void **state)
{
	struct xen_hvm_evtchn_upcall_vector v = { .vcpu = 0, .vector = 0x40 };
	evtchn_port_t port = bind_timer();

	(void)state;
	fake->lapic_refuses = true;
	assert_int_equal(
		fake_op(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &v, sizeof(v)), 0);
	evtchn_send_virq(&fake->vcpu[0], VIRQ_TIMER);
	assert_int_equal(fake->upcalls[0], 0);
	fake->lapic_refuses = false;
	/* No hypercall, no event: the timer alone brings it */
	evtchn_clear_pending(&fake->d, port);
	for (unsigned int i = 0; i < 200 && !fake->upcalls[0]; i++)
		sleep_ms();
	assert_int_equal(fake->upcalls[0], 1);
}

static uint64_t all_times(const struct vcpu_runstate_info *info)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(info->time); i++)
		sum += info->time[i];
	return sum;
}

static void test_runstate(void **state)
{
	struct vcpu_register_runstate_memory_area reg = { 0 };
	struct vcpu_runstate_info *area = fake_ram(0xaff0), info;

	(void)state;
	reg.addr.p = 0xaff0; /* straddles two pages */
	assert_int_equal(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &reg, sizeof(reg)), 0);
	assert_int_equal(area->state, RUNSTATE_running);
	assert_int_not_equal(area->state_entry_time, 0);
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, 0xc000), 0);
	memcpy(&info, fake_ram(0xc000), sizeof(info));
	assert_true(info.state_entry_time >= area->state_entry_time);
	assert_int_equal(all_times(&info), info.state_entry_time);

	/* No area any more, neither the old one nor one at address 0 */
	memset(fake_ram(0), 0xaa, PAGE_SIZE);
	reg.addr.p = 0;
	assert_int_equal(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &reg, sizeof(reg)), 0);
	assert_int_equal(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &reg, sizeof(reg)), 0);
	memset(area, 0xaa, sizeof(*area));
	for (unsigned int i = 0; i < 6; i++)
		sleep_ms();
	assert_int_equal(fake_call(__HYPERVISOR_xen_version, 0, 0, 0), 4 << 16 | 17);
	assert_memory_equal(area, fake_ram(0x800), sizeof(*area));
	assert_memory_equal(fake_ram(0), fake_ram(0x800), 0x800);

	reg.addr.p = FAKE_BAD;
	assert_int_equal(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &reg, sizeof(reg)),
			 -EFAULT);
	assert_int_equal(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &reg, sizeof(reg)),
			 -EFAULT);
	reg.addr.p = 0xb100;
	assert_int_equal(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &reg, sizeof(reg)), 0);
	assert_int_not_equal(((struct vcpu_time_info *)fake_ram(0xb100))->tsc_to_system_mul, 0);
}

static long register_runstate(unsigned int vcpu, gva_t addr)
{
	struct vcpu_register_runstate_memory_area reg = { .addr.p = addr };

	return vcpu_op(VCPUOP_register_runstate_memory_area, vcpu, &reg, sizeof(reg));
}

static struct vcpu_runstate_info get_runstate(unsigned int vcpu)
{
	struct vcpu_runstate_info info;

	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, vcpu, 0xc000),
			 0);
	memcpy(&info, fake_ram(0xc000), sizeof(info));
	return info;
}

static void test_runstate_is_renewed(void **state)
{
	struct vcpu_runstate_info *area = fake_ram(0xa000);
	uint64_t entry;

	(void)state;
	assert_int_equal(fake_call(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
				   VMASST_TYPE_runstate_update_flag, 0),
			 0);
	assert_int_equal(register_runstate(0, 0xa000), 0);
	entry = area->state_entry_time;
	assert_false(entry & XEN_RUNSTATE_UPDATE);
	fake_call(__HYPERVISOR_xen_version, 0, 0, 0);
	assert_int_equal(area->state_entry_time, entry); /* too soon to be worth it */
	for (unsigned int i = 0; i < 22; i++)
		sleep_ms();
	fake_call(__HYPERVISOR_xen_version, 0, 0, 0);
	assert_true(area->state_entry_time > entry);
	assert_false(area->state_entry_time & XEN_RUNSTATE_UPDATE);
	assert_int_equal(area->state, RUNSTATE_running);
	assert_int_equal(area->time[RUNSTATE_offline], 0);
}

/* Of a vCPU that another one asks about; its own area never says that it is halted. */
static void test_runstate_of_others(void **state)
{
	struct vcpu_runstate_info *area = fake_ram(0xa000), info, before;

	(void)state;
	assert_int_equal(register_runstate(1, 0xa000), 0);
	assert_int_equal(area->state, RUNSTATE_offline);
	assert_int_equal(area->time[RUNSTATE_offline], area->state_entry_time);
	assert_int_equal(all_times(area), area->state_entry_time);

	fake->mp_state[1] = KVM_MP_STATE_HALTED;
	sleep_ms();
	before = get_runstate(1);
	sleep_ms();
	info = get_runstate(1);
	assert_int_equal(info.state, RUNSTATE_blocked);
	assert_int_equal(info.time[RUNSTATE_offline], area->time[RUNSTATE_offline]);
	assert_true(all_times(&info) > all_times(&before));
	assert_int_equal(all_times(&info), info.state_entry_time);
	assert_int_equal(register_runstate(1, 0xa000), 0);
	assert_int_equal(area->state, RUNSTATE_running);

	fake->mp_state[1] = KVM_MP_STATE_RUNNABLE;
	assert_int_equal(get_runstate(1).state, RUNSTATE_running);
}

/* What went by before counts as what the vCPU was then. */
static void test_runstate_up_and_down(void **state)
{
	struct vcpu_runstate_info before, after;

	(void)state;
	fake->mp_state[1] = KVM_MP_STATE_RUNNABLE;
	before = get_runstate(1);
	sleep_ms();
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_down, 1, 0), 0);
	after = get_runstate(1);
	assert_int_equal(after.state, RUNSTATE_offline);
	assert_true(all_times(&after) - after.time[RUNSTATE_offline] >=
		    all_times(&before) - before.time[RUNSTATE_offline] + MSEC);

	before = after;
	sleep_ms();
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_up, 1, 0), 0);
	after = get_runstate(1);
	assert_int_equal(after.state, RUNSTATE_running);
	assert_true(after.time[RUNSTATE_offline] >= before.time[RUNSTATE_offline] + MSEC);
}

static void test_runstate_by_kvm(void **state)
{
	struct kvm_xen_vcpu_attr *kvm = &fake->runstate[0];
	struct vcpu_runstate_info *area = fake_ram(0xa000);

	(void)state;
	memset(area, 0xaa, PAGE_SIZE);
	/* Not on the port transport: KVM does nothing there for a guest it does not take for Xen's */
	fake->d.kvm.xen_caps = KVM_XEN_HVM_CONFIG_RUNSTATE;
	assert_int_equal(register_runstate(0, 0xa000), 0);
	assert_int_equal(fake->runstate_gpa[0], 0);
	assert_int_equal(area->state, RUNSTATE_running);

	fake->d.transport = TRANSPORT_INTERCEPT;
	fake->kvm_clock = 3600 * SEC; /* no thread of this test has run that long */
	memset(area, 0xaa, PAGE_SIZE);
	assert_int_equal(register_runstate(0, 0xa000), 0);
	assert_int_equal(fake->runstate_gpa[0], 0xa000);
	assert_int_equal(fake->hvm_attr.type, KVM_XEN_ATTR_TYPE_LONG_MODE);
	assert_int_equal(fake->hvm_attr.u.long_mode, 1);
	/* What KVM checks, and what it would otherwise call stolen */
	assert_int_equal(kvm->u.runstate.state_entry_time, fake->kvm_clock);
	assert_int_equal(kvm->u.runstate.time_running + kvm->u.runstate.time_runnable +
				 kvm->u.runstate.time_blocked,
			 fake->kvm_clock);
	assert_int_equal(kvm->u.runstate.time_offline, 0);

	/* From here on the figures are KVM's, and so is the area */
	for (unsigned int i = 0; i < 6; i++)
		sleep_ms();
	fake_call(__HYPERVISOR_xen_version, 0, 0, 0);
	assert_memory_equal(area, fake_ram(0xa800), 0x800);
	kvm->u.runstate.time_runnable = 77;
	kvm->u.runstate.time_offline = 5;
	kvm->u.runstate.state_entry_time = 1000;
	kvm->u.runstate.state = RUNSTATE_runnable;
	assert_int_equal(get_runstate(0).time[RUNSTATE_runnable], 77);
	assert_int_equal(get_runstate(0).time[RUNSTATE_offline], 5);
	assert_int_equal(get_runstate(0).state_entry_time, 1000);
	assert_int_equal(get_runstate(0).state, RUNSTATE_running);

	/* KVM takes no area that straddles pages; the figures remain its own */
	assert_int_equal(register_runstate(0, 0xbff0), 0);
	assert_int_equal(fake->runstate_gpa[0], GFN_NONE);
	assert_int_equal(((struct vcpu_runstate_info *)fake_ram(0xbff0))->time[RUNSTATE_runnable],
			 77);
	assert_int_equal(register_runstate(0, 0xa000), 0);
	assert_int_equal(fake->runstate_gpa[0], 0xa000);
	assert_int_equal(kvm->u.runstate.time_runnable, 77);
	assert_int_equal(register_runstate(0, 0), 0);
	assert_int_equal(fake->runstate_gpa[0], GFN_NONE);
	assert_memory_equal(area, fake_ram(0xa800), 0x400);
}

/* Whatever the reason, the guest gets its figures */
static void test_runstate_kvm_refuses(void **state)
{
	struct vcpu_runstate_info *area = fake_ram(0xa000);

	(void)state;
	fake->d.kvm.xen_caps = KVM_XEN_HVM_CONFIG_RUNSTATE;
	fake->d.transport = TRANSPORT_INTERCEPT;
	fake->kvm_clock = 3600 * SEC; /* no thread of this test has run that long */
	fake->kvm_refuses = true;
	assert_int_equal(register_runstate(1, 0xa000), 0);
	assert_int_equal(area->state, RUNSTATE_offline);
	assert_int_not_equal(area->state_entry_time, 0);
	fake->kvm_refuses = false;
	/* KVM's clock behind the thread's times: it would not take them */
	fake->kvm_clock = 0;
	memset(area, 0xaa, PAGE_SIZE);
	assert_int_equal(register_runstate(1, 0xa000), 0);
	assert_int_equal(area->state, RUNSTATE_offline);
	assert_int_equal(fake->runstate_gpa[1], 0);
	/* It counts, but does not take this place: neither does it try later. */
	fake->kvm_clock = 3600 * SEC;
	assert_int_equal(register_runstate(1, 0xb000), 0);
	assert_int_equal(fake->runstate_gpa[1], 0xb000);
	fake->kvm_refuses = true;
	memset(area, 0xaa, PAGE_SIZE);
	assert_int_equal(register_runstate(1, 0xa000), 0);
	assert_int_equal(fake->runstate_gpa[1], GFN_NONE);
	assert_int_equal(area->state_entry_time, fake->kvm_clock);
}

/* KVM before Linux 6.2 has no such switch; later ones have to be told */
static void test_runstate_update_flag_by_kvm(void **state)
{
	static const unsigned int caps[] = { KVM_XEN_HVM_CONFIG_RUNSTATE,
					     KVM_XEN_HVM_CONFIG_RUNSTATE | 1 << 6 };

	(void)state;
	fake->d.transport = TRANSPORT_INTERCEPT;
	for (unsigned int i = 0; i < ARRAY_SIZE(caps); i++) {
		fake->d.kvm.xen_caps = caps[i];
		for (unsigned int on = 2; on--;) {
			memset(&fake->hvm_attr, 0xaa, sizeof(fake->hvm_attr));
			assert_int_equal(fake_call(__HYPERVISOR_vm_assist,
						   on ? VMASST_CMD_enable : VMASST_CMD_disable,
						   VMASST_TYPE_runstate_update_flag, 0),
					 0);
			assert_int_equal(fake->hvm_attr.type, i ? 5 : 0xaaaa);
			assert_int_equal(fake->hvm_attr.u.long_mode, i ? on : 0xaa);
		}
	}
}

#define T(n) cmocka_unit_test_setup_teardown(test_##n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pvclock),
		T(published_clock),
		T(singleshot),
		T(timer_errors),
		T(periodic),
		T(set_timer_op),
		T(upcall_retried),
		T(runstate),
		T(runstate_is_renewed),
		T(runstate_of_others),
		T(runstate_up_and_down),
		T(runstate_by_kvm),
		T(runstate_kvm_refuses),
		T(runstate_update_flag_by_kvm),
	};

	return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
