// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets to the guest: copied into pages it granted. What finds no room waits in a backlog
 * bounded by bytes, and not for ever.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hv/back_net.h"

RING_ASSERT_LAYOUT(netif_rx);
static_assert(sizeof(struct netif_extra_info) <= sizeof(struct netif_rx_response),
	      "an extra fits into a response");

/* How long the backlog waits for a front end that offers no room. */
#define RX_STALL_MS 1000
/* How often to look for room if the front end does not tell (no feature-rx-notify). */
#define RX_LOOK_MS 30

struct net_backlog_frame {
	struct net_backlog_frame *next;
	struct net_frame f;
	uint8_t data[];
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

static unsigned int frame_slots(const struct net_frame *f)
{
	return (f->len + PAGE_SIZE - 1) / PAGE_SIZE + (f->hdr.gso_type != 0);
}

/* Can this front end take this frame at all? */
static bool frame_acceptable(const struct back_net *net, const struct net_frame *f)
{
	return f->len && f->len <= NET_FRAME_MAX && (f->len <= PAGE_SIZE || net->features & NET_SG);
}

/* Fill one granted page; returns the status of the response. */
static int16_t slot_fill(struct back_net *net, const struct netif_rx_request *req, const void *data,
			 size_t len)
{
	struct backend_grant g;

	if (backend_map(net->queue, req->gref, true, &g))
		return NETIF_RSP_ERROR;
	memcpy(g.page, data, len);
	backend_unmap(net->queue, &g);
	return len;
}

static int extra_put(struct net_rx *rx, const struct net_frame *f)
{
	bool v6 = (f->hdr.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV6;
	struct netif_extra_info extra;
	struct netif_rx_request req;
	int err;

	/* It takes the place of the next request, whose page stays unused. */
	err = ring_copy_request(&rx->ring, &req);
	if (err)
		return err;
	memset(&extra, 0, sizeof(extra));
	extra.type = XEN_NETIF_EXTRA_TYPE_GSO;
	extra.u.gso.size = f->hdr.gso_size;
	extra.u.gso.type = v6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
	return ring_put_response(&rx->ring, &extra);
}

static uint16_t frame_flags(const struct net_frame *f)
{
	uint16_t flags = 0;

	if (f->hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		flags = NETRXF_csum_blank | NETRXF_data_validated;
	else if (f->hdr.flags & VIRTIO_NET_HDR_F_DATA_VALID)
		flags = NETRXF_data_validated;
	if (f->hdr.gso_type)
		flags |= NETRXF_extra_info;
	return flags;
}

/* 1 when the frame is in the ring, 0 when there is no room for it, or -errno. */
static int frame_put(struct back_net *net, const struct net_frame *f)
{
	struct net_rx *rx = &net->rx;
	uint16_t flags = frame_flags(f);
	size_t at, part;
	int err;

	err = ring_unconsumed_requests(&rx->ring);
	if (err < 0)
		return err;
	if ((unsigned int)err < frame_slots(f))
		return 0;
	for (at = 0; at < f->len; at += part) {
		struct netif_rx_response rsp = { 0 };
		struct netif_rx_request req;

		err = ring_copy_request(&rx->ring, &req);
		if (err)
			return err;
		part = f->len - at < PAGE_SIZE ? f->len - at : PAGE_SIZE;
		rsp.id = req.id;
		rsp.status = slot_fill(net, &req, f->data + at, part);
		rsp.flags = flags | (at + part < f->len ? NETRXF_more_data : 0);
		err = ring_put_response(&rx->ring, &rsp);
		if (!err && flags & NETRXF_extra_info)
			err = extra_put(rx, f);
		if (err)
			return err;
		flags = 0; /* they are the first slot's */
	}
	return 1;
}

static void backlog_add(struct net_rx *rx, const struct net_frame *f)
{
	struct net_backlog_frame *b;

	if (rx->backlog_bytes + f->len > NET_BACKLOG_MAX)
		return;
	b = malloc(sizeof(*b) + f->len);
	if (!b)
		return;
	b->next = NULL;
	b->f = *f;
	b->f.data = b->data;
	memcpy(b->data, f->data, f->len);
	if (!rx->backlog) {
		rx->stalled_since = now_ms();
		rx->backlog_end = &rx->backlog;
	}
	*rx->backlog_end = b;
	rx->backlog_end = &b->next;
	rx->backlog_bytes += f->len;
}

static void backlog_drop_first(struct net_rx *rx)
{
	struct net_backlog_frame *b = rx->backlog;

	rx->backlog = b->next;
	rx->backlog_bytes -= b->f.len;
	free(b);
}

void net_rx_input(struct back_net *net, const struct net_frame *f)
{
	struct net_rx *rx = &net->rx;
	int n = 0;

	if (rx->error || !frame_acceptable(net, f))
		return;
	if (!rx->backlog)
		n = frame_put(net, f);
	if (!n)
		backlog_add(rx, f);
	else if (n < 0)
		rx->error = n; /* net_rx_work() reports it */
}

bool net_rx_busy(const struct back_net *net)
{
	return net->rx.backlog || net->rx.error;
}

int net_rx_work(struct back_net *net)
{
	struct net_rx *rx = &net->rx;
	int n = 0, moved = 0;

	while (!rx->error && rx->backlog && (n = frame_put(net, &rx->backlog->f)) > 0) {
		backlog_drop_first(rx);
		rx->stalled_since = now_ms();
		moved++;
	}
	if (n < 0)
		rx->error = n;
	if (rx->backlog && now_ms() - rx->stalled_since > RX_STALL_MS)
		net_rx_purge(net);
	if (ring_push_responses(&rx->ring))
		evtchn_peer_notify(rx->peer);
	return rx->error ? rx->error : moved;
}

bool net_rx_arm(struct back_net *net)
{
	struct net_rx *rx = &net->rx;

	if (!rx->backlog)
		return false;
	return ring_final_check_requests_after(&rx->ring, frame_slots(&rx->backlog->f));
}

int net_rx_timeout(const struct back_net *net)
{
	if (!net->rx.backlog)
		return -1;
	return net->rx_notify ? RX_STALL_MS : RX_LOOK_MS;
}

void net_rx_purge(struct back_net *net)
{
	while (net->rx.backlog)
		backlog_drop_first(&net->rx);
}
