// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two processes that wake each other by pipes, on one CPU or on two.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/pvbench/pvbench.h"

struct pair {
	int to_child[2];
	int to_parent[2];
};

/* A byte back for each; ends when the other end of the pipe is closed. */
static _Noreturn void echo(const struct pair *pair, int cpu)
{
	char byte;

	pin(cpu);
	close(pair->to_child[1]);
	close(pair->to_parent[0]);
	while (read(pair->to_child[0], &byte, 1) == 1) {
		if (write(pair->to_parent[1], &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static void round_trips(unsigned long n, void *arg)
{
	const struct pair *pair = arg;
	char byte = 0;

	while (n--) {
		if (write(pair->to_child[1], &byte, 1) != 1)
			die("write to the other process");
		if (read(pair->to_parent[0], &byte, 1) != 1)
			die("read from the other process");
	}
}

static struct result run_pair(double seconds, int other_cpu)
{
	struct pair pair;
	struct result result;
	pid_t child;

	if (pipe(pair.to_child) || pipe(pair.to_parent))
		die("pipe");
	pin(0);
	child = fork();
	if (child < 0)
		die("fork");
	if (!child)
		echo(&pair, other_cpu);
	close(pair.to_child[0]);
	close(pair.to_parent[1]);
	result = repeat(round_trips, &pair, seconds);
	close(pair.to_child[1]);
	waitpid(child, NULL, 0);
	/* There and back are two. */
	result.ops *= 2;
	return result;
}

struct result run_switch(double seconds, const char *arg)
{
	(void)arg;
	return run_pair(seconds, 0);
}

struct result run_switch_cross(double seconds, const char *arg)
{
	(void)arg;
	return run_pair(seconds, 1);
}
