/* SPDX-License-Identifier: MIT */
/*
 * CPUID: Xen's leaves, Paravane's own block, and the scan that finds both.
 *
 * Paravane announces itself in a block of its own, next to Xen's leaves, at a 0x100-aligned base.
 * Nothing depends on it: real Xen has no such block and everything works without. Its contents:
 *
 *   base + 0   EAX = highest leaf of the block, EBX ECX EDX = "Para" "vane" "PVMM"
 *   base + 1   EAX = interface version, EBX = PARAVANE_CPUID_FEAT_* bits,
 *              ECX = hypercall port (bits 15:0) and doorbell port (bits 31:16), EDX = 0
 *
 * Port transport: a hypercall is "out %al, $port" with the registers of Xen's 64-bit ABI: number in
 * rax, arguments in rdi, rsi, rdx, r10, r8, result in rax.
 * Doorbell: a 32-bit out of an event channel port number to the doorbell port has the effect of
 * EVTCHNOP_send on that port, without a result.
 *
 * Freestanding; included by the hypervisor and by guests.
 */
#ifndef PARAVANE_CPUID_H
#define PARAVANE_CPUID_H

/* Where hypervisor leaves may start, and how far apart candidates are. */
#define PARAVANE_CPUID_FIRST 0x40000000u
#define PARAVANE_CPUID_END 0x40010000u
#define PARAVANE_CPUID_STEP 0x100u

/* Signatures as they appear in EBX, ECX, EDX (little endian). */
#define PARAVANE_CPUID_SIG_EBX 0x61726150u /* "Para" */
#define PARAVANE_CPUID_SIG_ECX 0x656e6176u /* "vane" */
#define PARAVANE_CPUID_SIG_EDX 0x4d4d5650u /* "PVMM" */

/* Xen's signature, <xen-public/arch-x86/cpuid.h> XEN_CPUID_SIGNATURE_*. */
#define PARAVANE_XEN_SIG_EBX 0x566e6558u /* "XenV" */
#define PARAVANE_XEN_SIG_ECX 0x65584d4du /* "MMXe" */
#define PARAVANE_XEN_SIG_EDX 0x4d4d566eu /* "nVMM" */

/* Leaves of the Paravane block, relative to its base. */
#define PARAVANE_CPUID_LEAF_SIGNATURE 0u
#define PARAVANE_CPUID_LEAF_FEATURES 1u
#define PARAVANE_CPUID_MAX_LEAF 1u

#define PARAVANE_CPUID_VERSION 1u

/* Feature bits: EBX of base + 1. */
#define PARAVANE_CPUID_FEAT_PORT_TRANSPORT (1u << 0) /* hypercalls by out to a port */
#define PARAVANE_CPUID_FEAT_DOORBELL (1u << 1) /* EVTCHNOP_send by out to a port */

/*
 * The ports Paravane uses. A guest reads the doorbell's from the leaf; the hypercall port is an
 * immediate of the instruction, so a guest uses the port transport only if the leaf names this one.
 */
#define PARAVANE_HYPERCALL_PORT 0xb4u /* fits the 8-bit immediate of out */
#define PARAVANE_DOORBELL_PORT 0x0b08u /* 32 bits wide */

/* ECX of base + 1. */
#define PARAVANE_CPUID_PORTS(hypercall, doorbell) (((doorbell) << 16) | (hypercall))
#define PARAVANE_CPUID_PORTS_HYPERCALL(ecx) (0xffffu & (ecx))
#define PARAVANE_CPUID_PORTS_DOORBELL(ecx) ((ecx) >> 16)

/**
 * struct paravane_cpuid_regs - the result of one CPUID
 * @eax: EAX
 * @ebx: EBX
 * @ecx: ECX
 * @edx: EDX
 */
struct paravane_cpuid_regs {
	unsigned int eax, ebx, ecx, edx;
};

/**
 * typedef paravane_cpuid_fn - executes (or, in tests, simulates) CPUID
 *
 * Takes the leaf (subleaf 0) and fills the registers.
 */
typedef void (*paravane_cpuid_fn)(unsigned int leaf, struct paravane_cpuid_regs *regs);

/**
 * paravane_cpuid_native() - execute CPUID with subleaf 0
 * @leaf: leaf
 * @regs: result
 */
static inline void paravane_cpuid_native(unsigned int leaf, struct paravane_cpuid_regs *regs)
{
	__asm__ volatile("cpuid"
			 : "=a"(regs->eax), "=b"(regs->ebx), "=c"(regs->ecx), "=d"(regs->edx)
			 : "0"(leaf), "2"(0u));
}

/**
 * paravane_cpuid_find() - find the base of a hypervisor's leaves by signature
 * @cpuid: how to execute CPUID
 * @sig: signature expected in EBX, ECX, EDX; EAX of @sig is the number of leaves above the base
 *	 that must exist
 *
 * The scan does not ask the kernel's own hypervisor detection, so it finds Xen's leaves behind
 * KVM's and in a kernel booted with "nopv".
 *
 * Return: the base leaf, or 0 if no block has that signature.
 */
static inline unsigned int paravane_cpuid_find(paravane_cpuid_fn cpuid,
					       const struct paravane_cpuid_regs *sig)
{
	struct paravane_cpuid_regs regs;
	unsigned int base;

	for (base = PARAVANE_CPUID_FIRST; base < PARAVANE_CPUID_END; base += PARAVANE_CPUID_STEP) {
		cpuid(base, &regs);
		if (regs.ebx == sig->ebx && regs.ecx == sig->ecx && regs.edx == sig->edx &&
		    regs.eax >= base && regs.eax - base >= sig->eax)
			return base;
	}
	return 0;
}

/**
 * paravane_cpuid_find_xen() - find Xen's leaves (at least version and hypercall information)
 * @cpuid: how to execute CPUID
 *
 * Return: the base leaf, or 0.
 */
static inline unsigned int paravane_cpuid_find_xen(paravane_cpuid_fn cpuid)
{
	static const struct paravane_cpuid_regs sig = {
		.eax = 2,
		.ebx = PARAVANE_XEN_SIG_EBX,
		.ecx = PARAVANE_XEN_SIG_ECX,
		.edx = PARAVANE_XEN_SIG_EDX,
	};

	return paravane_cpuid_find(cpuid, &sig);
}

/**
 * paravane_cpuid_find_paravane() - find Paravane's own block
 * @cpuid: how to execute CPUID
 *
 * Return: the base leaf, or 0 (as on real Xen).
 */
static inline unsigned int paravane_cpuid_find_paravane(paravane_cpuid_fn cpuid)
{
	static const struct paravane_cpuid_regs sig = {
		.eax = PARAVANE_CPUID_MAX_LEAF,
		.ebx = PARAVANE_CPUID_SIG_EBX,
		.ecx = PARAVANE_CPUID_SIG_ECX,
		.edx = PARAVANE_CPUID_SIG_EDX,
	};

	return paravane_cpuid_find(cpuid, &sig);
}

#endif /* PARAVANE_CPUID_H */
