// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Paravane's guests: run directories tell which there are, their report sockets how they are doing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "hv/guests.h"
#include "hv/rundir.h"

/* What a guest's process is left to take the call in, and again to answer in */
#define PATIENCE_SECONDS 2
#define REPORT_MAX (256u << 10)

static int connect_to(const char *run_dir)
{
	const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, ret;

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/report.sock", run_dir) >=
	    (int)sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* With all places in the queue taken, connecting waits as well. */
	if (!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) &&
	    !connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

/* The report, or NULL. One call, whose patience the pieces of an answer share */
static json_t *read_report(int fd)
{
	char *text = malloc(REPORT_MAX);
	ssize_t len = text ? recv(fd, text, REPORT_MAX, MSG_WAITALL) : -1;
	json_t *report = len > 0 ? json_loadb(text, len, 0, NULL) : NULL;

	free(text);
	return report;
}

/* What is known of a guest; NULL if it has ended meanwhile */
static json_t *ask(const struct rundir_entry *entry)
{
	int fd = connect_to(entry->path);
	json_t *report = fd < 0 ? NULL : read_report(fd);

	if (fd >= 0)
		close(fd);
	if (report || !rundir_alive(entry->path))
		return report;
	return json_pack("{s:s, s:i, s:i, s:s}", "name", entry->name, "domid", entry->domid, "pid",
			 entry->pid, "state", "silent");
}

json_t *guests_kvm_list(void)
{
	struct rundir_entry *entries;
	json_t *list;
	size_t count;

	if (rundir_list(&entries, &count))
		return NULL;
	list = json_array();
	for (size_t i = 0; i < count; i++) {
		json_t *guest = ask(&entries[i]);

		if (guest)
			json_array_append_new(list, guest);
	}
	free(entries);
	return list;
}
