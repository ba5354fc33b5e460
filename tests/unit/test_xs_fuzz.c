// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Garbage on the wire, from several clients at once, with the store's invariants checked all the
 * time. XS_FUZZ_ROUNDS and XS_FUZZ_SEED in the environment choose a longer or another run.
 */
#include "tests/unit/xs_test.h"

#define CLIENTS 5

static uint64_t seed = 20240229;

/* Well-formed bodies that together reach everything; '|' stands for a NUL byte */
static const char *const bodies[] = {
	"|",
	"",
	"T|",
	"F|",
	"/|",
	"data|",
	"data/a|value",
	"data/a/b/c/d|",
	"data/b|w|tok|",
	"/local/domain/1/data|",
	"/local/domain/2/data/x|y",
	"data|n1|r2|b3|",
	"data/a|n2|",
	"data/a|r1|",
	"/local|tok|",
	"data|tok|",
	"data/a|tok|",
	"@releaseDomain|tok|",
	"@introduceDomain|n0|r1|",
	"data|0|",
	"data|5|",
	"1|2|",
	"2|",
	"7|1|1|",
	"help|",
	"check|",
	"quota|1|",
	"/local/domain/3/data/deep/er/and/deep/er|",
};

static size_t make_body(char *body)
{
	size_t len = 0, edits;
	const char *text;

	text = bodies[xs_random(&seed, sizeof(bodies) / sizeof(bodies[0]))];
	for (; text[len]; len++)
		body[len] = text[len] == '|' ? '\0' : text[len];
	for (edits = xs_random(&seed, 8) ? 0 : 1 + xs_random(&seed, 4); edits; edits--) {
		switch (xs_random(&seed, 4)) {
		case 0:
			if (len)
				body[xs_random(&seed, len)] = xs_random(&seed, 256);
			break;
		case 1:
			len = xs_random(&seed, len + 1);
			break;
		case 2:
			while (len < XENSTORE_PAYLOAD_MAX && xs_random(&seed, 300))
				body[len++] = "/a\0-n"[xs_random(&seed, 5)];
			break;
		case 3:
			if (len)
				body[xs_random(&seed, len)] = '/';
			break;
		}
	}
	return len;
}

static const uint32_t types[] = {
	XS_DIRECTORY,
	XS_READ,
	XS_WRITE,
	XS_WRITE,
	XS_MKDIR,
	XS_RM,
	XS_GET_PERMS,
	XS_SET_PERMS,
	XS_WATCH,
	XS_WATCH,
	XS_UNWATCH,
	XS_TRANSACTION_START,
	XS_TRANSACTION_START,
	XS_DIRECTORY_PART,
	XS_TRANSACTION_END,
	XS_TRANSACTION_END,
	XS_TRANSACTION_END,
	XS_GET_DOMAIN_PATH,
	XS_CONTROL,
	XS_SET_TARGET,
	XS_RESUME,
	XS_RELEASE,
	XS_INTRODUCE,
	XS_IS_DOMAIN_INTRODUCED,
};

static void send_request(struct xst_conn *conn)
{
	char body[XENSTORE_PAYLOAD_MAX];
	struct xsd_sockmsg hdr = { .req_id = xs_random(&seed, 1000) };
	ptrdiff_t ret;

	hdr.type = types[xs_random(&seed, sizeof(types) / sizeof(types[0]))];
	if (!xs_random(&seed, 500))
		hdr.type = XS_RESET_WATCHES;
	else if (!xs_random(&seed, 200))
		hdr.type = xs_random(&seed, 40);
	if (xs_random(&seed, 2) && !xst_list_empty(&conn->transactions)) {
		/* The number is behind the link and nobody else's business: try what was given out. */
		hdr.tx_id = conn->store->last_tx - xs_random(&seed, 12);
	}
	hdr.len = make_body(body);
	if (!xs_random(&seed, 5000))
		hdr.len = XENSTORE_PAYLOAD_MAX + 1 + xs_random(&seed, 1000000);
	ret = xst_conn_input(conn, &hdr, sizeof(hdr));
	if (ret >= 0 && hdr.len)
		ret = xst_conn_input(conn, body, hdr.len);
	if (ret < 0) {
		assert_int_equal(ret, -EPROTO);
		xst_conn_reset(conn);
	}
}

/* Everything that comes out must be a message. */
static unsigned int drain(struct xst_conn *conn)
{
	struct xs_message msg;
	unsigned int answers = 0;

	while (xs_receive(conn, &msg)) {
		assert_in_range(msg.hdr.type, 0, XS_TYPE_COUNT - 1);
		if (msg.hdr.type == XS_ERROR)
			assert_int_equal(msg.body[0], 'E');
		answers += msg.hdr.type != XS_WATCH_EVENT;
	}
	return answers;
}

static unsigned int from_environment(const char *name, unsigned int otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}

static void mutated_requests(void **state)
{
	unsigned int rounds = from_environment("XS_FUZZ_ROUNDS", 100000), answers = 0;
	struct xs_fixture *f = *state;
	struct xst_conn *conn[CLIENTS] = { f->guest[0], f->guest[1], f->guest[2], f->tool,
					   xst_conn_new(f->store, 1, &xs_wire_ops, NULL) };

	seed = from_environment("XS_FUZZ_SEED", 20240229);
	for (unsigned int i = 0; i < rounds; i++) {
		unsigned int n = xs_random(&seed, CLIENTS);

		/* The third guest reads seldom. */
		if (!xst_conn_wants_input(conn[n]) || xs_random(&seed, n == 2 ? 400 : 4) == 0)
			answers += drain(conn[n]);
		send_request(conn[n]);
		if (!xs_random(&seed, 100))
			xst_store_dispatch(f->store);
		if (!xs_random(&seed, 500))
			xs_verify(f->store);
		if (!xs_random(&seed, 10000)) {
			xst_conn_free(conn[4]);
			conn[4] = xst_conn_new(f->store, 1, &xs_wire_ops, NULL);
		}
	}
	for (unsigned int n = 0; n < CLIENTS; n++)
		answers += drain(conn[n]);
	assert_in_range(answers, rounds / 2, rounds);
}

/* No framing at all: the stream dies of a long message sooner or later, nothing else does. */
static void random_bytes(void **state)
{
	struct xs_fixture *f = *state;
	char bytes[4096];

	for (unsigned int i = 0; i < 2000; i++) {
		size_t len = 1 + xs_random(&seed, sizeof(bytes));

		for (size_t j = 0; j < len; j++)
			bytes[j] = xs_random(&seed, 4) ? 0 : xs_random(&seed, 256);
		if (xst_conn_input(f->guest[0], bytes, len) < 0)
			xst_conn_reset(f->guest[0]);
		drain(f->guest[0]);
	}
}

/* A domain dies and another one gets its number, while everybody goes on. */
static void dying_domains(void **state)
{
	struct xs_fixture *f = *state;

	for (unsigned int i = 0; i < 300; i++) {
		unsigned int n = xs_random(&seed, 3);

		for (unsigned int j = 0; j < 30; j++) {
			struct xst_conn *conn = f->guest[xs_random(&seed, 3)];

			send_request(conn);
			drain(conn);
		}
		xst_conn_free(f->guest[n]);
		assert_int_equal(xst_domain_destroy(f->store, n + 1), 0);
		xs_verify(f->store);
		assert_int_equal(xst_domain_find(f->store, n + 1)->usage.nodes, 0);
		assert_int_equal(xst_domain_find(f->store, n + 1)->usage.memory, 0);
		xs_add_home(f->dom0, n + 1);
		assert_int_equal(xst_domain_introduce(f->store, n + 1), 0);
		f->guest[n] = xst_conn_new(f->store, n + 1, &xs_wire_ops, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(mutated_requests, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(random_bytes, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(dying_domains, xs_setup, xs_teardown),
	};

	return cmocka_run_group_tests_name("xs_fuzz", tests, NULL, NULL);
}
