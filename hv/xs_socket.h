/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XenStore's rim towards host programs: a Unix socket that libxenstore speaks to when
 * XENSTORED_PATH names it. Whoever may open the socket acts as domain 0.
 */
#ifndef HV_XS_SOCKET_H
#define HV_XS_SOCKET_H

#include "xenstore/xenstore.h"

struct loop;
struct xs_socket;

/**
 * xs_socket_create - listen on @path, for the owner of this process only
 *
 * A socket left there is replaced. Loop thread, or before it runs. Return: 0, -ENAMETOOLONG, or
 * -errno.
 */
int xs_socket_create(struct loop *loop, struct xst_store *store, const char *path,
		     struct xs_socket **sock);

/** xs_socket_destroy - disconnect everybody and remove the socket; NULL is allowed */
void xs_socket_destroy(struct xs_socket *sock);

#endif /* HV_XS_SOCKET_H */
