/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real network back end between a front end that does anything it likes and a link that is a
 * socket pair.
 */
#ifndef TESTS_UNIT_FAKE_NET_H
#define TESTS_UNIT_FAKE_NET_H

#include "hv/back_net.h"
#include "tests/unit/fake_guest.h"

#define TX_REF 1
#define RX_REF 2
#define TX_PORT 1
#define RX_PORT 2
#define DATA 16
#define DATA_PAGES 32
#define ROOM 64 /* pages granted for packets to the guest */
#define ROOM_PAGES 128
#define NOT_GRANTED 15
#define READ_ONLY 14

/* A frame on the socket pair. */
struct wire {
	struct virtio_net_hdr hdr;
	uint8_t data[NET_FRAME_MAX];
};

struct pair_link {
	struct net_link link;
	int ours, theirs;
	unsigned int features;
};

extern struct pair_link *pair;
extern struct ring_front tx, rx;
extern unsigned int rx_posted;
extern struct wire sent; /* what sent_frame() found */
extern const struct virtio_net_hdr plain;

/*
 * A link with offloads (where the real tap is linked in: that), one without, the user-mode
 * network.
 */
int setup(void **state);
int setup_plain(void **state);
int setup_user(void **state);
int teardown(void **state);

/* Rings, ports and what else no front end does without; not yet its state */
void publish_rings(void);
/* The same with every feature there is, up to Connected */
void connect_nic(void);

/* Slots for packets to the guest: the next @nr of the granted pages. */
void post_room(unsigned int nr);
struct netif_rx_response get_rx(void);

void put_slot(uint16_t id, grant_ref_t ref, uint16_t offset, uint16_t size, uint16_t flags);
void put_extra(struct netif_extra_info extra);
void push_tx(void);
void expect_tx(uint16_t id, int16_t status);

/* Length of the next frame that reached the link, 0 if there is none: its answer was seen. */
size_t sent_frame(void);
/* A frame arrives on the link. */
void inject(const struct virtio_net_hdr *hdr, const void *data, size_t len);

void fill_pages(void);
/* A good packet still gets through, and nothing is left mapped. */
void still_alive(void);

void put16(uint8_t *p, unsigned int v);
/* Internet checksum of @n bytes on top of @sum, slowly: not what the back end uses. */
unsigned int reference_sum(unsigned int sum, const uint8_t *p, size_t n);

#endif /* TESTS_UNIT_FAKE_NET_H */
