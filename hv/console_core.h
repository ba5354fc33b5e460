/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console's private half: console_core.c (buffer and routing), console_outside.c,
 * back_console.c (PV ring).
 */
#ifndef HV_CONSOLE_CORE_H
#define HV_CONSOLE_CORE_H

#include <pthread.h>

#include "hv/config.h"
#include "hv/console.h"
#include "hv/evtchn.h"
#include "hv/loop.h"
#include "ring/stream.h"

/** CONSOLE_BUFFER - bytes kept for an outside that is slower than the guest */
#define CONSOLE_BUFFER (64u << 10)
#define CONSOLE_TYPED 256

/**
 * struct console_outside - what the user sees
 * @in_fd, @out_fd: -1 if there is none
 * @keep_fd: the pty's other end, held so that it stays open without a user
 * @socket: @out_fd is a socket, which has its own way not to block
 * @blocking: writing to @out_fd may wait
 * @raw: switch the terminal on @in_fd to raw mode
 */
struct console_outside {
	enum console_type type;
	int in_fd, out_fd, keep_fd;
	bool socket, blocking, raw;
	char pty[64];
	const char *path;
};

/**
 * struct console - see console.h
 * @lock: a leaf; guards the fields up to @lost
 * @buf: bytes not yet written outside, a ring from @at
 * @lost: bytes that found no room since the last note about it
 * @writable: in the loop only while the outside does not take more
 * @stall: timer, runs while the PV ring waits for the outside
 * @typed: input that the PV ring had no room for; nothing more is read meanwhile
 */
struct console {
	pthread_mutex_t lock;
	char *buf;
	size_t at, used;
	unsigned long long lost;

	struct domain *domain;
	struct console_outside outside;
	struct loop_source writable, readable, kick, stall;
	bool writable_on, readable_on, stall_on, started;

	console_input_fn uart;
	void *uart_opaque;

	struct stream_reader from_guest;
	struct stream_writer to_guest;
	struct evtchn_peer *peer;
	bool pv_used;
	char typed[CONSOLE_TYPED];
	size_t nr_typed;
};

/* console_outside.c */
int outside_open(struct console_outside *o, const struct config *config);
void outside_start(struct console_outside *o);
void outside_close(struct console_outside *o);
/** outside_write - write without waiting; how many bytes, or -errno (-EAGAIN: later) */
ssize_t outside_write(const struct console_outside *o, const void *buf, size_t n);

/* console_core.c; loop thread */
size_t console_room(struct console *con);
/** console_append - any thread; true if the buffer was empty, so that somebody has to flush it */
bool console_append(struct console *con, const void *buf, size_t n);
void console_flush(struct console *con);
void console_typed(struct console *con);

/* back_console.c; loop thread */
int pv_start(struct console *con);
void pv_stop(struct console *con);
/**
 * pv_drain - move what the guest wrote to the buffer, as far as there is room; true if something
 * is left
 */
bool pv_drain(struct console *con);
/** pv_type - give the guest what was typed; how many bytes it had room for */
size_t pv_type(struct console *con, const void *buf, size_t n);

#endif /* HV_CONSOLE_CORE_H */
