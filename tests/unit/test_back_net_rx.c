// SPDX-License-Identifier: GPL-2.0-or-later
/* Network back end, to the guest; and the user-mode network answering DHCP. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/fake_net.h"

/* ---- to the guest ---- */

static void expect_frame(const uint8_t *want, size_t len)
{
	size_t at = 0;
	struct netif_rx_response rsp;

	do {
		rsp = get_rx();
		assert_true(rsp.status > 0);
		assert_int_equal(rsp.offset, 0);
		assert_memory_equal(fake->page[ROOM + rsp.id % ROOM_PAGES], want + at, rsp.status);
		at += rsp.status;
	} while (rsp.flags & NETRXF_more_data);
	assert_int_equal(at, len);
}

static void test_receive(void **state)
{
	static const size_t sizes[] = { 1, 14, 60, 1514, 4095, 4096, 4097, 8192, 9000, 65535 };
	static uint8_t data[65535];
	unsigned int i;
	size_t j;

	(void)state;
	connect_nic();
	for (j = 0; j < sizeof(data); j++)
		data[j] = random();
	post_room(64);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		inject(&plain, data, sizes[i]);
		expect_frame(data, sizes[i]);
		post_room((sizes[i] + PAGE_SIZE - 1) / PAGE_SIZE);
	}
}

static void test_receive_flags(void **state)
{
	const struct virtio_net_hdr blank = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };
	const struct virtio_net_hdr valid = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };
	const struct virtio_net_hdr gso = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					    .gso_type = VIRTIO_NET_HDR_GSO_TCPV6,
					    .gso_size = 1220 };
	static uint8_t data[9000];
	struct netif_extra_info e;
	struct netif_rx_response rsp;

	(void)state;
	connect_nic();
	post_room(20);
	inject(&blank, data, 60);
	assert_int_equal(get_rx().flags, NETRXF_csum_blank | NETRXF_data_validated);
	inject(&valid, data, 60);
	assert_int_equal(get_rx().flags, NETRXF_data_validated);
	inject(&gso, data, 9000);
	rsp = get_rx();
	assert_int_equal(rsp.flags, NETRXF_csum_blank | NETRXF_data_validated | NETRXF_more_data |
					    NETRXF_extra_info);
	assert_int_equal(rsp.id, 2);
	rsp = get_rx();
	memcpy(&e, &rsp, sizeof(e));
	assert_int_equal(e.type, XEN_NETIF_EXTRA_TYPE_GSO);
	assert_int_equal(e.flags, 0);
	assert_int_equal(e.u.gso.type, XEN_NETIF_GSO_TYPE_TCPV6);
	assert_int_equal(e.u.gso.size, 1220);
	rsp = get_rx();
	assert_int_equal(rsp.id, 4);
	assert_int_equal(rsp.flags, NETRXF_more_data);
	rsp = get_rx();
	assert_int_equal(rsp.status, 9000 - 8192);
	assert_int_equal(rsp.flags, 0);
}

static void test_receive_bad_grant(void **state)
{
	static const grant_ref_t refs[] = { NOT_GRANTED, READ_ONLY, UINT32_MAX };
	uint8_t data[60] = { 0 };
	unsigned int i;

	(void)state;
	connect_nic();
	for (i = 0; i < ARRAY_SIZE(refs); i++) {
		struct netif_rx_request req = { .id = 500 + i, .gref = refs[i] };
		struct netif_rx_response rsp;

		assert_int_equal(ring_put_request(&rx, &req), 0);
		if (ring_push_requests(&rx))
			fake_send(RX_PORT);
		inject(&plain, data, sizeof(data));
		rsp = get_rx();
		assert_int_equal(rsp.id, 500 + i);
		assert_int_equal(rsp.status, NETIF_RSP_ERROR);
	}
	rx_posted = 3;
	post_room(1);
	inject(&plain, data, sizeof(data));
	expect_frame(data, sizeof(data));
}

/* No room: frames wait in order, bounded; room: they come. */
static void test_backlog(void **state)
{
	static uint8_t data[2000];
	unsigned int i;

	(void)state;
	connect_nic();
	for (i = 0; i < 50; i++) {
		memset(data, i, sizeof(data));
		inject(&plain, data, sizeof(data));
	}
	fake_pump(20);
	for (i = 0; i < 50; i++) {
		post_room(1);
		memset(data, i, sizeof(data));
		expect_frame(data, sizeof(data));
	}
}

/* Room for one page is not room for a large frame; nor does it wait for ever. */
static void test_stall(void **state)
{
	static uint8_t data[20000];
	unsigned int i;

	(void)state;
	connect_nic();
	post_room(2);
	inject(&plain, data, sizeof(data));
	for (i = 0; i < 2000; i++) /* 4 MB: far beyond the bound */
		inject(&plain, data, 2000);
	fake_pump(1300);
	/* All that was dropped; the next frame takes the room that is left. */
	data[0] = 1;
	for (i = 0; i < 12 && !ring_unconsumed_responses(&rx); i++) {
		inject(&plain, data, 60);
		fake_pump(200);
	}
	expect_frame(data, 60);
}

static void test_no_sg(void **state)
{
	static uint8_t data[5000];

	(void)state;
	fake_write("vif", 0, "feature-sg", "0");
	publish_rings();
	fake_write("vif", 0, "feature-gso-tcpv4", "1");
	fake_state("vif", 0, 4);
	fake_wait_back("vif", 0, 4);
	assert_int_equal(pair->features, NET_CSUM4);
	post_room(4);
	inject(&plain, data, sizeof(data));
	data[0] = 1;
	inject(&plain, data, 4096);
	expect_frame(data, 4096);
}

/* ---- the user-mode network ---- */

static void test_user_dhcp(void **state)
{
	uint8_t *p = fake->page[DATA];
	struct netif_rx_response rsp;
	const uint8_t *r;

	(void)state;
	connect_nic();
	post_room(16);
	memset(p, 0xff, 6);
	memcpy(p + 6, "\2\0\0\0\0\1\x08\x00\x45\x00", 10);
	put16(p + 16, 20 + 8 + 244);
	p[22] = 64;
	p[23] = 17;
	memset(p + 30, 0xff, 4);
	put16(p + 24, ~reference_sum(0, p + 14, 20));
	put16(p + 34, 68);
	put16(p + 36, 67);
	put16(p + 38, 8 + 244);
	memcpy(p + 42, "\1\1\6\0\x12\x34\x56\x78", 8);
	memcpy(p + 42 + 28, "\2\0\0\0\0\1", 6);
	memcpy(p + 42 + 236, "\x63\x82\x53\x63\x35\1\1\xff", 8);
	put_slot(1, DATA, 0, 42 + 244, NETTXF_csum_blank);
	push_tx();
	expect_tx(1, NETIF_RSP_OKAY);
	rsp = get_rx();
	assert_true(rsp.status > 42 + 240);
	assert_true(rsp.flags & NETRXF_data_validated);
	r = fake->page[ROOM + rsp.id];
	assert_int_equal(r[42], 2); /* BOOTREPLY */
	assert_memory_equal(r + 42 + 16, "\x0a\x00\x02\x0f", 4);
}

int main(void)
{
#define TEST(fn, set_up) cmocka_unit_test_setup_teardown(fn, set_up, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_receive, setup),
		TEST(test_receive_flags, setup),
		TEST(test_receive_bad_grant, setup),
		TEST(test_backlog, setup),
		TEST(test_stall, setup),
		TEST(test_no_sg, setup),
		TEST(test_user_dhcp, setup_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
