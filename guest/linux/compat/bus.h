/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Driver core differences between supported kernels: what is const in a bus's callbacks.
 */
#ifndef PARAVANE_LINUX_COMPAT_BUS_H
#define PARAVANE_LINUX_COMPAT_BUS_H

#include <linux/device.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "Paravane needs Linux 6.1 or later"
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
typedef const struct device_driver compat_match_driver;
#else
typedef struct device_driver compat_match_driver;
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
typedef const struct device compat_uevent_device;
#else
typedef struct device compat_uevent_device;
#endif

#endif /* PARAVANE_LINUX_COMPAT_BUS_H */
