/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's own libraries, for commands in a domain 0. They are opened at run time: on a KVM host, where
 * they are of no use, the program starts without them.
 */
#ifndef HV_LIBXEN_H
#define HV_LIBXEN_H

/* First: Xen's headers show a toolstack's side only to those who include this before any other. */
#include <xenctrl.h>
#include <xenstore.h>

#include <stddef.h>

/** struct libxen - the functions in use, and what they work on; @xs is NULL without xenstored */
struct libxen {
	void *ctrl_lib, *store_lib;
	xc_interface *xc;
	struct xs_handle *xs;

	xc_interface *(*xc_open)(xentoollog_logger *log, xentoollog_logger *build_log,
				 unsigned int flags);
	int (*xc_close)(xc_interface *xc);
	int (*xc_getinfolist)(xc_interface *xc, uint32_t first, unsigned int max,
			      xc_domaininfo_t *info);
	int (*xc_physinfo)(xc_interface *xc, xc_physinfo_t *info);
	struct xs_handle *(*xs_open)(unsigned long flags);
	void (*xs_close)(struct xs_handle *xs);
	void *(*xs_read)(struct xs_handle *xs, xs_transaction_t tx, const char *path,
			 unsigned int *len);
	char **(*xs_directory)(struct xs_handle *xs, xs_transaction_t tx, const char *path,
			       unsigned int *count);
};

/**
 * libxen_open - load the libraries and open Xen and, if it runs, its XenStore
 * @why: where it goes why not, one line
 *
 * Return: 0 or -errno; then there is nothing to close.
 */
int libxen_open(struct libxen *x, char *why, size_t size);

void libxen_close(struct libxen *x);

#endif /* HV_LIBXEN_H */
