// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page tables: faults, changes of protection, and what other CPUs are made to do for these.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench/pvbench/pvbench.h"

#define PAGE 4096
#define FAULT_PAGES 1024

static volatile char *map_pages(size_t pages)
{
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	if (p == MAP_FAILED)
		die("mmap");
	/* A kernel without huge pages says EINVAL and has none. */
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	return p;
}

struct faults {
	volatile char *pages;
	size_t next;
};

static void fault_batch(unsigned long n, void *arg)
{
	struct faults *faults = arg;

	while (n--) {
		faults->pages[faults->next++ * PAGE] = 1;
		if (faults->next < FAULT_PAGES)
			continue;
		faults->next = 0;
		if (madvise((void *)faults->pages, FAULT_PAGES * PAGE, MADV_DONTNEED))
			die("madvise");
	}
}

struct result run_page_fault(double seconds, const char *arg)
{
	struct faults faults = { .pages = map_pages(FAULT_PAGES) };

	(void)arg;
	pin(0);
	return repeat(fault_batch, &faults, seconds);
}

/* A thread on the second CPU that keeps it busy, and a page in its TLB. */
struct spinner {
	pthread_t thread;
	const volatile char *page;
	atomic_bool running;
	atomic_bool stop;
};

static void *spin(void *arg)
{
	struct spinner *spinner = arg;

	pin(1);
	atomic_store(&spinner->running, true);
	while (!atomic_load_explicit(&spinner->stop, memory_order_relaxed))
		(void)*spinner->page;
	return NULL;
}

static void spinner_start(struct spinner *spinner, const volatile char *page)
{
	spinner->page = page;
	atomic_init(&spinner->running, false);
	atomic_init(&spinner->stop, false);
	errno = pthread_create(&spinner->thread, NULL, spin, spinner);
	if (errno)
		die("pthread_create");
	while (!atomic_load(&spinner->running))
		sched_yield();
}

static void spinner_stop(struct spinner *spinner)
{
	atomic_store(&spinner->stop, true);
	pthread_join(spinner->thread, NULL);
}

static void mprotect_batch(unsigned long n, void *arg)
{
	volatile char *page = arg;

	while (n--) {
		*page = 1;
		if (mprotect((void *)page, PAGE, PROT_READ) ||
		    mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE))
			die("mprotect");
	}
}

struct result run_mprotect(double seconds, const char *arg)
{
	(void)arg;
	pin(0);
	return repeat(mprotect_batch, (void *)map_pages(1), seconds);
}

struct result run_shootdown(double seconds, const char *arg)
{
	volatile char *page = map_pages(1);
	struct spinner spinner;
	struct result result;

	(void)arg;
	pin(0);
	*page = 1;
	spinner_start(&spinner, page);
	result = repeat(mprotect_batch, (void *)page, seconds);
	spinner_stop(&spinner);
	return result;
}

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

static void ipi_batch(unsigned long n, void *arg)
{
	(void)arg;
	while (n--) {
		if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED))
			die("membarrier");
	}
}

struct result run_ipi(double seconds, const char *arg)
{
	struct spinner spinner;
	struct result result;

	(void)arg;
	if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
		cannot("membarrier");
	pin(0);
	spinner_start(&spinner, map_pages(1));
	result = repeat(ipi_batch, NULL, seconds);
	spinner_stop(&spinner);
	return result;
}
