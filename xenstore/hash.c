// SPDX-License-Identifier: GPL-2.0-or-later
#include "xenstore/hash.h"

#include <stdlib.h>

uint32_t xst_hash_seed(uint32_t seed)
{
	return 2166136261u ^ seed;
}

uint32_t xst_hash_more(uint32_t state, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--)
		state = (state ^ *p++) * 16777619u;
	return state;
}

uint32_t xst_hash_end(uint32_t state)
{
	return state ^ state >> 15;
}

uint32_t xst_hash_bytes(const void *data, size_t len, uint32_t seed)
{
	return xst_hash_end(xst_hash_more(xst_hash_seed(seed), data, len));
}

static struct xst_hlink **chain(struct xst_hash *table, uint32_t hash)
{
	return table->bucket ? &table->bucket[hash & table->mask] : &table->one;
}

/* At the end: elements with the same hash are found in the order in which they came. */
static void append(struct xst_hash *table, struct xst_hlink *link)
{
	struct xst_hlink **end = chain(table, link->hash);

	while (*end)
		end = &(*end)->next;
	*end = link;
	link->next = NULL;
}

/* Longer chains are slower, not wrong: a failed allocation changes nothing. */
static void grow(struct xst_hash *table)
{
	uint32_t mask = table->mask * 2 + 1, i;
	struct xst_hash bigger = { .mask = mask < 15 ? 15 : mask };

	bigger.bucket = calloc((size_t)bigger.mask + 1, sizeof(*bigger.bucket));
	if (!bigger.bucket)
		return;
	for (i = 0; i <= table->mask; i++) {
		struct xst_hlink *link = *chain(table, i), *next;

		for (; link; link = next) {
			next = link->next;
			append(&bigger, link);
		}
	}
	bigger.count = table->count;
	free(table->bucket);
	*table = bigger;
}

void xst_hash_insert(struct xst_hash *table, struct xst_hlink *link, uint32_t hash)
{
	if (table->count > 2 * (size_t)table->mask + 1 && table->mask < UINT32_MAX / 4)
		grow(table);
	link->hash = hash;
	append(table, link);
	table->count++;
}

void xst_hash_remove(struct xst_hash *table, struct xst_hlink *link)
{
	struct xst_hlink **p = chain(table, link->hash);

	while (*p != link)
		p = &(*p)->next;
	*p = link->next;
	table->count--;
}

static struct xst_hlink *find(struct xst_hlink *link, uint32_t hash)
{
	while (link && link->hash != hash)
		link = link->next;
	return link;
}

struct xst_hlink *xst_hash_first(const struct xst_hash *table, uint32_t hash)
{
	return find(table->bucket ? table->bucket[hash & table->mask] : table->one, hash);
}

struct xst_hlink *xst_hash_next(const struct xst_hlink *link)
{
	return find(link->next, link->hash);
}

void xst_hash_free(struct xst_hash *table)
{
	free(table->bucket);
	*table = (struct xst_hash){ 0 };
}
