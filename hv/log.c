// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static enum log_level max_level = LOG_LEVEL_INFO;
static char prefix[96];
static int log_fd = STDERR_FILENO;
static unsigned int lost; /* lines, since the last one that was written; atomic */

void log_set_level(enum log_level level)
{
	max_level = level;
}

void log_set_domain(const char *name)
{
	prefix[0] = '\0';
	if (name)
		snprintf(prefix, sizeof(prefix), "%s: ", name);
}

void log_open(void)
{
	const int flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	/* A file must go on where it is, and takes everything. */
	bool file = lseek(STDERR_FILENO, 0, SEEK_CUR) >= 0;
	int fd = file ? -1 : open("/proc/self/fd/2", flags);

	if (fd >= 0)
		log_fd = fd;
}

/* One write() per line, so that lines of different threads and processes never mix. */
static bool log_write(const char *line, ssize_t n)
{
	struct pollfd room = { .fd = log_fd, .events = POLLOUT };
	ssize_t done = send(log_fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	/* To ask first is what remains where log_open() could not open anything. */
	if (done < 0 && errno == ENOTSOCK && poll(&room, 1, 0) > 0)
		done = write(log_fd, line, n);
	return done == n;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	int saved_errno = errno;
	unsigned int missed;
	char line[1024];
	va_list ap;
	size_t n;

	if (level > max_level)
		return;
	missed = __atomic_exchange_n(&lost, 0, __ATOMIC_RELAXED);
	n = snprintf(line, sizeof(line), "paravane: %s", prefix);
	if (missed)
		n += snprintf(line + n, sizeof(line) - n, "(%u lines lost) ", missed);
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (!log_write(line, n))
		__atomic_fetch_add(&lost, missed + 1, __ATOMIC_RELAXED);
	errno = saved_errno;
}
