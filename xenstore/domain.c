// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore/internal.h"

static struct xst_usage *usage_find(const struct xst_view *view, domid_t domid)
{
	struct xst_usage *usage = view->usage;

	while (usage && usage->domid != domid)
		usage = usage->next;
	return usage;
}

struct xst_usage *xst_usage_get(struct xst_view *view, domid_t domid)
{
	struct xst_usage *usage = usage_find(view, domid);

	if (usage)
		return usage;
	usage = calloc(1, view->live ? sizeof(struct xst_domain) : sizeof(*usage));
	if (!usage)
		return NULL;
	usage->domid = domid;
	usage->next = view->usage;
	view->usage = usage;
	return usage;
}

void xst_usage_free(struct xst_view *view)
{
	struct xst_usage *usage;

	while ((usage = view->usage)) {
		view->usage = usage->next;
		free(usage);
	}
}

struct xst_domain *xst_domain_find(const struct xst_store *store, domid_t domid)
{
	struct xst_usage *usage = usage_find(&store->live, domid);

	return usage ? xst_entry(usage, struct xst_domain, usage) : NULL;
}

struct xst_domain *xst_domain_get(struct xst_store *store, domid_t domid)
{
	struct xst_usage *usage = xst_usage_get(&store->live, domid);

	return usage ? xst_entry(usage, struct xst_domain, usage) : NULL;
}

size_t xst_node_cost(const struct xst_node *node)
{
	return sizeof(*node) + strlen(node->name) + 1 + xst_node_len(node) +
	       node->perms->count * sizeof(node->perms->entry[0]);
}

char *xst_domain_home(domid_t domid, char buf[XST_HOME_MAX])
{
	snprintf(buf, XST_HOME_MAX, "/local/domain/%u", domid);
	return buf;
}

static bool is_guest(domid_t domid)
{
	return domid && domid < DOMID_FIRST_RESERVED;
}

bool xst_domain_introduced(const struct xst_store *store, domid_t domid)
{
	const struct xst_domain *domain = xst_domain_find(store, domid);

	return !domid || (domain && domain->introduced);
}

int xst_domain_introduce(struct xst_store *store, domid_t domid)
{
	struct xst_domain *domain;

	if (!is_guest(domid))
		return -EINVAL;
	domain = xst_domain_get(store, domid);
	if (!domain)
		return -ENOMEM;
	if (domain->introduced)
		return 0;
	domain->introduced = true;
	domain->silent = false;
	xst_special_fire(store, XST_INTRODUCE_DOMAIN);
	return 0;
}

static struct xst_domain *introduced(const struct xst_store *store, domid_t domid)
{
	struct xst_domain *domain = domid ? xst_domain_find(store, domid) : NULL;

	return domain && domain->introduced ? domain : NULL;
}

int xst_domain_shutdown(struct xst_store *store, domid_t domid)
{
	struct xst_domain *domain = introduced(store, domid);

	if (!domain)
		return -ENOENT;
	if (!domain->silent)
		xst_special_fire(store, XST_RELEASE_DOMAIN);
	domain->silent = true;
	return 0;
}

int xst_domain_resume(struct xst_store *store, domid_t domid)
{
	struct xst_domain *domain = introduced(store, domid);

	if (!domain)
		return -ENOENT;
	domain->silent = false;
	return 0;
}

int xst_domain_release(struct xst_store *store, domid_t domid)
{
	struct xst_domain *domain = introduced(store, domid);

	if (!domain)
		return -ENOENT;
	domain->introduced = false;
	domain->target = NULL;
	xst_special_fire(store, XST_RELEASE_DOMAIN);
	return 0;
}

int xst_domain_set_target(struct xst_store *store, domid_t domid, domid_t target)
{
	struct xst_domain *domain = introduced(store, domid), *other = introduced(store, target);

	if (!domain || !other)
		return -ENOENT;
	domain->target = other;
	return 0;
}

/* ---- the end of a domain ---- */

/* struct stale - a node that is about a dead domain */
struct stale {
	struct xst_list link;
	char path[];
};

struct sweep {
	domid_t domid;
	struct xst_list found;
};

static bool mentions(const struct xst_perms *perms, domid_t domid)
{
	unsigned int i;

	for (i = 0; i < perms->count; i++) {
		if (perms->entry[i].domid == domid)
			return true;
	}
	return false;
}

static int sweep_find(void *arg, struct xst_node *node, struct xst_node *parent, const char *path)
{
	struct sweep *sweep = arg;
	struct stale *stale;

	if (!mentions(node->perms, sweep->domid))
		return 0;
	stale = malloc(sizeof(*stale) + strlen(path) + 1);
	if (!stale)
		return -ENOMEM;
	strcpy(stale->path, path);
	xst_list_append(&sweep->found, &stale->link);
	/* It goes with all below it, except the root. */
	return node->perms->entry[0].domid == sweep->domid && parent ? XST_SKIP : 0;
}

static struct xst_perms *without(const struct xst_perms *perms, domid_t domid)
{
	struct xst_perms *new = xst_perms_new(perms->entry, perms->count);
	unsigned int i;

	if (!new)
		return NULL;
	new->count = 0;
	for (i = 0; i < perms->count; i++) {
		if (!i || perms->entry[i].domid != domid)
			new->entry[new->count++] = perms->entry[i];
	}
	/* The root cannot be removed with a dead owner: it goes back to domain 0. */
	if (new->entry[0].domid == domid)
		new->entry[0] = (struct xst_perm){ 0, XST_PERM_NONE };
	return new;
}

/* Watches see the nodes that go, not the entries that are struck. */
static int sweep_node(struct xst_conn *conn, const char *path, domid_t domid)
{
	struct xst_perms *perms;
	struct xst_list changes;
	struct xst_op op;
	int ret;

	ret = xst_op_init(&op, conn, XST_NO_TX, &changes);
	if (ret)
		return ret;
	perms = xst_tree_get(op.view->root, path)->perms;
	if (perms->entry[0].domid == domid && strcmp(path, "/")) {
		ret = xst_op_rm(&op, path);
		xst_op_done(&op);
		return ret;
	}
	perms = without(perms, domid);
	ret = perms ? xst_op_set_perms(&op, path, perms) : -ENOMEM;
	xst_perms_put(perms);
	xst_changes_free(&changes);
	return ret;
}

static int sweep_tree(struct xst_store *store, struct xst_conn *conn, domid_t domid)
{
	struct sweep sweep = { .domid = domid };
	struct xst_list *pos, *tmp;
	int ret;

	xst_list_init(&sweep.found);
	ret = xst_tree_visit(store->live.root, "/", sweep_find, &sweep);
	xst_list_for_each(pos, tmp, &sweep.found)
	{
		struct stale *stale = xst_entry(pos, struct stale, link);

		if (!ret)
			ret = sweep_node(conn, stale->path, domid);
		free(stale);
	}
	return ret;
}

static int sweep_specials(struct xst_store *store, domid_t domid)
{
	struct xst_perms *perms;
	int i;

	for (i = 0; i < XST_SPECIALS; i++) {
		if (!mentions(store->special[i], domid))
			continue;
		perms = without(store->special[i], domid);
		if (!perms)
			return -ENOMEM;
		xst_perms_put(store->special[i]);
		store->special[i] = perms;
	}
	return 0;
}

int xst_domain_destroy(struct xst_store *store, domid_t domid)
{
	struct xst_domain *domain = xst_domain_find(store, domid);
	struct xst_usage *usage;
	struct xst_conn *conn;
	int ret;

	if (!is_guest(domid))
		return -EINVAL;
	if (domain && domain->conns)
		return -EBUSY;
	conn = xst_conn_new(store, 0, NULL, NULL);
	if (!conn)
		return -ENOMEM;
	/* What others prepared before the death must not bring the domain's nodes back. */
	xst_tx_doom(store);
	ret = sweep_tree(store, conn, domid);
	xst_conn_free(conn);
	if (!ret)
		ret = sweep_specials(store, domid);
	if (ret)
		return ret;
	for (usage = store->live.usage; usage; usage = usage->next) {
		struct xst_domain *other = xst_entry(usage, struct xst_domain, usage);

		if (domain && other->target == domain)
			other->target = NULL;
	}
	ret = xst_domain_release(store, domid);
	return ret == -ENOENT ? 0 : ret;
}
