/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that a guest writes to our log byte by byte, by whatever way: only printable ASCII gets
 * there, in whole lines, and not without a limit.
 */
#ifndef HV_GUEST_LINE_H
#define HV_GUEST_LINE_H

#include <pthread.h>

#include "hv/types.h"

#define GUEST_LINE_MAX 512

/**
 * struct guest_line - a line being written; all zero at first
 * @text: terminated once the line is complete
 * @len: bytes until now
 * @split: the last line was full before it ended
 */
struct guest_line {
	char text[GUEST_LINE_MAX];
	size_t len;
	bool split;
};

/**
 * guest_line_put - append a byte; true if @line->text is complete now, until the next call
 *
 * A line that is too long continues in another one.
 */
bool guest_line_put(struct guest_line *line, char c);

/**
 * struct guest_log - limits what a guest makes us log; all zero at first
 * @lock: guards the members below
 * @paid_until: guest system time at which the lines logged until now will not count any more, ns
 * @dropped: lines left out since the last one logged
 */
struct guest_log {
	pthread_mutex_t lock;
	uint64_t paid_until;
	unsigned long dropped;
};

/** guest_log_admit - may a line be logged at @now? Counts it either way; @log's lock held */
bool guest_log_admit(struct guest_log *log, uint64_t now);

/** guest_log_line - log @prefix and @text, unless there were too many; says so if; any thread */
void guest_log_line(struct domain *d, const char *prefix, const char *text);

#endif /* HV_GUEST_LINE_H */
