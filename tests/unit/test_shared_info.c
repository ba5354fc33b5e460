// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/evtchn.h"
#include "hv/mem.h"
#include "tests/unit/fake_domain.h"

#include <xen-public/hvm/hvm_op.h>
#include <xen-public/hvm/params.h>
#include <xen-public/memory.h>
#include <xen-public/vcpu.h>

static void test_shared_info_moves(void **state)
{
	struct xen_remove_from_physmap r = { .domid = DOMID_SELF, .gpfn = 0x20 };
	evtchn_port_t port = fake_new_ipi(1);

	(void)state;
	fake_set_vectors();
	assert_int_equal(fake_send(port), 0);
	memset(fake_ram(0x20000), 0xaa, PAGE_SIZE);
	assert_int_equal(fake_place_shared_info(0x20), 0);
	assert_ptr_equal(fake_shared_info(), fake_ram(0x20000));
	assert_true(fake_pending(port));
	assert_int_equal(fake_shared_info()->vcpu_info[1].evtchn_upcall_pending, 1);
	assert_true(fake->upcalls[1] >= 2); /* announced anew */
	assert_int_not_equal(fake_shared_info()->wc_sec, 0);
	assert_int_equal(fake_shared_info()->wc_version & 1, 0);

	assert_int_equal(fake_op(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &r, sizeof(r)),
			 0);
	assert_ptr_not_equal(fake_shared_info(), fake_ram(0x20000));
	assert_true(fake_pending(port));
	assert_int_equal(fake_op(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &r, sizeof(r)),
			 -ENOSYS);
}

static void set_callback_vector(void)
{
	struct xen_hvm_param p = {
		.domid = DOMID_SELF,
		.index = HVM_PARAM_CALLBACK_IRQ,
		.value = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | FAKE_VECTOR,
	};

	fake->d.kvm.xen_caps = KVM_XEN_HVM_CONFIG_SHARED_INFO;
	assert_int_equal(fake_op(__HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p)), 0);
}

/* A grant frame placed there instead, in RAM or elsewhere; KVM must not write into it */
static void test_shared_info_displaced(void **state)
{
	static const gfn_t gfns[] = { 0x20, FAKE_BAD >> PAGE_SHIFT };
	struct xen_add_to_physmap x = { .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table };
	evtchn_port_t port = fake_new_ipi(1);

	(void)state;
	assert_int_equal(fake_send(port), 0);
	set_callback_vector();
	for (unsigned int i = 0; i < ARRAY_SIZE(gfns); i++) {
		x.gpfn = gfns[i];
		assert_int_equal(fake_place_shared_info(gfns[i]), 0);
		assert_int_equal(fake->vcpu_info_gpa[1],
				 (gfns[i] << PAGE_SHIFT) +
					 offsetof(struct shared_info, vcpu_info[1]));
		assert_int_equal(
			fake_op(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &x, sizeof(x)), 0);
		assert_int_equal(fake->d.shared_info.gfn, GFN_NONE);
		assert_true(fake_pending(port));
		assert_int_equal(fake->vcpu_info_gpa[1], GFN_NONE);
	}
}

static void move_meanwhile(void)
{
	assert_int_equal(fake_place_shared_info(0x21), 0);
}

/* KVM looks where vcpu_info is in the end, whoever came first to tell it */
static void test_kvm_follows_shared_info(void **state)
{
	(void)state;
	assert_int_equal(fake_place_shared_info(0x20), 0);
	fake->before_call = move_meanwhile;
	set_callback_vector();
	for (unsigned int i = 0; i < FAKE_VCPUS; i++)
		assert_int_equal(fake->vcpu_info_gpa[i],
				 0x21000 + offsetof(struct shared_info, vcpu_info[i]));
}

static void test_register_vcpu_info(void **state)
{
	struct vcpu_register_vcpu_info reg = { .mfn = 0x30, .offset = 64 };
	struct vcpu_info *info = fake_ram(0x30040);
	evtchn_port_t port = fake_new_ipi(0);

	(void)state;
	fake_set_vectors();
	memcpy(fake_ram(FAKE_ARG), &reg, sizeof(reg));
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, FAKE_ARG),
			 0);
	assert_int_equal(info->evtchn_upcall_pending, 1);
	assert_int_equal(info->evtchn_pending_sel, ~0UL);
	assert_int_equal(fake->upcalls[0], 1);
	assert_int_not_equal(info->time.tsc_to_system_mul, 0);
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, FAKE_ARG),
			 -EINVAL);

	info->evtchn_upcall_pending = 0;
	info->evtchn_pending_sel = 0;
	assert_int_equal(fake_send(port), 0);
	assert_int_equal(info->evtchn_upcall_pending, 1);
	assert_int_equal(info->evtchn_pending_sel, 1);
	assert_int_equal(fake_shared_info()->vcpu_info[0].evtchn_upcall_pending, 0);
}

/* The new place overlaps the old one */
static void test_register_vcpu_info_nearby(void **state)
{
	struct vcpu_register_vcpu_info reg = { .mfn = 0x20, .offset = 8 };

	(void)state;
	assert_int_equal(fake_place_shared_info(0x20), 0);
	fake_shared_info()->vcpu_info[0].arch.cr2 = 0x1234;
	memcpy(fake_ram(FAKE_ARG), &reg, sizeof(reg));
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, FAKE_ARG),
			 0);
	assert_int_equal(((struct vcpu_info *)fake_ram(0x20008))->arch.cr2, 0x1234);
}

/* Of another vCPU only before it is started */
static void test_register_vcpu_info_of_others(void **state)
{
	struct vcpu_register_vcpu_info reg = { .mfn = 0x30 };

	(void)state;
	memcpy(fake_ram(FAKE_ARG), &reg, sizeof(reg));
	fake->mp_state[1] = KVM_MP_STATE_HALTED;
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1, FAKE_ARG),
			 -EINVAL);
	fake->mp_state[1] = KVM_MP_STATE_INIT_RECEIVED;
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1, FAKE_ARG),
			 0);
}

static void test_register_vcpu_info_errors(void **state)
{
	static const struct {
		struct vcpu_register_vcpu_info reg;
		long want;
	} bad[] = {
		{ { .mfn = 0x30, .offset = PAGE_SIZE - 60 }, -ENXIO },
		{ { .mfn = 0x30, .offset = 4 }, -ENXIO },
		{ { .mfn = 0x30, .offset = 0xfffffff8 }, -ENXIO },
		{ { .mfn = FAKE_BAD >> PAGE_SHIFT }, -EINVAL },
		{ { .mfn = ~0UL }, -EINVAL },
		{ { .mfn = 1UL << 52 }, -EINVAL },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(fake_ram(FAKE_ARG), &bad[i].reg, sizeof(bad[i].reg));
		assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1,
					   FAKE_ARG),
				 bad[i].want);
	}
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, FAKE_VCPUS,
				   FAKE_ARG),
			 -ENOENT);
}

#define T(n) cmocka_unit_test_setup_teardown(test_##n, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(shared_info_moves),	      T(shared_info_displaced),
		T(kvm_follows_shared_info),   T(register_vcpu_info),
		T(register_vcpu_info_nearby), T(register_vcpu_info_of_others),
		T(register_vcpu_info_errors),
	};

	return cmocka_run_group_tests_name("shared_info", tests, NULL, NULL);
}
