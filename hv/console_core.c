// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The console's buffer: any thread puts in, the loop thread writes out; and the way of typed
 * bytes into the guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "hv/console_core.h"
#include "hv/domain.h"

/* How long the guest waits for an outside that takes nothing, before output is dropped instead. */
#define STALL_SECONDS 1
#define FLUSH_ROUNDS 16
/* Typed on a raw terminal: as SIGTERM would, shut the guest down; twice kills it. */
#define ESCAPE 0x1d /* Ctrl-] */

static void put(struct console *con, const char *buf, size_t n)
{
	size_t end = (con->at + con->used) % CONSOLE_BUFFER;
	size_t run = CONSOLE_BUFFER - end < n ? CONSOLE_BUFFER - end : n;

	memcpy(con->buf + end, buf, run);
	memcpy(con->buf, buf + run, n - run);
	con->used += n;
}

/* Room is kept for this note, so that it can always be made. */
#define LOST_NOTE_MAX 64

static void put_lost(struct console *con)
{
	char note[LOST_NOTE_MAX];
	int n;

	if (!con->lost)
		return;
	n = snprintf(note, sizeof(note), "\r\n[console: %llu bytes lost]\r\n", con->lost);
	con->lost = 0;
	put(con, note, n);
}

static size_t room(const struct console *con)
{
	size_t taken = con->used + LOST_NOTE_MAX;

	return taken < CONSOLE_BUFFER ? CONSOLE_BUFFER - taken : 0;
}

size_t console_room(struct console *con)
{
	size_t n;

	pthread_mutex_lock(&con->lock);
	n = room(con);
	pthread_mutex_unlock(&con->lock);
	return n;
}

/* All or nothing per piece: half a line helps nobody. */
bool console_append(struct console *con, const void *buf, size_t n)
{
	bool first;

	pthread_mutex_lock(&con->lock);
	first = !con->used && !con->lost;
	if (con->lost && room(con) >= n + LOST_NOTE_MAX)
		put_lost(con);
	if (n <= room(con) && !con->lost)
		put(con, buf, n);
	else
		con->lost += n;
	pthread_mutex_unlock(&con->lock);
	return first;
}

void console_write(struct console *con, const void *buf, size_t n)
{
	/* The loop was told about what is there already, and takes all there is. */
	if (console_append(con, buf, n))
		eventfd_write(con->kick.fd, 1);
}

/* Write as much as the outside takes: 0 when all is written, or why not. */
static int write_out(struct console *con, bool *progress)
{
	ssize_t n = 0;

	pthread_mutex_lock(&con->lock);
	while (con->used || con->lost) {
		size_t run = CONSOLE_BUFFER - con->at;

		if (!con->used)
			put_lost(con);
		if (run > con->used)
			run = con->used;
		n = outside_write(&con->outside, con->buf + con->at, run);
		if (n <= 0)
			break;
		con->at = (con->at + n) % CONSOLE_BUFFER;
		con->used -= n;
		*progress = true;
	}
	/* An outside that is gone for good takes nothing any more, and keeps nobody waiting. */
	if (n < 0 && n != -EAGAIN) {
		con->used = 0;
		con->lost = 0;
	}
	n = con->used;
	pthread_mutex_unlock(&con->lock);
	return n ? -EAGAIN : 0;
}

static void source_switch(struct console *con, struct loop_source *s, bool *is_on, bool on,
			  uint32_t events)
{
	if (*is_on == on || s->fd < 0)
		return;
	if (!on)
		loop_del(con->domain->loop, s);
	else if (loop_add(con->domain->loop, s, events))
		return;
	*is_on = on;
}

static void stall_timer(struct console *con, bool on)
{
	const struct itimerspec when = { .it_value.tv_sec = on ? STALL_SECONDS : 0 };

	if (con->stall_on != on)
		timerfd_settime(con->stall.fd, 0, &when, NULL);
	con->stall_on = on;
}

void console_flush(struct console *con)
{
	bool progress = false, left;
	int rounds = 0, err;

	do {
		left = pv_drain(con);
		err = write_out(con, &progress);
	} while (left && !err && ++rounds < FLUSH_ROUNDS);
	/* A guest that never stops writing must not keep the loop for itself. */
	if (left && !err)
		eventfd_write(con->kick.fd, 1);
	source_switch(con, &con->writable, &con->writable_on, err, EPOLLOUT);
	if (progress)
		stall_timer(con, false);
	stall_timer(con, left);
}

static void on_writable(struct loop_source *s, uint32_t events)
{
	(void)events;
	console_flush(container_of(s, struct console, writable));
}

static void on_kick(struct loop_source *s, uint32_t events)
{
	struct console *con = container_of(s, struct console, kick);
	uint64_t count;

	(void)events;
	if (read(s->fd, &count, sizeof(count)) < 0)
		return;
	console_typed(con);
	console_flush(con);
}

/* The guest has waited long enough: forget what nobody reads. */
static void on_stall(struct loop_source *s, uint32_t events)
{
	struct console *con = container_of(s, struct console, stall);
	uint64_t count;

	(void)events;
	if (read(s->fd, &count, sizeof(count)) < 0)
		return;
	con->stall_on = false;
	pthread_mutex_lock(&con->lock);
	con->lost += con->used;
	con->used = 0;
	pthread_mutex_unlock(&con->lock);
	console_flush(con);
}

/* Hand typed bytes on; more are read only when none are left. */
void console_typed(struct console *con)
{
	size_t done;

	if (con->nr_typed && con->pv_used) {
		done = pv_type(con, con->typed, con->nr_typed);
		con->nr_typed -= done;
		memmove(con->typed, con->typed + done, con->nr_typed);
	} else if (con->nr_typed) {
		if (con->uart)
			con->uart(con->uart_opaque, con->typed, con->nr_typed);
		con->nr_typed = 0;
	}
	source_switch(con, &con->readable, &con->readable_on, !con->nr_typed, EPOLLIN);
}

static void on_readable(struct loop_source *s, uint32_t events)
{
	struct console *con = container_of(s, struct console, readable);
	ssize_t n = read(s->fd, con->typed, sizeof(con->typed));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* The end of the input; the console goes on without. */
		source_switch(con, &con->readable, &con->readable_on, false, 0);
		con->readable.fd = -1;
		return;
	}
	con->nr_typed = n;
	if (con->outside.raw && memchr(con->typed, ESCAPE, n)) {
		con->nr_typed = 0;
		kill(getpid(), SIGTERM);
	}
	console_typed(con);
}

int console_open(const struct config *config, struct console **conp)
{
	struct console *con = calloc(1, sizeof(*con));
	int err;

	if (!con)
		return -ENOMEM;
	err = outside_open(&con->outside, config);
	if (err) {
		free(con);
		return err;
	}
	pthread_mutex_init(&con->lock, NULL);
	con->buf = malloc(CONSOLE_BUFFER);
	con->writable = (struct loop_source){ con->outside.out_fd, on_writable };
	con->readable = (struct loop_source){ con->outside.in_fd, on_readable };
	con->kick = (struct loop_source){ eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), on_kick };
	con->stall =
		(struct loop_source){ timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
				      on_stall };
	/* A pty is one descriptor, but the loop watches its directions separately. */
	if (con->outside.type == CONSOLE_PTY)
		con->writable.fd = fcntl(con->outside.out_fd, F_DUPFD_CLOEXEC, 0);
	if (!con->buf || con->kick.fd < 0 || con->stall.fd < 0) {
		console_close(con);
		return -ENOMEM;
	}
	*conp = con;
	return 0;
}

int console_start(struct domain *d, struct console *con)
{
	int err;

	con->domain = d;
	err = loop_add(d->loop, &con->kick, EPOLLIN);
	if (err)
		return err;
	err = loop_add(d->loop, &con->stall, EPOLLIN);
	if (err)
		goto del_kick;
	err = pv_start(con);
	if (err)
		goto del_stall;
	con->started = true;
	d->console = con;
	outside_start(&con->outside);
	source_switch(con, &con->readable, &con->readable_on, true, EPOLLIN);
	eventfd_write(con->kick.fd, 1);
	return 0;

del_stall:
	loop_del(d->loop, &con->stall);
del_kick:
	loop_del(d->loop, &con->kick);
	return err;
}

void console_stop(struct console *con)
{
	if (!con || !con->started)
		return;
	pv_drain(con);
	pv_stop(con);
	source_switch(con, &con->readable, &con->readable_on, false, 0);
	source_switch(con, &con->writable, &con->writable_on, false, 0);
	loop_del(con->domain->loop, &con->stall);
	loop_del(con->domain->loop, &con->kick);
	con->nr_typed = 0;
	con->started = false;
}

static void write_rest(struct console *con)
{
	struct pollfd p = { .fd = con->outside.out_fd, .events = POLLOUT };
	bool progress;
	int i;

	/*
	 * A second in all for an outside that is slow; one that takes nothing is given up at
	 * once.
	 */
	for (i = 0; i < 20; i++) {
		progress = false;
		if (!write_out(con, &progress))
			return;
		if (poll(&p, 1, 50) == 0 && !progress && i)
			return;
	}
}

void console_close(struct console *con)
{
	if (!con)
		return;
	if (con->buf)
		write_rest(con);
	if (con->outside.type == CONSOLE_PTY && con->writable.fd >= 0)
		close(con->writable.fd);
	outside_close(&con->outside);
	if (con->kick.fd >= 0)
		close(con->kick.fd);
	if (con->stall.fd >= 0)
		close(con->stall.fd);
	pthread_mutex_destroy(&con->lock);
	free(con->buf);
	free(con);
}

void console_set_uart(struct console *con, console_input_fn fn, void *opaque)
{
	con->uart = fn;
	con->uart_opaque = opaque;
}

const char *console_pty(const struct console *con)
{
	return con->outside.type == CONSOLE_PTY ? con->outside.pty : NULL;
}
