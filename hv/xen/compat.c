// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/xen/compat.h"

#include <errno.h>

#include "hv/hypercall.h"
#include "hv/hypercalls.h"
#include "hv/mem.h"
#include "hv/vcpu.h"

#include <xen-public/memory.h>
#include <xen-public/sched.h>
#include <xen-public/vcpu.h>

/** struct compat_add_to_physmap - struct xen_add_to_physmap of a 32-bit guest */
struct compat_add_to_physmap {
	uint16_t domid, size;
	uint32_t space, idx, gpfn;
};

/** struct compat_poll - struct sched_poll of a 32-bit guest */
struct compat_poll {
	uint32_t ports, nr_ports;
	uint64_t timeout;
};

long compat_memory_op(struct vcpu *v, const uint64_t *arg)
{
	struct compat_add_to_physmap op;
	struct xen_add_to_physmap wide;

	if (arg[0] != XENMEM_add_to_physmap)
		return hypercall_unserved(v->domain, __HYPERVISOR_memory_op, arg[0]);
	if (mem_read_gva(v, &op, arg[1], sizeof(op)))
		return -EFAULT;
	wide = (struct xen_add_to_physmap){ .domid = op.domid,
					    .size = op.size,
					    .space = op.space,
					    .idx = op.idx,
					    .gpfn = op.gpfn };
	return memory_add_to_physmap(v, &wide);
}

long compat_vcpu_op(struct vcpu *v, const uint64_t *arg)
{
	switch (arg[0]) {
	case VCPUOP_initialise:
	case VCPUOP_up:
	case VCPUOP_down:
	case VCPUOP_is_up:
		return hc_vcpu_op(v, arg);
	default:
		return hypercall_unserved(v->domain, __HYPERVISOR_vcpu_op, arg[0]);
	}
}

long compat_sched_op(struct vcpu *v, const uint64_t *arg)
{
	struct sched_poll wide = { 0 };
	struct compat_poll op;

	if (arg[0] != SCHEDOP_poll)
		return hc_sched_op(v, arg);
	if (mem_read_gva(v, &op, arg[1], sizeof(op)))
		return -EFAULT;
	wide.ports.p = (evtchn_port_t *)(uintptr_t)op.ports;
	wide.nr_ports = op.nr_ports;
	wide.timeout = op.timeout;
	return sched_poll(v, &wide);
}
