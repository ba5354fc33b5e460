// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "hv/domain.h"
#include "hv/domain_abi.h"
#include "hv/guest_line.h"
#include "hv/hypercall.h"
#include "hv/hypercalls.h"
#include "hv/mem.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"
#include "hv/xen/runstate.h"

long hc_console_io(struct vcpu *v, const uint64_t *arg)
{
	struct guest_line *line = &v->abi->line;
	uint32_t cmd = arg[0], left = arg[1];
	gva_t from = arg[2];
	char text[128];

	if (cmd != CONSOLEIO_write)
		return hypercall_unserved(v->domain, __HYPERVISOR_console_io, cmd);
	while (left && !domain_stopping(v->domain)) {
		uint32_t n = left < sizeof(text) ? left : sizeof(text);

		if (mem_read_gva(v, text, from, n))
			return -EFAULT;
		/* Lines of one vCPU stay in one piece. */
		for (uint32_t i = 0; i < n; i++) {
			if (guest_line_put(line, text[i]))
				guest_log_line(v->domain, "guest: ", line->text);
		}
		from += n;
		left -= n;
	}
	return 0;
}

long hc_vm_assist(struct vcpu *v, const uint64_t *arg)
{
	const uint64_t served = 1ULL << VMASST_TYPE_runstate_update_flag;
	uint64_t *assist = &v->domain->abi->vm_assist;
	uint32_t cmd = arg[0], type = arg[1];

	if (type >= 64 || !(served & 1ULL << type))
		return -EINVAL;
	switch (cmd) {
	case VMASST_CMD_enable:
		__atomic_fetch_or(assist, 1ULL << type, __ATOMIC_SEQ_CST);
		break;
	case VMASST_CMD_disable:
		__atomic_fetch_and(assist, ~(1ULL << type), __ATOMIC_SEQ_CST);
		break;
	default:
		return -ENOSYS;
	}
	runstate_assist(v->domain);
	return 0;
}
