// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What happens after KVM_RUN returned with something to do in user space.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hv/domain.h"
#include "hv/hypercall.h"
#include "hv/log.h"
#include "hv/mem.h"
#include "hv/vcpu.h"

#include <xen-public/sched.h>

/** typedef exit_fn - serve one exit; a shutdown reason (SHUTDOWN_*), or -1 to go on */
typedef int (*exit_fn)(struct vcpu *v);

static void vcpu_print_state(const struct vcpu *v)
{
	const struct kvm_regs *r = &v->run->s.regs.regs;
	const struct kvm_sregs *s = &v->run->s.regs.sregs;

	pr_err("vCPU %u: rip %#llx rsp %#llx rflags %#llx cr0 %#llx cr2 %#llx cr3 %#llx cr4 %#llx",
	       v->id, r->rip, r->rsp, r->rflags, s->cr0, s->cr2, s->cr3, s->cr4);
}

static int exit_io(struct vcpu *v)
{
	const struct kvm_run *run = v->run;

	return pio_exit(v, run->io.port, run->io.direction == KVM_EXIT_IO_OUT, run->io.size,
			run->io.count, (uint8_t *)run + run->io.data_offset);
}

/* There is no device in memory: reads give all ones, as on a bus without a device. */
static int exit_mmio(struct vcpu *v)
{
	struct kvm_run *run = v->run;

	pr_once(LOG_LEVEL_DEBUG, "guest accesses %#llx, where nothing is", run->mmio.phys_addr);
	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
	return -1;
}

static int exit_xen(struct vcpu *v)
{
	struct kvm_xen_exit *xen = &v->run->xen;
	struct hypercall_args call;

	if (xen->type != KVM_EXIT_XEN_HCALL)
		return -1;
	call.nr = xen->u.hcall.input;
	for (unsigned int i = 0; i < HYPERCALL_ARGS; i++)
		call.arg[i] = xen->u.hcall.params[i];
	xen->u.hcall.result = hypercall_dispatch(v, &call);
	return -1;
}

/* Only the hypercall page's MSR comes here. Its value: where the page goes, and (bits 11:0) which page. */
static int exit_wrmsr(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	void *page = mem_page(v->domain, run->msr.data >> PAGE_SHIFT);

	run->msr.error = !page || (run->msr.data & (PAGE_SIZE - 1));
	if (!run->msr.error)
		hypercall_page_fill(v->domain, page);
	return -1;
}

static int exit_rdmsr(struct vcpu *v)
{
	v->run->msr.data = 0;
	v->run->msr.error = 0;
	return -1;
}

static int exit_ignored(struct vcpu *v)
{
	(void)v;
	return -1;
}

static int exit_shutdown(struct vcpu *v)
{
	pr_err("vCPU %u: triple fault", v->id);
	vcpu_print_state(v);
	return SHUTDOWN_crash;
}

static int exit_fail_entry(struct vcpu *v)
{
	pr_err("vCPU %u: the processor refuses its state, hardware reason %#llx", v->id,
	       v->run->fail_entry.hardware_entry_failure_reason);
	vcpu_print_state(v);
	return SHUTDOWN_crash;
}

static int exit_internal_error(struct vcpu *v)
{
	pr_err("vCPU %u: KVM internal error %u%s", v->id, v->run->internal.suberror,
	       v->run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION ?
		       " (an instruction it cannot emulate)" :
		       "");
	vcpu_print_state(v);
	return SHUTDOWN_crash;
}

static const struct {
	const char *name;
	exit_fn fn;
} exits[] = {
	[KVM_EXIT_IO] = { "io", exit_io },
	[KVM_EXIT_MMIO] = { "mmio", exit_mmio },
	[KVM_EXIT_XEN] = { "xen", exit_xen },
	[KVM_EXIT_X86_RDMSR] = { "rdmsr", exit_rdmsr },
	[KVM_EXIT_X86_WRMSR] = { "wrmsr", exit_wrmsr },
	[KVM_EXIT_IRQ_WINDOW_OPEN] = { "irq_window", exit_ignored },
	[KVM_EXIT_IOAPIC_EOI] = { "ioapic_eoi", exit_ignored },
	[KVM_EXIT_INTR] = { "intr", exit_ignored },
	[KVM_EXIT_SHUTDOWN] = { "shutdown", exit_shutdown },
	[KVM_EXIT_FAIL_ENTRY] = { "fail_entry", exit_fail_entry },
	[KVM_EXIT_INTERNAL_ERROR] = { "internal_error", exit_internal_error },
};

const char *vcpu_exit_name(unsigned int reason)
{
	return reason < ARRAY_SIZE(exits) && exits[reason].name ? exits[reason].name : "other";
}

void vcpu_exit(struct vcpu *v)
{
	unsigned int reason = v->run->exit_reason;
	int shutdown = SHUTDOWN_crash;

	counter_inc(&v->stats.user_exits);
	counter_inc(&v->stats.exits[reason % ARRAY_SIZE(v->stats.exits)]);
	if (reason < ARRAY_SIZE(exits) && exits[reason].fn) {
		shutdown = exits[reason].fn(v);
	} else {
		pr_err("vCPU %u: unexpected KVM exit %u", v->id, reason);
		vcpu_print_state(v);
	}
	if (shutdown >= 0)
		domain_shutdown(v->domain, shutdown);
}
