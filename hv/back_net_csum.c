// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Headers and checksums of the frames a guest leaves unfinished. Pure functions over private
 * memory.
 */
#include <errno.h>
#include <string.h>

#include "hv/back_net.h"

#define ETH_P_VLAN 0x8100
#define ETH_P_VLAN_AD 0x88a8
#define ETH_P_V4 0x0800
#define ETH_P_V6 0x86dd

#define PROTO_TCP 6
#define PROTO_UDP 17

/* IPv6 extension headers that can stand before the transport header of an unfragmented packet */
#define EXT_HOP_BY_HOP 0
#define EXT_ROUTING 43
#define EXT_DESTINATION 60

#define V4_HLEN 20
#define V6_HLEN 40
#define VLAN_TAGS_MAX 2
#define EXT_HEADERS_MAX 8

static unsigned int get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static int parse_v4(const uint8_t *frame, size_t len, struct net_headers *h, unsigned int *proto)
{
	const uint8_t *ip = frame + h->l3;
	size_t hlen, total;

	if (len - h->l3 < V4_HLEN || ip[0] >> 4 != 4)
		return -EINVAL;
	hlen = (ip[0] & 0xf) * 4;
	total = get16(ip + 2);
	if (hlen < V4_HLEN || total < hlen || total > len - h->l3)
		return -EINVAL;
	if (get16(ip + 6) & 0x3fff) /* a fragment */
		return -EINVAL;
	*proto = ip[9];
	h->l4 = h->l3 + hlen;
	h->end = h->l3 + total;
	return 0;
}

static int parse_v6(const uint8_t *frame, size_t len, struct net_headers *h, unsigned int *proto)
{
	const uint8_t *ip = frame + h->l3;
	unsigned int i;

	if (len - h->l3 < V6_HLEN || ip[0] >> 4 != 6)
		return -EINVAL;
	if (get16(ip + 4) > len - h->l3 - V6_HLEN)
		return -EINVAL;
	h->l4 = h->l3 + V6_HLEN;
	h->end = h->l4 + get16(ip + 4);
	*proto = ip[6];
	for (i = 0; i < EXT_HEADERS_MAX; i++) {
		const uint8_t *ext = frame + h->l4;
		size_t size;

		if (*proto != EXT_HOP_BY_HOP && *proto != EXT_ROUTING && *proto != EXT_DESTINATION)
			return 0;
		if (h->end - h->l4 < 8)
			return -EINVAL;
		size = (ext[1] + 1) * 8;
		if (size > h->end - h->l4)
			return -EINVAL;
		*proto = ext[0];
		h->l4 += size;
	}
	return -EINVAL;
}

static int parse_l4(const uint8_t *frame, struct net_headers *h, unsigned int proto)
{
	size_t room = h->end - h->l4, hlen;

	switch (proto) {
	case PROTO_TCP:
		if (room < 20)
			return -EINVAL;
		hlen = (frame[h->l4 + 12] >> 4) * 4;
		if (hlen < 20 || hlen > room)
			return -EINVAL;
		h->csum = 16;
		break;
	case PROTO_UDP:
		hlen = 8;
		if (hlen > room)
			return -EINVAL;
		h->csum = 6;
		break;
	default:
		return -EINVAL;
	}
	h->tcp = proto == PROTO_TCP;
	h->payload = h->l4 + hlen;
	return 0;
}

int net_ip_version(const uint8_t *frame, size_t len, size_t *l3)
{
	unsigned int type, tags = 0;

	if (len < NET_ETH_HLEN)
		return 0;
	*l3 = NET_ETH_HLEN;
	type = get16(frame + 12);
	while ((type == ETH_P_VLAN || type == ETH_P_VLAN_AD) && tags++ < VLAN_TAGS_MAX) {
		if (len - *l3 < 4)
			return 0;
		type = get16(frame + *l3 + 2);
		*l3 += 4;
	}
	return type == ETH_P_V4 ? 4 : type == ETH_P_V6 ? 6 : 0;
}

int net_parse(const uint8_t *frame, size_t len, struct net_headers *h)
{
	int version = net_ip_version(frame, len, &h->l3), err;
	unsigned int proto;

	h->v6 = version == 6;
	if (!version)
		return -EINVAL;
	err = h->v6 ? parse_v6(frame, len, h, &proto) : parse_v4(frame, len, h, &proto);
	return err ? err : parse_l4(frame, h, proto);
}

static uint64_t sum_bytes(uint64_t sum, const uint8_t *p, size_t len)
{
	for (; len >= 4; p += 4, len -= 4) {
		uint32_t word;

		/* Any byte order does: it is undone when the sum is stored. */
		memcpy(&word, p, 4);
		sum += word;
	}
	if (len) {
		uint8_t tail[4] = { 0 };
		uint32_t word;

		memcpy(tail, p, len);
		memcpy(&word, tail, 4);
		sum += word;
	}
	return sum;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

void net_csum_seed(uint8_t *frame, const struct net_headers *h)
{
	const uint8_t *ip = frame + h->l3;
	uint8_t rest[4] = { 0, h->tcp ? PROTO_TCP : PROTO_UDP };
	uint64_t sum;
	uint16_t seed;

	put16(rest + 2, h->end - h->l4);
	sum = h->v6 ? sum_bytes(0, ip + 8, 32) : sum_bytes(0, ip + 12, 8);
	seed = fold(sum_bytes(sum, rest, sizeof(rest)));
	memcpy(frame + h->l4 + h->csum, &seed, 2);
}

void net_csum_fill(uint8_t *frame, size_t start, size_t end, unsigned int offset)
{
	uint16_t csum = ~fold(sum_bytes(0, frame + start, end - start));

	/* 0 means "none" in UDP; its other representation is valid everywhere. */
	if (!csum)
		csum = 0xffff;
	memcpy(frame + start + offset, &csum, 2);
}
