// SPDX-License-Identifier: GPL-2.0-or-later
/* xenstore/perms.c and domain.c: who may do what, and what is left of a domain that is gone. */
#include "tests/unit/xs_test.h"

static void text_form(void **state)
{
	static const char *const bad[] = { "",	"r",   "x1",  "r-1",	"r 1",
					   "1", "rr1", "r1x", "r65536", "r123456" };
	static const char *const good[] = { "n0", "r1", "w42", "b65535" };
	char text[XST_PERM_TEXT];
	struct xst_perm perm;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(xst_perm_parse(bad[i], &perm), -EINVAL);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(xst_perm_parse(good[i], &perm), 0);
		assert_int_equal(xst_perm_format(&perm, text), strlen(good[i]));
		assert_string_equal(text, good[i]);
	}
}

/* Can guest 1 read, write and set permissions of a node with this list? */
static const struct {
	struct xst_perm perm[3];
	unsigned int count;
	int read, write, set;
} matrix[] = {
	{ { { 0, XST_PERM_NONE } }, 1, -EACCES, -EACCES, -EACCES },
	{ { { 0, XST_PERM_READ } }, 1, 0, -EACCES, -EACCES },
	{ { { 0, XST_PERM_WRITE } }, 1, -EACCES, 0, -EACCES },
	{ { { 0, XST_PERM_BOTH } }, 1, 0, 0, -EACCES },
	{ { { 1, XST_PERM_NONE } }, 1, 0, 0, 0 },
	{ { { 0, XST_PERM_NONE }, { 1, XST_PERM_READ } }, 2, 0, -EACCES, -EACCES },
	{ { { 0, XST_PERM_BOTH }, { 1, XST_PERM_NONE } }, 2, -EACCES, -EACCES, -EACCES },
	{ { { 0, XST_PERM_NONE }, { 2, XST_PERM_BOTH } }, 2, -EACCES, -EACCES, -EACCES },
	{ { { 2, XST_PERM_READ }, { 3, XST_PERM_NONE }, { 1, XST_PERM_WRITE } },
	  3,
	  -EACCES,
	  0,
	  -EACCES },
	/* The first entry for a domain counts. */
	{ { { 2, XST_PERM_NONE }, { 1, XST_PERM_READ }, { 1, XST_PERM_BOTH } },
	  3,
	  0,
	  -EACCES,
	  -EACCES },
};

static void access_matrix(void **state)
{
	struct xs_fixture *f = *state;
	struct xst_conn *guest = f->guest[0];

	for (size_t i = 0; i < sizeof(matrix) / sizeof(matrix[0]); i++) {
		struct xst_perm owner[] = { { matrix[i].perm[0].domid, XST_PERM_READ } };
		char *value;

		xs_put(f->dom0, 0, "/node", "v");
		assert_int_equal(
			xst_set_perms(f->dom0, 0, "/node", matrix[i].perm, matrix[i].count), 0);
		assert_int_equal(xst_write(guest, 0, "/node", "w", 1), matrix[i].write);
		assert_int_equal(xst_mkdir(guest, 0, "/node"), matrix[i].write);
		assert_int_equal(xst_read(guest, 0, "/node", &value, NULL), matrix[i].read);
		if (!matrix[i].read)
			free(value);
		/* The last existing node decides about missing ones below. */
		assert_int_equal(xst_read(guest, 0, "/node/none", &value, NULL),
				 matrix[i].read ? -EACCES : -ENOENT);
		assert_int_equal(xst_write(guest, 0, "/node/a/b", "", 0), matrix[i].write);
		assert_int_equal(xst_rm(guest, 0, "/node/none"), matrix[i].write);
		assert_int_equal(xst_set_perms(guest, 0, "/node", owner, 1), matrix[i].set);
		assert_int_equal(xst_rm(guest, 0, "/node"), matrix[i].write);
		assert_int_equal(xst_rm(f->dom0, 0, "/node"), 0);
		xs_verify(f->store);
	}
}

static void check_perms(struct xst_conn *conn, const char *path, const char *expected)
{
	char text[64] = "", one[XST_PERM_TEXT];
	struct xst_perm *perms;
	size_t count;

	assert_int_equal(xst_get_perms(conn, 0, path, &perms, &count), 0);
	for (size_t i = 0; i < count; i++) {
		xst_perm_format(&perms[i], one);
		strcat(strcat(text, i ? " " : ""), one);
	}
	assert_string_equal(text, expected);
	free(perms);
}

static void inheritance(void **state)
{
	struct xst_perm list[] = { { 0, XST_PERM_READ }, { 1, XST_PERM_BOTH } };
	struct xs_fixture *f = *state;

	assert_int_equal(xst_mkdir(f->dom0, 0, "/p"), 0);
	assert_int_equal(xst_set_perms(f->dom0, 0, "/p", list, 2), 0);
	xs_put(f->dom0, 0, "/p/a/b", "");
	check_perms(f->dom0, "/p/a", "r0 b1");
	check_perms(f->dom0, "/p/a/b", "r0 b1");
	/* A guest owns what it makes. */
	xs_put(f->guest[0], 0, "/p/g/h", "");
	check_perms(f->dom0, "/p/g", "r1 b1");
	check_perms(f->dom0, "/p/g/h", "r1 b1");
	/* Writing does not change an owner. */
	xs_put(f->guest[0], 0, "/p/a", "x");
	check_perms(f->dom0, "/p/a", "r0 b1");
	xs_put(f->dom0, 0, "/p/g/h", "x");
	check_perms(f->dom0, "/p/g/h", "r1 b1");
}

static void only_dom0_gives_away(void **state)
{
	struct xst_perm other = { 2, XST_PERM_NONE },
			mine[] = { { 1, XST_PERM_NONE }, { 2, XST_PERM_READ } };
	struct xs_fixture *f = *state;

	xs_put(f->guest[0], 0, "data/x", "v");
	assert_int_equal(xst_set_perms(f->guest[0], 0, "data/x", &other, 1), -EPERM);
	assert_int_equal(xst_set_perms(f->guest[0], 0, "data/x", mine, 2), 0);
	xs_see(f->guest[1], 0, "/local/domain/1/data/x", "v");
	assert_int_equal(xst_set_perms(f->dom0, 0, "/local/domain/1/data/x", &other, 1), 0);
	assert_int_equal(xst_set_perms(f->guest[0], 0, "data/x", mine, 2), -EACCES);
	assert_int_equal(xst_set_perms(f->dom0, 0, "/", NULL, 0), -EINVAL);
}

static void targets(void **state)
{
	struct xs_fixture *f = *state;

	xs_put(f->guest[1], 0, "data/x", "v");
	assert_int_equal(xst_write(f->guest[0], 0, "/local/domain/2/data/x", "w", 1), -EACCES);
	assert_int_equal(xst_domain_set_target(f->store, 1, 2), 0);
	assert_int_equal(xst_write(f->guest[0], 0, "/local/domain/2/data/x", "w", 1), 0);
	xs_see(f->guest[0], 0, "/local/domain/2", "");
	assert_int_equal(xst_write(f->guest[1], 0, "/local/domain/1/data/x", "w", 1), -EACCES);
	assert_int_equal(xst_domain_set_target(f->store, 1, 99), -ENOENT);
	/* It does not outlive the target. */
	xst_conn_free(f->guest[1]);
	assert_int_equal(xst_domain_destroy(f->store, 2), 0);
	assert_int_equal(xst_write(f->guest[0], 0, "/local/domain/2/data/x", "w", 1), -EACCES);
}

static void life_of_a_domain(void **state)
{
	struct xs_fixture *f = *state;

	assert_true(xst_domain_introduced(f->store, 0));
	assert_true(xst_domain_introduced(f->store, 1));
	assert_false(xst_domain_introduced(f->store, 9));
	assert_int_equal(xst_domain_introduce(f->store, 0), -EINVAL);
	assert_int_equal(xst_domain_introduce(f->store, DOMID_FIRST_RESERVED), -EINVAL);
	assert_int_equal(xst_domain_introduce(f->store, 1), 0);
	assert_int_equal(xst_domain_release(f->store, 9), -ENOENT);
	assert_int_equal(xst_domain_shutdown(f->store, 9), -ENOENT);
	assert_int_equal(xst_domain_resume(f->store, 9), -ENOENT);
	assert_int_equal(xst_domain_release(f->store, 1), 0);
	assert_false(xst_domain_introduced(f->store, 1));
	assert_int_equal(xst_domain_destroy(f->store, 1), -EBUSY);
	assert_int_equal(xst_domain_destroy(f->store, 0), -EINVAL);
	assert_int_equal(xst_domain_destroy(f->store, 99), 0);
}

static void destruction_wipes(void **state)
{
	struct xst_perm list[] = { { 2, XST_PERM_NONE },
				   { 1, XST_PERM_BOTH },
				   { 3, XST_PERM_READ } };
	struct xst_perm root = { 1, XST_PERM_READ };
	struct xs_fixture *f = *state;
	uint32_t tx;

	xs_put(f->guest[0], 0, "data/mine", "x");
	xs_put(f->dom0, 0, "/local/domain/1/data/mine/dom0s", "x");
	xs_put(f->guest[1], 0, "data/shared", "x");
	assert_int_equal(xst_set_perms(f->dom0, 0, "/local/domain/2/data/shared", list, 3), 0);
	assert_int_equal(xst_set_perms(f->dom0, 0, "/", &root, 1), 0);
	/* A transaction prepared before, on nodes that have nothing to do with it otherwise */
	assert_int_equal(xst_transaction_start(f->dom0, &tx), 0);
	xs_put(f->dom0, tx, "/local/domain/1/data/later", "x");
	xst_conn_free(f->guest[0]);
	assert_int_equal(xst_domain_destroy(f->store, 1), 0);
	xs_verify(f->store);
	assert_false(xst_domain_introduced(f->store, 1));
	assert_int_equal(xst_transaction_end(f->dom0, tx, true), -EAGAIN);
	xs_see(f->dom0, 0, "/local/domain/1/data", NULL);
	check_perms(f->dom0, "/local/domain/1", "n0");
	check_perms(f->dom0, "/local/domain/2/data/shared", "n2 r3");
	check_perms(f->dom0, "/", "n0");
	xs_see(f->dom0, 0, "/local/domain/2/data/shared", "x");
	/* The next domain with this number inherits no right. */
	struct xst_conn *next = xst_conn_new(f->store, 1, &xs_wire_ops, NULL);
	char *value;
	assert_int_equal(xst_read(next, 0, "/local/domain/2/data/shared", &value, NULL), -EACCES);
	assert_int_equal(xst_read(next, 0, "/local/domain/1", &value, NULL), -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_form),
		cmocka_unit_test_setup_teardown(access_matrix, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(inheritance, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(only_dom0_gives_away, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(targets, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(life_of_a_domain, xs_setup, xs_teardown),
		cmocka_unit_test_setup_teardown(destruction_wipes, xs_setup, xs_teardown),
	};

	return cmocka_run_group_tests_name("xs_perms", tests, NULL, NULL);
}
