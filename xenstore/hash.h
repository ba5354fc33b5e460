/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chained hash tables with the links inside the elements; inserting never fails. */
#ifndef XENSTORE_HASH_H
#define XENSTORE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct xst_hlink {
	struct xst_hlink *next;
	uint32_t hash;
};

/**
 * struct xst_hash - a table; all zero is an empty one
 * @bucket: the chains; @one while the table is small or memory for more is short
 * @mask: number of chains minus 1
 * @count: elements
 */
struct xst_hash {
	struct xst_hlink **bucket;
	struct xst_hlink *one;
	uint32_t mask;
	size_t count;
};

/** xst_hash_bytes() - hash of @len bytes, mixed with @seed. */
uint32_t xst_hash_bytes(const void *data, size_t len, uint32_t seed);
/**
 * xst_hash_more() - the same in pieces: begin with xst_hash_seed(), and at any time
 * xst_hash_end() gives the hash of all the bytes until then.
 */
uint32_t xst_hash_seed(uint32_t seed);
uint32_t xst_hash_more(uint32_t state, const void *data, size_t len);
uint32_t xst_hash_end(uint32_t state);

void xst_hash_insert(struct xst_hash *table, struct xst_hlink *link, uint32_t hash);
void xst_hash_remove(struct xst_hash *table, struct xst_hlink *link);

/** xst_hash_first() - the chain's first element with @hash; NULL if none. */
struct xst_hlink *xst_hash_first(const struct xst_hash *table, uint32_t hash);
/** xst_hash_next() - the next element with the same hash. */
struct xst_hlink *xst_hash_next(const struct xst_hlink *link);

/** xst_hash_free() - free the table; the elements are the caller's. */
void xst_hash_free(struct xst_hash *table);

#endif /* XENSTORE_HASH_H */
