// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cpuid.h>

#include <paravane/cpuid.h>

#include "hv/domain.h"
#include "hv/domain_abi.h"
#include "hv/evtchn.h"
#include "hv/gnttab.h"
#include "hv/hypercall.h"
#include "hv/hypercalls.h"
#include "hv/log.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"
#include "hv/xen/compat.h"
#include "hv/xen/privileged.h"
#include "hv/xen/runstate.h"

/**
 * struct hypercall - what we know about a number
 * @name: Xen's name
 * @fn: its handler; NULL answers -ENOSYS
 * @fn32: its handler for 32-bit callers: @fn where arguments and structures look the same to them
 */
struct hypercall {
	const char *name;
	hypercall_fn fn, fn32;
};

#define CALL(n, ...) [__HYPERVISOR_##n] = { .name = #n, __VA_ARGS__ }

static const struct hypercall hypercalls[HYPERCALL_NRS] = {
	CALL(set_trap_table),
	CALL(mmu_update),
	CALL(set_gdt),
	CALL(stack_switch),
	CALL(set_callbacks),
	CALL(fpu_taskswitch),
	CALL(sched_op_compat),
	CALL(platform_op, .fn = privileged_platform_op, .fn32 = privileged_platform_op),
	CALL(set_debugreg),
	CALL(get_debugreg),
	CALL(update_descriptor),
	CALL(memory_op, .fn = hc_memory_op, .fn32 = compat_memory_op),
	CALL(multicall, .fn = hc_multicall),
	CALL(update_va_mapping),
	CALL(set_timer_op, .fn = hc_set_timer_op),
	CALL(event_channel_op_compat),
	CALL(xen_version, .fn = hc_xen_version, .fn32 = hc_xen_version),
	CALL(console_io, .fn = hc_console_io, .fn32 = hc_console_io),
	CALL(physdev_op_compat),
	CALL(grant_table_op, .fn = gnttab_op),
	CALL(vm_assist, .fn = hc_vm_assist, .fn32 = hc_vm_assist),
	CALL(update_va_mapping_otherdomain),
	CALL(iret),
	CALL(vcpu_op, .fn = hc_vcpu_op, .fn32 = compat_vcpu_op),
	CALL(set_segment_base),
	CALL(mmuext_op),
	CALL(xsm_op),
	CALL(nmi_op),
	CALL(sched_op, .fn = hc_sched_op, .fn32 = compat_sched_op),
	CALL(callback_op),
	CALL(xenoprof_op),
	CALL(event_channel_op, .fn = evtchn_op, .fn32 = evtchn_op),
	CALL(physdev_op),
	CALL(hvm_op, .fn = hc_hvm_op, .fn32 = hc_hvm_op),
	CALL(sysctl, .fn = privileged_sysctl, .fn32 = privileged_sysctl),
	CALL(domctl, .fn = privileged_domctl, .fn32 = privileged_domctl),
	CALL(kexec_op),
	CALL(tmem_op),
	CALL(argo_op),
	CALL(xenpmu_op),
	CALL(dm_op),
	CALL(hypfs_op),
};

const char *hypercall_name(unsigned int nr)
{
	return nr < HYPERCALL_NRS ? hypercalls[nr].name : NULL;
}

uint64_t hypercall_count(const struct domain *d, unsigned int nr)
{
	uint64_t sum = 0;

	if (nr >= HYPERCALL_NRS)
		return 0;
	for (unsigned int i = 0; i < MAX_VCPUS; i++)
		sum += __atomic_load_n(&d->abi->count[i][nr], __ATOMIC_RELAXED);
	return sum;
}

/* True the first time it is called for this bit */
static bool first_time(uint64_t *seen, uint64_t bit)
{
	uint64_t mask = 1ULL << (bit < 63 ? bit : 63);

	return !(__atomic_fetch_or(seen, mask, __ATOMIC_RELAXED) & mask);
}

long hypercall_unserved(struct domain *d, unsigned int nr, uint64_t cmd)
{
	if (first_time(&d->abi->unserved_sub[nr], cmd))
		pr_warn("guest asked for %s sub-operation %llu, which is not served",
			hypercalls[nr].name, (unsigned long long)cmd);
	return -ENOSYS;
}

long hypercall_check_domid(const struct domain *d, domid_t domid)
{
	if (domid == DOMID_SELF || domid == d->domid)
		return 0;
	return domid == 0 ? -EPERM : -ESRCH;
}

long hypercall_call(struct vcpu *v, const struct hypercall_args *call)
{
	const struct hypercall *hc = call->nr < HYPERCALL_NRS ? &hypercalls[call->nr] : NULL;
	hypercall_fn fn = !hc ? NULL : vcpu_long_mode(v) ? hc->fn : hc->fn32;
	struct domain_abi *abi = v->domain->abi;
	struct hypercall_args narrow;
	long ret;

	if (!fn) {
		if (first_time(&abi->unserved, call->nr))
			pr_warn("guest made hypercall %llu (%s), which is not served",
				(unsigned long long)call->nr,
				hc && hc->name ? hc->name : "unknown");
		ret = -ENOSYS;
	} else if (vcpu_long_mode(v)) {
		ret = fn(v, call->arg);
	} else {
		for (unsigned int i = 0; i < HYPERCALL_ARGS; i++)
			narrow.arg[i] = (uint32_t)call->arg[i];
		ret = fn(v, narrow.arg);
	}
	if (hc)
		counter_inc(&abi->count[v->id][call->nr]);
	pr_debug("vcpu %u: %s(%llx, %llx, %llx) = %ld", v->id, hc && hc->name ? hc->name : "?",
		 (unsigned long long)call->arg[0], (unsigned long long)call->arg[1],
		 (unsigned long long)call->arg[2], ret);
	return ret;
}

long hypercall_dispatch(struct vcpu *v, const struct hypercall_args *call)
{
	struct hypercall_args wide = *call;
	long ret;

	if (vcpu_cpl(v))
		return -EPERM;
	if (!vcpu_long_mode(v))
		wide.nr = (uint32_t)wide.nr;
	ret = hypercall_call(v, &wide);
	evtchn_upcall_retry(v);
	runstate_refresh(v);
	return ret;
}

long hypercall_subop(struct vcpu *v, unsigned int nr, const struct hypercall_subop *op,
		     size_t nr_ops, uint64_t cmd, gva_t uarg)
{
	_Alignas(8) uint8_t copy[HYPERCALL_SUBOP_MAX];
	long ret;

	if (cmd >= nr_ops || !op[cmd].fn)
		return hypercall_unserved(v->domain, nr, cmd);
	op += cmd;
	if (op->size && mem_read_gva(v, copy, uarg, op->size))
		return -EFAULT;
	ret = op->fn(v, copy);
	if (ret >= 0 && op->out && mem_write_gva(v, uarg, copy, op->size))
		ret = -EFAULT;
	pr_debug("vcpu %u: %s %s = %ld", v->id, hypercalls[nr].name, op->name, ret);
	return ret;
}

/* VMMCALL on processors that have AMD's virtualization, VMCALL on the others */
static bool host_is_amd(void)
{
	unsigned int eax, ebx, ecx, edx;

	if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx))
		return false;
	return ebx == signature_AMD_ebx || ebx == 0x6f677948 /* "Hygo" */;
}

void hypercall_page_fill(const struct domain *d, void *page)
{
	/* out %al, $port; ret; int3 */
	const uint8_t port[] = { 0xe6, PARAVANE_HYPERCALL_PORT, 0xc3, 0xcc };
	const uint8_t vmmcall[] = { 0x0f, 0x01, 0xd9, 0xc3 };
	const uint8_t vmcall[] = { 0x0f, 0x01, 0xc1, 0xc3 };
	const uint8_t ud2[] = { 0x0f, 0x0b };
	const uint8_t *leave = d->transport == TRANSPORT_PORT ? port :
			       host_is_amd()		      ? vmmcall :
								vmcall;
	uint8_t *entry = page;

	memset(page, 0xcc, PAGE_SIZE);
	for (uint32_t nr = 0; nr < PAGE_SIZE / 32; nr++, entry += 32) {
		entry[0] = 0xb8; /* mov $nr, %eax */
		memcpy(entry + 1, &nr, sizeof(nr));
		if (nr == __HYPERVISOR_iret)
			memcpy(entry, ud2, sizeof(ud2));
		else
			memcpy(entry + 5, leave, sizeof(vmcall));
	}
}
