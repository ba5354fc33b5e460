// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/xen/balloon.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <xen-public/memory.h>

#include "hv/domain.h"
#include "hv/domain_abi.h"
#include "hv/hypercall.h"
#include "hv/log.h"
#include "hv/vcpu.h"

/* More cannot be told in a command that is resumed, so Xen takes no more. */
#define EXTENTS_MAX (UINT32_MAX >> 6)
/* The largest extent of a domain without privileges */
#define ORDER_MAX 9
#define RANGE_PAGES 512 /* what one huge page of the host holds */

uint64_t balloon_pages(const struct domain *d)
{
	return __atomic_load_n(&d->abi->balloon.pages, __ATOMIC_RELAXED);
}

static bool balloon_prepare(struct domain *d)
{
	struct balloon *b = &d->abi->balloon;
	uint64_t pages = mem_bytes(d) >> PAGE_SHIFT;

	if (!b->out)
		b->out = calloc(pages / 64 + 1, sizeof(*b->out));
	if (!b->range_out)
		b->range_out = calloc(pages / RANGE_PAGES + 1, sizeof(*b->range_out));
	return b->out && b->range_out;
}

void balloon_destroy(struct domain *d)
{
	free(d->abi->balloon.out);
	free(d->abi->balloon.range_out);
	d->abi->balloon = (struct balloon){ 0 };
}

static uint8_t *storage(const struct domain *d, uint64_t page)
{
	return (uint8_t *)mem_page(d, 0) + (page << PAGE_SHIFT);
}

static bool is_out(const struct balloon *b, uint64_t page)
{
	return b->out[page / 64] >> page % 64 & 1;
}

/*
 * Mark one page. As long as any page of a huge one is out the host must not make a huge one of the
 * rest, which would take the memory again.
 */
static void mark(struct domain *d, uint64_t page, bool out)
{
	struct balloon *b = &d->abi->balloon;
	uint64_t range = page / RANGE_PAGES, first = range * RANGE_PAGES << PAGE_SHIFT;
	uint64_t len = RANGE_PAGES << PAGE_SHIFT;
	uint16_t before = b->range_out[range];

	b->out[page / 64] ^= 1ULL << page % 64;
	b->range_out[range] += out ? 1 : -1;
	__atomic_store_n(&b->pages, b->pages + (out ? 1 : -1), __ATOMIC_RELAXED);
	if (before && b->range_out[range])
		return;
	if (len > mem_bytes(d) - first)
		len = mem_bytes(d) - first;
	madvise(storage(d, first >> PAGE_SHIFT), len, out ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
}

/* All of an extent or nothing; false if it is not RAM or not all in the other state. */
static bool move_extent(struct domain *d, gfn_t gfn, unsigned int order, bool out)
{
	size_t pages = 1UL << order;
	uint8_t *va = gfn >> (64 - PAGE_SHIFT) ?
			      NULL :
			      mem_range(d, gfn << PAGE_SHIFT, pages << PAGE_SHIFT);
	uint64_t first;

	if (!va)
		return false;
	first = (va - storage(d, 0)) >> PAGE_SHIFT;
	for (size_t i = 0; i < pages; i++) {
		if (is_out(&d->abi->balloon, first + i) == out)
			return false;
	}
	for (size_t i = 0; i < pages; i++)
		mark(d, first + i, out);
	/* The guest's count is right even if the host keeps the memory. */
	if (out && madvise(va, pages << PAGE_SHIFT, MADV_DONTNEED))
		pr_once(LOG_LEVEL_WARN, "the host does not take back the guest's memory");
	return true;
}

/* Xen's checks before the first extent; 1 to go on, else the result */
static long reservation_check(const struct domain *d, const struct xen_memory_reservation *r)
{
	if (!r->nr_extents || r->nr_extents > EXTENTS_MAX)
		return 0;
	switch (hypercall_check_domid(d, r->domid)) {
	case 0:
		return r->extent_order <= ORDER_MAX;
	case -EPERM:
		return -EPERM;
	default:
		return 0;
	}
}

static long change_reservation(struct vcpu *v, const struct xen_memory_reservation *r, bool out)
{
	gva_t extents = (uintptr_t)r->extent_start.p;
	struct domain *d = v->domain;
	long ret = reservation_check(d, r);
	xen_ulong_t n = 0;

	if (ret <= 0)
		return ret;
	while (n < r->nr_extents && !domain_stopping(d)) {
		xen_pfn_t gfn;
		bool done;

		if (mem_read_gva(v, &gfn, extents + n * sizeof(gfn), sizeof(gfn)))
			break;
		pthread_mutex_lock(&d->physmap_lock);
		done = balloon_prepare(d) && move_extent(d, gfn, r->extent_order, out);
		pthread_mutex_unlock(&d->physmap_lock);
		if (!done)
			break;
		n++;
	}
	return n;
}

long balloon_decrease_reservation(struct vcpu *v, void *arg)
{
	return change_reservation(v, arg, true);
}

long balloon_populate_physmap(struct vcpu *v, void *arg)
{
	const struct xen_memory_reservation *r = arg;

	/* Only who builds a domain may have it populated later. */
	if (r->mem_flags & XENMEMF_populate_on_demand)
		return 0;
	return change_reservation(v, r, false);
}

/* It names no place for the pages, so that a guest with an address space of its own could not use them. */
long balloon_increase_reservation(struct vcpu *v, void *arg)
{
	long ret = reservation_check(v->domain, arg);

	return ret < 0 ? ret : 0;
}
