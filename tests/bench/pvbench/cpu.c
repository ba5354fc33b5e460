// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What one CPU does by itself: system calls, instructions that a hypervisor intercepts, new processes.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/pvbench/pvbench.h"

/* Nobody listens there: old BIOSes showed by it how far they had come. */
#define PORT_POST 0x80

static void syscall_batch(unsigned long n, void *arg)
{
	(void)arg;
	while (n--)
		syscall(SYS_getppid);
}

struct result run_syscall(double seconds, const char *arg)
{
	(void)arg;
	pin(0);
	return repeat(syscall_batch, NULL, seconds);
}

static void cpuid_batch(unsigned long n, void *arg)
{
	unsigned int a, b, c, d;

	(void)arg;
	while (n--)
		__cpuid(0, a, b, c, d);
}

struct result run_cpuid(double seconds, const char *arg)
{
	(void)arg;
	pin(0);
	return repeat(cpuid_batch, NULL, seconds);
}

static void port_batch(unsigned long n, void *arg)
{
	int fd = *(int *)arg;
	char byte = 0;

	while (n--) {
		if (pwrite(fd, &byte, 1, PORT_POST) != 1)
			die("write to /dev/port");
	}
}

/* By the kernel, since emulated processors do not always grant what ioperm() permits. */
struct result run_port(double seconds, const char *arg)
{
	int fd = open("/dev/port", O_WRONLY | O_CLOEXEC);
	struct result result;

	(void)arg;
	if (fd < 0)
		cannot("/dev/port");
	pin(0);
	result = repeat(port_batch, &fd, seconds);
	close(fd);
	return result;
}

static void clock_batch(unsigned long n, void *arg)
{
	struct timespec t;

	(void)arg;
	while (n--)
		clock_gettime(CLOCK_MONOTONIC, &t);
}

struct result run_clock(double seconds, const char *arg)
{
	(void)arg;
	pin(0);
	return repeat(clock_batch, NULL, seconds);
}

static void fork_exec_batch(unsigned long n, void *arg)
{
	(void)arg;
	while (n--) {
		pid_t child = fork();
		int status;

		if (child < 0)
			die("fork");
		if (!child) {
			execl("/proc/self/exe", "nothing", NULL);
			_exit(errno);
		}
		if (waitpid(child, &status, 0) < 0)
			die("waitpid");
		errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
		if (errno)
			die("exec of /proc/self/exe");
	}
}

struct result run_fork_exec(double seconds, const char *arg)
{
	(void)arg;
	pin(0);
	return repeat(fork_exec_batch, NULL, seconds);
}
