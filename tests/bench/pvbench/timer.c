// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sleeping: briefly and often, or once and long.
 */
#include <errno.h>
#include <time.h>

#include "tests/bench/pvbench/pvbench.h"

static void sleep_for(struct timespec t)
{
	while (nanosleep(&t, &t)) {
		if (errno != EINTR)
			die("nanosleep");
	}
}

static void sleep_batch(unsigned long n, void *arg)
{
	(void)arg;
	while (n--)
		sleep_for((struct timespec){ .tv_nsec = 50 * 1000 });
}

struct result run_sleep(double seconds, const char *arg)
{
	(void)arg;
	pin(0);
	return repeat(sleep_batch, NULL, seconds);
}

/* In one piece: waking up now and then would not be idle. */
struct result run_idle(double seconds, const char *arg)
{
	time_t whole = (time_t)seconds;
	double begin = now();
	struct result result;

	(void)arg;
	sleep_for((struct timespec){ whole, (long)((seconds - (double)whole) * 1e9) });
	result.seconds = now() - begin;
	result.ops = result.seconds;
	return result;
}
