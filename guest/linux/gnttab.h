/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Grant tables: <xen-public/grant_table.h>, version 1.
 */
#ifndef PARAVANE_LINUX_GNTTAB_H
#define PARAVANE_LINUX_GNTTAB_H

#include <linux/mm_types.h>

#include "guest/linux/xen.h"

/**
 * paravane_gnttab_alloc() - take grant references
 * @refs: filled with @count references
 * @count: how many; all or none
 *
 * May sleep (the table grows on demand).
 *
 * Return: 0; -ENOSPC if the table is full; another -errno if the hypervisor does not let it grow.
 */
int paravane_gnttab_alloc(grant_ref_t *refs, unsigned int count);

/**
 * paravane_gnttab_free() - give references back
 * @refs: references that grant nothing at this moment
 * @count: how many
 *
 * Any context.
 */
void paravane_gnttab_free(const grant_ref_t *refs, unsigned int count);

/**
 * paravane_gnttab_grant() - let a domain map or copy one page through a reference
 * @ref: reference from paravane_gnttab_alloc() that grants nothing at this moment
 * @domid: the domain
 * @page: the page
 * @readonly: no writing
 *
 * Any context, no lock taken. The caller keeps the page alive until paravane_gnttab_end()
 * succeeded.
 */
void paravane_gnttab_grant(grant_ref_t ref, domid_t domid, struct page *page, bool readonly);

/**
 * paravane_gnttab_end() - revoke a grant
 * @ref: reference
 *
 * Any context, no lock taken. After success the reference can be granted again or freed.
 *
 * Return: 0, or -EBUSY if the peer still has the page mapped: then page and reference must not be
 * reused; hand both to paravane_gnttab_defer().
 */
int paravane_gnttab_end(grant_ref_t ref);

/**
 * paravane_gnttab_defer() - leave a reference (and its page) that the peer still maps to a reaper
 * @ref: reference for which paravane_gnttab_end() failed
 * @page: page of which the caller gives up one reference count, or NULL
 *
 * Any context. Retries from time to time and reports; what is still mapped when the module is
 * unloaded is leaked on purpose.
 */
void paravane_gnttab_defer(grant_ref_t ref, struct page *page);

/**
 * struct paravane_grant_pool - references reserved for a hot path
 * @refs: stack of free references
 * @free: how many are free
 * @size: how many there are
 *
 * For one queue of a front end: no locking inside, the queue's own lock serialises.
 */
struct paravane_grant_pool {
	grant_ref_t *refs;
	unsigned int free;
	unsigned int size;
};

/**
 * paravane_grant_pool_init() - reserve references
 * @pool: pool
 * @size: number of references
 *
 * May sleep. Front ends have paravane_front_pool_init(), which says what is wrong.
 *
 * Return: 0, or -errno as paravane_gnttab_alloc(), or -ENOMEM.
 */
int paravane_grant_pool_init(struct paravane_grant_pool *pool, unsigned int size);

/**
 * paravane_grant_pool_exit() - give the references back
 * @pool: pool, initialised or zeroed
 *
 * References that were taken and deferred are not in the pool any more and are not touched.
 */
void paravane_grant_pool_exit(struct paravane_grant_pool *pool);

/**
 * paravane_grant_pool_take() - take one reference
 * @pool: pool; the caller has made sure that @pool->free is not 0
 */
static inline grant_ref_t paravane_grant_pool_take(struct paravane_grant_pool *pool)
{
	return pool->refs[--pool->free];
}

/**
 * paravane_grant_pool_put() - put one reference back after paravane_gnttab_end() succeeded
 * @pool: pool
 * @ref: reference taken from it
 */
static inline void paravane_grant_pool_put(struct paravane_grant_pool *pool, grant_ref_t ref)
{
	pool->refs[pool->free++] = ref;
}

#endif /* PARAVANE_LINUX_GNTTAB_H */
