// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/xs.c: what an event of the store's is worth, and what is left of the connection at a
 * restart. This file plays the store's end of the ring.
 */
#include "tests/kunit/core.c"

#include "guest/linux/xs.c"

static bool is_masked;

struct paravane_evtchn *paravane_evtchn_adopt(evtchn_port_t port, domid_t remote, unsigned int cpu,
					      paravane_evtchn_fn fn, void *data)
{
	return ERR_PTR(-ENOSYS);
}

void paravane_evtchn_close(struct paravane_evtchn *ch)
{
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

void paravane_xs_watch_exit(void)
{
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

/* A message for which there is no room at all costs that operation, half a one the connection. */
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
	intf->req_cons += sizeof(msg->hdr);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(talk(msg)), -EIO);
	KUNIT_EXPECT_TRUE(test, dead);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(talk(msg)), -EIO);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(events_without_bytes),
	KUNIT_CASE(after_a_restart),
	KUNIT_CASE(a_store_that_does_not_read),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_connection",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
