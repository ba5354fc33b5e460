// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ethtool.h>

#include "guest/linux/net/vif.h"

static const char vif_stat_names[VIF_NR_STATS][ETH_GSTRING_LEN] = {
	[VIF_STAT_TX_BOUNCED] = "tx_bounced",
	[VIF_STAT_TX_LINEARIZED] = "tx_linearized",
	[VIF_STAT_RX_NO_BUFFER] = "rx_no_buffer",
	[VIF_STAT_RX_CSUM_FIXED] = "rx_csum_fixed",
};

static void vif_get_drvinfo(struct net_device *netdev, struct ethtool_drvinfo *info)
{
	struct vif *vif = netdev_priv(netdev);

	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->bus_info, dev_name(&vif->dev->dev), sizeof(info->bus_info));
}

static int vif_get_sset_count(struct net_device *netdev, int set)
{
	return set == ETH_SS_STATS ? VIF_NR_STATS : -EOPNOTSUPP;
}

static void vif_get_strings(struct net_device *netdev, u32 set, u8 *data)
{
	if (set == ETH_SS_STATS)
		memcpy(data, vif_stat_names, sizeof(vif_stat_names));
}

static void vif_get_ethtool_stats(struct net_device *netdev, struct ethtool_stats *stats, u64 *data)
{
	struct vif *vif = netdev_priv(netdev);
	unsigned int i;

	for (i = 0; i < VIF_NR_STATS; i++)
		data[i] = atomic64_read(&vif->stats[i]);
}

static void vif_get_channels(struct net_device *netdev, struct ethtool_channels *channels)
{
	channels->max_combined = netdev->num_tx_queues;
	channels->combined_count = netdev->real_num_tx_queues;
}

const struct ethtool_ops vif_ethtool_ops = {
	.get_drvinfo = vif_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_ts_info = ethtool_op_get_ts_info,
	.get_sset_count = vif_get_sset_count,
	.get_strings = vif_get_strings,
	.get_ethtool_stats = vif_get_ethtool_stats,
	.get_channels = vif_get_channels,
};
