// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a console shows: the terminal this program was started from, a pty, a file, or nowhere. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "hv/console_core.h"
#include "hv/log.h"

/* What a terminal or pipe that shows room takes without waiting */
#define BLOCKING_CHUNK 64

/*
 * The process's terminal and how it was found. There is one terminal, and exit handlers and
 * signal handlers get no argument, so this cannot hang off a domain.
 */
static struct {
	struct termios found;
	int fd;
	volatile sig_atomic_t changed;
} terminal;

static const int fatal_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
static struct sigaction former[ARRAY_SIZE(fatal_signals)];

void console_restore_terminal(void)
{
	if (!terminal.changed)
		return;
	terminal.changed = 0;
	tcsetattr(terminal.fd, TCSANOW, &terminal.found);
}

/* Put the terminal right, then let the signal do what it would have done. */
static void fatal(int sig)
{
	unsigned int i;

	console_restore_terminal();
	for (i = 0; i < ARRAY_SIZE(fatal_signals); i++)
		if (fatal_signals[i] == sig)
			sigaction(sig, &former[i], NULL);
}

static void make_raw(int fd)
{
	const struct sigaction action = { .sa_handler = fatal };
	struct termios raw;
	unsigned int i;

	if (terminal.changed || tcgetattr(fd, &terminal.found))
		return;
	terminal.fd = fd;
	raw = terminal.found;
	cfmakeraw(&raw);
	/* Our own messages end in plain line feeds. */
	raw.c_oflag |= OPOST;
	for (i = 0; i < ARRAY_SIZE(fatal_signals); i++)
		sigaction(fatal_signals[i], &action, &former[i]);
	atexit(console_restore_terminal);
	terminal.changed = 1;
	tcsetattr(fd, TCSANOW, &raw);
}

/*
 * A descriptor for standard output on which writing does not wait. O_NONBLOCK belongs to the open
 * file, which we share with the shell, so a terminal or a pipe is opened once more.
 */
static int stdout_fd(struct console_outside *o)
{
	char path[32];
	struct stat st;
	int fd = -1;

	if (fstat(STDOUT_FILENO, &st))
		return -errno;
	o->socket = S_ISSOCK(st.st_mode);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", STDOUT_FILENO);
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		o->blocking = !S_ISREG(st.st_mode);
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	}
	return fd < 0 ? -errno : fd;
}

static int stdio_open(struct console_outside *o)
{
	o->out_fd = stdout_fd(o);
	if (o->out_fd < 0) {
		pr_err("console: standard output: %s", strerror(-o->out_fd));
		return o->out_fd;
	}
	if (isatty(STDIN_FILENO)) {
		/* A job in the background would be stopped for touching the terminal. */
		if (tcgetpgrp(STDIN_FILENO) != getpgrp())
			return 0;
		o->raw = true;
	}
	o->in_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	return 0;
}

static int pty_error(const char *what)
{
	int err = -errno;

	pr_err("console: pty: %s: %s", what, strerror(-err));
	return err;
}

static int pty_open(struct console_outside *o)
{
	struct termios raw;

	o->out_fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (o->out_fd < 0)
		return pty_error("none left");
	if (grantpt(o->out_fd) || unlockpt(o->out_fd) ||
	    ptsname_r(o->out_fd, o->pty, sizeof(o->pty)))
		return pty_error("cannot be unlocked");
	o->keep_fd = open(o->pty, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (o->keep_fd < 0 || tcgetattr(o->keep_fd, &raw))
		return pty_error(o->pty);
	cfmakeraw(&raw);
	if (tcsetattr(o->keep_fd, TCSANOW, &raw))
		return pty_error(o->pty);
	o->in_fd = o->out_fd;
	return 0;
}

static int file_open(struct console_outside *o)
{
	o->out_fd = open(o->path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0644);
	if (o->out_fd >= 0)
		return 0;
	pr_err("console: '%s': %s", o->path, strerror(errno));
	return -errno;
}

static int none_open(struct console_outside *o)
{
	(void)o;
	return 0;
}

static int (*const open_type[])(struct console_outside *o) = {
	[CONSOLE_STDIO] = stdio_open,
	[CONSOLE_PTY] = pty_open,
	[CONSOLE_FILE] = file_open,
	[CONSOLE_NONE] = none_open,
};

int outside_open(struct console_outside *o, const struct config *config)
{
	int err;

	o->type = config->console;
	o->path = config->console_path;
	o->in_fd = -1;
	o->out_fd = -1;
	o->keep_fd = -1;
	err = open_type[o->type](o);
	if (err)
		outside_close(o);
	return err;
}

void outside_start(struct console_outside *o)
{
	if (o->raw)
		make_raw(STDIN_FILENO);
}

void outside_close(struct console_outside *o)
{
	if (o->raw)
		console_restore_terminal();
	if (o->keep_fd >= 0)
		close(o->keep_fd);
	if (o->in_fd >= 0 && o->in_fd != o->out_fd)
		close(o->in_fd);
	if (o->out_fd >= 0)
		close(o->out_fd);
}

ssize_t outside_write(const struct console_outside *o, const void *buf, size_t n)
{
	struct pollfd room = { .fd = o->out_fd, .events = POLLOUT };
	ssize_t done;

	if (o->out_fd < 0)
		return n;
	/* Another user's terminal cannot be opened again; a little fits where poll() sees room. */
	if (o->blocking) {
		if (poll(&room, 1, 0) <= 0)
			return -EAGAIN;
		n = n < BLOCKING_CHUNK ? n : BLOCKING_CHUNK;
	}
	if (o->socket)
		done = send(o->out_fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		done = write(o->out_fd, buf, n);
	if (done < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	return done;
}
