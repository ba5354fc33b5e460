// SPDX-License-Identifier: GPL-2.0-or-later
/* The operations for callers in this process. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore/internal.h"

int xst_read(struct xst_conn *conn, uint32_t tx, const char *path, char **value, size_t *len)
{
	struct xst_list changes;
	struct xst_node *node;
	struct xst_op op;
	int ret;

	ret = xst_op_init(&op, conn, tx, &changes);
	if (!ret)
		ret = xst_op_find(&op, path, XST_PERM_READ, XST_NOTE_SELF, &node);
	if (ret)
		return ret;
	*value = malloc(xst_node_len(node) + 1);
	if (!*value)
		return -ENOMEM;
	if (node->value)
		memcpy(*value, node->value->data, node->value->len);
	(*value)[xst_node_len(node)] = '\0';
	if (len)
		*len = xst_node_len(node);
	return 0;
}

int xst_write(struct xst_conn *conn, uint32_t tx, const char *path, const void *value, size_t len)
{
	struct xst_list changes;
	struct xst_op op;
	int ret;

	if (len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	ret = xst_op_init(&op, conn, tx, &changes);
	if (ret)
		return ret;
	ret = xst_op_write(&op, path, value, len);
	xst_op_done(&op);
	return ret;
}

static int change(struct xst_conn *conn, uint32_t tx, const char *path,
		  int (*fn)(const struct xst_op *op, const char *path))
{
	struct xst_list changes;
	struct xst_op op;
	int ret;

	ret = xst_op_init(&op, conn, tx, &changes);
	if (ret)
		return ret;
	ret = fn(&op, path);
	xst_op_done(&op);
	return ret;
}

int xst_mkdir(struct xst_conn *conn, uint32_t tx, const char *path)
{
	return change(conn, tx, path, xst_op_mkdir);
}

int xst_rm(struct xst_conn *conn, uint32_t tx, const char *path)
{
	return change(conn, tx, path, xst_op_rm);
}

int xst_directory(struct xst_conn *conn, uint32_t tx, const char *path, char ***names,
		  size_t *count)
{
	struct xst_list changes;
	struct xst_node *node;
	struct xst_op op;
	char *at;
	uint32_t i;
	int ret;

	ret = xst_op_init(&op, conn, tx, &changes);
	if (!ret)
		ret = xst_op_find(&op, path, XST_PERM_READ, XST_NOTE_SELF | XST_NOTE_LIST, &node);
	if (ret)
		return ret;
	*names = malloc(node->count * sizeof(**names) + node->names + 1);
	if (!*names)
		return -ENOMEM;
	at = (char *)(*names + node->count);
	for (i = 0; i < node->count; i++) {
		(*names)[i] = at;
		at = stpcpy(at, node->child[i]->name) + 1;
	}
	*count = node->count;
	return 0;
}

int xst_exists(struct xst_conn *conn, uint32_t tx, const char *path)
{
	struct xst_list changes;
	struct xst_node *node;
	struct xst_op op;
	int ret;

	ret = xst_op_init(&op, conn, tx, &changes);
	if (ret)
		return ret;
	ret = xst_op_find(&op, path, XST_PERM_READ, XST_NOTE_SELF, &node);
	return ret == -ENOENT ? 0 : ret ? ret : 1;
}

int xst_get_perms(struct xst_conn *conn, uint32_t tx, const char *path, struct xst_perm **perms,
		  size_t *count)
{
	struct xst_list changes;
	struct xst_perms *list;
	struct xst_op op;
	int ret;

	ret = xst_op_init(&op, conn, tx, &changes);
	if (!ret)
		ret = xst_op_perms(&op, path, &list);
	if (ret)
		return ret;
	*perms = malloc(list->count * sizeof(**perms));
	if (!*perms)
		return -ENOMEM;
	memcpy(*perms, list->entry, list->count * sizeof(**perms));
	*count = list->count;
	return 0;
}

int xst_set_perms(struct xst_conn *conn, uint32_t tx, const char *path,
		  const struct xst_perm *perms, size_t count)
{
	struct xst_list changes;
	struct xst_perms *list;
	struct xst_op op;
	int ret;

	if (!count)
		return -EINVAL;
	ret = xst_op_init(&op, conn, tx, &changes);
	if (ret)
		return ret;
	list = xst_perms_new(perms, count);
	if (!list)
		return -ENOMEM;
	ret = xst_op_set_perms(&op, path, list);
	xst_perms_put(list);
	xst_op_done(&op);
	return ret;
}

int xst_printf(struct xst_conn *conn, uint32_t tx, const char *dir, const char *key,
	       const char *fmt, ...)
{
	char path[XST_PATH_BUF], value[XENSTORE_PAYLOAD_MAX + 1];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	if (len < 0 || xst_path_join(dir, key, path))
		return -EINVAL;
	if (len >= (int)sizeof(value))
		return -E2BIG;
	return xst_write(conn, tx, path, value, len);
}

int xst_read_str(struct xst_conn *conn, uint32_t tx, const char *dir, const char *key, char **value)
{
	char path[XST_PATH_BUF];
	size_t len;
	int ret;

	if (xst_path_join(dir, key, path))
		return -EINVAL;
	ret = xst_read(conn, tx, path, value, &len);
	if (!ret && strlen(*value) != len) {
		free(*value);
		*value = NULL;
		ret = -EINVAL;
	}
	return ret;
}

int xst_read_u64(struct xst_conn *conn, uint32_t tx, const char *dir, const char *key,
		 uint64_t *value)
{
	char *text;
	int ret;

	ret = xst_read_str(conn, tx, dir, key, &text);
	if (ret)
		return ret;
	ret = xst_parse_u64(text, UINT64_MAX, value);
	free(text);
	return ret;
}

int xst_rm_key(struct xst_conn *conn, uint32_t tx, const char *dir, const char *key)
{
	char path[XST_PATH_BUF];

	return xst_path_join(dir, key, path) ? -EINVAL : xst_rm(conn, tx, path);
}

int xst_transaction_start(struct xst_conn *conn, uint32_t *tx)
{
	return xst_tx_start(conn, tx);
}

int xst_transaction_end(struct xst_conn *conn, uint32_t id, bool commit)
{
	struct xst_tx *tx = id ? xst_tx_find(conn, id) : NULL;
	struct xst_list changes;
	int ret;

	if (!tx)
		return -ENOENT;
	xst_list_init(&changes);
	ret = xst_tx_end(conn, tx, commit, &changes);
	xst_changes_fire(conn->store, &changes);
	return ret;
}

int xst_watch(struct xst_conn *conn, const char *path, xst_watch_fn fn, void *opaque,
	      struct xst_watch **result)
{
	struct xst_watch *watch;
	int ret;

	if (conn->ops || !fn)
		return -EINVAL;
	ret = xst_watch_add(conn, path, "", fn, opaque, &watch);
	if (ret)
		return ret;
	xst_watch_queue(watch);
	if (result)
		*result = watch;
	return 0;
}
