/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ring_pair.h - both ends of one ring, for the tests that need an honest peer to start with */
#ifndef TESTS_UNIT_RING_PAIR_H
#define TESTS_UNIT_RING_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* From this version on the barriers are the includer's to define. */
#define __XEN_INTERFACE_VERSION__ 0x00030208
#define xen_mb() __sync_synchronize()
#define xen_rmb() __sync_synchronize()
#define xen_wmb() __sync_synchronize()
#include <xen-public/io/blkif.h>
#include <xen-public/io/netif.h>

#include "ring/ring.h"

#define PAGE 4096

/* A ring on the heap, exactly as large as it says: the address sanitizer guards both ends. */
struct pair {
	struct ring_shared *shared;
	size_t bytes;
	struct ring_front front;
	struct ring_back back;
};

static inline void pair_make(struct pair *pair, size_t bytes, unsigned int index)
{
	pair->bytes = bytes;
	pair->shared = aligned_alloc(PAGE, bytes);
	assert_non_null(pair->shared);
	memset(pair->shared, 0xa5, bytes);
	assert_int_equal(ring_front_init(&pair->front, pair->shared, bytes, RING_FORMAT(netif_tx)),
			 0);
	if (index) {
		pair->shared->req_prod = index;
		pair->shared->rsp_prod = index;
		pair->shared->req_event = index + 1;
		pair->shared->rsp_event = index + 1;
		assert_int_equal(ring_front_attach(&pair->front, pair->shared, bytes,
						   RING_FORMAT(netif_tx), index),
				 0);
	}
	assert_int_equal(ring_back_attach(&pair->back, pair->shared, bytes, RING_FORMAT(netif_tx),
					  ring_shared_index(pair->shared)),
			 0);
}

static inline void pair_free(struct pair *pair)
{
	free(pair->shared);
}

static inline struct netif_tx_request request(unsigned int seed)
{
	return (struct netif_tx_request){
		.gref = seed * 2654435761u,
		.offset = seed * 40503u,
		.flags = seed >> 3,
		.id = seed,
		.size = ~seed,
	};
}

static inline void put_requests(struct pair *pair, unsigned int from, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct netif_tx_request req = request(from + i);

		assert_int_equal(ring_put_request(&pair->front, &req), 0);
	}
}

static inline void copy_requests(struct pair *pair, unsigned int from, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct netif_tx_request expected = request(from + i), req;

		assert_int_equal(ring_copy_request(&pair->back, &req), 0);
		assert_memory_equal(&req, &expected, sizeof(req));
	}
}

static inline void put_responses(struct pair *pair, unsigned int from, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct netif_tx_response rsp = { .id = from + i, .status = i };

		assert_int_equal(ring_put_response(&pair->back, &rsp), 0);
	}
}

static inline void copy_responses(struct pair *pair, unsigned int from, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct netif_tx_response rsp;

		assert_int_equal(ring_copy_response(&pair->front, &rsp), 0);
		assert_int_equal(rsp.id, (uint16_t)(from + i));
		assert_int_equal(rsp.status, (int16_t)i);
	}
}

#endif /* TESTS_UNIT_RING_PAIR_H */
