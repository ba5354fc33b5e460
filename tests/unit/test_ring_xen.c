// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ring/ring.h against the macros of <xen-public/io/ring.h>. Four rings get the same operations in
 * lockstep: both ends ours, each end once ours and once Xen's, both ends Xen's. After each step the
 * shared pages and all answers, the decisions to notify among them, must be the same.
 */
#include "tests/unit/ring_pair.h"

struct front {
	const struct front_ops *ops;
	struct ring_front ours;
	netif_tx_front_ring_t xens;
};

struct back {
	const struct back_ops *ops;
	struct ring_back ours;
	netif_tx_back_ring_t xens;
};

struct front_ops {
	void (*attach)(struct front *front, void *page, unsigned int index);
	unsigned int (*free)(struct front *front);
	void (*put)(struct front *front, const struct netif_tx_request *req);
	bool (*push)(struct front *front);
	bool (*copy)(struct front *front, struct netif_tx_response *rsp);
	unsigned int (*pending)(struct front *front);
	bool (*final_check)(struct front *front);
};

struct back_ops {
	void (*attach)(struct back *back, void *page, unsigned int index);
	void (*put)(struct back *back, const struct netif_tx_response *rsp);
	bool (*push)(struct back *back);
	bool (*copy)(struct back *back, struct netif_tx_request *req);
	unsigned int (*pending)(struct back *back);
	bool (*final_check)(struct back *back);
};

static void our_front_attach(struct front *front, void *page, unsigned int index)
{
	assert_int_equal(ring_front_attach(&front->ours, page, PAGE, RING_FORMAT(netif_tx), index),
			 0);
}

static unsigned int our_front_free(struct front *front)
{
	return ring_front_free(&front->ours);
}

static void our_front_put(struct front *front, const struct netif_tx_request *req)
{
	assert_int_equal(ring_put_request(&front->ours, req), 0);
}

static bool our_front_push(struct front *front)
{
	return ring_push_requests(&front->ours);
}

static bool our_front_copy(struct front *front, struct netif_tx_response *rsp)
{
	int err = ring_copy_response(&front->ours, rsp);

	assert_true(!err || err == -EAGAIN);
	return !err;
}

static unsigned int our_front_pending(struct front *front)
{
	return ring_unconsumed_responses(&front->ours);
}

static bool our_front_final_check(struct front *front)
{
	return ring_final_check_responses(&front->ours);
}

static void xens_front_attach(struct front *front, void *page, unsigned int index)
{
	FRONT_RING_ATTACH(&front->xens, (netif_tx_sring_t *)page, index, PAGE);
}

static unsigned int xens_front_free(struct front *front)
{
	return RING_FREE_REQUESTS(&front->xens);
}

static void xens_front_put(struct front *front, const struct netif_tx_request *req)
{
	*RING_GET_REQUEST(&front->xens, front->xens.req_prod_pvt++) = *req;
}

static bool xens_front_push(struct front *front)
{
	bool notify;

	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&front->xens, notify);
	return notify;
}

static bool xens_front_copy(struct front *front, struct netif_tx_response *rsp)
{
	if (!XEN_RING_NR_UNCONSUMED_RESPONSES(&front->xens))
		return false;
	RING_COPY_RESPONSE(&front->xens, front->xens.rsp_cons++, rsp);
	return true;
}

static unsigned int xens_front_pending(struct front *front)
{
	return XEN_RING_NR_UNCONSUMED_RESPONSES(&front->xens);
}

static bool xens_front_final_check(struct front *front)
{
	bool more;

	RING_FINAL_CHECK_FOR_RESPONSES(&front->xens, more);
	return more;
}

static void our_back_attach(struct back *back, void *page, unsigned int index)
{
	assert_int_equal(ring_back_attach(&back->ours, page, PAGE, RING_FORMAT(netif_tx), index),
			 0);
}

static void our_back_put(struct back *back, const struct netif_tx_response *rsp)
{
	assert_int_equal(ring_put_response(&back->ours, rsp), 0);
}

static bool our_back_push(struct back *back)
{
	return ring_push_responses(&back->ours);
}

static bool our_back_copy(struct back *back, struct netif_tx_request *req)
{
	int err = ring_copy_request(&back->ours, req);

	assert_true(!err || err == -EAGAIN);
	return !err;
}

static unsigned int our_back_pending(struct back *back)
{
	return ring_unconsumed_requests(&back->ours);
}

static bool our_back_final_check(struct back *back)
{
	return ring_final_check_requests(&back->ours);
}

static void xens_back_attach(struct back *back, void *page, unsigned int index)
{
	BACK_RING_ATTACH(&back->xens, (netif_tx_sring_t *)page, index, PAGE);
}

static void xens_back_put(struct back *back, const struct netif_tx_response *rsp)
{
	*RING_GET_RESPONSE(&back->xens, back->xens.rsp_prod_pvt++) = *rsp;
}

static bool xens_back_push(struct back *back)
{
	bool notify;

	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&back->xens, notify);
	return notify;
}

static bool xens_back_copy(struct back *back, struct netif_tx_request *req)
{
	if (!XEN_RING_NR_UNCONSUMED_REQUESTS(&back->xens))
		return false;
	RING_COPY_REQUEST(&back->xens, back->xens.req_cons++, req);
	return true;
}

static unsigned int xens_back_pending(struct back *back)
{
	return XEN_RING_NR_UNCONSUMED_REQUESTS(&back->xens);
}

static bool xens_back_final_check(struct back *back)
{
	bool more;

	RING_FINAL_CHECK_FOR_REQUESTS(&back->xens, more);
	return more;
}

#define FRONT_OPS(who)                                                                          \
	{                                                                                       \
		.attach = who##_front_attach, .free = who##_front_free, .put = who##_front_put, \
		.push = who##_front_push, .copy = who##_front_copy,                             \
		.pending = who##_front_pending, .final_check = who##_front_final_check,         \
	}

#define BACK_OPS(who)                                                                        \
	{                                                                                    \
		.attach = who##_back_attach, .put = who##_back_put, .push = who##_back_push, \
		.copy = who##_back_copy, .pending = who##_back_pending,                      \
		.final_check = who##_back_final_check,                                       \
	}

static const struct front_ops our_front = FRONT_OPS(our), xens_front = FRONT_OPS(xens);
static const struct back_ops our_back = BACK_OPS(our), xens_back = BACK_OPS(xens);

#define RINGS 4

struct lockstep {
	unsigned char *page[RINGS];
	struct front front[RINGS];
	struct back back[RINGS];
	unsigned int owed;
	unsigned int notified;
	unsigned int silent;
};

static void lockstep_make(struct lockstep *all, unsigned int index)
{
	memset(all, 0, sizeof(*all));
	for (int i = 0; i < RINGS; i++) {
		netif_tx_sring_t *sring = aligned_alloc(PAGE, PAGE);

		memset(sring, 0, PAGE);
		SHARED_RING_INIT(sring);
		sring->req_prod = index;
		sring->rsp_prod = index;
		sring->req_event = index + 1;
		sring->rsp_event = index + 1;
		all->page[i] = (unsigned char *)sring;
		all->front[i].ops = i & 1 ? &our_front : &xens_front;
		all->back[i].ops = i & 2 ? &our_back : &xens_back;
		all->front[i].ops->attach(&all->front[i], sring, index);
		all->back[i].ops->attach(&all->back[i], sring, index);
	}
}

static void lockstep_free(struct lockstep *all)
{
	for (int i = 0; i < RINGS; i++)
		free(all->page[i]);
}

/* The same operation on all four rings, all with the same answer. */
#define ALL(result, call)                                 \
	do {                                              \
		for (int i = 0; i < RINGS; i++) {         \
			struct front *f = &all->front[i]; \
			struct back *b = &all->back[i];   \
			__typeof__(result) got = (call);  \
                                                          \
			(void)f;                          \
			(void)b;                          \
			if (!i)                           \
				(result) = got;           \
			assert_int_equal(got, result);    \
		}                                         \
	} while (0)

static void front_step(struct lockstep *all, unsigned int dice)
{
	struct netif_tx_response rsp[RINGS] = { 0 };
	struct netif_tx_request req = request(dice);
	unsigned int count;
	bool yes;

	switch (dice % 4) {
	case 0:
		for (unsigned int n = dice / 4 % 64; n; n--) {
			ALL(count, f->ops->free(f));
			if (count)
				ALL(count, (f->ops->put(f, &req), 0u));
		}
		break;
	case 1:
		ALL(yes, f->ops->push(f));
		all->notified += yes;
		all->silent += !yes;
		break;
	case 2:
		ALL(count, f->ops->pending(f));
		for (unsigned int n = dice / 4 % 64; n; n--) {
			ALL(yes, f->ops->copy(f, &rsp[i]));
			for (int i = 1; i < RINGS; i++)
				assert_memory_equal(&rsp[i], &rsp[0], sizeof(rsp[0]));
		}
		break;
	default:
		ALL(yes, f->ops->final_check(f));
	}
}

static void back_step(struct lockstep *all, unsigned int dice)
{
	struct netif_tx_response rsp = { .id = dice, .status = dice >> 7 };
	struct netif_tx_request req[RINGS] = { 0 };
	unsigned int count;
	bool yes;

	switch (dice % 4) {
	case 0:
		for (unsigned int n = dice / 4 % 64; n && all->owed; n--, all->owed--)
			ALL(count, (b->ops->put(b, &rsp), 0u));
		break;
	case 1:
		ALL(yes, b->ops->push(b));
		all->notified += yes;
		all->silent += !yes;
		break;
	case 2:
		ALL(count, b->ops->pending(b));
		for (unsigned int n = dice / 4 % 64; n; n--) {
			ALL(yes, b->ops->copy(b, &req[i]));
			all->owed += yes;
			for (int i = 1; i < RINGS; i++)
				assert_memory_equal(&req[i], &req[0], sizeof(req[0]));
		}
		break;
	default:
		ALL(yes, b->ops->final_check(b));
	}
}

static void lockstep(unsigned int index)
{
	struct lockstep rings, *all = &rings;
	uint64_t random = index * 2654435761u + 1;

	lockstep_make(all, index);
	for (int step = 0; step < 20000; step++) {
		unsigned int dice;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		dice = random >> 20;
		if (random & 1)
			front_step(all, dice);
		else
			back_step(all, dice);
		for (int i = 1; i < RINGS; i++)
			assert_memory_equal(all->page[i], all->page[0], PAGE);
	}
	/* Both decisions were met often. */
	assert_true(all->notified > 500);
	assert_true(all->silent > 500);
	lockstep_free(all);
}

static void lockstep_from_zero(void **state)
{
	(void)state;
	lockstep(0);
}

static void lockstep_over_the_wrap(void **state)
{
	(void)state;
	lockstep(-5000u);
	lockstep(0x7fffffff - 5000u);
}

/* Our empty ring is the one Xen's macros make. */
static void same_start(void **state)
{
	unsigned char *ours = aligned_alloc(PAGE, PAGE), *xens = aligned_alloc(PAGE, PAGE);
	netif_tx_sring_t *sring = (netif_tx_sring_t *)xens;
	netif_tx_front_ring_t xens_ring;
	struct ring_front front;

	(void)state;
	memset(ours, 0xff, PAGE);
	memset(xens, 0, PAGE);
	XEN_FRONT_RING_INIT(&xens_ring, sring, PAGE);
	assert_int_equal(ring_front_init(&front, ours, PAGE, RING_FORMAT(netif_tx)), 0);
	assert_memory_equal(ours, xens, PAGE);
	assert_int_equal(ring_front_size(&front), RING_SIZE(&xens_ring));
	free(ours);
	free(xens);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_start),
		cmocka_unit_test(lockstep_from_zero),
		cmocka_unit_test(lockstep_over_the_wrap),
	};

	return cmocka_run_group_tests_name("ring_xen", tests, NULL, NULL);
}
