/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network stack differences between supported kernels.
 */
#ifndef PARAVANE_LINUX_COMPAT_NET_H
#define PARAVANE_LINUX_COMPAT_NET_H

#include <linux/netdevice.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#include <net/page_pool.h>
#else
#include <net/page_pool/helpers.h>
#endif

/* Since 6.8 the stack allocates and frees the counters of a device that says which it wants. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)

static inline int compat_tstats_alloc(struct net_device *netdev)
{
	netdev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	return netdev->tstats ? 0 : -ENOMEM;
}

static inline void compat_tstats_free(struct net_device *netdev)
{
	free_percpu(netdev->tstats);
}

#define COMPAT_GET_TSTATS64 dev_get_tstats64

#else

static inline int compat_tstats_alloc(struct net_device *netdev)
{
	netdev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	return 0;
}

static inline void compat_tstats_free(struct net_device *netdev)
{
}

#define COMPAT_GET_TSTATS64 NULL

#endif

#endif /* PARAVANE_LINUX_COMPAT_NET_H */
