// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grant table: frames, references, and pages a peer does not let go of.
 */
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <paravane/gnttab.h>

#include "guest/linux/gnttab.h"
#include "guest/linux/hypercall.h"
#include "guest/linux/internal.h"

/* Frames we use at most, whatever the hypervisor would give. */
#define FRAMES_MAX 256

/* How often the reaper tries again. */
#define REAP_INTERVAL HZ

/**
 * struct deferred - a reference that the peer still maps
 * @list: in deferred_refs
 * @ref: reference
 * @page: its page or NULL
 */
struct deferred {
	struct list_head list;
	grant_ref_t ref;
	struct page *page;
};

static DEFINE_MUTEX(grow_lock);
static DEFINE_SPINLOCK(list_lock);
static struct paravane_gnttab_list refs_list;
static u32 *refs_next;
static struct page **frames;
static unsigned int nr_frames, max_frames;

static LIST_HEAD(deferred_refs);
static void reap(struct work_struct *work);
static DECLARE_DELAYED_WORK(reaper, reap);

static struct grant_entry_v1 *entry_of(grant_ref_t ref)
{
	struct grant_entry_v1 *frame = page_address(frames[ref / PARAVANE_GNTTAB_PER_FRAME]);

	return &frame[ref % PARAVANE_GNTTAB_PER_FRAME];
}

/*
 * A kernel that crashed has ended none of its grants, and pages that peers keep mapped outlive an
 * unload. The first are ended here, before a peer finds what is in those pages now.
 */
static int still_mapped(grant_ref_t ref, void *data)
{
	return !paravane_gnttab_entry_end(entry_of(ref));
}

/* Map one more frame; under grow_lock. */
static int grow(void)
{
	unsigned int dropped;
	struct page *page;
	unsigned long flags;
	int err;

	if (nr_frames == max_frames)
		return -ENOSPC;
	page = paravane_physmap_take(XENMAPSPACE_grant_table, nr_frames);
	if (IS_ERR(page))
		return PTR_ERR(page);
	frames[nr_frames++] = page;
	spin_lock_irqsave(&list_lock, flags);
	err = paravane_gnttab_list_grow(&refs_list, nr_frames * PARAVANE_GNTTAB_PER_FRAME);
	dropped = paravane_gnttab_list_drop(&refs_list, still_mapped, NULL);
	spin_unlock_irqrestore(&list_lock, flags);
	if (dropped)
		pr_warn("%u grants of an earlier load are still mapped by their peers\n", dropped);
	return err;
}

static int take(grant_ref_t *refs, unsigned int count)
{
	unsigned long flags;
	int err;

	spin_lock_irqsave(&list_lock, flags);
	err = paravane_gnttab_list_take(&refs_list, refs, count);
	spin_unlock_irqrestore(&list_lock, flags);
	return err;
}

int paravane_gnttab_alloc(grant_ref_t *refs, unsigned int count)
{
	int err;

	if (!take(refs, count))
		return 0;
	mutex_lock(&grow_lock);
	while ((err = take(refs, count))) {
		err = grow();
		if (err)
			break;
	}
	mutex_unlock(&grow_lock);
	return err;
}
EXPORT_SYMBOL_GPL(paravane_gnttab_alloc);

void paravane_gnttab_free(const grant_ref_t *refs, unsigned int count)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&list_lock, flags);
	for (i = 0; i < count; i++)
		WARN_ON_ONCE(paravane_gnttab_list_put(&refs_list, refs[i]));
	spin_unlock_irqrestore(&list_lock, flags);
}
EXPORT_SYMBOL_GPL(paravane_gnttab_free);

void paravane_gnttab_grant(grant_ref_t ref, domid_t domid, struct page *page, bool readonly)
{
	paravane_gnttab_entry_grant(entry_of(ref), domid, page_to_pfn(page), readonly);
	trace_paravane_grant(ref, domid, page_to_pfn(page), 0);
}
EXPORT_SYMBOL_GPL(paravane_gnttab_grant);

int paravane_gnttab_end(grant_ref_t ref)
{
	struct grant_entry_v1 *entry = entry_of(ref);
	int err = paravane_gnttab_entry_end(entry) ? 0 : -EBUSY;

	trace_paravane_grant(ref, entry->domid, entry->frame, err);
	return err;
}
EXPORT_SYMBOL_GPL(paravane_gnttab_end);

/* Give back what the peer has let go of meanwhile; returns what it has not. */
static unsigned int reap_once(void)
{
	struct deferred *d, *next;
	unsigned int left = 0;
	unsigned long flags;
	LIST_HEAD(ended);

	spin_lock_irqsave(&list_lock, flags);
	list_for_each_entry_safe(d, next, &deferred_refs, list) {
		if (paravane_gnttab_end(d->ref)) {
			left++;
			continue;
		}
		paravane_gnttab_list_put(&refs_list, d->ref);
		list_move(&d->list, &ended);
	}
	spin_unlock_irqrestore(&list_lock, flags);

	list_for_each_entry_safe(d, next, &ended, list) {
		if (d->page)
			put_page(d->page);
		kfree(d);
	}
	return left;
}

static void reap(struct work_struct *work)
{
	if (reap_once())
		schedule_delayed_work(&reaper, REAP_INTERVAL);
}

void paravane_gnttab_defer(grant_ref_t ref, struct page *page)
{
	struct deferred *d = kmalloc(sizeof(*d), GFP_ATOMIC);
	unsigned long flags;

	pr_warn_ratelimited("domain %u still maps the page of grant %u\n", entry_of(ref)->domid,
			    ref);
	if (!d) {
		pr_warn("grant %u and its page are lost, no memory to remember them\n", ref);
		return;
	}
	d->ref = ref;
	d->page = page;
	spin_lock_irqsave(&list_lock, flags);
	list_add_tail(&d->list, &deferred_refs);
	spin_unlock_irqrestore(&list_lock, flags);
	schedule_delayed_work(&reaper, REAP_INTERVAL);
}
EXPORT_SYMBOL_GPL(paravane_gnttab_defer);

int paravane_grant_pool_init(struct paravane_grant_pool *pool, unsigned int size)
{
	int err;

	memset(pool, 0, sizeof(*pool));
	pool->refs = kvmalloc_array(size, sizeof(*pool->refs), GFP_KERNEL);
	if (!pool->refs)
		return -ENOMEM;
	err = paravane_gnttab_alloc(pool->refs, size);
	if (err) {
		kvfree(pool->refs);
		pool->refs = NULL;
		return err;
	}
	pool->size = size;
	pool->free = size;
	return 0;
}
EXPORT_SYMBOL_GPL(paravane_grant_pool_init);

void paravane_grant_pool_exit(struct paravane_grant_pool *pool)
{
	if (!pool->refs)
		return;
	paravane_gnttab_free(pool->refs, pool->free);
	kvfree(pool->refs);
	memset(pool, 0, sizeof(*pool));
}
EXPORT_SYMBOL_GPL(paravane_grant_pool_exit);

/* How many frames there can be, or -errno. */
static int query_max_frames(void)
{
	struct gnttab_query_size query = { .dom = DOMID_SELF };
	long err = paravane_gnttab_op(GNTTABOP_query_size, &query, 1);

	if (!err && query.status != GNTST_okay)
		err = -EIO;
	if (!err && !query.max_nr_frames)
		err = -ENOSPC;
	if (err) {
		pr_err("no grant table: the hypervisor has no frame for it (%ld)\n", err);
		return err;
	}
	return min_t(u32, query.max_nr_frames, FRAMES_MAX);
}

/**
 * paravane_gnttab_init() - choose version 1 and map the first frame
 *
 * Return: 0 or -errno.
 */
int paravane_gnttab_init(void)
{
	struct gnttab_set_version version = { .version = 1 };
	long ret;
	int err;

	/* An earlier kernel may have chosen version 2; who knows only version 1 says -ENOSYS. */
	ret = paravane_gnttab_op(GNTTABOP_set_version, &version, 1);
	if (ret && ret != -ENOSYS) {
		pr_err("no grant table: the hypervisor has none of version 1 (%ld)\n", ret);
		return ret;
	}
	err = query_max_frames();
	if (err < 0)
		return err;
	max_frames = err;
	nr_frames = 0;

	frames = kcalloc(max_frames, sizeof(*frames), GFP_KERNEL);
	refs_next = kvmalloc_array(max_frames * PARAVANE_GNTTAB_PER_FRAME, sizeof(*refs_next),
				   GFP_KERNEL);
	err = -ENOMEM;
	if (!frames || !refs_next)
		goto free;
	paravane_gnttab_list_init(&refs_list, refs_next, max_frames * PARAVANE_GNTTAB_PER_FRAME);
	mutex_lock(&grow_lock);
	err = grow();
	mutex_unlock(&grow_lock);
	if (err) {
		pr_err("no grant table: its first frame cannot be mapped (%d)\n", err);
		goto free;
	}
	return 0;

free:
	kvfree(refs_next);
	kfree(frames);
	return err;
}

/**
 * paravane_gnttab_shutdown() - the machine restarts: revoke grants, give the frames back
 *
 * Nothing is freed, for what did not end in time may still want to end its grants.
 */
void paravane_gnttab_shutdown(void)
{
	grant_ref_t ref;
	unsigned int i;

	cancel_delayed_work_sync(&reaper);
	mutex_lock(&grow_lock);
	for (ref = PARAVANE_GNTTAB_RESERVED; ref < nr_frames * PARAVANE_GNTTAB_PER_FRAME; ref++)
		paravane_gnttab_entry_end(entry_of(ref));
	for (i = 0; i < nr_frames; i++)
		paravane_physmap_leave(frames[i]);
	/* There are no more. */
	max_frames = nr_frames;
	mutex_unlock(&grow_lock);
}

/**
 * paravane_gnttab_resume() - the machine is in another domain: its frames where the old ones were
 *
 * All CPUs are stopped, and no frame is just being added. Nothing is granted in the new table, so
 * each grant that was made ends well.
 */
void paravane_gnttab_resume(void)
{
	unsigned int i;
	long err;

	for (i = 0; i < nr_frames; i++) {
		err = paravane_physmap_add(XENMAPSPACE_grant_table, i, page_to_pfn(frames[i]));
		if (err)
			pr_err("grant frame %u is not mapped again (%ld)\n", i, err);
	}
}

/**
 * paravane_gnttab_exit() - give the frames back
 */
void paravane_gnttab_exit(void)
{
	struct deferred *d, *next;
	unsigned int left;

	cancel_delayed_work_sync(&reaper);
	left = reap_once();
	if (left)
		pr_warn("%u pages that peers still map are lost\n", left);
	list_for_each_entry_safe(d, next, &deferred_refs, list) {
		list_del(&d->list);
		kfree(d);
	}
	while (nr_frames)
		paravane_physmap_give(frames[--nr_frames]);
	kvfree(refs_next);
	kfree(frames);
}
