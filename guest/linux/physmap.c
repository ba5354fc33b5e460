// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of the hypervisor's (shared_info, grant frames) in the place of pages of ours, and back.
 *
 * Under Xen there are two alternatives, and neither is better. BAR 1 of the platform device is
 * meant for this, but up to Xen 4.20 its MTRR says uncached, so that each access to a grant entry
 * would be slow. Addresses beyond the end of memory move the end of what is saved and migrated.
 */
#include <linux/gfp.h>
#include <linux/mm.h>

#include "guest/linux/hypercall.h"
#include "guest/linux/internal.h"

/**
 * paravane_physmap_take() - have a page of the hypervisor's put in place of a fresh page
 * @space: XENMAPSPACE_*
 * @idx: which page of that space
 *
 * May sleep.
 *
 * Return: the page, mapped as any page is, or an ERR_PTR.
 */
struct page *paravane_physmap_take(unsigned int space, unsigned long idx)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	long err;

	if (!page)
		return ERR_PTR(-ENOMEM);
	err = paravane_physmap_add(space, idx, page_to_pfn(page));
	if (err) {
		__free_page(page);
		return ERR_PTR(err);
	}
	return page;
}

/* Xen leaves a hole behind, to be filled with fresh memory; Paravane gives our page back. */
static bool refill(unsigned long gfn)
{
	return paravane_platform.is_paravane || paravane_physmap_populate(gfn) == 1;
}

/**
 * paravane_physmap_leave() - give such a page back, but keep what comes in its place
 * @page: page from paravane_physmap_take()
 *
 * May sleep. For a machine that restarts: whoever still has the address meets harmless memory.
 *
 * Return: whether memory has come in its place.
 */
bool paravane_physmap_leave(struct page *page)
{
	unsigned long gfn = page_to_pfn(page);
	long err = paravane_physmap_remove(gfn);

	if (err || !refill(gfn)) {
		pr_warn("page frame %lx does not come back from the hypervisor (%ld), lost\n", gfn,
			err);
		return false;
	}
	return true;
}

/**
 * paravane_physmap_give() - give such a page back and free what comes in its place
 * @page: page from paravane_physmap_take()
 *
 * May sleep. A page whose memory does not come back is leaked: nobody must touch the hole.
 */
void paravane_physmap_give(struct page *page)
{
	if (paravane_physmap_leave(page))
		__free_page(page);
}
