// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/power.c: what the toolstack asks for, and what it is told. This file plays the store.
 */
#include "tests/kunit/core.c"

#include <linux/reboot.h>

static unsigned int poweroffs, reboots;

#define orderly_poweroff(force) (poweroffs++)
#define orderly_reboot() (reboots++)
#include "guest/linux/power.c"

static struct {
	char word[16]; /* control/shutdown */
	bool present;
	bool refuses; /* writing */
	char poweroff[4], reboot[4]; /* control/feature-* */
} store;

const struct paravane_xs_tx paravane_xs_no_tx;

int paravane_xs_watch_register(struct paravane_xs_watch *watch)
{
	return 0;
}

bool paravane_xs_is_silent(void)
{
	return false;
}

void paravane_xs_watch_unregister(struct paravane_xs_watch *watch)
{
}

char *paravane_xs_read(const struct paravane_xs_tx *tx, const char *dir, const char *node,
		       unsigned int *len)
{
	return store.present ? kstrdup(store.word, GFP_KERNEL) : ERR_PTR(-ENOENT);
}

int paravane_xs_write(const struct paravane_xs_tx *tx, const char *dir, const char *node,
		      const char *fmt, ...)
{
	va_list ap;

	if (store.refuses)
		return -EACCES;
	va_start(ap, fmt);
	if (!strcmp(node, "shutdown"))
		vsnprintf(store.word, sizeof(store.word), fmt, ap);
	else if (!strcmp(node, "feature-poweroff"))
		vsnprintf(store.poweroff, sizeof(store.poweroff), fmt, ap);
	else if (!strcmp(node, "feature-reboot"))
		vsnprintf(store.reboot, sizeof(store.reboot), fmt, ap);
	va_end(ap);
	return 0;
}

int paravane_xs_tx_run(int (*fn)(const struct paravane_xs_tx *tx, void *data), void *data)
{
	return fn(&paravane_xs_no_tx, data);
}

static void ask(const char *word)
{
	store.present = word;
	strscpy(store.word, word ?: "", sizeof(store.word));
	poweroffs = 0;
	reboots = 0;
	shutdown_event(&shutdown_watch, shutdown_watch.path);
}

static void asks(struct kunit *test)
{
	static const struct {
		const char *word;
		unsigned int poweroffs, reboots;
		const char *left;
	} cases[] = {
		{ NULL, 0, 0, "" },
		{ "", 0, 0, "" },
		{ "poweroff", 1, 0, "" },
		{ "halt", 1, 0, "" },
		{ "reboot", 0, 1, "" },
		{ "suspend", 0, 0, "suspend" },
		{ "reboots", 0, 0, "reboots" },
	};
	unsigned int i;

	memset(&store, 0, sizeof(store));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ask(cases[i].word);
		KUNIT_EXPECT_EQ(test, poweroffs, cases[i].poweroffs);
		KUNIT_EXPECT_EQ(test, reboots, cases[i].reboots);
		KUNIT_EXPECT_STREQ(test, store.word, cases[i].left);
	}
	/* It cannot be acknowledged, and is done all the same. */
	store.refuses = true;
	ask("reboot");
	KUNIT_EXPECT_EQ(test, reboots, 1);
}

static void announces(struct kunit *test)
{
	memset(&store, 0, sizeof(store));
	announce(true);
	KUNIT_EXPECT_STREQ(test, store.poweroff, "1");
	KUNIT_EXPECT_STREQ(test, store.reboot, "1");
	paravane_power_shutdown();
	KUNIT_EXPECT_STREQ(test, store.poweroff, "0");
	KUNIT_EXPECT_STREQ(test, store.reboot, "0");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(asks),
	KUNIT_CASE(announces),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_power",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
