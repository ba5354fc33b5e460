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

#if !defined(PARAVANE_XEN_H) && (defined(__XEN_PUBLIC_XEN_H__) || defined(_XEN_XEN_H))
#error "Linux's own Xen headers were included first"
#endif

#include <paravane/xen.h>

#endif /* PARAVANE_LINUX_XEN_H */
