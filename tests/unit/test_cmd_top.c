// SPDX-License-Identifier: GPL-2.0-or-later
/* What top makes of two looks at the guests. */
#include "hv/cmd_top.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static unsigned int looks;

json_t *guests_kvm_list(void)
{
	looks++;
	return json_array();
}

static json_t *guest(int pid, double age, double cpu, int exits, int user, int halts)
{
	return json_pack(
		"[{s:s,s:i,s:i,s:s,s:i,s:I,s:f,s:f,s:{s:i,s:i,s:{s:i,s:i,s:i},s:{s:i}},s:{s:i}}]",
		"name", "g", "domid", 1, "pid", pid, "state", "running", "vcpus", 2, "memory_bytes",
		(json_int_t)1 << 29, "seconds", age, "cpu_seconds", cpu, "exits", "all", exits,
		"user", user, "kvm", "exits", exits, "halt_exits", halts, "halt_wait_ns",
		halts * 1000, "by_reason", "io", user, "hypercalls", "sched_op", halts);
}

static json_t *row_between(json_t *before, json_t *now, double seconds)
{
	json_t *rows = top_rows(before, now, seconds), *row = json_incref(json_array_get(rows, 0));

	json_decref(rows);
	json_decref(before);
	json_decref(now);
	return row;
}

static double reason(const json_t *row, const char *which, const char *name)
{
	return guests_number(json_object_get(row, which), name);
}

static void assert_rates(const json_t *row, int cpu_percent, int exits, int user_exits)
{
	assert_int_equal(guests_number(row, "cpu_percent"), cpu_percent);
	assert_int_equal(guests_number(row, "exits_per_second"), exits);
	assert_int_equal(guests_number(row, "user_exits_per_second"), user_exits);
}

static void test_rates(void **state)
{
	/* By its own clock two seconds, whatever ours says */
	json_t *row =
		row_between(guest(5, 10, 1, 1000, 100, 10), guest(5, 12, 2, 3000, 200, 16), 3);

	(void)state;
	assert_rates(row, 50, 1000, 50);
	assert_int_equal(guests_number(row, "hypercalls_per_second"), 3);
	assert_int_equal(reason(row, "by_reason", "halt_exits"), 3);
	assert_int_equal(reason(row, "user_by_reason", "io"), 50);
	assert_int_equal(reason(row, "hypercalls", "sched_op"), 3);
	/* Neither a sum nor a time is a reason. */
	assert_int_equal(json_object_size(json_object_get(row, "by_reason")), 1);
	assert_string_equal(guests_text(row, "name"), "g");
	json_decref(row);
}

static void test_nothing_happened(void **state)
{
	json_t *row = row_between(guest(5, 10, 1, 7, 7, 7), guest(5, 11, 1, 7, 7, 7), 1);

	(void)state;
	assert_int_equal(guests_number(row, "exits_per_second"), 0);
	assert_int_equal(json_object_size(json_object_get(row, "by_reason")), 0);
	json_decref(row);
}

/* The guest rebooted: its counters began anew. */
static void test_reboot(void **state)
{
	json_t *row = row_between(guest(5, 10, 9, 1000, 100, 10), guest(5, 12, 1, 600, 20, 4), 2);

	(void)state;
	assert_rates(row, 50, 300, 10);
	json_decref(row);
}

/* Another process: nothing to subtract, and its age is the time it took */
static void test_new_guest(void **state)
{
	json_t *row = row_between(guest(5, 100, 9, 100000, 100, 10), guest(6, 4, 1, 600, 20, 4), 2);

	(void)state;
	assert_rates(row, 25, 150, 5);
	json_decref(row);
}

/* A guest that does not answer has no rates, and none right after that. */
static void test_silent(void **state)
{
	json_t *silent = json_pack("[{s:s,s:i,s:i,s:s}]", "name", "g", "domid", 1, "pid", 5,
				   "state", "silent");
	json_t *row = row_between(guest(5, 10, 1, 1, 1, 1), json_incref(silent), 1), *rows;
	char *text;

	(void)state;
	assert_null(json_object_get(row, "cpu_percent"));
	assert_null(json_object_get(row, "exits_per_second"));
	rows = json_pack("[o]", row);
	text = top_text(rows);
	assert_non_null(strstr(text, "g    "));
	free(text);
	json_decref(rows);
	json_decref(silent);
}

/* Xen's guests: processor time, and no exits at all */
static void test_xen(void **state)
{
	json_t *before = json_pack("[{s:s,s:i,s:f}]", "name", "x", "domid", 3, "cpu_seconds", 1.0);
	json_t *now = json_pack("[{s:s,s:i,s:f},{s:s,s:i,s:f}]", "name", "x", "domid", 3,
				"cpu_seconds", 2.5, "name", "new", "domid", 4, "cpu_seconds", 9.0);
	json_t *rows = top_rows(before, now, 3);

	(void)state;
	assert_int_equal(guests_number(json_array_get(rows, 0), "cpu_percent"), 50);
	assert_null(json_object_get(json_array_get(rows, 0), "exits_per_second"));
	assert_null(json_object_get(json_array_get(rows, 1), "cpu_percent"));
	json_decref(rows);
	json_decref(before);
	json_decref(now);
}

static void test_options(void **state)
{
	static const char *const bad[] = { "-n0", "-n",	    "-nx",	 "-n-1",  "-n1x",
					   "-d0", "-dx",    "-d",	 "-d1e9", "-dnan",
					   "-x",  "--frob", "--batch=1", "stray" };
	char *argv[] = { (char *)"top", NULL, NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		optind = 0;
		argv[1] = (char *)bad[i];
		assert_int_equal(cmd_top(2, argv), EXIT_SETUP);
	}
	assert_int_equal(looks, 0);
}

static void test_count(void **state)
{
	char *argv[] = { (char *)"top", (char *)"-d0.1", (char *)"-n3", (char *)"--json", NULL };

	(void)state;
	optind = 0;
	looks = 0;
	/* Its output is no verdict, but no harm either. */
	assert_int_equal(cmd_top(4, argv), EXIT_DONE);
	assert_int_equal(looks, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),	cmocka_unit_test(test_nothing_happened),
		cmocka_unit_test(test_reboot),	cmocka_unit_test(test_new_guest),
		cmocka_unit_test(test_silent),	cmocka_unit_test(test_xen),
		cmocka_unit_test(test_options), cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests_name("cmd_top", tests, NULL, NULL);
}
