// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/report_devices.h"

#include "xenstore/xenstore.h"

static char *store_read(void *conn, const char *path)
{
	char *value;

	return xst_read_str(conn, XST_NO_TX, path, NULL, &value) ? NULL : value;
}

static char **store_list(void *conn, const char *path, unsigned int *count)
{
	char **names;
	size_t n;

	if (xst_directory(conn, XST_NO_TX, path, &names, &n))
		return NULL;
	*count = n;
	return names;
}

struct report_store report_store_own(struct xst_conn *conn)
{
	return (struct report_store){ store_read, store_list, conn };
}
