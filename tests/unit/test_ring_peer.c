// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ring/ring.h and a peer that writes what it likes into the shared pages. The ring lies on the
 * heap, so that the address sanitizer sees every access beside it.
 */
#include "tests/unit/ring_pair.h"

/* A peer that rewrites an entry after it was copied changes nothing. */
static void copies_are_private(void **state)
{
	struct netif_tx_request expected = request(1), req;
	struct pair pair;

	(void)state;
	pair_make(&pair, PAGE, 0);
	put_requests(&pair, 1, 1);
	ring_push_requests(&pair.front);
	assert_int_equal(ring_copy_request(&pair.back, &req), 0);
	memset(pair.shared + 1, 0xff, PAGE - sizeof(*pair.shared));
	assert_memory_equal(&req, &expected, sizeof(req));
	pair_free(&pair);
}

/* Once broken, an end says so whatever is asked of it and writes nothing more. */
static void assert_broken(struct pair *pair, bool front)
{
	struct netif_tx_request req = request(1);
	struct netif_tx_response rsp = { 0 };
	unsigned char before[PAGE];

	memcpy(before, pair->shared, PAGE);
	for (int i = 0; i < 3; i++) {
		if (front) {
			assert_true(ring_front_broken(&pair->front));
			assert_int_equal(ring_unconsumed_responses(&pair->front), -EPROTO);
			assert_int_equal(ring_copy_response(&pair->front, &rsp), -EPROTO);
			assert_int_equal(ring_put_request(&pair->front, &req), -EPROTO);
			assert_false(ring_push_requests(&pair->front));
			assert_true(ring_final_check_responses(&pair->front));
		} else {
			assert_true(ring_back_broken(&pair->back));
			assert_int_equal(ring_unconsumed_requests(&pair->back), -EPROTO);
			assert_int_equal(ring_copy_request(&pair->back, &req), -EPROTO);
			assert_int_equal(ring_put_response(&pair->back, &rsp), -EPROTO);
			assert_false(ring_push_responses(&pair->back));
			assert_true(ring_final_check_requests(&pair->back));
		}
		assert_memory_equal(pair->shared, before, PAGE);
		/* The peer repents: too late. */
		pair->shared->req_prod = 0;
		pair->shared->rsp_prod = 0;
		memcpy(before, pair->shared, PAGE);
	}
}

static void hostile_back_end(void **state)
{
	static const unsigned int jumps[] = { 4, 5, 256, 257, 0x7fffffff, 0x80000000, -1u, -2u };
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		/* Three requests are out, a fourth is put but not pushed. */
		pair_make(&pair, PAGE, -2u);
		put_requests(&pair, 0, 3);
		ring_push_requests(&pair.front);
		put_requests(&pair, 3, 1);
		pair.shared->rsp_prod += jumps[i];
		assert_int_equal(ring_unconsumed_responses(&pair.front), -EPROTO);
		assert_broken(&pair, true);
		pair_free(&pair);
	}
	/* Seen two, then the producer goes back to one. */
	pair_make(&pair, PAGE, 0);
	put_requests(&pair, 0, 3);
	ring_push_requests(&pair.front);
	pair.shared->rsp_prod = 2;
	assert_int_equal(ring_unconsumed_responses(&pair.front), 2);
	pair.shared->rsp_prod = 1;
	assert_true(ring_final_check_responses_after(&pair.front, 3));
	assert_broken(&pair, true);
	pair_free(&pair);
}

static void hostile_front_end(void **state)
{
	static const unsigned int jumps[] = { 253, 254, 257, 0x7fffffff, 0x80000000, -1u, -4u };
	struct netif_tx_request req;
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		/* Four consumed, none answered: room for 252. */
		pair_make(&pair, PAGE, -2u);
		put_requests(&pair, 0, 4);
		ring_push_requests(&pair.front);
		copy_requests(&pair, 0, 4);
		pair.shared->req_prod += jumps[i];
		assert_int_equal(ring_copy_request(&pair.back, &req), -EPROTO);
		assert_broken(&pair, false);
		pair_free(&pair);
	}
	/* The largest honest jump, then back. */
	pair_make(&pair, PAGE, 0);
	pair.shared->req_prod = 256;
	assert_int_equal(ring_unconsumed_requests(&pair.back), 256);
	assert_int_equal(ring_copy_request(&pair.back, &req), 0);
	pair.shared->req_prod = 255;
	assert_int_equal(ring_unconsumed_requests(&pair.back), -EPROTO);
	assert_broken(&pair, false);
	pair_free(&pair);
}

/* A caller that finds nonsense in an entry gives the ring up itself. */
static void given_up(void **state)
{
	struct pair pair;

	(void)state;
	pair_make(&pair, PAGE, 0);
	put_requests(&pair, 0, 2);
	ring_push_requests(&pair.front);
	copy_requests(&pair, 0, 1);
	put_responses(&pair, 0, 1);
	ring_front_break(&pair.front);
	ring_back_break(&pair.back);
	assert_broken(&pair, true);
	assert_broken(&pair, false);
	pair_free(&pair);
}

/* The thresholds are the peer's affair: any value only decides whether it is notified. */
static void hostile_thresholds(void **state)
{
	struct pair pair;

	(void)state;
	for (unsigned int i = 0; i < 4096; i++) {
		pair_make(&pair, PAGE, -2u);
		pair.shared->req_event = i * 0x9e3779b1u;
		put_requests(&pair, 0, 200);
		ring_push_requests(&pair.front);
		copy_requests(&pair, 0, 200);
		pair.shared->rsp_event = i * 0x85ebca6bu;
		put_responses(&pair, 0, 200);
		ring_push_responses(&pair.back);
		copy_responses(&pair, 0, 200);
		pair_free(&pair);
	}
}

/* xorshift: the same peer in every run. */
static unsigned int chance(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 16;
}

/* An index a hostile peer might write: near the truth, or anywhere. */
static unsigned int some_index(uint64_t *state, unsigned int truth)
{
	switch (chance(state) % 4) {
	case 0:
		return chance(state);
	case 1:
		return truth + chance(state) % 600 - 300;
	default:
		return truth + chance(state) % 4;
	}
}

static void scribble(struct pair *pair, uint64_t *state)
{
	struct ring_shared *shared = pair->shared;

	switch (chance(state) % 6) {
	case 0:
		shared->req_prod = some_index(state, shared->req_prod);
		break;
	case 1:
		shared->rsp_prod = some_index(state, shared->rsp_prod);
		break;
	case 2:
		shared->req_event = some_index(state, shared->req_event);
		break;
	case 3:
		shared->rsp_event = some_index(state, shared->rsp_event);
		break;
	default:
		((unsigned char *)shared)[chance(state) % pair->bytes] = chance(state);
	}
}

/* What must hold for our end whatever the peer does; returns whether the ring still lives. */
static bool front_step(struct pair *pair, uint64_t *state, unsigned int *outstanding)
{
	struct ring_front *front = &pair->front;
	struct netif_tx_request req = request(chance(state));
	struct netif_tx_response rsp;
	int err;

	assert_true(ring_front_free(front) <= ring_front_size(front));
	switch (chance(state) % 4) {
	case 0:
		err = ring_put_request(front, &req);
		assert_true(!err || err == -EAGAIN || err == -EPROTO);
		break;
	case 1:
		if (ring_front_broken(front))
			assert_false(ring_push_requests(front));
		else
			ring_push_requests(front);
		*outstanding = ring_front_size(front) - ring_front_free(front);
		break;
	case 2:
		/* Never more answers than questions. */
		while (!(err = ring_copy_response(front, &rsp)))
			assert_true((*outstanding)--);
		assert_true(err == -EAGAIN || err == -EPROTO);
		break;
	default:
		err = ring_unconsumed_responses(front);
		assert_true(err == -EPROTO || (err >= 0 && (unsigned int)err <= *outstanding));
		ring_final_check_responses_after(front, chance(state) % 8);
	}
	return !ring_front_broken(front);
}

static bool back_step(struct pair *pair, uint64_t *state, unsigned int *owed)
{
	struct ring_back *back = &pair->back;
	struct netif_tx_response rsp = { .id = chance(state) };
	struct netif_tx_request req;
	int err;

	assert_int_equal(ring_back_owed(back), *owed);
	switch (chance(state) % 4) {
	case 0:
		err = ring_put_response(back, &rsp);
		assert_true(err == -EPROTO || err == (*owed ? 0 : -EAGAIN));
		*owed -= !err;
		break;
	case 1:
		ring_push_responses(back);
		break;
	case 2:
		for (int i = chance(state) % 300; i && !(err = ring_copy_request(back, &req)); i--)
			(*owed)++;
		/* No more than a ring full is ever in the back end's hands. */
		assert_true(*owed <= ring_back_size(back));
		break;
	default:
		err = ring_unconsumed_requests(back);
		assert_true(err == -EPROTO ||
			    (err >= 0 && *owed + (unsigned int)err <= ring_back_size(back)));
		ring_final_check_requests_after(back, chance(state) % 8);
	}
	return !ring_back_broken(back);
}

/*
 * Honest and hostile steps mixed at random, from the same seeds each time; @quiet steps of our own
 * for each one of the peer's, so that rings live long enough to be filled.
 */
static void random_peer(bool front, unsigned int quiet)
{
	uint64_t state = 0x9e3779b97f4a7c15 + quiet + front;
	unsigned int broken = 0;

	for (unsigned int round = 0; round < 400; round++) {
		unsigned int count = 0;
		struct pair pair;
		bool alive = true;

		pair_make(&pair, PAGE, chance(&state));
		for (unsigned int i = 0; i < 1000; i++) {
			if (chance(&state) % quiet == 0)
				scribble(&pair, &state);
			else if (front)
				alive = front_step(&pair, &state, &count);
			else
				alive = back_step(&pair, &state, &count);
		}
		broken += !alive;
		pair_free(&pair);
	}
	/* The peer did reach both outcomes it can. */
	assert_true(broken > 0);
}

static void random_back_end(void **state)
{
	(void)state;
	random_peer(true, 2);
	random_peer(true, 30);
	random_peer(true, 300);
}

static void random_front_end(void **state)
{
	(void)state;
	random_peer(false, 2);
	random_peer(false, 30);
	random_peer(false, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_private), cmocka_unit_test(hostile_back_end),
		cmocka_unit_test(hostile_front_end),  cmocka_unit_test(given_up),
		cmocka_unit_test(hostile_thresholds), cmocka_unit_test(random_back_end),
		cmocka_unit_test(random_front_end),
	};

	return cmocka_run_group_tests_name("ring_peer", tests, NULL, NULL);
}
