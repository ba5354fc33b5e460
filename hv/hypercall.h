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

/** typedef hypercall_fn - a handler: 0 or more on success, else a negative Xen errno; on the vCPU's thread */
typedef long (*hypercall_fn)(struct vcpu *v, const uint64_t *arg);

/**
 * hypercall_dispatch - serve one hypercall of @v, whatever the transport
 *
 * Checks the caller's privilege, looks the number up, counts, traces. The transport writes the return
 * value into the guest's rax.
 */
long hypercall_dispatch(struct vcpu *v, const struct hypercall_args *call);

/** hypercall_name - for reports, NULL for a number Xen does not define */
const char *hypercall_name(unsigned int nr);
/** hypercall_count - calls of @nr since the domain started; any thread */
uint64_t hypercall_count(const struct domain *d, unsigned int nr);

/** hypercall_page_fill - write the transport's hypercall page to @page (PAGE_SIZE bytes) */
void hypercall_page_fill(const struct domain *d, void *page);

/** abi_create, abi_destroy - everything hypercalls keep per domain and per vCPU (after kvm, mem and vCPUs exist) */
int abi_create(struct domain *d);
void abi_destroy(struct domain *d);

#endif /* HV_HYPERCALL_H */
