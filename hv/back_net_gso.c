// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segmentation of the frames whose receiver cannot cut them itself. Pure functions over private
 * memory.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "hv/back_net.h"

#define TCP_SEQ 4
#define TCP_FLAGS 13
#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_CWR 0x80

#define V4_LENGTH 2
#define V4_ID 4
#define V4_CSUM 10
#define V6_LENGTH 4

static void add_be16(uint8_t *p, uint16_t n)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	v = htobe16(be16toh(v) + n);
	memcpy(p, &v, sizeof(v));
}

static void add_be32(uint8_t *p, uint32_t n)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	v = htobe32(be32toh(v) + n);
	memcpy(p, &v, sizeof(v));
}

/*
 * Turn the headers of the whole into those of segment @index, which begins @at bytes into the
 * payload, ends with the frame at @h->end and is @shorter than the whole.
 */
static void segment_headers(uint8_t *frame, const struct net_headers *h, unsigned int index,
			    size_t at, size_t shorter, bool last)
{
	uint8_t *ip = frame + h->l3, *tcp = frame + h->l4;

	if (h->v6) {
		add_be16(ip + V6_LENGTH, -shorter);
	} else {
		add_be16(ip + V4_LENGTH, -shorter);
		add_be16(ip + V4_ID, index);
		memset(ip + V4_CSUM, 0, 2);
		net_csum_fill(frame, h->l3, h->l4, V4_CSUM);
	}
	add_be32(tcp + TCP_SEQ, at);
	if (index)
		tcp[TCP_FLAGS] &= ~TCP_CWR;
	if (!last)
		tcp[TCP_FLAGS] &= ~(TCP_FIN | TCP_PSH);
	net_csum_seed(frame, h);
	net_csum_fill(frame, h->l4, h->end, h->csum);
}

int net_segment(const struct net_frame *whole, uint8_t *buf,
		void (*emit)(struct back_net *net, const struct net_frame *f), struct back_net *net)
{
	const size_t size = whole->hdr.gso_size;
	struct net_headers h;
	unsigned int i = 0;
	size_t at = 0, len, part;

	if (net_parse(whole->data, whole->len, &h) || !h.tcp || !size)
		return -EINVAL;
	len = h.end - h.payload;
	do {
		struct net_headers seg = h;
		struct net_frame f = { .data = buf, .hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID };

		part = len - at < size ? len - at : size;
		f.len = seg.end = h.payload + part;
		memcpy(buf, whole->data, h.payload);
		memcpy(buf + h.payload, whole->data + h.payload + at, part);
		segment_headers(buf, &seg, i++, at, len - part, at + part == len);
		emit(net, &f);
		at += part;
	} while (at < len);
	return 0;
}
