// SPDX-License-Identifier: GPL-2.0-only
/*
 * For suites that include sources of paravane.ko; included first.
 *
 * Hypercalls go where the suite's static_call_update(&paravane_hypercall) leads them. Nothing is
 * exported and nothing traced: all suites are loaded at the same time, and so may be the module.
 */
#include <kunit/test.h>
#include <linux/module.h>

#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(sym) struct sym##_is_not_exported

#define PARAVANE_LINUX_TRACE_H
#define trace_paravane_hypercall(nr, op, result) ((void)(op))
#define trace_paravane_event(port, flag) ((void)(flag))
#define trace_paravane_notify(port, flag) ((void)(flag))
#define trace_paravane_grant(ref, domid, gfn, result) ((void)(result))
#define trace_paravane_xenbus(dev, phase, peer, action) ((void)(action))

#include "guest/linux/hypercall.h"

long paravane_hypercall_none(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
			     unsigned long a4, unsigned long a5)
{
	return -ENOSYS;
}

DEFINE_STATIC_CALL(paravane_hypercall, paravane_hypercall_none);
