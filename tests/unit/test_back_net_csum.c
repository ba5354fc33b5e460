// SPDX-License-Identifier: GPL-2.0-or-later
/* Network back end: checksums and segmentation, finished here or handed on. */
#include <errno.h>
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

/* Segments as they come: put together again here. */
static struct {
	unsigned int frames, flags_first, flags_last;
	uint32_t seq;
	size_t len;
	uint8_t data[NET_FRAME_MAX];
} cut;

static const struct packet *cut_from;

static void collect(struct back_net *net, const struct net_frame *f)
{
	struct net_headers h;
	const uint8_t *tcp;
	uint32_t seq;

	(void)net;
	assert_int_equal(net_parse(f->data, f->len, &h), 0);
	assert_int_equal(h.end, f->len);
	assert_int_equal(f->hdr.flags, VIRTIO_NET_HDR_F_DATA_VALID);
	assert_int_equal(f->hdr.gso_type, VIRTIO_NET_HDR_GSO_NONE);
	assert_int_equal(reference_sum(pseudo_sum(f->data, cut_from, h.l3, f->len - h.l4),
				       f->data + h.l4, f->len - h.l4),
			 0xffff);
	if (!h.v6) {
		assert_int_equal(reference_sum(0, f->data + h.l3, h.l4 - h.l3), 0xffff);
		assert_int_equal(f->data[h.l3 + 4] << 8 | f->data[h.l3 + 5],
				 (0xffff + cut.frames) & 0xffff);
	}
	tcp = f->data + h.l4;
	seq = (uint32_t)tcp[4] << 24 | tcp[5] << 16 | tcp[6] << 8 | tcp[7];
	if (!cut.frames)
		cut.seq = seq;
	assert_int_equal(seq, (uint32_t)(cut.seq + cut.len));
	if (!cut.frames++)
		cut.flags_first = tcp[13];
	else /* neither FIN nor PSH before, no CWR now */
		assert_int_equal((cut.flags_last & 0x09) | (tcp[13] & 0x80), 0);
	cut.flags_last = tcp[13];
	memcpy(cut.data + cut.len, f->data + h.payload, f->len - h.payload);
	cut.len += f->len - h.payload;
}

static void test_segment(void **state)
{
	static const size_t sizes[] = { 0, 1, 1447, 1448, 1449, 2896, 30000 };
	static uint8_t frame[NET_FRAME_MAX], buf[NET_FRAME_MAX];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes) * 6; i++) {
		struct packet k = { i & 1, true, sizes[i / 6], i / 2 % 3 };
		struct net_frame f = { .data = frame, .hdr.gso_size = 1448 };
		const bool several = k.payload > 1448;
		size_t l3, l4;

		f.len = build(frame, &k, &l3, &l4);
		if (!k.v6) {
			put16(frame + l3 + 4, 0xffff);
			put16(frame + l3 + 10, 0x1234); /* the checksum of the whole, for one */
		}
		frame[l4 + 4] = frame[l4 + 5] = frame[l4 + 6] = 0xff; /* soon around */
		frame[l4 + 13] = 0x99; /* CWR, ACK, PSH, FIN */
		memset(&cut, 0, sizeof(cut));
		cut_from = &k;
		assert_int_equal(net_segment(&f, buf, collect, NULL), 0);
		assert_int_equal(cut.frames, k.payload ? (k.payload + 1447) / 1448 : 1);
		assert_int_equal(cut.len, k.payload);
		assert_memory_equal(cut.data, frame + l4 + 32, k.payload);
		assert_int_equal(cut.flags_first, several ? 0x90 : 0x99);
		assert_int_equal(cut.flags_last, several ? 0x19 : 0x99);

		f.hdr.gso_size = 0;
		assert_int_equal(net_segment(&f, buf, collect, NULL), -EINVAL);
		f.hdr.gso_size = 1448;
		f.len--;
		assert_int_equal(net_segment(&f, buf, collect, NULL), -EINVAL);
	}
}

int main(void)
{
#define TEST(fn, set_up) cmocka_unit_test_setup_teardown(fn, set_up, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_csum, setup_plain),	      TEST(test_csum_offload, setup),
		TEST(test_gso_offload, setup),	      TEST(test_gso_not_offered, setup_plain),
		cmocka_unit_test(test_parse_hostile), cmocka_unit_test(test_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
