// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/upcall.c with real interrupts of a real kernel. This file plays the hypervisor, which
 * raises an upcall at the first moment there is a handler, and the platform device, whose line is
 * up for as long as vCPU 0's flag is set.
 */
#include "tests/kunit/core.c"
#include "tests/kunit/lines.c"

#include <linux/interrupt.h>

static int request_irq_and_raise(unsigned int irq, irq_handler_t handler, unsigned long flags,
				 const char *name, void *dev);

#define request_irq request_irq_and_raise
#include "guest/linux/upcall.c"
#undef request_irq

#define PORT 77

static struct {
	unsigned int vectors[16];
	unsigned int raised;
	unsigned int left;
	bool raise;
	unsigned int refuse; /* CPUs whose vectors are, a mask */
	bool here; /* shared_info is in our memory */
	bool aware; /* the toolstack is told of us */
	bool latched; /* shared_info has the layout of the vCPU's mode */
	bool refuse_callback;
	bool no_device;
	bool dead; /* the line never comes up */
	bool closed; /* the port bound by bind_ipi is */
	irq_handler_t line;
	void *line_data;
	unsigned long gfn; /* where shared_info was put once more */
} hv;

struct paravane_platform paravane_platform;

int paravane_this_vcpu(void)
{
	return smp_processor_id();
}

struct page *paravane_physmap_take(unsigned int space, unsigned long idx)
{
	/* The first thing done with it is to mask all ports, which needs the layout. */
	hv.here = hv.latched;
	return alloc_page(GFP_KERNEL | __GFP_ZERO);
}

void paravane_physmap_give(struct page *page)
{
	hv.here = false;
	__free_page(page);
}

bool paravane_physmap_leave(struct page *page)
{
	hv.here = false;
	return true;
}

static evtchn_port_t dispatched;

void paravane_evtchn_dispatch(void *ctx, evtchn_port_t port)
{
	dispatched = port;
}

void paravane_evtchn_leave_cpu(unsigned int cpu)
{
	hv.left++;
}

static int request_irq_and_raise(unsigned int irq, irq_handler_t handler, unsigned long flags,
				 const char *name, void *dev)
{
	int err = request_irq(irq, handler, flags, name, dev);
	unsigned long irqs;

	if (err || !hv.raise)
		return err;
	local_irq_save(irqs);
	hv.raised++;
	handler(irq, dev);
	local_irq_restore(irqs);
	return 0;
}

int paravane_platform_irq_start(irq_handler_t handler, void *data)
{
	if (hv.no_device)
		return -ENODEV;
	hv.line = handler;
	hv.line_data = data;
	return 0;
}

void paravane_platform_irq_stop(void *data)
{
	hv.line = NULL;
}

/* What the sender of an event and then the hypervisor do. */
static irqreturn_t raise_line(evtchn_port_t port)
{
	struct shared_info *si = paravane_shared_info();
	irqreturn_t ret = IRQ_NONE;
	unsigned long irqs;

	paravane_evtchn_set_bit(si->evtchn_pending, port);
	if (paravane_evtchn_test_bit(si->evtchn_mask, port))
		return ret;
	si->vcpu_info[0].evtchn_pending_sel |= BIT(port / PARAVANE_EVTCHN_BITS);
	si->vcpu_info[0].evtchn_upcall_pending = 1;
	local_irq_save(irqs);
	if (hv.line && !hv.dead)
		ret = hv.line(0, hv.line_data);
	local_irq_restore(irqs);
	return ret;
}

static long evtchn_op(unsigned long cmd, void *arg)
{
	switch (cmd) {
	case EVTCHNOP_bind_ipi:
		((struct evtchn_bind_ipi *)arg)->port = PORT;
		return 0;
	case EVTCHNOP_send:
		raise_line(((struct evtchn_send *)arg)->port);
		return 0;
	case EVTCHNOP_close:
		hv.closed = ((struct evtchn_close *)arg)->port == PORT;
		return 0;
	default:
		return -ENOSYS;
	}
}

static long hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
		      unsigned long a4, unsigned long a5)
{
	const struct xen_hvm_evtchn_upcall_vector *op = (const void *)a2;
	const struct xen_hvm_param *param = (const void *)a2;

	if (nr == __HYPERVISOR_event_channel_op)
		return evtchn_op(a1, (void *)a2);
	if (nr == __HYPERVISOR_memory_op && a1 == XENMEM_add_to_physmap && hv.latched) {
		hv.gfn = ((const struct xen_add_to_physmap *)a2)->gpfn;
		return 0;
	}
	if (nr != __HYPERVISOR_hvm_op)
		return -ENOSYS;
	if (a1 == HVMOP_set_param && param->index == HVM_PARAM_CALLBACK_IRQ) {
		if (hv.refuse_callback)
			return -EINVAL;
		hv.latched = true;
		hv.aware = param->value;
	}
	if (a1 != HVMOP_set_evtchn_upcall_vector)
		return 0;
	if (hv.refuse & BIT(op->vcpu))
		return -EINVAL;
	hv.vectors[op->vcpu] = op->vector;
	return 0;
}

static void start(struct kunit *test)
{
	memset(&hv, 0, sizeof(hv));
	dispatched = 0;
	said = 0;
	upcall = "auto";
	paravane_platform.has_upcall_vector = true;
	static_call_update(paravane_hypercall, hypercall);
}

/* The vector of an earlier load is used before the hypervisor is told the new one. */
static void upcall_before_the_vector_is_known(struct kunit *test)
{
	start(test);
	hv.raise = true;
	KUNIT_ASSERT_EQ(test, paravane_upcall_init(), 0);
	KUNIT_EXPECT_EQ(test, hv.raised, num_online_cpus());
	paravane_upcall_exit();
	KUNIT_EXPECT_EQ(test, hv.left, num_online_cpus());
	KUNIT_EXPECT_FALSE(test, hv.here);
}

static void every_cpu_gets_a_vector(struct kunit *test)
{
	unsigned int cpu;

	start(test);
	KUNIT_ASSERT_EQ(test, paravane_upcall_init(), 0);
	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, paravane_upcall_vcpu(cpu), cpu);
		KUNIT_EXPECT_GE(test, hv.vectors[cpu], 0x20);
	}
	KUNIT_EXPECT_TRUE(test, hv.here);
	KUNIT_EXPECT_TRUE(test, hv.aware);
	KUNIT_EXPECT_TRUE(test,
			  paravane_evtchn_test_bit(paravane_shared_info()->evtchn_mask, PORT));
	paravane_upcall_exit();
	for_each_online_cpu(cpu)
		KUNIT_EXPECT_EQ(test, paravane_upcall_vcpu(cpu), -ENXIO);
}

/* All CPUs receive as vCPU 0, through one state. */
static void works_by_line(struct kunit *test)
{
	const evtchn_port_t port = PORT + 100;
	unsigned int cpu;

	KUNIT_ASSERT_EQ(test, paravane_upcall_init(), 0);
	KUNIT_EXPECT_TRUE(test, hv.closed);
	KUNIT_EXPECT_TRUE(test,
			  paravane_evtchn_test_bit(paravane_shared_info()->evtchn_mask, PORT));
	KUNIT_EXPECT_EQ(test, dispatched, PORT);
	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, paravane_upcall_vcpu(cpu), 0);
		KUNIT_EXPECT_PTR_EQ(test, paravane_upcall_cpu(cpu), paravane_upcall_cpu(0));
	}
	/* The interrupt of somebody else on the line is not ours. */
	KUNIT_EXPECT_EQ(test, hv.line(0, hv.line_data), IRQ_NONE);
	paravane_evtchn_set_bit(paravane_upcall_cpu(0)->ports, port);
	KUNIT_EXPECT_FALSE(test, paravane_evtchn_unmask_port(paravane_shared_info(), port));
	KUNIT_EXPECT_EQ(test, raise_line(port), IRQ_HANDLED);
	KUNIT_EXPECT_EQ(test, dispatched, port);
	paravane_upcall_exit();
	KUNIT_EXPECT_NULL(test, hv.line);
	KUNIT_EXPECT_FALSE(test, hv.aware);
	KUNIT_EXPECT_FALSE(test, hv.here);
	for_each_online_cpu(cpu)
		KUNIT_EXPECT_EQ(test, paravane_upcall_vcpu(cpu), -ENXIO);
	KUNIT_EXPECT_EQ(test, said, 0);
}

static void refused_vector(struct kunit *test)
{
	start(test);
	hv.refuse = ~0u;
	works_by_line(test);
	KUNIT_EXPECT_EQ(test, hv.left, 0);
}

static void no_vectors(struct kunit *test)
{
	start(test);
	paravane_platform.has_upcall_vector = false;
	works_by_line(test);
}

static void line_asked_for(struct kunit *test)
{
	start(test);
	upcall = "intx";
	works_by_line(test);
	KUNIT_EXPECT_EQ(test, hv.vectors[0], 0);
}

/* Without events there is nothing that would work: the module is not loaded. */
static void no_way(struct kunit *test)
{
	start(test);
	hv.refuse = ~0u;
	hv.no_device = true;
	KUNIT_EXPECT_EQ(test, paravane_upcall_init(), -ENODEV);
	KUNIT_EXPECT_FALSE(test, hv.here);
	EXPECT_ONE_LINE(test, "no upcall vectors (-22), and none comes by a platform device's");

	start(test);
	hv.refuse = ~0u;
	hv.dead = true;
	KUNIT_EXPECT_EQ(test, paravane_upcall_init(), -ETIMEDOUT);
	KUNIT_EXPECT_NULL(test, hv.line);
	KUNIT_EXPECT_FALSE(test, hv.here);
	EXPECT_ONE_LINE(test, "none comes by a platform device's interrupt (-110)");

	start(test);
	hv.refuse = ~0u;
	upcall = "vector";
	KUNIT_EXPECT_EQ(test, paravane_upcall_init(), -EINVAL);
	KUNIT_EXPECT_FALSE(test, hv.here);
	EXPECT_ONE_LINE(test, "no upcall vectors (-22), and upcall=vector");

	start(test);
	upcall = "gsi";
	KUNIT_EXPECT_EQ(test, paravane_upcall_init(), -EINVAL);
	EXPECT_ONE_LINE(test, "unknown upcall \"gsi\"");
}

/* The other CPUs have to do, and one line names those that get nothing. */
static void some_refused_vectors(struct kunit *test)
{
	start(test);
	hv.refuse = BIT(1);
	KUNIT_ASSERT_EQ(test, paravane_upcall_init(), 0);
	EXPECT_ONE_LINE(test, "these CPUs receive no events: 1 (-22)");
	KUNIT_EXPECT_EQ(test, paravane_upcall_vcpu(0), 0);
	KUNIT_EXPECT_EQ(test, paravane_upcall_vcpu(1), -ENXIO);
	paravane_upcall_exit();
	KUNIT_EXPECT_EQ(test, said, 0);
}

/* Whoever does not know the layout of shared_info does not touch it. */
static void refused_callback(struct kunit *test)
{
	start(test);
	hv.refuse_callback = true;
	KUNIT_EXPECT_EQ(test, paravane_upcall_init(), -EINVAL);
	KUNIT_EXPECT_FALSE(test, hv.here);
	EXPECT_ONE_LINE(test, "HVM_PARAM_CALLBACK_IRQ refused (-22)");
}

/* At a restart the page is given back; what still has its address does no harm. */
static void shutdown_gives_shared_info_back(struct kunit *test)
{
	unsigned int cpu;

	start(test);
	KUNIT_ASSERT_EQ(test, paravane_upcall_init(), 0);
	paravane_upcall_shutdown();
	KUNIT_EXPECT_FALSE(test, hv.here);
	for_each_online_cpu(cpu)
		KUNIT_EXPECT_EQ(test, paravane_upcall_vcpu(cpu), -ENXIO);
	paravane_evtchn_unmask_port(paravane_shared_info(), PORT);
	KUNIT_EXPECT_FALSE(test, hv.aware);
	__free_page(shared_page);
}

/* In another domain: the same page in the same place, and vectors that can interrupt at once. */
static void resume_in_another_domain(struct kunit *test)
{
	struct shared_info *si;
	unsigned int cpu;

	start(test);
	KUNIT_ASSERT_EQ(test, paravane_upcall_init(), 0);
	si = paravane_shared_info();
	memset(&hv, 0, sizeof(hv));
	memset(si, 0, sizeof(*si));
	for_each_online_cpu(cpu) {
		si->vcpu_info[cpu].evtchn_upcall_pending = 1;
		si->vcpu_info[cpu].evtchn_pending_sel = 2;
	}
	paravane_upcall_resume();
	KUNIT_EXPECT_EQ(test, hv.gfn, page_to_pfn(shared_page));
	KUNIT_EXPECT_TRUE(test, hv.aware);
	KUNIT_EXPECT_TRUE(test, paravane_evtchn_test_bit(si->evtchn_mask, PORT));
	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_GE(test, hv.vectors[cpu], 0x20);
		KUNIT_EXPECT_EQ(test, si->vcpu_info[cpu].evtchn_upcall_pending, 0);
		KUNIT_EXPECT_EQ(test, si->vcpu_info[cpu].evtchn_pending_sel, 0);
	}
	paravane_upcall_exit();
}

static struct kunit_case cases[] = {
	KUNIT_CASE(upcall_before_the_vector_is_known),
	KUNIT_CASE(every_cpu_gets_a_vector),
	KUNIT_CASE(refused_vector),
	KUNIT_CASE(no_vectors),
	KUNIT_CASE(line_asked_for),
	KUNIT_CASE(no_way),
	KUNIT_CASE(some_refused_vectors),
	KUNIT_CASE(refused_callback),
	KUNIT_CASE(shutdown_gives_shared_info_back),
	KUNIT_CASE(resume_in_another_domain),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_upcall",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
