/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One vocabulary for tests of the freestanding headers, so that the same cases run as cmocka
 * programs under the host's sanitizers and as KUnit suites in a kernel.
 *
 *	CASE(adds) { CHECK_EQ(1 + 1, 2); }
 *	#define CASES(X) X(adds)
 *	SUITE(arithmetic, CASES)
 */
#ifndef TESTS_KUNIT_CASE_H
#define TESTS_KUNIT_CASE_H

#ifdef __KERNEL__

#include <kunit/test.h>
#include <linux/module.h>

#define CASE(name) static void name(struct kunit *test)
#define CHECK(cond) KUNIT_EXPECT_TRUE(test, cond)
#define CHECK_EQ(a, b) KUNIT_EXPECT_EQ(test, (long long)(a), (long long)(b))
#define CHECK_STR(a, b) KUNIT_EXPECT_STREQ(test, a, b)

#define SUITE_CASE(name) KUNIT_CASE(name),
#define SUITE(suite, list)                                                 \
	static struct kunit_case suite##_cases[] = { list(SUITE_CASE){} }; \
	static struct kunit_suite suite##_suite = {                        \
		.name = "paravane_" #suite,                                \
		.test_cases = suite##_cases,                               \
	};                                                                 \
	kunit_test_suite(suite##_suite);                                   \
	MODULE_LICENSE("GPL")

#else

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define CASE(name) static void name(void **state __attribute__((unused)))
#define CHECK(cond) assert_true(cond)
#define CHECK_EQ(a, b) assert_int_equal(a, b)
#define CHECK_STR(a, b) assert_string_equal(a, b)

#define SUITE_CASE(name) cmocka_unit_test(name),
#define SUITE(suite, list)                                                     \
	int main(void)                                                         \
	{                                                                      \
		static const struct CMUnitTest cases[] = { list(SUITE_CASE) }; \
                                                                               \
		return cmocka_run_group_tests_name(#suite, cases, NULL, NULL); \
	}                                                                      \
	struct suite_end

#endif

#endif /* TESTS_KUNIT_CASE_H */
