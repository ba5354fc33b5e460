// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ring/ring.h: what an end does with an honest peer. Any other peer is in test_ring_peer.c, Xen's
 * own macros are in test_ring_xen.c, a peer on another CPU is in stress_ring.c.
 */
#include "tests/unit/ring_pair.h"

/* A protocol of the most awkward shape: no slot but the first is aligned to anything. */
struct odd_request {
	unsigned char bytes[13];
} __attribute__((packed));

struct odd_response {
	unsigned char bytes[7];
} __attribute__((packed));

DEFINE_RING_TYPES(odd, struct odd_request, struct odd_response);

RING_ASSERT_LAYOUT(blkif);
RING_ASSERT_LAYOUT(netif_tx);
RING_ASSERT_LAYOUT(netif_rx);
RING_ASSERT_LAYOUT(odd);

#define CHECK_SIZES(tag)                                                               \
	do {                                                                           \
		for (size_t bytes = PAGE; bytes <= 64 * PAGE; bytes += PAGE)           \
			assert_int_equal(ring_entries(RING_FORMAT(tag), bytes),        \
					 __CONST_RING_SIZE(tag, (unsigned int)bytes)); \
	} while (0)

static void entries_match_xen(void **state)
{
	struct ring_format huge = { .slot = 8192, .req = 8192, .rsp = 1 };
	struct ring_format none = { 0 };

	(void)state;
	CHECK_SIZES(blkif);
	CHECK_SIZES(netif_tx);
	CHECK_SIZES(netif_rx);
	CHECK_SIZES(odd);
	assert_int_equal(ring_entries(RING_FORMAT(blkif), PAGE), 32);
	assert_int_equal(ring_entries(RING_FORMAT(blkif), 16 * PAGE), 512);
	assert_int_equal(ring_entries(RING_FORMAT(netif_tx), PAGE), 256);
	assert_int_equal(ring_entries(huge, PAGE), 0);
	assert_int_equal(ring_entries(huge, 3 * PAGE), 1);
	assert_int_equal(ring_entries(none, PAGE), 0);
	assert_int_equal(ring_entries(RING_FORMAT(blkif), 0), 0);
	assert_int_equal(ring_entries(RING_FORMAT(blkif), 63), 0);
	assert_int_equal(ring_entries(RING_FORMAT(blkif), 64 + 111), 0);
	assert_int_equal(ring_entries(RING_FORMAT(blkif), 64 + 112), 1);
	assert_int_equal(ring_entries(RING_FORMAT(blkif), 64 + 8 * 112), 8);
	assert_int_equal(ring_entries(RING_FORMAT(blkif), 64 + 8 * 112 - 1), 4);
	assert_int_equal(ring_entries(RING_FORMAT(blkif), SIZE_MAX), 0);
}

static void init_leaves_nothing_old(void **state)
{
	struct ring_shared expected = { .req_event = 1, .rsp_event = 1 };
	struct pair pair;

	(void)state;
	pair_make(&pair, 2 * PAGE, 0);
	assert_memory_equal(pair.shared, &expected, sizeof(expected));
	for (size_t i = sizeof(expected); i < pair.bytes; i++)
		assert_int_equal(((unsigned char *)pair.shared)[i], 0);
	assert_int_equal(ring_front_size(&pair.front), 512);
	assert_int_equal(ring_back_size(&pair.back), 512);
	pair_free(&pair);
}

static void init_refuses_bad_memory(void **state)
{
	static unsigned long memory[16];
	struct ring_front front;
	struct ring_back back;

	(void)state;
	assert_int_equal(ring_front_init(&front, memory, 16, RING_FORMAT(blkif)), -EINVAL);
	assert_int_equal(ring_back_attach(&back, memory, sizeof(memory), RING_FORMAT(blkif), 0),
			 -EINVAL);
	assert_int_equal(ring_front_init(&front, (char *)memory + 4, 100, RING_FORMAT(netif_tx)),
			 -EINVAL);
	assert_int_equal(memory[0], 0);
}

static void full_and_empty(void **state)
{
	struct netif_tx_response rsp = { 0 };
	struct netif_tx_request req;
	struct pair pair;

	(void)state;
	pair_make(&pair, PAGE, 0);
	assert_int_equal(ring_front_free(&pair.front), 256);
	assert_int_equal(ring_copy_request(&pair.back, &req), -EAGAIN);
	assert_int_equal(ring_copy_response(&pair.front, &rsp), -EAGAIN);
	assert_int_equal(ring_put_response(&pair.back, &rsp), -EAGAIN);
	assert_false(ring_push_requests(&pair.front));
	assert_false(ring_push_responses(&pair.back));

	put_requests(&pair, 0, 256);
	assert_int_equal(ring_front_free(&pair.front), 0);
	req = request(256);
	assert_int_equal(ring_put_request(&pair.front, &req), -EAGAIN);
	assert_int_equal(ring_unconsumed_requests(&pair.back), 0);
	assert_int_equal(ring_copy_request(&pair.back, &req), -EAGAIN);
	assert_true(ring_push_requests(&pair.front));
	assert_false(ring_push_requests(&pair.front));
	assert_int_equal(ring_unconsumed_requests(&pair.back), 256);

	copy_requests(&pair, 0, 100);
	assert_int_equal(ring_unconsumed_requests(&pair.back), 156);
	assert_int_equal(ring_back_owed(&pair.back), 100);
	put_responses(&pair, 0, 100);
	assert_int_equal(ring_back_owed(&pair.back), 0);
	assert_int_equal(ring_put_response(&pair.back, &rsp), -EAGAIN);
	assert_int_equal(ring_unconsumed_responses(&pair.front), 0);
	assert_true(ring_push_responses(&pair.back));
	assert_int_equal(ring_unconsumed_responses(&pair.front), 100);
	assert_int_equal(ring_front_free(&pair.front), 0);
	copy_responses(&pair, 0, 100);
	assert_int_equal(ring_front_free(&pair.front), 100);
	assert_int_equal(ring_copy_response(&pair.front, &rsp), -EAGAIN);
	copy_requests(&pair, 100, 156);
	pair_free(&pair);
}

/* Every slot of rings of all sizes, with the 32-bit indices running over in the middle. */
static void wrap_around(void **state)
{
	(void)state;
	for (unsigned int pages = 1; pages <= 16; pages++) {
		unsigned int nr, index, batch = 1;
		struct pair pair;

		pair_make(&pair, pages * PAGE, -(3u * pages * 256));
		nr = ring_front_size(&pair.front);
		index = pair.shared->req_prod;
		for (unsigned int done = 0; done < 5 * nr; done += batch) {
			batch = 1 + (batch * 7 + 3) % nr;
			put_requests(&pair, index + done, batch);
			ring_push_requests(&pair.front);
			copy_requests(&pair, index + done, batch);
			put_responses(&pair, index + done, batch);
			ring_push_responses(&pair.back);
			copy_responses(&pair, index + done, batch);
			assert_int_equal(pair.shared->req_prod, index + done + batch);
			assert_int_equal(pair.shared->rsp_prod, index + done + batch);
		}
		assert_true(pair.shared->req_prod < index);
		pair_free(&pair);
	}
}

/* Requests of all alignments arrive whole, and nothing is written beside them. */
static void odd_entries(void **state)
{
	unsigned char *memory = aligned_alloc(PAGE, PAGE);
	struct ring_front front;
	struct ring_back back;
	unsigned int nr;

	(void)state;
	assert_int_equal(ring_front_init(&front, memory, PAGE, RING_FORMAT(odd)), 0);
	assert_int_equal(ring_back_attach(&back, memory, PAGE, RING_FORMAT(odd), 0), 0);
	nr = ring_front_size(&front);
	assert_int_equal(nr, 256);
	for (unsigned int i = 0; i < nr; i++) {
		struct odd_request req, copy;

		memset(&req, i + 1, sizeof(req));
		assert_int_equal(ring_put_request(&front, &req), 0);
		ring_push_requests(&front);
		assert_int_equal(memory[64 + i * 13 + 12], (i + 1) & 0xff);
		assert_int_equal(memory[64 + i * 13 + 13], 0);
		assert_int_equal(ring_copy_request(&back, &copy), 0);
		assert_memory_equal(&copy, &req, sizeof(req));
	}
	for (unsigned int i = 0; i < nr; i++) {
		struct odd_response rsp, copy;

		memset(&rsp, 0xee, sizeof(rsp));
		assert_int_equal(ring_put_response(&back, &rsp), 0);
		ring_push_responses(&back);
		/* Behind a response lies what was there before, not what is on our stack. */
		assert_int_equal(memory[64 + i * 13 + 6], 0xee);
		assert_int_equal(memory[64 + i * 13 + 7], (i + 1) & 0xff);
		assert_int_equal(ring_copy_response(&front, &copy), 0);
		assert_memory_equal(&copy, &rsp, sizeof(rsp));
	}
	free(memory);
}

/* Smaller variants of an entry (netif's extra info, blkif's discard) are fine, larger are not. */
static void entry_variants(void **state)
{
	struct netif_extra_info extra = { .type = XEN_NETIF_EXTRA_TYPE_GSO, .u.gso.size = 1448 };
	struct netif_extra_info copy;
	struct blkif_request large = { 0 };
	struct pair pair;

	(void)state;
	pair_make(&pair, PAGE, 0);
	assert_int_equal(ring_put_request(&pair.front, &large), -EINVAL);
	assert_int_equal(ring_copy_request(&pair.back, &large), -EINVAL);
	assert_int_equal(ring_copy_response(&pair.front, &large), -EINVAL);
	assert_int_equal(ring_put_response(&pair.back, &extra), -EINVAL);
	assert_int_equal(ring_put_request(&pair.front, &extra), 0);
	ring_push_requests(&pair.front);
	assert_int_equal(ring_copy_request(&pair.back, &copy), 0);
	assert_memory_equal(&copy, &extra, sizeof(extra));
	assert_false(ring_front_broken(&pair.front));
	assert_false(ring_back_broken(&pair.back));
	pair_free(&pair);
}

static void notification_on_demand(void **state)
{
	struct pair pair;

	(void)state;
	pair_make(&pair, PAGE, -10u);
	put_requests(&pair, 0, 1);
	assert_true(ring_push_requests(&pair.front));
	put_requests(&pair, 1, 5);
	assert_false(ring_push_requests(&pair.front));
	assert_true(ring_final_check_requests(&pair.back));
	copy_requests(&pair, 0, 6);
	assert_false(ring_final_check_requests(&pair.back));
	put_requests(&pair, 6, 9);
	assert_true(ring_push_requests(&pair.front));
	copy_requests(&pair, 6, 9);

	put_responses(&pair, 0, 1);
	assert_true(ring_push_responses(&pair.back));
	put_responses(&pair, 1, 1);
	assert_false(ring_push_responses(&pair.back));
	assert_true(ring_final_check_responses(&pair.front));
	pair_free(&pair);
}

static void notification_after_several(void **state)
{
	struct pair pair;

	(void)state;
	pair_make(&pair, PAGE, -3u);
	assert_false(ring_final_check_requests_after(&pair.back, 4));
	for (unsigned int i = 0; i < 8; i++) {
		put_requests(&pair, i, 1);
		assert_int_equal(ring_push_requests(&pair.front), i == 3);
	}
	assert_true(ring_final_check_requests_after(&pair.back, 8));
	assert_false(ring_final_check_requests_after(&pair.back, 9));
	copy_requests(&pair, 0, 8);

	/* Eight are outstanding: more than that would never come. */
	assert_false(ring_final_check_responses_after(&pair.front, 1000));
	for (unsigned int i = 0; i < 8; i++) {
		put_responses(&pair, 0, 1);
		assert_int_equal(ring_push_responses(&pair.back), i == 7);
	}
	assert_true(ring_final_check_responses_after(&pair.front, 8));
	for (unsigned int i = 0; i < 8; i++)
		copy_responses(&pair, 0, 1);
	/* None outstanding, none wanted: both mean the next one. */
	assert_false(ring_final_check_responses_after(&pair.front, 0));
	assert_int_equal(pair.shared->rsp_event, pair.shared->rsp_prod + 1);
	assert_false(ring_final_check_requests_after(&pair.back, -1u));
	assert_int_equal(pair.shared->req_event, pair.shared->req_prod + 256);
	pair_free(&pair);
}

static void reconnect(void **state)
{
	struct pair pair;

	(void)state;
	pair_make(&pair, PAGE, -3u);
	put_requests(&pair, 0, 10);
	ring_push_requests(&pair.front);
	copy_requests(&pair, 0, 7);
	put_responses(&pair, 0, 4);
	ring_push_responses(&pair.back);

	/* A new back end answers what the old one did not, requests it had consumed included. */
	assert_int_equal(ring_back_attach(&pair.back, pair.shared, PAGE, RING_FORMAT(netif_tx),
					  ring_shared_index(pair.shared)),
			 0);
	assert_int_equal(ring_unconsumed_requests(&pair.back), 6);
	copy_requests(&pair, 4, 6);
	put_responses(&pair, 4, 6);
	ring_push_responses(&pair.back);
	copy_responses(&pair, 0, 4);
	copy_responses(&pair, 4, 6);

	/* An index the front end can't have is refused. */
	assert_int_equal(ring_back_attach(&pair.back, pair.shared, PAGE, RING_FORMAT(netif_tx),
					  pair.shared->req_prod + 1),
			 -EPROTO);
	assert_int_equal(ring_back_attach(&pair.back, pair.shared, PAGE, RING_FORMAT(netif_tx),
					  pair.shared->req_prod - 257),
			 -EPROTO);
	assert_true(ring_back_broken(&pair.back));
	pair_free(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_match_xen),
		cmocka_unit_test(init_leaves_nothing_old),
		cmocka_unit_test(init_refuses_bad_memory),
		cmocka_unit_test(full_and_empty),
		cmocka_unit_test(wrap_around),
		cmocka_unit_test(odd_entries),
		cmocka_unit_test(entry_variants),
		cmocka_unit_test(notification_on_demand),
		cmocka_unit_test(notification_after_several),
		cmocka_unit_test(reconnect),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
