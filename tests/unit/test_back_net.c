// SPDX-License-Identifier: GPL-2.0-or-later
/* Network back end, from the guest: every way to pack a packet, right and wrong; the device. */
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/fake_net.h"

/* ---- from the guest ---- */

static void test_features(void **state)
{
	(void)state;
	connect_nic();
	assert_int_equal(fake_back_read("vif", 0, "feature-rx-copy"), 1);
	assert_int_equal(fake_back_read("vif", 0, "feature-sg"), 1);
	assert_int_equal(fake_back_read("vif", 0, "feature-gso-tcpv4"), 1);
	assert_int_equal(fake_back_read("vif", 0, "feature-split-event-channels"), 1);
	assert_int_equal(pair->features, NET_CSUM4 | NET_CSUM6 | NET_TSO4 | NET_TSO6 | NET_SG);
}

static void test_features_plain(void **state)
{
	(void)state;
	connect_nic();
	assert_int_equal(fake_back_read("vif", 0, "feature-gso-tcpv4"), 0);
	assert_int_equal(fake_back_read("vif", 0, "feature-gso-tcpv6"), 0);
}

static void test_single_channel(void **state)
{
	(void)state;
	fake_write("vif", 0, "event-channel", "%u", TX_PORT);
	fake_write("vif", 0, "tx-ring-ref", "%u", TX_REF);
	fake_write("vif", 0, "rx-ring-ref", "%u", RX_REF);
	fake_write("vif", 0, "request-rx-copy", "1");
	fake_state("vif", 0, 4);
	fake_wait_back("vif", 0, 4);
	assert_int_equal(pair->features, NET_CSUM4);
	assert_int_equal(fake_in_use(), 3);
}

static void test_no_copy(void **state)
{
	(void)state;
	fake_write("vif", 0, "event-channel", "%u", TX_PORT);
	fake_write("vif", 0, "tx-ring-ref", "%u", TX_REF);
	fake_write("vif", 0, "rx-ring-ref", "%u", RX_REF);
	fake_state("vif", 0, 4);
	fake_wait_back("vif", 0, 6);
	assert_true(fake_has_error("vif", 0));
}

/* Cut @total bytes into @slots parts, some of them empty, at random offsets. */
static void send_packing(unsigned int total, unsigned int slots)
{
	static uint8_t want[NET_FRAME_MAX];
	unsigned int cut[NET_SLOTS_MAX + 1], i, j;
	size_t at = 0;

	cut[0] = 0;
	for (i = 1; i < slots; i++)
		cut[i] = random() % (total + 1);
	cut[slots] = total;
	for (i = 1; i < slots; i++)
		for (j = i + 1; j < slots; j++)
			if (cut[j] < cut[i]) {
				unsigned int t = cut[i];

				cut[i] = cut[j];
				cut[j] = t;
			}
	for (i = 0; i < slots; i++) {
		unsigned int size = cut[i + 1] - cut[i];
		unsigned int offset = random() % (PAGE_SIZE - size + 1);

		memcpy(want + at, fake->page[DATA + i] + offset, size);
		at += size;
		put_slot(i, DATA + i, offset, i ? size : total,
			 i < slots - 1 ? NETTXF_more_data : 0);
	}
	push_tx();
	for (i = 0; i < slots; i++)
		expect_tx(i, NETIF_RSP_OKAY);
	assert_int_equal(sent_frame(), total);
	assert_memory_equal(sent.data, want, total);
}

static void test_packings(void **state)
{
	unsigned int total, slots;

	(void)state;
	connect_nic();
	fill_pages();
	for (total = NET_ETH_HLEN; total <= 128; total++)
		for (slots = 1; slots <= NET_SLOTS_MAX; slots++)
			send_packing(total, slots);
	still_alive();
}

static void test_large(void **state)
{
	unsigned int i;

	(void)state;
	connect_nic();
	fill_pages();
	/* 65,535 bytes: fifteen full pages and the rest in the first slot. */
	put_slot(0, DATA, 1, 65535, NETTXF_more_data);
	for (i = 1; i <= 15; i++)
		put_slot(i, DATA + i, 0, 4096, NETTXF_more_data);
	put_slot(16, DATA + 16, 0, 0, 0);
	push_tx();
	for (i = 0; i <= 16; i++)
		expect_tx(i, NETIF_RSP_OKAY);
	assert_int_equal(sent_frame(), 65535);
	assert_memory_equal(sent.data, fake->page[DATA] + 1, 4095);
	assert_memory_equal(sent.data + 4095, fake->page[DATA + 1], 15 * PAGE_SIZE);
	still_alive();
}

static void test_too_short(void **state)
{
	unsigned int size;

	(void)state;
	connect_nic();
	for (size = 0; size < NET_ETH_HLEN; size++) {
		put_slot(size, DATA, 0, size, 0);
		push_tx();
		expect_tx(size, NETIF_RSP_ERROR);
	}
	assert_int_equal(sent_frame(), 0);
	still_alive();
}

static void test_bad_slots(void **state)
{
	static const struct {
		const char *what;
		struct netif_tx_request first, second;
	} bad[] = {
		{ "leaves its page", { DATA, 4090, 0, 1, 60 }, { 0 } },
		{ "wild offset", { DATA, 65535, 0, 1, 60 }, { 0 } },
		{ "bigger than a page", { DATA, 0, 0, 1, 4097 }, { 0 } },
		{ "biggest", { DATA, 65535, 0, 1, 65535 }, { 0 } },
		{ "not granted", { NOT_GRANTED, 0, 0, 1, 60 }, { 0 } },
		{ "wild reference", { UINT32_MAX, 0, 0, 1, 60 }, { 0 } },
		{ "parts larger than the whole",
		  { DATA, 0, NETTXF_more_data, 1, 60 },
		  { DATA + 1, 0, 0, 2, 61 } },
		{ "second leaves its page",
		  { DATA, 0, NETTXF_more_data, 1, 160 },
		  { DATA + 1, 4000, 0, 2, 100 } },
		{ "second not granted",
		  { DATA, 0, NETTXF_more_data, 1, 160 },
		  { NOT_GRANTED, 0, 0, 2, 100 } },
		{ "rest does not fit a page",
		  { DATA, 0, NETTXF_more_data, 1, 5000 },
		  { DATA + 1, 0, 0, 2, 100 } },
	};
	unsigned int i;

	(void)state;
	connect_nic();
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct netif_tx_request *a = &bad[i].first, *b = &bad[i].second;

		put_slot(a->id, a->gref, a->offset, a->size, a->flags);
		if (a->flags)
			put_slot(b->id, b->gref, b->offset, b->size, b->flags);
		push_tx();
		expect_tx(a->id, NETIF_RSP_ERROR);
		if (a->flags)
			expect_tx(b->id, NETIF_RSP_ERROR);
		still_alive();
	}
}

static void test_too_many_slots(void **state)
{
	unsigned int i, nr;

	(void)state;
	connect_nic();
	for (nr = NET_SLOTS_MAX + 1; nr < 60; nr++) {
		for (i = 0; i < nr; i++)
			put_slot(i, DATA, 0, i ? 10 : 10 * nr, i < nr - 1 ? NETTXF_more_data : 0);
		push_tx();
		for (i = 0; i < nr; i++)
			expect_tx(i, NETIF_RSP_ERROR);
		assert_int_equal(sent_frame(), 0);
		still_alive();
	}
}

/* A packet that never ends is answered as it comes and keeps nothing. */
static void test_endless_chain(void **state)
{
	unsigned int round, i;

	(void)state;
	connect_nic();
	for (i = 0; i < 20; i++)
		put_slot(i, DATA, 0, 1000, NETTXF_more_data);
	push_tx();
	for (i = 0; i < 20; i++)
		expect_tx(i, NETIF_RSP_ERROR);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 100; i++)
			put_slot(i, DATA, 0, 1000, NETTXF_more_data);
		push_tx();
		for (i = 0; i < 100; i++)
			expect_tx(i, NETIF_RSP_ERROR);
	}
	put_slot(9, DATA, 0, 10, 0);
	push_tx();
	expect_tx(9, NETIF_RSP_ERROR);
	still_alive();
}

/* A packet whose slots come one at a time is not an error. */
static void test_slow_chain(void **state)
{
	unsigned int i;

	(void)state;
	connect_nic();
	fill_pages();
	for (i = 0; i < 5; i++) {
		put_slot(i, DATA + i, 0, i ? 20 : 100, i < 4 ? NETTXF_more_data : 0);
		push_tx();
		fake_pump(2);
	}
	for (i = 0; i < 5; i++)
		expect_tx(i, NETIF_RSP_OKAY);
	assert_int_equal(sent_frame(), 100);
}

static void test_bad_extras(void **state)
{
	const struct netif_extra_info gso4 = { .type = XEN_NETIF_EXTRA_TYPE_GSO,
					       .u.gso = { .size = 1000, .type = 1 } };
	struct netif_extra_info e;
	unsigned int i, nr;

	(void)state;
	connect_nic();
	/* Each type alone; GSO fails too, for these bytes are no TCP packet. */
	for (i = 0; i < 256; i++) {
		e = (struct netif_extra_info){ .type = i, .u.gso = { .size = 1000, .type = 1 } };
		put_slot(1, DATA, 0, 60, NETTXF_extra_info);
		put_extra(e);
		push_tx();
		expect_tx(1, NETIF_RSP_ERROR);
		expect_tx(0, NETIF_RSP_NULL);
	}
	/* Chains of extras, longer than there are types. */
	for (nr = 2; nr < 20; nr++) {
		put_slot(1, DATA, 0, 60, NETTXF_extra_info | NETTXF_more_data);
		e = gso4;
		e.flags = XEN_NETIF_EXTRA_FLAG_MORE;
		for (i = 0; i < nr - 1; i++)
			put_extra(e);
		put_extra(gso4);
		put_slot(2, DATA, 0, 10, 0);
		push_tx();
		expect_tx(1, NETIF_RSP_ERROR);
		for (i = 0; i < nr; i++)
			expect_tx(0, NETIF_RSP_NULL);
		expect_tx(2, NETIF_RSP_ERROR);
	}
	still_alive();
}

/* ---- the device ---- */

static void test_producer_jump(void **state)
{
	struct ring_shared *shared[] = { (void *)fake->page[TX_REF], (void *)fake->page[RX_REF] };
	uint8_t data[60] = { 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		connect_nic();
		shared[i]->req_prod = 0x40000000;
		if (i)
			inject(&plain, data, sizeof(data));
		fake_send(TX_PORT);
		fake_wait_back("vif", 0, 6);
		assert_true(fake_has_error("vif", 0));
		assert_int_equal(fake_in_use(), 0);
		fake_state("vif", 0, 6);
		fake_state("vif", 0, 1);
	}
	connect_nic();
	still_alive();
}

/* Closed in the middle of a packet and with a backlog; the next connection knows nothing of it. */
static void test_close_busy(void **state)
{
	static uint8_t data[1000];
	unsigned int round, i;

	(void)state;
	for (round = 0; round < 50; round++) {
		connect_nic();
		still_alive();
		for (i = 0; i < 1 + round % 25; i++)
			put_slot(i, DATA, 0, 100, NETTXF_more_data);
		push_tx();
		inject(&plain, data, sizeof(data));
		if (round & 1)
			fake_pump(1);
		fake_state("vif", 0, 5);
		fake_wait_back("vif", 0, 5);
		assert_int_equal(fake_in_use(), 0);
		while (recv(pair->ours, &sent, sizeof(sent), MSG_DONTWAIT) > 0)
			continue;
		fake_state("vif", 0, 6);
		fake_state("vif", 0, 1);
	}
}

int main(void)
{
#define TEST(fn, set_up) cmocka_unit_test_setup_teardown(fn, set_up, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_features, setup),	  TEST(test_features_plain, setup_plain),
		TEST(test_single_channel, setup), TEST(test_no_copy, setup),
		TEST(test_packings, setup),	  TEST(test_large, setup),
		TEST(test_too_short, setup),	  TEST(test_bad_slots, setup),
		TEST(test_too_many_slots, setup), TEST(test_endless_chain, setup),
		TEST(test_slow_chain, setup),	  TEST(test_bad_extras, setup),
		TEST(test_producer_jump, setup),  TEST(test_close_busy, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
