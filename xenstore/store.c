// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore/internal.h"

const struct xst_limits xst_limits_default = {
	.nodes = 1000,
	.watches = 128,
	.transactions = 10,
	.node_size = 2048,
	.perms = 5,
	.accessed = 1024,
	.path = XENSTORE_REL_PATH_MAX,
	.memory = 2560 * 1024,
	.events = 1024,
	.events_dom0 = 4096,
	.output = 20 * 1024,
};

static int first_nodes(struct xst_store *store)
{
	static const struct xst_perm dom0 = { 0, XST_PERM_NONE };
	struct xst_perms *perms = xst_perms_new(&dom0, 1);
	struct xst_usage *usage = xst_usage_get(&store->live, 0);
	struct xst_conn *conn;
	int i, ret = -ENOMEM;

	if (!perms || !usage)
		goto out;
	store->live.root = xst_node_new("", 0, perms, ++store->gen);
	if (!store->live.root)
		goto out;
	usage->nodes++;
	usage->memory += xst_node_cost(store->live.root);
	for (i = 0; i < XST_SPECIALS; i++)
		store->special[i] = xst_perms_get(perms);
	conn = xst_conn_new(store, 0, NULL, NULL);
	if (conn)
		ret = xst_mkdir(conn, XST_NO_TX, "/tool/xenstored");
	xst_conn_free(conn);
out:
	xst_perms_put(perms);
	return ret;
}

struct xst_store *xst_store_new(const struct xst_store_ops *ops, void *opaque,
				const struct xst_limits *limits)
{
	static const struct xst_store_ops none;
	struct xst_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->ops = ops ? ops : &none;
	store->opaque = opaque;
	store->limits = limits ? *limits : xst_limits_default;
	/* Where the allocator put us is as good a secret as the address space's randomisation. */
	store->seed = (uint32_t)((uintptr_t)store >> 4) * 2654435761u;
	store->live.live = true;
	xst_list_init(&store->conns);
	xst_list_init(&store->ready);
	if (first_nodes(store)) {
		xst_store_free(store);
		return NULL;
	}
	return store;
}

void xst_store_free(struct xst_store *store)
{
	int i;

	if (!store)
		return;
	while (!xst_list_empty(&store->conns))
		xst_conn_free(xst_entry(store->conns.next, struct xst_conn, link));
	xst_node_put(store->live.root);
	for (i = 0; i < XST_SPECIALS; i++)
		xst_perms_put(store->special[i]);
	xst_usage_free(&store->live);
	xst_hash_free(&store->watches);
	free(store);
}

/* ---- dispatch ---- */

void xst_store_schedule(struct xst_conn *conn)
{
	struct xst_store *store = conn->store;

	if (!xst_list_empty(&conn->ready))
		return;
	xst_list_append(&store->ready, &conn->ready);
	if (store->scheduled || store->dispatching)
		return;
	store->scheduled = true;
	if (store->ops->work)
		store->ops->work(store->opaque);
}

/* Run the callbacks of the events that are queued now. */
static void deliver(struct xst_store *store, struct xst_conn *conn)
{
	unsigned int events = conn->events;

	while (events-- && store->current && !xst_list_empty(&conn->out)) {
		struct xst_msg *msg = xst_entry(conn->out.next, struct xst_msg, link);
		struct xst_watch *watch = msg->watch;

		/* The callback may remove the watch, or free the connection. */
		msg->refs++;
		xst_conn_unqueue(conn, msg);
		watch->fn(watch->opaque, msg->data + msg->path);
		xst_msg_put(msg);
	}
	if (store->current && !xst_list_empty(&conn->out))
		xst_store_schedule(conn);
}

void xst_store_dispatch(struct xst_store *store)
{
	struct xst_list due;

	if (store->dispatching)
		return;
	store->scheduled = false;
	store->dispatching = true;
	xst_list_init(&due);
	xst_list_splice(&due, &store->ready);
	while (!xst_list_empty(&due)) {
		struct xst_conn *conn = xst_entry(due.next, struct xst_conn, ready);

		xst_list_remove(&conn->ready);
		store->current = conn;
		if (!conn->ops)
			deliver(store, conn);
		else if (!xst_list_empty(&conn->out))
			conn->ops->output(conn, conn->opaque);
	}
	store->current = NULL;
	store->dispatching = false;
	if (xst_list_empty(&store->ready))
		return;
	store->scheduled = true;
	if (store->ops->work)
		store->ops->work(store->opaque);
}

/* ---- self-check ---- */

struct check {
	struct xst_view sum;
	const char *why;
};

static int check_node(void *arg, struct xst_node *node, struct xst_node *parent, const char *path)
{
	struct xst_usage *usage;
	struct check *check = arg;
	size_t names = 0;
	uint32_t i;

	(void)parent;
	(void)path;
	for (i = 0; i < node->count; i++) {
		names += strlen(node->child[i]->name) + 1;
		if (i && strcmp(node->child[i - 1]->name, node->child[i]->name) >= 0)
			check->why = "children out of order";
	}
	if (names != node->names)
		check->why = "wrong size of the children's names";
	if (!node->refs || !node->perms->refs || !node->perms->count)
		check->why = "node without references or permissions";
	usage = xst_usage_get(&check->sum, node->perms->entry[0].domid);
	if (!usage)
		return -ENOMEM;
	usage->nodes++;
	usage->memory += xst_node_cost(node);
	return check->why ? -EIO : 0;
}

static const char *check_domain(struct xst_store *store, const struct xst_domain *domain,
				struct check *check)
{
	struct xst_usage *usage = xst_usage_get(&check->sum, domain->usage.domid);
	unsigned int watches = 0, transactions = 0, conns = 0;
	struct xst_list *pos, *tmp, *pos2, *tmp2;

	xst_list_for_each(pos, tmp, &store->conns)
	{
		struct xst_conn *conn = xst_entry(pos, struct xst_conn, link);

		if (conn->domain != domain)
			continue;
		conns++;
		xst_list_for_each(pos2, tmp2, &conn->watches) watches++;
		xst_list_for_each(pos2, tmp2, &conn->transactions) transactions++;
	}
	if (conns != domain->conns || watches != domain->watches ||
	    transactions != domain->transactions)
		return "wrong number of connections, watches or transactions";
	if (!usage || usage->nodes != domain->usage.nodes)
		return "wrong number of nodes";
	if (usage->memory > domain->usage.memory ||
	    (!watches && !transactions && usage->memory != domain->usage.memory))
		return "wrong amount of memory";
	return NULL;
}

int xst_store_check(struct xst_store *store, const char **why)
{
	struct check check = { .why = NULL };
	struct xst_usage *usage;
	int ret;

	ret = xst_tree_visit(store->live.root, "/", check_node, &check);
	for (usage = store->live.usage; usage && !ret && !check.why; usage = usage->next)
		check.why = check_domain(store, xst_entry(usage, struct xst_domain, usage), &check);
	for (usage = check.sum.usage; usage && !ret && !check.why; usage = usage->next) {
		if (!xst_domain_find(store, usage->domid))
			check.why = "owner without an account";
	}
	xst_usage_free(&check.sum);
	*why = check.why;
	return check.why ? -EIO : ret;
}
