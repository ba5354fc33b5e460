// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "hv/evtchn.h"
#include "hv/evtchn_port.h"
#include "hv/hypercall.h"
#include "hv/mem.h"
#include "hv/vcpu_abi.h"
#include "tests/unit/fake_domain.h"

#include <xen-public/features.h>
#include <xen-public/hvm/hvm_op.h>
#include <xen-public/hvm/params.h>
#include <xen-public/memory.h>
#include <xen-public/sched.h>
#include <xen-public/vcpu.h>
#include <xen-public/version.h>

#define IF 0x200

static void test_privilege(void **state)
{
	(void)state;
	fake->run[0].s.regs.sregs.ss.dpl = 3;
	for (unsigned int nr = 0; nr < 70; nr++)
		assert_int_equal(fake_call(nr, 0, 0, 0), -EPERM);
	assert_int_equal(hypercall_count(&fake->d, __HYPERVISOR_xen_version), 0);
}

static void test_unknown(void **state)
{
	static const uint64_t unknown[] = { 0, 11, 16, 33, 37, 43, 48, 63, 64, 1ULL << 32, ~0ULL };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++) {
		struct hypercall_args call = { .nr = unknown[i] };

		assert_int_equal(hypercall_dispatch(&fake->vcpu[0], &call), -ENOSYS);
	}
	assert_null(hypercall_name(11));
	assert_null(hypercall_name(64));
	assert_string_equal(hypercall_name(__HYPERVISOR_hvm_op), "hvm_op");
	assert_int_equal(hypercall_count(&fake->d, 33), 1);
	assert_int_equal(hypercall_count(&fake->d, 64), 0);
}

static void test_unknown_subops(void **state)
{
	static const unsigned int nrs[] = { __HYPERVISOR_memory_op,	   __HYPERVISOR_xen_version,
					    __HYPERVISOR_console_io,	   __HYPERVISOR_sched_op,
					    __HYPERVISOR_event_channel_op, __HYPERVISOR_hvm_op,
					    __HYPERVISOR_grant_table_op };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(nrs); i++)
		assert_int_equal(fake_call(nrs[i], 0x3f, FAKE_ARG, 1), -ENOSYS);
	assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, 0x3f, 0, FAKE_ARG), -ENOSYS);
}

/* Every operation that reads or writes the guest's structure, given an address that is not RAM */
static void test_bad_pointers(void **state)
{
	static const struct {
		uint8_t nr, cmd;
	} ops[] = {
		{ __HYPERVISOR_memory_op, XENMEM_add_to_physmap },
		{ __HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch },
		{ __HYPERVISOR_memory_op, XENMEM_remove_from_physmap },
		{ __HYPERVISOR_memory_op, XENMEM_current_reservation },
		{ __HYPERVISOR_memory_op, XENMEM_maximum_reservation },
		{ __HYPERVISOR_memory_op, XENMEM_maximum_gpfn },
		{ __HYPERVISOR_memory_op, XENMEM_memory_map },
		{ __HYPERVISOR_xen_version, XENVER_extraversion },
		{ __HYPERVISOR_xen_version, XENVER_compile_info },
		{ __HYPERVISOR_xen_version, XENVER_capabilities },
		{ __HYPERVISOR_xen_version, XENVER_changeset },
		{ __HYPERVISOR_xen_version, XENVER_platform_parameters },
		{ __HYPERVISOR_xen_version, XENVER_get_features },
		{ __HYPERVISOR_xen_version, XENVER_guest_handle },
		{ __HYPERVISOR_xen_version, XENVER_commandline },
		{ __HYPERVISOR_xen_version, XENVER_build_id },
		{ __HYPERVISOR_hvm_op, HVMOP_set_param },
		{ __HYPERVISOR_hvm_op, HVMOP_get_param },
		{ __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector },
		{ __HYPERVISOR_hvm_op, HVMOP_pagetable_dying },
		{ __HYPERVISOR_hvm_op, HVMOP_get_time },
		{ __HYPERVISOR_hvm_op, HVMOP_get_mem_type },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_close },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_send },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_status },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_vcpu },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_unmask },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_reset },
		{ __HYPERVISOR_sched_op, SCHEDOP_shutdown },
		{ __HYPERVISOR_sched_op, SCHEDOP_poll },
		{ __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref },
		{ __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref },
		{ __HYPERVISOR_grant_table_op, GNTTABOP_setup_table },
		{ __HYPERVISOR_grant_table_op, GNTTABOP_copy },
		{ __HYPERVISOR_grant_table_op, GNTTABOP_query_size },
		{ __HYPERVISOR_grant_table_op, GNTTABOP_set_version },
		{ __HYPERVISOR_grant_table_op, GNTTABOP_get_version },
	};
	static const unsigned int vcpu_ops[] = {
		VCPUOP_get_runstate_info,
		VCPUOP_register_runstate_memory_area,
		VCPUOP_register_vcpu_time_memory_area,
		VCPUOP_register_vcpu_info,
		VCPUOP_set_periodic_timer,
		VCPUOP_set_singleshot_timer,
	};
	static const gva_t bad[] = { FAKE_BAD, FAKE_RAM - 1, ~0UL };

	(void)state;
	for (unsigned int n = 0; n < ARRAY_SIZE(bad); n++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
			assert_int_equal(fake_call(ops[i].nr, ops[i].cmd, bad[n], 1), -EFAULT);
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(vcpu_ops); i++)
			assert_int_equal(fake_call(__HYPERVISOR_vcpu_op, vcpu_ops[i], 0, bad[n]),
					 -EFAULT);
		assert_int_equal(fake_call(__HYPERVISOR_multicall, bad[n], 1, 0), -EFAULT);
		assert_int_equal(fake_call(__HYPERVISOR_console_io, CONSOLEIO_write, 8, bad[n]),
				 -EFAULT);
	}
	assert_int_equal(fake->d.shutdown_reason, -1);
}

static void test_version(void **state)
{
	struct xen_feature_info fi = { 0 };

	(void)state;
	assert_int_equal(fake_call(__HYPERVISOR_xen_version, XENVER_version, 0, 0), 4 << 16 | 17);
	assert_int_equal(fake_op(__HYPERVISOR_xen_version, XENVER_get_features, &fi, sizeof(fi)),
			 0);
	assert_true(fi.submap & 1u << XENFEAT_auto_translated_physmap);
	assert_true(fi.submap & 1u << XENFEAT_hvm_callback_vector);
	assert_false(fi.submap & 1u << XENFEAT_hvm_pirqs);
	fi.submap_idx = 1;
	assert_int_equal(fake_op(__HYPERVISOR_xen_version, XENVER_get_features, &fi, sizeof(fi)),
			 -EINVAL);
	assert_int_equal(fake_call(__HYPERVISOR_xen_version, XENVER_pagesize, 0, 0), PAGE_SIZE);
	assert_int_equal(fake_call(__HYPERVISOR_xen_version, XENVER_pagesize, FAKE_ARG, 0),
			 -EINVAL);
	assert_int_equal(fake_call(__HYPERVISOR_xen_version, XENVER_build_id, 0, 0), -ENODATA);
	assert_int_equal(fake_call(__HYPERVISOR_xen_version, XENVER_capabilities, FAKE_ARG, 0), 0);
	assert_string_equal(fake_ram(FAKE_ARG), "hvm-3.0-x86_64 ");
}

static long param(unsigned int cmd, domid_t domid, uint32_t index, uint64_t *value)
{
	struct xen_hvm_param p = { .domid = domid, .index = index, .value = *value };
	long ret = fake_op(__HYPERVISOR_hvm_op, cmd, &p, sizeof(p));

	*value = p.value;
	return ret;
}

static void test_hvm_params(void **state)
{
	uint64_t v = 0;

	(void)state;
	fake->d.store_port = 1;
	assert_int_equal(param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_STORE_PFN, &v), 0);
	assert_int_equal(v, 0x3fe);
	assert_int_equal(param(HVMOP_get_param, FAKE_DOMID, HVM_PARAM_CONSOLE_PFN, &v), 0);
	assert_int_equal(v, 0x3ff);
	assert_int_equal(param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_STORE_EVTCHN, &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(param(HVMOP_get_param, 0, HVM_PARAM_STORE_PFN, &v), -EPERM);
	assert_int_equal(param(HVMOP_get_param, 9, HVM_PARAM_STORE_PFN, &v), -ESRCH);
	assert_int_equal(param(HVMOP_get_param, DOMID_SELF, HVM_NR_PARAMS, &v), -EINVAL);
	assert_int_equal(param(HVMOP_get_param, DOMID_SELF, 0xffffffff, &v), -EINVAL);
	assert_int_equal(param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_IOREQ_PFN, &v), -EPERM);
	assert_int_equal(param(HVMOP_get_param, DOMID_SELF, 4, &v), -EINVAL);

	v = 5;
	assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_STORE_PFN, &v), -EPERM);
	assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_X87_FIP_WIDTH, &v), -EINVAL);
	v = 8;
	assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_X87_FIP_WIDTH, &v), 0);
	v = 0;
	assert_int_equal(param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_X87_FIP_WIDTH, &v), 0);
	assert_int_equal(v, 8);
	v = 1;
	assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &v), 0);
	v = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | 0xf3;
	assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &v), -ENOSYS);
	assert_int_equal(param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_ACPI_IOPORTS_LOCATION, &v),
			 -ENODEV);
}

static void test_hvm_others(void **state)
{
	struct xen_hvm_get_mem_type t = { .domid = DOMID_SELF, .pfn = 5 };
	struct xen_hvm_pagetable_dying d = { .domid = DOMID_SELF };
	struct xen_hvm_get_time now = { 0 };

	(void)state;
	assert_int_equal(fake_op(__HYPERVISOR_hvm_op, HVMOP_get_mem_type, &t, sizeof(t)), 0);
	assert_int_equal(t.mem_type, HVMMEM_ram_rw);
	t.pfn = FAKE_BAD >> PAGE_SHIFT;
	assert_int_equal(fake_op(__HYPERVISOR_hvm_op, HVMOP_get_mem_type, &t, sizeof(t)), 0);
	assert_int_equal(t.mem_type, HVMMEM_mmio_dm);
	assert_int_equal(fake_op(__HYPERVISOR_hvm_op, HVMOP_pagetable_dying, &d, sizeof(d)),
			 -EINVAL);
	d.domid = 0;
	assert_int_equal(fake_op(__HYPERVISOR_hvm_op, HVMOP_pagetable_dying, &d, sizeof(d)),
			 -EOPNOTSUPP);
	d.domid = 9;
	assert_int_equal(fake_op(__HYPERVISOR_hvm_op, HVMOP_pagetable_dying, &d, sizeof(d)),
			 -ESRCH);
	assert_int_equal(fake_op(__HYPERVISOR_hvm_op, HVMOP_get_time, &now, sizeof(now)), 0);
	assert_int_not_equal(now.now, 0);
}

static void test_physmap_errors(void **state)
{
	static const struct {
		struct xen_add_to_physmap x;
		long want;
	} bad[] = {
		{ { .domid = 0, .space = XENMAPSPACE_shared_info, .gpfn = 9 }, -EPERM },
		{ { .domid = 9, .space = XENMAPSPACE_shared_info, .gpfn = 9 }, -ESRCH },
		{ { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .idx = 1, .gpfn = 9 },
		  -EINVAL },
		{ { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = ~0UL },
		  -EINVAL },
		{ { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = 1UL << 52 },
		  -EINVAL },
		{ { .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .idx = ~0UL, .gpfn = 9 },
		  -EINVAL },
		{ { .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .gpfn = 9 }, -ENOSYS },
		{ { .domid = DOMID_SELF, .space = 99, .gpfn = 9 }, -EINVAL },
	};
	struct xen_remove_from_physmap r = { .domid = DOMID_SELF, .gpfn = FAKE_BAD >> PAGE_SHIFT };
	struct xen_memory_domain m = { .domid = DOMID_SELF };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct xen_add_to_physmap x = bad[i].x;

		assert_int_equal(fake_op(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &x,
					 sizeof(x)),
				 bad[i].want);
	}
	assert_int_equal(fake_op(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &r, sizeof(r)),
			 -ENOENT);
	r.gpfn = ~0UL;
	assert_int_equal(fake_op(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &r, sizeof(r)),
			 -ENOENT);
	assert_int_equal(fake_op(__HYPERVISOR_memory_op, XENMEM_current_reservation, &m, sizeof(m)),
			 FAKE_RAM >> PAGE_SHIFT);
	assert_int_equal(fake_op(__HYPERVISOR_memory_op, XENMEM_maximum_gpfn, &m, sizeof(m)),
			 (FAKE_RAM >> PAGE_SHIFT) - 1);
	m.domid = 0;
	assert_int_equal(fake_op(__HYPERVISOR_memory_op, XENMEM_maximum_reservation, &m, sizeof(m)),
			 -EPERM);
	/* A resumed operation that we never interrupted */
	assert_int_equal(fake_call(__HYPERVISOR_memory_op, 1 << 6 | XENMEM_add_to_physmap, FAKE_ARG,
				   0),
			 -EINVAL);
}

static void test_physmap_batch(void **state)
{
	struct xen_add_to_physmap_batch b = { .domid = DOMID_SELF,
					      .space = XENMAPSPACE_grant_table,
					      .size = 3 };
	xen_ulong_t *idx = fake_ram(0x9000);
	xen_pfn_t *gfn = fake_ram(0xa000);
	int *err = fake_ram(0xb000);

	(void)state;
	b.idxs.p = (void *)0x9000;
	b.gpfns.p = (void *)0xa000;
	b.errs.p = (void *)0xb000;
	for (unsigned int i = 0; i < 3; i++) {
		idx[i] = i == 1 ? 64 : i;
		gfn[i] = 0x40 + i;
		err[i] = 99;
	}
	assert_int_equal(
		fake_op(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &b, sizeof(b)), 0);
	assert_int_equal(err[0], 0);
	assert_int_equal(err[1], -EINVAL);
	assert_int_equal(err[2], 0);
	/* Nobody waits for the rest of a batch when the domain is to stop */
	fake->d.shutdown_reason = SHUTDOWN_poweroff;
	err[0] = 99;
	assert_int_equal(
		fake_op(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &b, sizeof(b)), 0);
	assert_int_equal(err[0], 99);
	fake->d.shutdown_reason = -1;
	b.errs.p = (void *)FAKE_BAD;
	assert_int_equal(fake_op(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &b,
				 sizeof(b)),
			 -EFAULT);
	b.space = XENMAPSPACE_gmfn_range;
	assert_int_equal(fake_op(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &b,
				 sizeof(b)),
			 -EOPNOTSUPP);
}

static void test_sched(void **state)
{
	struct sched_poll p = { .nr_ports = 1, .timeout = 1 };
	struct sched_shutdown s = { .reason = SHUTDOWN_suspend };
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	evtchn_port_t *port = fake_ram(0x9000);

	(void)state;
	assert_int_equal(fake_call(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0), 0);
	assert_int_equal(
		fake_op(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, &ipi, sizeof(ipi)), 0);
	p.ports.p = (void *)0x9000;
	*port = ipi.port;
	assert_int_equal(fake_op(__HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p)), 0);
	/* Pending: returns at once, though there is no timeout */
	evtchn_set_pending(&fake->vcpu[0], ipi.port);
	p.timeout = 0;
	assert_int_equal(fake_op(__HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p)), 0);
	/* Nothing will come where nobody can send. */
	assert_int_equal(evtchn_close(&fake->d, ipi.port), 0);
	assert_int_equal(fake_op(__HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p)), -EINVAL);
	*port = 0;
	assert_int_equal(fake_op(__HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p)), -EINVAL);
	/* An upcall ends the poll only if the vCPU would take it; else the ports are looked at */
	*port = 4096;
	assert_int_equal(fake_op(__HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p)), -EINVAL);
	fake->run[0].s.regs.regs.rflags = IF;
	assert_int_equal(fake_op(__HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p)), 0);
	p.nr_ports = 129;
	assert_int_equal(fake_op(__HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p)), -EINVAL);
	p = (struct sched_poll){ .nr_ports = 1 };
	p.ports.p = (void *)FAKE_BAD;
	assert_int_equal(fake_op(__HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p)), -EFAULT);

	assert_int_equal(fake_op(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &s, sizeof(s)), 1);
	assert_int_equal(fake->d.shutdown_reason, -1);
	s.reason = SHUTDOWN_reboot;
	assert_int_equal(fake_op(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &s, sizeof(s)), 0);
	assert_int_equal(fake->d.shutdown_reason, SHUTDOWN_reboot);
}

static void *wake_later(void *arg)
{
	struct timespec ms = { .tv_nsec = 5000000 };

	nanosleep(&ms, NULL);
	evtchn_guest_send(&fake->d, *(evtchn_port_t *)arg);
	return NULL;
}

static void test_block(void **state)
{
	struct vcpu_info *info = &((struct shared_info *)fake->d.shared_info.va)->vcpu_info[0];

	(void)state;
	info->evtchn_upcall_mask = 1;
	fake->run[0].s.regs.regs.rflags = IF;
	assert_int_equal(fake_call(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0), 0);
	assert_int_equal(fake->mp_state[0], KVM_MP_STATE_HALTED);
	assert_int_equal(info->evtchn_upcall_mask, 0);

	/* Not to halt, though not to sleep either */
	fake->mp_state[0] = KVM_MP_STATE_RUNNABLE;
	info->evtchn_upcall_pending = 1;
	assert_int_equal(fake_call(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0), 0);
	fake->run[0].s.regs.regs.rflags = 0;
	assert_int_equal(fake_call(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0), 0);
	assert_int_equal(fake->mp_state[0], KVM_MP_STATE_RUNNABLE);
}

/* With interrupts off they stay off, and KVM would not wake a halted vCPU */
static void test_block_without_interrupts(void **state)
{
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	pthread_t thread;

	(void)state;
	assert_int_equal(
		fake_op(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, &ipi, sizeof(ipi)), 0);
	pthread_create(&thread, NULL, wake_later, &ipi.port);
	assert_int_equal(fake_call(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0), 0);
	assert_true(evtchn_is_pending(&fake->d, ipi.port));
	pthread_join(thread, NULL);
	assert_int_equal(fake->mp_state[0], KVM_MP_STATE_RUNNABLE);
	assert_int_equal(fake->run[0].s.regs.regs.rflags & IF, 0);
	assert_int_equal(fake->run[0].kvm_dirty_regs, 0);
}

static void test_poll_is_woken(void **state)
{
	struct evtchn_bind_ipi ipi = { .vcpu = 1 };
	struct sched_poll p = { .nr_ports = 1 };
	evtchn_port_t *port = fake_ram(0x9000);
	pthread_t thread;

	(void)state;
	assert_int_equal(
		fake_op(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, &ipi, sizeof(ipi)), 0);
	((struct shared_info *)fake->d.shared_info.va)->evtchn_mask[0] = ~0UL;
	*port = ipi.port;
	p.ports.p = (void *)0x9000;
	pthread_create(&thread, NULL, wake_later, &ipi.port);
	assert_int_equal(fake_op(__HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p)), 0);
	pthread_join(thread, NULL);
	assert_true(evtchn_is_pending(&fake->d, ipi.port));
}

static void test_multicall(void **state)
{
	struct multicall_entry calls[] = {
		{ .op = __HYPERVISOR_xen_version, .args = { XENVER_version } },
		{ .op = 63 },
		{ .op = __HYPERVISOR_multicall, .args = { 0x9000, 1 } },
		{ .op = __HYPERVISOR_xen_version, .args = { XENVER_pagesize } },
	};
	struct multicall_entry *result = fake_ram(0x9000);

	(void)state;
	memcpy(result, calls, sizeof(calls));
	assert_int_equal(fake_call(__HYPERVISOR_multicall, 0x9000, ARRAY_SIZE(calls), 0), 0);
	assert_int_equal(result[0].result, 4 << 16 | 17);
	assert_int_equal(result[1].result, -ENOSYS);
	assert_int_equal(result[2].result, -EINVAL);
	assert_int_equal(result[3].result, PAGE_SIZE);
	assert_int_equal(hypercall_count(&fake->d, __HYPERVISOR_multicall), 2);
	assert_int_equal(hypercall_count(&fake->d, __HYPERVISOR_xen_version), 2);
}

static void test_vm_assist_and_console(void **state)
{
	(void)state;
	assert_int_equal(fake_call(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
				   VMASST_TYPE_runstate_update_flag, 0),
			 0);
	assert_int_equal(fake_call(__HYPERVISOR_vm_assist, 9, VMASST_TYPE_runstate_update_flag, 0),
			 -ENOSYS);
	assert_int_equal(fake_call(__HYPERVISOR_vm_assist, VMASST_CMD_enable, 0, 0), -EINVAL);
	assert_int_equal(fake_call(__HYPERVISOR_vm_assist, VMASST_CMD_enable, 64, 0), -EINVAL);
	memset(fake_ram(0x9000), 'x', PAGE_SIZE);
	assert_int_equal(fake_call(__HYPERVISOR_console_io, CONSOLEIO_write, PAGE_SIZE, 0x9000), 0);
	assert_int_equal(fake_call(__HYPERVISOR_console_io, CONSOLEIO_read, 8, 0x9000), -ENOSYS);
}

static void test_32bit_callers(void **state)
{
	struct hypercall_args call = { .nr = 0xdead00000000 | __HYPERVISOR_xen_version,
				       .arg = { 0xbeef00000000 | XENVER_version } };

	(void)state;
	fake->run[0].s.regs.sregs.cs.l = 0;
	assert_int_equal(hypercall_dispatch(&fake->vcpu[0], &call), 4 << 16 | 17);
	/* An address has four bytes there */
	memset(fake_ram(FAKE_ARG), 0xaa, 8);
	call.arg[0] = XENVER_platform_parameters;
	call.arg[1] = FAKE_ARG;
	assert_int_equal(hypercall_dispatch(&fake->vcpu[0], &call), 0);
	assert_int_equal(*(uint64_t *)fake_ram(FAKE_ARG), 0xaaaaaaaa00000000);
	/* Structures with pointers look different to such a caller */
	call.nr = __HYPERVISOR_memory_op;
	assert_int_equal(hypercall_dispatch(&fake->vcpu[0], &call), -ENOSYS);
	call.nr = __HYPERVISOR_grant_table_op;
	assert_int_equal(hypercall_dispatch(&fake->vcpu[0], &call), -ENOSYS);
}

static long call32(unsigned int nr, unsigned int cmd, const uint32_t *op, size_t size)
{
	const struct hypercall_args call = { nr, { cmd, 0x100000000 | FAKE_ARG } };

	fake->run[0].s.regs.sregs.cs.l = 0;
	memset(fake_ram(FAKE_ARG), 0xaa, 64);
	memcpy(fake_ram(FAKE_ARG), op, size);
	return hypercall_dispatch(&fake->vcpu[0], &call);
}

static void test_32bit_add_to_physmap(void **state)
{
	const struct hypercall_args unreadable = { __HYPERVISOR_memory_op,
						   { XENMEM_add_to_physmap, FAKE_RAM } };
	uint32_t op[4] = { DOMID_SELF, XENMAPSPACE_shared_info, 0, 0x20 };

	(void)state;
	assert_int_equal(call32(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, op, sizeof(op)), 0);
	assert_int_equal(fake->d.shared_info.gfn, 0x20);
	op[2] = 1;
	assert_int_equal(call32(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, op, sizeof(op)),
			 -EINVAL);
	op[0] = 0;
	assert_int_equal(call32(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, op, sizeof(op)),
			 -EPERM);
	assert_int_equal(hypercall_dispatch(&fake->vcpu[0], &unreadable), -EFAULT);
}

static void test_32bit_sched_op(void **state)
{
	const struct hypercall_args unreadable = { __HYPERVISOR_sched_op,
						   { SCHEDOP_poll, FAKE_RAM } };
	/* A wild port (0xaaaaaaaa); a deadline that is over */
	uint32_t op[4] = { FAKE_ARG + 32, 1, 1, 0 }, reason = SHUTDOWN_poweroff;

	(void)state;
	assert_int_equal(call32(__HYPERVISOR_sched_op, SCHEDOP_yield, op, 0), 0);
	assert_int_equal(call32(__HYPERVISOR_sched_op, SCHEDOP_poll, op, sizeof(op)), -EINVAL);
	op[1] = 0;
	assert_int_equal(call32(__HYPERVISOR_sched_op, SCHEDOP_poll, op, sizeof(op)), 0);
	assert_int_equal(hypercall_dispatch(&fake->vcpu[0], &unreadable), -EFAULT);
	assert_int_equal(call32(__HYPERVISOR_sched_op, 77, op, 0), -ENOSYS);
	assert_int_equal(call32(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &reason, sizeof(reason)),
			 0);
	assert_int_equal(fake->d.shutdown_reason, SHUTDOWN_poweroff);
}

static void test_page(void **state)
{
	uint8_t page[PAGE_SIZE];
	const uint8_t want[] = { 0xb8, 17, 0, 0, 0, 0xe6, 0xb4, 0xc3 };

	(void)state;
	fake->d.transport = TRANSPORT_PORT;
	hypercall_page_fill(&fake->d, page);
	assert_memory_equal(page + 17 * 32, want, sizeof(want));
	fake->d.transport = TRANSPORT_INTERCEPT;
	hypercall_page_fill(&fake->d, page);
	assert_memory_equal(page + 17 * 32, want, 5);
	assert_int_equal(page[17 * 32 + 5], 0x0f);
	assert_int_equal(page[17 * 32 + 8], 0xc3);
}

#define T(n) cmocka_unit_test_setup_teardown(test_##n, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(privilege),
		T(unknown),
		T(unknown_subops),
		T(bad_pointers),
		T(version),
		T(hvm_params),
		T(hvm_others),
		T(physmap_errors),
		T(physmap_batch),
		T(sched),
		T(poll_is_woken),
		T(block),
		T(block_without_interrupts),
		T(multicall),
		T(vm_assist_and_console),
		T(32bit_callers),
		T(32bit_add_to_physmap),
		T(32bit_sched_op),
		T(page),
	};

	return cmocka_run_group_tests_name("hypercall", tests, NULL, NULL);
}
