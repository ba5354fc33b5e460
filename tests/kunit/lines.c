// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the code under test has to say when something is wrong: how many lines that were, and the
 * last one. Included before the sources.
 */

#include <kunit/test.h>
#include <linux/device.h>
#include <linux/printk.h>

static unsigned int said;
static char last_line[256];

static __printf(1, 2) void __maybe_unused say_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(last_line, sizeof(last_line), fmt, ap);
	va_end(ap);
	said++;
}

#undef pr_err
#undef pr_warn
#undef pr_warn_ratelimited
#undef dev_err
#undef dev_warn
#define pr_err(fmt, ...) say_line(fmt, ##__VA_ARGS__)
#define pr_warn pr_err
#define pr_warn_ratelimited pr_err
#define dev_err(dev, fmt, ...) say_line("%s: " fmt, dev_name(dev), ##__VA_ARGS__)
#define dev_warn dev_err

/* One line, with these words, since the last time. */
#define EXPECT_ONE_LINE(test, words)                                                    \
	do {                                                                            \
		KUNIT_EXPECT_EQ(test, said, 1);                                         \
		KUNIT_EXPECT_TRUE_MSG(test, strstr(last_line, words), "%s", last_line); \
		said = 0;                                                               \
		last_line[0] = 0;                                                       \
	} while (0)
