// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "hv/domain.h"
#include "hv/domain_abi.h"
#include "hv/evtchn.h"
#include "hv/hypercall.h"
#include "hv/hypercalls.h"
#include "hv/log.h"
#include "hv/timer.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"

#include <xen-public/hvm/hvm_op.h>
#include <xen-public/hvm/params.h>

/* Who may do what with a parameter. Anything else is the domain builder's: -EPERM */
enum {
	PARAM_GET = 1,
	PARAM_SET = 2,
	PARAM_OLD = 4, /* gone: -EINVAL */
};

static const uint8_t param_access[HVM_NR_PARAMS] = {
	/*
	 * PAE_ENABLED, DM_DOMAIN, MEMORY_EVENT_*, NESTEDHVM, BUFIOREQ_EVTCHN: no names for us to
	 * see
	 */
	[4] = PARAM_OLD,
	[13] = PARAM_OLD,
	[20 ... 26] = PARAM_OLD,
	[30] = PARAM_OLD,
	[HVM_PARAM_CALLBACK_IRQ] = PARAM_GET | PARAM_SET,
	[HVM_PARAM_STORE_PFN] = PARAM_GET,
	[HVM_PARAM_STORE_EVTCHN] = PARAM_GET | PARAM_SET,
	[HVM_PARAM_VM86_TSS] = PARAM_GET | PARAM_SET,
	[HVM_PARAM_CONSOLE_PFN] = PARAM_GET,
	[HVM_PARAM_CONSOLE_EVTCHN] = PARAM_GET | PARAM_SET,
	[HVM_PARAM_ACPI_IOPORTS_LOCATION] = PARAM_GET | PARAM_SET,
	[HVM_PARAM_VM_GENERATION_ID_ADDR] = PARAM_GET | PARAM_SET,
	[HVM_PARAM_ALTP2M] = PARAM_GET,
	[HVM_PARAM_X87_FIP_WIDTH] = PARAM_GET | PARAM_SET,
	[HVM_PARAM_VM86_TSS_SIZED] = PARAM_GET | PARAM_SET,
};

static long check_param(const struct domain *d, const struct xen_hvm_param *op, unsigned int want)
{
	long err;

	if (op->index >= HVM_NR_PARAMS)
		return -EINVAL;
	err = hypercall_check_domid(d, op->domid);
	if (err)
		return err;
	if (param_access[op->index] & PARAM_OLD)
		return -EINVAL;
	return param_access[op->index] & want ? 0 : -EPERM;
}

/*
 * How to tell the guest about events, if not by per-vCPU vectors. As in a Xen guest without PIC and
 * IOAPIC, the types that name an interrupt line are accepted and do nothing: guests with per-vCPU
 * vectors write such a value only to be seen as ones that know Xen.
 */
static long set_callback(struct vcpu *v, uint64_t value)
{
	bool vectors = __atomic_load_n(&v->domain->vcpu[0]->abi->upcall_vector, __ATOMIC_RELAXED);

	if (value >> 56 == HVM_PARAM_CALLBACK_TYPE_VECTOR)
		return evtchn_set_callback_vector(v->domain, value);
	if (value && !vectors)
		pr_once(LOG_LEVEL_WARN, "guest wants events as a line interrupt; there is none, "
					"it has to register per-vCPU vectors");
	return evtchn_set_callback_vector(v->domain, 0);
}

static long check_value(struct vcpu *v, uint32_t index, uint64_t value)
{
	switch (index) {
	case HVM_PARAM_CALLBACK_IRQ:
		return set_callback(v, value);
	case HVM_PARAM_ACPI_IOPORTS_LOCATION:
		return -ENODEV; /* there is no ACPI PM timer */
	case HVM_PARAM_VM86_TSS:
		return value >> 32 ? -EINVAL : 0;
	case HVM_PARAM_VM86_TSS_SIZED:
		return value >> 32 < 0x68 ? -EINVAL : 0;
	case HVM_PARAM_X87_FIP_WIDTH:
		return value == 0 || value == 4 || value == 8 ? 0 : -EINVAL;
	default:
		return 0;
	}
}

static long op_set_param(struct vcpu *v, void *arg)
{
	const struct xen_hvm_param *op = arg;
	uint32_t index = op->index;
	long err = check_param(v->domain, op, PARAM_SET);

	if (!err)
		err = check_value(v, index, op->value);
	if (err)
		return err;
	if (index == HVM_PARAM_VM86_TSS)
		index = HVM_PARAM_VM86_TSS_SIZED;
	__atomic_store_n(&v->domain->abi->param[index], op->value, __ATOMIC_RELAXED);
	return 0;
}

static uint64_t param_value(const struct domain *d, uint32_t index)
{
	const uint64_t *param = d->abi->param;

	switch (index) {
	case HVM_PARAM_STORE_PFN:
		return d->store_gfn;
	case HVM_PARAM_CONSOLE_PFN:
		return d->console_gfn;
	case HVM_PARAM_STORE_EVTCHN:
		return param[index] ? param[index] : d->store_port;
	case HVM_PARAM_CONSOLE_EVTCHN:
		return param[index] ? param[index] : d->console_port;
	case HVM_PARAM_VM86_TSS:
		return (uint32_t)param[HVM_PARAM_VM86_TSS_SIZED];
	default:
		return __atomic_load_n(&param[index], __ATOMIC_RELAXED);
	}
}

static long op_get_param(struct vcpu *v, void *arg)
{
	struct xen_hvm_param *op = arg;
	long err = check_param(v->domain, op, PARAM_GET);

	if (!err)
		op->value = param_value(v->domain, op->index);
	return err;
}

static long op_set_evtchn_upcall_vector(struct vcpu *v, void *arg)
{
	struct xen_hvm_evtchn_upcall_vector *op = arg;
	struct domain *d = v->domain;

	if (op->vector < 0x10)
		return -EINVAL;
	if (op->vcpu >= d->nr_vcpus)
		return -ENOENT;
	return evtchn_set_upcall_vector(d->vcpu[op->vcpu], op->vector);
}

/* An optimization for shadow page tables, which KVM hides */
static long op_pagetable_dying(struct vcpu *v, void *arg)
{
	struct xen_hvm_pagetable_dying *op = arg;
	long err = hypercall_check_domid(v->domain, op->domid);

	if (err == -ESRCH)
		return err;
	return err ? -EOPNOTSUPP : -EINVAL;
}

static long op_get_time(struct vcpu *v, void *arg)
{
	((struct xen_hvm_get_time *)arg)->now = timer_now(v->domain);
	return 0;
}

static long op_get_mem_type(struct vcpu *v, void *arg)
{
	struct xen_hvm_get_mem_type *op = arg;
	long err = hypercall_check_domid(v->domain, op->domid);

	if (!err)
		op->mem_type = mem_page(v->domain, op->pfn) ? HVMMEM_ram_rw : HVMMEM_mmio_dm;
	return err;
}

#define OP(n, type, ...) \
	[HVMOP_##n] = { #n, op_##n, HYPERCALL_SUBOP_SIZE(struct type), __VA_ARGS__ }

static const struct hypercall_subop ops[] = {
	OP(set_param, xen_hvm_param),
	OP(get_param, xen_hvm_param, .out = true),
	OP(pagetable_dying, xen_hvm_pagetable_dying),
	OP(get_time, xen_hvm_get_time, .out = true),
	OP(get_mem_type, xen_hvm_get_mem_type, .out = true),
	OP(set_evtchn_upcall_vector, xen_hvm_evtchn_upcall_vector),
};

long hc_hvm_op(struct vcpu *v, const uint64_t *arg)
{
	return hypercall_subop(v, __HYPERVISOR_hvm_op, ops, ARRAY_SIZE(ops), arg[0], arg[1]);
}
