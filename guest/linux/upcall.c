// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upcalls: how the hypervisor interrupts each vCPU.
 *
 * The kernel's own callback vector is out of a module's reach, so each CPU gets an ordinary vector
 * from an interrupt domain of ours above x86_vector_domain, told to the hypervisor with
 * HVMOP_set_evtchn_upcall_vector. A vector belongs to one CPU: it is allocated and freed by that
 * CPU's hotplug callbacks and never migrates.
 *
 * Where the hypervisor has no such vectors, all events go to vCPU 0 and from there to the interrupt
 * line of the platform device, which any CPU may take: one line and one state for all CPUs.
 */
#include <linux/cpu.h>
#include <linux/interrupt.h>
#include <linux/iopoll.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/string.h>
#include <asm/hw_irq.h>
#include <asm/irqdomain.h>

#include <paravane/evtchn.h>

#include "guest/linux/hypercall.h"
#include "guest/linux/internal.h"

/* Values of HVM_PARAM_CALLBACK_IRQ: none, and "a guest that knows Xen", for the toolstack. */
#define CALLBACK_NONE 0
#define CALLBACK_AWARE 1

/* How long the first event by the line may take. */
#define LINE_PATIENCE_US USEC_PER_SEC

static char *upcall = "auto";
module_param(upcall, charp, 0444);
MODULE_PARM_DESC(upcall, "How events arrive: auto (default), vector, or intx (platform device)");

/**
 * struct upcall_cpu - one CPU's upcall
 * @scan: state of the scan; scan.vcpu is NULL while this CPU receives no events
 * @virq: its interrupt, 0 if none
 * @vcpu: Xen's number of it
 */
struct upcall_cpu {
	struct paravane_evtchn_cpu scan;
	unsigned int virq;
	unsigned int vcpu;
};

static DEFINE_PER_CPU(struct upcall_cpu, upcall_cpus);
static struct upcall_cpu upcall_line;
static bool by_line;
static bool line_works;
static struct page *shared_page;
static struct irq_domain *upcall_domain;
static struct fwnode_handle *upcall_fwnode;
static int upcall_hotplug;

/* Why a CPU has no vector; told by itself only once there are vectors. */
static int vector_err;
static bool vectors_settled;

/**
 * paravane_shared_info() - the shared_info page
 */
struct shared_info *paravane_shared_info(void)
{
	return page_address(shared_page);
}

static struct upcall_cpu *upcall_of(unsigned int cpu)
{
	return by_line ? &upcall_line : per_cpu_ptr(&upcall_cpus, cpu);
}

/**
 * paravane_upcall_cpu() - a CPU's scan state
 * @cpu: CPU
 */
struct paravane_evtchn_cpu *paravane_upcall_cpu(unsigned int cpu)
{
	return &upcall_of(cpu)->scan;
}

/**
 * paravane_upcall_vcpu() - Xen's number of a CPU
 * @cpu: CPU
 *
 * Return: the number, or -ENXIO if that CPU receives no events. Stable under cpus_read_lock().
 */
int paravane_upcall_vcpu(unsigned int cpu)
{
	const struct upcall_cpu *uc = upcall_of(cpu);

	return uc->scan.vcpu ? uc->vcpu : -ENXIO;
}

static irqreturn_t upcall_interrupt(int irq, void *data)
{
	struct upcall_cpu *uc = data;

	/*
	 * Finding nothing is normal: an event that comes during a scan is handled by it, and still
	 * raises the vector once more. Calling that unhandled could get the vector switched off.
	 */
	paravane_evtchn_scan(paravane_shared_info(), &uc->scan, paravane_evtchn_dispatch, uc);
	return IRQ_HANDLED;
}

static struct irq_chip upcall_chip = {
	.name = "paravane",
	.irq_ack = irq_chip_ack_parent,
	.flags = IRQCHIP_SKIP_SET_WAKE,
};

static int upcall_domain_alloc(struct irq_domain *domain, unsigned int virq, unsigned int nr,
			       void *arg)
{
	struct irq_alloc_info *info = arg;
	int err = irq_domain_alloc_irqs_parent(domain, virq, nr, arg);

	if (err)
		return err;
	irq_domain_set_info(domain, virq, cpumask_first(info->mask), &upcall_chip, NULL,
			    handle_edge_irq, NULL, "edge");
	return 0;
}

static const struct irq_domain_ops upcall_domain_ops = {
	.alloc = upcall_domain_alloc,
	.free = irq_domain_free_irqs_common,
};

static int upcall_vector(unsigned int virq)
{
	struct irq_data *data = irq_domain_get_irq_data(x86_vector_domain, virq);
	struct irq_cfg *cfg = data ? irqd_cfg(data) : NULL;

	return cfg ? cfg->vector : -ENXIO;
}

static int upcall_alloc_irq(struct upcall_cpu *uc, unsigned int cpu)
{
	struct irq_alloc_info info = { .mask = cpumask_of(cpu) };
	int virq, err;

	virq = __irq_domain_alloc_irqs(upcall_domain, -1, 1, cpu_to_node(cpu), &info, false, NULL);
	if (virq < 0)
		return virq;
	err = request_irq(virq, upcall_interrupt,
			  IRQF_PERCPU | IRQF_NOBALANCING | IRQF_NO_THREAD | IRQF_NO_SUSPEND,
			  "paravane", uc);
	if (err) {
		irq_dispose_mapping(virq);
		return err;
	}
	uc->virq = virq;
	return 0;
}

static void upcall_free_irq(struct upcall_cpu *uc)
{
	free_irq(uc->virq, uc);
	irq_dispose_mapping(uc->virq);
	uc->virq = 0;
}

/* Tell the hypervisor which vector it is. */
static int upcall_announce(const struct upcall_cpu *uc)
{
	struct xen_hvm_evtchn_upcall_vector op = { .vcpu = uc->vcpu };
	int vector = upcall_vector(uc->virq);

	if (vector < 0)
		return vector;
	op.vector = vector;
	return paravane_hvm_op(HVMOP_set_evtchn_upcall_vector, &op);
}

static int upcall_start(struct upcall_cpu *uc, unsigned int cpu)
{
	int err;

	uc->vcpu = paravane_this_vcpu();
	if (uc->vcpu >= XEN_LEGACY_MAX_VCPUS)
		return -ENOSPC;
	/*
	 * Before there is a handler: the hypervisor still has the vector of an earlier load, which
	 * may be the one we are given.
	 */
	memset(&uc->scan, 0, sizeof(uc->scan));
	uc->scan.vcpu = &paravane_shared_info()->vcpu_info[uc->vcpu];
	err = upcall_alloc_irq(uc, cpu);
	if (err)
		goto forget;
	err = upcall_announce(uc);
	if (err)
		goto free;
	return 0;

free:
	upcall_free_irq(uc);
forget:
	uc->scan.vcpu = NULL;
	return err;
}

/*
 * A CPU without upcall is of use all the same, so this does not stop it from coming online. What
 * was raised while the vector was not known yet has set the flag and is not raised again: the scan
 * at the end picks it up.
 */
static int upcall_online(unsigned int cpu)
{
	struct upcall_cpu *uc = per_cpu_ptr(&upcall_cpus, cpu);
	unsigned long flags;
	int err = upcall_start(uc, cpu);

	if (err) {
		vector_err = err;
		if (vectors_settled)
			pr_err("CPU %u receives no events (%d)\n", cpu, err);
		return 0;
	}
	local_irq_save(flags);
	paravane_evtchn_scan(paravane_shared_info(), &uc->scan, paravane_evtchn_dispatch, uc);
	local_irq_restore(flags);
	return 0;
}

static int upcall_offline(unsigned int cpu)
{
	struct upcall_cpu *uc = per_cpu_ptr(&upcall_cpus, cpu);

	if (!uc->virq)
		return 0;
	paravane_evtchn_leave_cpu(cpu);
	upcall_free_irq(uc);
	uc->scan.vcpu = NULL;
	return 0;
}

static int upcall_domain_create(void)
{
	upcall_fwnode = irq_domain_alloc_named_fwnode("paravane");
	if (!upcall_fwnode)
		return -ENOMEM;
	upcall_domain = irq_domain_create_hierarchy(x86_vector_domain, 0, 0, upcall_fwnode,
						    &upcall_domain_ops, NULL);
	if (!upcall_domain) {
		irq_domain_free_fwnode(upcall_fwnode);
		return -ENOMEM;
	}
	return 0;
}

static void upcall_domain_destroy(void)
{
	irq_domain_remove(upcall_domain);
	irq_domain_free_fwnode(upcall_fwnode);
}

/* Does a CPU have a vector? One line for those that have none beside it. */
static bool vectors_work(void)
{
	static struct cpumask without;
	unsigned int cpu;

	cpumask_clear(&without);
	for_each_online_cpu(cpu) {
		if (paravane_upcall_vcpu(cpu) < 0)
			cpumask_set_cpu(cpu, &without);
	}
	if (cpumask_equal(&without, cpu_online_mask))
		return false;
	if (!cpumask_empty(&without))
		pr_err("these CPUs receive no events: %*pbl (%d)\n", cpumask_pr_args(&without),
		       vector_err);
	return true;
}

static void vectors_stop(void)
{
	cpuhp_remove_state(upcall_hotplug);
	upcall_domain_destroy();
}

static int vectors_start(void)
{
	int err;

	if (!paravane_platform.has_upcall_vector)
		return -EOPNOTSUPP;
	err = upcall_domain_create();
	if (err)
		return err;
	vectors_settled = false;
	vector_err = -ENXIO;
	upcall_hotplug = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "paravane:online", upcall_online,
					   upcall_offline);
	if (upcall_hotplug < 0) {
		upcall_domain_destroy();
		return upcall_hotplug;
	}
	if (!vectors_work()) {
		vectors_stop();
		return vector_err;
	}
	vectors_settled = true;
	if (paravane_hvm_set_param(HVM_PARAM_CALLBACK_IRQ, CALLBACK_AWARE))
		pr_info("the toolstack is not told that this guest knows Xen\n");
	return 0;
}

/* Others may share the line. The interrupt core runs this on one CPU at a time. */
static irqreturn_t line_interrupt(int irq, void *data)
{
	struct upcall_cpu *uc = data;

	if (!READ_ONCE(uc->scan.vcpu->evtchn_upcall_pending))
		return IRQ_NONE;
	WRITE_ONCE(line_works, true);
	return upcall_interrupt(irq, data);
}

/* An event from us to us, on a port that no channel has. */
static int line_test(void)
{
	struct evtchn_bind_ipi op = { .vcpu = 0 };
	bool works;
	long err;

	err = paravane_evtchn_op(EVTCHNOP_bind_ipi, &op);
	if (err)
		return err;
	if (op.port >= PARAVANE_EVTCHN_PORTS)
		return -EPROTO;
	paravane_evtchn_set_bit(upcall_line.scan.ports, op.port);
	paravane_evtchn_unmask_port(paravane_shared_info(), op.port);
	err = paravane_evtchn_send(op.port);
	if (!err)
		err = read_poll_timeout(READ_ONCE, works, works, USEC_PER_MSEC, LINE_PATIENCE_US,
					false, line_works);
	paravane_evtchn_mask_port(paravane_shared_info(), op.port);
	paravane_evtchn_clear_bit(upcall_line.scan.ports, op.port);
	paravane_evtchn_op_close(op.port);
	paravane_evtchn_clear_port(paravane_shared_info(), op.port);
	return err;
}

static void line_stop(void)
{
	paravane_hvm_set_param(HVM_PARAM_CALLBACK_IRQ, CALLBACK_NONE);
	paravane_platform_irq_stop(&upcall_line);
	by_line = false;
}

static int line_start(void)
{
	int err;

	memset(&upcall_line, 0, sizeof(upcall_line));
	upcall_line.scan.vcpu = &paravane_shared_info()->vcpu_info[0];
	by_line = true;
	line_works = false;
	/* What was raised before anybody listened keeps the flag set: nothing would be raised. */
	WRITE_ONCE(upcall_line.scan.vcpu->evtchn_upcall_pending, 0);
	err = paravane_platform_irq_start(line_interrupt, &upcall_line);
	if (err) {
		by_line = false;
		return err;
	}
	err = line_test();
	if (err) {
		line_stop();
		return err;
	}
	return 0;
}

static int upcall_choose(void)
{
	const char *why = "the hypervisor takes no upcall vectors";
	int vectors = -EOPNOTSUPP;
	int line;

	if (strcmp(upcall, "intx"))
		vectors = vectors_start();
	else
		why = "upcall vectors are not wanted";
	if (!vectors)
		return 0;
	if (!strcmp(upcall, "vector")) {
		pr_err("no events: %s (%d), and upcall=vector\n", why, vectors);
		return vectors;
	}
	line = line_start();
	if (line)
		pr_err("no events: %s (%d), and none comes by a platform device's interrupt (%d)\n",
		       why, vectors, line);
	else
		pr_info("%s (%d): events arrive by the platform device's interrupt, all on one CPU\n",
			why, vectors);
	return line;
}

/**
 * paravane_upcall_init() - map shared_info and see to it that events arrive
 *
 * All ports are masked when this returns.
 *
 * Return: 0 or -errno.
 */
int paravane_upcall_init(void)
{
	int err;

	if (strcmp(upcall, "auto") && strcmp(upcall, "vector") && strcmp(upcall, "intx")) {
		pr_err("unknown upcall \"%s\" (auto, vector or intx)\n", upcall);
		return -EINVAL;
	}
	/*
	 * Xen lays shared_info out for the mode of the vCPU that sets this, whatever the value, and
	 * so far for 32 bits if the firmware ran in those: before anybody touches the page. Telling
	 * the toolstack has to wait for the vectors, for the callback named there is none.
	 */
	err = paravane_hvm_set_param(HVM_PARAM_CALLBACK_IRQ, CALLBACK_NONE);
	if (err) {
		pr_err("layout of shared_info unknown: HVM_PARAM_CALLBACK_IRQ refused (%d)\n", err);
		return err;
	}
	shared_page = paravane_physmap_take(XENMAPSPACE_shared_info, 0);
	if (IS_ERR(shared_page)) {
		pr_err("cannot map shared_info (%ld)\n", PTR_ERR(shared_page));
		return PTR_ERR(shared_page);
	}
	paravane_evtchn_mask_all(paravane_shared_info());
	err = upcall_choose();
	if (err)
		paravane_physmap_give(shared_page);
	return err;
}

/**
 * paravane_upcall_stops() - do no events arrive while devices are suspended?
 *
 * An interrupt line that others may share is stopped with them.
 */
bool paravane_upcall_stops(void)
{
	return by_line;
}

static void upcall_resume_cpu(const struct upcall_cpu *uc, unsigned int cpu)
{
	int err;

	if (!uc->scan.vcpu)
		return;
	/* What was raised so far has interrupted nobody, and would keep the next from doing so. */
	uc->scan.vcpu->evtchn_pending_sel = 0;
	uc->scan.vcpu->evtchn_upcall_pending = 0;
	err = upcall_announce(uc);
	if (err)
		pr_err("CPU %u receives no events any more (%d)\n", cpu, err);
}

/**
 * paravane_upcall_resume() - the machine is in another domain: all as before in its shared_info
 *
 * All CPUs are stopped. All ports are masked when this returns.
 */
void paravane_upcall_resume(void)
{
	unsigned int cpu;
	long err;

	/* In this order for the same reasons as in paravane_upcall_init() */
	paravane_hvm_set_param(HVM_PARAM_CALLBACK_IRQ, CALLBACK_NONE);
	err = paravane_physmap_add(XENMAPSPACE_shared_info, 0, page_to_pfn(shared_page));
	if (err)
		pr_err("shared_info is not mapped again (%ld): no more events\n", err);
	paravane_evtchn_mask_all(paravane_shared_info());
	for_each_possible_cpu(cpu)
		upcall_resume_cpu(per_cpu_ptr(&upcall_cpus, cpu), cpu);
	paravane_hvm_set_param(HVM_PARAM_CALLBACK_IRQ, CALLBACK_AWARE);
}

/*
 * The hypervisor keeps the vectors, there is no call to forget one; with all ports masked it never
 * uses them.
 */
static void upcall_end(void)
{
	paravane_hvm_set_param(HVM_PARAM_CALLBACK_IRQ, CALLBACK_NONE);
	paravane_evtchn_mask_all(paravane_shared_info());
	if (by_line)
		line_stop();
	else
		vectors_stop();
}

/**
 * paravane_upcall_shutdown() - the machine restarts: no upcalls, and shared_info is given back
 */
void paravane_upcall_shutdown(void)
{
	upcall_end();
	paravane_physmap_leave(shared_page);
}

/**
 * paravane_upcall_exit() - the opposite of paravane_upcall_init()
 */
void paravane_upcall_exit(void)
{
	upcall_end();
	paravane_physmap_give(shared_page);
}
