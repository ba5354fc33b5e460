// SPDX-License-Identifier: GPL-2.0-only
/*
 * The front-end kit, guest/linux/front*.c, with its worker and its timeouts.
 */
#include "tests/kunit/kit.c"

static void ring_is_made_before_it_is_granted(struct kunit *test)
{
	start(test, XenbusStateInitWait, true);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	KUNIT_EXPECT_EQ(test, hweight_long(world.granted), 4);
	KUNIT_EXPECT_EQ(test, world.unmade, 0);
	KUNIT_EXPECT_EQ(test, said, 0);
	end(test);
}

/* One line for each phase in which the peer keeps us waiting, and an end to it on removal. */
static void silent_back_end(struct kunit *test)
{
	static const struct {
		unsigned int peer;
		enum paravane_front_phase phase;
		const char *words;
	} cases[] = {
		{ XenbusStateUnknown, PARAVANE_FRONT_RESET,
		  "missing or in no known state, we are in phase \"reset\"" },
		{ XenbusStateInitialising, PARAVANE_FRONT_WAIT,
		  "Initialising, we are in phase \"wait\"" },
		{ XenbusStateInitWait, PARAVANE_FRONT_PUBLISHED,
		  "InitWait, we are in phase \"published\"" },
	};
	unsigned long begin;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		start(test, cases[i].peer, false);
		wait_for_phase(test, cases[i].phase);
		/* Again: the first time was with the ten seconds nobody has here. */
		connect_warn = 1;
		paravane_front_kick(world.dev.core);
		schedule_timeout_uninterruptible(3 * HZ);
		KUNIT_EXPECT_NOT_NULL(test, strstr(last_line, "kunit-0: no answer"));
		KUNIT_EXPECT_NOT_NULL(test, strstr(last_line, "/back/kunit/0 for 1 s"));
		EXPECT_ONE_LINE(test, cases[i].words);
		begin = jiffies;
		end(test);
		KUNIT_EXPECT_LT(test, jiffies - begin, 2 * PEER_PATIENCE + HZ);
	}
}

static void shutdown_with_a_back_end_that_follows(struct kunit *test)
{
	start(test, XenbusStateInitWait, true);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	paravane_front_shutdown(&world.dev);
	KUNIT_EXPECT_EQ(test, world.state, XenbusStateClosed);
	KUNIT_EXPECT_EQ(test, world.closings, 1);
	KUNIT_EXPECT_EQ(test, world.disconnects, 1);
	KUNIT_EXPECT_EQ(test, world.granted, 0);
	KUNIT_EXPECT_PTR_EQ(test, world.watch, NULL);
	KUNIT_EXPECT_EQ(test, said, 0);
	KUNIT_EXPECT_GT(test, shutdown_left, SHUTDOWN_PATIENCE_ALL - HZ);
	end(test);
}

/* What is to be closed is not connected again while the machine goes down. */
static void shutdown_is_for_good(struct kunit *test)
{
	start(test, XenbusStateInitWait, true);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	paravane_front_shutdown(&world.dev);
	world.peer = XenbusStateInitWait;
	paravane_front_kick(world.dev.core);
	flush_delayed_work(&world.dev.core->work);
	KUNIT_EXPECT_EQ(test, world.connects, 1);
	end(test);
}

static void shutdown_with_a_silent_back_end(struct kunit *test)
{
	unsigned long begin = jiffies;

	start(test, XenbusStateInitWait, true);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	world.follows = false;
	begin = jiffies;
	paravane_front_shutdown(&world.dev);
	KUNIT_EXPECT_LE(test, jiffies - begin, SHUTDOWN_PATIENCE + HZ / 2);
	KUNIT_EXPECT_EQ(test, world.disconnects, 1);
	KUNIT_EXPECT_EQ(test, world.granted, 0);
	end(test);

	/* All devices together have used the time up: nobody waits for this one. */
	start(test, XenbusStateInitWait, true);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	world.follows = false;
	shutdown_left = 0;
	begin = jiffies;
	paravane_front_shutdown(&world.dev);
	KUNIT_EXPECT_LE(test, jiffies - begin, HZ / 2);
	EXPECT_ONE_LINE(test, "not closed in time");
	end(test);
}

/* A back end that keeps pages of each connection does not get another one. */
static void kept_pages(struct kunit *test)
{
	start(test, XenbusStateInitWait, true);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	world.kept = UINT_MAX;
	peer_patience = 0;
	peer_set(XenbusStateClosing);
	wait_for_phase(test, PARAVANE_FRONT_CLOSED);
	KUNIT_EXPECT_TRUE(test, paravane_front_is_dead(&world.dev));
	peer_set(XenbusStateInitWait);
	flush_delayed_work(&world.dev.core->work);
	KUNIT_EXPECT_EQ(test, world.connects, 1);
	end(test);
	/* One that lets go does, be it late. */
	start(test, XenbusStateInitWait, true);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	world.kept = 3;
	peer_set(XenbusStateClosing);
	wait_for_phase(test, PARAVANE_FRONT_CLOSED);
	peer_set(XenbusStateInitWait);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	KUNIT_EXPECT_EQ(test, world.connects, 2);
	end(test);
}

static void hold(struct paravane_front_dev *dev, long patience)
{
	world.holds++;
}

static void drop(struct paravane_front_dev *dev)
{
	world.drops++;
}

/* Connected to a back end whose return the driver can wait for. */
static void start_holding(struct kunit *test)
{
	driver.hold = hold;
	driver.drop = drop;
	start(test, XenbusStateInitWait, true);
	world.online = true;
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
}

/* The end of it, after so many calls. */
static void end_holding(struct kunit *test, unsigned int closings, unsigned int drops)
{
	end(test);
	KUNIT_EXPECT_EQ(test, world.holds, 1);
	KUNIT_EXPECT_EQ(test, world.closings, closings);
	KUNIT_EXPECT_EQ(test, world.drops, drops);
	driver.hold = NULL;
	driver.drop = NULL;
}

static void back_end_that_returns(struct kunit *test)
{
	start_holding(test);
	peer_set(XenbusStateClosed);
	wait_for_phase(test, PARAVANE_FRONT_WAIT);
	/* It is invited. */
	KUNIT_EXPECT_EQ(test, world.state, XenbusStateInitialising);
	KUNIT_EXPECT_EQ(test, world.disconnects, 1);
	KUNIT_EXPECT_EQ(test, world.lost, 0);
	KUNIT_EXPECT_EQ(test, world.granted, 0);
	peer_set(XenbusStateInitWait);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	KUNIT_EXPECT_EQ(test, world.connects, 2);
	end_holding(test, 1, 0);
}

/* That a store is slow does not mean that the device is taken away; that a key is missing does. */
static void back_end_of_a_slow_store(struct kunit *test)
{
	start_holding(test);
	WRITE_ONCE(world.online_err, -ETIMEDOUT);
	peer_set(XenbusStateClosed);
	wait_for_phase(test, PARAVANE_FRONT_WAIT);
	peer_set(XenbusStateInitWait);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	KUNIT_EXPECT_EQ(test, world.closings, 0);
	WRITE_ONCE(world.online_err, -ENOENT);
	peer_set(XenbusStateClosed);
	wait_for_phase(test, PARAVANE_FRONT_CLOSED);
	end_holding(test, 1, 0);
}

/* Only a store that answers can say that there is no state. */
static void state_of_the_back_end(struct kunit *test)
{
	static const struct {
		unsigned int peer;
		int err;
		unsigned int state;
	} reads[] = {
		{ XenbusStateClosing, 0, XenbusStateClosing },
		{ PARAVANE_XENBUS_STATES, 0, XenbusStateUnknown },
		{ 0, -ENOENT, XenbusStateUnknown },
		{ 0, -EINVAL, XenbusStateUnknown },
		{ 0, -EACCES, XenbusStateUnknown },
		{ 0, -ETIMEDOUT, XenbusStateConnected },
		{ 0, -EIO, XenbusStateConnected },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reads); i++) {
		world.peer = reads[i].peer;
		world.peer_err = reads[i].err;
		KUNIT_EXPECT_EQ(test, paravane_front_peer_state(&world.dev, XenbusStateConnected),
				reads[i].state);
	}
}

static void back_end_of_any_other_device(struct kunit *test)
{
	start(test, XenbusStateInitWait, true);
	world.online = true;
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	peer_set(XenbusStateClosed);
	wait_for_phase(test, PARAVANE_FRONT_WAIT);
	KUNIT_EXPECT_EQ(test, world.closings, 1);
	peer_set(XenbusStateInitWait);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	end(test);
	KUNIT_EXPECT_EQ(test, world.closings, 2);
}

/* One that fails each time it is asked the same is not asked for ever. */
static void back_end_that_does_not_stay(struct kunit *test)
{
	unsigned int i;

	start_holding(test);
	for (i = 0; i < SHORT_CONNECTIONS_MAX; i++) {
		peer_set(XenbusStateClosed);
		wait_for_phase(test, PARAVANE_FRONT_WAIT);
		peer_set(XenbusStateInitWait);
		wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	}
	peer_set(XenbusStateClosed);
	wait_for_phase(test, PARAVANE_FRONT_CLOSED);
	KUNIT_EXPECT_TRUE(test, paravane_front_is_dead(&world.dev));
	KUNIT_EXPECT_EQ(test, world.holds, SHORT_CONNECTIONS_MAX + 1);
	world.holds = 1;
	end_holding(test, 0, 1);
}

/* Seen only when it waits for us already, as one that was killed. */
static void back_end_that_starts_over(struct kunit *test)
{
	start_holding(test);
	world.follows = false;
	peer_set(XenbusStateInitWait);
	wait_for_phase(test, PARAVANE_FRONT_PUBLISHED);
	peer_set(XenbusStateConnected);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	KUNIT_EXPECT_EQ(test, world.connects, 2);
	world.follows = true;
	end_holding(test, 1, 0);
}

static void held_device_that_is_taken_away(struct kunit *test)
{
	start_holding(test);
	peer_set(XenbusStateClosed);
	wait_for_phase(test, PARAVANE_FRONT_WAIT);
	world.online = false;
	peer_set(XenbusStateClosing);
	wait_for_phase(test, PARAVANE_FRONT_CLOSED);
	KUNIT_EXPECT_EQ(test, world.drops, 1);
	end_holding(test, 0, 1);
}

static void held_device_that_is_removed(struct kunit *test)
{
	start_holding(test);
	peer_set(XenbusStateClosed);
	wait_for_phase(test, PARAVANE_FRONT_WAIT);
	end_holding(test, 0, 1);
}

static void held_device_that_cannot_connect(struct kunit *test)
{
	start_holding(test);
	peer_set(XenbusStateClosed);
	wait_for_phase(test, PARAVANE_FRONT_WAIT);
	world.refuses = -EOPNOTSUPP;
	peer_set(XenbusStateInitWait);
	wait_for_phase(test, PARAVANE_FRONT_CLOSED);
	KUNIT_EXPECT_TRUE(test, paravane_front_is_dead(&world.dev));
	end_holding(test, 0, 1);
}

/* Nothing happens between the two, and then all goes on where it was. */
static void suspension_that_is_cancelled(struct kunit *test)
{
	start_holding(test);
	paravane_front_suspend(&world.dev);
	KUNIT_EXPECT_EQ(test, world.holds, 1);
	peer_set(XenbusStateClosed);
	flush_delayed_work(&world.dev.core->work);
	KUNIT_EXPECT_EQ(test, world.dev.core->phase, PARAVANE_FRONT_CONNECTED);
	peer_set(XenbusStateConnected);
	paravane_front_resume(&world.dev);
	flush_delayed_work(&world.dev.core->work);
	KUNIT_EXPECT_EQ(test, world.connecteds, 2);
	KUNIT_EXPECT_EQ(test, world.connects, 1);
	end_holding(test, 1, 0);
}

/* Another back end elsewhere: the old connection ends without a word to anybody. */
static void move(struct kunit *test)
{
	world.dev.peer_path = kstrdup("/old/kunit/0", GFP_KERNEL);
	paravane_front_suspend(&world.dev);
	world.peer = XenbusStateInitWait;
	world.state = XenbusStateInitialising;
	paravane_front_moved(&world.dev, kstrdup("/new/kunit/0", GFP_KERNEL), 7);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	KUNIT_EXPECT_EQ(test, world.connects, 2);
	KUNIT_EXPECT_EQ(test, world.disconnects, 1);
	KUNIT_EXPECT_EQ(test, world.lost, 1);
	KUNIT_EXPECT_EQ(test, world.dev.peer, 7);
	KUNIT_EXPECT_STREQ(test, world.watch->path, "/new/kunit/0/state");
}

static void move_of_a_held_device(struct kunit *test)
{
	start_holding(test);
	move(test);
	end_holding(test, 1, 0);
	kfree(world.dev.peer_path);
}

static void move_of_any_other_device(struct kunit *test)
{
	start(test, XenbusStateInitWait, true);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	move(test);
	KUNIT_EXPECT_EQ(test, world.closings, 1);
	end(test);
	kfree(world.dev.peer_path);
}

/* The new domain's store does not take the watch: the device is over, and is removed like any. */
static void move_to_a_store_that_refuses(struct kunit *test)
{
	start_holding(test);
	world.dev.peer_path = kstrdup("/old/kunit/0", GFP_KERNEL);
	paravane_front_suspend(&world.dev);
	world.blind = -EIO;
	paravane_front_moved(&world.dev, kstrdup("/new/kunit/0", GFP_KERNEL), 7);
	wait_for_phase(test, PARAVANE_FRONT_CLOSED);
	KUNIT_EXPECT_TRUE(test, paravane_front_is_dead(&world.dev));
	end_holding(test, 0, 1);
	kfree(world.dev.peer_path);
}

static int move_to(const char *path, domid_t peer)
{
	return paravane_front_moved(&world.dev, kstrdup(path, GFP_KERNEL), peer);
}

/* It takes the watch when it is asked again. */
static void move_to_a_store_that_is_slow(struct kunit *test)
{
	start_holding(test);
	world.dev.peer_path = kstrdup("/old/kunit/0", GFP_KERNEL);
	paravane_front_suspend(&world.dev);
	world.peer = XenbusStateUnknown;
	world.blind = -ETIMEDOUT;
	KUNIT_EXPECT_EQ(test, move_to("/old/kunit/0", 0), -ETIMEDOUT);
	/* A look at the back end that came later would see the new one. */
	flush_delayed_work(&world.dev.core->work);
	KUNIT_EXPECT_FALSE(test, paravane_front_is_dead(&world.dev));
	world.blind = 0;
	world.peer = XenbusStateInitWait;
	KUNIT_EXPECT_EQ(test, move_to("/new/kunit/0", 7), 0);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	KUNIT_EXPECT_EQ(test, world.connects, 2);
	KUNIT_EXPECT_EQ(test, world.disconnects, 1);
	KUNIT_EXPECT_STREQ(test, world.watch->path, "/new/kunit/0/state");
	end_holding(test, 1, 0);
	kfree(world.dev.peer_path);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(ring_is_made_before_it_is_granted),
	KUNIT_CASE(silent_back_end),
	KUNIT_CASE(shutdown_with_a_back_end_that_follows),
	KUNIT_CASE(shutdown_is_for_good),
	KUNIT_CASE(shutdown_with_a_silent_back_end),
	KUNIT_CASE(kept_pages),
	KUNIT_CASE(back_end_that_returns),
	KUNIT_CASE(back_end_of_a_slow_store),
	KUNIT_CASE(state_of_the_back_end),
	KUNIT_CASE(back_end_of_any_other_device),
	KUNIT_CASE(back_end_that_does_not_stay),
	KUNIT_CASE(back_end_that_starts_over),
	KUNIT_CASE(held_device_that_is_taken_away),
	KUNIT_CASE(held_device_that_is_removed),
	KUNIT_CASE(held_device_that_cannot_connect),
	KUNIT_CASE(suspension_that_is_cancelled),
	KUNIT_CASE(move_of_a_held_device),
	KUNIT_CASE(move_of_any_other_device),
	KUNIT_CASE(move_to_a_store_that_refuses),
	KUNIT_CASE(move_to_a_store_that_is_slow),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_kit",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
