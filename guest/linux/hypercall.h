/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hypercalls by the transport that detection chose: one static call, patched in place.
 */
#ifndef PARAVANE_LINUX_HYPERCALL_H
#define PARAVANE_LINUX_HYPERCALL_H

#include <linux/static_call.h>

#include "guest/linux/trace.h"
#include "guest/linux/xen.h"

long paravane_hypercall_none(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
			     unsigned long a4, unsigned long a5);

DECLARE_STATIC_CALL(paravane_hypercall, paravane_hypercall_none);

static inline long paravane_hypercall5(unsigned long nr, unsigned long a1, unsigned long a2,
				       unsigned long a3, unsigned long a4, unsigned long a5)
{
	long ret = static_call(paravane_hypercall)(nr, a1, a2, a3, a4, a5);

	trace_paravane_hypercall(nr, a1, ret);
	return ret;
}

#define PARAVANE_HYPERCALL5(nr, a1, a2, a3, a4, a5) paravane_hypercall5(nr, a1, a2, a3, a4, a5)

#include <paravane/hypercall.h>

#endif /* PARAVANE_LINUX_HYPERCALL_H */
