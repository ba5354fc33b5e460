// SPDX-License-Identifier: GPL-2.0-or-later
/* Each operation with each of its allocations failing: it happens completely or changes nothing. */
#include "tests/unit/xs_test.h"

/* Allocations that succeed before one fails; negative: all succeed. */
static int allowed = -1;
static bool failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool fails(void)
{
	if (allowed < 0 || allowed--)
		return false;
	failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

struct text {
	char s[8192];
	size_t len;
};

static int dump_node(void *arg, struct xst_node *node, struct xst_node *parent, const char *path)
{
	struct text *text = arg;

	(void)parent;
	text->len += snprintf(text->s + text->len, sizeof(text->s) - text->len, "%s=%.*s (", path,
			      (int)xst_node_len(node), node->value ? node->value->data : "");
	for (unsigned int i = 0; i < node->perms->count; i++)
		text->len += snprintf(text->s + text->len, sizeof(text->s) - text->len, "%u:%u ",
				      node->perms->entry[i].domid, node->perms->entry[i].access);
	text->len += snprintf(text->s + text->len, sizeof(text->s) - text->len, ")\n");
	assert_true(text->len < sizeof(text->s));
	return 0;
}

static void dump(struct xst_store *store, struct text *text)
{
	text->len = 0;
	xst_tree_visit(store->live.root, "/", dump_node, text);
}

/* ---- the operations; each gets a fresh fixture with some nodes, watches and an open snapshot ---- */

static uint32_t snapshot, edits;

static int op_write(struct xs_fixture *f)
{
	return xst_write(f->dom0, 0, "/a/b", "changed", 7);
}

static int op_create(struct xs_fixture *f)
{
	return xst_write(f->guest[0], 0, "data/new/and/deep", "new", 3);
}

static int op_create_owned(struct xs_fixture *f)
{
	struct xst_perm owner = { 44, XST_PERM_NONE };

	return xst_set_perms(f->dom0, 0, "/a/b", &owner, 1);
}

static int op_mkdir(struct xs_fixture *f)
{
	return xst_mkdir(f->dom0, 0, "/a/b/c/d");
}

static int op_rm(struct xs_fixture *f)
{
	return xst_rm(f->dom0, 0, "/a");
}

static int op_commit(struct xs_fixture *f)
{
	int ret = xst_transaction_end(f->dom0, edits, true);

	/* A transaction is over in any case. */
	if (ret)
		assert_int_equal(xst_transaction_end(f->dom0, edits, true), -ENOENT);
	return ret;
}

static int op_inside(struct xs_fixture *f)
{
	struct xst_perm perm = { 45, XST_PERM_NONE };
	int ret;

	ret = xst_write(f->dom0, edits, "/in/side", "x", 1);
	if (!ret)
		ret = xst_rm(f->dom0, edits, "/c");
	if (!ret)
		ret = xst_set_perms(f->dom0, edits, "/a", &perm, 1);
	return ret;
}

static int op_start(struct xs_fixture *f)
{
	uint32_t tx;

	return xst_transaction_start(f->guest[0], &tx);
}

static void ignore_event(void *opaque, const char *path)
{
	(void)opaque;
	(void)path;
}

static int op_watch(struct xs_fixture *f)
{
	return xst_watch(f->dom0, "/a", ignore_event, NULL, NULL);
}

static int op_read(struct xs_fixture *f)
{
	char **names = NULL, *value = NULL;
	struct xst_perm *perms = NULL;
	size_t count;
	int ret;

	ret = xst_read(f->dom0, 0, "/a/b", &value, NULL);
	if (!ret)
		ret = xst_directory(f->dom0, 0, "/", &names, &count);
	if (!ret)
		ret = xst_get_perms(f->dom0, 0, "/a", &perms, &count);
	free(value);
	free(names);
	free(perms);
	return ret;
}

static int op_wire(struct xs_fixture *f)
{
	struct xsd_sockmsg hdr = { XS_WRITE, 77, 0, 9 };
	struct xs_message msg;
	ptrdiff_t ret;

	xst_conn_input(f->tool, &hdr, sizeof(hdr));
	ret = xst_conn_input(f->tool, "/a/b\0wire", 9);
	if (ret < 0) {
		/* Carried out, but the answer was lost, and with it the connection. */
		assert_int_equal(ret, -ENOMEM);
		assert_int_equal(xst_conn_wants_input(f->tool), 0);
		xst_conn_reset(f->tool);
		return 0;
	}
	while (xs_receive(f->tool, &msg)) {
		if (msg.hdr.type == XS_ERROR) {
			assert_string_equal(msg.body, "ENOMEM");
			return -ENOMEM;
		}
	}
	return 0;
}

static int op_connect(struct xs_fixture *f)
{
	struct xst_conn *conn = xst_conn_new(f->store, 66, &xs_wire_ops, NULL);

	xst_conn_free(conn);
	return conn ? 0 : -ENOMEM;
}

static int op_introduce(struct xs_fixture *f)
{
	return xst_domain_introduce(f->store, 67);
}

static const struct {
	const char *name;
	int (*fn)(struct xs_fixture *f);
} ops[] = {
	{ "write", op_write },
	{ "create", op_create },
	{ "set_perms", op_create_owned },
	{ "mkdir", op_mkdir },
	{ "rm", op_rm },
	{ "commit", op_commit },
	{ "in a transaction", op_inside },
	{ "transaction_start", op_start },
	{ "watch", op_watch },
	{ "read", op_read },
	{ "on the wire", op_wire },
	{ "connect", op_connect },
	{ "introduce", op_introduce },
};

static struct xs_fixture *prepare(void)
{
	struct xst_perm owner = { 1, XST_PERM_READ };
	void *state;
	struct xs_fixture *f;

	xs_setup(&state);
	f = state;
	xs_put(f->dom0, 0, "/a/b", "old");
	xs_put(f->dom0, 0, "/a/x/y", "old");
	assert_int_equal(xst_set_perms(f->dom0, 0, "/a/x", &owner, 1), 0);
	xs_put(f->dom0, 0, "/c/d", "old");
	xs_ok(f->tool, XS_WATCH, 0, LIT("/\0t"));
	xs_event(f->tool, "/\0t");
	assert_int_equal(xst_transaction_start(f->dom0, &snapshot), 0);
	assert_int_equal(xst_transaction_start(f->dom0, &edits), 0);
	xs_put(f->dom0, edits, "/c/new", "new");
	assert_int_equal(xst_rm(f->dom0, edits, "/a/x"), 0);
	/* The live tree moves on, so that the commit has to merge. */
	xs_put(f->dom0, 0, "/z", "live");
	return f;
}

static void every_allocation(void **state)
{
	static struct text before, after;
	unsigned int rounds;

	(void)state;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		for (rounds = 0;; rounds++) {
			struct xs_fixture *f = prepare();
			void *fixture = f;
			int ret;

			dump(f->store, &before);
			failed = false;
			allowed = rounds;
			ret = ops[i].fn(f);
			allowed = -1;
			dump(f->store, &after);
			xs_verify(f->store);
			if (ret && ret != -ENOMEM)
				fail_msg("%s, %u: %d", ops[i].name, rounds, ret);
			if (ret && strcmp(before.s, after.s))
				fail_msg("%s, %u: half done\n%s\n%s", ops[i].name, rounds, before.s,
					 after.s);
			assert_true(!ret || failed);
			xs_see(f->dom0, snapshot, "/a/b", "old");
			xs_teardown(&fixture);
			if (!failed)
				break;
		}
		assert_in_range(rounds, 1, 100);
	}
}

/* The wipe of a domain may need several attempts, and gets there. */
static void destruction(void **state)
{
	for (int rounds = 0;; rounds++) {
		struct xs_fixture *f = prepare();
		void *fixture = f;
		int ret;

		xst_conn_free(f->guest[0]);
		failed = false;
		allowed = rounds;
		ret = xst_domain_destroy(f->store, 1);
		allowed = -1;
		xs_verify(f->store);
		if (ret) {
			assert_int_equal(ret, -ENOMEM);
			assert_int_equal(xst_domain_destroy(f->store, 1), 0);
		}
		assert_int_equal(xst_domain_find(f->store, 1)->usage.nodes, 0);
		xs_see(f->dom0, 0, "/a/x", NULL);
		xs_teardown(&fixture);
		if (!failed)
			break;
	}
	(void)state;
}

static void creation(void **state)
{
	int rounds;

	(void)state;
	for (rounds = 0;; rounds++) {
		struct xst_store *store;

		failed = false;
		allowed = rounds;
		store = xst_store_new(NULL, NULL, NULL);
		allowed = -1;
		assert_true(!store == failed);
		xst_store_free(store);
		if (store)
			break;
	}
	assert_in_range(rounds, 5, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation),
		cmocka_unit_test(destruction),
		cmocka_unit_test(creation),
	};

	return cmocka_run_group_tests_name("xs_oom", tests, NULL, NULL);
}
