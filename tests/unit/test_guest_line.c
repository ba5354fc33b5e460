// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hv/domain_abi.h"
#include "hv/guest_line.h"
#include "hv/pio.h"
#include "hv/stats.h"
#include "tests/unit/fake_domain.h"

static void debug_write(const char *text)
{
	while (*text)
		pio_exit(&fake->vcpu[0], 0xe9, true, 1, 1, (uint8_t *)(uintptr_t)text++);
}

/* Too long a line continues in the next, without a byte lost */
static void test_long_lines(void **state)
{
	char text[GUEST_LINE_MAX * 2], want[GUEST_LINE_MAX * 3];

	(void)state;
	for (unsigned int i = 0; i < sizeof(text) - 1; i++)
		text[i] = 'a' + i % 26;
	text[sizeof(text) - 1] = '\0';
	snprintf(want, sizeof(want), "%.*s\n%.*s\n%s\n", GUEST_LINE_MAX - 1, text,
		 GUEST_LINE_MAX - 1, text + GUEST_LINE_MAX - 1, text + 2 * (GUEST_LINE_MAX - 1));
	fake->log_len = 0;
	debug_write(text);
	debug_write("\n");
	assert_string_equal(fake->log, want);

	/* What just fits is one line, and no empty one */
	text[GUEST_LINE_MAX - 1] = '\0';
	fake->log_len = 0;
	debug_write(text);
	debug_write("\r\nx\t\x1b\xff\n");
	snprintf(want, sizeof(want), "%s\nx\t??\n", text);
	assert_string_equal(fake->log, want);
}

static void flood(void)
{
	memset(fake_ram(0x9000), '\n', PAGE_SIZE);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(
			fake_call(__HYPERVISOR_console_io, CONSOLEIO_write, PAGE_SIZE, 0x9000), 0);
}

/* A guest fills neither our log nor our time with counting; its marks get there all the same */
static void test_log_is_limited(void **state)
{
	unsigned int lines;

	(void)state;
	flood();
	lines = fake->log_lines;
	assert_in_range(lines, 4096, 4096 + 200);
	fake->log_len = 0;
	debug_write("lost\n\n\n");
	assert_int_equal(fake->log_lines, lines);
	assert_int_equal(fake->samples, 0);
	debug_write("paravane-mark: kept\n");
	assert_string_equal(fake->log, "paravane-mark: kept\n");
	assert_int_equal(fake->samples, 1);
	for (unsigned int i = 0; i < 100; i++)
		debug_write("paravane-mark: more\n");
	assert_int_equal(fake->log_lines, lines + STATS_MARKS);

	/* As if time had passed: what was left out is told, once */
	lines = fake->d.abi->log.dropped;
	assert_true(lines > 8 * PAGE_SIZE - 4096 - 200);
	fake->d.abi->log.paid_until = 0;
	fake->log_len = 0;
	debug_write("again\nand again\n");
	assert_int_equal(strtoul(fake->log, NULL, 10), lines);
	assert_string_equal(strchr(fake->log, '\n'), "\nagain\nand again\n");
}

static void test_log_rate(void **state)
{
	struct guest_log log = { 0 };
	unsigned int n = 0;
	uint64_t now = 1;

	(void)state;
	while (guest_log_admit(&log, now))
		n++;
	assert_int_equal(n, 4096);
	assert_false(guest_log_admit(&log, now + 9000000000));
	assert_true(guest_log_admit(&log, now + 10200000000));
	log.dropped = 0;
	for (now += 10200000000, n = 0; guest_log_admit(&log, now); n++)
		;
	assert_in_range(n, 99, 102);
}

#define T(n) cmocka_unit_test_setup_teardown(test_##n, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { T(long_lines), T(log_is_limited), T(log_rate) };

	return cmocka_run_group_tests_name("guest_line", tests, NULL, NULL);
}
