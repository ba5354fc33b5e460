/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place where Xen's public headers enter kernel code.
 *
 * Linux carries copies of some of them under <xen/interface/...> with the same include guards and
 * older contents, so a file that includes this header must not include Linux's <xen/...> headers,
 * and the other way round (intree.c is the only file that does the latter).
 */
#ifndef PARAVANE_LINUX_XEN_H
#define PARAVANE_LINUX_XEN_H

#include <linux/errno.h>
#include <linux/types.h>

#if defined(__XEN_PUBLIC_XEN_H__) || defined(_XEN_XEN_H)
#error "Linux's own Xen headers were included first"
#endif

#define __XEN_INTERFACE_VERSION__ 0x00040e00

#include <xen-public/xen.h>
#include <xen-public/event_channel.h>
#include <xen-public/features.h>
#include <xen-public/grant_table.h>
#include <xen-public/hvm/hvm_op.h>
#include <xen-public/hvm/params.h>
#include <xen-public/memory.h>
#include <xen-public/sched.h>
#include <xen-public/vcpu.h>
#include <xen-public/version.h>
#include <xen-public/io/xenbus.h>
#include <xen-public/io/xs_wire.h>

#endif /* PARAVANE_LINUX_XEN_H */
