/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: one at each boundary between the guest and the hypervisor.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM paravane

#if !defined(PARAVANE_LINUX_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PARAVANE_LINUX_TRACE_H

#include <linux/tracepoint.h>

/* clang-format off */

TRACE_EVENT(paravane_hypercall,
	TP_PROTO(unsigned long nr, unsigned long op, long result),
	TP_ARGS(nr, op, result),
	TP_STRUCT__entry(
		__field(unsigned long, nr)
		__field(unsigned long, op)
		__field(long, result)
	),
	TP_fast_assign(
		__entry->nr = nr;
		__entry->op = op;
		__entry->result = result;
	),
	TP_printk("nr=%lu op=%lu result=%ld", __entry->nr, __entry->op, __entry->result)
);

DECLARE_EVENT_CLASS(paravane_port,
	TP_PROTO(unsigned int port, bool flag),
	TP_ARGS(port, flag),
	TP_STRUCT__entry(
		__field(unsigned int, port)
		__field(bool, flag)
	),
	TP_fast_assign(
		__entry->port = port;
		__entry->flag = flag;
	),
	TP_printk("port=%u flag=%d", __entry->port, __entry->flag)
);

/* flag: the handler found work */
DEFINE_EVENT(paravane_port, paravane_event,
	TP_PROTO(unsigned int port, bool flag),
	TP_ARGS(port, flag)
);

/* flag: by the doorbell */
DEFINE_EVENT(paravane_port, paravane_notify,
	TP_PROTO(unsigned int port, bool flag),
	TP_ARGS(port, flag)
);

TRACE_EVENT(paravane_grant,
	TP_PROTO(unsigned int ref, unsigned int domid, unsigned long gfn, int result),
	TP_ARGS(ref, domid, gfn, result),
	TP_STRUCT__entry(
		__field(unsigned int, ref)
		__field(unsigned int, domid)
		__field(unsigned long, gfn)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->ref = ref;
		__entry->domid = domid;
		__entry->gfn = gfn;
		__entry->result = result;
	),
	TP_printk("ref=%u domid=%u gfn=%lx result=%d", __entry->ref, __entry->domid,
		  __entry->gfn, __entry->result)
);

TRACE_EVENT(paravane_xenbus,
	TP_PROTO(const struct device *dev, unsigned int phase, unsigned int peer,
		 unsigned int action),
	TP_ARGS(dev, phase, peer, action),
	TP_STRUCT__entry(
		__array(char, name, 24)
		__field(unsigned int, phase)
		__field(unsigned int, peer)
		__field(unsigned int, action)
	),
	TP_fast_assign(
		strscpy(__entry->name, dev_name(dev), sizeof(__entry->name));
		__entry->phase = phase;
		__entry->peer = peer;
		__entry->action = action;
	),
	TP_printk("%s phase=%u peer=%u action=%u", __entry->name, __entry->phase, __entry->peer,
		  __entry->action)
);

/* clang-format on */

#endif /* PARAVANE_LINUX_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
