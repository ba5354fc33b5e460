// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "hv/domain.h"
#include "hv/hypercall.h"
#include "hv/hypercalls.h"
#include "hv/mem.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"

long hc_multicall(struct vcpu *v, const uint64_t *arg)
{
	uint32_t nr = arg[1];
	gva_t entry = arg[0];
	long err = 0;

	if (v->abi->in_multicall)
		return -EINVAL;
	v->abi->in_multicall = true;
	for (; nr && !err && !domain_stopping(v->domain);
	     nr--, entry += sizeof(struct multicall_entry)) {
		struct multicall_entry call;
		struct hypercall_args args;

		if (mem_read_gva(v, &call, entry, sizeof(call))) {
			err = -EFAULT;
			break;
		}
		args.nr = call.op;
		memcpy(args.arg, call.args, sizeof(args.arg));
		call.result = hypercall_call(v, &args);
		err = mem_write_gva(v, entry + offsetof(struct multicall_entry, result),
				    &call.result, sizeof(call.result));
	}
	v->abi->in_multicall = false;
	return err;
}
