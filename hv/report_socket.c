// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/report_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hv/domain.h"
#include "hv/log.h"
#include "hv/report.h"
#include "hv/rundir.h"

/* The socket's buffer has room for all of it: a client that does not read keeps nobody waiting. */
static void answer(const struct report_socket *s, int fd)
{
	json_t *root = report_live(s->domain);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	ssize_t len = text ? strlen(text) : 0;
	ssize_t n = send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	/* A client that has gone needs none. */
	if (n >= 0 && n < len)
		pr_once(LOG_LEVEL_WARN, "the report is too long for its socket");
	free(text);
	json_decref(root);
}

/*
 * Edge-triggered: where there is no descriptor for it a client waits until the next one comes, but
 * does not keep the loop busy.
 */
static void on_connect(struct loop_source *source, uint32_t events)
{
	const struct report_socket *s = container_of(source, struct report_socket, listen);
	int fd;

	(void)events;
	while ((fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		answer(s, fd);
		close(fd);
	}
}

int report_socket_open(struct report_socket *s, const struct domain *d)
{
	char path[sizeof(d->run_dir) + 16];
	int ret;

	snprintf(path, sizeof(path), "%s/report.sock", d->run_dir);
	*s = (struct report_socket){ d, { rundir_listen(path), on_connect } };
	if (s->listen.fd < 0)
		return s->listen.fd;
	ret = loop_add(d->loop, &s->listen, EPOLLIN | EPOLLET);
	if (ret)
		report_socket_close(s);
	return ret;
}

void report_socket_close(struct report_socket *s)
{
	if (s->listen.fd < 0)
		return;
	loop_del(s->domain->loop, &s->listen);
	close(s->listen.fd);
	s->listen.fd = -1;
}
