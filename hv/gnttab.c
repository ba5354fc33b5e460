// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include <urcu-bp.h>

#include "hv/domain.h"
#include "hv/gnttab.h"
#include "hv/gnttab_entry.h"

#define ENTRIES_PER_FRAME (PAGE_SIZE / sizeof(grant_entry_v1_t))

/** struct gnttab_frame - a page of entries, and our side of each */
struct gnttab_frame {
	struct hv_page page;
	struct gnttab_use use[ENTRIES_PER_FRAME];
};

/**
 * struct gnttab - a guest's grant table
 * @nr_frames: grows under the domain's physmap lock
 * @frame: those below @nr_frames exist and stay until the domain goes
 */
struct gnttab {
	unsigned int nr_frames;
	struct gnttab_frame *frame[GNTTAB_MAX_FRAMES];
};

unsigned int gnttab_nr_frames(const struct domain *d)
{
	/* Pairs with the release in grow(): a frame is filled in before it counts. */
	return __atomic_load_n(&d->gnttab->nr_frames, __ATOMIC_ACQUIRE);
}

/* Maps and unmaps that changed flags in the old storage while the entries were copied */
static void settle_frame(struct domain *d, const void *from, void *to)
{
	struct gnttab *gt = d->gnttab;
	grant_entry_v1_t *entries = to;

	(void)from;
	for (unsigned int i = 0; i < gt->nr_frames; i++) {
		if (gt->frame[i]->page.va != to)
			continue;
		for (unsigned int n = 0; n < ENTRIES_PER_FRAME; n++)
			gnttab_entry_settle(&entries[n], &gt->frame[i]->use[n]);
	}
}

/* Physmap lock held */
static long grow(struct domain *d, unsigned int nr_frames)
{
	struct gnttab *gt = d->gnttab;
	int err;

	if (nr_frames > GNTTAB_MAX_FRAMES)
		return -EINVAL;
	while (gt->nr_frames < nr_frames) {
		struct gnttab_frame *frame = calloc(1, sizeof(*frame));

		if (!frame)
			return -ENOMEM;
		err = hv_page_init(&frame->page, settle_frame);
		if (err) {
			free(frame);
			return err;
		}
		gt->frame[gt->nr_frames] = frame;
		__atomic_store_n(&gt->nr_frames, gt->nr_frames + 1, __ATOMIC_RELEASE);
	}
	return 0;
}

long gnttab_grow(struct domain *d, unsigned int nr_frames)
{
	long err;

	pthread_mutex_lock(&d->physmap_lock);
	err = grow(d, nr_frames);
	pthread_mutex_unlock(&d->physmap_lock);
	return err;
}

int gnttab_create(struct domain *d)
{
	int err;

	d->gnttab = calloc(1, sizeof(*d->gnttab));
	if (!d->gnttab)
		return -ENOMEM;
	err = gnttab_grow(d, 1);
	if (err)
		gnttab_destroy(d);
	return err;
}

void gnttab_destroy(struct domain *d)
{
	struct gnttab *gt = d->gnttab;

	if (!gt)
		return;
	for (unsigned int i = 0; i < gt->nr_frames; i++) {
		hv_page_fini(d, &gt->frame[i]->page);
		free(gt->frame[i]);
	}
	free(gt);
	d->gnttab = NULL;
}

/* The shared and the private side of @ref, or NULL; within an RCU read-side section */
static grant_entry_v1_t *find_entry(struct domain *d, grant_ref_t ref, struct gnttab_use **use)
{
	unsigned int index = ref / ENTRIES_PER_FRAME;
	struct gnttab_frame *frame;
	grant_entry_v1_t *entries;

	if (index >= gnttab_nr_frames(d))
		return NULL;
	frame = d->gnttab->frame[index];
	entries = rcu_dereference(frame->page.va);
	*use = &frame->use[ref % ENTRIES_PER_FRAME];
	return &entries[ref % ENTRIES_PER_FRAME];
}

int gnttab_map_for(struct domain *d, domid_t grantee, grant_ref_t ref, bool write, void **page)
{
	grant_entry_v1_t *entry;
	struct gnttab_use *use;
	int err = -EINVAL;
	gfn_t gfn;

	rcu_read_lock();
	entry = find_entry(d, ref, &use);
	if (entry)
		err = gnttab_entry_get(entry, use, grantee, write, &gfn);
	if (!err) {
		*page = mem_page(d, gfn);
		if (!*page) {
			gnttab_entry_put(entry, use, write);
			err = -EINVAL;
		}
	}
	rcu_read_unlock();
	return err;
}

int gnttab_map(struct domain *d, grant_ref_t ref, bool write, void **page)
{
	return gnttab_map_for(d, 0, ref, write, page);
}

void gnttab_unmap(struct domain *d, grant_ref_t ref, bool write)
{
	grant_entry_v1_t *entry;
	struct gnttab_use *use;

	rcu_read_lock();
	entry = find_entry(d, ref, &use);
	if (entry)
		gnttab_entry_put(entry, use, write);
	rcu_read_unlock();
}

void gnttab_preset(struct domain *d, grant_ref_t ref, gfn_t gfn)
{
	grant_entry_v1_t *entry;
	struct gnttab_use *use;

	rcu_read_lock();
	entry = find_entry(d, ref, &use);
	if (entry) {
		entry->domid = 0;
		entry->frame = gfn;
		__atomic_store_n(&entry->flags, GTF_permit_access, __ATOMIC_RELEASE);
	}
	rcu_read_unlock();
}

gfn_t gnttab_frame_gfn(struct domain *d, unsigned int index)
{
	gfn_t gfn = GFN_NONE;

	pthread_mutex_lock(&d->physmap_lock);
	if (index < d->gnttab->nr_frames)
		gfn = d->gnttab->frame[index]->page.gfn;
	pthread_mutex_unlock(&d->physmap_lock);
	return gfn;
}

long gnttab_place_frame(struct domain *d, uint64_t index, gfn_t gfn)
{
	long err;

	if (index >= GNTTAB_MAX_FRAMES)
		return -EINVAL;
	pthread_mutex_lock(&d->physmap_lock);
	err = grow(d, index + 1);
	if (!err)
		err = hv_page_place(d, &d->gnttab->frame[index]->page, gfn);
	pthread_mutex_unlock(&d->physmap_lock);
	return err;
}

long gnttab_unplace_frame(struct domain *d, gfn_t gfn)
{
	struct gnttab *gt = d->gnttab;
	long err = -ENOENT;

	pthread_mutex_lock(&d->physmap_lock);
	for (unsigned int i = 0; i < gt->nr_frames && err == -ENOENT; i++) {
		if (gt->frame[i]->page.gfn == gfn)
			err = hv_page_unplace(d, &gt->frame[i]->page);
	}
	pthread_mutex_unlock(&d->physmap_lock);
	return err;
}
