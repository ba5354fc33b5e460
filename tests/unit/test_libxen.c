// SPDX-License-Identifier: GPL-2.0-or-later
/* Xen's libraries as they are installed: all we use of them is there, with no Xen to ask. */
#include "hv/libxen.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_everything_is_there(void **state)
{
	struct libxen x = { 0 };
	char why[200] = "";

	(void)state;
	assert_int_equal(load(&x, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	assert_non_null(x.xc_open);
	assert_non_null(x.xc_close);
	assert_non_null(x.xc_getinfolist);
	assert_non_null(x.xc_physinfo);
	assert_non_null(x.xs_open);
	assert_non_null(x.xs_close);
	assert_non_null(x.xs_read);
	assert_non_null(x.xs_directory);
	libxen_close(&x);
}

/* The reason is told, and nothing stays open. */
static void test_no_xen(void **state)
{
	struct libxen x;
	char why[200] = "";

	(void)state;
	if (!access(PRIVCMD, F_OK))
		skip();
	assert_int_equal(libxen_open(&x, why, sizeof(why)), -ENOENT);
	assert_string_equal(why, PRIVCMD ": No such file or directory");
	assert_null(x.ctrl_lib);
	assert_null(x.store_lib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_there),
		cmocka_unit_test(test_no_xen),
	};

	return cmocka_run_group_tests_name("libxen", tests, NULL, NULL);
}
