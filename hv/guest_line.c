// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/guest_line.h"

#include "hv/domain.h"
#include "hv/domain_abi.h"
#include "hv/log.h"
#include "hv/timer.h"

/* A talkative kernel's boot is logged whole; after that ten lines a second */
#define BURST_LINES 4096
#define LINE_NS 100000000ULL
/* After some were left out there is room for as many before the next is logged */
#define RESUME_LINES 100

bool guest_line_put(struct guest_line *line, char c)
{
	bool split = line->split;

	if (c == '\0' || c == '\r')
		return false;
	line->split = false;
	if (c == '\n' && split)
		return false;
	if (c != '\n') {
		line->text[line->len++] = c == '\t' || (c >= ' ' && c < 0x7f) ? c : '?';
		if (line->len < sizeof(line->text) - 1)
			return false;
		line->split = true;
	}
	line->text[line->len] = '\0';
	line->len = 0;
	return true;
}

bool guest_log_admit(struct guest_log *log, uint64_t now)
{
	uint64_t start = log->paid_until > now ? log->paid_until : now;
	uint64_t lines = (start - now + LINE_NS - 1) / LINE_NS;

	if (lines >= (log->dropped ? BURST_LINES - RESUME_LINES : BURST_LINES)) {
		log->dropped++;
		return false;
	}
	log->paid_until = start + LINE_NS;
	return true;
}

void guest_log_line(struct domain *d, const char *prefix, const char *text)
{
	struct guest_log *log = &d->abi->log;
	unsigned long dropped;
	bool ok;

	pthread_mutex_lock(&log->lock);
	dropped = log->dropped;
	ok = guest_log_admit(log, timer_now(d));
	if (ok)
		log->dropped = 0;
	pthread_mutex_unlock(&log->lock);

	if (ok && dropped)
		pr_warn("%lu lines of the guest were left out", dropped);
	if (ok)
		pr_info("%s%s", prefix, text);
	else if (!dropped)
		pr_warn("guest writes too many lines, leaving out some");
}
