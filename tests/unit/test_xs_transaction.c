// SPDX-License-Identifier: GPL-2.0-or-later
/* xenstore/transaction.c: isolation, conflicts, and random interleavings against a simple model. */
#include "tests/unit/xs_test.h"

static uint32_t begin(struct xst_conn *conn)
{
	uint32_t tx;

	assert_int_equal(xst_transaction_start(conn, &tx), 0);
	assert_int_not_equal(tx, 0);
	return tx;
}

static void isolation(void **state)
{
	struct xs_fixture *f = *state;
	uint32_t tx;

	xs_put(f->dom0, 0, "/a", "1");
	tx = begin(f->dom0);
	xs_put(f->dom0, tx, "/a", "2");
	xs_put(f->dom0, tx, "/b/c", "new");
	xs_see(f->dom0, tx, "/a", "2");
	xs_see(f->dom0, 0, "/a", "1");
	xs_see(f->dom0, 0, "/b", NULL);
	assert_int_equal(xst_transaction_end(f->dom0, tx, true), 0);
	xs_see(f->dom0, 0, "/a", "2");
	xs_see(f->dom0, 0, "/b/c", "new");
	assert_int_equal(xst_transaction_end(f->dom0, tx, true), -ENOENT);
	assert_int_equal(xst_write(f->dom0, tx, "/a", "x", 1), -ENOENT);

	tx = begin(f->dom0);
	assert_int_equal(xst_rm(f->dom0, tx, "/b"), 0);
	xs_see(f->dom0, tx, "/b/c", NULL);
	assert_int_equal(xst_transaction_end(f->dom0, tx, false), 0);
	xs_see(f->dom0, 0, "/b/c", "new");
}

static void snapshot_is_of_the_start(void **state)
{
	struct xs_fixture *f = *state;
	uint32_t tx;

	xs_put(f->dom0, 0, "/a", "1");
	tx = begin(f->dom0);
	xs_put(f->dom0, 0, "/a", "2");
	xs_put(f->dom0, 0, "/b", "2");
	xs_see(f->dom0, tx, "/a", "1");
	xs_see(f->dom0, tx, "/b", NULL);
	/* It only looked: no reason to fail, however often the tree changes. */
	assert_int_equal(xst_transaction_end(f->dom0, tx, true), 0);
}

/* One case: what the transaction does, what happens meanwhile, does it conflict? */
struct conflict_case {
	const char *name;
	void (*inside)(struct xst_conn *conn, uint32_t tx);
	void (*outside)(struct xst_conn *conn);
	bool conflict;
};

static void write_a(struct xst_conn *c, uint32_t tx)
{
	xs_put(c, tx, "/c/a", "in");
}

static void read_a_write_z(struct xst_conn *c, uint32_t tx)
{
	char *v;

	if (!xst_read(c, tx, "/c/a", &v, NULL))
		free(v);
	xs_put(c, tx, "/z", "in");
}

static void read_missing_write_z(struct xst_conn *c, uint32_t tx)
{
	xs_see(c, tx, "/c/none", NULL);
	xs_put(c, tx, "/z", "in");
}

static void list_write_z(struct xst_conn *c, uint32_t tx)
{
	char **names;
	size_t count;

	assert_int_equal(xst_directory(c, tx, "/c", &names, &count), 0);
	free(names);
	xs_put(c, tx, "/z", "in");
}

static void create_in_c(struct xst_conn *c, uint32_t tx)
{
	xs_put(c, tx, "/c/fresh", "in");
}

static void rm_c(struct xst_conn *c, uint32_t tx)
{
	assert_int_equal(xst_rm(c, tx, "/c"), 0);
}

static void perms_a(struct xst_conn *c, uint32_t tx)
{
	struct xst_perm perm = { 2, XST_PERM_READ };

	assert_int_equal(xst_set_perms(c, tx, "/c/a", &perm, 1), 0);
}

static void out_write_a(struct xst_conn *c)
{
	xs_put(c, 0, "/c/a", "out");
}

static void out_write_b(struct xst_conn *c)
{
	xs_put(c, 0, "/c/b", "out");
}

static void out_create_in_c(struct xst_conn *c)
{
	xs_put(c, 0, "/c/other", "out");
}

static void out_create_none(struct xst_conn *c)
{
	xs_put(c, 0, "/c/none", "out");
}

static void out_rm_c(struct xst_conn *c)
{
	rm_c(c, 0);
}

static void out_recreate_a(struct xst_conn *c)
{
	assert_int_equal(xst_rm(c, 0, "/c/a"), 0);
	xs_put(c, 0, "/c/a", "1");
}

static void out_perms_a(struct xst_conn *c)
{
	perms_a(c, 0);
}

static void out_elsewhere(struct xst_conn *c)
{
	xs_put(c, 0, "/elsewhere", "out");
}

static const struct conflict_case cases[] = {
	{ "write, write", write_a, out_write_a, true },
	{ "write, write beside", write_a, out_write_b, false },
	{ "write, permissions", write_a, out_perms_a, true },
	{ "write, parent removed", write_a, out_rm_c, true },
	{ "read, write", read_a_write_z, out_write_a, true },
	{ "read, write beside", read_a_write_z, out_write_b, false },
	{ "read, sibling created", read_a_write_z, out_create_in_c, false },
	{ "read, removed and made again", read_a_write_z, out_recreate_a, true },
	{ "read, permissions", read_a_write_z, out_perms_a, true },
	{ "read missing, created", read_missing_write_z, out_create_none, true },
	{ "read missing, sibling created", read_missing_write_z, out_create_in_c, false },
	{ "list, child created", list_write_z, out_create_in_c, true },
	{ "list, child written", list_write_z, out_write_a, false },
	{ "create, sibling created", create_in_c, out_create_in_c, false },
	{ "create, parent removed", create_in_c, out_rm_c, true },
	{ "remove, child written", rm_c, out_write_a, true },
	{ "remove, removed", rm_c, out_rm_c, true },
	{ "remove, elsewhere", rm_c, out_elsewhere, false },
	{ "permissions, permissions", perms_a, out_perms_a, true },
	{ "permissions, write beside", perms_a, out_write_b, false },
};

static void conflicts_and_merges(void **state)
{
	struct xs_fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xst_store *store = xst_store_new(NULL, NULL, NULL);
		struct xst_conn *conn = xst_conn_new(store, 0, NULL, NULL);
		uint32_t tx;
		int ret;

		xs_put(conn, 0, "/c/a", "1");
		xs_put(conn, 0, "/c/b", "1");
		tx = begin(conn);
		cases[i].inside(conn, tx);
		cases[i].outside(conn);
		ret = xst_transaction_end(conn, tx, true);
		if (ret != (cases[i].conflict ? -EAGAIN : 0))
			fail_msg("%s: %d", cases[i].name, ret);
		xs_verify(store);
		/* Again, alone, it goes through. */
		tx = begin(conn);
		xs_put(conn, tx, "/c/a", "again");
		assert_int_equal(xst_transaction_end(conn, tx, true), 0);
		xst_store_free(store);
	}
	(void)f;
}

static void merge_keeps_both(void **state)
{
	struct xs_fixture *f = *state;
	uint32_t t1 = begin(f->dom0), t2 = begin(f->dom0), t3 = begin(f->dom0);

	xs_put(f->dom0, t1, "/m/one/x", "1");
	xs_put(f->dom0, t2, "/m/two/x", "2");
	xs_put(f->dom0, t3, "/m/three/x", "3");
	xs_put(f->dom0, t3, "/m/three/x", "4");
	assert_int_equal(xst_transaction_end(f->dom0, t3, true), 0);
	assert_int_equal(xst_transaction_end(f->dom0, t1, true), 0);
	assert_int_equal(xst_transaction_end(f->dom0, t2, true), 0);
	xs_see(f->dom0, 0, "/m/one/x", "1");
	xs_see(f->dom0, 0, "/m/two/x", "2");
	xs_see(f->dom0, 0, "/m/three/x", "4");
}

static void watched(void *opaque, const char *path)
{
	strcat(strcat(opaque, path), " ");
}

static void events_only_at_commit(void **state)
{
	struct xs_fixture *f = *state;
	char seen[256] = "";
	uint32_t tx;

	xs_put(f->dom0, 0, "/e/gone/x", "1");
	assert_int_equal(xst_watch(f->dom0, "/e", watched, seen, NULL), 0);
	xst_store_dispatch(f->store);
	assert_string_equal(seen, "/e ");
	tx = begin(f->dom0);
	xs_put(f->dom0, tx, "/e/a", "1");
	assert_int_equal(xst_rm(f->dom0, tx, "/e/gone"), 0);
	xs_put(f->dom0, tx, "/e/a", "2");
	xst_store_dispatch(f->store);
	assert_string_equal(seen, "/e ");
	assert_int_equal(xst_transaction_end(f->dom0, tx, true), 0);
	xst_store_dispatch(f->store);
	assert_string_equal(seen, "/e /e/a /e/gone ");

	/* Neither when it is dropped nor when it conflicts */
	tx = begin(f->dom0);
	xs_put(f->dom0, tx, "/e/a", "3");
	assert_int_equal(xst_transaction_end(f->dom0, tx, false), 0);
	tx = begin(f->dom0);
	xs_put(f->dom0, tx, "/e/a", "3");
	xs_put(f->dom0, 0, "/e/a", "4");
	xst_store_dispatch(f->store);
	assert_string_equal(seen, "/e /e/a /e/gone /e/a ");
	assert_int_equal(xst_transaction_end(f->dom0, tx, true), -EAGAIN);
	xst_store_dispatch(f->store);
	assert_string_equal(seen, "/e /e/a /e/gone /e/a ");
}

static void merged_commit_fires_too(void **state)
{
	struct xs_fixture *f = *state;
	char seen[256] = "";
	uint32_t tx;

	assert_int_equal(xst_watch(f->dom0, "/e", watched, seen, NULL), 0);
	tx = begin(f->dom0);
	xs_put(f->dom0, tx, "/e/a", "1");
	xs_put(f->dom0, 0, "/other", "1");
	assert_int_equal(xst_transaction_end(f->dom0, tx, true), 0);
	xst_store_dispatch(f->store);
	assert_string_equal(seen, "/e /e/a ");
}

/* A guest's rights are looked at again when its edits are made again. */
static void rights_lost_meanwhile(void **state)
{
	struct xst_perm guest = { 1, XST_PERM_NONE }, none = { 0, XST_PERM_NONE };
	struct xs_fixture *f = *state;
	uint32_t tx;

	assert_int_equal(xst_mkdir(f->dom0, 0, "/r/dir"), 0);
	assert_int_equal(xst_set_perms(f->dom0, 0, "/r/dir", &guest, 1), 0);
	tx = begin(f->guest[0]);
	xs_put(f->guest[0], tx, "/r/dir/x", "1");
	assert_int_equal(xst_set_perms(f->dom0, 0, "/r/dir", &none, 1), 0);
	assert_int_equal(xst_transaction_end(f->guest[0], tx, true), -EAGAIN);
	xs_see(f->dom0, 0, "/r/dir/x", NULL);
}

static void closing_drops_them(void **state)
{
	struct xs_fixture *f = *state;
	struct xst_conn *conn = xst_conn_new(f->store, 1, &xs_wire_ops, NULL);
	uint32_t tx = begin(conn);

	xs_put(conn, tx, "data/x", "1");
	begin(conn);
	xst_conn_free(conn);
	xs_see(f->dom0, 0, "/local/domain/1/data/x", NULL);
	xs_verify(f->store);
}

/* A transaction of one connection is unknown to another. */
static void ids_are_per_connection(void **state)
{
	struct xs_fixture *f = *state;
	uint32_t tx = begin(f->guest[0]);

	assert_int_equal(xst_write(f->guest[1], tx, "data/x", "1", 1), -ENOENT);
	assert_int_equal(xst_write(f->dom0, tx, "/x", "1", 1), -ENOENT);
	assert_int_equal(xst_transaction_end(f->dom0, tx, true), -ENOENT);
	assert_int_equal(xst_transaction_end(f->guest[0], tx, true), 0);
}

/* ---- random interleavings against a model ---- */

/* Node 0 is /m, 1 to 3 its children, and each of these has three. */
#define NODES 13
#define ACTORS 4
#define STEPS 80

struct model_node {
	bool exists;
	unsigned int value, self, list, below; /* versions */
};

struct model {
	struct model_node node[NODES];
};

struct model_tx {
	bool open;
	uint32_t id;
	struct model base, view;
	unsigned int note[NODES];
	unsigned int edits;
	struct {
		bool rm;
		unsigned int node, value;
	} edit[STEPS];
};

static unsigned int version;

static unsigned int parent_of(unsigned int n)
{
	return n < 4 ? 0 : (n - 4) / 3 + 1;
}

static const char *path_of(unsigned int n)
{
	static char path[32];

	if (!n)
		return "/m";
	if (n < 4)
		snprintf(path, sizeof(path), "/m/d%u", n);
	else
		snprintf(path, sizeof(path), "/m/d%u/l%u", parent_of(n), n);
	return path;
}

static void changed_below(struct model *m, unsigned int n)
{
	for (;; n = parent_of(n)) {
		m->node[n].below = ++version;
		if (!n)
			return;
	}
}

static void model_write(struct model *m, unsigned int n, unsigned int value)
{
	if (!m->node[n].exists) {
		if (n && !m->node[parent_of(n)].exists)
			model_write(m, parent_of(n), 0);
		m->node[n] = (struct model_node){ .exists = true, .list = ++version };
		m->node[parent_of(n)].list = ++version;
	}
	m->node[n].value = value;
	m->node[n].self = ++version;
	changed_below(m, n);
}

static void model_rm(struct model *m, unsigned int n)
{
	if (!m->node[n].exists)
		return;
	m->node[n].exists = false;
	for (unsigned int i = 4; i < NODES; i++) {
		if (parent_of(i) == n)
			m->node[i].exists = false;
	}
	m->node[parent_of(n)].list = ++version;
	changed_below(m, parent_of(n));
}

static unsigned int existing_above(const struct model *m, unsigned int n)
{
	while (!m->node[n].exists)
		n = parent_of(n);
	return n;
}

static bool model_conflict(const struct model_tx *t, const struct model *live)
{
	for (unsigned int n = 0; n < NODES; n++) {
		const struct model_node *then = &t->base.node[n], *now = &live->node[n];

		if (!t->note[n])
			continue;
		if (then->exists != now->exists)
			return true;
		if (!now->exists)
			continue;
		if ((t->note[n] & XST_NOTE_SELF && then->self != now->self) ||
		    (t->note[n] & XST_NOTE_LIST && then->list != now->list) ||
		    (t->note[n] & XST_NOTE_ALL && then->below != now->below))
			return true;
	}
	return false;
}

static void same_value(struct xst_conn *conn, uint32_t tx, const struct model *m, unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", m->node[n].value);
	xs_see(conn, tx, path_of(n), !m->node[n].exists ? NULL : m->node[n].value ? text : "");
}

static void same_list(struct xst_conn *conn, uint32_t tx, const struct model *m, unsigned int n)
{
	size_t count = 0, expected = 0;
	char **names = NULL;
	int ret;

	ret = xst_directory(conn, tx, path_of(n), &names, &count);
	assert_int_equal(ret, m->node[n].exists ? 0 : -ENOENT);
	for (unsigned int i = 1; !ret && i < NODES; i++)
		expected += parent_of(i) == n && m->node[i].exists;
	assert_int_equal(count, expected);
	free(names);
}

static void step_write(struct xst_conn *conn, struct model_tx *t, struct model *live,
		       unsigned int n, unsigned int value)
{
	struct model *m = t ? &t->view : live;
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	if (t) {
		t->note[n] |= XST_NOTE_SELF;
		if (!m->node[n].exists)
			t->note[existing_above(m, n)] |= XST_NOTE_EXISTS;
		t->edit[t->edits].rm = false;
		t->edit[t->edits].node = n;
		t->edit[t->edits++].value = value;
	}
	model_write(m, n, value);
	xs_put(conn, t ? t->id : 0, path_of(n), text);
}

static void step_rm(struct xst_conn *conn, struct model_tx *t, struct model *live, unsigned int n)
{
	struct model *m = t ? &t->view : live;
	bool known = m->node[n].exists, parent = m->node[parent_of(n)].exists;

	if (t) {
		t->note[n] |= XST_NOTE_ALL;
		if (!known)
			t->note[parent_of(n)] |= XST_NOTE_EXISTS;
		t->edit[t->edits].rm = true;
		t->edit[t->edits].node = n;
		t->edits += known;
	}
	model_rm(m, n);
	assert_int_equal(xst_rm(conn, t ? t->id : 0, path_of(n)), parent ? 0 : -ENOENT);
}

static void step_end(struct xst_conn *conn, struct model_tx *t, struct model *live, bool commit)
{
	int expected = commit && t->edits && model_conflict(t, live) ? -EAGAIN : 0;

	assert_int_equal(xst_transaction_end(conn, t->id, commit), expected);
	for (unsigned int i = 0; commit && !expected && i < t->edits; i++) {
		if (t->edit[i].rm)
			model_rm(live, t->edit[i].node);
		else
			model_write(live, t->edit[i].node, t->edit[i].value);
	}
	t->open = false;
}

static void interleave(struct xst_conn *conn, uint64_t *seed, unsigned int *committed,
		       unsigned int *conflicted)
{
	struct model_tx txs[ACTORS] = { 0 };
	struct model live = { 0 };

	model_write(&live, 0, 0);
	for (unsigned int step = 0; step < STEPS; step++) {
		struct model_tx *t = &txs[xs_random(seed, ACTORS)];
		/* Node 0 is never removed: /m is where it all happens. */
		unsigned int n = 1 + xs_random(seed, NODES - 1), op = xs_random(seed, 10);

		if (t == &txs[0]) {
			t = NULL;
		} else if (!t->open) {
			*t = (struct model_tx){ .open = true, .base = live, .view = live };
			t->id = begin(conn);
		}
		if (op < 3)
			step_write(conn, t, &live, n, 1 + xs_random(seed, 100));
		else if (op < 5)
			step_rm(conn, t, &live, n);
		else if (op < 7) {
			same_value(conn, t ? t->id : 0, t ? &t->view : &live, n);
			if (t)
				t->note[n] |= XST_NOTE_SELF;
		} else if (op < 8) {
			same_list(conn, t ? t->id : 0, t ? &t->view : &live, n);
			if (t)
				t->note[n] |= XST_NOTE_SELF | XST_NOTE_LIST;
		} else if (t) {
			unsigned int was = version;

			step_end(conn, t, &live, xs_random(seed, 5));
			*committed += version != was;
			*conflicted += t->edits && version == was;
		}
		for (n = 0; n < NODES; n++)
			same_value(conn, 0, &live, n);
	}
	for (unsigned int i = 1; i < ACTORS; i++) {
		if (txs[i].open)
			step_end(conn, &txs[i], &live, true);
	}
	for (unsigned int n = 0; n < NODES; n++)
		same_list(conn, 0, &live, n);
}

static void random_interleavings(void **state)
{
	unsigned int committed = 0, conflicted = 0;
	struct xs_fixture *f = *state;
	uint64_t seed = 20240229;

	for (unsigned int run = 0; run < 1000; run++) {
		assert_int_equal(xst_mkdir(f->dom0, 0, "/m"), 0);
		interleave(f->dom0, &seed, &committed, &conflicted);
		assert_int_equal(xst_rm(f->dom0, 0, "/m"), 0);
		xs_verify(f->store);
	}
	/* Both must have happened often for this to mean anything. */
	assert_in_range(committed, 1000, 100000);
	assert_in_range(conflicted, 1000, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(isolation, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(snapshot_is_of_the_start, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(conflicts_and_merges, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(merge_keeps_both, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(events_only_at_commit, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(merged_commit_fires_too, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(rights_lost_meanwhile, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(closing_drops_them, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(ids_are_per_connection, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(random_interleavings, xs_setup, xs_teardown),
	};

	return cmocka_run_group_tests_name("xs_transaction", tests, NULL, NULL);
}
