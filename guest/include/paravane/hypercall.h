/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls: typed wrappers for the calls a guest core needs.
 *
 * Whoever includes this file first defines PARAVANE_HYPERCALL5(nr, a1, a2, a3, a4, a5), forwarding
 * to one of the transports in <paravane/transport.h>.
 *
 * All wrappers return 0 or more, or a negative Xen error number (Linux's values), and may be called
 * in any context.
 */
#ifndef PARAVANE_HYPERCALL_H
#define PARAVANE_HYPERCALL_H

#include <paravane/xen.h>

#ifndef PARAVANE_HYPERCALL5
#error "define PARAVANE_HYPERCALL5 first"
#endif

#define PARAVANE_HYPERCALL2(nr, a1, a2) PARAVANE_HYPERCALL5(nr, a1, a2, 0, 0, 0)
#define PARAVANE_HYPERCALL3(nr, a1, a2, a3) PARAVANE_HYPERCALL5(nr, a1, a2, a3, 0, 0)

/* XENVER_*; @arg may be NULL for XENVER_version. */
static inline long paravane_xen_version(unsigned int cmd, void *arg)
{
	return PARAVANE_HYPERCALL2(__HYPERVISOR_xen_version, cmd, (unsigned long)arg);
}

/* XENMEM_*. */
static inline long paravane_memory_op(unsigned int cmd, void *arg)
{
	return PARAVANE_HYPERCALL2(__HYPERVISOR_memory_op, cmd, (unsigned long)arg);
}

/* HVMOP_*. */
static inline long paravane_hvm_op(unsigned int op, void *arg)
{
	return PARAVANE_HYPERCALL2(__HYPERVISOR_hvm_op, op, (unsigned long)arg);
}

/* EVTCHNOP_*. */
static inline long paravane_evtchn_op(unsigned int cmd, void *arg)
{
	return PARAVANE_HYPERCALL2(__HYPERVISOR_event_channel_op, cmd, (unsigned long)arg);
}

/* GNTTABOP_*, on an array of @count structures. */
static inline long paravane_gnttab_op(unsigned int cmd, void *arg, unsigned int count)
{
	return PARAVANE_HYPERCALL3(__HYPERVISOR_grant_table_op, cmd, (unsigned long)arg, count);
}

/* SCHEDOP_*. */
static inline long paravane_sched_op(unsigned int cmd, void *arg)
{
	return PARAVANE_HYPERCALL2(__HYPERVISOR_sched_op, cmd, (unsigned long)arg);
}

/**
 * paravane_hvm_get_param() - read one of our HVM parameters
 * @index: HVM_PARAM_*
 * @value: result, untouched on error
 *
 * <xen-public/hvm/params.h>, HVMOP_get_param.
 */
static inline long paravane_hvm_get_param(unsigned int index, uint64_t *value)
{
	struct xen_hvm_param param = { .domid = DOMID_SELF, .index = index };
	long ret = paravane_hvm_op(HVMOP_get_param, &param);

	if (ret >= 0)
		*value = param.value;
	return ret;
}

/**
 * paravane_hvm_set_param() - write one of our HVM parameters
 * @index: HVM_PARAM_*
 * @value: value
 */
static inline long paravane_hvm_set_param(unsigned int index, uint64_t value)
{
	struct xen_hvm_param param = { .domid = DOMID_SELF, .index = index, .value = value };

	return paravane_hvm_op(HVMOP_set_param, &param);
}

/**
 * paravane_physmap_add() - put a page of the hypervisor's at a guest frame
 * @space: XENMAPSPACE_*
 * @idx: which page of that space
 * @gfn: guest frame
 *
 * <xen-public/memory.h>, XENMEM_add_to_physmap. What was at @gfn is lost.
 */
static inline long paravane_physmap_add(unsigned int space, unsigned long idx, unsigned long gfn)
{
	struct xen_add_to_physmap xatp = {
		.domid = DOMID_SELF,
		.space = space,
		.idx = idx,
		.gpfn = gfn,
	};

	return paravane_memory_op(XENMEM_add_to_physmap, &xatp);
}

/**
 * paravane_physmap_remove() - take away what is at a guest frame
 * @gfn: guest frame
 *
 * XENMEM_remove_from_physmap. On Xen this leaves a hole, see paravane_physmap_populate().
 */
static inline long paravane_physmap_remove(unsigned long gfn)
{
	struct xen_remove_from_physmap xrfp = { .domid = DOMID_SELF, .gpfn = gfn };

	return paravane_memory_op(XENMEM_remove_from_physmap, &xrfp);
}

/**
 * paravane_physmap_populate() - put fresh memory at a guest frame
 * @gfn: guest frame
 *
 * XENMEM_populate_physmap with one extent. Returns 1 on success, 0 if there is no memory.
 */
static inline long paravane_physmap_populate(unsigned long gfn)
{
	xen_pfn_t frame = gfn;
	struct xen_memory_reservation reservation = { .nr_extents = 1, .domid = DOMID_SELF };

	set_xen_guest_handle(reservation.extent_start, &frame);
	return paravane_memory_op(XENMEM_populate_physmap, &reservation);
}

/* EVTCHNOP_send. */
static inline long paravane_evtchn_send(evtchn_port_t port)
{
	struct evtchn_send op = { .port = port };

	return paravane_evtchn_op(EVTCHNOP_send, &op);
}

/* EVTCHNOP_unmask. */
static inline long paravane_evtchn_op_unmask(evtchn_port_t port)
{
	struct evtchn_unmask op = { .port = port };

	return paravane_evtchn_op(EVTCHNOP_unmask, &op);
}

/* EVTCHNOP_close. */
static inline long paravane_evtchn_op_close(evtchn_port_t port)
{
	struct evtchn_close op = { .port = port };

	return paravane_evtchn_op(EVTCHNOP_close, &op);
}

/* EVTCHNOP_bind_vcpu. */
static inline long paravane_evtchn_op_bind_vcpu(evtchn_port_t port, unsigned int vcpu)
{
	struct evtchn_bind_vcpu op = { .port = port, .vcpu = vcpu };

	return paravane_evtchn_op(EVTCHNOP_bind_vcpu, &op);
}

#endif /* PARAVANE_HYPERCALL_H */
