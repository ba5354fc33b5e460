// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reception: the back end copies packets into pages we granted; each page is taken back before
 * anything in it is looked at, so what was checked cannot change.
 */
#include <linux/etherdevice.h>
#include <linux/skbuff.h>

#include "guest/linux/compat/net.h"
#include "guest/linux/net/vif.h"

RING_ASSERT_LAYOUT(netif_rx);

/* Packets up to this size are copied, of larger ones the headers. */
#define VIF_RX_COPY 256

#define VIF_RX_RETRY (HZ / 10)

/**
 * struct vif_rx_packet - a packet as it came out of the ring
 * @pieces: its data, the pages being ours again
 * @count: valid entries in @pieces
 * @flags: NETRXF_* of its first slot
 * @extras: what its extra slots say
 * @lost: it cannot be delivered
 */
struct vif_rx_packet {
	struct vif_piece pieces[VIF_MAX_SLOTS];
	unsigned int count;
	unsigned int flags;
	struct vif_extras extras;
	bool lost;
};

/* Take the buffer of the next slot back. NULL if the back end still maps it. */
static struct page *vif_rx_revoke(struct vif_queue *q, unsigned int index)
{
	struct vif_rx_slot *slot = &q->rx_slots[index];
	struct page *page = slot->page;

	slot->page = NULL;
	if (!paravane_gnttab_end(slot->ref)) {
		paravane_grant_pool_put(&q->rx_grants, slot->ref);
		return page;
	}
	/* With a second reference the pool lets go of the page instead of recycling it. */
	get_page(page);
	page_pool_put_full_page(q->rx_pool, page, false);
	paravane_gnttab_defer(slot->ref, page);
	return NULL;
}

static const char vif_rx_mapped[] = "the back end keeps a filled buffer mapped";
static const char vif_rx_cut_off[] = "the back end cut a packet off";

/* Extra slots have taken the place of buffers, which are free now. */
static const char *vif_rx_take_extras(struct vif_queue *q, struct vif_rx_packet *pkt)
{
	struct netif_extra_info extra;
	const char *fault;

	do {
		struct page *page;

		if (ring_copy_response(&q->rx, &extra))
			return vif_rx_cut_off;
		page = vif_rx_revoke(q, q->rx_taken++ % VIF_RING_SIZE);
		if (!page)
			return vif_rx_mapped;
		page_pool_recycle_direct(q->rx_pool, page);
		fault = vif_extra_add(&pkt->extras, &extra);
		if (fault)
			return fault;
	} while (pkt->extras.more);
	return NULL;
}

static const char *vif_rx_take_piece(struct vif_queue *q, struct vif_rx_packet *pkt,
				     const struct netif_rx_response *rsp, unsigned int index)
{
	const char *fault = vif_rx_fault(rsp, index);
	struct page *page;

	if (fault)
		return fault;
	page = vif_rx_revoke(q, index);
	if (!page)
		return vif_rx_mapped;
	if (rsp->status < 0 || pkt->count == VIF_MAX_SLOTS)
		pkt->lost = true;
	/* Empty pieces are legal, and useless. */
	if (rsp->status <= 0 || pkt->lost) {
		page_pool_recycle_direct(q->rx_pool, page);
		return NULL;
	}
	pkt->pieces[pkt->count++] = (struct vif_piece){
		.page = page,
		.offset = rsp->offset,
		.len = rsp->status,
	};
	return NULL;
}

/**
 * vif_rx_take() - take one packet out of the ring
 * @q: queue
 * @pkt: result, zeroed; its pages belong to the caller even if there is a fault
 * @fault: set if the back end broke the rules
 *
 * A back end shows a packet only when it is complete.
 *
 * Return: whether there was a packet.
 */
static bool vif_rx_take(struct vif_queue *q, struct vif_rx_packet *pkt, const char **fault)
{
	struct netif_rx_response rsp;
	bool first = true;
	int err;

	do {
		unsigned int index = q->rx_taken % VIF_RING_SIZE;

		err = ring_copy_response(&q->rx, &rsp);
		if (err == -EAGAIN && first)
			return false;
		if (err)
			*fault = err == -EAGAIN ? vif_rx_cut_off :
						  "the back end broke the receive ring";
		if (*fault)
			return true;
		q->rx_taken++;
		*fault = vif_rx_take_piece(q, pkt, &rsp, index);
		if (first) {
			pkt->flags = rsp.flags;
			if (!*fault && rsp.flags & NETRXF_extra_info)
				*fault = vif_rx_take_extras(q, pkt);
		}
		first = false;
	} while (!*fault && rsp.flags & NETRXF_more_data);
	return true;
}

static void vif_rx_recycle(struct vif_queue *q, struct vif_rx_packet *pkt)
{
	while (pkt->count)
		page_pool_recycle_direct(q->rx_pool, pkt->pieces[--pkt->count].page);
}

/* How much of the first piece to copy, so that the rest fits into fragments. */
static unsigned int vif_rx_head(struct vif_queue *q, const struct vif_rx_packet *pkt)
{
	const struct vif_piece *first = &pkt->pieces[0];

	if (first->len <= VIF_RX_COPY || pkt->count > MAX_SKB_FRAGS)
		return first->len;
	return eth_get_headlen(q->vif->netdev, page_address(first->page) + first->offset,
			       VIF_RX_COPY);
}

/* Make a packet buffer of the pieces. Takes their pages over, unless it returns NULL. */
static struct sk_buff *vif_rx_build(struct vif_queue *q, struct vif_rx_packet *pkt)
{
	struct vif_piece *first = &pkt->pieces[0];
	unsigned int head = vif_rx_head(q, pkt);
	struct sk_buff *skb;
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(pkt->pieces) > MAX_SKB_FRAGS + 1);
	skb = napi_alloc_skb(&q->rx_napi, head);
	if (!skb)
		return NULL;
	skb_mark_for_recycle(skb);
	skb_put_data(skb, page_address(first->page) + first->offset, head);
	first->offset += head;
	first->len -= head;
	if (!first->len)
		page_pool_recycle_direct(q->rx_pool, first->page);
	for (i = first->len ? 0 : 1; i < pkt->count; i++) {
		struct vif_piece *piece = &pkt->pieces[i];

		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, piece->page, piece->offset,
				piece->len, PAGE_SIZE);
	}
	pkt->count = 0;
	return skb;
}

/* What the back end says about checksums and segments, none of it trusted. */
static int vif_rx_offloads(struct vif_queue *q, const struct vif_rx_packet *pkt,
			   struct sk_buff *skb)
{
	bool recalculate = false;

	if (pkt->flags & NETRXF_csum_blank)
		skb->ip_summed = CHECKSUM_PARTIAL;
	else if (pkt->flags & NETRXF_data_validated)
		skb->ip_summed = CHECKSUM_UNNECESSARY;

	if (pkt->extras.gso_size) {
		skb_shinfo(skb)->gso_size = pkt->extras.gso_size;
		skb_shinfo(skb)->gso_type = SKB_GSO_DODGY;
		skb_shinfo(skb)->gso_type |= pkt->extras.gso_type == XEN_NETIF_GSO_TYPE_TCPV4 ?
						     SKB_GSO_TCPV4 :
						     SKB_GSO_TCPV6;
		/* A packet still to be segmented has no checksum of use. */
		if (skb->ip_summed != CHECKSUM_PARTIAL) {
			skb->ip_summed = CHECKSUM_PARTIAL;
			recalculate = true;
			vif_count(q->vif, VIF_STAT_RX_CSUM_FIXED);
		}
	}
	return skb->ip_summed == CHECKSUM_PARTIAL ? skb_checksum_setup(skb, recalculate) : 0;
}

static void vif_rx_deliver(struct vif_queue *q, struct vif_rx_packet *pkt)
{
	struct net_device *netdev = q->vif->netdev;
	struct sk_buff *skb = NULL;

	if (!pkt->lost && pkt->count)
		skb = vif_rx_build(q, pkt);
	if (!skb) {
		vif_rx_recycle(q, pkt);
		dev_core_stats_rx_dropped_inc(netdev);
		return;
	}
	if (!pskb_may_pull(skb, ETH_HLEN))
		goto bad;
	skb->protocol = eth_type_trans(skb, netdev);
	skb_reset_network_header(skb);
	if (vif_rx_offloads(q, pkt, skb))
		goto bad;
	dev_sw_netstats_rx_add(netdev, skb->len + ETH_HLEN);
	skb_record_rx_queue(skb, q->index);
	napi_gro_receive(&q->rx_napi, skb);
	return;

bad:
	DEV_STATS_INC(netdev, rx_errors);
	dev_kfree_skb_any(skb);
}

/* Give the back end as many buffers as the ring holds. */
static void vif_rx_refill(struct vif_queue *q)
{
	while (ring_front_free(&q->rx)) {
		unsigned int index = q->rx_put % VIF_RING_SIZE;
		struct vif_rx_slot *slot = &q->rx_slots[index];
		/* An untrusted back end must not see what a page held before. */
		gfp_t clean = q->vif->trusted ? 0 : __GFP_ZERO;
		struct page *page =
			page_pool_alloc_pages(q->rx_pool, GFP_ATOMIC | __GFP_NOWARN | clean);
		struct netif_rx_request req = { .id = index };

		if (!page) {
			vif_count(q->vif, VIF_STAT_RX_NO_BUFFER);
			mod_timer(&q->rx_retry, jiffies + VIF_RX_RETRY);
			break;
		}
		if (!q->vif->trusted)
			clear_page(page_address(page));
		slot->page = page;
		slot->ref = paravane_grant_pool_take(&q->rx_grants);
		paravane_gnttab_grant(slot->ref, q->vif->dev->peer, page, false);
		req.gref = slot->ref;
		ring_put_request(&q->rx, &req);
		q->rx_put++;
	}
	if (ring_push_requests(&q->rx))
		paravane_evtchn_notify(q->rx_evtchn);
}

/**
 * vif_rx_poll() - NAPI poll function for received packets
 * @napi: context
 * @budget: packets that may be delivered
 *
 * Return: packets delivered.
 */
int vif_rx_poll(struct napi_struct *napi, int budget)
{
	struct vif_queue *q = container_of(napi, struct vif_queue, rx_napi);
	const char *fault = NULL;
	int work = 0;

	/* What is received often tells that something was sent. */
	if (READ_ONCE(q->tx_idle) < VIF_RING_SIZE)
		vif_tx_reap(q, budget);
	while (work < budget && !fault && !READ_ONCE(q->dead)) {
		struct vif_rx_packet pkt = { .count = 0 };

		if (!vif_rx_take(q, &pkt, &fault))
			break;
		work++;
		if (fault)
			vif_rx_recycle(q, &pkt);
		else
			vif_rx_deliver(q, &pkt);
	}
	if (work)
		WRITE_ONCE(q->rx_busy, true);
	if (fault) {
		ring_front_break(&q->rx);
		vif_queue_fail(q, fault);
	}
	if (READ_ONCE(q->dead)) {
		napi_complete(napi);
		return 0;
	}
	if (budget)
		vif_rx_refill(q);
	if (work == budget)
		return work;
	/* Before the poll is over: afterwards another CPU may be in here. */
	if (ring_final_check_responses(&q->rx))
		return budget;
	napi_complete_done(napi, work);
	return work;
}

/**
 * vif_rx_retry() - try again to get buffers
 * @timer: timer
 */
void vif_rx_retry(struct timer_list *timer)
{
	struct vif_queue *q = container_of(timer, struct vif_queue, rx_retry);

	napi_schedule(&q->rx_napi);
}

/**
 * vif_rx_drain() - take all buffers back
 * @q: queue that is not used any more
 */
void vif_rx_drain(struct vif_queue *q)
{
	bool kept = false;
	unsigned int i;

	for (i = 0; i < VIF_RING_SIZE; i++) {
		struct page *page;

		if (!q->rx_slots[i].page)
			continue;
		page = vif_rx_revoke(q, i);
		if (page)
			page_pool_put_full_page(q->rx_pool, page, false);
		else
			kept = true;
	}
	if (kept)
		paravane_front_kept(q->vif->dev);
}
