/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run directory of a domain, where commands find it: /run/paravane/NAME for root,
 * $XDG_RUNTIME_DIR/paravane/NAME for others. It exists as long as the domain does.
 *
 *   lock		locked (flock) while the domain lives; what has no lock is left over and is removed
 *   pid, domid		decimal numbers
 *   xenstored.sock	XenStore (hv/xs_socket.c)
 *   report.sock		how the domain is doing (hv/report_socket.h)
 */
#ifndef HV_RUNDIR_H
#define HV_RUNDIR_H

#include "hv/types.h"

struct domain;

#define RUNDIR_BASE_MAX 96

/** struct rundir - @base and @name are kept for removal; @lock_fd holds the domain's lock, or is -1 */
struct rundir {
	char base[RUNDIR_BASE_MAX];
	char path[128];
	int lock_fd;
};

/**
 * rundir_create - claim @name and a domain id no other domain of this base directory has
 *
 * Return: 0, or -errno after printing one line (-EBUSY: the name is in use).
 */
int rundir_create(struct rundir *dir, const char *name, domid_t *domid);

/** struct rundir_entry - a domain that lives: its name, its run directory, its process */
struct rundir_entry {
	char name[64];
	char path[RUNDIR_BASE_MAX + 64];
	domid_t domid;
	pid_t pid;
};

/**
 * rundir_list - the living domains of this user, by domain id
 * @list: set to @count entries, which the caller frees
 *
 * Return: 0, also where there are none; or -errno after printing one line.
 */
int rundir_list(struct rundir_entry **list, size_t *count);

/**
 * rundir_listen - a Unix socket at @path, for the owner of this process only
 *
 * A socket left there is replaced. Return: a descriptor that does not block, -ENAMETOOLONG, or
 * -errno.
 */
int rundir_listen(const char *path);

/** rundir_alive - true if the domain with the run directory @path lives */
bool rundir_alive(const char *path);

/** rundir_remove - remove the directory and what is in it; allowed when never created */
void rundir_remove(struct rundir *dir);

#endif /* HV_RUNDIR_H */
