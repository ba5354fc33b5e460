// SPDX-License-Identifier: GPL-2.0-only
/*
 * The front-end kit, guest/linux/front*.c, with its worker and its timeouts. This file
 * plays the store, a driver, and a back end that follows, or does nothing.
 */
#include "tests/kunit/core.c"

#include <linux/device.h>

static char warning[256];
static unsigned int warnings;

#undef dev_warn
#define dev_warn(dev, fmt, ...)                                                               \
	do {                                                                                  \
		warnings++;                                                                   \
		snprintf(warning, sizeof(warning), "%s: " fmt, dev_name(dev), ##__VA_ARGS__); \
	} while (0)

#include "guest/linux/front.c"
#include "guest/linux/front_bind.c"
#include "guest/linux/front_io.c"

#include <xen-public/io/blkif.h>

static struct {
	struct paravane_front_dev dev;
	struct paravane_xs_watch *watch;
	unsigned int peer; /* the peer's state */
	unsigned int state; /* ours */
	bool follows; /* the peer does what it should */
	struct ring_front front;
	struct paravane_front_ring ring;
	bool online; /* the peer's key of that name */
	unsigned int connects, disconnects, lost, closings, holds, drops;
	unsigned int connecteds;
	int refuses; /* what connect answers */
	int blind; /* what a new watch is answered */
	unsigned long granted; /* a bit for each reference */
	unsigned int kept; /* pages the peer does not let go of */
	unsigned int unmade; /* pages granted before there was a ring in them */
	unsigned int unmatched; /* watches removed that were none */
	bool silent; /* the store */
} world;

const struct paravane_xs_tx paravane_xs_no_tx;
struct bus_type paravane_bus = { .name = "kunit-paravane" };

static void peer_set(unsigned int state)
{
	WRITE_ONCE(world.peer, state);
	if (world.watch)
		world.watch->fn(world.watch, world.watch->path);
}

int paravane_xs_watch_register(struct paravane_xs_watch *watch)
{
	if (world.blind)
		return world.blind;
	world.watch = watch;
	watch->fn(watch, watch->path);
	return 0;
}

void paravane_xs_watch_unregister(struct paravane_xs_watch *watch)
{
	world.unmatched += world.watch != watch;
	world.watch = NULL;
}

bool paravane_xs_is_silent(void)
{
	return world.silent;
}

int paravane_xs_read_u64(const struct paravane_xs_tx *tx, const char *dir, const char *node,
			 u64 *value)
{
	if (world.silent)
		return -ETIMEDOUT;
	*value = strcmp(node, "online") ? READ_ONCE(world.peer) : READ_ONCE(world.online);
	return 0;
}

char *paravane_xs_read(const struct paravane_xs_tx *tx, const char *dir, const char *node,
		       unsigned int *len)
{
	return kstrdup("", GFP_KERNEL);
}

int paravane_xs_tx_run(int (*fn)(const struct paravane_xs_tx *tx, void *data), void *data)
{
	if (world.silent)
		return -ETIMEDOUT;
	return fn(&paravane_xs_no_tx, data);
}

int paravane_xs_write(const struct paravane_xs_tx *tx, const char *dir, const char *node,
		      const char *fmt, ...)
{
	char value[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (strcmp(node, "state") || kstrtouint(value, 10, &world.state) || !world.follows)
		return 0;
	if (world.state == XenbusStateInitialised)
		peer_set(XenbusStateConnected);
	else if (world.state >= XenbusStateClosing)
		peer_set(world.state);
	return 0;
}

int paravane_gnttab_alloc(grant_ref_t *refs, unsigned int count)
{
	while (count--)
		refs[count] = 8 + count;
	return 0;
}

void paravane_gnttab_free(const grant_ref_t *refs, unsigned int count)
{
}

void paravane_gnttab_grant(grant_ref_t ref, domid_t domid, struct page *page, bool readonly)
{
	const struct ring_shared *shared = page_address(page);

	__set_bit(ref, &world.granted);
	if (ref == 8 && (shared->req_event != 1 || shared->rsp_event != 1))
		world.unmade++;
}

int paravane_gnttab_end(grant_ref_t ref)
{
	if (world.kept && world.kept--)
		return -EBUSY;
	__clear_bit(ref, &world.granted);
	return 0;
}

void paravane_gnttab_defer(grant_ref_t ref, struct page *page)
{
	__clear_bit(ref, &world.granted);
	put_page(page);
}

struct paravane_evtchn *paravane_evtchn_alloc_unbound(domid_t remote, unsigned int cpu,
						      paravane_evtchn_fn fn, void *data)
{
	return ERR_PTR(-ENOSYS);
}

void paravane_evtchn_close(struct paravane_evtchn *ch)
{
}

evtchn_port_t paravane_evtchn_port(const struct paravane_evtchn *ch)
{
	return 0;
}

static int connect(struct paravane_front_dev *dev)
{
	if (world.refuses)
		return world.refuses;
	world.connects++;
	return paravane_front_ring_alloc(dev, &world.ring, 4, &world.front, RING_FORMAT(blkif));
}

static int publish(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx)
{
	return paravane_front_publish_ring(dev, tx, "ring-ref", &world.ring);
}

static int connected(struct paravane_front_dev *dev)
{
	world.connecteds++;
	return 0;
}

static int closing(struct paravane_front_dev *dev, bool force)
{
	world.closings++;
	return 0;
}

static void disconnect(struct paravane_front_dev *dev)
{
	world.disconnects++;
	world.lost += paravane_front_is_lost(dev);
}

static struct paravane_front_driver driver = {
	.type = "kunit",
	.connect = connect,
	.publish = publish,
	.connected = connected,
	.closing = closing,
	.disconnect = disconnect,
};

static void wait_for_phase(struct kunit *test, enum paravane_front_phase phase)
{
	struct paravane_front_core *core = world.dev.core;

	KUNIT_ASSERT_NE(test, wait_event_timeout(core->wait, READ_ONCE(core->phase) == phase, HZ),
			0);
}

static void start(struct kunit *test, unsigned int peer, bool follows)
{
	memset(&world, 0, sizeof(world));
	warnings = 0;
	connect_warn = 10;
	peer_patience = PEER_PATIENCE;
	shutdown_left = SHUTDOWN_PATIENCE_ALL;
	world.peer = peer;
	world.follows = follows;
	world.dev.path = "device/kunit/0";
	world.dev.peer_path = "/back/kunit/0";
	world.dev.dev.init_name = "kunit-0";
	world.dev.dev.driver = &driver.driver;
	KUNIT_ASSERT_EQ(test, paravane_front_init(), 0);
	KUNIT_ASSERT_EQ(test, paravane_front_probe(&world.dev), 0);
}

static void end(struct kunit *test)
{
	paravane_front_remove(&world.dev);
	KUNIT_EXPECT_EQ(test, world.connects, world.disconnects);
	KUNIT_EXPECT_EQ(test, world.granted, 0);
	KUNIT_EXPECT_EQ(test, world.state, XenbusStateClosed);
	KUNIT_EXPECT_EQ(test, world.unmatched, 0);
	KUNIT_EXPECT_PTR_EQ(test, world.watch, NULL);
	paravane_front_exit();
}

static void ring_is_made_before_it_is_granted(struct kunit *test)
{
	start(test, XenbusStateInitWait, true);
	wait_for_phase(test, PARAVANE_FRONT_CONNECTED);
	KUNIT_EXPECT_EQ(test, hweight_long(world.granted), 4);
	KUNIT_EXPECT_EQ(test, world.unmade, 0);
	KUNIT_EXPECT_EQ(test, warnings, 0);
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
		{ XenbusStateUnknown, PARAVANE_FRONT_RESET, "missing, we are in phase \"reset\"" },
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
		KUNIT_EXPECT_EQ(test, warnings, 1);
		KUNIT_EXPECT_NOT_NULL(test, strstr(warning, cases[i].words));
		KUNIT_EXPECT_NOT_NULL(test, strstr(warning, "kunit-0: no answer"));
		KUNIT_EXPECT_NOT_NULL(test, strstr(warning, "/back/kunit/0 for 1 s"));
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
	KUNIT_EXPECT_EQ(test, warnings, 0);
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
	KUNIT_EXPECT_EQ(test, warnings, 1);
	KUNIT_EXPECT_NOT_NULL(test, strstr(warning, "not closed in time"));
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

static struct kunit_case cases[] = {
	KUNIT_CASE(ring_is_made_before_it_is_granted),
	KUNIT_CASE(silent_back_end),
	KUNIT_CASE(shutdown_with_a_back_end_that_follows),
	KUNIT_CASE(shutdown_is_for_good),
	KUNIT_CASE(shutdown_with_a_silent_back_end),
	KUNIT_CASE(kept_pages),
	KUNIT_CASE(back_end_that_returns),
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
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_kit",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
