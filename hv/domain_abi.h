/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_DOMAIN_ABI_H
#define HV_DOMAIN_ABI_H

#include "hv/guest_line.h"
#include "hv/hypercall.h"
#include "hv/types.h"
#include "hv/xen/balloon.h"

#include <xen-public/hvm/params.h>

/**
 * struct domain_abi - what hypercalls keep per domain
 * @param: HVM parameters the guest may set; accessed atomically
 * @vm_assist: VMASST_TYPE_* bits; accessed atomically
 * @callback_vector: HVM_PARAM_CALLBACK_IRQ's vector while KVM injects it, else 0
 * @pollers: vCPUs in SCHEDOP_poll or SCHEDOP_block, one bit each
 * @count: hypercalls by vCPU and number; each row is written by its vCPU's thread only
 * @unserved: calls that were logged as unserved, one bit per hypercall number
 * @unserved_sub: the same for sub-operations, one word per hypercall
 * @log: what the guest writes there
 * @balloon: RAM that it gave back; under the domain's physmap lock
 */
struct domain_abi {
	uint64_t param[HVM_NR_PARAMS];
	uint64_t vm_assist;
	uint8_t callback_vector;
	uint32_t pollers;
	uint64_t count[MAX_VCPUS][HYPERCALL_NRS];
	uint64_t unserved;
	uint64_t unserved_sub[HYPERCALL_NRS];
	struct guest_log log;
	struct balloon balloon;
};

#endif /* HV_DOMAIN_ABI_H */
