// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/xen/memory_map.h"

#include <errno.h>

#include <asm/bootparam.h>

#include "hv/boot.h"
#include "hv/mem.h"
#include "hv/vcpu.h"

#include <xen-public/memory.h>

long memory_map(struct vcpu *v, void *arg)
{
	struct xen_memory_map *op = arg;
	gva_t buffer = (uintptr_t)op->buffer.p;
	struct boot_range range[BOOT_RANGES];
	unsigned int n = boot_memory_map(v->domain, range);

	if (op->nr_entries > n)
		op->nr_entries = n;
	for (unsigned int i = 0; i < op->nr_entries; i++) {
		struct boot_e820_entry row = { range[i].addr, range[i].size, range[i].type };

		if (mem_write_gva(v, buffer + i * sizeof(row), &row, sizeof(row)))
			return -EFAULT;
	}
	return 0;
}
