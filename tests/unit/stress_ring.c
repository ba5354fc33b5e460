// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ring/ring.h between threads, under the thread sanitizer: nothing is lost, changed or duplicated,
 * nobody sleeps through a message, and a thread that scribbles over the shared page costs its
 * victim a ring but nothing else. One verdict line for each part; SECONDS (default 3) is the time
 * each of the four gets.
 */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define __XEN_INTERFACE_VERSION__ 0x00030208
#include <xen-public/io/blkif.h>

#include "ring/ring.h"

/* Nobody is ever silent this long on an honest ring: a wake-up was lost. */
#define LOST_MS 20000
#define PAGE 4096

static unsigned int seconds = 3;

static void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("FAIL stress_ring: ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
	_exit(1);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

static unsigned int chance(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 24;
}

/* What two ends share besides the page: the doorbells, and when to stop. */
struct link {
	void *page;
	int to_back;
	int to_front;
	unsigned int total; /* requests in all, once the last one arrived */
	unsigned int stop;
	unsigned int sent;
	unsigned int received;
	unsigned int notified;
	struct ring_front front;
	struct ring_back back;
};

static void ring_bell(struct link *link, int fd)
{
	__atomic_fetch_add(&link->notified, 1, __ATOMIC_RELAXED);
	if (eventfd_write(fd, 1))
		fail("write to a doorbell");
}

/* Sleep until the doorbell rings; returns false if it did not for too long. */
static bool await_bell(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t count;

	return poll(&pfd, 1, LOST_MS) == 1 && read(fd, &count, sizeof(count)) == sizeof(count);
}

/* Shared pages between two that fault: no access outside goes unnoticed. */
static void *guarded_page(void)
{
	char *area = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED || mprotect(area + PAGE, PAGE, PROT_READ | PROT_WRITE))
		fail("no memory");
	return area + PAGE;
}

static void link_make(struct link *link)
{
	memset(link, 0, sizeof(*link));
	link->page = guarded_page();
	link->to_back = eventfd(0, EFD_CLOEXEC);
	link->to_front = eventfd(0, EFD_CLOEXEC);
	if (link->to_back < 0 || link->to_front < 0)
		fail("no doorbells");
	if (ring_front_init(&link->front, link->page, PAGE, RING_FORMAT(blkif)) ||
	    ring_back_attach(&link->back, link->page, PAGE, RING_FORMAT(blkif), 0))
		fail("no ring");
}

static void link_free(struct link *link)
{
	munmap((char *)link->page - PAGE, 3 * PAGE);
	close(link->to_back);
	close(link->to_front);
}

/* The last request says so, in the message itself. */
#define LAST 0xff

static void make_request(struct blkif_request *req, unsigned int nr, bool last)
{
	memset(req, 0, sizeof(*req));
	req->operation = last ? LAST : nr % 5;
	req->id = nr;
	req->sector_number = ~(uint64_t)nr;
	for (int i = 0; i < BLKIF_MAX_SEGMENTS_PER_REQUEST; i++)
		req->seg[i].gref = nr * 31 + i;
}

static void check_request(const struct blkif_request *req, unsigned int nr)
{
	struct blkif_request expected;

	make_request(&expected, nr, req->operation == LAST);
	if (memcmp(req, &expected, sizeof(expected)))
		fail("request %u arrived as %" PRIu64 ", or changed", nr, req->id);
}

static void put_response(struct link *link, unsigned int nr, bool last)
{
	struct blkif_response rsp;

	memset(&rsp, 0, sizeof(rsp));
	rsp.id = nr;
	rsp.operation = last ? LAST : 0;
	rsp.status = nr;
	if (ring_put_response(&link->back, &rsp))
		fail("no room for response %u", nr);
}

static bool take_response(struct link *link, unsigned int nr, bool *last)
{
	struct blkif_response rsp;
	int err = ring_copy_response(&link->front, &rsp);

	if (err == -EAGAIN)
		return false;
	if (err)
		fail("honest ring broken at response %u", nr);
	if (rsp.id != nr || rsp.status != (int16_t)nr)
		fail("response %u arrived as %" PRIu64, nr, rsp.id);
	*last = rsp.operation == LAST;
	return true;
}

/* Sleeps only with an answer outstanding, so that every sleep must end. */
static void *paired_front(void *arg)
{
	struct link *link = arg;
	uint64_t end = now_ms() + seconds * 1000, random = 12345;
	unsigned int sent = 0, received = 0;
	bool stopping = false, done = false;

	while (!done) {
		for (unsigned int n = 1 + chance(&random) % 32; n && !stopping; n--) {
			struct blkif_request req;

			if (!ring_front_free(&link->front))
				break;
			stopping = !(sent % 64) && now_ms() > end;
			make_request(&req, sent, stopping);
			if (ring_put_request(&link->front, &req))
				fail("no room for request %u", sent);
			sent++;
		}
		if (ring_push_requests(&link->front))
			ring_bell(link, link->to_back);
		do {
			while (!done && take_response(link, received, &done))
				received++;
			if (sent == received)
				break;
			if (ring_final_check_responses_after(&link->front,
							     1 + chance(&random) % 40))
				continue;
			if (!await_bell(link->to_front))
				fail("front end slept with %u of %u answered", received, sent);
		} while (!done && sent - received > chance(&random) % 32);
	}
	link->sent = sent;
	link->received = received;
	return NULL;
}

static void *paired_back(void *arg)
{
	struct link *link = arg;
	uint64_t random = 54321;
	unsigned int nr = 0;
	bool last = false;

	while (!last) {
		struct blkif_request req;
		int err;

		while (!last && !(err = ring_copy_request(&link->back, &req))) {
			check_request(&req, nr);
			last = req.operation == LAST;
			put_response(link, nr++, last);
			if (chance(&random) % 8 == 0 && ring_push_responses(&link->back))
				ring_bell(link, link->to_front);
		}
		if (!last && err != -EAGAIN)
			fail("honest ring broken at request %u", nr);
		if (ring_push_responses(&link->back))
			ring_bell(link, link->to_front);
		if (!last && !ring_final_check_requests(&link->back) && !await_bell(link->to_back))
			fail("back end slept after %u requests", nr);
	}
	return NULL;
}

/* The four halves of a ring, each on a thread of its own and without any lock. */
static void *halves_submit(void *arg)
{
	struct link *link = arg;
	uint64_t end = now_ms() + seconds * 1000;
	unsigned int sent = 0;
	bool last = false;

	while (!last) {
		unsigned int room = ring_front_free(&link->front);

		if (!room)
			sched_yield();
		for (; room && !last; room--, sent++) {
			struct blkif_request req;

			last = !(sent % 64) && now_ms() > end;
			make_request(&req, sent, last);
			if (ring_put_request(&link->front, &req))
				fail("no room for request %u", sent);
		}
		if (ring_push_requests(&link->front))
			ring_bell(link, link->to_back);
	}
	link->sent = sent;
	return NULL;
}

static void *halves_consume(void *arg)
{
	struct link *link = arg;
	struct blkif_request req = { 0 };
	unsigned int nr = 0;

	while (req.operation != LAST) {
		int err = ring_copy_request(&link->back, &req);

		if (!err)
			check_request(&req, nr++);
		else if (err != -EAGAIN)
			fail("honest ring broken at request %u", nr);
		else if (!ring_final_check_requests(&link->back) && !await_bell(link->to_back))
			fail("back end slept after %u requests", nr);
	}
	__atomic_store_n(&link->total, nr, __ATOMIC_RELEASE);
	return NULL;
}

static void *halves_respond(void *arg)
{
	struct link *link = arg;
	unsigned int nr = 0, total = 0;

	while (!total || nr < total) {
		unsigned int owed;

		total = __atomic_load_n(&link->total, __ATOMIC_ACQUIRE);
		owed = ring_back_owed(&link->back);
		/* It might be the last one, which needs a response that says so. */
		if (owed && !total)
			owed--;
		if (!owed)
			sched_yield();
		for (; owed; owed--, nr++)
			put_response(link, nr, total && nr + 1 == total);
		if (ring_push_responses(&link->back))
			ring_bell(link, link->to_front);
	}
	return NULL;
}

static void *halves_complete(void *arg)
{
	struct link *link = arg;
	unsigned int nr = 0;
	bool last = false;

	while (!last) {
		if (take_response(link, nr, &last))
			nr++;
		else if (!ring_final_check_responses(&link->front) && !await_bell(link->to_front))
			fail("front end slept after %u responses", nr);
	}
	link->received = nr;
	return NULL;
}

static void run_honest(const char *name, void *(*const threads[])(void *), unsigned int count)
{
	pthread_t ids[4];
	struct link link;

	link_make(&link);
	for (unsigned int i = 0; i < count; i++)
		pthread_create(&ids[i], NULL, threads[i], &link);
	for (unsigned int i = 0; i < count; i++)
		pthread_join(ids[i], NULL);
	if (link.sent != link.received)
		fail("%s: %u sent, %u answered", name, link.sent, link.received);
	printf("PASS stress_ring_%s: %u messages, %u notifications\n", name, link.sent,
	       link.notified);
	link_free(&link);
}

/* Plays either peer, mostly well enough to be believed, and writes anything anywhere too. */
static void *scribbler(void *arg)
{
	struct link *link = arg;
	struct ring_shared *shared = link->page;
	unsigned int *words = link->page;
	uint64_t random = 99;

	while (!__atomic_load_n(&link->stop, __ATOMIC_RELAXED)) {
		unsigned int dice = chance(&random) % 4096, value = chance(&random);
		unsigned int req = env_load(&shared->req_prod), rsp = env_load(&shared->rsp_prod);

		/* On a busy machine the two would take turns of whole time slices. */
		if (dice % 32 == 31)
			sched_yield();
		if (!dice)
			env_store(&words[value % 4], chance(&random));
		else if (dice < 8)
			env_store(&shared->rsp_prod, rsp + value % 64 - 32);
		else if (dice < 16)
			env_store(&shared->req_prod, req + value % 64 - 32);
		else if (req - rsp > 32)
			env_store(&shared->req_prod, rsp);
		else if (dice < 1000 && req - rsp < 32)
			env_store(&shared->req_prod, req + 1);
		else if (dice < 2000 && req != rsp)
			env_store(&shared->rsp_prod, rsp + 1);
		else if (dice < 3000)
			env_store(value & 1 ? &shared->req_event : &shared->rsp_event,
				  req + value % 4);
		else
			env_store(&words[sizeof(*shared) / 4 + value % (PAGE / 4 - 16)], value);
	}
	return NULL;
}

/* Entries the victim acts upon must not change after they were copied. */
static void victim_back(struct link *link, uint64_t *random, uint64_t *moved)
{
	struct ring_back *back = &link->back;
	struct blkif_response rsp = { .id = chance(random) };
	struct blkif_request req, again;
	int pending = ring_unconsumed_requests(back);

	if (pending > (int)(ring_back_size(back) - ring_back_owed(back)))
		fail("%d requests in a ring of %u", pending, ring_back_size(back));
	while (!ring_copy_request(back, &req)) {
		memcpy(&again, &req, sizeof(req));
		ring_push_responses(back);
		if (memcmp(&again, &req, sizeof(req)))
			fail("a copied request changed");
		if (chance(random) % 4 && !ring_put_response(back, &rsp))
			ring_push_responses(back);
		if (!(++*moved % 1024))
			break;
	}
	if (ring_back_owed(back) > ring_back_size(back))
		fail("owes %u responses", ring_back_owed(back));
	if (!ring_final_check_requests(back))
		sched_yield();
}

static void victim_front(struct link *link, uint64_t *random, uint64_t *moved)
{
	struct ring_front *front = &link->front;
	unsigned int out = ring_front_size(front) - ring_front_free(front), answered = 0;
	struct blkif_response rsp;
	struct blkif_request req;

	for (unsigned int n = chance(random) % 40; n; n--, out++) {
		make_request(&req, n, false);
		if (ring_put_request(front, &req))
			break;
	}
	ring_push_requests(front);
	while (!ring_copy_response(front, &rsp)) {
		if (++answered > out)
			fail("%u responses to %u requests", answered, out);
		++*moved;
	}
	if (!ring_final_check_responses_after(front, chance(random) % 40))
		sched_yield();
}

static void run_hostile(const char *name, bool front)
{
	uint64_t end = now_ms() + seconds * 1000, random = 7, moved = 0;
	unsigned int rings = 0;
	struct link link;
	pthread_t id;

	link_make(&link);
	pthread_create(&id, NULL, scribbler, &link);
	while (now_ms() < end) {
		unsigned int at = ring_shared_index(link.page);

		rings++;
		if (front) {
			ring_front_attach(&link.front, link.page, PAGE, RING_FORMAT(blkif), at);
			for (int i = 0; i < 10000 && !ring_front_broken(&link.front); i++)
				victim_front(&link, &random, &moved);
		} else if (!ring_back_attach(&link.back, link.page, PAGE, RING_FORMAT(blkif), at)) {
			for (int i = 0; i < 10000 && !ring_back_broken(&link.back); i++)
				victim_back(&link, &random, &moved);
		}
	}
	__atomic_store_n(&link.stop, 1, __ATOMIC_RELAXED);
	pthread_join(id, NULL);
	if (!moved || rings < 2)
		fail("%s: too little happened: %u rings, %" PRIu64 " entries", name, rings, moved);
	printf("PASS stress_ring_%s: %u rings, %" PRIu64 " entries\n", name, rings, moved);
	link_free(&link);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		seconds = strtoul(argv[1], NULL, 10);
	run_honest("paired", (void *(*const[])(void *)){ paired_front, paired_back }, 2);
	run_honest("halves",
		   (void *(*const[])(void *)){ halves_submit, halves_consume, halves_respond,
					       halves_complete },
		   4);
	run_hostile("hostile_front", false);
	run_hostile("hostile_back", true);
	return 0;
}
