// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum log_level max_level = LOG_LEVEL_INFO;
static char prefix[96];

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

/* One write() per line, so that lines of different threads and processes never mix. */
void log_line(enum log_level level, const char *fmt, ...)
{
	int saved_errno = errno;
	char line[1024];
	va_list ap;
	size_t n;

	if (level > max_level)
		return;
	n = snprintf(line, sizeof(line), "paravane: %s", prefix);
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0) {
		/* Nowhere left to complain. */
	}
	errno = saved_errno;
}
