// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/xs.c: what an event of the store's is worth, what is left of the connection at a
 * restart, and how it goes on with the store of another domain. This file plays the store's end of
 * the ring.
 */
#include "tests/kunit/core.c"
#include "tests/kunit/lines.c"

#include "guest/linux/xs.c"

static bool is_masked;
static bool tx_is_open;
static evtchn_port_t adopted;
static unsigned int closes, resumes;
static u64 store_gfn, store_port = 5;
static int adopt_refuses;

struct paravane_evtchn *paravane_evtchn_adopt(evtchn_port_t port, domid_t remote, unsigned int cpu,
					      paravane_evtchn_fn fn, void *data)
{
	adopted = port;
	if (adopt_refuses)
		return ERR_PTR(adopt_refuses);
	return (struct paravane_evtchn *)&adopted;
}

void paravane_evtchn_close(struct paravane_evtchn *ch)
{
	closes++;
}

void paravane_evtchn_notify(struct paravane_evtchn *ch)
{
}

void paravane_evtchn_mask(struct paravane_evtchn *ch)
{
	is_masked = true;
}

int paravane_xs_watch_init(void)
{
	return 0;
}

int paravane_xs_hello(void)
{
	return 0;
}

void paravane_xs_watch_exit(void)
{
}

void paravane_xs_watch_resume(void)
{
	resumes++;
}

bool paravane_xs_tx_is_open(void)
{
	return tx_is_open;
}

static long hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
		      unsigned long a4, unsigned long a5)
{
	struct xen_hvm_param *param = (void *)a2;

	if (nr != __HYPERVISOR_hvm_op || a1 != HVMOP_get_param)
		return -ENOSYS;
	param->value = param->index == HVM_PARAM_STORE_PFN ? store_gfn : store_port;
	return 0;
}

void paravane_xs_watch_event(const char *body, unsigned int len)
{
}

static void start(struct kunit *test)
{
	intf = kunit_kzalloc(test, sizeof(*intf), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, intf);
	KUNIT_ASSERT_EQ(test, xs_attach(), 0);
	dead = false;
	stalled = false;
	moved = false;
	is_masked = false;
	said = 0;
	channel = (struct paravane_evtchn *)&adopted;
}

/* An event counts if bytes have gone through since the one before, in either direction. */
static void events_without_bytes(struct kunit *test)
{
	char bytes[8];
	long left = HZ;

	start(test);
	KUNIT_EXPECT_FALSE(test, xs_event(NULL));
	KUNIT_ASSERT_EQ(test, xs_put("hello", 5, &left), 0);
	KUNIT_EXPECT_TRUE(test, xs_event(NULL));
	KUNIT_EXPECT_FALSE(test, xs_event(NULL));
	memcpy(intf->rsp, "answer", 6);
	intf->rsp_prod = 6;
	KUNIT_EXPECT_FALSE(test, xs_event(NULL));
	KUNIT_ASSERT_EQ(test, xs_take(bytes, 6), 0);
	KUNIT_EXPECT_TRUE(test, xs_event(NULL));
	KUNIT_EXPECT_FALSE(test, xs_event(NULL));
}

static void after_a_restart(struct kunit *test)
{
	struct paravane_xs_msg *msg = kunit_kzalloc(test, sizeof(*msg), GFP_KERNEL);
	char *answer;

	KUNIT_ASSERT_NOT_NULL(test, msg);
	start(test);
	paravane_xs_shutdown();
	KUNIT_EXPECT_TRUE(test, is_masked);
	paravane_xs_msg_init(msg, XS_READ, 0);
	paravane_xs_msg_path(msg, "device", "");
	answer = paravane_xs_talk(msg, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(answer), -EIO);
	KUNIT_EXPECT_EQ(test, intf->req_prod, 0);
}

static char *talk(struct paravane_xs_msg *msg)
{
	paravane_xs_msg_init(msg, XS_READ, 0);
	paravane_xs_msg_path(msg, "device", "");
	return paravane_xs_talk(msg, NULL);
}

static char *talk_much(struct paravane_xs_msg *msg)
{
	static const char much[2000];

	paravane_xs_msg_init(msg, XS_WRITE, 0);
	paravane_xs_msg_path(msg, "device", "");
	paravane_xs_msg_add(msg, much, sizeof(much));
	return paravane_xs_talk(msg, NULL);
}

/* A message for which there is no room costs that operation, half a one the connection. */
static void a_store_that_does_not_read(struct kunit *test)
{
	struct paravane_xs_msg *msg = kunit_kzalloc(test, sizeof(*msg), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, msg);
	start(test);
	stalled = true;
	intf->req_prod = sizeof(intf->req);
	KUNIT_ASSERT_EQ(test, xs_attach(), 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(talk(msg)), -ETIMEDOUT);
	KUNIT_EXPECT_FALSE(test, dead);
	KUNIT_EXPECT_TRUE(test, list_empty(&waiters));
	/* It read one message, and no more. */
	intf->req_cons = sizeof(msg->hdr) + sizeof("device");
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(talk(msg)), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, intf->req_prod, intf->req_cons + sizeof(intf->req));
	KUNIT_EXPECT_FALSE(test, dead);
	/* Half of what one more needs, which is therefore not begun; then all, which is too little. */
	intf->req_cons += sizeof(msg->hdr);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(talk(msg)), -ETIMEDOUT);
	KUNIT_EXPECT_FALSE(test, dead);
	KUNIT_EXPECT_EQ(test, said, 0);
	intf->req_cons = intf->req_prod;
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(talk_much(msg)), -EIO);
	KUNIT_EXPECT_TRUE(test, dead);
	EXPECT_ONE_LINE(test, "connection given up: the store does not read");
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(talk(msg)), -EIO);
	KUNIT_EXPECT_EQ(test, said, 0);
}

/* One operation pays for it, and one line says so; whoever comes later hardly waits. */
static void a_store_that_is_silent(struct kunit *test)
{
	struct paravane_xs_msg *msg = kunit_kzalloc(test, sizeof(*msg), GFP_KERNEL);
	struct xsd_sockmsg hdr = { .type = XS_READ };
	unsigned int patience = timeout;
	unsigned long begin;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, msg);
	KUNIT_EXPECT_LT(test, timeout, 30);
	start(test);
	timeout = 1;
	KUNIT_EXPECT_FALSE(test, paravane_xs_is_silent());
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(talk(msg)), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, paravane_xs_is_silent());
	EXPECT_ONE_LINE(test, "XenStore does not answer");
	begin = jiffies;
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(talk(msg)), -ETIMEDOUT);
	KUNIT_EXPECT_LT(test, jiffies - begin, 3 * HZ);
	KUNIT_EXPECT_EQ(test, said, 0);
	/* An answer nobody waits for any more is one. */
	xs_answer(&hdr);
	KUNIT_EXPECT_FALSE(test, paravane_xs_is_silent());
	timeout = patience;
}

/* Neither what Xen says nor anything else it could say. */
static void no_ring(struct kunit *test)
{
	static const struct {
		u64 gfn, port;
		int refuses;
		const char *words;
	} rings[] = {
		{ 0, 5, 0, "no XenStore for this guest" },
		{ 77, 0, 0, "no XenStore for this guest" },
		{ U64_MAX, 5, 0, "no XenStore for this guest" },
		{ 77, 5, -EPROTO, "cannot use the XenStore ring (-71)" },
	};
	unsigned int i;

	static_call_update(paravane_hypercall, hypercall);
	for (i = 0; i < ARRAY_SIZE(rings); i++) {
		store_gfn = rings[i].gfn;
		store_port = rings[i].port;
		adopt_refuses = rings[i].refuses;
		said = 0;
		KUNIT_EXPECT_LT(test, paravane_xs_init(), 0);
		EXPECT_ONE_LINE(test, rings[i].words);
	}
	store_port = 5;
	adopt_refuses = 0;
}

static void start_suspended(struct kunit *test)
{
	start(test);
	static_call_update(paravane_hypercall, hypercall);
	adopted = 3;
	closes = 0;
	resumes = 0;
	renewed = false;
	intf_gfn = 77;
	store_gfn = 77;
	/* A message that was half through */
	intf->rsp_prod = 30;
	KUNIT_ASSERT_EQ(test, xs_attach(), 0);
	KUNIT_ASSERT_EQ(test, paravane_xs_suspend(), 0);
}

/* The thread forgets the old store's bytes and begins with the new store's first. */
static void another_store(struct kunit *test)
{
	char bytes[8];

	start_suspended(test);
	intf->rsp_prod = 6;
	intf->rsp_cons = 0;
	memcpy(intf->rsp, "answer", 6);
	paravane_xs_resume(true);
	KUNIT_EXPECT_FALSE(test, dead);
	KUNIT_EXPECT_EQ(test, adopted, 5);
	KUNIT_EXPECT_EQ(test, closes, 1);
	KUNIT_EXPECT_EQ(test, resumes, 1);
	KUNIT_EXPECT_EQ(test, xs_take(bytes, 6), -ESTALE);
	renewed = false;
	KUNIT_EXPECT_EQ(test, xs_take(bytes, 6), 0);
	KUNIT_EXPECT_EQ(test, memcmp(bytes, "answer", 6), 0);
}

static void the_same_store(struct kunit *test)
{
	char bytes[30];

	start_suspended(test);
	paravane_xs_resume(false);
	KUNIT_EXPECT_EQ(test, closes + resumes, 0);
	KUNIT_EXPECT_EQ(test, xs_take(bytes, 30), 0);
}

static void no_store(struct kunit *test)
{
	struct paravane_xs_msg *msg = kunit_kzalloc(test, sizeof(*msg), GFP_KERNEL);
	char bytes[30];

	KUNIT_ASSERT_NOT_NULL(test, msg);
	start_suspended(test);
	store_gfn = 78;
	paravane_xs_resume(true);
	KUNIT_EXPECT_TRUE(test, dead);
	KUNIT_EXPECT_EQ(test, resumes, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(talk(msg)), -EIO);
	KUNIT_EXPECT_EQ(test, xs_take(bytes, 30), -EINTR);
}

/* Nobody is to find another store in the middle of something. */
static void not_in_a_transaction(struct kunit *test)
{
	start(test);
	tx_is_open = true;
	KUNIT_EXPECT_EQ(test, paravane_xs_suspend(), -EBUSY);
	tx_is_open = false;
	KUNIT_EXPECT_EQ(test, paravane_xs_suspend(), 0);
	paravane_xs_resume(false);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(events_without_bytes),
	KUNIT_CASE(after_a_restart),
	KUNIT_CASE(a_store_that_does_not_read),
	KUNIT_CASE(a_store_that_is_silent),
	KUNIT_CASE(no_ring),
	KUNIT_CASE(another_store),
	KUNIT_CASE(the_same_store),
	KUNIT_CASE(no_store),
	KUNIT_CASE(not_in_a_transaction),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_connection",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
