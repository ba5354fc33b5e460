/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of pvbench share: small workloads for a machine with or without a hypervisor below it.
 */
#ifndef TESTS_BENCH_PVBENCH_PVBENCH_H
#define TESTS_BENCH_PVBENCH_PVBENCH_H

/* Exit statuses besides 0 and 1 */
enum { BAD_ARGUMENT = 2, CANNOT = 77 };

/**
 * struct result - what came of a workload
 * @ops: operations done, those it took to find its pace included
 * @seconds: how long they took
 */
struct result {
	double ops;
	double seconds;
};

/**
 * typedef run_fn - a workload
 * @seconds: for about how long
 * @arg: the argument its table entry asks for, or NULL
 *
 * Return: what it did; it does not return from an error.
 */
typedef struct result run_fn(double seconds, const char *arg);

run_fn run_syscall, run_cpuid, run_port, run_clock, run_fork_exec;
run_fn run_switch, run_switch_cross;
run_fn run_page_fault, run_mprotect, run_shootdown, run_ipi;
run_fn run_sleep, run_idle;
run_fn run_rr_client;

/* Serves rr-client on TCP port @port until it is killed. */
_Noreturn void rr_server(const char *port);

/**
 * repeat() - do batches of operations until the time is up
 * @batch: does @n operations with @arg
 * @arg: for @batch
 * @seconds: for how long
 *
 * The batches grow until looking at the clock costs nothing beside them.
 */
struct result repeat(void (*batch)(unsigned long n, void *arg), void *arg, double seconds);

/* Keeps the calling thread on the @n-th, from 0, of the CPUs that the workload asked for. */
void pin(int n);

/* Monotonic time in seconds. */
double now(void);

/* Says what failed and why (errno), and exits with status 1. */
_Noreturn void die(const char *what);

/* The same for what this machine has not or does not permit, with status CANNOT. */
_Noreturn void cannot(const char *what);

#endif
