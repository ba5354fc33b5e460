// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/upcall.c with real interrupts of a real kernel. This file plays the hypervisor, which
 * raises an upcall at the first moment there is a handler.
 */
#include "tests/kunit/core.c"

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
	bool refuse;
	bool here; /* shared_info is in our memory */
	bool aware; /* the toolstack is told of us */
	bool latched; /* shared_info has the layout of the vCPU's mode */
	bool refuse_callback;
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

void paravane_evtchn_dispatch(void *ctx, evtchn_port_t port)
{
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

static long hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
		      unsigned long a4, unsigned long a5)
{
	const struct xen_hvm_evtchn_upcall_vector *op = (const void *)a2;
	const struct xen_hvm_param *param = (const void *)a2;

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
	if (hv.refuse)
		return -EINVAL;
	hv.vectors[op->vcpu] = op->vector;
	return 0;
}

static void start(struct kunit *test)
{
	memset(&hv, 0, sizeof(hv));
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

/* Without upcalls the CPUs are of use all the same, and nothing is bound to them. */
static void refused_vector(struct kunit *test)
{
	unsigned int cpu;

	start(test);
	hv.refuse = true;
	KUNIT_ASSERT_EQ(test, paravane_upcall_init(), 0);
	for_each_online_cpu(cpu)
		KUNIT_EXPECT_EQ(test, paravane_upcall_vcpu(cpu), -ENXIO);
	paravane_upcall_exit();
	KUNIT_EXPECT_EQ(test, hv.left, 0);
}

/* Whoever does not know the layout of shared_info does not touch it. */
static void refused_callback(struct kunit *test)
{
	start(test);
	hv.refuse_callback = true;
	KUNIT_EXPECT_EQ(test, paravane_upcall_init(), -EINVAL);
	KUNIT_EXPECT_FALSE(test, hv.here);
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
	upcall_domain_destroy();
	__free_page(shared_page);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(upcall_before_the_vector_is_known),
	KUNIT_CASE(every_cpu_gets_a_vector),
	KUNIT_CASE(refused_vector),
	KUNIT_CASE(refused_callback),
	KUNIT_CASE(shutdown_gives_shared_info_back),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_upcall",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
