/* SPDX-License-Identifier: MIT */
/*
 * Grant table, version 1: writing entries, and handing out references.
 *
 * The protocol for an entry is in <xen-public/grant_table.h>: fill domid and frame, then flags; to
 * revoke, compare-and-swap flags to 0, which must fail while the peer has the frame mapped.
 *
 * Pure: storage and locking are the caller's.
 */
#ifndef PARAVANE_GNTTAB_H
#define PARAVANE_GNTTAB_H

#include <paravane/xen.h>

/* Entries per frame, and the references that belong to the toolstack (console 0, XenStore 1). */
#define PARAVANE_GNTTAB_PER_FRAME 512u
#define PARAVANE_GNTTAB_RESERVED 8u

/**
 * paravane_gnttab_entry_grant() - fill an entry that is not in use
 * @entry: entry
 * @domid: who gets access
 * @gfn: guest frame; the table has room for 32 bits
 * @readonly: no writing
 */
static inline void paravane_gnttab_entry_grant(struct grant_entry_v1 *entry, domid_t domid,
					       uint32_t gfn, bool readonly)
{
	uint16_t flags = GTF_permit_access | (readonly ? GTF_readonly : 0);

	entry->frame = gfn;
	entry->domid = domid;
	/* Pairs with the hypervisor's read of flags: who sees the permission sees the rest. */
	__atomic_store_n(&entry->flags, flags, __ATOMIC_RELEASE);
}

/**
 * paravane_gnttab_entry_end() - revoke an entry
 * @entry: entry
 *
 * Return: true if it is revoked, false if the peer has the frame mapped.
 */
static inline bool paravane_gnttab_entry_end(struct grant_entry_v1 *entry)
{
	uint16_t flags = __atomic_load_n(&entry->flags, __ATOMIC_RELAXED);

	do {
		if (flags & (GTF_reading | GTF_writing))
			return false;
		/* Full barrier: the frame is reused only after nobody can map it any more. */
	} while (!__atomic_compare_exchange_n(&entry->flags, &flags, 0, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	return true;
}

/* Values of next[] that are not references: the end of the list, and "handed out". */
#define PARAVANE_GNTTAB_END 0xffffffffu
#define PARAVANE_GNTTAB_TAKEN 0xfffffffeu

/**
 * struct paravane_gnttab_list - which references are free
 * @next: one word per reference, from the caller: the free list
 * @capacity: words in @next
 * @size: references that exist, reserved ones included
 * @free: references that are free
 * @head: first free reference
 */
struct paravane_gnttab_list {
	uint32_t *next;
	unsigned int capacity;
	unsigned int size;
	unsigned int free;
	uint32_t head;
};

/**
 * paravane_gnttab_list_grow() - add references
 * @list: list
 * @size: how many there are to be; more than now, at most the capacity
 *
 * Return: 0 or -EINVAL.
 */
static inline int paravane_gnttab_list_grow(struct paravane_gnttab_list *list, unsigned int size)
{
	uint32_t ref = size;

	if (size < list->size || size > list->capacity)
		return -EINVAL;
	/* Downwards, so that low references are handed out first. */
	while (ref-- > list->size) {
		list->next[ref] = list->head;
		list->head = ref;
	}
	list->free += size - list->size;
	list->size = size;
	return 0;
}

/**
 * paravane_gnttab_list_init() - start with the reserved references only, which are never free
 * @list: list
 * @next: storage, one word per reference there may ever be
 * @capacity: words in @next, at least PARAVANE_GNTTAB_RESERVED
 */
static inline void paravane_gnttab_list_init(struct paravane_gnttab_list *list, uint32_t *next,
					     unsigned int capacity)
{
	unsigned int ref;

	list->next = next;
	list->capacity = capacity;
	list->size = PARAVANE_GNTTAB_RESERVED;
	list->free = 0;
	list->head = PARAVANE_GNTTAB_END;
	for (ref = 0; ref < PARAVANE_GNTTAB_RESERVED; ref++)
		next[ref] = PARAVANE_GNTTAB_END;
}

/**
 * paravane_gnttab_list_take() - take references
 * @list: list
 * @refs: filled in
 * @count: how many; all or none
 *
 * Return: 0 or -ENOSPC.
 */
static inline int paravane_gnttab_list_take(struct paravane_gnttab_list *list, grant_ref_t *refs,
					    unsigned int count)
{
	unsigned int i;

	if (count > list->free)
		return -ENOSPC;
	for (i = 0; i < count; i++) {
		refs[i] = list->head;
		list->head = list->next[refs[i]];
		list->next[refs[i]] = PARAVANE_GNTTAB_TAKEN;
	}
	list->free -= count;
	return 0;
}

/**
 * paravane_gnttab_list_put() - give a reference back
 * @list: list
 * @ref: reference
 *
 * Return: 0, or -EINVAL if it was not handed out (reserved, unknown or free).
 */
static inline int paravane_gnttab_list_put(struct paravane_gnttab_list *list, grant_ref_t ref)
{
	if (ref >= list->size || list->next[ref] != PARAVANE_GNTTAB_TAKEN)
		return -EINVAL;
	list->next[ref] = list->head;
	list->head = ref;
	list->free++;
	return 0;
}

/**
 * paravane_gnttab_list_drop() - never hand out the free references that a test picks
 * @list: list
 * @pick: the test
 * @data: passed to @pick
 *
 * For what peers still have mapped from before this list existed: it is not ours to grant again.
 *
 * Return: how many were dropped.
 */
static inline unsigned int paravane_gnttab_list_drop(struct paravane_gnttab_list *list,
						     int (*pick)(grant_ref_t ref, void *data),
						     void *data)
{
	uint32_t *link = &list->head;
	unsigned int dropped = 0;

	while (*link != PARAVANE_GNTTAB_END) {
		uint32_t ref = *link;

		if (!pick(ref, data)) {
			link = &list->next[ref];
			continue;
		}
		*link = list->next[ref];
		list->next[ref] = PARAVANE_GNTTAB_END;
		dropped++;
	}
	list->free -= dropped;
	return dropped;
}

#endif /* PARAVANE_GNTTAB_H */
