// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets from the guest. Slots are gathered until a packet is complete, then checked together,
 * copied, passed on and answered in order, each exactly once. A packet that is wrong in any way
 * gets error responses; the ring goes on.
 */
#include <errno.h>
#include <string.h>

#include "hv/back_net.h"
#include "hv/log.h"

RING_ASSERT_LAYOUT(netif_tx);
static_assert(sizeof(struct netif_extra_info) <= sizeof(struct netif_tx_request),
	      "an extra fits into a slot");

/* Slots taken off the ring before the other direction gets its turn. */
#define TX_BATCH 128

static int slot_answer(struct net_tx *tx, uint16_t id, int16_t status)
{
	const struct netif_tx_response rsp = { .id = id, .status = status };

	return ring_put_response(&tx->ring, &rsp);
}

/* Answer all gathered slots. An extra is not a request of its own: its answer says so. */
static int packet_answer(struct net_tx *tx, int16_t status)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < tx->nr; i++)
		err = tx->is_extra[i] ? slot_answer(tx, 0, NETIF_RSP_NULL) :
					slot_answer(tx, tx->slot[i].id, status);
	tx->nr = 0;
	tx->nr_extras = 0;
	return err;
}

/*
 * The first slot announces the size of the whole packet; make it the size of its own part. Checks
 * every bound there is: afterwards each slot lies in its page and the sum is the total.
 */
static int packet_measure(struct net_tx *tx, size_t *total)
{
	unsigned int i;
	size_t rest = 0;

	for (i = 1; i < tx->nr; i++)
		if (!tx->is_extra[i])
			rest += tx->slot[i].size;
	*total = tx->slot[0].size;
	if (*total < NET_ETH_HLEN || rest > *total)
		return -EINVAL;
	tx->slot[0].size = *total - rest;
	for (i = 0; i < tx->nr; i++) {
		if (tx->is_extra[i])
			continue;
		if ((size_t)tx->slot[i].offset + tx->slot[i].size > PAGE_SIZE)
			return -EINVAL;
	}
	return 0;
}

/*
 * Copy the packet to the private buffer; a guest that writes meanwhile spoils nothing but its own
 * packet.
 */
static int packet_copy(struct back_net *net)
{
	struct net_tx *tx = &net->tx;
	uint8_t *to = tx->buf;
	unsigned int i;

	for (i = 0; i < tx->nr; i++) {
		const struct netif_tx_request *slot = &tx->slot[i];
		struct backend_grant g;
		int err;

		if (tx->is_extra[i] || !slot->size)
			continue;
		err = backend_map(net->queue, slot->gref, false, &g);
		if (err)
			return err;
		memcpy(to, (char *)g.page + slot->offset, slot->size);
		backend_unmap(net->queue, &g);
		to += slot->size;
	}
	return 0;
}

/* What the extras ask for. Only segmentation is offered, so anything else is an error. */
static int packet_extras(const struct back_net *net, struct netif_extra_info *gso, bool *has_gso)
{
	const struct net_tx *tx = &net->tx;
	unsigned int i;

	*has_gso = false;
	for (i = 0; i < tx->nr; i++) {
		if (!tx->is_extra[i])
			continue;
		memcpy(gso, &tx->slot[i], sizeof(*gso));
		if (gso->type != XEN_NETIF_EXTRA_TYPE_GSO || *has_gso || !gso->u.gso.size ||
		    !net->link->ops->offload)
			return -EINVAL;
		*has_gso = true;
	}
	return 0;
}

/* Describe to the link what the guest left to do. */
static int packet_offload(const struct back_net *net, struct net_frame *f)
{
	struct netif_extra_info gso;
	struct net_headers h;
	bool has_gso;
	int err;

	err = packet_extras(net, &gso, &has_gso);
	if (err || (!has_gso && !(net->tx.slot[0].flags & NETTXF_csum_blank)))
		return err;
	err = net_parse(f->data, f->len, &h);
	if (err)
		return err;
	net_csum_seed(f->data, &h);
	if (!net->link->ops->offload) {
		net_csum_fill(f->data, h.l4, h.end, h.csum);
		return 0;
	}
	f->hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	f->hdr.csum_start = h.l4;
	f->hdr.csum_offset = h.csum;
	f->hdr.hdr_len = h.payload;
	if (!has_gso)
		return 0;
	if (!h.tcp ||
	    gso.u.gso.type != (h.v6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4))
		return -EINVAL;
	f->hdr.gso_type = h.v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	f->hdr.gso_size = gso.u.gso.size;
	return 0;
}

static int packet_finish(struct back_net *net)
{
	struct net_tx *tx = &net->tx;
	struct net_frame f = { .data = tx->buf };
	int err;

	err = packet_measure(tx, &f.len);
	if (!err)
		err = packet_copy(net);
	if (!err)
		err = packet_offload(net, &f);
	if (err) {
		pr_once(LOG_LEVEL_WARN, "network: refused a packet of the guest: %s",
			strerror(-err));
		return packet_answer(tx, NETIF_RSP_ERROR);
	}
	err = net->link->ops->send(net->link, &f);
	return packet_answer(tx, err ? NETIF_RSP_DROPPED : NETIF_RSP_OKAY);
}

/* Which kind of slot comes next, judged by the one just taken. */
static bool slot_is_last(struct net_tx *tx, const struct netif_tx_request *slot, bool extra)
{
	if (extra) {
		struct netif_extra_info info;

		memcpy(&info, slot, sizeof(info));
		tx->more_extra = info.flags & XEN_NETIF_EXTRA_FLAG_MORE;
	} else {
		/* Only the first slot can announce extras. */
		tx->more_extra = !tx->nr && !tx->overflow && (slot->flags & NETTXF_extra_info);
		tx->more_data = slot->flags & NETTXF_more_data;
	}
	return !tx->more_extra && !tx->more_data;
}

static int slot_take(struct back_net *net, const struct netif_tx_request *slot)
{
	struct net_tx *tx = &net->tx;
	bool extra = tx->more_extra;
	bool last = slot_is_last(tx, slot, extra);
	int err = 0;

	if (!tx->overflow &&
	    (extra ? tx->nr_extras == NET_EXTRAS_MAX : tx->nr - tx->nr_extras == NET_SLOTS_MAX)) {
		tx->overflow = true;
		pr_once(LOG_LEVEL_WARN, "network: refused a packet of the guest: too many slots");
		err = packet_answer(tx, NETIF_RSP_ERROR);
	}
	if (tx->overflow) {
		/* The rest of a chain without end is answered as it comes. */
		if (!err)
			err = extra ? slot_answer(tx, 0, NETIF_RSP_NULL) :
				      slot_answer(tx, slot->id, NETIF_RSP_ERROR);
		tx->overflow = !last;
		return err;
	}
	tx->slot[tx->nr] = *slot;
	tx->is_extra[tx->nr++] = extra;
	tx->nr_extras += extra;
	return last ? packet_finish(net) : 0;
}

int net_tx_work(struct back_net *net)
{
	struct net_tx *tx = &net->tx;
	struct netif_tx_request slot;
	int taken = 0, err = 0;

	while (taken < TX_BATCH && !(err = ring_copy_request(&tx->ring, &slot))) {
		taken++;
		err = slot_take(net, &slot);
		if (err)
			return err;
	}
	if (ring_push_responses(&tx->ring))
		evtchn_peer_notify(tx->peer);
	return err && err != -EAGAIN ? err : taken;
}
