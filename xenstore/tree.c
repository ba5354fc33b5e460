// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore/internal.h"

struct xst_node *xst_node_new(const char *name, size_t len, struct xst_perms *perms, uint64_t gen)
{
	struct xst_node *node = calloc(1, sizeof(*node) + len + 1);

	if (!node)
		return NULL;
	node->refs = 1;
	node->perms = xst_perms_get(perms);
	node->gen = gen;
	node->list_gen = gen;
	memcpy(node->name, name, len);
	return node;
}

void xst_node_put(struct xst_node *node)
{
	struct xst_node *todo = node;
	uint32_t i;

	if (!node || --node->refs)
		return;
	node->next_free = NULL;
	while ((node = todo)) {
		todo = node->next_free;
		for (i = 0; i < node->count; i++) {
			struct xst_node *child = node->child[i];

			if (--child->refs)
				continue;
			child->next_free = todo;
			todo = child;
		}
		xst_perms_put(node->perms);
		xst_value_put(node->value);
		free(node->child);
		free(node);
	}
}

int xst_value_new(const void *data, size_t len, struct xst_value **value)
{
	*value = NULL;
	if (!len)
		return 0;
	*value = malloc(sizeof(**value) + len);
	if (!*value)
		return -ENOMEM;
	(*value)->refs = 1;
	(*value)->len = len;
	memcpy((*value)->data, data, len);
	return 0;
}

void xst_value_put(struct xst_value *value)
{
	if (value && !--value->refs)
		free(value);
}

/* Where a child of this name is, or has to be inserted. */
static uint32_t position(const struct xst_node *node, const char *name, size_t len, bool *found)
{
	uint32_t low = 0, high = node->count;

	*found = false;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const char *other = node->child[mid]->name;
		int order = strncmp(other, name, len);

		if (!order && other[len])
			order = 1;
		if (!order) {
			*found = true;
			return mid;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct xst_place xst_tree_find(struct xst_node *root, const char *path)
{
	struct xst_place place = { .node = root, .rest = path };
	size_t len;
	bool found;

	while ((len = xst_path_next(&place.rest))) {
		uint32_t i = position(place.node, place.rest, len, &found);

		if (!found)
			break;
		place.parent = place.node;
		place.node = place.node->child[i];
		place.rest += len;
	}
	return place;
}

struct xst_node *xst_tree_get(struct xst_node *root, const char *path)
{
	struct xst_place place = xst_tree_find(root, path);

	return *place.rest ? NULL : place.node;
}

static struct xst_node *copy(const struct xst_node *node)
{
	struct xst_node *new;
	uint32_t i;

	new = xst_node_new(node->name, strlen(node->name), node->perms, node->gen);
	if (!new)
		return NULL;
	if (node->count) {
		new->child = malloc(node->count * sizeof(*new->child));
		if (!new->child) {
			xst_node_put(new);
			return NULL;
		}
	}
	for (i = 0; i < node->count; i++) {
		new->child[i] = node->child[i];
		new->child[i]->refs++;
	}
	new->count = node->count;
	new->room = node->count;
	new->names = node->names;
	new->list_gen = node->list_gen;
	new->value = node->value;
	if (new->value)
		new->value->refs++;
	return new;
}

struct xst_node *xst_tree_own(struct xst_node **root, const char *path, size_t len)
{
	const char *end = path + len;
	struct xst_node **slot = root;
	bool found;

	for (;;) {
		struct xst_node *node = *slot;

		if (node->refs > 1) {
			node = copy(node);
			if (!node)
				return NULL;
			(*slot)->refs--;
			*slot = node;
		}
		len = xst_path_next(&path);
		if (!len || path >= end)
			return node;
		slot = &node->child[position(node, path, len, &found)];
		path += len;
	}
}

int xst_node_attach(struct xst_node *node, struct xst_node *child)
{
	size_t len = strlen(child->name);
	uint32_t i;
	bool found;

	if (node->count == node->room) {
		uint32_t room = node->room ? node->room * 2 : 2;
		struct xst_node **more = realloc(node->child, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		node->child = more;
		node->room = room;
	}
	i = position(node, child->name, len, &found);
	memmove(&node->child[i + 1], &node->child[i], (node->count - i) * sizeof(*node->child));
	node->child[i] = child;
	node->count++;
	node->names += len + 1;
	return 0;
}

struct xst_node *xst_node_detach(struct xst_node *node, const char *name)
{
	size_t len = strlen(name);
	struct xst_node *child;
	uint32_t i;
	bool found;

	i = position(node, name, len, &found);
	child = node->child[i];
	node->count--;
	memmove(&node->child[i], &node->child[i + 1], (node->count - i) * sizeof(*node->child));
	node->names -= len + 1;
	return child;
}

int xst_tree_visit(struct xst_node *top, const char *path, xst_visit_fn fn, void *arg)
{
	struct {
		struct xst_node *node;
		uint32_t next;
		uint32_t len; /* of the path down to here, without a final slash */
	} stack[XST_DEPTH_MAX];
	char name[XST_PATH_BUF];
	size_t depth = 1, len;
	int ret;

	strcpy(name, path);
	ret = fn(arg, top, NULL, name);
	if (ret)
		return ret == XST_SKIP ? 0 : ret;
	stack[0].node = top;
	stack[0].next = 0;
	stack[0].len = strcmp(name, "/") ? strlen(name) : 0;
	while (depth) {
		struct xst_node *node = stack[depth - 1].node, *child;
		size_t base = stack[depth - 1].len;

		if (stack[depth - 1].next == node->count) {
			depth--;
			continue;
		}
		child = node->child[stack[depth - 1].next++];
		len = strlen(child->name);
		name[base] = '/';
		memcpy(name + base + 1, child->name, len + 1);
		ret = fn(arg, child, node, name);
		if (ret && ret != XST_SKIP)
			return ret;
		if (ret == XST_SKIP || !child->count)
			continue;
		stack[depth].node = child;
		stack[depth].next = 0;
		stack[depth].len = base + 1 + len;
		depth++;
	}
	return 0;
}
