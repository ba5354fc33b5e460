// SPDX-License-Identifier: GPL-2.0-or-later
/* struct xst_limits: what a guest cannot exceed, and that domain 0 can. */
#include <malloc.h>

#include "tests/unit/xs_test.h"

static int write_n(struct xst_conn *conn, uint32_t tx, const char *dir, unsigned int n)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/n%u", dir, n);
	return xst_write(conn, tx, path, "v", 1);
}

/* A directory's list of names is limited too: spread the nodes. */
static int fill(struct xst_conn *conn, uint32_t tx, const char *base, unsigned int count)
{
	char dir[48];
	int ret = 0;

	for (unsigned int i = 0; !ret && i < count; i++) {
		snprintf(dir, sizeof(dir), "%s/d%u", base, i / 100);
		ret = write_n(conn, tx, dir, i);
	}
	return ret;
}

static void nodes(void **state)
{
	struct xs_fixture *f = *state;
	struct xst_domain *domain = xst_domain_find(f->store, 1);
	int64_t memory;

	assert_int_equal(domain->usage.nodes, 1);
	memory = domain->usage.memory;
	assert_int_equal(fill(f->guest[0], 0, "data", 2000), -ENOSPC);
	assert_int_equal(domain->usage.nodes, 1000);
	xs_verify(f->store);
	/* What is there can be changed, and what was removed gives room. */
	assert_int_equal(write_n(f->guest[0], 0, "data/d0", 0), 0);
	assert_int_equal(write_n(f->guest[0], 0, "data/d0", 5000), -ENOSPC);
	assert_int_equal(xst_rm(f->guest[0], 0, "data/d0/n0"), 0);
	assert_int_equal(write_n(f->guest[0], 0, "data/d0", 5000), 0);
	/* A path of many new nodes counts as many: all or none. */
	assert_int_equal(xst_rm(f->guest[0], 0, "data/d0/n5000"), 0);
	assert_int_equal(xst_mkdir(f->guest[0], 0, "data/d0/a/b"), -ENOSPC);
	assert_int_equal(xst_exists(f->dom0, 0, "/local/domain/1/data/d0/a"), 0);
	assert_int_equal(fill(f->dom0, 0, "/local/domain/1/data/more", 2000), 0);
	assert_int_equal(xst_rm(f->dom0, 0, "/local/domain/1/data"), 0);
	assert_int_equal(domain->usage.nodes, 0);
	assert_true(domain->usage.memory < memory);
	assert_int_equal(fill(f->dom0, 0, "/free", 3000), 0);
}

static void nodes_in_transactions(void **state)
{
	struct xs_fixture *f = *state;
	struct xst_domain *domain = xst_domain_find(f->store, 1);
	uint32_t one, two;

	assert_int_equal(xst_transaction_start(f->guest[0], &one), 0);
	assert_int_equal(xst_transaction_start(f->guest[0], &two), 0);
	assert_int_equal(fill(f->guest[0], one, "data/one", 600), 0);
	assert_int_equal(fill(f->guest[0], two, "data/two", 1100), -ENOSPC);
	assert_int_equal(xst_transaction_end(f->guest[0], two, false), 0);
	assert_int_equal(xst_transaction_start(f->guest[0], &two), 0);
	assert_int_equal(fill(f->guest[0], two, "data/two", 450), 0);
	assert_int_equal(xst_transaction_end(f->guest[0], one, true), 0);
	/* Together they are too much: the second one has to look again. */
	assert_int_equal(xst_transaction_end(f->guest[0], two, true), -EAGAIN);
	assert_int_equal(domain->usage.nodes, 1 + 1 + 6 + 600);
	xs_verify(f->store);
	assert_int_equal(xst_transaction_start(f->guest[0], &two), 0);
	assert_int_equal(fill(f->guest[0], two, "data/two", 450), -ENOSPC);
}

static void node_size(void **state)
{
	struct xs_fixture *f = *state;
	char value[2100] = "";

	memset(value, 'v', sizeof(value));
	assert_int_equal(xst_write(f->guest[0], 0, "data/x", value, 2048 - 24 - 8), -ENOSPC);
	assert_int_equal(xst_write(f->guest[0], 0, "data/x", value, 2048 - 24 - 8 - 1), 0);
	assert_int_equal(xst_write(f->guest[0], 0, "data/x", value, 2100), -ENOSPC);
	assert_int_equal(xst_mkdir(f->guest[0], 0, "data/x/y"), -ENOSPC);
	assert_int_equal(xst_write(f->dom0, 0, "/local/domain/1/data/x", value, 2100), 0);
	assert_int_equal(xst_mkdir(f->dom0, 0, "/local/domain/1/data/x/y"), 0);
}

static void permission_entries(void **state)
{
	struct xst_perm perms[6] = { { 1, 0 } };
	struct xs_fixture *f = *state;

	assert_int_equal(xst_set_perms(f->guest[0], 0, "data", perms, 6), -ENOSPC);
	assert_int_equal(xst_set_perms(f->guest[0], 0, "data", perms, 5), 0);
	assert_int_equal(xst_set_perms(f->dom0, 0, "/local/domain/1/data", perms, 6), 0);
}

static void watches(void **state)
{
	struct xs_fixture *f = *state;
	char body[32];

	for (unsigned int i = 0; i < 130; i++) {
		int len = snprintf(body, sizeof(body), "w%u%ct%u", i, 0, i) + 1;

		if (i < 128) {
			xs_ok(f->guest[0], XS_WATCH, 0, body, len);
			body[strlen(body)] = '\0';
			xs_expect(f->guest[0], XS_WATCH_EVENT, 0, body, len);
			xs_ok(f->tool, XS_WATCH, 0, body, len);
			xs_expect(f->tool, XS_WATCH_EVENT, 0, body, len);
		} else {
			xs_fails(f->guest[0], XS_WATCH, 0, body, len, "E2BIG");
			xs_ok(f->tool, XS_WATCH, 0, body, len);
			xs_expect(f->tool, XS_WATCH_EVENT, 0, body, len);
		}
	}
	xs_ok(f->guest[0], XS_UNWATCH, 0, LIT("w0\0t0"));
	xs_ok(f->guest[0], XS_WATCH, 0, body, strlen(body) + 6);
}

static void transactions(void **state)
{
	struct xs_fixture *f = *state;
	uint32_t tx, first;

	assert_int_equal(xst_transaction_start(f->guest[0], &first), 0);
	for (unsigned int i = 1; i < 10; i++)
		assert_int_equal(xst_transaction_start(f->guest[0], &tx), 0);
	assert_int_equal(xst_transaction_start(f->guest[0], &tx), -ENOSPC);
	assert_int_equal(xst_transaction_end(f->guest[0], first, true), 0);
	assert_int_equal(xst_transaction_start(f->guest[0], &tx), 0);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(xst_transaction_start(f->dom0, &tx), 0);
}

static void accessed_nodes(void **state)
{
	struct xs_fixture *f = *state;
	char path[32];
	uint32_t tx;
	int ret = 0;
	unsigned int i;

	assert_int_equal(xst_transaction_start(f->guest[0], &tx), 0);
	for (i = 0; !ret && i < 2000; i++) {
		snprintf(path, sizeof(path), "none%u", i);
		ret = xst_exists(f->guest[0], tx, path);
	}
	assert_int_equal(ret, -ENOSPC);
	assert_int_equal(i, 1025);
	assert_int_equal(xst_exists(f->guest[0], tx, "none0"), 0);
	assert_int_equal(xst_transaction_start(f->dom0, &tx), 0);
	for (i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "none%u", i);
		assert_int_equal(xst_exists(f->dom0, tx, path), 0);
	}
}

/* The same node again and again, inside a transaction: the log is what grows. */
static void transaction_memory(void **state)
{
	struct xst_domain *domain;
	struct xs_fixture *f = *state;
	char value[1500] = "";
	uint32_t tx;
	int ret = 0;
	unsigned int i;

	domain = xst_domain_find(f->store, 1);
	assert_int_equal(xst_transaction_start(f->guest[0], &tx), 0);
	for (i = 0; !ret && i < 10000; i++)
		ret = xst_write(f->guest[0], tx, "data/x", value, sizeof(value));
	assert_int_equal(ret, -ENOSPC);
	assert_in_range(i, 1000, 2000);
	assert_true(domain->usage.memory <= (int64_t)f->store->limits.memory);
	assert_int_equal(xst_transaction_end(f->guest[0], tx, true), 0);
	xs_verify(f->store);
	assert_true(domain->usage.memory < 4096);
}

/* A client that sends and does not read is not served for ever. */
static void unread_replies(void **state)
{
	struct xsd_sockmsg hdr = { XS_READ, 1, 0, sizeof("data/v") };
	struct xs_fixture *f = *state;
	struct xs_message msg;
	char value[2000] = "";
	unsigned int sent = 0, received = 0;

	assert_int_equal(xst_write(f->guest[0], 0, "data/v", value, sizeof(value)), 0);
	while (xst_conn_wants_input(f->guest[0])) {
		assert_int_equal(xst_conn_input(f->guest[0], &hdr, sizeof(hdr)), sizeof(hdr));
		xst_conn_input(f->guest[0], "data/v", sizeof("data/v"));
		assert_in_range(++sent, 0, 20);
	}
	assert_int_equal(xst_conn_input(f->guest[0], &hdr, sizeof(hdr)), 0);
	assert_true(xs_receive(f->guest[0], &msg));
	assert_int_equal(xst_conn_wants_input(f->guest[0]), sizeof(hdr));
	for (received = 1; xs_receive(f->guest[0], &msg); received++)
		assert_int_equal(msg.hdr.len, sizeof(value));
	assert_int_equal(received, sent);
}

/* A client that does not read while others change what it watches */
static void unread_events(void **state)
{
	struct xs_fixture *f = *state;
	struct xst_conn *conns[] = { f->guest[0], f->tool };
	struct xs_message msg;
	char path[64];
	size_t before;

	for (unsigned int i = 0; i < 2; i++) {
		xs_send(conns[i], XS_WATCH, 0, LIT("/local/domain/1\0t"));
		xs_expect(conns[i], XS_WATCH, 0, LIT("OK"));
		xs_event(conns[i], "/local/domain/1\0t");
	}
	before = mallinfo2().uordblks;
	for (unsigned int i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "/local/domain/1/data/%u", i);
		xs_put(f->dom0, 0, path, "");
		assert_int_equal(xst_rm(f->dom0, 0, path), 0);
	}
	assert_int_equal(f->guest[0]->events, 1024 + 1);
	assert_int_equal(f->tool->events, 4096 + 1);
	assert_true(mallinfo2().uordblks < before + 4 * 1024 * 1024);
	/* What was merged is told by the last event, which names the watched path. */
	for (unsigned int i = 0; i < 1024; i++) {
		assert_true(xs_receive(f->guest[0], &msg));
		snprintf(path, sizeof(path), "/local/domain/1/data/%u", i);
		assert_string_equal(msg.body, path);
	}
	xs_event(f->guest[0], "/local/domain/1\0t");
	xs_expect_nothing(f->guest[0]);
}

/* Hostile neighbours do not keep an honest client from committing what is its own. */
static void fair_transactions(void **state)
{
	struct xs_fixture *f = *state;
	uint32_t tx, other;

	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(xst_transaction_start(f->guest[0], &tx), 0);
		xs_see(f->guest[0], tx, "data", "");
		assert_int_equal(write_n(f->guest[0], tx, "data", i), 0);
		for (unsigned int h = 1; h < 3; h++) {
			assert_int_equal(write_n(f->guest[h], 0, "data", i), 0);
			assert_int_equal(xst_transaction_start(f->guest[h], &other), 0);
			assert_int_equal(write_n(f->guest[h], other, "data", 100 + i), 0);
			assert_int_equal(xst_transaction_end(f->guest[h], other, true), 0);
		}
		assert_int_equal(xst_transaction_end(f->guest[0], tx, true), 0);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, xs_setup, xs_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nodes),
		CASE(nodes_in_transactions),
		CASE(node_size),
		CASE(permission_entries),
		CASE(watches),
		CASE(transactions),
		CASE(accessed_nodes),
		CASE(transaction_memory),
		CASE(unread_replies),
		CASE(unread_events),
		CASE(fair_transactions),
	};

	return cmocka_run_group_tests_name("xs_limits", tests, NULL, NULL);
}
