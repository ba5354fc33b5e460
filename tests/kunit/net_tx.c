// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/net/tx.c: whatever a packet looks like, the pieces it is cut into are the packet, lie
 * in their pages and are no more than a back end takes.
 */
#include <kunit/test.h>

#include "guest/linux/net/tx.c"

/* The kit and the rest of the driver are not part of this test. */
void paravane_evtchn_notify(struct paravane_evtchn *ch)
{
}

void paravane_gnttab_grant(grant_ref_t ref, domid_t domid, struct page *page, bool readonly)
{
}

#define KEPT 77

static unsigned int deferred, deferred_pages, kept;

int paravane_gnttab_end(grant_ref_t ref)
{
	return ref == KEPT ? -EBUSY : 0;
}

void paravane_gnttab_defer(grant_ref_t ref, struct page *page)
{
	deferred++;
	if (!page)
		return;
	deferred_pages++;
	put_page(page);
}

void paravane_front_kept(struct paravane_front_dev *dev)
{
	kept++;
}

void vif_queue_fail(struct vif_queue *q, const char *why)
{
}

static struct vif *vif_alloc(struct kunit *test, bool trusted, unsigned int max_slots)
{
	struct vif *vif = kunit_kzalloc(test, sizeof(*vif), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vif);
	vif->trusted = trusted;
	vif->max_slots = max_slots;
	return vif;
}

static u8 pattern(unsigned int i)
{
	return i * 167 + (i >> 8);
}

/* A packet with @head bytes in its linear part at @shift, then @frags fragments of @len bytes. */
static struct sk_buff *packet(struct kunit *test, unsigned int shift, unsigned int head,
			      unsigned int frags, unsigned int offset, unsigned int len)
{
	struct sk_buff *skb = alloc_skb(shift + head, GFP_KERNEL);
	unsigned int pos = 0;
	unsigned int i, j;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, shift);
	for (i = 0; i < head; i++)
		*(u8 *)skb_put(skb, 1) = pattern(pos++);
	for (i = 0; i < frags; i++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, get_order(offset + len));

		KUNIT_ASSERT_NOT_NULL(test, page);
		for (j = 0; j < len; j++)
			*((u8 *)page_address(page) + offset + j) = pattern(pos++);
		skb_add_rx_frag(skb, i, page, offset, len, len);
	}
	return skb;
}

static void check_pieces(struct kunit *test, const struct vif_piece *pieces, unsigned int count,
			 unsigned int len)
{
	unsigned int pos = 0;
	unsigned int i, j;

	for (i = 0; i < count; i++) {
		const u8 *data = (u8 *)page_address(pieces[i].page) + pieces[i].offset;

		KUNIT_ASSERT_GT(test, pieces[i].len, 0);
		KUNIT_ASSERT_LE(test, pieces[i].offset + pieces[i].len, PAGE_SIZE);
		for (j = 0; j < pieces[i].len; j++)
			KUNIT_ASSERT_EQ(test, data[j], pattern(pos++));
	}
	KUNIT_ASSERT_EQ(test, pos, len);
}

static void send_one(struct kunit *test, struct vif *vif, struct sk_buff *skb)
{
	struct vif_piece pieces[VIF_MAX_SLOTS];
	unsigned int count;
	bool bounced;

	count = vif_tx_prepare(vif, skb, pieces, &bounced);
	KUNIT_ASSERT_GT(test, count, 0);
	KUNIT_ASSERT_LE(test, count, vif->max_slots);
	KUNIT_ASSERT_GE(test, pieces[0].len, ETH_HLEN);
	if (!vif->trusted)
		KUNIT_ASSERT_TRUE(test, bounced);
	check_pieces(test, pieces, count, skb->len);
	if (bounced)
		vif_tx_free_pieces(pieces, count);
	kfree_skb(skb);
}

/* Small packets in every number of fragments: 1 to 128 bytes in each of 0 to 17. */
static void small_packings(struct kunit *test)
{
	struct vif *trusted = vif_alloc(test, true, VIF_MAX_SLOTS);
	struct vif *untrusted = vif_alloc(test, false, VIF_MAX_SLOTS);
	unsigned int frags, len;

	for (frags = 0; frags <= MAX_SKB_FRAGS; frags++) {
		for (len = 1; len <= 128; len += 1 + len / 16) {
			send_one(test, trusted, packet(test, 0, ETH_HLEN, frags, 77, len));
			send_one(test, untrusted, packet(test, 0, ETH_HLEN, frags, 77, len));
		}
		cond_resched();
	}
}

/* Large packets that lie as badly as can be: every fragment crosses a page. */
static void crossing_pages(struct kunit *test)
{
	struct vif *trusted = vif_alloc(test, true, VIF_MAX_SLOTS);
	struct vif *untrusted = vif_alloc(test, false, VIF_MAX_SLOTS);
	unsigned int frags;

	for (frags = 1; frags <= MAX_SKB_FRAGS; frags++) {
		send_one(test, trusted, packet(test, 0, ETH_HLEN, frags, 4095, 3800));
		send_one(test, untrusted, packet(test, 0, ETH_HLEN, frags, 4095, 3800));
		cond_resched();
	}
	send_one(test, trusted, packet(test, 0, 65, 16, 2048, 4091));
}

/* The largest packet, linear. */
static void largest(struct kunit *test)
{
	struct vif *vif = vif_alloc(test, true, VIF_MAX_SLOTS);
	unsigned int shift;

	for (shift = 0; shift < PAGE_SIZE; shift += 511)
		send_one(test, vif, packet(test, shift, XEN_NETIF_MAX_TX_SIZE, 0, 0, 0));
}

/* Without scatter-gather everything comes in one piece. */
static void one_slot(struct kunit *test)
{
	struct vif *vif = vif_alloc(test, true, 1);
	unsigned int shift;

	for (shift = 0; shift < PAGE_SIZE; shift += 61)
		send_one(test, vif, packet(test, shift, 1514, 0, 0, 0));
	send_one(test, vif, packet(test, 0, ETH_HLEN, 3, 100, 500));
}

/* The Ethernet header is in the first piece, wherever the packet starts. */
static void headers(struct kunit *test)
{
	struct vif *vif = vif_alloc(test, true, VIF_MAX_SLOTS);
	unsigned int shift;

	for (shift = PAGE_SIZE - 2 * ETH_HLEN; shift <= PAGE_SIZE; shift++)
		send_one(test, vif, packet(test, shift, 200, 1, 0, 100));
	/* a linear part that is shorter than the header */
	send_one(test, vif, packet(test, 0, 1, 2, 0, 100));
}

static void refused(struct kunit *test)
{
	struct vif *vif = vif_alloc(test, true, VIF_MAX_SLOTS);
	struct vif_piece pieces[VIF_MAX_SLOTS];
	struct sk_buff *skb;
	bool bounced;

	skb = packet(test, 0, ETH_HLEN - 1, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, vif_tx_prepare(vif, skb, pieces, &bounced), 0);
	kfree_skb(skb);
	skb = packet(test, 0, XEN_NETIF_MAX_TX_SIZE + 1, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, vif_tx_prepare(vif, skb, pieces, &bounced), 0);
	kfree_skb(skb);
	vif->max_slots = 1;
	skb = packet(test, 0, PAGE_SIZE + 1, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, vif_tx_prepare(vif, skb, pieces, &bounced), 0);
	kfree_skb(skb);
}

/* Put a packet of two slots on a ring, of which the back end keeps @ref, and take it back. */
static void drain(struct kunit *test, struct vif *vif, struct sk_buff *skb, grant_ref_t ref,
		  bool bounced)
{
	struct vif_queue *q = kunit_kzalloc(test, sizeof(*q), GFP_KERNEL);
	grant_ref_t refs[2];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, q);
	q->vif = vif;
	q->tx_grants.refs = refs;
	deferred = 0;
	deferred_pages = 0;
	kept = 0;
	*vif_tx_cb(skb) = (struct vif_tx_cb){ .left = 2 };
	for (i = 0; i < 2; i++)
		q->tx_slots[i] = (struct vif_tx_slot){
			.skb = skb,
			.page = bounced ? alloc_page(GFP_KERNEL) : virt_to_page(skb->data),
			.ref = i ? 8 : ref,
			.bounced = bounced,
		};
	vif_tx_drain(q);
	KUNIT_EXPECT_EQ(test, q->tx_idle, 2);
	KUNIT_EXPECT_EQ(test, q->tx_grants.free, ref == KEPT ? 1 : 2);
	KUNIT_EXPECT_EQ(test, deferred, ref == KEPT);
	KUNIT_EXPECT_EQ(test, kept, ref == KEPT);
}

/* A packet is not freed while a back end has its memory mapped, wherever that came from. */
static void mapped_packets(struct kunit *test)
{
	struct vif *vif = vif_alloc(test, true, VIF_MAX_SLOTS);
	struct sk_buff *skb = packet(test, 0, 100, 0, 0, 0);

	vif->netdev = kunit_kzalloc(test, sizeof(*vif->netdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vif->netdev);
	skb_get(skb);
	drain(test, vif, skb, 9, false);
	KUNIT_EXPECT_EQ(test, refcount_read(&skb->users), 1);
	skb_get(skb);
	drain(test, vif, skb, KEPT, true);
	KUNIT_EXPECT_EQ(test, refcount_read(&skb->users), 1);
	KUNIT_EXPECT_EQ(test, deferred_pages, 1);
	skb_get(skb);
	drain(test, vif, skb, KEPT, false);
	KUNIT_EXPECT_EQ(test, refcount_read(&skb->users), 2);
	KUNIT_EXPECT_EQ(test, deferred_pages, 0);
	kfree_skb(skb);
	kfree_skb(skb);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(small_packings), KUNIT_CASE(crossing_pages),
	KUNIT_CASE(largest),	    KUNIT_CASE(one_slot),
	KUNIT_CASE(headers),	    KUNIT_CASE(refused),
	KUNIT_CASE(mapped_packets), {},
};

static struct kunit_suite suite = {
	.name = "paravane_net_tx",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
