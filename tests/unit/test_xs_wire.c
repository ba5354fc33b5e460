// SPDX-License-Identifier: GPL-2.0-or-later
/* xenstore/wire.c and conn.c: answers byte by byte, framing, and what each client may ask for. */
#include "tests/unit/xs_test.h"

static void read_and_write(void **state)
{
	struct xs_fixture *f = *state;

	xs_fails(f->tool, XS_READ, 0, LIT("/a"), "ENOENT");
	xs_ok(f->tool, XS_WRITE, 0, RAW("/a\0value"));
	xs_call(f->tool, XS_READ, 0, LIT("/a"), RAW("value"));
	xs_ok(f->tool, XS_WRITE, 0, RAW("/a\0with\0nul\0"));
	xs_call(f->tool, XS_READ, 0, LIT("/a"), RAW("with\0nul\0"));
	xs_ok(f->tool, XS_WRITE, 0, RAW("/a\0"));
	xs_call(f->tool, XS_READ, 0, LIT("/a"), RAW(""));
	xs_fails(f->tool, XS_READ, 0, RAW("/a"), "EINVAL");
	xs_fails(f->tool, XS_READ, 0, LIT("/a\0/b"), "EINVAL");
	xs_fails(f->tool, XS_READ, 0, RAW(""), "EINVAL");
	xs_fails(f->tool, XS_READ, 0, LIT(""), "EINVAL");
	xs_fails(f->tool, XS_READ, 0, LIT("/a/"), "EINVAL");
	xs_fails(f->tool, XS_READ, 0, LIT("@releaseDomain"), "EINVAL");
	xs_fails(f->tool, XS_WRITE, 0, RAW("/a"), "EINVAL");
	xs_fails(f->tool, XS_WRITE, 0, RAW("/a b\0x"), "EINVAL");
	/* A whole payload: 5 bytes of path, 4091 of value */
	char whole[XENSTORE_PAYLOAD_MAX] = "/big";
	memset(whole + 5, 'v', sizeof(whole) - 5);
	xs_ok(f->tool, XS_WRITE, 0, whole, sizeof(whole));
	xs_call(f->tool, XS_READ, 0, LIT("/big"), whole + 5, sizeof(whole) - 5);
}

static void directories(void **state)
{
	struct xs_fixture *f = *state;

	xs_ok(f->tool, XS_MKDIR, 0, LIT("/d/bb"));
	xs_ok(f->tool, XS_MKDIR, 0, LIT("/d/a"));
	xs_call(f->tool, XS_DIRECTORY, 0, LIT("/d"), LIT("a\0bb"));
	xs_call(f->tool, XS_DIRECTORY, 0, LIT("/d/a"), RAW(""));
	xs_fails(f->tool, XS_DIRECTORY, 0, LIT("/none"), "ENOENT");
	xs_ok(f->tool, XS_RM, 0, LIT("/d/bb"));
	xs_ok(f->tool, XS_RM, 0, LIT("/d/bb"));
	xs_fails(f->tool, XS_RM, 0, LIT("/d/x/y"), "ENOENT");
	xs_fails(f->tool, XS_RM, 0, LIT("/"), "EINVAL");
	xs_fails(f->guest[0], XS_RM, 0, LIT("/"), "EACCES");
	xs_fails(f->guest[0], XS_MKDIR, 0, LIT("/x"), "EACCES");
	xs_fails(f->guest[0], XS_DIRECTORY, 0, LIT("/d"), "EACCES");
	xs_fails(f->guest[0], XS_DIRECTORY, 0, LIT("/none"), "EACCES");
}

/* A directory larger than a message is read in parts that are never torn by a change. */
static void directory_parts(void **state)
{
	struct xs_fixture *f = *state;
	char path[32], all[16384], req[64];
	size_t len = 0, want = 0, parts = 0;
	struct xs_message msg;
	char gen[32] = "";

	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/big/node%04u", i);
		xs_put(f->dom0, 0, path, "");
		want += 9;
	}
	xs_fails(f->tool, XS_DIRECTORY, 0, LIT("/big"), "E2BIG");
	for (;;) {
		size_t skip;

		snprintf(req, sizeof(req), "/big%c%zu", 0, len);
		xs_send(f->tool, XS_DIRECTORY_PART, 0, req, 5 + strlen(req + 5) + 1);
		assert_true(xs_receive(f->tool, &msg));
		assert_int_equal(msg.hdr.type, XS_DIRECTORY_PART);
		if (parts++)
			assert_string_equal(msg.body, gen);
		else
			strcpy(gen, msg.body);
		skip = strlen(gen) + 1;
		memcpy(all + len, msg.body + skip, msg.hdr.len - skip);
		len += msg.hdr.len - skip;
		/* The last part ends with an empty name. */
		if (!all[len - 1] && !all[len - 2])
			break;
		assert_in_range(msg.hdr.len, 4000, 4096);
	}
	assert_int_equal(len, want + 1);
	assert_int_equal(parts, 3);
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "node%04u", i);
		assert_string_equal(all + 9 * i, path);
	}
	xs_send(f->tool, XS_DIRECTORY_PART, 0,
		LIT("/big\0"
		    "999999"));
	assert_true(xs_receive(f->tool, &msg));
	assert_int_equal(msg.hdr.len, strlen(gen) + 2);
	/* The generation tells of a change of the list, and of the node. */
	xs_put(f->dom0, 0, "/big/new", "");
	xs_send(f->tool, XS_DIRECTORY_PART, 0,
		LIT("/big\0"
		    "0"));
	assert_true(xs_receive(f->tool, &msg));
	assert_string_not_equal(msg.body, gen);
	xs_fails(f->tool, XS_DIRECTORY_PART, 0, LIT("/big"), "EINVAL");
	xs_fails(f->tool, XS_DIRECTORY_PART, 0, LIT("/big\0x"), "EINVAL");
	xs_send(f->guest[0], XS_DIRECTORY_PART, 0,
		LIT("data\0"
		    "0"));
	assert_true(xs_receive(f->guest[0], &msg));
	assert_int_equal(msg.hdr.len, strlen(msg.body) + 2);
}

static void permissions(void **state)
{
	struct xs_fixture *f = *state;

	xs_ok(f->tool, XS_WRITE, 0, RAW("/p\0v"));
	xs_call(f->tool, XS_GET_PERMS, 0, LIT("/p"), LIT("n0"));
	xs_ok(f->tool, XS_SET_PERMS, 0, LIT("/p\0r1\0w2\0b3"));
	xs_call(f->tool, XS_GET_PERMS, 0, LIT("/p"), LIT("r1\0w2\0b3"));
	xs_call(f->guest[0], XS_READ, 0, LIT("/p"), RAW("v"));
	xs_fails(f->guest[1], XS_READ, 0, LIT("/p"), "EACCES");
	xs_fails(f->guest[1], XS_SET_PERMS, 0, LIT("/p\0n2"), "EACCES");
	xs_fails(f->guest[0], XS_SET_PERMS, 0, LIT("/p\0n2"), "EPERM");
	xs_fails(f->tool, XS_SET_PERMS, 0, LIT("/p"), "EINVAL");
	xs_fails(f->tool, XS_SET_PERMS, 0, LIT("/p\0x1"), "EINVAL");
	xs_fails(f->tool, XS_SET_PERMS, 0, LIT("/none\0n1"), "ENOENT");
	xs_fails(f->tool, XS_GET_PERMS, 0, LIT("/none"), "ENOENT");
	xs_fails(f->tool, XS_GET_PERMS, 0, RAW("/p"), "EINVAL");
}

static void transactions(void **state)
{
	struct xs_fixture *f = *state;
	uint32_t tx = xs_begin(f->guest[0]);

	xs_fails(f->guest[0], XS_TRANSACTION_START, tx, LIT(""), "EBUSY");
	xs_fails(f->guest[0], XS_TRANSACTION_START, tx + 1, LIT(""), "ENOENT");
	xs_fails(f->guest[0], XS_READ, tx + 1, LIT("data"), "ENOENT");
	xs_fails(f->guest[1], XS_READ, tx, LIT("data"), "ENOENT");
	xs_ok(f->guest[0], XS_WRITE, tx, RAW("data/x\0v"));
	xs_fails(f->guest[0], XS_READ, 0, LIT("data/x"), "ENOENT");
	xs_fails(f->guest[0], XS_TRANSACTION_END, tx, LIT("x"), "EINVAL");
	xs_fails(f->guest[0], XS_TRANSACTION_END, tx, RAW("T"), "EINVAL");
	xs_fails(f->guest[0], XS_TRANSACTION_END, 0, LIT("T"), "ENOENT");
	xs_ok(f->guest[0], XS_TRANSACTION_END, tx, LIT("T"));
	xs_call(f->guest[0], XS_READ, 0, LIT("data/x"), RAW("v"));
	xs_fails(f->guest[0], XS_TRANSACTION_END, tx, LIT("F"), "ENOENT");
	tx = xs_begin(f->guest[0]);
	xs_ok(f->guest[0], XS_WRITE, tx, RAW("data/x\0w"));
	xs_ok(f->guest[0], XS_WRITE, 0, RAW("data/x\0other"));
	xs_fails(f->guest[0], XS_TRANSACTION_END, tx, LIT("T"), "EAGAIN");
	tx = xs_begin(f->guest[0]);
	xs_ok(f->guest[0], XS_WRITE, tx, RAW("data/x\0w"));
	xs_ok(f->guest[0], XS_RESET_WATCHES, tx, LIT(""));
	xs_fails(f->guest[0], XS_TRANSACTION_END, tx, LIT("T"), "ENOENT");
	/* A watch ignores the transaction it is asked for in. */
	xs_ok(f->guest[0], XS_WATCH, 99, LIT("data\0t"));
	xs_event(f->guest[0], "data\0t");
}

static void domains(void **state)
{
	struct xs_fixture *f = *state;
	static const uint32_t privileged[] = { XS_CONTROL, XS_INTRODUCE,  XS_RELEASE,
					       XS_RESUME,  XS_SET_TARGET, XS_IS_DOMAIN_INTRODUCED };

	for (size_t i = 0; i < sizeof(privileged) / sizeof(privileged[0]); i++)
		xs_fails(f->guest[0], privileged[i], 0,
			 LIT("1\0"
			     "2\0"
			     "3"),
			 "EACCES");
	xs_call(f->guest[0], XS_GET_DOMAIN_PATH, 0, LIT("5"), LIT("/local/domain/5"));
	xs_call(f->guest[0], XS_GET_DOMAIN_PATH, 0, LIT("007"), LIT("/local/domain/7"));
	xs_fails(f->guest[0], XS_GET_DOMAIN_PATH, 0, LIT("x"), "EINVAL");
	xs_fails(f->guest[0], XS_GET_DOMAIN_PATH, 0, LIT("65536"), "EINVAL");
	xs_call(f->tool, XS_IS_DOMAIN_INTRODUCED, 0, LIT("1"), LIT("T"));
	xs_call(f->tool, XS_IS_DOMAIN_INTRODUCED, 0, LIT("0"), LIT("T"));
	xs_call(f->tool, XS_IS_DOMAIN_INTRODUCED, 0, LIT("9"), LIT("F"));
	xs_ok(f->tool, XS_RESUME, 0, LIT("1"));
	xs_fails(f->tool, XS_RESUME, 0, LIT("9"), "ENOENT");
	xs_ok(f->tool, XS_SET_TARGET, 0,
	      LIT("1\0"
		  "2"));
	xs_fails(f->tool, XS_SET_TARGET, 0,
		 LIT("1\0"
		     "9"),
		 "ENOENT");
	xs_fails(f->tool, XS_SET_TARGET, 0, LIT("1"), "EINVAL");
	/* This process gave no way to connect to rings. */
	xs_fails(f->tool, XS_INTRODUCE, 0,
		 LIT("9\0"
		     "1\0"
		     "1"),
		 "ENOSYS");
	xs_fails(f->tool, XS_INTRODUCE, 0,
		 LIT("0\0"
		     "1\0"
		     "1"),
		 "EINVAL");
	xs_fails(f->tool, XS_INTRODUCE, 0,
		 LIT("9\0"
		     "1"),
		 "EINVAL");
	xs_fails(f->tool, XS_RELEASE, 0, LIT("1"), "ENOSYS");
	xs_fails(f->tool, XS_RELEASE, 0, LIT("9"), "ENOENT");
}

struct embedder {
	unsigned int introduced, released;
	uint64_t gfn;
	char printed[32];
};

static int on_introduce(void *opaque, domid_t domid, uint64_t gfn, evtchn_port_t port)
{
	struct embedder *e = opaque;

	e->introduced++;
	e->gfn = gfn;
	return domid == 9 && port == 3 ? 0 : -EINVAL;
}

static int on_release(void *opaque, domid_t domid)
{
	struct embedder *e = opaque;

	e->released += domid;
	return 0;
}

static void on_print(void *opaque, const char *text)
{
	struct embedder *e = opaque;

	snprintf(e->printed, sizeof(e->printed), "%s", text);
}

static void embedding_process(void **state)
{
	static const struct xst_store_ops ops = {
		.introduce = on_introduce,
		.release = on_release,
		.print = on_print,
	};
	struct embedder e = { 0 };
	struct xst_store *store = xst_store_new(&ops, &e, NULL);
	struct xst_conn *tool = xst_conn_new(store, 0, &xs_wire_ops, NULL);

	(void)state;
	xs_ok(tool, XS_INTRODUCE, 0,
	      LIT("9\0"
		  "-2\0"
		  "3"));
	assert_true(e.gfn == (uint64_t)-2);
	/* More than a page number can be is refused, not cut off. */
	xs_fails(tool, XS_INTRODUCE, 0, LIT("9\0009223372036854775808\0003"), "EINVAL");
	xs_fails(tool, XS_INTRODUCE, 0, LIT("9\000-9223372036854775808\0003"), "EINVAL");
	xs_fails(tool, XS_INTRODUCE, 0, LIT("9\000-\0003"), "EINVAL");
	xs_fails(tool, XS_INTRODUCE, 0, LIT("9\000--1\0003"), "EINVAL");
	xs_fails(tool, XS_INTRODUCE, 0, LIT("9\0001\0004294967296"), "EINVAL");
	xs_fails(tool, XS_INTRODUCE, 0, LIT("65545\0001\0003"), "EINVAL");
	assert_int_equal(e.introduced, 1);
	assert_true(xst_domain_introduced(store, 9));
	xs_fails(tool, XS_INTRODUCE, 0,
		 LIT("8\0"
		     "1\0"
		     "3"),
		 "EINVAL");
	assert_false(xst_domain_introduced(store, 8));
	xs_ok(tool, XS_RELEASE, 0, LIT("9"));
	assert_int_equal(e.released, 9);
	assert_false(xst_domain_introduced(store, 9));
	xs_ok(tool, XS_CONTROL, 0, LIT("print\0hello"));
	assert_string_equal(e.printed, "hello");
	xst_store_free(store);
}

static void control(void **state)
{
	struct xs_fixture *f = *state;

	xs_call(f->tool, XS_CONTROL, 0, LIT("help"),
		LIT("help\ncheck\nprint <string>\nquota <domid>\n"));
	xs_ok(f->tool, XS_CONTROL, 0, LIT("check"));
	xs_ok(f->tool, XS_CONTROL, 0, LIT("print\0x"));
	xs_fails(f->tool, XS_CONTROL, 0, LIT("print"), "EINVAL");
	xs_fails(f->tool, XS_CONTROL, 0,
		 LIT("quota\0"
		     "99"),
		 "ENOENT");
	xs_fails(f->tool, XS_CONTROL, 0, LIT("live-update"), "EINVAL");
	xs_fails(f->tool, XS_CONTROL, 0, RAW(""), "EINVAL");
}

static void unknown_types(void **state)
{
	static const uint32_t types[] = { XS_WATCH_EVENT, XS_ERROR,   20 /* RESTRICT */,
					  XS_TYPE_COUNT,  XS_INVALID, UINT32_MAX };
	struct xs_fixture *f = *state;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		xs_fails(f->guest[0], types[i], 0, LIT("0"), "ENOSYS");
}

/* Every request, cut at every byte, is the same request. */
static void any_split(void **state)
{
	struct {
		struct xsd_sockmsg hdr[2];
		char body[14];
	} req = { { { XS_TRANSACTION_START, 77, 0, 0 }, { XS_WRITE, 77, 0, 14 } },
		  "data/split\0abc" };
	struct xs_fixture *f = *state;
	struct xst_conn *guest = f->guest[0];
	struct xs_message msg;

	for (size_t cut = 0; cut <= sizeof(req.hdr) + 14; cut++) {
		size_t at = 0, end = cut;

		for (unsigned int half = 0; half < 2; half++) {
			assert_int_equal(xst_conn_input(guest, (char *)&req + at, end - at),
					 end - at);
			at = end;
			end = sizeof(req.hdr) + 14;
		}
		assert_true(xs_receive(guest, &msg));
		assert_int_equal(msg.hdr.type, XS_TRANSACTION_START);
		xs_expect(guest, XS_WRITE, 0, LIT("OK"));
		xs_expect_nothing(guest);
		xs_see(f->dom0, 0, "/local/domain/1/data/split", "abc");
		xs_ok(guest, XS_RESET_WATCHES, 0, LIT(""));
	}
}

/* The answers too can be taken in any portions. */
static void partial_output(void **state)
{
	struct xs_fixture *f = *state;
	char bytes[64];
	const void *data;
	size_t len = 0;

	xs_send(f->tool, XS_GET_DOMAIN_PATH, 0, LIT("7"));
	xs_send(f->tool, XS_MKDIR, 0, LIT("/x"));
	while (xst_conn_peek(f->tool, &data)) {
		assert_in_range(len, 0, sizeof(bytes) - 1);
		memcpy(bytes + len++, data, 1);
		xst_conn_consume(f->tool, 1);
	}
	assert_int_equal(len, 16 + 16 + 16 + 3);
	assert_string_equal(bytes + 16, "/local/domain/7");
	assert_string_equal(bytes + 48, "OK");
}

static void wanted_bytes(void **state)
{
	struct xsd_sockmsg hdr = { XS_READ, 77, 0, 5 };
	struct xs_fixture *f = *state;

	assert_int_equal(xst_conn_wants_input(f->dom0), 0);
	assert_int_equal(xst_conn_wants_input(f->tool), 16);
	assert_int_equal(xst_conn_input(f->tool, &hdr, 3), 3);
	assert_int_equal(xst_conn_wants_input(f->tool), 13);
	assert_int_equal(xst_conn_input(f->tool, (char *)&hdr + 3, 13), 13);
	assert_int_equal(xst_conn_wants_input(f->tool), 5);
	assert_int_equal(xst_conn_input(f->tool, "/too", 5), 5);
	assert_int_equal(xst_conn_wants_input(f->tool), 16);
	xs_expect(f->tool, XS_ERROR, 0, LIT("ENOENT"));
}

static void over_long_payload(void **state)
{
	struct xsd_sockmsg hdr = { XS_READ, 77, 0, XENSTORE_PAYLOAD_MAX + 1 };
	struct xs_fixture *f = *state;
	struct xst_conn *guest = f->guest[0];

	xs_begin(guest);
	xs_ok(guest, XS_WATCH, 0, LIT("data\0t"));
	assert_int_equal(xst_conn_input(guest, &hdr, sizeof(hdr)), -EPROTO);
	assert_int_equal(xst_conn_wants_input(guest), 0);
	assert_int_equal(xst_conn_input(guest, &hdr, sizeof(hdr)), -EPROTO);
	/* Starting afresh forgets everything. */
	xst_conn_reset(guest);
	xs_expect_nothing(guest);
	xst_write(f->dom0, 0, "/local/domain/1/data", "", 0);
	xs_expect_nothing(guest);
	xs_call(guest, XS_READ, 0, LIT("data"), RAW(""));
	hdr.len = UINT32_MAX;
	assert_int_equal(xst_conn_input(guest, &hdr, sizeof(hdr)), -EPROTO);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, xs_setup, xs_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(read_and_write),
		CASE(directories),
		CASE(directory_parts),
		CASE(permissions),
		CASE(transactions),
		CASE(domains),
		cmocka_unit_test(embedding_process),
		CASE(control),
		CASE(unknown_types),
		CASE(any_split),
		CASE(partial_output),
		CASE(wanted_bytes),
		CASE(over_long_payload),
	};

	return cmocka_run_group_tests_name("xs_wire", tests, NULL, NULL);
}
