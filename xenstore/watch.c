// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore/internal.h"

/* ---- changes ---- */

struct xst_change *xst_change_new(struct xst_list *list, const char *path)
{
	struct xst_change *change = calloc(1, sizeof(*change) + strlen(path) + 1);

	if (!change)
		return NULL;
	strcpy(change->path, path);
	xst_list_append(list, &change->link);
	return change;
}

void xst_change_free(struct xst_change *change)
{
	xst_list_remove(&change->link);
	xst_perms_put(change->old);
	xst_perms_put(change->old_parent);
	xst_node_put(change->removed);
	free(change);
}

void xst_changes_free(struct xst_list *list)
{
	while (!xst_list_empty(list))
		xst_change_free(xst_entry(list->next, struct xst_change, link));
}

/* ---- watches ---- */

static uint32_t path_hash(const struct xst_store *store, const char *path, size_t len)
{
	return xst_hash_bytes(path, len, store->seed);
}

static struct xst_watch *from_hlink(struct xst_hlink *link)
{
	return link ? xst_entry(link, struct xst_watch, hlink) : NULL;
}

/* @path of @len bytes as the watch's client sees it. */
static const char *reported(const struct xst_watch *watch, const char *path)
{
	return path + watch->base;
}

/* An event's bytes: for a callback the path, for a client the whole message. */
static struct xst_msg *event_new(struct xst_watch *watch, const char *path)
{
	size_t path_len = strlen(path) + 1, token_len, at = 0;
	struct xst_msg *msg;

	token_len = watch->fn ? 0 : strlen(watch->token) + 1;
	if (!watch->fn)
		at = sizeof(struct xsd_sockmsg);
	msg = xst_msg_new(at + path_len + token_len);
	if (!msg)
		return NULL;
	if (at) {
		struct xsd_sockmsg hdr = { .type = XS_WATCH_EVENT, .len = path_len + token_len };

		memcpy(msg->data, &hdr, sizeof(hdr));
		memcpy(msg->data + at + path_len, watch->token, token_len);
	}
	memcpy(msg->data + at, path, path_len);
	msg->path = at;
	msg->event = true;
	msg->watch = watch;
	return msg;
}

static int resolve(const struct xst_conn *conn, const char *path, char out[XST_PATH_BUF])
{
	if (path[0] != '@')
		return xst_path_resolve(conn, path, out);
	if (strlen(path) > XENSTORE_REL_PATH_MAX)
		return -EINVAL;
	strcpy(out, path);
	return 0;
}

/* Bytes that the watch keeps allocated. */
static size_t watch_cost(const struct xst_watch *watch)
{
	return sizeof(*watch) + 2 * (strlen(watch->path) + strlen(watch->token) + 2);
}

static struct xst_watch *find(const struct xst_conn *conn, const char *path, const char *token)
{
	const struct xst_store *store = conn->store;
	struct xst_watch *watch;

	watch = from_hlink(xst_hash_first(&store->watches, path_hash(store, path, strlen(path))));
	for (; watch; watch = from_hlink(xst_hash_next(&watch->hlink))) {
		if (watch->conn == conn && !watch->fn && !strcmp(watch->path, path) &&
		    !strcmp(watch->token, token))
			return watch;
	}
	return NULL;
}

static struct xst_watch *watch_new(struct xst_conn *conn, const char *path, const char *token,
				   size_t base)
{
	size_t path_len = strlen(path) + 1;
	struct xst_watch *watch;

	watch = calloc(1, sizeof(*watch) + path_len + strlen(token) + 1);
	if (!watch)
		return NULL;
	watch->conn = conn;
	watch->base = base;
	memcpy(watch->path, path, path_len);
	watch->token = watch->path + path_len;
	strcpy(watch->token, token);
	return watch;
}

int xst_watch_add(struct xst_conn *conn, const char *path, const char *token, xst_watch_fn fn,
		  void *opaque, struct xst_watch **result)
{
	struct xst_store *store = conn->store;
	struct xst_domain *domain = conn->domain;
	char full[XST_PATH_BUF];
	struct xst_watch *watch;
	int ret;

	ret = resolve(conn, path, full);
	if (ret)
		return ret;
	if (!fn && find(conn, full, token))
		return -EEXIST;
	if (!xst_privileged(conn) && domain->watches >= store->limits.watches)
		return -E2BIG;
	/* A relative path is the end of the full one. */
	watch = watch_new(conn, full, token, strlen(full) - strlen(path));
	if (!watch)
		return -ENOMEM;
	if (!xst_privileged(conn) &&
	    domain->usage.memory + (int64_t)watch_cost(watch) > (int64_t)store->limits.memory) {
		free(watch);
		return -ENOSPC;
	}
	watch->fn = fn;
	watch->opaque = opaque;
	watch->whole = event_new(watch, reported(watch, full));
	if (!watch->whole) {
		free(watch);
		return -ENOMEM;
	}
	domain->watches++;
	domain->usage.memory += watch_cost(watch);
	xst_list_append(&conn->watches, &watch->link);
	xst_hash_insert(&store->watches, &watch->hlink, path_hash(store, full, strlen(full)));
	if (result)
		*result = watch;
	return 0;
}

/* Unread events go with the watch, except one of which a part was sent already. */
static void drop_events(struct xst_watch *watch)
{
	struct xst_list *pos, *tmp;

	xst_list_for_each(pos, tmp, &watch->conn->out)
	{
		struct xst_msg *msg = xst_entry(pos, struct xst_msg, link);

		if (msg->watch != watch)
			continue;
		if (!msg->sent)
			xst_conn_unqueue(watch->conn, msg);
		else
			msg->watch = NULL;
	}
}

static void watch_free(struct xst_watch *watch)
{
	struct xst_conn *conn = watch->conn;

	drop_events(watch);
	watch->whole->watch = NULL;
	xst_msg_put(watch->whole);
	conn->domain->watches--;
	conn->domain->usage.memory -= watch_cost(watch);
	xst_list_remove(&watch->link);
	xst_hash_remove(&conn->store->watches, &watch->hlink);
	free(watch);
}

int xst_watch_remove(struct xst_conn *conn, const char *path, const char *token)
{
	char full[XST_PATH_BUF];
	struct xst_watch *watch;

	watch = resolve(conn, path, full) ? NULL : find(conn, full, token);
	if (!watch)
		return -ENOENT;
	watch_free(watch);
	return 0;
}

void xst_watch_clear(struct xst_conn *conn)
{
	while (!xst_list_empty(&conn->watches))
		watch_free(xst_entry(conn->watches.next, struct xst_watch, link));
}

void xst_unwatch(struct xst_watch *watch)
{
	if (watch)
		watch_free(watch);
}

/* ---- events ---- */

void xst_watch_queue(struct xst_watch *watch)
{
	if (!watch->whole->queued)
		xst_conn_queue(watch->conn, watch->whole);
	else if (watch->whole->sent)
		watch->again = true;
}

void xst_watch_sent(struct xst_watch *watch)
{
	if (watch->again)
		xst_conn_queue(watch->conn, watch->whole);
	watch->again = false;
}

/* Is an equal event waiting? */
static bool is_pending(const struct xst_watch *watch, const char *path, uint32_t hash)
{
	struct xst_hlink *link = xst_hash_first(&watch->conn->pending, hash);

	for (; link; link = xst_hash_next(link)) {
		const struct xst_msg *msg = xst_entry(link, struct xst_msg, pending);

		if (msg->watch == watch && !strcmp(msg->data + msg->path, path))
			return true;
	}
	return false;
}

static void send_event(struct xst_watch *watch, const char *path)
{
	const struct xst_limits *limits = &watch->conn->store->limits;
	struct xst_conn *conn = watch->conn;
	struct xst_msg *msg = NULL;
	uint32_t hash;

	if (!strcmp(path, watch->path)) {
		xst_watch_queue(watch);
		return;
	}
	path = reported(watch, path);
	hash = xst_hash_bytes(path, strlen(path), watch->hlink.hash);
	if (is_pending(watch, path, hash))
		return;
	if (conn->events < (xst_privileged(conn) ? limits->events_dom0 : limits->events) &&
	    strlen(path) + 1 + strlen(watch->token) + 1 <= XENSTORE_PAYLOAD_MAX)
		msg = event_new(watch, path);
	if (!msg) {
		xst_watch_queue(watch);
		return;
	}
	msg->merging = true;
	xst_hash_insert(&conn->pending, &msg->pending, hash);
	xst_conn_queue(conn, msg);
	xst_msg_put(msg);
}

static bool readable(const struct xst_conn *conn, const struct xst_perms *perms)
{
	return perms && xst_perms_for(conn, perms) & XST_PERM_READ;
}

/*
 * A client learns of a change if it can, or could before, read the node, or may read the names of
 * the node's siblings anyway.
 */
static bool may_know(const struct xst_conn *conn, const struct xst_change *change,
		     const struct xst_place *now)
{
	if (readable(conn, change->old))
		return true;
	if (change->removed)
		return readable(conn, change->old_parent);
	return !*now->rest && (readable(conn, now->node->perms) ||
			       (now->parent && readable(conn, now->parent->perms)));
}

/* Watches on the first @len bytes of @path (@hash): on the changed node or one above it. */
static void fire_at(struct xst_store *store, const char *path, size_t len, uint32_t hash,
		    const struct xst_change *change, const struct xst_place *now)
{
	struct xst_watch *watch;

	watch = from_hlink(xst_hash_first(&store->watches, hash));
	for (; watch; watch = from_hlink(xst_hash_next(&watch->hlink))) {
		if (strncmp(watch->path, path, len) || watch->path[len])
			continue;
		if (may_know(watch->conn, change, now))
			send_event(watch, change->path);
	}
}

/* Watches on nodes that went away with the node removed above them. */
static int fire_below(void *arg, struct xst_node *node, struct xst_node *parent, const char *path)
{
	struct xst_store *store = arg;
	size_t len = strlen(path);
	struct xst_watch *watch;

	if (!parent)
		return 0;
	watch = from_hlink(xst_hash_first(&store->watches, path_hash(store, path, len)));
	for (; watch; watch = from_hlink(xst_hash_next(&watch->hlink))) {
		if (!strcmp(watch->path, path) &&
		    (readable(watch->conn, node->perms) || readable(watch->conn, parent->perms)))
			send_event(watch, path);
	}
	return 0;
}

static void fire(struct xst_store *store, const struct xst_change *change)
{
	struct xst_place now = xst_tree_find(store->live.root, change->path);
	const char *path = change->path, *at = path, *hashed = path;
	uint32_t hash = xst_hash_seed(store->seed);
	size_t len;

	if (!store->watches.count)
		return;
	fire_at(store, "/", 1, path_hash(store, "/", 1), change, &now);
	/* A guest's path may have a thousand levels: no byte is hashed twice. */
	while ((len = xst_path_next(&at))) {
		at += len;
		hash = xst_hash_more(hash, hashed, at - hashed);
		hashed = at;
		fire_at(store, path, at - path, xst_hash_end(hash), change, &now);
	}
	if (change->removed)
		xst_tree_visit(change->removed, path, fire_below, store);
}

void xst_changes_fire(struct xst_store *store, struct xst_list *list)
{
	while (!xst_list_empty(list)) {
		struct xst_change *change = xst_entry(list->next, struct xst_change, link);

		fire(store, change);
		xst_change_free(change);
	}
}

static const char *const special_names[] = {
	[XST_INTRODUCE_DOMAIN] = "@introduceDomain",
	[XST_RELEASE_DOMAIN] = "@releaseDomain",
};

int xst_special_find(const char *path)
{
	int i;

	for (i = 0; i < XST_SPECIALS; i++) {
		if (!strcmp(path, special_names[i]))
			return i;
	}
	return -1;
}

void xst_special_fire(struct xst_store *store, enum xst_special which)
{
	const char *path = special_names[which];
	struct xst_watch *watch;

	watch = from_hlink(xst_hash_first(&store->watches, path_hash(store, path, strlen(path))));
	for (; watch; watch = from_hlink(xst_hash_next(&watch->hlink))) {
		if (!strcmp(watch->path, path) && readable(watch->conn, store->special[which]))
			send_event(watch, path);
	}
}
