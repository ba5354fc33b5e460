/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network back end (xen-public/io/netif.h): one queue, copying, with scatter-gather, checksum and
 * segmentation offload, in front of a link: a tap, or the user-mode network.
 *
 * Every packet passes through a private linear buffer. Nothing that checks or parses it sees
 * guest memory, so how a front end cuts a packet into slots cannot matter to anything behind
 * this.
 */
#ifndef HV_BACK_NET_H
#define HV_BACK_NET_H

#include <linux/virtio_net.h>

#include "hv/backend.h"

#include <xen-public/io/netif.h>

struct back_net;
struct net_link;
struct nic_config;

extern const struct backend_ops back_net_ops;

/** NET_FRAME_MAX - the largest packet a slot's 16-bit size can announce */
#define NET_FRAME_MAX XEN_NETIF_MAX_TX_SIZE
#define NET_ETH_HLEN 14

/**
 * NET_SLOTS_MAX - slots of one packet with data; any back end must take as many
 * (XEN_NETIF_NR_SLOTS_MIN)
 */
#define NET_SLOTS_MAX 18
#define NET_EXTRAS_MAX (XEN_NETIF_EXTRA_TYPE_MAX - 1)

/** NET_BACKLOG_MAX - bytes kept for a front end that has no room; more are dropped */
#define NET_BACKLOG_MAX (256u << 10)

/** enum net_offload - what the front end can receive */
enum net_offload {
	NET_CSUM4 = 1 << 0,
	NET_CSUM6 = 1 << 1,
	NET_TSO4 = 1 << 2,
	NET_TSO6 = 1 << 3,
	NET_SG = 1 << 4,
};

/**
 * struct net_frame - an Ethernet frame, what is left to do to it as virtio_net_hdr says
 * @data: private memory
 */
struct net_frame {
	struct virtio_net_hdr hdr;
	uint8_t *data;
	size_t len;
};

/**
 * struct net_link_ops - what is on the other side
 * @offload: takes blank checksums and segments to cut; else checksums are filled in before @send
 * @connect: a front end that can receive @features has connected; optional
 * @send: pass a frame on, or drop it; the queue's thread. 0 or -errno, which only the statistics
 *	see
 * @poll, @polled: as in struct backend_queue_ops; frames go to net_rx_input()
 * @close: free @link
 */
struct net_link_ops {
	bool offload;
	int (*connect)(struct net_link *link, unsigned int features);
	int (*send)(struct net_link *link, struct net_frame *f);
	int (*poll)(struct net_link *link, struct pollfd *fds, unsigned int max, int *timeout);
	int (*polled)(struct net_link *link, const struct pollfd *fds, unsigned int n);
	void (*close)(struct net_link *link);
};

struct net_link {
	const struct net_link_ops *ops;
	struct back_net *net;
};

/** net_tap_open, net_user_open - make a link; 0, or -errno after printing one line */
int net_tap_open(const struct nic_config *cfg, struct net_link **link);
int net_user_open(const struct nic_config *cfg, struct net_link **link);

/** struct net_tx - packets from the guest: slots gathered until a packet is complete */
struct net_tx {
	struct ring_back ring;
	struct evtchn_peer *peer;
	struct netif_tx_request slot[NET_SLOTS_MAX + NET_EXTRAS_MAX];
	bool is_extra[NET_SLOTS_MAX + NET_EXTRAS_MAX];
	unsigned int nr, nr_extras;
	bool more_data, more_extra, overflow;
	uint8_t *buf;
};

struct net_backlog_frame;

/** struct net_rx - packets to the guest; @backlog holds what found no room in the ring */
struct net_rx {
	struct ring_back ring;
	struct evtchn_peer *peer;
	struct net_backlog_frame *backlog, **backlog_end;
	size_t backlog_bytes;
	uint64_t stalled_since;
	int error;
};

struct back_net {
	struct net_link *link;
	uint8_t mac[6];
	char vifname[16];
	struct backend_queue *queue;
	unsigned int features;
	bool rx_notify;
	struct net_tx tx;
	struct net_rx rx;
};

/* back_net_tx.c; the queue's thread */

/** net_tx_work - take packets off the ring; how many slots were consumed, or -errno */
int net_tx_work(struct back_net *net);

/* back_net_rx.c; the queue's thread */

/** net_rx_input - a frame for the guest: into the ring, else into the backlog, else dropped */
void net_rx_input(struct back_net *net, const struct net_frame *f);
/** net_rx_busy - true while frames wait for room: a link that can hold its frames back should */
bool net_rx_busy(const struct back_net *net);
/** net_rx_work - move the backlog into the ring; how many frames, or -errno */
int net_rx_work(struct back_net *net);
/** net_rx_arm - ask to be told about room if frames wait for it; true if there is some already */
bool net_rx_arm(struct back_net *net);
/** net_rx_timeout - ms until net_rx_work() must run although nobody asked, or -1 */
int net_rx_timeout(const struct back_net *net);
/** net_rx_purge - drop the backlog */
void net_rx_purge(struct back_net *net);

/* back_net_csum.c */

/**
 * struct net_headers - where the headers of a frame are
 * @l4: offset of the TCP or UDP header
 * @payload: offset of what follows it
 * @end: where the IP packet ends; padding may follow
 * @csum: offset of the checksum, from @l4
 */
struct net_headers {
	size_t l3, l4, payload, end;
	unsigned int csum;
	bool v6, tcp;
};

/**
 * net_ip_version - 4, 6, or 0 for what is not IP; up to two VLAN tags may stand before it
 * @l3: where the IP header is, if it is IP
 */
int net_ip_version(const uint8_t *frame, size_t len, size_t *l3);
/** net_parse - find the headers of a whole TCP or UDP packet over IPv4 or IPv6; 0 or -EINVAL */
int net_parse(const uint8_t *frame, size_t len, struct net_headers *h);
/** net_csum_seed - write the pseudo header's sum where the checksum belongs */
void net_csum_seed(uint8_t *frame, const struct net_headers *h);
/** net_csum_fill - replace the seed at @start + @offset by the checksum of [@start, @end) */
void net_csum_fill(uint8_t *frame, size_t start, size_t end, unsigned int offset);

/* back_net_gso.c */

/**
 * net_segment - cut a TCP frame as its header asks, for who cannot do it himself
 * @whole: frame to be segmented, of at most NET_FRAME_MAX bytes
 * @buf: room for as many, where each segment stands while @emit sees it
 * @emit: called with @net for every segment in order, complete with its checksums
 *
 * Return: 0, or -EINVAL if it is not a whole TCP packet or asks for segments of no size.
 */
int net_segment(const struct net_frame *whole, uint8_t *buf,
		void (*emit)(struct back_net *net, const struct net_frame *f),
		struct back_net *net);

#endif /* HV_BACK_NET_H */
