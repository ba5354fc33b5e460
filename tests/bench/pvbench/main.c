// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pvbench: what single operations cost, natively or in a guest.
 *
 *	pvbench NAME SECONDS [ARGUMENT]		one workload; prints one line of JSON
 *	pvbench rr-server PORT			the other end of rr-client
 *	pvbench --list				the workloads
 *
 * The host counts VM exits beside it, so everything done is counted as done: {"name", "ops", "seconds",
 * "per_op_ns"}. Exit status 2: a bad argument; 77: this machine has not what the workload needs.
 */
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/pvbench/pvbench.h"

static const double seconds_min = 0.01, seconds_max = 3600;

static const struct workload {
	const char *name;
	run_fn *run;
	int cpus;
	const char *op;
	const char *arg;
} workloads[] = {
	{ "syscall", run_syscall, 1, "a system call that does nothing (getppid)", NULL },
	{ "cpuid", run_cpuid, 1, "a CPUID instruction: an exit that the kernel handles", NULL },
	{ "port", run_port, 1, "a byte to I/O port 0x80 by /dev/port: an exit to the VMM", NULL },
	{ "clock", run_clock, 1, "a look at the clock (clock_gettime)", NULL },
	{ "fork-exec", run_fork_exec, 1, "a process from fork to its end, with exec", NULL },
	{ "switch", run_switch, 1, "a switch of processes on one CPU, by a pipe", NULL },
	{ "switch-cross", run_switch_cross, 2, "waking a process on another CPU, by a pipe", NULL },
	{ "page-fault", run_page_fault, 1, "the first touch of a page", NULL },
	{ "mprotect", run_mprotect, 1, "a page made read-only and writable again", NULL },
	{ "shootdown", run_shootdown, 2, "the same while another CPU uses the page", NULL },
	{ "ipi", run_ipi, 2, "an interrupt to another CPU that is busy (membarrier)", NULL },
	{ "sleep-50us", run_sleep, 1, "a sleep of 50 us", NULL },
	{ "idle", run_idle, 1, "a second of doing nothing", NULL },
	{ "rr-client", run_rr_client, 1, "a byte there and back by TCP", "ADDRESS:PORT" },
};

#define WORKLOADS (sizeof(workloads) / sizeof(workloads[0]))

/* Those this process may use: it finds them before it pins itself. */
static cpu_set_t cpus;

void die(const char *what)
{
	fprintf(stderr, "pvbench: %s: %s\n", what, strerror(errno));
	exit(1);
}

void cannot(const char *what)
{
	fprintf(stderr, "pvbench: not here: %s: %s\n", what, strerror(errno));
	exit(CANNOT);
}

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct result repeat(void (*batch)(unsigned long n, void *arg), void *arg, double seconds)
{
	struct result result = { 0 };
	double begin = now();
	unsigned long n = 1;

	while (result.seconds < seconds) {
		double before = result.seconds;

		batch(n, arg);
		result.ops += (double)n;
		result.seconds = now() - begin;
		if (result.seconds - before < seconds / 64)
			n *= 2;
	}
	return result;
}

void pin(int n)
{
	cpu_set_t set;
	int cpu = 0;

	while (!CPU_ISSET(cpu, &cpus) || n--)
		cpu++;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static _Noreturn void usage(void)
{
	fprintf(stderr, "usage: pvbench NAME SECONDS [ARGUMENT] | rr-server PORT | --list\n");
	exit(BAD_ARGUMENT);
}

static void list(void)
{
	for (size_t i = 0; i < WORKLOADS; i++) {
		const struct workload *w = &workloads[i];

		printf("%-14s%d %s  %s%s%s\n", w->name, w->cpus, w->cpus > 1 ? "CPUs" : "CPU ",
		       w->op, w->arg ? "; argument " : "", w->arg ? w->arg : "");
	}
}

static const struct workload *find(const char *name)
{
	for (size_t i = 0; i < WORKLOADS; i++) {
		if (!strcmp(workloads[i].name, name))
			return &workloads[i];
	}
	fprintf(stderr, "pvbench: no workload %s (pvbench --list)\n", name);
	exit(BAD_ARGUMENT);
}

static double parse_seconds(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds) || seconds < seconds_min ||
	    seconds > seconds_max) {
		fprintf(stderr, "pvbench: seconds are a number from %g to %g, not '%s'\n",
			seconds_min, seconds_max, text);
		exit(BAD_ARGUMENT);
	}
	return seconds;
}

static void find_cpus(const struct workload *workload)
{
	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		die("sched_getaffinity");
	if (CPU_COUNT(&cpus) < workload->cpus) {
		fprintf(stderr, "pvbench: %s needs %d CPUs and has %d\n", workload->name,
			workload->cpus, CPU_COUNT(&cpus));
		exit(CANNOT);
	}
}

int main(int argc, char **argv)
{
	const struct workload *workload;
	struct result result;
	double seconds;

	/* What fork-exec executes: libc's start-up and nothing else. */
	if (argc == 1 && !strcmp(argv[0], "nothing"))
		return 0;
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		list();
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "rr-server"))
		rr_server(argv[2]);
	if (argc < 2)
		usage();
	workload = find(argv[1]);
	if (argc != (workload->arg ? 4 : 3)) {
		fprintf(stderr, "usage: pvbench %s SECONDS%s%s\n", workload->name,
			workload->arg ? " " : "", workload->arg ? workload->arg : "");
		return BAD_ARGUMENT;
	}
	seconds = parse_seconds(argv[2]);
	find_cpus(workload);
	result = workload->run(seconds, workload->arg ? argv[3] : NULL);
	printf("{\"name\": \"%s\", \"ops\": %.15g, \"seconds\": %.6f, \"per_op_ns\": %.1f}\n",
	       workload->name, result.ops, result.seconds, result.seconds / result.ops * 1e9);
	return 0;
}
