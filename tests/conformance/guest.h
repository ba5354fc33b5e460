/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The conformance guest: a kernel of its own that makes every hypercall and checks the answers. One
 * file per hypercall, each with one entry in the table in main.c.
 */
#ifndef CONFORMANCE_GUEST_H
#define CONFORMANCE_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <paravane/xen.h>
#include <xen-public/errno.h>

#define PAGE_SIZE 4096ul
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define VCPUS 2 /* that take interrupts */

/* Upcall vectors */
#define VECTOR 0x40
#define VECTOR_AP 0x41

/* Frame of a page of ours, and one beyond RAM, still within reach of our page tables */
#define GFN(p) ((unsigned long)(p) / PAGE_SIZE)
#define OUTSIDE_RAM (0xc0000000ul / PAGE_SIZE)

/* A linear address that is not mapped, one that is mapped to no RAM, one that is not canonical */
#define UNMAPPED 0x7f0000000000ul
#define NOT_RAM 0xd0000000ul
#define NOT_CANONICAL 0x8000000000000000ul

/* How hypercalls are made; user_hypercall() in start.S knows the numbers */
enum { BY_PORT, BY_VMCALL, BY_VMMCALL };
extern int transport;

/* Results; a name is a string without a newline */
void check(const char *name, long got, long want);
void check_true(const char *name, bool ok);
void say(const char *text);
void say_number(long n);

long hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3);
long user_hypercall(long nr, long transport);

/* (cmd, pointer) calls */
#define memory_op(cmd, p) hypercall(__HYPERVISOR_memory_op, cmd, (unsigned long)(p), 0)
#define evtchn_op(cmd, p) hypercall(__HYPERVISOR_event_channel_op, cmd, (unsigned long)(p), 0)
#define hvm_op(cmd, p) hypercall(__HYPERVISOR_hvm_op, cmd, (unsigned long)(p), 0)
#define sched_op(cmd, p) hypercall(__HYPERVISOR_sched_op, cmd, (unsigned long)(p), 0)
#define version_op(cmd, p) hypercall(__HYPERVISOR_xen_version, cmd, (unsigned long)(p), 0)
#define vcpu_op(cmd, id, p) hypercall(__HYPERVISOR_vcpu_op, cmd, id, (unsigned long)(p))
#define gnttab_op(cmd, p, n) hypercall(__HYPERVISOR_grant_table_op, cmd, (unsigned long)(p), n)

/* check_bad_pointers - the call must answer -EFAULT for each address that cannot be one */
void check_bad_pointers(const char *name, unsigned long nr, unsigned long cmd, unsigned long count);

/* The guest's own pages */
extern unsigned char shared_info_page[PAGE_SIZE];
#define shared (*(volatile struct shared_info *)shared_info_page)
extern volatile grant_entry_v1_t grants[PAGE_SIZE / sizeof(grant_entry_v1_t)];
extern unsigned char scratch[4][PAGE_SIZE];

/* domid - our own; what CPUID told */
extern domid_t domid;
extern unsigned int xen_base;
/* doorbell_port - from Paravane's CPUID block, 0 if there is none */
extern uint16_t doorbell_port;
void ring_doorbell(evtchn_port_t port);

/* Machine */
void machine_init(void);
void machine_init_ap(void);
void start_ap(void);
void set_handler(unsigned int vector, void (*fn)(void));
extern volatile unsigned int upcalls, ap_upcalls;
extern volatile bool ap_is_up;
void ap_main(void);
uint64_t rdmsr(uint32_t msr);
void wrmsr(uint32_t msr, uint64_t value);
uint64_t rdtsc(void);
void *memcpy(void *dst, const void *src, size_t n);

static inline void cli(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void sti(void)
{
	__asm__ volatile("sti" ::: "memory");
}

/* Generous: TSCs run at a few GHz, and a machine that is emulated is slow */
#define PATIENCE 6000000000ull

/* wait_upcalls - until there were more than @seen on vCPU 0, for about two seconds at most */
bool wait_upcalls(unsigned int seen);
/* wait_for - until *@flag is set, for about two seconds at most */
bool wait_for(const volatile bool *flag);
uint64_t now_ns(const volatile struct vcpu_time_info *ti);
/* port_pending, consume - the guest's side of the 2-level ABI */
bool port_pending(evtchn_port_t port);
void consume(void);

/* Event channels; a port is 0 if there is none */
static inline long send(evtchn_port_t port)
{
	return evtchn_op(EVTCHNOP_send, &(struct evtchn_send){ .port = port });
}

static inline long close_port(evtchn_port_t port)
{
	return evtchn_op(EVTCHNOP_close, &(struct evtchn_close){ .port = port });
}

static inline evtchn_port_t bind_ipi(unsigned int vcpu)
{
	struct evtchn_bind_ipi b = { .vcpu = vcpu };

	return evtchn_op(EVTCHNOP_bind_ipi, &b) ? 0 : b.port;
}

static inline evtchn_port_t bind_timer(void)
{
	struct evtchn_bind_virq b = { .virq = VIRQ_TIMER, .vcpu = 0 };

	return evtchn_op(EVTCHNOP_bind_virq, &b) ? 0 : b.port;
}

static inline void set_mask(evtchn_port_t port, bool masked)
{
	unsigned long bit = 1ul << port % 64;

	if (masked)
		shared.evtchn_mask[port / 64] |= bit;
	else
		shared.evtchn_mask[port / 64] &= ~bit;
}

/* place, unplace - a page of the hypervisor's, by memory_op */
long place(domid_t dom, unsigned int space, unsigned long idx, unsigned long gfn);
long unplace(domid_t dom, unsigned long gfn);

/* run_on_ap - have vCPU 1 do @job, once it is up; wait_for_ap - until it has, two seconds at most */
void run_on_ap(void (*job)(void));
bool wait_for_ap(void);

/* Groups */
void test_version(void);
void test_hvm(void);
void test_memory(void);
void test_evtchn(void);
void test_gnttab(void);
void test_vcpu(void);
void test_sched(void);
void test_misc(void);
void test_user(void);
void test_smp(void);
void test_moves(void);
void test_updown(void);
void test_fifo(void);

#endif /* CONFORMANCE_GUEST_H */
