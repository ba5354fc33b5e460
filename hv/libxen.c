// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/libxen.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * libxenctrl speaks to the one Xen it was built for, and its structures change with it: the library
 * must be the one whose headers this was compiled with, which the build names.
 */
#define STRING(x) STRING_(x)
#define STRING_(x) #x
#define CTRL_LIB STRING(LIBXENCTRL)
#define STORE_LIB "libxenstore.so.4"

#define PRIVCMD "/dev/xen/privcmd"
#define STORE_SOCKET "/run/xenstored/socket"

/* The library's own messages; ours says what matters. */
static void ignore_message(xentoollog_logger *log, xentoollog_level level, int error,
			   const char *context, const char *format, va_list ap)
{
	(void)log;
	(void)level;
	(void)error;
	(void)context;
	(void)format;
	(void)ap;
}

static void ignore_destroy(xentoollog_logger *log)
{
	(void)log;
}

static int load(struct libxen *x, char *why, size_t size)
{
	const struct {
		const char *name;
		void **lib;
		void *fn; /* where the function's address goes */
	} functions[] = {
		{ "xc_interface_open", &x->ctrl_lib, &x->xc_open },
		{ "xc_interface_close", &x->ctrl_lib, &x->xc_close },
		{ "xc_domain_getinfolist", &x->ctrl_lib, &x->xc_getinfolist },
		{ "xc_physinfo", &x->ctrl_lib, &x->xc_physinfo },
		{ "xs_open", &x->store_lib, &x->xs_open },
		{ "xs_close", &x->store_lib, &x->xs_close },
		{ "xs_read", &x->store_lib, &x->xs_read },
		{ "xs_directory", &x->store_lib, &x->xs_directory },
	};

	x->ctrl_lib = dlopen(CTRL_LIB, RTLD_NOW | RTLD_LOCAL);
	x->store_lib = x->ctrl_lib ? dlopen(STORE_LIB, RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!x->store_lib) {
		snprintf(why, size, "this program was built for another Xen: %s", dlerror());
		return -ELIBACC;
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *address = dlsym(*functions[i].lib, functions[i].name);

		if (!address) {
			snprintf(why, size, "%s", dlerror());
			return -ELIBACC;
		}
		memcpy(functions[i].fn, &address, sizeof(address));
	}
	return 0;
}

int libxen_open(struct libxen *x, char *why, size_t size)
{
	static xentoollog_logger quiet = { .vmessage = ignore_message, .destroy = ignore_destroy };
	int ret;

	memset(x, 0, sizeof(*x));
	ret = load(x, why, size);
	if (ret)
		goto err;
	if (access(PRIVCMD, R_OK | W_OK)) {
		ret = -errno;
		snprintf(why, size, "%s: %s%s", PRIVCMD, strerror(-ret),
			 ret == -EACCES ? " (only root may ask Xen)" : "");
		goto err;
	}
	x->xc = x->xc_open(&quiet, &quiet, 0);
	if (!x->xc) {
		ret = -errno;
		snprintf(why, size, "Xen does not answer: %s", strerror(-ret));
		goto err;
	}
	/* Without the socket the library goes through the kernel, which waits until a xenstored comes. */
	if (!access(STORE_SOCKET, F_OK))
		x->xs = x->xs_open(0);
	return 0;

err:
	libxen_close(x);
	return ret;
}

void libxen_close(struct libxen *x)
{
	if (x->xs)
		x->xs_close(x->xs);
	if (x->xc)
		x->xc_close(x->xc);
	if (x->store_lib)
		dlclose(x->store_lib);
	if (x->ctrl_lib)
		dlclose(x->ctrl_lib);
	memset(x, 0, sizeof(*x));
}
