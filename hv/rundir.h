/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run directory of a domain, where commands find it: /run/paravane/NAME for root,
 * $XDG_RUNTIME_DIR/paravane/NAME for others. It exists as long as the domain does.
 *
 *   lock		locked (flock) while the domain lives; what has no lock is left over and is removed
 *   pid, domid		decimal numbers
 *   xenstored.sock	XenStore (hv/xs_socket.c)
 */
#ifndef HV_RUNDIR_H
#define HV_RUNDIR_H

#include "hv/types.h"

struct domain;

/** struct rundir - @base and @name are kept for removal; @lock_fd holds the domain's lock, or is -1 */
struct rundir {
	char base[96];
	char path[128];
	int lock_fd;
};

/**
 * rundir_create - claim @name and a domain id no other domain of this base directory has
 *
 * Return: 0, or -errno after printing one line (-EBUSY: the name is in use).
 */
int rundir_create(struct rundir *dir, const char *name, domid_t *domid);

/** rundir_remove - remove the directory and what is in it; allowed when never created */
void rundir_remove(struct rundir *dir);

#endif /* HV_RUNDIR_H */
