// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/net/rx.c against a back end played by the test: every shape of packet arrives as it
 * was sent, and what breaks the rules is found out, whatever it is.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#include "guest/linux/net/proto.c"
#include "guest/linux/net/rx.c"

/* The kit and the rest of the driver are not part of this test; grants are a table here. */
static struct page *granted[VIF_RING_SIZE];
static unsigned int mapped = VIF_RING_SIZE;

void paravane_evtchn_notify(struct paravane_evtchn *ch)
{
}

void paravane_gnttab_grant(grant_ref_t ref, domid_t domid, struct page *page, bool readonly)
{
	granted[ref] = page;
}

int paravane_gnttab_end(grant_ref_t ref)
{
	if (ref == mapped)
		return -EBUSY;
	granted[ref] = NULL;
	return 0;
}

void paravane_gnttab_defer(grant_ref_t ref, struct page *page)
{
	put_page(page);
}

void paravane_front_kept(struct paravane_front_dev *dev)
{
}

void vif_queue_fail(struct vif_queue *q, const char *why)
{
}

void vif_tx_reap(struct vif_queue *q, int budget)
{
}

struct fixture {
	struct net_device *netdev;
	struct vif_queue *q;
	struct ring_back back;
	struct rnd_state rnd;
	grant_ref_t refs[VIF_RING_SIZE];
	void *ring;
};

static struct fixture *fixture(struct kunit *test)
{
	const struct page_pool_params params = { .pool_size = VIF_RING_SIZE };
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct paravane_front_dev *dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);
	struct vif_queue *q = kvzalloc(sizeof(*q), GFP_KERNEL);
	struct vif *vif;
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, f && q && dev);
	f->q = q;
	f->netdev = alloc_etherdev(sizeof(*vif));
	f->ring = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, f->netdev && f->ring);
	vif = netdev_priv(f->netdev);
	vif->netdev = f->netdev;
	vif->dev = dev;
	vif->trusted = true;
	q->vif = vif;
	q->rx_pool = page_pool_create(&params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(q->rx_pool));
	for (i = 0; i < VIF_RING_SIZE; i++)
		f->refs[i] = i;
	q->rx_grants = (struct paravane_grant_pool){ f->refs, VIF_RING_SIZE, VIF_RING_SIZE };
	timer_setup(&q->rx_retry, vif_rx_retry, 0);
	netif_napi_add(f->netdev, &q->rx_napi, vif_rx_poll);
	prandom_seed_state(&f->rnd, 42);
	mapped = VIF_RING_SIZE;
	ring_front_init(&q->rx, f->ring, PAGE_SIZE, RING_FORMAT(netif_rx));
	ring_back_attach(&f->back, f->ring, PAGE_SIZE, RING_FORMAT(netif_rx), 0);
	local_bh_disable();
	vif_rx_refill(q);
	return f;
}

static void fixture_end(struct fixture *f)
{
	local_bh_enable();
	vif_rx_drain(f->q);
	timer_delete_sync(&f->q->rx_retry);
	netif_napi_del(&f->q->rx_napi);
	page_pool_destroy(f->q->rx_pool);
	free_page((unsigned long)f->ring);
	free_netdev(f->netdev);
	kvfree(f->q);
}

static u8 pattern(unsigned int i)
{
	return i * 167 + (i >> 8);
}

/* The back end fills the next buffer with @len bytes of the packet, from @pos. */
static void back_put(struct kunit *test, struct fixture *f, unsigned int pos, unsigned int len,
		     unsigned int offset, unsigned int flags)
{
	struct netif_rx_response rsp = { .offset = offset, .flags = flags, .status = len };
	struct netif_rx_request req;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, ring_copy_request(&f->back, &req), 0);
	rsp.id = req.id;
	for (i = 0; i < len; i++)
		((u8 *)page_address(granted[req.gref]))[offset + i] = pattern(pos + i);
	KUNIT_ASSERT_EQ(test, ring_put_response(&f->back, &rsp), 0);
}

static void back_put_raw(struct kunit *test, struct fixture *f, const void *entry)
{
	struct netif_rx_response rsp;
	struct netif_rx_request req;

	memcpy(&rsp, entry, sizeof(rsp));
	KUNIT_ASSERT_EQ(test, ring_copy_request(&f->back, &req), 0);
	KUNIT_ASSERT_EQ(test, ring_put_response(&f->back, &rsp), 0);
}

static void expect_packet(struct kunit *test, struct fixture *f, unsigned int len)
{
	struct vif_rx_packet pkt = { .count = 0 };
	const char *fault = NULL;
	struct sk_buff *skb;
	unsigned int i;
	u8 byte;

	ring_push_responses(&f->back);
	KUNIT_ASSERT_TRUE(test, vif_rx_take(f->q, &pkt, &fault));
	KUNIT_ASSERT_PTR_EQ(test, fault, (const char *)NULL);
	KUNIT_ASSERT_FALSE(test, pkt.lost);
	skb = vif_rx_build(f->q, &pkt);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_EQ(test, skb->len, len);
	for (i = 0; i < len; i++) {
		KUNIT_ASSERT_EQ(test, skb_copy_bits(skb, i, &byte, 1), 0);
		KUNIT_ASSERT_EQ(test, byte, pattern(i));
	}
	KUNIT_EXPECT_FALSE(test, vif_rx_take(f->q, &pkt, &fault));
	kfree_skb(skb);
	vif_rx_refill(f->q);
}

static void expect_fault(struct kunit *test, struct fixture *f)
{
	struct vif_rx_packet pkt = { .count = 0 };
	const char *fault = NULL;

	ring_push_responses(&f->back);
	KUNIT_ASSERT_TRUE(test, vif_rx_take(f->q, &pkt, &fault));
	KUNIT_ASSERT_NOT_NULL(test, fault);
	vif_rx_recycle(f->q, &pkt);
}

/* All sizes of one piece, at several places of the page. */
static void one_piece(struct kunit *test)
{
	struct fixture *f = fixture(test);
	unsigned int len;

	for (len = 1; len <= PAGE_SIZE; len += 1 + len / 32) {
		back_put(test, f, 0, len, 0, 0);
		expect_packet(test, f, len);
		back_put(test, f, 0, len, PAGE_SIZE - len, 0);
		expect_packet(test, f, len);
	}
	fixture_end(f);
}

/* Every number of pieces, each tiny, large, or empty. */
static void many_pieces(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 3, 255, 256, 257, 3800 };
	struct fixture *f = fixture(test);
	unsigned int count, i, k, pos;

	for (k = 0; k < ARRAY_SIZE(sizes); k++) {
		for (count = 2; count <= VIF_MAX_SLOTS; count++) {
			for (i = 0, pos = 0; i < count; i++) {
				/* the empty ones do not count as pieces */
				if (i % 3 == 1)
					back_put(test, f, 0, 0, 0, NETRXF_more_data);
				back_put(test, f, pos, sizes[k], i,
					 i + 1 < count ? NETRXF_more_data : 0);
				pos += sizes[k];
			}
			expect_packet(test, f, pos);
		}
	}
	fixture_end(f);
}

static void segmented(struct kunit *test)
{
	struct netif_extra_info extra = { .type = XEN_NETIF_EXTRA_TYPE_GSO };
	struct vif_rx_packet pkt = { .count = 0 };
	struct fixture *f = fixture(test);
	const char *fault = NULL;

	extra.u.gso.size = 1448;
	extra.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
	back_put(test, f, 0, 4096, 0, NETRXF_more_data | NETRXF_extra_info);
	back_put_raw(test, f, &extra);
	back_put(test, f, 4096, 4096, 0, 0);
	ring_push_responses(&f->back);
	KUNIT_ASSERT_TRUE(test, vif_rx_take(f->q, &pkt, &fault));
	KUNIT_ASSERT_PTR_EQ(test, fault, (const char *)NULL);
	KUNIT_EXPECT_EQ(test, pkt.count, 2);
	KUNIT_EXPECT_EQ(test, pkt.extras.gso_size, 1448);
	vif_rx_recycle(f->q, &pkt);
	fixture_end(f);
}

/* What cannot be delivered is dropped as a whole, and the next packet is fine. */
static void lost(struct kunit *test)
{
	struct fixture *f = fixture(test);
	unsigned int i, k;

	for (k = 0; k < 2; k++) {
		struct netif_rx_response bad = { .flags = NETRXF_more_data };
		struct vif_rx_packet pkt = { .count = 0 };
		const char *fault = NULL;

		if (k) {
			for (i = 0; i < VIF_MAX_SLOTS + 1; i++)
				back_put(test, f, 0, 100, 0,
					 i < VIF_MAX_SLOTS ? NETRXF_more_data : 0);
		} else {
			bad.status = NETIF_RSP_ERROR;
			back_put_raw(test, f, &bad);
			back_put(test, f, 0, 100, 0, 0);
		}
		ring_push_responses(&f->back);
		KUNIT_ASSERT_TRUE(test, vif_rx_take(f->q, &pkt, &fault));
		KUNIT_ASSERT_PTR_EQ(test, fault, (const char *)NULL);
		KUNIT_EXPECT_TRUE(test, pkt.lost);
		vif_rx_recycle(f->q, &pkt);
		vif_rx_refill(f->q);
		back_put(test, f, 0, 1514, 0, 0);
		expect_packet(test, f, 1514);
	}
	fixture_end(f);
}

static void against_the_rules(struct kunit *test)
{
	static const struct netif_rx_response cases[] = {
		{ .id = 1, .status = 100 },
		{ .id = 0xffff, .status = 100 },
		{ .offset = 4096, .status = 1 },
		{ .offset = 4000, .status = 97 },
		{ .offset = 0xffff, .status = 0x7fff },
		/* the rest never comes */
		{ .status = 100, .flags = NETRXF_more_data },
		{ .status = 100, .flags = NETRXF_extra_info },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture *f = fixture(test);

		back_put_raw(test, f, &cases[i]);
		expect_fault(test, f);
		fixture_end(f);
	}
}

/* A buffer that the back end does not let go of is not looked at. */
static void kept_mapped(struct kunit *test)
{
	struct fixture *f = fixture(test);

	mapped = f->q->rx_slots[0].ref;
	back_put(test, f, 0, 100, 0, 0);
	expect_fault(test, f);
	mapped = VIF_RING_SIZE;
	fixture_end(f);
}

/* Anything at all: each round ends in a packet or in a fault. */
static void noise(struct kunit *test)
{
	unsigned int round, i;

	for (round = 0; round < 300; round++) {
		struct fixture *f = fixture(test);
		const char *fault = NULL;

		prandom_seed_state(&f->rnd, round);
		while (!fault) {
			unsigned int count = prandom_u32_state(&f->rnd) % VIF_RING_SIZE;

			for (i = 0; i < count; i++) {
				u32 r = prandom_u32_state(&f->rnd);
				struct netif_rx_response rsp = {
					.id = f->back.end.in.cons % VIF_RING_SIZE,
					.offset = r % 64 ? r >> 20 : r >> 16,
					.flags = r >> 8 & (r % 16 ? 7 : 0xf),
					.status = (int)(r >> 4 & 0x7f) - 4,
				};

				if (ring_unconsumed_requests(&f->back) <= 0)
					break;
				back_put_raw(test, f, &rsp);
			}
			ring_push_responses(&f->back);
			for (;;) {
				struct vif_rx_packet pkt = { .count = 0 };
				struct sk_buff *skb = NULL;

				if (!vif_rx_take(f->q, &pkt, &fault))
					break;
				if (!fault && !pkt.lost && pkt.count)
					skb = vif_rx_build(f->q, &pkt);
				vif_rx_recycle(f->q, &pkt);
				kfree_skb(skb);
				if (fault)
					break;
			}
			/* A faulty ring gets no more buffers. */
			if (!fault)
				vif_rx_refill(f->q);
		}
		fixture_end(f);
		cond_resched();
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(one_piece),	 KUNIT_CASE(many_pieces),
	KUNIT_CASE(segmented),	 KUNIT_CASE(lost),
	KUNIT_CASE(kept_mapped), KUNIT_CASE(against_the_rules),
	KUNIT_CASE(noise),	 {},
};

static struct kunit_suite suite = {
	.name = "paravane_net_rx",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
