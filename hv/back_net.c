// SPDX-License-Identifier: GPL-2.0-or-later
/* Network back end: the device and its queue. */
#include "hv/back_net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/config.h"

static int net_open(struct backend_dev *dev, const void *config)
{
	const struct nic_config *cfg = config;
	struct back_net *net = calloc(1, sizeof(*net));
	int err;

	if (!net)
		return -ENOMEM;
	memcpy(net->mac, cfg->mac, sizeof(net->mac));
	snprintf(net->vifname, sizeof(net->vifname), "%s", cfg->ifname);
	net->tx.buf = malloc(NET_FRAME_MAX);
	if (net->tx.buf)
		err = cfg->type == NIC_TAP ? net_tap_open(cfg, &net->link) :
					     net_user_open(cfg, &net->link);
	else
		err = -ENOMEM;
	if (err) {
		free(net->tx.buf);
		free(net);
		return err;
	}
	net->link->net = net;
	dev->priv = net;
	return 0;
}

static void net_close(struct backend_dev *dev)
{
	struct back_net *net = dev->priv;

	net->link->ops->close(net->link);
	free(net->tx.buf);
	free(net);
}

static int publish_both(struct backend_dev *dev, const char *key, const char *value)
{
	int err = backend_publish(dev, key, "%s", value);

	return err ? err : backend_publish_front(dev, key, "%s", value);
}

static int net_probe(struct backend_dev *dev)
{
	const struct back_net *net = dev->priv;
	const bool offload = net->link->ops->offload;
	const struct {
		const char *key;
		bool value;
	} features[] = {
		{ "feature-rx-copy", true },
		{ "feature-rx-flip", false },
		{ "feature-sg", true },
		{ "feature-gso-tcpv4", offload },
		{ "feature-gso-tcpv6", offload },
		{ "feature-ipv6-csum-offload", true },
		{ "feature-split-event-channels", true },
	};
	char text[24];
	unsigned int i;
	int err;

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", net->mac[0], net->mac[1],
		 net->mac[2], net->mac[3], net->mac[4], net->mac[5]);
	err = publish_both(dev, "mac", text);
	snprintf(text, sizeof(text), "%u", dev->id);
	if (!err)
		err = publish_both(dev, "handle", text);
	if (!err)
		err = backend_publish(dev, "type", *net->vifname ? "tap" : "user");
	if (!err && *net->vifname)
		err = backend_publish(dev, "vifname", "%s", net->vifname);
	for (i = 0; !err && i < ARRAY_SIZE(features); i++)
		err = backend_publish(dev, features[i].key, "%d", features[i].value);
	return err;
}

static unsigned int front_features(struct backend_dev *dev)
{
	unsigned int features = 0;

	if (backend_front_has(dev, "feature-sg"))
		features |= NET_SG;
	if (!backend_front_has(dev, "feature-no-csum-offload"))
		features |= NET_CSUM4;
	if (backend_front_has(dev, "feature-ipv6-csum-offload"))
		features |= NET_CSUM6;
	/* Segments need a blank checksum and more than one page. */
	if (features & NET_SG && features & NET_CSUM4 &&
	    backend_front_has(dev, "feature-gso-tcpv4"))
		features |= NET_TSO4;
	if (features & NET_SG && features & NET_CSUM6 &&
	    backend_front_has(dev, "feature-gso-tcpv6"))
		features |= NET_TSO6;
	return features;
}

static int bind_channels(struct back_net *net)
{
	int err = backend_bind_evtchn(net->queue, "event-channel-tx", &net->tx.peer);

	if (!err)
		return backend_bind_evtchn(net->queue, "event-channel-rx", &net->rx.peer);
	if (err != -ENOENT)
		return err;
	err = backend_bind_evtchn(net->queue, "event-channel", &net->tx.peer);
	net->rx.peer = net->tx.peer;
	return err;
}

static int net_work(struct backend_queue *q)
{
	struct back_net *net = backend_queue_priv(q);
	int tx = net_tx_work(net);
	int rx = tx < 0 ? 0 : net_rx_work(net);

	return tx < 0 ? tx : rx < 0 ? rx : tx + rx;
}

static bool net_arm(struct backend_queue *q)
{
	struct back_net *net = backend_queue_priv(q);
	bool tx = ring_final_check_requests(&net->tx.ring);

	return net_rx_arm(net) || tx;
}

static int net_poll(struct backend_queue *q, struct pollfd *fds, unsigned int max, int *timeout)
{
	struct back_net *net = backend_queue_priv(q);
	int rx = net_rx_timeout(net);

	if (rx >= 0 && (*timeout < 0 || *timeout > rx))
		*timeout = rx;
	return net->link->ops->poll(net->link, fds, max, timeout);
}

static int net_polled(struct backend_queue *q, const struct pollfd *fds, unsigned int n)
{
	struct back_net *net = backend_queue_priv(q);
	int err = net->link->ops->polled(net->link, fds, n);

	return err < 0 ? err : net_rx_work(net);
}

static const struct backend_queue_ops net_queue_ops = {
	.work = net_work,
	.arm = net_arm,
	.poll = net_poll,
	.polled = net_polled,
};

static int net_fail(struct backend_dev *dev, int err, const char *what)
{
	if (err)
		backend_fail(dev, err, "%s", what);
	return err;
}

static int net_connect(struct backend_dev *dev)
{
	struct back_net *net = dev->priv;
	int err;

	if (!backend_front_has(dev, "request-rx-copy"))
		return net_fail(dev, -EOPNOTSUPP, "the front end wants page flipping");
	err = backend_queue_create(dev, &net_queue_ops, net, &net->queue);
	if (err)
		return err;
	err = backend_map_ring(dev, "tx-ring-ref", RING_FORMAT(netif_tx), &net->tx.ring);
	if (err)
		return net_fail(dev, err, "tx-ring-ref: no usable ring");
	err = backend_map_ring(dev, "rx-ring-ref", RING_FORMAT(netif_rx), &net->rx.ring);
	if (err)
		return net_fail(dev, err, "rx-ring-ref: no usable ring");
	err = bind_channels(net);
	if (err)
		return net_fail(dev, err, "event-channel: cannot be bound");
	net->features = front_features(dev);
	net->rx_notify = backend_front_has(dev, "feature-rx-notify");
	net->rx.error = 0;
	net->tx.nr = 0;
	net->tx.nr_extras = 0;
	net->tx.more_data = false;
	net->tx.more_extra = false;
	net->tx.overflow = false;
	if (!net->link->ops->connect)
		return 0;
	return net_fail(dev, net->link->ops->connect(net->link, net->features),
			"the link refused the front end's features");
}

static void net_disconnect(struct backend_dev *dev)
{
	net_rx_purge(dev->priv);
}

const struct backend_ops back_net_ops = {
	.abi = BACKEND_ABI,
	.type = "vif",
	.open = net_open,
	.probe = net_probe,
	.connect = net_connect,
	.disconnect = net_disconnect,
	.close = net_close,
};
