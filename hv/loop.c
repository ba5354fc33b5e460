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

struct loop_call {
	struct loop_call *next;
	void (*fn)(void *arg);
	void *arg;
};

/**
 * struct loop - see hv/loop.h
 * @wake: eventfd, written by loop_post() and loop_stop()
 * @events: the batch being dispatched; loop_del() clears a source's entry
 * @lock: protects @head, @tail
 */
struct loop {
	int epoll_fd;
	struct loop_source wake;
	bool stop;
	struct epoll_event events[LOOP_BATCH];
	int nr_events;
	pthread_mutex_t lock;
	struct loop_call *head, **tail;
};

static void loop_wake(struct loop *loop)
{
	uint64_t one = 1;

	/* Fails only when the counter is full, and then the loop is going to wake up anyway. */
	if (write(loop->wake.fd, &one, sizeof(one)) < 0)
		return;
}

static void loop_run_posted(struct loop_source *s, uint32_t events)
{
	struct loop *loop = container_of(s, struct loop, wake);
	struct loop_call *call;
	uint64_t count;

	(void)events;
	if (read(s->fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&loop->lock);
	call = loop->head;
	loop->head = NULL;
	loop->tail = &loop->head;
	pthread_mutex_unlock(&loop->lock);
	while (call) {
		struct loop_call *next = call->next;

		call->fn(call->arg);
		free(call);
		call = next;
	}
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	pthread_mutex_init(&loop->lock, NULL);
	loop->tail = &loop->head;
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
	for (struct loop_call *call; (call = loop->head); free(call))
		loop->head = call->next;
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

int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct loop_call *call = malloc(sizeof(*call));

	if (!call)
		return -ENOMEM;
	*call = (struct loop_call){ .fn = fn, .arg = arg };
	pthread_mutex_lock(&loop->lock);
	*loop->tail = call;
	loop->tail = &call->next;
	pthread_mutex_unlock(&loop->lock);
	loop_wake(loop);
	return 0;
}

int loop_run(struct loop *loop)
{
	int ret = 0;

	while (!__atomic_load_n(&loop->stop, __ATOMIC_ACQUIRE)) {
		loop->nr_events = epoll_wait(loop->epoll_fd, loop->events, LOOP_BATCH, -1);
		if (loop->nr_events < 0 && errno != EINTR)
			ret = -errno;
		if (ret)
			break;
		for (int i = 0; i < loop->nr_events; i++) {
			struct loop_source *s = loop->events[i].data.ptr;

			if (__atomic_load_n(&loop->stop, __ATOMIC_ACQUIRE))
				break;
			if (s)
				s->fn(s, loop->events[i].events);
		}
		loop->nr_events = 0;
	}
	__atomic_store_n(&loop->stop, false, __ATOMIC_RELEASE);
	return ret;
}

void loop_stop(struct loop *loop)
{
	__atomic_store_n(&loop->stop, true, __ATOMIC_RELEASE);
	loop_wake(loop);
}
