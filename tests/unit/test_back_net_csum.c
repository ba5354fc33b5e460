// SPDX-License-Identifier: GPL-2.0-or-later
/* Network back end: checksums and segmentation, finished here or handed on. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_net.h"

struct packet {
	bool v6, tcp;
	size_t payload;
	unsigned int vlan;
};

/* Builds a packet with rubbish in the checksum field; returns its length. */
static size_t build(uint8_t *p, const struct packet *k, size_t *l3, size_t *l4)
{
	size_t hlen = k->tcp ? 32 : 8, at = 12, i;
	unsigned int v;

	for (v = 0; v < k->vlan; v++, at += 4)
		put16(p + at, 0x8100);
	put16(p + at, k->v6 ? 0x86dd : 0x0800);
	*l3 = at + 2;
	memset(p + *l3, 0, 80);
	if (k->v6) {
		p[*l3] = 0x60;
		put16(p + *l3 + 4, hlen + k->payload);
		p[*l3 + 6] = k->tcp ? 6 : 17;
		for (i = 0; i < 32; i++)
			p[*l3 + 8 + i] = i * 37;
		*l4 = *l3 + 40;
	} else {
		p[*l3] = 0x46; /* with an option word */
		put16(p + *l3 + 2, 24 + hlen + k->payload);
		p[*l3 + 9] = k->tcp ? 6 : 17;
		for (i = 0; i < 8; i++)
			p[*l3 + 12 + i] = 200 + i;
		*l4 = *l3 + 24;
	}
	for (i = 0; i < hlen + k->payload; i++)
		p[*l4 + i] = random();
	if (k->tcp)
		p[*l4 + 12] = 0x80;
	else
		put16(p + *l4 + 4, hlen + k->payload);
	return *l4 + hlen + k->payload;
}

static unsigned int pseudo_sum(const uint8_t *p, const struct packet *k, size_t l3, size_t l4_len)
{
	unsigned int sum = k->v6 ? reference_sum(0, p + l3 + 8, 32) :
				   reference_sum(0, p + l3 + 12, 8);

	return reference_sum(sum + l4_len + (k->tcp ? 6 : 17), p, 0);
}

static void test_csum(void **state)
{
	unsigned int i;

	(void)state;
	connect_nic();
	for (i = 0; i < 400; i++) {
		struct packet k = { i & 1, i & 2, random() % 1400, (i >> 2) % 3 };
		size_t l3, l4, len = build(fake->page[DATA], &k, &l3, &l4);

		put_slot(i, DATA, 0, len, NETTXF_csum_blank | NETTXF_data_validated);
		push_tx();
		expect_tx(i, NETIF_RSP_OKAY);
		assert_int_equal(sent_frame(), len);
		/* Sum over everything including a correct checksum: all ones. */
		assert_int_equal(reference_sum(pseudo_sum(sent.data, &k, l3, len - l4),
					       sent.data + l4, len - l4),
				 0xffff);
		assert_int_equal(sent.hdr.flags, 0);
	}
}

static void test_csum_offload(void **state)
{
	unsigned int i;

	(void)state;
	connect_nic();
	for (i = 0; i < 64; i++) {
		struct packet k = { i & 1, i & 2, random() % 1400, (i >> 2) % 3 };
		size_t l3, l4, len = build(fake->page[DATA], &k, &l3, &l4);
		const unsigned int offset = k.tcp ? 16 : 6;

		put_slot(i, DATA, 0, len, NETTXF_csum_blank);
		push_tx();
		expect_tx(i, NETIF_RSP_OKAY);
		assert_int_equal(sent_frame(), len);
		assert_int_equal(sent.hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
		assert_int_equal(sent.hdr.csum_start, l4);
		assert_int_equal(sent.hdr.csum_offset, offset);
		assert_int_equal(sent.hdr.gso_type, 0);
		assert_int_equal(sent.data[l4 + offset] << 8 | sent.data[l4 + offset + 1],
				 pseudo_sum(sent.data, &k, l3, len - l4));
	}
}

static void test_gso_offload(void **state)
{
	unsigned int v6;

	(void)state;
	connect_nic();
	for (v6 = 0; v6 < 2; v6++) {
		struct packet k = { v6, true, 3000, 0 };
		struct netif_extra_info e = { .type = XEN_NETIF_EXTRA_TYPE_GSO,
					      .u.gso = { .size = 1448, .type = 1 + v6 } };
		size_t l3, l4, len = build(fake->page[DATA], &k, &l3, &l4);

		put_slot(1, DATA, 0, len, NETTXF_csum_blank | NETTXF_extra_info);
		put_extra(e);
		push_tx();
		expect_tx(1, NETIF_RSP_OKAY);
		expect_tx(0, NETIF_RSP_NULL);
		assert_int_equal(sent_frame(), len);
		assert_int_equal(sent.hdr.gso_type,
				 v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4);
		assert_int_equal(sent.hdr.gso_size, 1448);
		assert_int_equal(sent.hdr.hdr_len, l4 + 32);

		/* The other family, no size, UDP: errors. */
		e.u.gso.type = 2 - v6;
		put_slot(1, DATA, 0, len, NETTXF_csum_blank | NETTXF_extra_info);
		put_extra(e);
		e.u.gso.type = 1 + v6;
		e.u.gso.size = 0;
		put_slot(2, DATA, 0, len, NETTXF_csum_blank | NETTXF_extra_info);
		put_extra(e);
		push_tx();
		expect_tx(1, NETIF_RSP_ERROR);
		expect_tx(0, NETIF_RSP_NULL);
		expect_tx(2, NETIF_RSP_ERROR);
		expect_tx(0, NETIF_RSP_NULL);
		k.tcp = false;
		e.u.gso.size = 1448;
		len = build(fake->page[DATA], &k, &l3, &l4);
		put_slot(3, DATA, 0, len, NETTXF_csum_blank | NETTXF_extra_info);
		put_extra(e);
		push_tx();
		expect_tx(3, NETIF_RSP_ERROR);
		expect_tx(0, NETIF_RSP_NULL);
	}
	still_alive();
}

/* Segmentation that was not offered. */
static void test_gso_not_offered(void **state)
{
	struct packet k = { false, true, 3000, 0 };
	struct netif_extra_info e = { .type = XEN_NETIF_EXTRA_TYPE_GSO,
				      .u.gso = { .size = 1448, .type = 1 } };
	size_t l3, l4, len;

	(void)state;
	connect_nic();
	len = build(fake->page[DATA], &k, &l3, &l4);
	put_slot(1, DATA, 0, len, NETTXF_csum_blank | NETTXF_extra_info);
	put_extra(e);
	push_tx();
	expect_tx(1, NETIF_RSP_ERROR);
	expect_tx(0, NETIF_RSP_NULL);
	still_alive();
}

/* Headers cut off at each byte, and each byte of them anything: parsed or refused, never overrun. */
static void test_parse_hostile(void **state)
{
	unsigned int i, n;

	(void)state;
	for (i = 0; i < 16; i++) {
		struct packet k = { i & 1, i & 2, 40, i >> 2 };
		uint8_t frame[256];
		size_t l3, l4, len = build(frame, &k, &l3, &l4), cut;

		for (cut = 0; cut <= len; cut++) {
			uint8_t *copy = malloc(cut ? cut : 1); /* the sanitizer watches its end */
			struct net_headers h;

			memcpy(copy, frame, cut);
			if (!net_parse(copy, cut, &h)) {
				net_csum_seed(copy, &h);
				net_csum_fill(copy, h.l4, h.end, h.csum);
			}
			for (n = 0; cut && n < 300; n++) {
				copy[random() % cut] = random();
				if (net_parse(copy, cut, &h))
					continue;
				assert_true(h.end <= cut && h.payload <= h.end && h.l4 < h.payload);
				net_csum_seed(copy, &h);
				net_csum_fill(copy, h.l4, h.end, h.csum);
			}
			free(copy);
		}
	}
}

int main(void)
{
#define TEST(fn, set_up) cmocka_unit_test_setup_teardown(fn, set_up, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_csum, setup_plain),	      TEST(test_csum_offload, setup),
		TEST(test_gso_offload, setup),	      TEST(test_gso_not_offered, setup_plain),
		cmocka_unit_test(test_parse_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
