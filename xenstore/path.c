// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore/internal.h"

/* Bytes of "/local/domain/<domid>/" at the beginning of @path, 0 if it does not begin so. */
static size_t home_prefix(const char *path)
{
	static const char start[] = "/local/domain/";
	size_t digits;

	if (strncmp(path, start, sizeof(start) - 1))
		return 0;
	path += sizeof(start) - 1;
	digits = strspn(path, "0123456789");
	if (!digits || digits > 5 || path[digits] != '/')
		return 0;
	return sizeof(start) - 1 + digits + 1;
}

static int check(const char *path, size_t limit)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-/_@";
	size_t len = strlen(path);

	if (path[0] != '/' || strspn(path, alphabet) != len || strstr(path, "//"))
		return -EINVAL;
	if (len > 1 && path[len - 1] == '/')
		return -EINVAL;
	if (len - home_prefix(path) > limit)
		return -EINVAL;
	return 0;
}

int xst_path_resolve(const struct xst_conn *conn, const char *path, char out[XST_PATH_BUF])
{
	char home[XST_HOME_MAX];

	if (!path[0])
		return -EINVAL;
	if (path[0] == '/') {
		if (strlen(path) >= XST_PATH_BUF)
			return -EINVAL;
		strcpy(out, path);
	} else if (path[0] == '@' ||
		   xst_path_join(xst_domain_home(xst_conn_domid(conn), home), path, out)) {
		return -EINVAL;
	}
	return check(out, conn->store->limits.path);
}

void xst_path_parent(char *path)
{
	char *slash = strrchr(path, '/');

	slash[slash == path] = '\0';
}

size_t xst_path_next(const char **path)
{
	*path += strspn(*path, "/");
	return strcspn(*path, "/");
}

int xst_path_join(const char *dir, const char *key, char out[XST_PATH_BUF])
{
	int len;

	len = snprintf(out, XST_PATH_BUF, "%s%s%s", dir, key && strcmp(dir, "/") ? "/" : "",
		       key ? key : "");
	return len < XST_PATH_BUF ? 0 : -EINVAL;
}

int xst_parse_u64(const char *text, uint64_t max, uint64_t *value)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || text[digits])
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, NULL, 10);
	return errno || *value > max ? -EINVAL : 0;
}
