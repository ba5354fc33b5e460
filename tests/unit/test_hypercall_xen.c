// SPDX-License-Identifier: GPL-2.0-or-later
/* Hypercalls that no module of ours makes: hv/xen/ has them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/hypercall.h"
#include "hv/mem.h"
#include "hv/vcpu_abi.h"
#include "tests/unit/fake_domain.h"

#include <xen-public/hvm/hvm_vcpu.h>
#include <xen-public/memory.h>
#include <xen-public/sched.h>
#include <xen-public/vcpu.h>

static long ask_memory_map(unsigned int rows)
{
	struct xen_memory_map map = { .nr_entries = rows };
	long ret;

	map.buffer.p = (void *)(uintptr_t)0xb000;
	memset(fake_ram(0xb000), 0xaa, 80);
	memcpy(fake_ram(FAKE_ARG), &map, sizeof(map));
	ret = fake_call(__HYPERVISOR_memory_op, XENMEM_memory_map, FAKE_ARG, 0);
	memcpy(&map, fake_ram(FAKE_ARG), sizeof(map));
	return ret ? ret : map.nr_entries;
}

static void test_memory_map(void **state)
{
	struct xen_memory_map map = { .nr_entries = 1 };
	uint64_t row[2];

	(void)state;
	assert_int_equal(ask_memory_map(2), 2);
	memcpy(row, fake_ram(0xb000 + 20), sizeof(row));
	assert_int_equal(row[0], 0xa0000);
	assert_int_equal(row[1], 0x60000);
	assert_int_equal(*(uint32_t *)fake_ram(0xb000 + 36), 2);
	assert_int_equal(*(uint8_t *)fake_ram(0xb000 + 40), 0xaa);
	assert_int_equal(ask_memory_map(99), 3);
	assert_int_equal(*(uint8_t *)fake_ram(0xb000 + 60), 0xaa);
	map.buffer.p = (void *)(uintptr_t)FAKE_BAD;
	memcpy(fake_ram(FAKE_ARG), &map, sizeof(map));
	assert_int_equal(fake_call(__HYPERVISOR_memory_op, XENMEM_memory_map, FAKE_ARG, 0),
			 -EFAULT);
}

static long initialise(unsigned int vcpu, const struct vcpu_hvm_context *context)
{
	memcpy(fake_ram(FAKE_ARG), context, sizeof(*context));
	return fake_call(__HYPERVISOR_vcpu_op, VCPUOP_initialise, vcpu, FAKE_ARG);
}

static long up(unsigned int vcpu)
{
	return fake_call(__HYPERVISOR_vcpu_op, VCPUOP_up, vcpu, 0);
}

static long down(unsigned int vcpu)
{
	return fake_call(__HYPERVISOR_vcpu_op, VCPUOP_down, vcpu, 0);
}

static long is_up(unsigned int vcpu)
{
	return fake_call(__HYPERVISOR_vcpu_op, VCPUOP_is_up, vcpu, 0);
}

static void test_vcpu_up_and_down(void **state)
{
	struct vcpu_hvm_context context = {
		.mode = VCPU_HVM_MODE_64B,
		.cpu_regs.x86_64 = { .rip = 0x1234, .cr0 = 0x80000011, .efer = 0x1500 },
	};
	const struct kvm_sregs *sregs = &fake->run[1].s.regs.sregs;

	(void)state;
	assert_int_equal(is_up(0), 1);
	assert_int_equal(is_up(1), 0);
	assert_int_equal(up(1), -EINVAL);
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_initialise, 1, FAKE_BAD), -EFAULT);
	assert_int_equal(initialise(0, &context), -EEXIST);
	/* SVM, which the guest was not given; long mode is active without being asked for */
	assert_int_equal(initialise(1, &context), -EINVAL);
	context.cpu_regs.x86_64.efer = 0x100;
	assert_int_equal(initialise(1, &context), 0);
	assert_int_equal(initialise(1, &context), -EEXIST);
	assert_int_equal(fake->run[1].s.regs.regs.rip, 0x1234);
	assert_int_equal(fake->run[1].s.regs.regs.rflags, 2);
	assert_int_equal(sregs->efer, 0x500);
	assert_true(sregs->cs.l && sregs->cs.present && sregs->cs.type == 0xb);
	assert_int_equal(is_up(1), 0);
	assert_int_equal(up(1), 0);
	assert_int_equal(up(1), 0);
	assert_int_equal(is_up(1), 1);
	assert_int_equal(fake->mp_state[1], KVM_MP_STATE_RUNNABLE);
	assert_int_equal(down(1), 0);
	assert_int_equal(down(1), 0);
	assert_int_equal(is_up(1), 0);
	assert_int_equal(initialise(1, &context), -EEXIST);
	assert_int_equal(up(1), 0);
	assert_int_equal(is_up(1), 1);

	/* For 32-bit callers, too */
	fake->run[0].s.regs.sregs.cs.l = 0;
	assert_int_equal(down(1), 0);
	assert_int_equal(is_up(1), 0);
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, FAKE_ARG),
			 -ENOSYS);
	fake->run[0].s.regs.sregs.cs.l = 1;

	/* The last one takes the guest with it */
	assert_int_equal(fake->d.shutdown_reason, -1);
	assert_int_equal(down(0), 0);
	assert_int_equal(fake->d.shutdown_reason, SHUTDOWN_poweroff);
}

/* Flat segments; each row spoils one */
static void test_vcpu_segments(void **state)
{
	static const struct {
		uint16_t cs, ss, ds, es, tr;
	} bad[] = {
		{ 0xc93, 0xc93, 0xc93, 0xc93, 0x08b }, /* no code */
		{ 0xc1b, 0xc93, 0xc93, 0xc93, 0x08b }, /* not present */
		{ 0xc8b, 0xc93, 0xc93, 0xc93, 0x08b }, /* a system segment */
		{ 0x1c9b, 0xc93, 0xc93, 0xc93, 0x08b }, /* bits that are none */
		{ 0xc9b, 0, 0xc93, 0xc93, 0x08b }, /* null */
		{ 0xc9b, 0xc91, 0xc93, 0xc93, 0x08b }, /* not writable */
		{ 0xc9b, 0xcf3, 0xc93, 0xc93, 0x08b }, /* another privilege level */
		{ 0xc9b, 0xc93, 0xc99, 0xc93, 0x08b }, /* code that cannot be read */
		{ 0xc9b, 0xc93, 0xc93, 0xcf3, 0x08b }, /* a privilege level that is less */
		{ 0xc9b, 0xc93, 0xc93, 0xc93, 0x089 }, /* not busy */
		{ 0xc9b, 0xc93, 0xc93, 0xc93, 0 },
	};
	struct vcpu_hvm_context context = {
		.mode = VCPU_HVM_MODE_32B,
		.cpu_regs.x86_32 = { .eip = 0x1000, .cs_base = 0x10, .cs_limit = 0xffff },
	};
	struct vcpu_hvm_x86_32 *r = &context.cpu_regs.x86_32;
	const struct kvm_sregs *sregs = &fake->run[1].s.regs.sregs;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		r->cs_ar = bad[i].cs;
		r->ss_ar = bad[i].ss;
		r->ds_ar = bad[i].ds;
		r->es_ar = bad[i].es;
		r->tr_ar = bad[i].tr;
		assert_int_equal(initialise(1, &context), -EINVAL);
	}
	context.mode = 2;
	r->tr_ar = 0x8b;
	assert_int_equal(initialise(1, &context), -EINVAL);
	context.mode = VCPU_HVM_MODE_32B;
	r->es_ar = 0;
	assert_int_equal(initialise(1, &context), 0);
	assert_int_equal(sregs->cs.base, 0x10);
	assert_int_equal(sregs->cs.limit, 0xffff);
	assert_true(sregs->cs.db && sregs->cs.g && !sregs->cs.l && sregs->cs.s);
	assert_true(sregs->es.unusable && !sregs->ds.unusable);
	assert_int_equal(fake->run[1].s.regs.regs.rip, 0x1000);
}

/* A guest's way to find out which version of it a hypervisor has is to try one after the other. */
static void test_privileged(void **state)
{
	static const struct {
		unsigned int nr;
		uint32_t version;
	} ops[] = {
		{ __HYPERVISOR_sysctl, 0x15 },
		{ __HYPERVISOR_domctl, 0x15 },
		{ __HYPERVISOR_platform_op, 0x03000001 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(ops) * 2; i++) {
		unsigned int nr = ops[i / 2].nr;
		uint32_t *op = fake_ram(FAKE_ARG);

		fake->run[0].s.regs.sregs.cs.l = i % 2;
		op[0] = 1;
		op[1] = ops[i / 2].version;
		op[2] = fake->d.domid;
		assert_int_equal(fake_call(nr, FAKE_ARG, 0, 0), -EPERM);
		op[2] = 99;
		assert_int_equal(fake_call(nr, FAKE_ARG, 0, 0),
				 nr == __HYPERVISOR_domctl ? -ESRCH : -EPERM);
		op[1]--;
		assert_int_equal(fake_call(nr, FAKE_ARG, 0, 0), -EACCES);
		assert_int_equal(fake_call(nr, FAKE_BAD, 0, 0), -EFAULT);
	}
}

#define T(n) cmocka_unit_test_setup_teardown(test_##n, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(memory_map),
		T(vcpu_up_and_down),
		T(vcpu_segments),
		T(privileged),
	};

	return cmocka_run_group_tests_name("hypercall_xen", tests, NULL, NULL);
}
