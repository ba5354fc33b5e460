/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include "hv/types.h"

#define HYPERCALL_ARGS 5
#define HYPERCALL_NRS 64

/**
 * struct hypercall_args - one call as it left the guest's registers
 * @nr: rax
 * @arg: rdi, rsi, rdx, r10, r8 (ebx, ecx, edx, esi, edi of a 32-bit caller)
 */
struct hypercall_args {
	uint64_t nr;
	uint64_t arg[HYPERCALL_ARGS];
};

/**
 * typedef hypercall_fn - a handler: 0 or more on success, else a negative Xen errno; on the vCPU's
 * thread
 */
typedef long (*hypercall_fn)(struct vcpu *v, const uint64_t *arg);

/**
 * hypercall_dispatch - serve one hypercall of @v, whatever the transport
 *
 * Checks the caller's privilege, looks the number up, counts, traces. The transport writes the
 * return value into the guest's rax.
 */
long hypercall_dispatch(struct vcpu *v, const struct hypercall_args *call);

/**
 * hypercall_call - what a multicall does for each of its entries: as above, privilege already
 * checked
 */
long hypercall_call(struct vcpu *v, const struct hypercall_args *call);

/** hypercall_name - for reports, NULL for a number Xen does not define */
const char *hypercall_name(unsigned int nr);
/** hypercall_count - calls of @nr since the domain started; any thread */
uint64_t hypercall_count(const struct domain *d, unsigned int nr);

/** hypercall_page_fill - write the transport's hypercall page to @page (PAGE_SIZE bytes) */
void hypercall_page_fill(const struct domain *d, void *page);

/** HYPERCALL_SUBOP_MAX - size of the largest argument structure of a sub-operation table */
#define HYPERCALL_SUBOP_MAX 64
/** HYPERCALL_SUBOP_SIZE - size of a structure for such a table; does not compile if it is larger */
#define HYPERCALL_SUBOP_SIZE(type) \
	(sizeof(type) + 0 * sizeof(char[sizeof(type) <= HYPERCALL_SUBOP_MAX ? 1 : -1]))

/**
 * struct hypercall_subop - one sub-operation of a hypercall that takes a structure
 * @name: for traces
 * @fn: acts on a private copy of the guest's structure; 0 or more, or -errno
 * @size: of the structure, copied in before the call; 0 for none
 * @out: copied back after success
 */
struct hypercall_subop {
	const char *name;
	long (*fn)(struct vcpu *v, void *arg);
	uint16_t size;
	bool out;
};

/**
 * hypercall_subop - copy in, act on the copy, copy out
 * @nr: hypercall the table belongs to
 * @op: its sub-operations, indexed by command
 * @cmd: command, as the guest gave it
 * @uarg: the guest's structure
 *
 * Return: the handler's result, -ENOSYS (logged once) for a command that is not in the table,
 * -EFAULT.
 */
long hypercall_subop(struct vcpu *v, unsigned int nr, const struct hypercall_subop *op,
		     size_t nr_ops, uint64_t cmd, gva_t uarg);

/**
 * hypercall_unserved - log, once per domain, that a guest asked for something that does not exist;
 * -ENOSYS
 */
long hypercall_unserved(struct domain *d, unsigned int nr, uint64_t cmd);

/**
 * hypercall_check_domid - 0 if @domid names @d itself; -EPERM for domain 0, -ESRCH for any other
 */
long hypercall_check_domid(const struct domain *d, domid_t domid);

/**
 * abi_create, abi_destroy - everything hypercalls keep per domain and per vCPU (after kvm, mem and
 * vCPUs exist)
 */
int abi_create(struct domain *d);
void abi_destroy(struct domain *d);

#endif /* HV_HYPERCALL_H */
