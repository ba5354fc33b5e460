// SPDX-License-Identifier: GPL-2.0-or-later
/* The operations on nodes. Each either happens completely or changes nothing. */
#include <errno.h>
#include <string.h>

#include "xenstore/internal.h"

/* What Xen's store counts for a node on top of its content. */
#define NODE_HEADER 24
#define NODE_PERM 8

/* May @conn do @access to what @path leads to? For a missing node its last existing parent says. */
static int permitted(const struct xst_op *op, const struct xst_place *place, unsigned int access)
{
	unsigned int have = xst_perms_for(op->conn, place->node->perms);

	if (*place->rest)
		return have & access ? -ENOENT : -EACCES;
	return (have & access) == access ? 0 : -EACCES;
}

int xst_op_find(const struct xst_op *op, const char *path, unsigned int access, unsigned int note,
		struct xst_node **node)
{
	char full[XST_PATH_BUF];
	struct xst_place place;
	int ret;

	ret = xst_path_resolve(op->conn, path, full);
	if (!ret)
		ret = xst_tx_note(op, full, note);
	if (ret)
		return ret;
	place = xst_tree_find(op->view->root, full);
	*node = place.node;
	return permitted(op, &place, access);
}

int xst_op_perms(const struct xst_op *op, const char *path, struct xst_perms **perms)
{
	struct xst_node *node;
	int ret, special = path[0] == '@' ? xst_special_find(path) : -1;

	if (special >= 0) {
		*perms = op->store->special[special];
		return xst_perms_for(op->conn, *perms) & XST_PERM_READ ? 0 : -EACCES;
	}
	ret = xst_op_find(op, path, XST_PERM_READ, XST_NOTE_SELF, &node);
	if (!ret)
		*perms = node->perms;
	return ret;
}

/* ---- limits; domain 0 has none ---- */

static int check_size(const struct xst_op *op, size_t names, size_t perms, size_t value)
{
	if (xst_privileged(op->conn))
		return 0;
	if (NODE_HEADER + NODE_PERM * perms + names + value >= op->store->limits.node_size)
		return -ENOSPC;
	return 0;
}

/* Can @domid's share of the tree grow by this much? */
static int check_usage(const struct xst_op *op, domid_t domid, int64_t nodes, int64_t memory)
{
	const struct xst_limits *limits = &op->store->limits;
	const struct xst_domain *domain = xst_domain_find(op->store, domid);
	const struct xst_usage *usage;

	if (xst_privileged(op->conn) || !domid)
		return 0;
	if (domain) {
		nodes += domain->usage.nodes;
		memory += domain->usage.memory;
	}
	for (usage = op->view->live ? NULL : op->view->usage; usage; usage = usage->next) {
		if (usage->domid != domid)
			continue;
		nodes += usage->nodes;
		memory += usage->memory;
	}
	return nodes > limits->nodes || memory > (int64_t)limits->memory ? -ENOSPC : 0;
}

/* ---- an edit: remembered first, so that nothing can fail once the tree has changed ---- */

static int edit_begin(const struct xst_op *op, enum xst_edit type, const char *full,
		      struct xst_value *value, struct xst_perms *perms, struct xst_change **change)
{
	int ret;

	*change = xst_change_new(op->changes, full);
	if (!*change)
		return -ENOMEM;
	ret = xst_tx_log(op, type, full, value, perms);
	if (ret)
		xst_change_free(*change);
	return ret;
}

static int edit_cancel(const struct xst_op *op, struct xst_change *change, int error)
{
	xst_tx_unlog(op);
	xst_change_free(change);
	return error;
}

/* ---- write and mkdir ---- */

/* The missing nodes of @rest, linked; the last one is *leaf. NULL when out of memory. */
static struct xst_node *chain_new(const char *rest, struct xst_perms *perms, uint64_t gen,
				  struct xst_node **leaf)
{
	struct xst_node *top = NULL, *node;
	size_t len;

	*leaf = NULL;
	while ((len = xst_path_next(&rest))) {
		node = xst_node_new(rest, len, perms, gen);
		if (!node || (*leaf && xst_node_attach(*leaf, node))) {
			xst_node_put(node);
			xst_node_put(top);
			return NULL;
		}
		if (!top)
			top = node;
		*leaf = node;
		rest += len;
	}
	return top;
}

struct chain_size {
	int64_t nodes, memory;
};

static int chain_count(void *arg, struct xst_node *node, struct xst_node *parent, const char *path)
{
	struct chain_size *size = arg;

	(void)parent;
	(void)path;
	size->nodes++;
	size->memory += xst_node_cost(node);
	return 0;
}

/* Hang the finished @top (with the nodes below it) into the tree. */
static int graft(const struct xst_op *op, enum xst_edit type, const char *full,
		 const struct xst_place *place, struct xst_node *top, struct xst_value *value)
{
	struct chain_size size = { 0 };
	struct xst_change *change;
	struct xst_usage *usage;
	struct xst_node *parent;
	domid_t owner = top->perms->entry[0].domid;
	int ret;

	ret = check_size(op, place->node->names + strlen(top->name) + 1, place->node->perms->count,
			 xst_node_len(place->node));
	xst_tree_visit(top, "/", chain_count, &size);
	if (!ret)
		ret = check_usage(op, owner, size.nodes, size.memory);
	if (!ret)
		ret = edit_begin(op, type, full, value, NULL, &change);
	if (ret)
		return ret;
	usage = xst_usage_get(op->view, owner);
	parent = usage ? xst_tree_own(&op->view->root, full, place->rest - full) : NULL;
	if (!parent || xst_node_attach(parent, top))
		return edit_cancel(op, change, -ENOMEM);
	parent->list_gen = op->store->gen;
	usage->nodes += size.nodes;
	usage->memory += size.memory;
	return 0;
}

static int create(const struct xst_op *op, enum xst_edit type, const char *full,
		  const struct xst_place *place, struct xst_value *value)
{
	struct xst_node *top, *leaf;
	struct xst_perms *perms;
	int ret;

	perms = xst_perms_inherit(op->conn, place->node->perms);
	if (!perms)
		return -ENOMEM;
	ret = check_size(op, 0, perms->count, value ? value->len : 0);
	top = ret ? NULL : chain_new(place->rest, perms, ++op->store->gen, &leaf);
	xst_perms_put(perms);
	if (!top)
		return ret ? ret : -ENOMEM;
	if (value) {
		leaf->value = value;
		value->refs++;
	}
	ret = graft(op, type, full, place, top, value);
	if (ret)
		xst_node_put(top);
	return ret;
}

static int set_value(const struct xst_op *op, const char *full, struct xst_node *node,
		     struct xst_value *value)
{
	size_t len = value ? value->len : 0;
	int64_t growth = (int64_t)len - (int64_t)xst_node_len(node);
	domid_t owner = node->perms->entry[0].domid;
	struct xst_change *change;
	struct xst_usage *usage;
	int ret;

	ret = check_size(op, node->names, node->perms->count, len);
	if (!ret && growth > 0)
		ret = check_usage(op, owner, 0, growth);
	if (!ret)
		ret = edit_begin(op, XST_EDIT_WRITE, full, value, NULL, &change);
	if (ret)
		return ret;
	usage = xst_usage_get(op->view, owner);
	node = usage ? xst_tree_own(&op->view->root, full, strlen(full)) : NULL;
	if (!node)
		return edit_cancel(op, change, -ENOMEM);
	xst_value_put(node->value);
	node->value = value;
	if (value)
		value->refs++;
	node->gen = ++op->store->gen;
	usage->memory += growth;
	return 0;
}

/* The beginning of write and mkdir: 0 if the node exists, -ENOENT if it may be created. */
static int find_for_write(const struct xst_op *op, const char *path, char full[XST_PATH_BUF],
			  struct xst_place *place)
{
	char parent[XST_PATH_BUF];
	int ret;

	ret = xst_path_resolve(op->conn, path, full);
	if (!ret)
		ret = xst_tx_note(op, full, XST_NOTE_SELF);
	if (ret)
		return ret;
	*place = xst_tree_find(op->view->root, full);
	if (*place->rest) {
		/* The new node hangs on this one, which must not have been removed meanwhile. */
		size_t len = place->rest - full - (place->rest - full > 1);

		memcpy(parent, full, len);
		parent[len] = '\0';
		ret = xst_tx_note(op, parent, XST_NOTE_EXISTS);
		if (ret)
			return ret;
	}
	return permitted(op, place, XST_PERM_WRITE);
}

int xst_op_write(const struct xst_op *op, const char *path, const void *data, size_t len)
{
	char full[XST_PATH_BUF];
	struct xst_value *value;
	struct xst_place place;
	int ret, found;

	found = find_for_write(op, path, full, &place);
	if (found && found != -ENOENT)
		return found;
	ret = xst_value_new(data, len, &value);
	if (ret)
		return ret;
	if (found)
		ret = create(op, XST_EDIT_WRITE, full, &place, value);
	else
		ret = set_value(op, full, place.node, value);
	xst_value_put(value);
	return ret;
}

int xst_op_mkdir(const struct xst_op *op, const char *path)
{
	char full[XST_PATH_BUF];
	struct xst_place place;
	int ret;

	ret = find_for_write(op, path, full, &place);
	return ret == -ENOENT ? create(op, XST_EDIT_MKDIR, full, &place, NULL) : ret;
}

/* ---- rm ---- */

static int account_reserve(void *arg, struct xst_node *node, struct xst_node *parent,
			   const char *path)
{
	(void)parent;
	(void)path;
	return xst_usage_get(arg, node->perms->entry[0].domid) ? 0 : -ENOMEM;
}

static int account_removed(void *arg, struct xst_node *node, struct xst_node *parent,
			   const char *path)
{
	struct xst_usage *usage = xst_usage_get(arg, node->perms->entry[0].domid);

	(void)parent;
	(void)path;
	usage->nodes--;
	usage->memory -= xst_node_cost(node);
	return 0;
}

static int prune(const struct xst_op *op, const char *full, const struct xst_place *place)
{
	struct xst_change *change;
	struct xst_node *parent;
	int ret;

	ret = edit_begin(op, XST_EDIT_RM, full, NULL, NULL, &change);
	if (ret)
		return ret;
	change->old = xst_perms_get(place->node->perms);
	change->old_parent = xst_perms_get(place->parent->perms);
	ret = xst_tree_visit(place->node, full, account_reserve, op->view);
	parent = ret ? NULL : xst_tree_own(&op->view->root, full, strrchr(full, '/') - full);
	if (!parent)
		return edit_cancel(op, change, -ENOMEM);
	change->removed = xst_node_detach(parent, strrchr(full, '/') + 1);
	parent->list_gen = ++op->store->gen;
	xst_tree_visit(change->removed, full, account_removed, op->view);
	return 0;
}

int xst_op_rm(const struct xst_op *op, const char *path)
{
	char full[XST_PATH_BUF], parent[XST_PATH_BUF];
	struct xst_place place;
	int ret;

	ret = xst_path_resolve(op->conn, path, full);
	if (!ret)
		ret = xst_tx_note(op, full, XST_NOTE_ALL);
	if (ret)
		return ret;
	place = xst_tree_find(op->view->root, full);
	ret = permitted(op, &place, XST_PERM_WRITE);
	if (ret == -ENOENT) {
		strcpy(parent, full);
		xst_path_parent(parent);
		ret = xst_tx_note(op, parent, XST_NOTE_EXISTS);
		if (ret)
			return ret;
		return xst_tree_get(op->view->root, parent) ? 0 : -ENOENT;
	}
	if (!ret && !place.parent)
		ret = -EINVAL;
	return ret ? ret : prune(op, full, &place);
}

/* ---- permissions ---- */

static int set_special(const struct xst_op *op, const char *path, struct xst_perms *perms)
{
	int special = xst_special_find(path);

	if (special < 0)
		return -EINVAL;
	if (!(xst_perms_for(op->conn, op->store->special[special]) & XST_PERM_OWNER))
		return -EACCES;
	xst_perms_put(op->store->special[special]);
	op->store->special[special] = xst_perms_get(perms);
	return 0;
}

/* Replace the list of an existing node and move it between its owners' accounts. */
static int replace_perms(const struct xst_op *op, const char *full, struct xst_node *node,
			 struct xst_perms *perms)
{
	struct xst_usage *from, *to;
	struct xst_change *change;
	int ret;

	ret = check_size(op, node->names, perms->count, xst_node_len(node));
	if (!ret)
		ret = edit_begin(op, XST_EDIT_SET_PERMS, full, NULL, perms, &change);
	if (ret)
		return ret;
	from = xst_usage_get(op->view, node->perms->entry[0].domid);
	to = xst_usage_get(op->view, perms->entry[0].domid);
	node = from && to ? xst_tree_own(&op->view->root, full, strlen(full)) : NULL;
	if (!node)
		return edit_cancel(op, change, -ENOMEM);
	from->nodes--;
	from->memory -= xst_node_cost(node);
	change->old = node->perms;
	node->perms = xst_perms_get(perms);
	node->gen = ++op->store->gen;
	to->nodes++;
	to->memory += xst_node_cost(node);
	return 0;
}

int xst_op_set_perms(const struct xst_op *op, const char *path, struct xst_perms *perms)
{
	char full[XST_PATH_BUF];
	struct xst_node *node;
	int ret;

	if (!xst_privileged(op->conn) && perms->count > op->store->limits.perms)
		return -ENOSPC;
	if (path[0] == '@')
		return set_special(op, path, perms);
	ret = xst_op_find(op, path, XST_PERM_WRITE | XST_PERM_OWNER, XST_NOTE_SELF, &node);
	if (ret)
		return ret;
	/* Only domain 0 gives nodes away, or takes them. */
	if (!xst_privileged(op->conn) && perms->entry[0].domid != node->perms->entry[0].domid)
		return -EPERM;
	xst_path_resolve(op->conn, path, full);
	return replace_perms(op, full, node, perms);
}
