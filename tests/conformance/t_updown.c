// SPDX-License-Identifier: GPL-2.0-or-later
/* A vCPU that is started with the registers we give it, stopped and started again. */
#include "guest.h"

#include <xen-public/hvm/hvm_vcpu.h>

#define MSEC 1000000ull
#define THIRD 2
#define MSR_EFER 0xc0000080

static volatile unsigned long turns;
static unsigned char stack[PAGE_SIZE] __attribute__((aligned(16)));

/* On vCPU 2, which has neither descriptor tables nor interrupts */
static void third(void)
{
	for (;;)
		turns++;
}

static bool runs(void)
{
	unsigned long before = turns;
	uint64_t start = rdtsc();

	while (turns == before && rdtsc() - start < PATIENCE)
		__asm__ volatile("pause");
	return turns != before;
}

static bool stands_still(void)
{
	volatile struct vcpu_time_info *ti = &shared.vcpu_info[0].time;
	uint64_t until = now_ns(ti) + 20 * MSEC;
	unsigned long before = turns;

	while (now_ns(ti) < until)
		__asm__ volatile("pause");
	return turns == before;
}

static long initialise(unsigned int vcpu, uint32_t mode)
{
	struct vcpu_hvm_context c = { .mode = mode };
	struct vcpu_hvm_x86_64 *r = &c.cpu_regs.x86_64;

	r->rip = (unsigned long)third;
	r->rsp = (unsigned long)(stack + sizeof(stack) - 8);
	__asm__("mov %%cr0, %0; mov %%cr3, %1; mov %%cr4, %2"
		: "=r"(r->cr0), "=r"(r->cr3), "=r"(r->cr4));
	r->efer = rdmsr(MSR_EFER);
	return vcpu_op(VCPUOP_initialise, vcpu, &c);
}

void test_updown(void)
{
	check("is_up: ourselves", vcpu_op(VCPUOP_is_up, 0, 0), 1);
	check("is_up: started by SIPI", vcpu_op(VCPUOP_is_up, 1, 0), 1);
	check("is_up: not started", vcpu_op(VCPUOP_is_up, THIRD, 0), 0);
	check("up: without registers", vcpu_op(VCPUOP_up, THIRD, 0), -XEN_EINVAL);
	check("initialise: no such mode", initialise(THIRD, 9), -XEN_EINVAL);
	check("initialise: segments of nothing", initialise(THIRD, VCPU_HVM_MODE_32B), -XEN_EINVAL);
	check("initialise: bad pointer", vcpu_op(VCPUOP_initialise, THIRD, UNMAPPED), -XEN_EFAULT);
	check("initialise: one that runs", initialise(1, VCPU_HVM_MODE_64B), -XEN_EEXIST);
	check("initialise", initialise(THIRD, VCPU_HVM_MODE_64B), 0);
	check("initialise: twice", initialise(THIRD, VCPU_HVM_MODE_64B), -XEN_EEXIST);
	check("initialise: does not start it", vcpu_op(VCPUOP_is_up, THIRD, 0), 0);
	check("up", vcpu_op(VCPUOP_up, THIRD, 0), 0);
	check_true("up: it runs", runs());
	check("is_up: started", vcpu_op(VCPUOP_is_up, THIRD, 0), 1);
	check("down", vcpu_op(VCPUOP_down, THIRD, 0), 0);
	check("is_up: stopped", vcpu_op(VCPUOP_is_up, THIRD, 0), 0);
	check_true("down: it stands still", stands_still());
	check("up: again", vcpu_op(VCPUOP_up, THIRD, 0), 0);
	check_true("up: again, it goes on", runs());
	vcpu_op(VCPUOP_down, THIRD, 0);
}
