// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the two ends tell each other through XenStore.
 */
#include <linux/etherdevice.h>

#include "guest/linux/net/vif.h"

static unsigned int max_queues = 8;
module_param(max_queues, uint, 0444);
MODULE_PARM_DESC(max_queues, "queues per device, if there are as many CPUs");

static bool trusted = true;
module_param(trusted, bool, 0444);
MODULE_PARM_DESC(trusted, "grant pages as they are; 0: copy all data through pages of our own");

/* What we always offer the back end. */
static const char *const vif_our_features[] = {
	"request-rx-copy",   "feature-rx-notify", "feature-sg",
	"feature-gso-tcpv4", "feature-gso-tcpv6", "feature-ipv6-csum-offload",
};

/* What the back end offers us, beyond checksums of IPv4. */
static const struct {
	const char *key;
	netdev_features_t feature;
} vif_peer_features[] = {
	{ "feature-sg", NETIF_F_SG },
	{ "feature-gso-tcpv4", NETIF_F_TSO },
	{ "feature-gso-tcpv6", NETIF_F_TSO6 },
	{ "feature-ipv6-csum-offload", NETIF_F_IPV6_CSUM },
};

/**
 * vif_max_queues() - how many queues a device can have at most
 */
unsigned int vif_max_queues(void)
{
	return clamp(max_queues, 1u, num_possible_cpus());
}

/**
 * vif_read_mac() - read the address of a device
 * @dev: device
 * @mac: result
 *
 * Return: 0, or -errno if there is none or it is not one of a single machine.
 */
int vif_read_mac(struct paravane_front_dev *dev, u8 mac[ETH_ALEN])
{
	char *text = paravane_front_read(dev, "mac");
	bool ok;

	if (IS_ERR(text))
		text = paravane_front_peer_read(dev, "mac");
	if (IS_ERR(text))
		return PTR_ERR(text);
	ok = mac_pton(text, mac) && is_valid_ether_addr(mac);
	kfree(text);
	return ok ? 0 : -EINVAL;
}

/**
 * vif_negotiate() - find out how to talk to the back end
 * @vif: device, back end in InitWait
 *
 * Return: 0, or -EOPNOTSUPP if the back end is one of those that cannot copy.
 */
int vif_negotiate(struct vif *vif)
{
	struct paravane_front_dev *dev = vif->dev;
	unsigned int max = min(vif_max_queues(), num_online_cpus());
	unsigned int i;

	if (!paravane_front_peer_read_u64(dev, "feature-rx-copy", 0)) {
		paravane_front_fail(dev, -EOPNOTSUPP,
				    "the back end does not offer feature-rx-copy");
		return -EOPNOTSUPP;
	}
	vif->trusted = trusted && paravane_front_read_u64(dev, "trusted", 1);
	vif->split = paravane_front_peer_read_u64(dev, "feature-split-event-channels", 0);
	vif->nr_queues = 1;
	if (max > 1)
		vif->nr_queues =
			clamp_t(u64, paravane_front_peer_read_u64(dev, "multi-queue-max-queues", 1),
				1, max);
	vif->features = NETIF_F_RXCSUM;
	if (!paravane_front_peer_read_u64(dev, "feature-no-csum-offload", 0))
		vif->features |= NETIF_F_IP_CSUM;
	for (i = 0; i < ARRAY_SIZE(vif_peer_features); i++) {
		if (paravane_front_peer_read_u64(dev, vif_peer_features[i].key, 0))
			vif->features |= vif_peer_features[i].feature;
	}
	vif->max_slots = vif->features & NETIF_F_SG ? VIF_MAX_SLOTS : 1;
	return 0;
}

static int vif_publish_queue(struct vif *vif, const struct paravane_xs_tx *tx, unsigned int index)
{
	struct paravane_front_dev *dev = vif->dev;
	struct vif_queue *q = &vif->queues[index];
	const struct {
		const char *name;
		const struct paravane_front_ring *ring;
		const struct paravane_evtchn *evtchn;
	} keys[] = {
		{ "tx-ring-ref", .ring = &q->tx_mem },
		{ "rx-ring-ref", .ring = &q->rx_mem },
		{ vif->split ? "event-channel-tx" : "event-channel", .evtchn = q->tx_evtchn },
		{ "event-channel-rx", .evtchn = vif->split ? q->rx_evtchn : NULL },
	};
	char key[48];
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(keys) && !err; i++) {
		if (vif->nr_queues > 1)
			snprintf(key, sizeof(key), "queue-%u/%s", index, keys[i].name);
		else
			strscpy(key, keys[i].name, sizeof(key));
		if (keys[i].ring)
			err = paravane_front_publish_ring(dev, tx, key, keys[i].ring);
		else if (keys[i].evtchn)
			err = paravane_front_publish_evtchn(dev, tx, key, keys[i].evtchn);
	}
	return err;
}

/**
 * vif_publish() - write the keys that describe us and our queues
 * @dev: device
 * @tx: transaction
 *
 * Return: 0 or -errno.
 */
int vif_publish(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx)
{
	struct vif *vif = dev_get_drvdata(&dev->dev);
	unsigned int i;
	int err = 0;

	if (vif->nr_queues > 1)
		err = paravane_front_publish(dev, tx, "multi-queue-num-queues", "%u",
					     vif->nr_queues);
	for (i = 0; i < vif->nr_queues && !err; i++)
		err = vif_publish_queue(vif, tx, i);
	for (i = 0; i < ARRAY_SIZE(vif_our_features) && !err; i++)
		err = paravane_front_publish(dev, tx, vif_our_features[i], "1");
	return err;
}

/**
 * vif_unpublish() - remove the keys that a later connection might not overwrite
 * @vif: device that is no longer connected
 *
 * Errors do not matter: the directory may be gone together with the device.
 */
void vif_unpublish(struct vif *vif)
{
	const char *dir = vif->dev->path;

	if (vif->nr_queues > 1) {
		paravane_xs_rm(&paravane_xs_no_tx, dir, "multi-queue-num-queues");
	} else if (vif->split) {
		paravane_xs_rm(&paravane_xs_no_tx, dir, "event-channel-tx");
		paravane_xs_rm(&paravane_xs_no_tx, dir, "event-channel-rx");
	}
}

/**
 * vif_read_carrier() - ask whether the link is up
 * @vif: device
 */
bool vif_read_carrier(struct vif *vif)
{
	return paravane_front_peer_read_u64(vif->dev, "carrier", 1);
}
