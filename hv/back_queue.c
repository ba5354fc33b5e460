// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One thread per back-end queue. It works until there is nothing to do, polls a little while in
 * case more comes at once, asks the front end to be woken, and sleeps.
 *
 * Where there is one CPU for guest and queue, a vCPU goes on when it has woken the queue: what it
 * has to ask for arrives together, and costs one notification instead of one each. Elsewhere the
 * queue would wait for whoever is busy on its CPU.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "hv/backend_core.h"
#include "hv/domain.h"

/* Longest time to poll before sleeping; more than a wake-up costs is wasted. */
#define POLL_MAX 50000u
#define POLL_FIRST 10000u

/*
 * Rounds of work after which the queue's own descriptors get a look even if the ring never
 * empties.
 */
#define BUSY_ROUNDS 16

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static bool queue_stopping(const struct backend_queue *q)
{
	return __atomic_load_n(&q->stop, __ATOMIC_ACQUIRE);
}

/*
 * A kick that came soon would have been seen by polling a little longer; polling before a long
 * sleep, or before one that something else ended, was in vain.
 */
static void window_adapt(struct backend_queue *q, bool kicked_soon)
{
	if (!kicked_soon || q->lone_cpu)
		q->window /= 2;
	else if (q->window < POLL_FIRST)
		q->window = POLL_FIRST;
	else
		q->window = q->window * 2 < POLL_MAX ? q->window * 2 : POLL_MAX;
}

/* Sleep until a kick, one of the queue's own descriptors, or a timeout. */
static int queue_wait(struct backend_queue *q, int timeout)
{
	struct pollfd fds[1 + BACKEND_QUEUE_FDS];
	uint64_t start = now_ns(), count;
	bool kicked;
	int n = 0;

	fds[0] = (struct pollfd){ .fd = q->kick, .events = POLLIN };
	if (q->ops->poll)
		n = q->ops->poll(q, fds + 1, BACKEND_QUEUE_FDS, &timeout);
	if (n < 0)
		return n;
	if (poll(fds, 1 + n, timeout) < 0 && errno != EINTR)
		return -errno;
	kicked = fds[0].revents && read(q->kick, &count, sizeof(count)) == sizeof(count);
	if (timeout)
		window_adapt(q, kicked && now_ns() - start <= POLL_MAX);
	return q->ops->polled ? q->ops->polled(q, fds + 1, n) : 0;
}

/* Poll for work for the length of the window; result as of work. */
static int queue_spin(struct backend_queue *q)
{
	uint64_t end;
	int n;

	if (!q->window)
		return 0;
	end = now_ns() + q->window;
	do {
		n = q->ops->work(q);
		if (n || queue_stopping(q))
			return n;
		__builtin_ia32_pause();
	} while (now_ns() < end);
	return 0;
}

static int queue_round(struct backend_queue *q)
{
	unsigned int busy = 0;
	int n;

	while ((n = q->ops->work(q)) > 0 && !queue_stopping(q))
		if (++busy == BUSY_ROUNDS)
			return q->ops->poll ? queue_wait(q, 0) : 0;
	if (n < 0)
		return n;
	n = queue_spin(q);
	if (n || q->ops->arm(q))
		return n;
	return queue_wait(q, -1);
}

static void queue_schedule(struct backend_queue *q)
{
	const struct sched_param param = { 0 };
	cpu_set_t cpus;

	q->lone_cpu = !sched_getaffinity(0, sizeof(cpus), &cpus) && CPU_COUNT(&cpus) == 1;
	/* A policy the user chose stays. */
	if (q->lone_cpu && sched_getscheduler(0) == SCHED_OTHER)
		sched_setscheduler(0, SCHED_BATCH, &param);
}

static void *queue_thread(void *arg)
{
	struct backend_queue *q = arg;
	int err = 0;

	queue_schedule(q);
	while (!queue_stopping(q) && err >= 0)
		err = queue_round(q);
	/* To stop may take long: it waits for the host's storage. */
	if (err < 0)
		backend_fail(q->dev, err, "the front end broke its ring");
	if (q->ops->stop)
		q->ops->stop(q);
	__atomic_store_n(&q->ended, 1, __ATOMIC_RELEASE);
	loop_post(q->dev->domain->loop, &q->dev->core->bus->news);
	return NULL;
}

int backend_queue_create(struct backend_dev *dev, const struct backend_queue_ops *ops, void *priv,
			 struct backend_queue **qp)
{
	struct backend_queue *q = calloc(1, sizeof(*q));
	int err;

	if (!q)
		return -ENOMEM;
	q->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (q->kick < 0) {
		err = -errno;
		free(q);
		return err;
	}
	q->dev = dev;
	q->ops = ops;
	q->priv = priv;
	q->grants.next = &q->grants;
	q->grants.prev = &q->grants;
	q->next = dev->core->queues;
	dev->core->queues = q;
	*qp = q;
	return 0;
}

void *backend_queue_priv(const struct backend_queue *q)
{
	return q->priv;
}

struct backend_dev *backend_queue_dev(const struct backend_queue *q)
{
	return q->dev;
}

int queue_start(struct backend_queue *q)
{
	sigset_t all, old;
	int err;

	/* Signals are the loop thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&q->thread, NULL, queue_thread, q);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	q->running = !err;
	return -err;
}

void queue_end(struct backend_queue *q)
{
	__atomic_store_n(&q->stop, 1, __ATOMIC_RELEASE);
	eventfd_write(q->kick, 1);
}

bool queue_ended(const struct backend_queue *q)
{
	return !q->running || __atomic_load_n(&q->ended, __ATOMIC_ACQUIRE);
}

void queue_join(struct backend_queue *q)
{
	if (q->running)
		pthread_join(q->thread, NULL);
	q->running = false;
	while (q->grants.next != &q->grants)
		backend_unmap(q, q->grants.next);
}

void queue_free(struct backend_queue *q)
{
	while (q->nr_ports)
		evtchn_peer_unbind(q->port[--q->nr_ports]);
	close(q->kick);
	free(q);
}

int backend_bind_evtchn(struct backend_queue *q, const char *key, struct evtchn_peer **peer)
{
	uint64_t port;
	int err;

	if (q->nr_ports == BACKEND_QUEUE_PORTS)
		return -ENOSPC;
	err = backend_read_front(q->dev, key, UINT32_MAX, &port);
	if (!err)
		err = evtchn_peer_bind(q->dev->domain, port, q->kick, peer);
	if (!err)
		q->port[q->nr_ports++] = *peer;
	return err;
}

int backend_map(struct backend_queue *q, grant_ref_t ref, bool write, struct backend_grant *g)
{
	int err = gnttab_map(q->dev->domain, ref, write, &g->page);

	if (err)
		return err;
	g->ref = ref;
	g->write = write;
	g->prev = &q->grants;
	g->next = q->grants.next;
	g->next->prev = g;
	q->grants.next = g;
	return 0;
}

void backend_unmap(struct backend_queue *q, struct backend_grant *g)
{
	g->prev->next = g->next;
	g->next->prev = g->prev;
	gnttab_unmap(q->dev->domain, g->ref, g->write);
}
