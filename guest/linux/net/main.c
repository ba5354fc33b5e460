// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module and device life cycle.
 */
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>
#include <net/tcp.h>

#include "guest/linux/compat/net.h"
#include "guest/linux/net/vif.h"
#include "guest/linux/unplug.h"

/* What can be switched with ethtool, if the back end allows it. */
#define VIF_HW_FEATURES \
	(NETIF_F_SG | NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM | NETIF_F_TSO | NETIF_F_TSO6)

#define VIF_MAX_MTU (XEN_NETIF_MAX_TX_SIZE - ETH_HLEN)

/**
 * vif_queue_fail() - give a device up
 * @q: queue where it happened
 * @why: the reason, for people
 *
 * Any context. The device is closed soon afterwards.
 */
void vif_queue_fail(struct vif_queue *q, const char *why)
{
	WRITE_ONCE(q->dead, true);
	netif_carrier_off(q->vif->netdev);
	paravane_front_fail(q->vif->dev, -EPROTO, "queue %u: %s", q->index, why);
}

static int vif_open(struct net_device *netdev)
{
	vif_queues_start(netdev_priv(netdev));
	netif_tx_start_all_queues(netdev);
	return 0;
}

static int vif_stop(struct net_device *netdev)
{
	vif_queues_stop(netdev_priv(netdev));
	return 0;
}

static netdev_features_t vif_fix_features(struct net_device *netdev, netdev_features_t features)
{
	struct vif *vif = netdev_priv(netdev);

	return features & (vif->features | ~VIF_HW_FEATURES);
}

static const struct net_device_ops vif_netdev_ops = {
	.ndo_open = vif_open,
	.ndo_stop = vif_stop,
	.ndo_start_xmit = vif_start_xmit,
	.ndo_fix_features = vif_fix_features,
	.ndo_get_stats64 = COMPAT_GET_TSTATS64,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static int vif_probe(struct paravane_front_dev *dev)
{
	unsigned int queues = vif_max_queues();
	struct net_device *netdev;
	struct vif *vif;
	u8 mac[ETH_ALEN];
	int err;

	err = vif_read_mac(dev, mac);
	if (err) {
		dev_err(&dev->dev, "its key \"mac\" is missing or no address (%d)\n", err);
		return -ENODEV;
	}
	if (paravane_twin_nic(dev, mac))
		return -ENODEV;
	netdev = alloc_etherdev_mq(sizeof(*vif), queues);
	if (!netdev)
		return -ENOMEM;
	err = compat_tstats_alloc(netdev);
	if (err) {
		free_netdev(netdev);
		return err;
	}
	vif = netdev_priv(netdev);
	vif->dev = dev;
	vif->netdev = netdev;
	eth_hw_addr_set(netdev, mac);
	netdev->netdev_ops = &vif_netdev_ops;
	netdev->ethtool_ops = &vif_ethtool_ops;
	/* A packet is ours until it is answered for: its cb counts its slots. */
	netdev->priv_flags &= ~IFF_TX_SKB_SHARING;
	netdev->hw_features = VIF_HW_FEATURES;
	netdev->min_mtu = ETH_MIN_MTU;
	netif_set_tso_max_size(netdev, XEN_NETIF_MAX_TX_SIZE - MAX_TCP_HEADER);
	netif_carrier_off(netdev);
	SET_NETDEV_DEV(netdev, &dev->dev);
	dev_set_drvdata(&dev->dev, vif);
	return 0;
}

static void vif_remove(struct paravane_front_dev *dev)
{
	struct vif *vif = dev_get_drvdata(&dev->dev);

	if (!vif)
		return;
	dev_set_drvdata(&dev->dev, NULL);
	if (vif->registered)
		unregister_netdev(vif->netdev);
	compat_tstats_free(vif->netdev);
	free_netdev(vif->netdev);
}

static int vif_connect(struct paravane_front_dev *dev)
{
	struct vif *vif = dev_get_drvdata(&dev->dev);
	int err = vif_negotiate(vif);

	return err ?: vif_queues_init(vif);
}

/* Under rtnl, or before anybody knows the device. */
static int vif_adapt(struct vif *vif)
{
	struct net_device *netdev = vif->netdev;
	int err = netif_set_real_num_queues(netdev, vif->nr_queues, vif->nr_queues);

	if (err)
		return err;
	netdev->max_mtu = vif->features & NETIF_F_SG ? VIF_MAX_MTU : ETH_DATA_LEN;
	return 0;
}

static int vif_introduce(struct vif *vif)
{
	struct net_device *netdev = vif->netdev;
	int err;

	netdev->features = vif->features;
	err = vif_adapt(vif);
	netdev->mtu = clamp_t(u64, paravane_front_read_u64(vif->dev, "mtu", ETH_DATA_LEN),
			      netdev->min_mtu, netdev->max_mtu);
	if (!err)
		err = register_netdev(netdev);
	if (err)
		return err;
	vif->registered = true;
	netdev_info(netdev, "%pM, %u queue%s%s\n", netdev->dev_addr, vif->nr_queues,
		    vif->nr_queues > 1 ? "s" : "", vif->trusted ? "" : ", back end not trusted");
	return 0;
}

static int vif_reattach(struct vif *vif)
{
	struct net_device *netdev = vif->netdev;
	int err;

	rtnl_lock();
	err = vif_adapt(vif);
	if (!err) {
		netdev_update_features(netdev);
		if (netif_running(netdev))
			vif_queues_start(vif);
		netif_device_attach(netdev);
		/* Refused while detached. Larger packets sent so far are dropped. */
		if (netdev->mtu > netdev->max_mtu)
			err = dev_set_mtu(netdev, netdev->max_mtu);
	}
	rtnl_unlock();
	return err;
}

static void vif_update_carrier(struct vif *vif)
{
	if (!vif_read_carrier(vif))
		netif_carrier_off(vif->netdev);
	else if (!paravane_front_is_dead(vif->dev))
		netif_carrier_on(vif->netdev);
}

static int vif_connected(struct paravane_front_dev *dev)
{
	struct vif *vif = dev_get_drvdata(&dev->dev);
	bool again = vif->registered;
	int err = again ? vif_reattach(vif) : vif_introduce(vif);

	if (err)
		return err;
	vif_update_carrier(vif);
	/* Tell the neighbours, for the back end may be somewhere else now. */
	if (again)
		netdev_notify_peers(vif->netdev);
	return 0;
}

static void vif_changed(struct paravane_front_dev *dev)
{
	vif_update_carrier(dev_get_drvdata(&dev->dev));
}

static int vif_closing(struct paravane_front_dev *dev, bool force)
{
	struct vif *vif = dev_get_drvdata(&dev->dev);

	rtnl_lock();
	netif_carrier_off(vif->netdev);
	if (vif->registered)
		netif_device_detach(vif->netdev);
	vif_queues_stop(vif);
	rtnl_unlock();
	return 0;
}

static void vif_disconnect(struct paravane_front_dev *dev)
{
	struct vif *vif = dev_get_drvdata(&dev->dev);

	vif_queues_exit(vif);
	vif_unpublish(vif);
}

static struct paravane_front_driver vif_driver = {
	.type = "vif",
	.early = true,
	.probe = vif_probe,
	.connect = vif_connect,
	.publish = vif_publish,
	.connected = vif_connected,
	.changed = vif_changed,
	.closing = vif_closing,
	.disconnect = vif_disconnect,
	.remove = vif_remove,
};
module_paravane_front_driver(vif_driver);

MODULE_DESCRIPTION("Paravane network device front end");
MODULE_LICENSE("GPL");
MODULE_ALIAS_PARAVANE("vif");
