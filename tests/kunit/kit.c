// SPDX-License-Identifier: GPL-2.0-only
/*
 * For suites that run the front-end kit, guest/linux/front*.c; included first. This file plays the
 * store, a driver, and a back end that follows, or does nothing.
 */
#include "tests/kunit/core.c"
#include "tests/kunit/lines.c"

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
	int online_err; /* what reading it is answered */
	int peer_err; /* what reading the peer's state is answered */
	unsigned int connects, disconnects, lost, closings, holds, drops;
	unsigned int connecteds;
	int refuses; /* what connect answers */
	int blind; /* what a new watch is answered */
	unsigned long granted; /* a bit for each reference */
	unsigned int kept; /* pages the peer does not let go of */
	unsigned int unmade; /* pages granted before there was a ring in them */
	unsigned int unmatched; /* watches removed that were none */
	bool silent; /* the store */
	bool gone; /* our directory is */
	bool full; /* the grant table is */
	bool no_channel; /* is to be had, and that matters */
	int unpublished; /* why not */
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
	if (strcmp(node, "online")) {
		*value = READ_ONCE(world.peer);
		return READ_ONCE(world.peer_err);
	}
	*value = READ_ONCE(world.online);
	return READ_ONCE(world.online_err);
}

char *paravane_xs_read(const struct paravane_xs_tx *tx, const char *dir, const char *node,
		       unsigned int *len)
{
	return world.gone ? ERR_PTR(-ENOENT) : kstrdup("", GFP_KERNEL);
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
	if (world.full)
		return -ENOSPC;
	while (count--)
		refs[count] = 8 + count;
	return 0;
}

int paravane_grant_pool_init(struct paravane_grant_pool *pool, unsigned int size)
{
	return -ENOSPC;
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
	if (world.no_channel)
		return PTR_ERR(paravane_front_evtchn_alloc(dev, 0, NULL, NULL));
	world.connects++;
	return paravane_front_ring_alloc(dev, &world.ring, 4, &world.front, RING_FORMAT(blkif));
}

static int publish(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx)
{
	return world.unpublished ?: paravane_front_publish_ring(dev, tx, "ring-ref", &world.ring);
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

	KUNIT_ASSERT_NE(
		test, wait_event_timeout(core->wait, READ_ONCE(core->phase) == phase, 10 * HZ), 0);
}

static void start(struct kunit *test, unsigned int peer, bool follows)
{
	memset(&world, 0, sizeof(world));
	said = 0;
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
