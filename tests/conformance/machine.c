// SPDX-License-Identifier: GPL-2.0-or-later
/* The processor: descriptors, interrupts, LAPIC, hypercall instruction, output. */
#include "guest.h"

#include <paravane/cpuid.h>

#define CODE64 0x08
#define TSS 0x38
#define MSR_APIC_BASE 0x1b
#define APIC_BASE_X2APIC 0xc00
#define X2APIC_EOI 0x80b
#define X2APIC_SVR 0x80f
#define X2APIC_ICR 0x830
#define ICR_INIT 0x4500
#define ICR_SIPI 0x4600
#define AP_CODE 0x8000ul

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};

struct tss {
	uint32_t reserved;
	uint64_t rsp[3];
	uint8_t rest[76];
} __attribute__((packed));

extern char isr_stubs[], user_return[], interrupt_stack_end[], ap_start[], ap_end[];
extern uint64_t gdt_tss[2];

static struct gate idt[256] __attribute__((aligned(16)));
static struct tss tss;
static void (*handler[256])(void);

int transport;
unsigned int xen_base;
domid_t domid;
uint16_t doorbell_port;
volatile unsigned int upcalls, ap_upcalls;
volatile bool ap_is_up;

uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (uint64_t)hi << 32 | lo;
}

/* Freestanding gcc still calls these */
void *memset(void *dst, int c, size_t n);
void *memcpy(void *dst, const void *src, size_t n);

void *memset(void *dst, int c, size_t n)
{
	void *ret = dst;

	__asm__ volatile("rep stosb" : "+D"(dst), "+c"(n) : "a"(c) : "memory");
	return ret;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	void *ret = dst;

	__asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(n)::"memory");
	return ret;
}

void say(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	__asm__ volatile("rep outsb" : "+S"(text), "+c"(n) : "d"((uint16_t)0xe9) : "memory");
}

void say_number(long n)
{
	char text[24], *p = text + sizeof(text) - 1;
	unsigned long u = n < 0 ? -(unsigned long)n : (unsigned long)n;

	*p = '\0';
	do {
		*--p = '0' + u % 10;
		u /= 10;
	} while (u);
	if (n < 0)
		*--p = '-';
	say(p);
}

long hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3)
{
	register unsigned long a4 __asm__("r10") = 0, a5 __asm__("r8") = 0;
	long ret = nr;

	switch (transport) {
	case BY_PORT:
		__asm__ volatile("outb %%al, $0xb4" /* PARAVANE_HYPERCALL_PORT */
				 : "+a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(a4),
				   "+r"(a5)::"memory");
		break;
	case BY_VMCALL:
		__asm__ volatile("vmcall"
				 : "+a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(a4),
				   "+r"(a5)::"memory");
		break;
	default:
		__asm__ volatile("vmmcall"
				 : "+a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(a4),
				   "+r"(a5)::"memory");
	}
	return ret;
}

void ring_doorbell(evtchn_port_t port)
{
	__asm__ volatile("outl %0, %1" ::"a"(port), "d"(doorbell_port) : "memory");
}

void isr(uint64_t vector, uint64_t rip);

void isr(uint64_t vector, uint64_t rip)
{
	if (handler[vector]) {
		handler[vector]();
		return;
	}
	say("FAIL interrupt ");
	say_number(vector);
	say(" at ");
	say_number(rip);
	say(": nobody expected it\n");
	hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown,
		  (unsigned long)&(struct sched_shutdown){ .reason = SHUTDOWN_crash }, 0);
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void set_gate(unsigned int vector, const char *entry, unsigned int dpl)
{
	uint64_t addr = (uint64_t)entry;

	idt[vector] = (struct gate){ .offset_low = addr,
				     .selector = CODE64,
				     .type = 0x8e | dpl << 5,
				     .offset_mid = addr >> 16,
				     .offset_high = addr >> 32 };
}

static void eoi(void)
{
	wrmsr(X2APIC_EOI, 0);
}

static void upcall(void)
{
	upcalls++;
	eoi();
}

static void ap_upcall(void)
{
	ap_upcalls++;
	eoi();
}

void set_handler(unsigned int vector, void (*fn)(void))
{
	handler[vector] = fn;
}

static void load_idt(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (uint64_t)idt };

	__asm__ volatile("lidt %0" ::"m"(idtr));
}

static void enable_lapic(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	wrmsr(X2APIC_SVR, 0x1ff);
}

static void find_transport(void)
{
	struct paravane_cpuid_regs regs;
	unsigned int base = paravane_cpuid_find_paravane(paravane_cpuid_native);

	if (base) {
		paravane_cpuid_native(base + PARAVANE_CPUID_LEAF_FEATURES, &regs);
		if (regs.ebx & PARAVANE_CPUID_FEAT_DOORBELL)
			doorbell_port = PARAVANE_CPUID_PORTS_DOORBELL(regs.ecx);
		if (regs.ebx & PARAVANE_CPUID_FEAT_PORT_TRANSPORT)
			return;
	}
	paravane_cpuid_native(0, &regs);
	transport = regs.ebx == 0x68747541 || regs.ebx == 0x6f677948 ? BY_VMMCALL : BY_VMCALL;
}

void machine_init(void)
{
	struct paravane_cpuid_regs regs;
	uint64_t base = (uint64_t)&tss;

	for (unsigned int i = 0; i < 256; i++)
		set_gate(i, isr_stubs + i * 16, 0);
	set_gate(0x80, user_return, 3);
	load_idt();
	tss.rsp[0] = (uint64_t)interrupt_stack_end;
	gdt_tss[0] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
		     (base >> 24 & 0xff) << 56;
	gdt_tss[1] = base >> 32;
	__asm__ volatile("ltr %w0" ::"r"(TSS));
	handler[VECTOR] = upcall;
	handler[VECTOR_AP] = ap_upcall;
	enable_lapic();
	find_transport();
	xen_base = paravane_cpuid_find_xen(paravane_cpuid_native);
	paravane_cpuid_native(xen_base + 4, &regs);
	domid = regs.ecx;
}

void machine_init_ap(void)
{
	load_idt();
	enable_lapic();
}

void start_ap(void)
{
	memcpy((void *)AP_CODE, ap_start, ap_end - ap_start);
	wrmsr(X2APIC_ICR, 1ull << 32 | ICR_INIT);
	wrmsr(X2APIC_ICR, 1ull << 32 | ICR_SIPI | AP_CODE >> 12);
}

uint64_t now_ns(const volatile struct vcpu_time_info *ti)
{
	uint64_t delta = rdtsc() - ti->tsc_timestamp;

	if (ti->tsc_shift < 0)
		delta >>= -ti->tsc_shift;
	else
		delta <<= ti->tsc_shift;
	return ti->system_time + (uint64_t)((unsigned __int128)delta * ti->tsc_to_system_mul >> 32);
}

bool wait_upcalls(unsigned int seen)
{
	uint64_t start = rdtsc();

	sti();
	while (upcalls == seen && rdtsc() - start < PATIENCE)
		__asm__ volatile("pause");
	cli();
	return upcalls != seen;
}

bool wait_for(const volatile bool *flag)
{
	uint64_t start = rdtsc();

	while (!*flag && rdtsc() - start < PATIENCE)
		__asm__ volatile("pause");
	return *flag;
}
