// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "hv/domain.h"
#include "hv/domain_abi.h"
#include "hv/hypercall.h"
#include "hv/hypercalls.h"
#include "hv/log.h"
#include "hv/mem.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"

/*
 * Lines of one vCPU stay in one piece; what a guest writes reaches the log as printable text only
 */
static void put_char(struct vcpu_abi *abi, char c)
{
	if (c != '\n' && c != '\0')
		abi->line[abi->line_len++] = c == '\t' || (c >= ' ' && c != 0x7f) ? c : '?';
	if (c != '\n' && abi->line_len < sizeof(abi->line))
		return;
	pr_info("guest: %.*s", (int)abi->line_len, abi->line);
	abi->line_len = 0;
}

long hc_console_io(struct vcpu *v, const uint64_t *arg)
{
	uint32_t cmd = arg[0], left = arg[1];
	gva_t from = arg[2];
	char text[128];

	if (cmd != CONSOLEIO_write)
		return hypercall_unserved(v->domain, __HYPERVISOR_console_io, cmd);
	while (left && !domain_stopping(v->domain)) {
		uint32_t n = left < sizeof(text) ? left : sizeof(text);

		if (mem_read_gva(v, text, from, n))
			return -EFAULT;
		for (uint32_t i = 0; i < n; i++)
			put_char(v->abi, text[i]);
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
		return 0;
	case VMASST_CMD_disable:
		__atomic_fetch_and(assist, ~(1ULL << type), __ATOMIC_SEQ_CST);
		return 0;
	default:
		return -ENOSYS;
	}
}
