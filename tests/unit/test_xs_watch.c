// SPDX-License-Identifier: GPL-2.0-or-later
/* xenstore/watch.c: which events come, to whom, in what order, and how many at most. */
#include "tests/unit/xs_test.h"

#include <time.h>

static void first_event_and_order(void **state)
{
	struct xs_fixture *f = *state;

	xs_ok(f->tool, XS_WATCH, 0, LIT("/w\0tok"));
	xs_event(f->tool, "/w\0tok");
	xs_expect_nothing(f->tool);
	/* The answer comes before the event that the request causes. */
	xs_ok(f->tool, XS_WRITE, 0, RAW("/w/a\0v"));
	xs_event(f->tool, "/w/a\0tok");
	xs_ok(f->tool, XS_MKDIR, 0, LIT("/w/d"));
	xs_event(f->tool, "/w/d\0tok");
	/* Nothing changes: no event. */
	xs_ok(f->tool, XS_MKDIR, 0, LIT("/w/d"));
	xs_ok(f->tool, XS_RM, 0, LIT("/w/none"));
	xs_expect_nothing(f->tool);
	/* The same value again is an event, as in Xen. */
	xs_ok(f->tool, XS_WRITE, 0, RAW("/w/a\0v"));
	xs_event(f->tool, "/w/a\0tok");
	xs_ok(f->tool, XS_SET_PERMS, 0, LIT("/w/a\0n0\0r1"));
	xs_event(f->tool, "/w/a\0tok");
	xs_ok(f->tool, XS_RM, 0, LIT("/w/a"));
	xs_event(f->tool, "/w/a\0tok");
	xs_ok(f->tool, XS_WRITE, 0, RAW("/wx\0not below"));
	xs_ok(f->tool, XS_WRITE, 0, RAW("/\0above"));
	xs_expect_nothing(f->tool);
	/* Made with its parents: one event, for what was written */
	xs_ok(f->tool, XS_WRITE, 0, RAW("/w/p/q/r\0v"));
	xs_event(f->tool, "/w/p/q/r\0tok");
	xs_expect_nothing(f->tool);
}

static void several_watches(void **state)
{
	struct xs_fixture *f = *state;

	xs_ok(f->tool, XS_WATCH, 0, LIT("/\0root"));
	xs_event(f->tool, "/\0root");
	xs_ok(f->tool, XS_WATCH, 0, LIT("/w\0one"));
	xs_event(f->tool, "/w\0one");
	xs_ok(f->tool, XS_WATCH, 0, LIT("/w\0two"));
	xs_event(f->tool, "/w\0two");
	xs_fails(f->tool, XS_WATCH, 0, LIT("/w\0two"), "EEXIST");
	xst_write(f->dom0, 0, "/w", "x", 1);
	xs_event(f->tool, "/w\0root");
	xs_event(f->tool, "/w\0one");
	xs_event(f->tool, "/w\0two");
	xs_ok(f->tool, XS_UNWATCH, 0, LIT("/w\0one"));
	xs_fails(f->tool, XS_UNWATCH, 0, LIT("/w\0one"), "ENOENT");
	xs_fails(f->tool, XS_UNWATCH, 0, LIT("/other\0two"), "ENOENT");
	xst_write(f->dom0, 0, "/w", "x", 1);
	xs_event(f->tool, "/w\0root");
	xs_event(f->tool, "/w\0two");
	xs_ok(f->tool, XS_RESET_WATCHES, 0, LIT(""));
	xst_write(f->dom0, 0, "/w", "x", 1);
	xs_expect_nothing(f->tool);
}

static void relative_watches(void **state)
{
	struct xs_fixture *f = *state;

	xs_ok(f->guest[0], XS_WATCH, 0, LIT("data\0rel"));
	xs_event(f->guest[0], "data\0rel");
	xs_ok(f->guest[0], XS_WATCH, 0, LIT("/local/domain/1/data\0abs"));
	xs_event(f->guest[0], "/local/domain/1/data\0abs");
	xst_write(f->dom0, 0, "/local/domain/1/data/x/y", "", 0);
	xs_event(f->guest[0], "data/x/y\0rel");
	xs_event(f->guest[0], "/local/domain/1/data/x/y\0abs");
	xs_expect_nothing(f->guest[0]);
	xs_ok(f->guest[0], XS_UNWATCH, 0, LIT("/local/domain/1/data\0rel"));
	xst_write(f->dom0, 0, "/local/domain/1/data", "", 0);
	xs_event(f->guest[0], "/local/domain/1/data\0abs");
	xs_expect_nothing(f->guest[0]);
}

static void removed_above(void **state)
{
	struct xs_fixture *f = *state;

	xs_put(f->dom0, 0, "/a/b/c/d", "");
	xs_ok(f->tool, XS_WATCH, 0, LIT("/a/b/c\0deep"));
	xs_event(f->tool, "/a/b/c\0deep");
	xs_ok(f->tool, XS_WATCH, 0, LIT("/a/b/none\0none"));
	xs_event(f->tool, "/a/b/none\0none");
	xs_ok(f->tool, XS_WATCH, 0, LIT("/a\0top"));
	xs_event(f->tool, "/a\0top");
	assert_int_equal(xst_rm(f->dom0, 0, "/a/b"), 0);
	xs_event(f->tool, "/a/b\0top");
	xs_event(f->tool, "/a/b/c\0deep");
	xs_expect_nothing(f->tool);
}

/* A guest watches everything and learns only of what it may see. */
static void nothing_leaks(void **state)
{
	struct xst_perm open[] = { { 0, XST_PERM_NONE }, { 1, XST_PERM_READ } };
	struct xst_perm closed = { 0, XST_PERM_NONE };
	struct xs_fixture *f = *state;
	struct xst_conn *guest = f->guest[0];

	xs_ok(guest, XS_WATCH, 0, LIT("/\0all"));
	xs_event(guest, "/\0all");
	xs_ok(guest, XS_WATCH, 0, LIT("/secret/x\0x"));
	xs_event(guest, "/secret/x\0x");
	xs_put(f->dom0, 0, "/secret/x", "1");
	xs_put(f->dom0, 0, "/secret/x", "2");
	xs_put(f->guest[1], 0, "data/x", "1");
	assert_int_equal(xst_rm(f->dom0, 0, "/secret"), 0);
	xs_expect_nothing(guest);

	/* Given and taken away: one last event each time */
	xs_put(f->dom0, 0, "/node/x", "1");
	assert_int_equal(xst_set_perms(f->dom0, 0, "/node/x", open, 2), 0);
	xs_event(guest, "/node/x\0all");
	assert_int_equal(xst_set_perms(f->dom0, 0, "/node/x", &closed, 1), 0);
	xs_event(guest, "/node/x\0all");
	xs_put(f->dom0, 0, "/node/x", "2");
	assert_int_equal(xst_set_perms(f->dom0, 0, "/node/x", &closed, 1), 0);
	xs_expect_nothing(guest);

	/* A readable node's removal is seen, below an unreadable one too. */
	assert_int_equal(xst_set_perms(f->dom0, 0, "/node/x", open, 2), 0);
	xs_event(guest, "/node/x\0all");
	assert_int_equal(xst_rm(f->dom0, 0, "/node/x"), 0);
	xs_event(guest, "/node/x\0all");
	/* Who may list a directory may know of its children. */
	assert_int_equal(xst_set_perms(f->dom0, 0, "/node", open, 2), 0);
	xs_event(guest, "/node\0all");
	xs_put(f->dom0, 0, "/node/y", "1");
	xs_event(guest, "/node/y\0all");
	assert_int_equal(xst_set_perms(f->dom0, 0, "/node/y", &closed, 1), 0);
	xs_event(guest, "/node/y\0all");
	assert_int_equal(xst_rm(f->dom0, 0, "/node/y"), 0);
	xs_event(guest, "/node/y\0all");
	xs_expect_nothing(guest);
}

/* Rights count at commit, for what the transaction did and did to them. */
static void nothing_leaks_from_transactions(void **state)
{
	struct xst_perm closed = { 0, XST_PERM_NONE };
	struct xs_fixture *f = *state;
	struct xst_conn *guest = f->guest[0];
	uint32_t tx;

	xs_ok(guest, XS_WATCH, 0, LIT("/local/domain/2\0tok"));
	xs_event(guest, "/local/domain/2\0tok");
	assert_int_equal(xst_transaction_start(f->dom0, &tx), 0);
	xs_put(f->dom0, tx, "/local/domain/2/data/x", "1");
	assert_int_equal(xst_rm(f->dom0, tx, "/local/domain/2/data"), 0);
	xs_put(f->dom0, tx, "/local/domain/1/data/new", "1");
	assert_int_equal(xst_set_perms(f->dom0, tx, "/local/domain/1/data/new", &closed, 1), 0);
	assert_int_equal(xst_transaction_end(f->dom0, tx, true), 0);
	xs_expect_nothing(guest);
}

static void special_events(void **state)
{
	struct xs_fixture *f = *state;

	xs_ok(f->tool, XS_WATCH, 0, LIT("@introduceDomain\0i"));
	xs_event(f->tool, "@introduceDomain\0i");
	xs_ok(f->tool, XS_WATCH, 0, LIT("@releaseDomain\0r"));
	xs_event(f->tool, "@releaseDomain\0r");
	xs_ok(f->guest[0], XS_WATCH, 0, LIT("@releaseDomain\0r"));
	xs_event(f->guest[0], "@releaseDomain\0r");
	assert_int_equal(xst_domain_introduce(f->store, 7), 0);
	xs_event(f->tool, "@introduceDomain\0i");
	assert_int_equal(xst_domain_introduce(f->store, 7), 0);
	xs_expect_nothing(f->tool);
	assert_int_equal(xst_domain_shutdown(f->store, 7), 0);
	xs_event(f->tool, "@releaseDomain\0r");
	assert_int_equal(xst_domain_shutdown(f->store, 7), 0);
	xs_expect_nothing(f->tool);
	assert_int_equal(xst_domain_resume(f->store, 7), 0);
	assert_int_equal(xst_domain_shutdown(f->store, 7), 0);
	xs_event(f->tool, "@releaseDomain\0r");
	assert_int_equal(xst_domain_release(f->store, 7), 0);
	xs_event(f->tool, "@releaseDomain\0r");
	/* Guests learn of it only when told so. */
	xs_expect_nothing(f->guest[0]);
	xs_fails(f->guest[0], XS_SET_PERMS, 0, LIT("@releaseDomain\0r0"), "EACCES");
	xs_ok(f->tool, XS_SET_PERMS, 0, LIT("@releaseDomain\0n0\0r1"));
	xs_call(f->tool, XS_GET_PERMS, 0, LIT("@releaseDomain"), LIT("n0\0r1"));
	assert_int_equal(xst_domain_introduce(f->store, 7), 0);
	xs_event(f->tool, "@introduceDomain\0i");
	assert_int_equal(xst_domain_destroy(f->store, 7), 0);
	xs_event(f->tool, "@releaseDomain\0r");
	xs_event(f->guest[0], "@releaseDomain\0r");
	xs_expect_nothing(f->guest[0]);
	xs_fails(f->tool, XS_SET_PERMS, 0, LIT("@other\0r0"), "EINVAL");
}

static void equal_events_merge(void **state)
{
	struct xs_fixture *f = *state;
	const void *data;

	xs_ok(f->tool, XS_WATCH, 0, LIT("/w\0tok"));
	xs_event(f->tool, "/w\0tok");
	for (unsigned int i = 0; i < 100; i++) {
		xs_put(f->dom0, 0, "/w", "v");
		xs_put(f->dom0, 0, "/w/x", "v");
	}
	xs_event(f->tool, "/w\0tok");
	xs_event(f->tool, "/w/x\0tok");
	xs_expect_nothing(f->tool);
	/* One that is being read already does not stand for what comes after. */
	xs_put(f->dom0, 0, "/w", "v");
	xs_put(f->dom0, 0, "/w/x", "v");
	xst_conn_peek(f->tool, &data);
	xst_conn_consume(f->tool, 1);
	xs_put(f->dom0, 0, "/w", "v");
	xst_conn_consume(f->tool, sizeof(struct xsd_sockmsg) + 6);
	xst_conn_peek(f->tool, &data);
	xst_conn_consume(f->tool, 1);
	xs_put(f->dom0, 0, "/w/x", "v");
	xst_conn_consume(f->tool, sizeof(struct xsd_sockmsg) + 8);
	xs_event(f->tool, "/w\0tok");
	xs_event(f->tool, "/w/x\0tok");
	xs_expect_nothing(f->tool);
}

static void unwatch_drops_unread_events(void **state)
{
	struct xs_fixture *f = *state;
	const void *data;

	xs_ok(f->tool, XS_WATCH, 0, LIT("/w\0one"));
	xs_event(f->tool, "/w\0one");
	xs_ok(f->tool, XS_WATCH, 0, LIT("/w\0two"));
	xs_event(f->tool, "/w\0two");
	xs_put(f->dom0, 0, "/w/x", "v");
	xs_put(f->dom0, 0, "/w", "v");
	xst_conn_peek(f->tool, &data);
	/* The first one is half read and must be finished. */
	assert_string_equal((const char *)data + sizeof(struct xsd_sockmsg) + 5, "one");
	xst_conn_consume(f->tool, 3);
	xs_send(f->tool, XS_UNWATCH, 0, LIT("/w\0one"));
	xst_conn_consume(f->tool, sizeof(struct xsd_sockmsg) + 9 - 3);
	xs_event(f->tool, "/w/x\0two");
	xs_event(f->tool, "/w\0two");
	xs_expect(f->tool, XS_UNWATCH, 0, LIT("OK"));
	xs_expect_nothing(f->tool);
}

/* ---- in this process ---- */

struct counter {
	struct xst_conn *conn;
	struct xst_watch *watch;
	unsigned int calls;
	char last[64];
};

static void count_events(void *opaque, const char *path)
{
	struct counter *c = opaque;

	c->calls++;
	snprintf(c->last, sizeof(c->last), "%s", path);
}

static void write_back(void *opaque, const char *path)
{
	struct counter *c = opaque;

	c->calls++;
	assert_int_equal(xst_write(c->conn, 0, path, "again", 5), 0);
	xst_store_dispatch(c->conn->store);
}

static void remove_itself(void *opaque, const char *path)
{
	struct counter *c = opaque;

	c->calls++;
	xst_unwatch(c->watch);
	c->watch = NULL;
	assert_string_equal(path, "/w");
}

static void free_connection(void *opaque, const char *path)
{
	struct counter *c = opaque;

	c->calls++;
	xst_conn_free(c->conn);
	assert_string_equal(path, "/w");
}

static unsigned int work_calls;

static void count_work(void *opaque)
{
	(void)opaque;
	work_calls++;
}

static void callbacks(void **state)
{
	static const struct xst_store_ops ops = { .work = count_work };
	struct xst_store *store = xst_store_new(&ops, NULL, NULL);
	struct xst_conn *conn = xst_conn_new(store, 0, NULL, NULL);
	struct counter c = { .conn = conn };

	(void)state;
	work_calls = 0;
	assert_int_equal(xst_watch(conn, "/w", count_events, &c, &c.watch), 0);
	assert_int_equal(c.calls, 0);
	assert_int_equal(work_calls, 1);
	xst_store_dispatch(store);
	assert_int_equal(c.calls, 1);
	xs_put(conn, 0, "/w/x", "1");
	xs_put(conn, 0, "/w/y", "1");
	xs_put(conn, 0, "/w/x", "1");
	assert_int_equal(c.calls, 1);
	assert_int_equal(work_calls, 2);
	xst_store_dispatch(store);
	assert_int_equal(c.calls, 3);
	assert_string_equal(c.last, "/w/y");
	xst_store_dispatch(store);
	assert_int_equal(c.calls, 3);
	assert_int_equal(work_calls, 2);
	xs_put(conn, 0, "/w/x", "1");
	xst_unwatch(c.watch);
	xst_store_dispatch(store);
	assert_int_equal(c.calls, 3);
	xst_unwatch(NULL);
	xst_store_free(store);
}

static void callbacks_that_write(void **state)
{
	struct xs_fixture *f = *state;
	struct counter c = { .conn = f->dom0 };

	assert_int_equal(xst_watch(f->dom0, "/w", write_back, &c, NULL), 0);
	/* Each round causes the next; none recurses and none runs for ever. */
	for (unsigned int i = 1; i < 10; i++) {
		xst_store_dispatch(f->store);
		assert_int_equal(c.calls, i);
	}
}

static void callbacks_that_free(void **state)
{
	struct xs_fixture *f = *state;
	struct xst_conn *conn = xst_conn_new(f->store, 0, NULL, NULL);
	struct counter a = { .conn = conn }, b = { .conn = conn };

	assert_int_equal(xst_watch(conn, "/w", remove_itself, &a, &a.watch), 0);
	assert_int_equal(xst_watch(conn, "/w", free_connection, &b, &b.watch), 0);
	xs_put(conn, 0, "/w/x", "1");
	xst_store_dispatch(f->store);
	xst_store_dispatch(f->store);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
}

static unsigned int outputs;

static void count_output(struct xst_conn *conn, void *opaque)
{
	(void)opaque;
	outputs++;
	if (outputs == 3)
		xst_conn_free(conn);
}

static void output_callback(void **state)
{
	static const struct xst_conn_ops ops = { .output = count_output };
	struct xs_fixture *f = *state;
	struct xst_conn *conn = xst_conn_new(f->store, 0, &ops, NULL);

	outputs = 0;
	xs_send(conn, XS_WATCH, 0, LIT("/w\0tok"));
	assert_int_equal(outputs, 0);
	xst_store_dispatch(f->store);
	assert_int_equal(outputs, 1);
	xst_store_dispatch(f->store);
	assert_int_equal(outputs, 1);
	/* A client whose rim read everything already is not disturbed. */
	xs_put(f->dom0, 0, "/w", "x");
	xs_expect(conn, XS_WATCH, 0, LIT("OK"));
	xs_event(conn, "/w\0tok");
	xst_store_dispatch(f->store);
	assert_int_equal(outputs, 1);
	xs_put(f->dom0, 0, "/w", "x");
	xst_store_dispatch(f->store);
	assert_int_equal(outputs, 2);
	xs_put(f->dom0, 0, "/w/x", "x");
	xst_store_dispatch(f->store);
	assert_int_equal(outputs, 3);
	xs_put(f->dom0, 0, "/w", "x");
	xst_store_dispatch(f->store);
	assert_int_equal(outputs, 3);
}

/* ns of our own processor time that a write to a path of @levels takes, the least of several */
static uint64_t write_cost(struct xst_conn *conn, unsigned int levels)
{
	char path[XST_PATH_BUF] = "";
	uint64_t least = UINT64_MAX;

	for (unsigned int i = 0; i < levels; i++)
		strcat(path, "/a");
	for (int i = 0; i < 20; i++) {
		struct timespec start, end;
		uint64_t ns;

		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
		assert_int_equal(xst_write(conn, XST_NO_TX, path, "x", 1), 0);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
		ns = (end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec;
		least = ns < least ? ns : least;
	}
	return least;
}

/* Ten times as long a path costs ten times as much, not a hundred times. */
static void long_paths(void **state)
{
	struct xs_fixture *f = *state;
	uint64_t cost;

	xs_ok(f->tool, XS_WATCH, 0, LIT("/w\0tok"));
	cost = write_cost(f->dom0, 100);
	assert_true(write_cost(f->dom0, 1000) < 30 * cost);
}

/* The watches of every level find their hash. */
static void watches_at_all_levels(void **state)
{
	struct xs_fixture *f = *state;

	xs_ok(f->tool, XS_WATCH, 0, LIT("/\0000"));
	xs_event(f->tool, "/\0000");
	xs_ok(f->tool, XS_WATCH, 0, LIT("/w\0001"));
	xs_event(f->tool, "/w\0001");
	xs_ok(f->tool, XS_WATCH, 0, LIT("/w/a\0002"));
	xs_event(f->tool, "/w/a\0002");
	xs_ok(f->tool, XS_WATCH, 0, LIT("/w/a/bc\0003"));
	xs_event(f->tool, "/w/a/bc\0003");
	xs_ok(f->tool, XS_WATCH, 0, LIT("/w/a/bc/d\0004"));
	xs_event(f->tool, "/w/a/bc/d\0004");
	xs_put(f->dom0, 0, "/w/a/bc/d", "x");
	xs_event(f->tool, "/w/a/bc/d\0000");
	xs_event(f->tool, "/w/a/bc/d\0001");
	xs_event(f->tool, "/w/a/bc/d\0002");
	xs_event(f->tool, "/w/a/bc/d\0003");
	xs_event(f->tool, "/w/a/bc/d\0004");
	xs_expect_nothing(f->tool);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, xs_setup, xs_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(first_event_and_order),
		CASE(several_watches),
		CASE(relative_watches),
		CASE(removed_above),
		CASE(nothing_leaks),
		CASE(nothing_leaks_from_transactions),
		CASE(special_events),
		CASE(equal_events_merge),
		CASE(unwatch_drops_unread_events),
		cmocka_unit_test(callbacks),
		CASE(callbacks_that_write),
		CASE(callbacks_that_free),
		CASE(output_callback),
		CASE(long_paths),
		CASE(watches_at_all_levels),
	};

	return cmocka_run_group_tests_name("xs_watch", tests, NULL, NULL);
}
