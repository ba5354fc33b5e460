/* SPDX-License-Identifier: MIT */
/*
 * Xen's public headers, as the freestanding guest headers use them.
 */
#ifndef PARAVANE_XEN_H
#define PARAVANE_XEN_H

#include "ring/env.h"
#ifndef __KERNEL__
#include <stdint.h>
#endif

/* Tools get the latest interface from the headers themselves; everybody else asks for it. */
#if !defined(__XEN_INTERFACE_VERSION__) && !defined(__XEN_TOOLS__)
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#endif

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

#endif /* PARAVANE_XEN_H */
