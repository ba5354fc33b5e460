/* SPDX-License-Identifier: MIT */
/*
 * The three ways to make a hypercall. A guest picks one at start.
 *
 * Registers are those of Xen's 64-bit ABI whatever the transport: number in rax, arguments in rdi,
 * rsi, rdx, r10, r8, result in rax. Pointers are passed as linear addresses, and the hypervisor
 * reads and writes through them before the instruction ends.
 */
#ifndef PARAVANE_TRANSPORT_H
#define PARAVANE_TRANSPORT_H

#include <paravane/cpuid.h>

#define PARAVANE_HYPERCALL_ASM(insn)                                                               \
	({                                                                                         \
		register unsigned long r10_ __asm__("r10") = a4;                                   \
		register unsigned long r8_ __asm__("r8") = a5;                                     \
		long ret_;                                                                         \
		__asm__ volatile(insn                                                              \
				 : "=a"(ret_), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10_), "+r"(r8_) \
				 : "0"(nr), [port] "i"(PARAVANE_HYPERCALL_PORT)                    \
				 : "memory");                                                      \
		ret_;                                                                              \
	})

/**
 * paravane_vmcall() - hypercall on Intel processors
 * @nr: __HYPERVISOR_* number
 * @a1: first argument
 * @a2: second argument
 * @a3: third argument
 * @a4: fourth argument
 * @a5: fifth argument
 */
static inline long paravane_vmcall(unsigned long nr, unsigned long a1, unsigned long a2,
				   unsigned long a3, unsigned long a4, unsigned long a5)
{
	return PARAVANE_HYPERCALL_ASM("vmcall");
}

/* The same on AMD and Hygon processors. */
static inline long paravane_vmmcall(unsigned long nr, unsigned long a1, unsigned long a2,
				    unsigned long a3, unsigned long a4, unsigned long a5)
{
	return PARAVANE_HYPERCALL_ASM("vmmcall");
}

/* The same through Paravane's hypercall port, for hosts whose KVM knows nothing of Xen. */
static inline long paravane_portcall(unsigned long nr, unsigned long a1, unsigned long a2,
				     unsigned long a3, unsigned long a4, unsigned long a5)
{
	return PARAVANE_HYPERCALL_ASM("outb %%al, %[port]");
}

#endif /* PARAVANE_TRANSPORT_H */
