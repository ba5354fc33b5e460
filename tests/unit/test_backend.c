// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kit: xenbus state machine, pairing of connect and disconnect, failures, forgotten
 * resources.
 */
#include "hv/backend.c"

#include <string.h>
#include <time.h>

#include "tests/unit/fake_guest.h"

#define ID 7
#define RING_REF 1
#define PORT 3
#define STALL_MS 5000

struct test_req {
	uint64_t a;
};
struct test_rsp {
	uint64_t a;
};
#include <xen-public/io/ring.h>
DEFINE_RING_TYPES(test, struct test_req, struct test_rsp);

/* What the device under test was asked to do, and how it is to behave. */
static struct {
	unsigned int opened, probed, connected, disconnected, closed;
	unsigned int served;
	int connect_error, work_error;
	bool stall, stalled; /* stop waits for as long as; it does. Atomic */
	struct backend_queue *q;
	struct ring_back ring;
	struct evtchn_peer *peer;
	struct backend_grant forgotten[3];
} dev;

static struct backend_bus *bus;
static struct ring_front front;

static int test_work(struct backend_queue *q)
{
	struct test_req req;
	struct test_rsp rsp;
	unsigned int i;
	int err, n = 0;

	if (dev.work_error)
		return dev.work_error;
	while (!(err = ring_copy_request(&dev.ring, &req))) {
		/* Mapped and never unmapped: the kit has to. */
		for (i = 0; i < ARRAY_SIZE(dev.forgotten); i++)
			if (!dev.served)
				backend_map(q, 10 + i, true, &dev.forgotten[i]);
		rsp.a = ~req.a;
		ring_put_response(&dev.ring, &rsp);
		__atomic_add_fetch(&dev.served, 1, __ATOMIC_RELEASE);
		n++;
	}
	if (ring_push_responses(&dev.ring))
		evtchn_peer_notify(dev.peer);
	return err == -EAGAIN ? n : err;
}

static bool test_arm(struct backend_queue *q)
{
	(void)q;
	return ring_final_check_requests(&dev.ring);
}

/* Storage that does not answer; not for ever, so that who waits for it fails instead of hanging */
static void test_stop(struct backend_queue *q)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	(void)q;
	__atomic_store_n(&dev.stalled, true, __ATOMIC_RELEASE);
	for (int i = 0; i < STALL_MS && __atomic_load_n(&dev.stall, __ATOMIC_ACQUIRE); i++)
		nanosleep(&ms, NULL);
	__atomic_store_n(&dev.stalled, false, __ATOMIC_RELEASE);
}

static const struct backend_queue_ops queue_ops = { .work = test_work,
						    .arm = test_arm,
						    .stop = test_stop };

static int test_open(struct backend_dev *d, const void *config)
{
	(void)config;
	d->priv = &dev;
	dev.opened++;
	return 0;
}

static int test_probe(struct backend_dev *d)
{
	dev.probed++;
	return backend_publish(d, "feature-test", "1");
}

static int test_connect(struct backend_dev *d)
{
	int err;

	assert_int_equal(dev.connected, dev.disconnected);
	dev.connected++;
	dev.served = 0;
	err = backend_queue_create(d, &queue_ops, &dev, &dev.q);
	if (!err)
		err = backend_map_ring(d, "ring-ref", RING_FORMAT(test), &dev.ring);
	if (!err)
		err = backend_bind_evtchn(dev.q, "event-channel", &dev.peer);
	return err ? err : dev.connect_error;
}

static void test_disconnect(struct backend_dev *d)
{
	(void)d;
	dev.disconnected++;
	assert_int_equal(dev.connected, dev.disconnected);
}

static void test_close(struct backend_dev *d)
{
	(void)d;
	dev.closed++;
}

static const struct backend_ops test_ops = {
	.abi = BACKEND_ABI,
	.type = "test",
	.open = test_open,
	.probe = test_probe,
	.connect = test_connect,
	.disconnect = test_disconnect,
	.close = test_close,
};

static int setup(void **state)
{
	unsigned int i;

	memset(&dev, 0, sizeof(dev));
	if (fake_setup(state))
		return -1;
	fake->grant[RING_REF] = GRANT_WRITE;
	for (i = 0; i < 3; i++)
		fake->grant[10 + i] = GRANT_WRITE;
	assert_int_equal(backends_open(&fake->config, &bus), 0);
	assert_int_equal(bus_add(bus, &test_ops, ID, NULL), 0);
	assert_int_equal(backends_start(&fake->domain, bus), 0);
	return 0;
}

static int teardown(void **state)
{
	backends_stop(bus);
	assert_int_equal(dev.connected, dev.disconnected);
	backends_destroy(bus);
	assert_int_equal(dev.closed, 1);
	return fake_teardown(state);
}

static void publish(void)
{
	ring_front_init(&front, fake->page[RING_REF], PAGE_SIZE, RING_FORMAT(test));
	fake_write("test", ID, "ring-ref", "%u", RING_REF);
	fake_write("test", ID, "event-channel", "%u", PORT);
}

static void connect_as(unsigned int state)
{
	fake_wait_back("test", ID, 2);
	publish();
	fake_state("test", ID, state);
	fake_wait_back("test", ID, 4);
}

static bool served(void *arg)
{
	return __atomic_load_n(&dev.served, __ATOMIC_ACQUIRE) >= *(unsigned int *)arg;
}

static void one_request(unsigned int so_far)
{
	struct test_req req = { .a = so_far };
	unsigned int want = so_far + 1;

	assert_int_equal(ring_put_request(&front, &req), 0);
	if (ring_push_requests(&front))
		fake_send(PORT);
	fake_wait(served, &want, "request served");
}

static void test_block_sequence(void **state)
{
	(void)state;
	fake_wait_back("test", ID, 2);
	assert_int_equal(fake_back_read("test", ID, "feature-test"), 1);
	assert_int_equal(dev.connected, 0);
	publish();
	fake_state("test", ID, 3);
	fake_wait_back("test", ID, 4);
	fake_state("test", ID, 4);
	fake_pump(1);
	assert_int_equal(dev.connected, 1);
	one_request(0);
	one_request(1);
	fake_state("test", ID, 5);
	fake_wait_back("test", ID, 5);
	assert_int_equal(dev.disconnected, 1);
	assert_int_equal(fake_in_use(), 0);
	fake_state("test", ID, 6);
	fake_wait_back("test", ID, 6);
	assert_int_equal(dev.disconnected, 1);
}

static void test_net_sequence(void **state)
{
	(void)state;
	connect_as(4);
	one_request(0);
	assert_int_equal(dev.connected, 1);
}

static void test_reprobe(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		connect_as(3 + i % 2);
		one_request(0);
		fake_state("test", ID, 5);
		fake_wait_back("test", ID, 5);
		fake_state("test", ID, 6);
		fake_wait_back("test", ID, 6);
		fake_state("test", ID, 1);
	}
	assert_int_equal(dev.connected, 20);
	assert_int_equal(dev.probed, 1);
}

/* A crash kernel starts over without having closed anything. */
static void test_restart_without_close(void **state)
{
	(void)state;
	connect_as(3);
	fake_state("test", ID, 1);
	fake_wait_back("test", ID, 2);
	assert_int_equal(dev.disconnected, 1);
	connect_as(4);
	one_request(0);
}

static void test_state_removed(void **state)
{
	(void)state;
	connect_as(4);
	assert_int_equal(xst_rm(fake->conn, XST_NO_TX, "device/test/7/state"), 0);
	fake_wait_back("test", ID, 6);
	assert_int_equal(fake_in_use(), 0);
}

static void test_nonsense_state(void **state)
{
	static const char *const values[] = { "", "x", "-1", "99999999999999999999", "9", "4 " };
	unsigned int i;

	(void)state;
	connect_as(4);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		fake_write("test", ID, "state", "%s", values[i]);
		fake_pump(1);
		fake_state("test", ID, 1);
		connect_as(4);
	}
	one_request(0);
}

/*
 * Any order of states, seen one by one or many at once: pairs stay pairs and nothing is left
 * over.
 */
static void test_toggle(void **state)
{
	static const unsigned int states[] = { 0, 1, 1, 1, 3, 4, 4, 5, 6, 7 };
	unsigned int i;

	(void)state;
	srandom(1);
	publish();
	for (i = 0; i < 1000; i++) {
		fake_state("test", ID, states[random() % ARRAY_SIZE(states)]);
		if (random() % 4)
			fake_pump(random() % 2);
		if (dev.connected == dev.disconnected)
			assert_int_equal(fake_in_use(), 0);
	}
	fake_state("test", ID, 6);
	fake_wait_back("test", ID, 6);
	fake_state("test", ID, 1);
	connect_as(4);
	assert_true(dev.connected > 50);
	one_request(0);
}

static void break_ring(void)
{
	struct ring_shared *shared = (void *)fake->page[RING_REF];

	__atomic_store_n(&shared->req_prod, 5000, __ATOMIC_RELEASE);
}

static void test_broken_ring(void **state)
{
	(void)state;
	connect_as(3);
	break_ring();
	fake_send(PORT);
	fake_wait_back("test", ID, 6);
	assert_true(fake_has_error("test", ID));
	assert_int_equal(dev.disconnected, 1);
	assert_int_equal(fake_in_use(), 0);
	/* Closed it stays, until the front end starts over. */
	fake_state("test", ID, 4);
	fake_pump(1);
	assert_int_equal(dev.connected, 1);
	fake_state("test", ID, 1);
	connect_as(3);
	one_request(0);
}

static void test_error_every_time(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		fake_wait_back("test", ID, 2);
		publish();
		dev.work_error = -EPROTO;
		fake_state("test", ID, 4);
		/* Sometimes the front end closes at the same time. */
		fake_pump(0);
		if (i & 1)
			fake_state("test", ID, 5);
		fake_wait_back("test", ID, i & 1 ? 5 : 6);
		dev.work_error = 0;
		fake_state("test", ID, 1);
		/* What was filed for the last connection must not hit this one. */
		connect_as(4);
		one_request(0);
		fake_pump(1);
		assert_int_equal(fake_back_read("test", ID, "state"), 4);
		fake_state("test", ID, 1);
	}
}

static void test_connect_fails(void **state)
{
	static const struct {
		const char *key, *value;
	} bad[] = {
		{ "ring-ref", "" },	      { "ring-ref", "abc" },
		{ "ring-ref", "4294967296" }, { "ring-ref", "200" },
		{ "ring-ref", "-1" },	      { "event-channel", "" },
		{ "event-channel", "99" },    { "event-channel", "4294967297" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fake_wait_back("test", ID, 2);
		publish();
		fake_write("test", ID, bad[i].key, "%s", bad[i].value);
		fake_state("test", ID, 3);
		fake_wait_back("test", ID, 6);
		assert_true(fake_has_error("test", ID));
		assert_int_equal(fake_in_use(), 0);
		fake_state("test", ID, 6);
		fake_state("test", ID, 1);
	}
	dev.connect_error = -ENOMEM;
	fake_wait_back("test", ID, 2);
	publish();
	fake_state("test", ID, 3);
	fake_wait_back("test", ID, 6);
	assert_int_equal(dev.connected, dev.disconnected);
	assert_int_equal(fake_in_use(), 0);
}

static bool stalled(void *arg)
{
	return __atomic_load_n(&dev.stalled, __ATOMIC_ACQUIRE) == *(bool *)arg;
}

/*
 * The front end goes to @state while the storage does not answer: the loop lives on, nothing the
 * storage may still use is given back, and the front end waits.
 */
static void stall_at(unsigned int state)
{
	bool yes = true;

	connect_as(4);
	one_request(0);
	__atomic_store_n(&dev.stall, true, __ATOMIC_RELEASE);
	if (state)
		fake_state("test", ID, state);
	else
		break_ring();
	fake_send(PORT);
	fake_wait(stalled, &yes, "queue about to end");
	for (unsigned int i = 0; i < 10; i++)
		fake_pump(1);
	assert_true(stalled(&yes));
	assert_int_equal(fake_back_read("test", ID, "state"), 4);
	assert_int_equal(dev.disconnected, dev.connected - 1);
	assert_int_equal(fake_in_use(), 5); /* ring, port, three pages */
}

static void storage_answers(unsigned int state)
{
	__atomic_store_n(&dev.stall, false, __ATOMIC_RELEASE);
	fake_wait_back("test", ID, state);
	assert_int_equal(dev.disconnected, dev.connected);
	assert_int_equal(fake_in_use(), 0);
}

static void test_stalled_storage(void **state)
{
	/* What the front end does first, what when it waits, and where it finds us then */
	static const struct {
		unsigned int first, then, found;
	} cases[] = {
		{ 5, 5, 5 }, { 6, 6, 6 }, { 1, 1, 2 }, { 5, 6, 6 }, { 5, 1, 2 }, { 5, 4, 6 },
		{ 5, 2, 6 }, { 6, 5, 5 }, { 0, 4, 6 }, { 0, 5, 5 }, { 0, 1, 2 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		stall_at(cases[i].first);
		fake_state("test", ID, cases[i].then);
		fake_pump(1);
		storage_answers(cases[i].found);
		assert_int_equal(fake_has_error("test", ID), i > 7);
		fake_state("test", ID, 6);
		fake_state("test", ID, 1);
	}
	connect_as(4);
	one_request(0);
}

/* The domain ends: whoever runs the loop learns when the last device is done. */
static void test_quiesce(void **state)
{
	bool yes = true;

	(void)state;
	connect_as(4);
	one_request(0);
	__atomic_store_n(&dev.stall, true, __ATOMIC_RELEASE);
	assert_false(backends_quiesce(bus));
	fake_wait(stalled, &yes, "queue about to end");
	assert_false(backends_quiesce(bus));
	fake_pump(1);
	assert_false(fake->loop_stopped);
	assert_int_equal(fake_in_use(), 5);
	__atomic_store_n(&dev.stall, false, __ATOMIC_RELEASE);
	while (!fake->loop_stopped)
		fake_pump(100);
	assert_true(backends_quiesce(bus));
	assert_int_equal(fake_in_use(), 0);
}

/* Its caller waits no longer; this does. */
static void test_stop_while_stalled(void **state)
{
	(void)state;
	stall_at(5);
	__atomic_store_n(&dev.stall, false, __ATOMIC_RELEASE);
	backends_stop(bus);
	assert_int_equal(dev.disconnected, dev.connected);
	assert_int_equal(fake_in_use(), 0);
}

static void test_unplug(void **state)
{
	(void)state;
	connect_as(4);
	xst_printf(fake->dom0, XST_NO_TX, "/local/domain/0/backend/test/1/7", "online", "0");
	xst_printf(fake->dom0, XST_NO_TX, "/local/domain/0/backend/test/1/7", "state", "5");
	fake_state("test", ID, 5);
	fake_wait_back("test", ID, 5);
	fake_state("test", ID, 6);
	fake_pump(1);
	fake_pump(1);
	assert_int_equal(xst_exists(fake->dom0, XST_NO_TX, "/local/domain/0/backend/test/1/7"), 0);
	assert_int_equal(xst_exists(fake->dom0, XST_NO_TX, "/local/domain/1/device/test/7"), 0);
	assert_int_equal(dev.closed, 1);

	/* It stays away when the guest reboots. */
	backends_stop(bus);
	assert_int_equal(backends_start(&fake->domain, bus), 0);
	fake_pump(1);
	assert_int_equal(xst_exists(fake->dom0, XST_NO_TX, "/local/domain/0/backend/test/1/7"), 0);
}

static unsigned int seen;

static void count_event(void *opaque, const char *path)
{
	(void)opaque;
	(void)path;
	seen++;
}

static void test_changed(void **state)
{
	(void)state;
	connect_as(4);
	assert_int_equal(xst_watch(fake->conn, "/local/domain/0/backend/test/1/7/state",
				   count_event, NULL, NULL),
			 0);
	fake_pump(1);
	seen = 0;
	assert_int_equal(backend_changed(&bus->devs->dev), 0);
	fake_pump(1);
	assert_int_equal(seen, 1);
	assert_int_equal(fake_back_read("test", ID, "state"), 4);
}

static void test_guest_cannot_write_back(void **state)
{
	(void)state;
	assert_int_equal(xst_write(fake->conn, XST_NO_TX, "/local/domain/0/backend/test/1/7/state",
				   "4", 1),
			 -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_block_sequence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_net_sequence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reprobe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart_without_close, setup, teardown),
		cmocka_unit_test_setup_teardown(test_state_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense_state, setup, teardown),
		cmocka_unit_test_setup_teardown(test_toggle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(test_error_every_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connect_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stalled_storage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quiesce, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_while_stalled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unplug, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_guest_cannot_write_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
