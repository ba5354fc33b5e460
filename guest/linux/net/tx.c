// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transmission: packets are cut into pieces of a page each, granted, and freed when the back end
 * has answered for all of them.
 */
#include <linux/etherdevice.h>
#include <linux/skbuff.h>
#include <net/dst.h>

#include "guest/linux/net/vif.h"

RING_ASSERT_LAYOUT(netif_tx);

/**
 * struct vif_tx_cb - in skb->cb while the packet is on the ring
 * @left: slots not yet answered
 * @kept: the back end has kept one of them mapped
 */
struct vif_tx_cb {
	unsigned int left;
	bool kept;
};

static struct vif_tx_cb *vif_tx_cb(struct sk_buff *skb)
{
	return (struct vif_tx_cb *)skb->cb;
}

/* Append a run of bytes in physically contiguous pages. */
static unsigned int vif_tx_add(struct vif_piece *pieces, unsigned int count, struct page *page,
			       unsigned int offset, unsigned int len)
{
	page += offset >> PAGE_SHIFT;
	offset = offset_in_page(offset);
	while (len) {
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - offset);

		pieces[count++] = (struct vif_piece){ .page = page++, .offset = offset, .len = n };
		offset = 0;
		len -= n;
	}
	return count;
}

static unsigned int vif_tx_count(const struct sk_buff *skb)
{
	unsigned int count = vif_pieces_in(offset_in_page(skb->data), skb_headlen(skb));
	int i;

	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		count += vif_pieces_in(skb_frag_off(frag), skb_frag_size(frag));
	}
	return count;
}

/* The packet's own pages. There is room: it was counted. */
static unsigned int vif_tx_cut(const struct sk_buff *skb, struct vif_piece *pieces)
{
	unsigned int count = vif_tx_add(pieces, 0, virt_to_page(skb->data),
					offset_in_page(skb->data), skb_headlen(skb));
	int i;

	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		count = vif_tx_add(pieces, count, skb_frag_page(frag), skb_frag_off(frag),
				   skb_frag_size(frag));
	}
	return count;
}

static void vif_tx_free_pieces(struct vif_piece *pieces, unsigned int count)
{
	while (count)
		__free_page(pieces[--count].page);
}

/* A copy in cleared pages of our own, which holds nothing but the packet. */
static unsigned int vif_tx_bounce(const struct sk_buff *skb, struct vif_piece *pieces)
{
	unsigned int count = 0;
	unsigned int pos, len;

	for (pos = 0; pos < skb->len; pos += len) {
		struct page *page = alloc_page(GFP_ATOMIC | __GFP_NOWARN | __GFP_ZERO);

		len = min_t(unsigned int, skb->len - pos, PAGE_SIZE);
		if (!page)
			goto fail;
		pieces[count++] = (struct vif_piece){ .page = page, .len = len };
		if (skb_copy_bits(skb, pos, page_address(page), len))
			goto fail;
	}
	return count;

fail:
	vif_tx_free_pieces(pieces, count);
	return 0;
}

/**
 * vif_tx_prepare() - find the pages of a packet
 * @vif: device
 * @skb: packet; may be linearized
 * @pieces: result, VIF_MAX_SLOTS
 * @bounced: set if the pieces are copies
 *
 * Return: number of pieces, 0 if the packet cannot be sent.
 */
static unsigned int vif_tx_prepare(struct vif *vif, struct sk_buff *skb, struct vif_piece *pieces,
				   bool *bounced)
{
	/* Back ends want the whole Ethernet header in the first slot. */
	bool copy = !vif->trusted || offset_in_page(skb->data) > PAGE_SIZE - ETH_HLEN;

	*bounced = false;
	if (skb->len < ETH_HLEN || skb->len > XEN_NETIF_MAX_TX_SIZE)
		return 0;
	if (skb_headlen(skb) < ETH_HLEN && !pskb_may_pull(skb, ETH_HLEN))
		return 0;
	if (!copy && vif_tx_count(skb) > vif->max_slots) {
		vif_count(vif, VIF_STAT_TX_LINEARIZED);
		if (skb_linearize(skb))
			return 0;
		copy = vif_tx_count(skb) > vif->max_slots;
	}
	if (!copy)
		return vif_tx_cut(skb, pieces);
	if (DIV_ROUND_UP(skb->len, PAGE_SIZE) > vif->max_slots)
		return 0;
	*bounced = true;
	vif_count(vif, VIF_STAT_TX_BOUNCED);
	return vif_tx_bounce(skb, pieces);
}

static unsigned int vif_tx_flags(const struct sk_buff *skb)
{
	switch (skb->ip_summed) {
	case CHECKSUM_PARTIAL:
		return NETTXF_csum_blank | NETTXF_data_validated;
	case CHECKSUM_UNNECESSARY:
		return NETTXF_data_validated;
	default:
		return 0;
	}
}

static void vif_tx_put_gso(struct vif_queue *q, const struct sk_buff *skb)
{
	struct netif_extra_info extra;

	memset(&extra, 0, sizeof(extra));
	extra.type = XEN_NETIF_EXTRA_TYPE_GSO;
	extra.u.gso.size = skb_shinfo(skb)->gso_size;
	extra.u.gso.type = skb_shinfo(skb)->gso_type & SKB_GSO_TCPV6 ? XEN_NETIF_GSO_TYPE_TCPV6 :
								       XEN_NETIF_GSO_TYPE_TCPV4;
	ring_put_request(&q->tx, &extra);
}

/* Under the lock, with room for all of it on a ring that is not broken: nothing can fail. */
static void vif_tx_put(struct vif_queue *q, struct sk_buff *skb, const struct vif_piece *pieces,
		       unsigned int count, bool bounced)
{
	bool gso = skb_is_gso(skb);
	unsigned int i;

	*vif_tx_cb(skb) = (struct vif_tx_cb){ .left = count };
	for (i = 0; i < count; i++) {
		unsigned int id = q->tx_ids[--q->tx_idle];
		struct vif_tx_slot *slot = &q->tx_slots[id];
		struct netif_tx_request req = {
			.gref = paravane_grant_pool_take(&q->tx_grants),
			.offset = pieces[i].offset,
			.id = id,
			/* The first size is that of the packet. */
			.size = i ? pieces[i].len : skb->len,
			.flags = i + 1 < count ? NETTXF_more_data : 0,
		};

		if (!i)
			req.flags |= vif_tx_flags(skb) | (gso ? NETTXF_extra_info : 0);
		*slot = (struct vif_tx_slot){
			.skb = skb,
			.page = pieces[i].page,
			.ref = req.gref,
			.bounced = bounced,
		};
		paravane_gnttab_grant(req.gref, q->vif->dev->peer, slot->page, true);
		ring_put_request(&q->tx, &req);
		if (!i && gso)
			vif_tx_put_gso(q, skb);
	}
}

static struct netdev_queue *vif_txq(const struct vif_queue *q)
{
	return netdev_get_tx_queue(q->vif->netdev, q->index);
}

static unsigned int vif_tx_room(const struct vif_queue *q)
{
	return min(ring_front_free(&q->tx), q->tx_idle);
}

/**
 * vif_tx_stalled() - report that a queue has been full for long
 * @timer: timer that runs since the queue stopped
 */
void vif_tx_stalled(struct timer_list *timer)
{
	struct vif_queue *q = container_of(timer, struct vif_queue, tx_stall);

	if (netif_tx_queue_stopped(vif_txq(q)))
		netdev_warn(q->vif->netdev, "queue %u: no answer from the back end for %u s\n",
			    q->index, VIF_TX_STALL_S);
}

/*
 * See to it that what is in flight is looked at in time. Under the lock. Returns whether that time
 * is now.
 */
static bool vif_tx_arm(struct vif_queue *q)
{
	unsigned int busy = VIF_RING_SIZE - q->tx_idle;

	if (!busy)
		return false;
	if (busy >= VIF_TX_MANY || netif_xmit_stopped(vif_txq(q))) {
		q->tx_armed = true;
		return ring_final_check_responses_after(&q->tx, busy / 2);
	}
	if (!timer_pending(&q->tx_timer))
		mod_timer(&q->tx_timer, jiffies + msecs_to_jiffies(VIF_TX_REAP_MS));
	return false;
}

/* Show the back end what was put, once the stack has nothing more to send right now. */
static void vif_tx_push(struct vif_queue *q, unsigned int bytes)
{
	struct netdev_queue *txq = vif_txq(q);
	bool more = netdev_xmit_more();
	bool push = bytes ? __netdev_tx_sent_queue(txq, bytes, more) : !more;
	bool notify = false;

	if (vif_tx_room(q) < VIF_TX_RESERVE) {
		netif_tx_stop_queue(txq);
		mod_timer(&q->tx_stall, jiffies + VIF_TX_STALL_S * HZ);
	}
	if (push || netif_xmit_stopped(txq))
		notify = ring_push_requests(&q->tx);
	if (notify)
		paravane_evtchn_notify(q->tx_evtchn);
	if (!q->tx_armed && vif_tx_arm(q))
		napi_schedule(&q->tx_napi);
}

/**
 * vif_start_xmit() - send a packet
 * @skb: packet
 * @netdev: device
 *
 * Return: NETDEV_TX_OK; the queue is stopped before there is no room.
 */
netdev_tx_t vif_start_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	struct vif *vif = netdev_priv(netdev);
	struct vif_queue *q = &vif->queues[skb_get_queue_mapping(skb)];
	struct vif_piece pieces[VIF_MAX_SLOTS];
	unsigned int len = skb->len;
	unsigned int count;
	bool bounced;

	count = vif_tx_prepare(vif, skb, pieces, &bounced);

	spin_lock(&q->tx_lock);
	if (!count || READ_ONCE(q->dead) || vif_tx_room(q) < VIF_TX_RESERVE)
		goto drop;
	skb_tx_timestamp(skb);
	dev_sw_netstats_tx_add(netdev, 1, len);
	vif_tx_put(q, skb, pieces, count, bounced);
	vif_tx_push(q, len);
	spin_unlock(&q->tx_lock);
	return NETDEV_TX_OK;

drop:
	/* Earlier packets may rely on this one to be shown. */
	if (!q->dead)
		vif_tx_push(q, 0);
	spin_unlock(&q->tx_lock);
	if (count && bounced)
		vif_tx_free_pieces(pieces, count);
	dev_core_stats_tx_dropped_inc(netdev);
	dev_kfree_skb_any(skb);
	return NETDEV_TX_OK;
}

/*
 * Take a slot back. Returns whether its page is ours again. If not, a copy is left to the reaper;
 * the packet's own page may be of a slab, which no reference keeps from being reused, so the packet
 * is marked.
 */
static bool vif_tx_release(struct vif_queue *q, unsigned int id)
{
	struct vif_tx_slot *slot = &q->tx_slots[id];
	bool ours = !paravane_gnttab_end(slot->ref);

	if (ours) {
		paravane_grant_pool_put(&q->tx_grants, slot->ref);
		if (slot->bounced)
			__free_page(slot->page);
	} else {
		if (!slot->bounced)
			vif_tx_cb(slot->skb)->kept = true;
		paravane_gnttab_defer(slot->ref, slot->bounced ? slot->page : NULL);
	}
	slot->skb = NULL;
	q->tx_ids[q->tx_idle++] = id;
	return ours;
}

/*
 * The last slot of a packet was taken back. Returns the packet if it may be freed. One that is in
 * part still mapped is lost with its memory, as its device is, but lets go of its socket.
 */
static struct sk_buff *vif_tx_finish(struct vif_queue *q, struct sk_buff *skb)
{
	if (!vif_tx_cb(skb)->kept)
		return skb;
	net_warn_ratelimited("%s: a packet the back end still maps is lost\n",
			     netdev_name(q->vif->netdev));
	skb_orphan(skb);
	skb_dst_drop(skb);
	return NULL;
}

struct vif_tx_done {
	struct sk_buff_head skbs;
	unsigned int bytes;
	unsigned int slots;
};

static const char *vif_tx_take(struct vif_queue *q, const struct netif_tx_response *rsp,
			       struct vif_tx_done *done)
{
	struct sk_buff *skb;
	bool ours;

	/* The answer to an extra slot, which has no id */
	if (rsp->status == NETIF_RSP_NULL)
		return NULL;
	if (rsp->id >= VIF_RING_SIZE || !q->tx_slots[rsp->id].skb)
		return "response to a transmission that was not made";
	skb = q->tx_slots[rsp->id].skb;
	if (rsp->status == NETIF_RSP_ERROR)
		DEV_STATS_INC(q->vif->netdev, tx_errors);
	done->slots++;
	ours = vif_tx_release(q, rsp->id);
	if (--vif_tx_cb(skb)->left == 0) {
		skb = vif_tx_finish(q, skb);
		if (skb) {
			done->bytes += skb->len;
			__skb_queue_tail(&done->skbs, skb);
		}
	}
	return ours ? NULL : "the back end keeps pages of a sent packet mapped";
}

/* Under the lock. Bounded by the ring: nothing is added meanwhile. */
static const char *vif_tx_take_all(struct vif_queue *q, struct vif_tx_done *done)
{
	struct netif_tx_response rsp;
	const char *fault;
	int err;

	q->tx_armed = false;
	do {
		while (!(err = ring_copy_response(&q->tx, &rsp))) {
			fault = vif_tx_take(q, &rsp, done);
			if (fault)
				return fault;
		}
		if (err != -EAGAIN)
			return "the back end broke the transmit ring";
	} while (vif_tx_arm(q));
	return NULL;
}

/**
 * vif_tx_reap() - free what has been sent
 * @q: queue
 * @budget: that of the NAPI poll this is part of
 */
void vif_tx_reap(struct vif_queue *q, int budget)
{
	struct netdev_queue *txq = vif_txq(q);
	struct vif_tx_done done = { .bytes = 0 };
	const char *fault = NULL;
	struct sk_buff *skb;

	__skb_queue_head_init(&done.skbs);
	spin_lock(&q->tx_lock);
	if (!q->dead) {
		fault = vif_tx_take_all(q, &done);
		if (fault)
			q->dead = true;
		netdev_tx_completed_queue(txq, skb_queue_len(&done.skbs), done.bytes);
		if (netif_tx_queue_stopped(txq) && !q->dead && vif_tx_room(q) >= 2 * VIF_TX_RESERVE)
			netif_tx_wake_queue(txq);
	}
	spin_unlock(&q->tx_lock);
	if (done.slots)
		WRITE_ONCE(q->tx_busy, true);

	while ((skb = __skb_dequeue(&done.skbs)))
		napi_consume_skb(skb, budget);
	if (fault)
		vif_queue_fail(q, fault);
}

/**
 * vif_tx_poll() - NAPI poll function for transmit responses
 * @napi: context
 * @budget: does not apply
 *
 * Return: 0.
 */
int vif_tx_poll(struct napi_struct *napi, int budget)
{
	vif_tx_reap(container_of(napi, struct vif_queue, tx_napi), budget);
	napi_complete_done(napi, 0);
	return 0;
}

/**
 * vif_tx_look() - look for responses without having been told
 * @timer: timer that runs while something is in flight and no event is to come
 */
void vif_tx_look(struct timer_list *timer)
{
	struct vif_queue *q = container_of(timer, struct vif_queue, tx_timer);

	napi_schedule(&q->tx_napi);
}

/**
 * vif_tx_drain() - free all packets on the ring
 * @q: queue that is not used any more
 */
void vif_tx_drain(struct vif_queue *q)
{
	bool ours = true;
	unsigned int id;

	for (id = 0; id < VIF_RING_SIZE; id++) {
		struct sk_buff *skb = q->tx_slots[id].skb;

		if (!skb)
			continue;
		ours &= vif_tx_release(q, id);
		if (--vif_tx_cb(skb)->left == 0)
			dev_kfree_skb(vif_tx_finish(q, skb));
	}
	if (!ours)
		paravane_front_kept(q->vif->dev);
}
