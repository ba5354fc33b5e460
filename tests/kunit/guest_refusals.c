// SPDX-License-Identifier: GPL-2.0-only
/*
 * The front-end kit where something is missing or makes no sense: one line says what, and the device
 * can still be removed.
 */
#include "tests/kunit/kit.c"

/* The device fails with one line, and is closed; the module can go. */
static void expect_failure(struct kunit *test, const char *words)
{
	wait_for_phase(test, PARAVANE_FRONT_CLOSED);
	KUNIT_EXPECT_TRUE(test, paravane_front_is_dead(&world.dev));
	EXPECT_ONE_LINE(test, words);
	end(test);
	KUNIT_EXPECT_EQ(test, said, 0);
}

static void nothing_to_connect_with(struct kunit *test)
{
	start(test, XenbusStateInitialising, true);
	world.full = true;
	peer_set(XenbusStateInitWait);
	wait_for_phase(test, PARAVANE_FRONT_CLOSED);
	world.disconnects++;
	expect_failure(test, "kunit-0: 4 grant references are not to be had (-28)");

	start(test, XenbusStateInitialising, true);
	world.no_channel = true;
	peer_set(XenbusStateInitWait);
	expect_failure(test, "no event channel to domain 0 (-38)");

	start(test, XenbusStateInitialising, true);
	world.unpublished = -EACCES;
	peer_set(XenbusStateInitWait);
	expect_failure(test, "cannot write its keys to XenStore (-13)");

	start(test, XenbusStateInitialising, true);
	world.refuses = -EOPNOTSUPP;
	peer_set(XenbusStateInitWait);
	expect_failure(test, "cannot connect to /back/kunit/0 (-95)");
}

/* Closed from the beginning, or as soon as we answer; and a number that is no state. */
static void back_end_that_gives_up(struct kunit *test)
{
	static const unsigned int peers[] = { XenbusStateClosing, XenbusStateClosed, 99, 0 };
	unsigned int i;

	start(test, XenbusStateInitialising, true);
	wait_for_phase(test, PARAVANE_FRONT_WAIT);
	peer_set(XenbusStateClosing);
	wait_for_phase(test, PARAVANE_FRONT_CLOSED);
	EXPECT_ONE_LINE(test, "/back/kunit/0 closes before it has connected");
	end(test);
	for (i = 0; i < ARRAY_SIZE(peers); i++) {
		start(test, XenbusStateInitWait, false);
		wait_for_phase(test, PARAVANE_FRONT_PUBLISHED);
		world.follows = true;
		peer_set(peers[i]);
		wait_for_phase(test, PARAVANE_FRONT_CLOSED);
		EXPECT_ONE_LINE(test, i < 2 ? "closes before it has connected" :
					      "/back/kunit/0 is missing or none");
		end(test);
		KUNIT_EXPECT_EQ(test, said, 0);
	}
	/* One that was connected and is detached is no news; one that vanishes is. */
	start(test, XenbusStateInitWait, true);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	peer_set(XenbusStateClosing);
	wait_for_phase(test, PARAVANE_FRONT_CLOSED);
	end(test);
	KUNIT_EXPECT_EQ(test, said, 0);
	start(test, XenbusStateInitWait, true);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	peer_set(XenbusStateUnknown);
	wait_for_phase(test, PARAVANE_FRONT_CLOSED);
	EXPECT_ONE_LINE(test, "is missing or none, closing");
	end(test);
}

/* Not even the deadlines are waited for, and nobody complains of each thing that is not done. */
static void removal_with_a_silent_store(struct kunit *test)
{
	unsigned long begin;

	start(test, XenbusStateInitWait, true);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	world.silent = true;
	begin = jiffies;
	paravane_front_remove(&world.dev);
	KUNIT_EXPECT_LT(test, jiffies - begin, HZ);
	KUNIT_EXPECT_EQ(test, world.disconnects, 1);
	KUNIT_EXPECT_EQ(test, world.granted, 0);
	KUNIT_EXPECT_EQ(test, said, 0);
	paravane_front_exit();
}

static void back_end_that_cannot_be_watched(struct kunit *test)
{
	memset(&world, 0, sizeof(world));
	said = 0;
	world.blind = -EINVAL;
	world.dev.dev.init_name = "kunit-0";
	world.dev.path = "device/kunit/0";
	world.dev.peer_path = "no path";
	world.dev.dev.driver = &driver.driver;
	KUNIT_ASSERT_EQ(test, paravane_front_init(), 0);
	/* The driver core has nothing to add to that. */
	KUNIT_EXPECT_EQ(test, paravane_front_probe(&world.dev), -ENODEV);
	EXPECT_ONE_LINE(test, "kunit-0: cannot watch the back end no path (-22)");
	paravane_front_exit();
}

/* What is gone does not come back, not even as a state. */
static void directory_that_is_gone(struct kunit *test)
{
	start(test, XenbusStateInitWait, true);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	world.gone = true;
	world.follows = false;
	peer_set(XenbusStateClosed);
	wait_for_phase(test, PARAVANE_FRONT_CLOSED);
	KUNIT_EXPECT_EQ(test, world.state, XenbusStateConnected);
	KUNIT_EXPECT_EQ(test, said, 0);
	world.gone = false;
	world.follows = true;
	peer_set(XenbusStateInitWait);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	end(test);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(nothing_to_connect_with),	 KUNIT_CASE(back_end_that_gives_up),
	KUNIT_CASE(removal_with_a_silent_store), KUNIT_CASE(back_end_that_cannot_be_watched),
	KUNIT_CASE(directory_that_is_gone),	 {},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_refusals",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
