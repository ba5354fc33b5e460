/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How others ask a running domain how it is doing: whoever connects to report.sock in its run
 * directory is sent the report (hv/report.h) as JSON, and the connection is closed. Nothing is
 * read: there is nothing a client could do to the domain.
 */
#ifndef HV_REPORT_SOCKET_H
#define HV_REPORT_SOCKET_H

#include "hv/loop.h"

struct domain;

/** struct report_socket - @listen has fd -1 while there is no socket */
struct report_socket {
	const struct domain *domain;
	struct loop_source listen;
};

/**
 * report_socket_open - listen in the run directory of @d, for its owner only
 *
 * Needs d->run_dir and d->loop, which may only run while the domain is built. Return: 0 or -errno.
 */
int report_socket_open(struct report_socket *s, const struct domain *d);

/** report_socket_close - the opposite; allowed when it never opened. The file goes with its directory */
void report_socket_close(struct report_socket *s);

#endif /* HV_REPORT_SOCKET_H */
