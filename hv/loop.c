// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hv/types.h"

#define LOOP_BATCH 32

/**
 * struct loop - see hv/loop.h
 * @wake: eventfd, written by loop_post() and loop_stop()
 * @events: the batch being dispatched; loop_del() clears a source's entry
 * @lock: protects @posted
 */
struct loop {
	int epoll_fd;
	struct loop_source wake;
	bool stop;
	struct epoll_event events[LOOP_BATCH];
	int nr_events;
	pthread_mutex_t lock;
	struct loop_call *posted;
};

/*
 * One call a round, so that sources get their turn. The descriptor stays readable until the last is
 * taken.
 */
static void loop_run_posted(struct loop_source *s, uint32_t events)
{
	struct loop *loop = container_of(s, struct loop, wake);
	struct loop_call *call;
	eventfd_t count;

	(void)events;
	pthread_mutex_lock(&loop->lock);
	call = loop->posted;
	if (call)
		loop->posted = call->next;
	if (!loop->posted)
		eventfd_read(s->fd, &count);
	pthread_mutex_unlock(&loop->lock);
	if (call)
		call->fn(call);
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	pthread_mutex_init(&loop->lock, NULL);
	loop->wake.fn = loop_run_posted;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		goto err_loop;
	loop->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->wake.fd < 0)
		goto err_epoll;
	if (loop_add(loop, &loop->wake, EPOLLIN))
		goto err_wake;
	return loop;

err_wake:
	close(loop->wake.fd);
err_epoll:
	close(loop->epoll_fd);
err_loop:
	pthread_mutex_destroy(&loop->lock);
	free(loop);
	return NULL;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	close(loop->wake.fd);
	close(loop->epoll_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

static int loop_ctl(struct loop *loop, int op, struct loop_source *s, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	return epoll_ctl(loop->epoll_fd, op, s->fd, &ev) ? -errno : 0;
}

int loop_add(struct loop *loop, struct loop_source *s, uint32_t events)
{
	return loop_ctl(loop, EPOLL_CTL_ADD, s, events);
}

int loop_mod(struct loop *loop, struct loop_source *s, uint32_t events)
{
	return loop_ctl(loop, EPOLL_CTL_MOD, s, events);
}

void loop_del(struct loop *loop, struct loop_source *s)
{
	loop_ctl(loop, EPOLL_CTL_DEL, s, 0);
	/* Events of the same batch may still be waiting for a source that is about to go. */
	for (int i = 0; i < loop->nr_events; i++) {
		if (loop->events[i].data.ptr == s)
			loop->events[i].data.ptr = NULL;
	}
}

/* Where @call stands in the list, or the list's end; lock held */
static struct loop_call **loop_find_call(struct loop *loop, const struct loop_call *call)
{
	struct loop_call **at = &loop->posted;

	while (*at && *at != call)
		at = &(*at)->next;
	return at;
}

void loop_post(struct loop *loop, struct loop_call *call)
{
	struct loop_call **at;

	pthread_mutex_lock(&loop->lock);
	at = loop_find_call(loop, call);
	if (!*at) {
		call->next = NULL;
		*at = call;
	}
	pthread_mutex_unlock(&loop->lock);
	eventfd_write(loop->wake.fd, 1);
}

void loop_unpost(struct loop *loop, struct loop_call *call)
{
	struct loop_call **at;

	pthread_mutex_lock(&loop->lock);
	at = loop_find_call(loop, call);
	if (*at)
		*at = call->next;
	pthread_mutex_unlock(&loop->lock);
}

/* Wait for sources, @timeout as of epoll_wait(), and call those that are ready. */
static int loop_round(struct loop *loop, int timeout)
{
	loop->nr_events = epoll_wait(loop->epoll_fd, loop->events, LOOP_BATCH, timeout);
	if (loop->nr_events < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < loop->nr_events; i++) {
		struct loop_source *s = loop->events[i].data.ptr;

		if (s)
			s->fn(s, loop->events[i].events);
	}
	loop->nr_events = 0;
	return 0;
}

int loop_run(struct loop *loop)
{
	int ret = 0;

	while (!ret && !__atomic_load_n(&loop->stop, __ATOMIC_ACQUIRE))
		ret = loop_round(loop, -1);
	__atomic_store_n(&loop->stop, false, __ATOMIC_RELEASE);
	return ret;
}

void loop_stop(struct loop *loop)
{
	__atomic_store_n(&loop->stop, true, __ATOMIC_RELEASE);
	eventfd_write(loop->wake.fd, 1);
}
