/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The domain's console: one place outside (the terminal, a pty, a file), two devices inside that
 * share it, the UART and the PV console. What the guest writes to either appears outside; what is
 * typed goes to the PV console once the guest has written to that, to the UART before.
 *
 * Nobody waits here: output that the outside does not take is kept up to a limit and then dropped
 * with a note (UART, debug port), or left in the ring so that the guest waits (PV console). Only a regular file
 * is waited for: it takes everything, but as slowly as its storage.
 */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include "hv/types.h"

struct config;
struct console;

/**
 * typedef console_input_fn - typed bytes; loop thread. Return: how many were taken; the rest is
 * dropped
 */
typedef size_t (*console_input_fn)(void *opaque, const void *buf, size_t n);

/**
 * console_open - open what @config names
 *
 * Before the domain exists. A terminal is switched to raw mode in console_start(), not here.
 * Return: 0, or -errno after printing one line.
 */
int console_open(const struct config *config, struct console **con);

/**
 * console_start - serve the PV console's ring (d->console_gfn, d->console_port) and typed input
 *
 * After xenstore_service_create(); writes the console nodes. Sets d->console. Loop thread.
 * Return: 0 or -errno.
 */
int console_start(struct domain *d, struct console *con);

/**
 * console_stop - let go of the ring; while guest memory still exists. Output still works
 * afterwards
 */
void console_stop(struct console *con);

/**
 * console_close - write out what is left (at most a second), restore the terminal, free; NULL is
 * allowed
 *
 * The terminal is also restored by the process's exit handlers; after a signal that kills at once
 * console_restore_terminal() does it.
 */
void console_close(struct console *con);

/** console_restore_terminal - async-signal-safe; leaves the terminal as it was found */
void console_restore_terminal(void);

/** console_write - output of a device that cannot wait; any thread */
void console_write(struct console *con, const void *buf, size_t n);

/**
 * console_set_uart - where typed bytes go while the guest does not use the PV console; loop
 * thread or before it runs
 */
void console_set_uart(struct console *con, console_input_fn fn, void *opaque);

/** console_pty - path of the pty, or NULL; static storage of @con */
const char *console_pty(const struct console *con);

#endif /* HV_CONSOLE_H */
