/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the store's tests share: a store with a few clients, and requests on the wire. */
#ifndef TESTS_UNIT_XS_TEST_H
#define TESTS_UNIT_XS_TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xenstore/internal.h"

/* A string literal with its NUL bytes, the last one included, and its length */
#define LIT(s) (s), sizeof(s)
/* The same without the last NUL byte */
#define RAW(s) (s), sizeof(s) - 1

static inline void xs_no_output(struct xst_conn *conn, void *opaque)
{
	(void)conn;
	(void)opaque;
}

static const struct xst_conn_ops xs_wire_ops = { .output = xs_no_output };

/* dom0: in-process; tool: domain 0 on the wire; guest[n]: domain n + 1 on the wire */
struct xs_fixture {
	struct xst_store *store;
	struct xst_conn *dom0, *tool, *guest[3];
};

static inline void xs_verify(struct xst_store *store)
{
	const char *why = NULL;

	if (xst_store_check(store, &why))
		fail_msg("store is inconsistent: %s", why);
}

/* What a toolstack does for a domain: a home that it may read, with a directory of its own. */
static inline void xs_add_home(struct xst_conn *dom0, domid_t domid)
{
	char home[XST_HOME_MAX], own[XST_HOME_MAX + 8];
	struct xst_perm perms[] = { { 0, XST_PERM_NONE }, { domid, XST_PERM_READ } };
	struct xst_perm owner = { domid, XST_PERM_NONE };

	xst_domain_home(domid, home);
	snprintf(own, sizeof(own), "%s/data", home);
	assert_int_equal(xst_mkdir(dom0, 0, home), 0);
	assert_int_equal(xst_set_perms(dom0, 0, home, perms, 2), 0);
	assert_int_equal(xst_mkdir(dom0, 0, own), 0);
	assert_int_equal(xst_set_perms(dom0, 0, own, &owner, 1), 0);
}

static inline int xs_setup_limits(void **state, const struct xst_limits *limits)
{
	struct xs_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->store = xst_store_new(NULL, NULL, limits);
	assert_non_null(f->store);
	f->dom0 = xst_conn_new(f->store, 0, NULL, NULL);
	f->tool = xst_conn_new(f->store, 0, &xs_wire_ops, NULL);
	for (unsigned int i = 0; i < 3; i++) {
		xs_add_home(f->dom0, i + 1);
		assert_int_equal(xst_domain_introduce(f->store, i + 1), 0);
		f->guest[i] = xst_conn_new(f->store, i + 1, &xs_wire_ops, NULL);
	}
	*state = f;
	return 0;
}

static inline int xs_setup(void **state)
{
	return xs_setup_limits(state, NULL);
}

static inline int xs_teardown(void **state)
{
	struct xs_fixture *f = *state;

	xs_verify(f->store);
	xst_store_free(f->store);
	free(f);
	return 0;
}

/* ---- the wire ---- */

static inline void xs_send(struct xst_conn *conn, uint32_t type, uint32_t tx, const void *body,
			   size_t len)
{
	struct xsd_sockmsg hdr = { .type = type, .req_id = 77, .tx_id = tx, .len = len };

	assert_int_equal(xst_conn_input(conn, &hdr, sizeof(hdr)), sizeof(hdr));
	assert_int_equal(xst_conn_input(conn, body, len), len);
}

struct xs_message {
	struct xsd_sockmsg hdr;
	char body[2 * XENSTORE_PAYLOAD_MAX];
};

/* Take the next message; false if there is none. */
static inline bool xs_receive(struct xst_conn *conn, struct xs_message *msg)
{
	const void *data;
	size_t len;

	len = xst_conn_peek(conn, &data);
	if (!len)
		return false;
	memset(msg, 0, sizeof(*msg));
	assert_in_range(len, sizeof(msg->hdr), sizeof(msg->hdr) + XENSTORE_PAYLOAD_MAX);
	memcpy(msg, data, len);
	assert_int_equal(msg->hdr.len, len - sizeof(msg->hdr));
	xst_conn_consume(conn, len);
	return true;
}

static inline void xs_expect(struct xst_conn *conn, uint32_t type, uint32_t tx, const void *body,
			     size_t len)
{
	struct xs_message msg;

	assert_true(xs_receive(conn, &msg));
	if (msg.hdr.type != type)
		fail_msg("answer of type %u, not %u: %s", msg.hdr.type, type, msg.body);
	assert_int_equal(msg.hdr.req_id, type == XS_WATCH_EVENT ? 0 : 77);
	assert_int_equal(msg.hdr.tx_id, tx);
	assert_int_equal(msg.hdr.len, len);
	assert_memory_equal(msg.body, body, len);
}

static inline void xs_expect_nothing(struct xst_conn *conn)
{
	struct xs_message msg;

	if (xs_receive(conn, &msg))
		fail_msg("unexpected message of type %u: %s", msg.hdr.type, msg.body);
}

/* A request that must succeed with this answer */
static inline void xs_call(struct xst_conn *conn, uint32_t type, uint32_t tx, const void *body,
			   size_t len, const void *answer, size_t answer_len)
{
	xs_send(conn, type, tx, body, len);
	xs_expect(conn, type, tx, answer, answer_len);
}

/* A request that must succeed with "OK" */
static inline void xs_ok(struct xst_conn *conn, uint32_t type, uint32_t tx, const void *body,
			 size_t len)
{
	xs_call(conn, type, tx, body, len, LIT("OK"));
}

/* A request that must fail with this error */
static inline void xs_fails(struct xst_conn *conn, uint32_t type, uint32_t tx, const void *body,
			    size_t len, const char *error)
{
	xs_send(conn, type, tx, body, len);
	xs_expect(conn, XS_ERROR, tx, error, strlen(error) + 1);
}

/* The next message must be this event: path NUL token */
#define xs_event(conn, body) xs_expect(conn, XS_WATCH_EVENT, 0, LIT(body))

static inline uint32_t xs_begin(struct xst_conn *conn)
{
	struct xs_message msg;

	xs_send(conn, XS_TRANSACTION_START, 0, LIT(""));
	assert_true(xs_receive(conn, &msg));
	assert_int_equal(msg.hdr.type, XS_TRANSACTION_START);
	return strtoul(msg.body, NULL, 10);
}

/* ---- callers in this process ---- */

static inline void xs_put(struct xst_conn *conn, uint32_t tx, const char *path, const char *value)
{
	assert_int_equal(xst_write(conn, tx, path, value, strlen(value)), 0);
}

/* NULL: the node must not exist */
static inline void xs_see(struct xst_conn *conn, uint32_t tx, const char *path, const char *value)
{
	char *have = NULL;
	int ret = xst_read_str(conn, tx, path, NULL, &have);

	if (!value) {
		assert_int_equal(ret, -ENOENT);
		return;
	}
	assert_int_equal(ret, 0);
	assert_string_equal(have, value);
	free(have);
}

/* A repeatable pseudo-random number below @below (xorshift) */
static inline uint32_t xs_random(uint64_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (*seed >> 11) % below;
}

#endif /* TESTS_UNIT_XS_TEST_H */
