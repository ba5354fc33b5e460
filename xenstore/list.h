/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Doubly linked lists with the links inside the elements. An unlinked element points to itself. */
#ifndef XENSTORE_LIST_H
#define XENSTORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct xst_list {
	struct xst_list *next, *prev;
};

#define xst_entry(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* The body may remove the current element, and no other. */
#define xst_list_for_each(pos, tmp, head)                                \
	for ((pos) = (head)->next, (tmp) = (pos)->next; (pos) != (head); \
	     (pos) = (tmp), (tmp) = (pos)->next)

static inline void xst_list_init(struct xst_list *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool xst_list_empty(const struct xst_list *list)
{
	return list->next == list;
}

static inline void xst_list_append(struct xst_list *head, struct xst_list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

static inline void xst_list_remove(struct xst_list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	xst_list_init(item);
}

/* Move all of @from to the end of @to. */
static inline void xst_list_splice(struct xst_list *to, struct xst_list *from)
{
	if (xst_list_empty(from))
		return;
	from->next->prev = to->prev;
	from->prev->next = to;
	to->prev->next = from->next;
	to->prev = from->prev;
	xst_list_init(from);
}

#endif /* XENSTORE_LIST_H */
