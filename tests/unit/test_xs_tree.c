// SPDX-License-Identifier: GPL-2.0-or-later
/* xenstore/tree.c, path.c, hash.c and the operations on nodes outside transactions. */
#include "tests/unit/xs_test.h"

static void paths(void **state)
{
	static const char *const good[] = { "/", "/a", "/a/b", "/A-z_0@9/x", "a", "a/b" };
	static const char *const bad[] = { "",	   "//",   "/a/",  "/a//b", "a/",   "@special",
					   "/a b", "/a.b", "/a:b", "/\x80", "/a\n", "a//b" };
	struct xs_fixture *f = *state;
	char out[XST_PATH_BUF];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(xst_path_resolve(f->guest[0], good[i], out), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(xst_path_resolve(f->guest[0], bad[i], out), -EINVAL);
	assert_int_equal(xst_path_resolve(f->guest[0], "x/y", out), 0);
	assert_string_equal(out, "/local/domain/1/x/y");
	assert_int_equal(xst_path_resolve(f->dom0, "x", out), 0);
	assert_string_equal(out, "/local/domain/0/x");
	assert_int_equal(xst_path_join("/", "a", out), 0);
	assert_string_equal(out, "/a");
	assert_int_equal(xst_path_join("/a", NULL, out), 0);
	assert_string_equal(out, "/a");
	xst_path_parent(out);
	assert_string_equal(out, "/");
}

static void path_lengths(void **state)
{
	char path[4200], out[XST_PATH_BUF];
	struct xs_fixture *f = *state;

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[2048] = '\0';
	assert_int_equal(xst_path_resolve(f->dom0, path, out), 0);
	path[2048] = 'x';
	path[2049] = '\0';
	assert_int_equal(xst_path_resolve(f->dom0, path, out), -EINVAL);
	/* The home does not count. */
	memcpy(path, "/local/domain/65535/", 20);
	path[2049] = 'x';
	path[2068] = '\0';
	assert_int_equal(xst_path_resolve(f->dom0, path, out), 0);
	path[2068] = 'x';
	path[2069] = '\0';
	assert_int_equal(xst_path_resolve(f->dom0, path, out), -EINVAL);
	path[2069] = 'x';
	path[4199] = '\0';
	assert_int_equal(xst_path_resolve(f->dom0, path, out), -EINVAL);
	assert_int_equal(xst_path_resolve(f->dom0, path + 1, out), -EINVAL);
	assert_int_equal(xst_path_resolve(f->guest[0], path + 30, out), -EINVAL);
}

static void write_creates_parents(void **state)
{
	struct xs_fixture *f = *state;

	xs_put(f->dom0, 0, "/a/b/c", "deep");
	xs_see(f->dom0, 0, "/a", "");
	xs_see(f->dom0, 0, "/a/b", "");
	xs_see(f->dom0, 0, "/a/b/c", "deep");
	xs_put(f->dom0, 0, "/a/b", "middle");
	xs_see(f->dom0, 0, "/a/b/c", "deep");
	xs_put(f->dom0, 0, "/a/b", "");
	xs_see(f->dom0, 0, "/a/b", "");
	xs_put(f->dom0, 0, "/", "root");
	xs_see(f->dom0, 0, "/", "root");
}

static void mkdir_keeps_values(void **state)
{
	struct xs_fixture *f = *state;

	xs_put(f->dom0, 0, "/a/b", "kept");
	assert_int_equal(xst_mkdir(f->dom0, 0, "/a/b"), 0);
	xs_see(f->dom0, 0, "/a/b", "kept");
	assert_int_equal(xst_mkdir(f->dom0, 0, "/a/b/c/d"), 0);
	xs_see(f->dom0, 0, "/a/b/c/d", "");
}

static void rm_takes_the_subtree(void **state)
{
	struct xs_fixture *f = *state;

	xs_put(f->dom0, 0, "/a/b/c", "x");
	xs_put(f->dom0, 0, "/a/bb", "y");
	assert_int_equal(xst_rm(f->dom0, 0, "/a/b"), 0);
	xs_see(f->dom0, 0, "/a/b", NULL);
	xs_see(f->dom0, 0, "/a/b/c", NULL);
	xs_see(f->dom0, 0, "/a/bb", "y");
	assert_int_equal(xst_rm(f->dom0, 0, "/a/b"), 0);
	assert_int_equal(xst_rm(f->dom0, 0, "/a/b/c"), -ENOENT);
	assert_int_equal(xst_rm(f->dom0, 0, "/"), -EINVAL);
	assert_int_equal(xst_rm_key(f->dom0, 0, "/a", "bb"), 0);
	assert_int_equal(xst_exists(f->dom0, 0, "/a/bb"), 0);
	assert_int_equal(xst_exists(f->dom0, 0, "/a"), 1);
}

static void names_are_sorted(void **state)
{
	struct xs_fixture *f = *state;
	uint64_t seed = 42;
	char path[32], **names;
	size_t count;

	/* Names that are prefixes of each other, in any order, with removals */
	for (unsigned int i = 0; i < 3000; i++) {
		unsigned int n = xs_random(&seed, 700);

		snprintf(path, sizeof(path), "/dir/%.*s%u", n % 4, "aaaa", n % 150);
		if (xs_random(&seed, 3))
			xs_put(f->dom0, 0, path, path);
		else
			assert_in_range(xst_rm(f->dom0, 0, path) + ENOENT, 0, ENOENT);
	}
	xs_verify(f->store);
	assert_int_equal(xst_directory(f->dom0, 0, "/dir", &names, &count), 0);
	assert_in_range(count, 100, 600);
	for (size_t i = 0; i < count; i++) {
		if (i)
			assert_true(strcmp(names[i - 1], names[i]) < 0);
		snprintf(path, sizeof(path), "/dir/%s", names[i]);
		xs_see(f->dom0, 0, path, path);
	}
	free(names);
	assert_int_equal(xst_directory(f->dom0, 0, "/none", &names, &count), -ENOENT);
}

/* The deepest path there can be; recursion would be visible as stack use and is not there. */
static void deep_trees(void **state)
{
	struct xs_fixture *f = *state;
	char path[2049];

	for (size_t i = 0; i < 2048; i += 2)
		memcpy(path + i, "/d", 2);
	path[2048] = '\0';
	xs_put(f->dom0, 0, path, "bottom");
	xs_see(f->dom0, 0, path, "bottom");
	xs_verify(f->store);
	assert_int_equal(xst_rm(f->dom0, 0, "/d"), 0);
	xs_see(f->dom0, 0, path, NULL);
}

static int count_nodes(void *arg, struct xst_node *node, struct xst_node *parent, const char *path)
{
	unsigned int *count = arg;

	assert_true(!parent == !strcmp(path, "/"));
	assert_string_equal(node->name, strcmp(path, "/") ? strrchr(path, '/') + 1 : "");
	++*count;
	return !strcmp(path, "/skip") ? XST_SKIP : !strcmp(path, "/z/stop") ? -EINTR : 0;
}

static void visiting(void **state)
{
	struct xs_fixture *f = *state;
	struct xst_store *store = xst_store_new(NULL, NULL, NULL);
	struct xst_conn *conn = xst_conn_new(store, 0, NULL, NULL);
	unsigned int count = 0;

	(void)f;
	xs_put(conn, 0, "/skip/1", "");
	xs_put(conn, 0, "/t/2/3", "");
	/* "/", "skip", "t", "2", "3", "tool", "xenstored" */
	assert_int_equal(xst_tree_visit(store->live.root, "/", count_nodes, &count), 0);
	assert_int_equal(count, 7);
	xs_put(conn, 0, "/z/stop/x", "");
	assert_int_equal(xst_tree_visit(store->live.root, "/", count_nodes, &count), -EINTR);
	assert_int_equal(count, 7 + 9);
	xst_store_free(store);
}

/* A snapshot keeps every node as it was, whatever happens to the tree. */
static void snapshots_share_and_stay(void **state)
{
	struct xs_fixture *f = *state;
	struct xst_node *before, *shared;

	xs_put(f->dom0, 0, "/a/b", "old");
	xs_put(f->dom0, 0, "/c/d", "other");
	before = f->store->live.root;
	before->refs++;
	shared = xst_tree_get(before, "/c");
	xs_put(f->dom0, 0, "/a/b", "new");
	xs_put(f->dom0, 0, "/a/e", "more");
	assert_ptr_equal(xst_tree_get(f->store->live.root, "/c"), shared);
	assert_ptr_not_equal(xst_tree_get(f->store->live.root, "/a"), xst_tree_get(before, "/a"));
	assert_memory_equal(xst_tree_get(before, "/a/b")->value->data, "old", 3);
	assert_null(xst_tree_get(before, "/a/e"));
	assert_int_equal(xst_rm(f->dom0, 0, "/c"), 0);
	assert_memory_equal(xst_tree_get(before, "/c/d")->value->data, "other", 5);
	xst_node_put(before);
	xs_see(f->dom0, 0, "/a/b", "new");
}

static void numbers_and_formats(void **state)
{
	struct xs_fixture *f = *state;
	char big[XENSTORE_PAYLOAD_MAX + 2];
	uint64_t value;

	assert_int_equal(xst_printf(f->dom0, 0, "/n", "x", "%llu", 18446744073709551615ull), 0);
	assert_int_equal(xst_read_u64(f->dom0, 0, "/n", "x", &value), 0);
	assert_true(value == UINT64_MAX);
	static const char *const bad[] = { "", "-1", "1 ", "0x1", "18446744073709551616", "a" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		xs_put(f->dom0, 0, "/n/x", bad[i]);
		assert_int_equal(xst_read_u64(f->dom0, 0, "/n", "x", &value), -EINVAL);
	}
	memset(big, 'x', sizeof(big));
	big[XENSTORE_PAYLOAD_MAX + 1] = '\0';
	assert_int_equal(xst_printf(f->dom0, 0, "/n", "x", "%s", big), -E2BIG);
	big[XENSTORE_PAYLOAD_MAX] = '\0';
	assert_int_equal(xst_printf(f->dom0, 0, "/n", "x", "%s", big), 0);
	assert_int_equal(xst_write(f->dom0, 0, "/n/nul", "a\0b", 3), 0);
	char *text;
	assert_int_equal(xst_read_str(f->dom0, 0, "/n/nul", NULL, &text), -EINVAL);
	size_t len;
	assert_int_equal(xst_read(f->dom0, 0, "/n/nul", &text, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b\0", 4);
	free(text);
}

struct item {
	struct xst_hlink link;
	bool in;
};

static void hash_tables(void **state)
{
	static struct item item[2000];
	struct xst_hash table = { 0 };
	uint64_t seed = 7;
	size_t in = 0;

	(void)state;
	for (unsigned int i = 0; i < 100000; i++) {
		uint32_t n = xs_random(&seed, 2000), hash = n % 500;
		struct xst_hlink *link = xst_hash_first(&table, hash);

		while (link && link != &item[n].link)
			link = xst_hash_next(link);
		assert_int_equal(link != NULL, item[n].in);
		if (link)
			xst_hash_remove(&table, link);
		else
			xst_hash_insert(&table, &item[n].link, hash);
		in += item[n].in ? -1 : 1;
		item[n].in = !item[n].in;
		assert_int_equal(table.count, in);
	}
	xst_hash_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paths, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(path_lengths, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(write_creates_parents, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(mkdir_keeps_values, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(rm_takes_the_subtree, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(names_are_sorted, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(deep_trees, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(visiting, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(snapshots_share_and_stay, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(numbers_and_formats, xs_setup, xs_teardown),
		cmocka_unit_test(hash_tables),
	};

	return cmocka_run_group_tests_name("xs_tree", tests, NULL, NULL);
}
