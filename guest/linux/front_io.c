// SPDX-License-Identifier: GPL-2.0-only
/*
 * The front-end kit: what a driver shares with its back end.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "guest/linux/front_core.h"
#include "guest/linux/internal.h"

/* An event channel that belongs to a device. */
struct front_channel {
	struct list_head list;
	struct paravane_evtchn *ch;
};

static int no_grants(struct paravane_front_dev *dev, int err, unsigned int count)
{
	if (err)
		paravane_front_fail(dev, err, "%u grant references are not to be had", count);
	return err;
}

int paravane_front_ring_alloc(struct paravane_front_dev *dev, struct paravane_front_ring *ring,
			      unsigned int pages, struct ring_front *front,
			      struct ring_format format)
{
	unsigned int i;
	void *vaddr;
	int err = 0;

	if (!is_power_of_2(pages) || pages > PARAVANE_RING_MAX_PAGES)
		return -EINVAL;
	vaddr = alloc_pages_exact(pages * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	if (!vaddr)
		return -ENOMEM;
	if (front)
		err = ring_front_init(front, vaddr, pages * PAGE_SIZE, format);
	if (!err)
		err = no_grants(dev, paravane_gnttab_alloc(ring->refs, pages), pages);
	if (err) {
		free_pages_exact(vaddr, pages * PAGE_SIZE);
		return err;
	}
	for (i = 0; i < pages; i++)
		paravane_gnttab_grant(ring->refs[i], dev->peer, virt_to_page(vaddr + i * PAGE_SIZE),
				      false);
	ring->vaddr = vaddr;
	ring->pages = pages;
	list_add_tail(&ring->list, &dev->core->rings);
	return 0;
}
EXPORT_SYMBOL_GPL(paravane_front_ring_alloc);

void paravane_front_ring_free(struct paravane_front_dev *dev, struct paravane_front_ring *ring)
{
	bool kept = false;
	unsigned int i;

	if (!ring->vaddr)
		return;
	list_del(&ring->list);
	for (i = 0; i < ring->pages; i++) {
		struct page *page = virt_to_page(ring->vaddr + i * PAGE_SIZE);

		if (paravane_gnttab_end(ring->refs[i])) {
			paravane_gnttab_defer(ring->refs[i], page);
			kept = true;
			continue;
		}
		paravane_gnttab_free(&ring->refs[i], 1);
		__free_page(page);
	}
	ring->vaddr = NULL;
	ring->pages = 0;
	if (kept)
		paravane_front_kept(dev);
}
EXPORT_SYMBOL_GPL(paravane_front_ring_free);

int paravane_front_pool_init(struct paravane_front_dev *dev, struct paravane_grant_pool *pool,
			     unsigned int size)
{
	return no_grants(dev, paravane_grant_pool_init(pool, size), size);
}
EXPORT_SYMBOL_GPL(paravane_front_pool_init);

void paravane_front_kept(struct paravane_front_dev *dev)
{
	paravane_front_fail(dev, -EBUSY, "the back end keeps pages mapped");
}
EXPORT_SYMBOL_GPL(paravane_front_kept);

struct paravane_evtchn *paravane_front_evtchn_alloc(struct paravane_front_dev *dev,
						    unsigned int cpu, paravane_evtchn_fn fn,
						    void *data)
{
	struct front_channel *fc = kmalloc(sizeof(*fc), GFP_KERNEL);

	if (!fc)
		return ERR_PTR(-ENOMEM);
	fc->ch = paravane_evtchn_alloc_unbound(dev->peer, cpu, fn, data);
	if (IS_ERR(fc->ch)) {
		struct paravane_evtchn *err = fc->ch;

		kfree(fc);
		paravane_front_fail(dev, PTR_ERR(err), "no event channel to domain %u", dev->peer);
		return err;
	}
	list_add_tail(&fc->list, &dev->core->channels);
	return fc->ch;
}
EXPORT_SYMBOL_GPL(paravane_front_evtchn_alloc);

void paravane_front_evtchn_free(struct paravane_front_dev *dev, struct paravane_evtchn *ch)
{
	struct front_channel *fc, *next;

	list_for_each_entry_safe(fc, next, &dev->core->channels, list) {
		if (fc->ch != ch)
			continue;
		list_del(&fc->list);
		kfree(fc);
		paravane_evtchn_close(ch);
		return;
	}
}
EXPORT_SYMBOL_GPL(paravane_front_evtchn_free);

static bool front_rings_are_mapped(struct paravane_front_core *core)
{
	const struct paravane_front_ring *ring;
	unsigned int i;

	list_for_each_entry(ring, &core->rings, list) {
		for (i = 0; i < ring->pages; i++) {
			if (paravane_gnttab_end(ring->refs[i]))
				return true;
		}
	}
	return false;
}

/**
 * paravane_front_await_unmapping() - wait until the peer has let go of all rings
 * @core: device, its lock held
 * @patience: how long at most, in jiffies
 *
 * Linux's back ends whose driver is unbound say Closed first, then end their I/O, then unmap.
 */
void paravane_front_await_unmapping(struct paravane_front_core *core, unsigned long patience)
{
	unsigned long end = jiffies + patience;

	while (front_rings_are_mapped(core) && time_before(jiffies, end))
		msleep(20);
}

/**
 * paravane_front_release() - release what a driver forgot
 * @core: device
 */
void paravane_front_release(struct paravane_front_core *core)
{
	struct paravane_front_ring *ring, *next_ring;
	struct front_channel *fc, *next;

	list_for_each_entry_safe(fc, next, &core->channels, list)
		paravane_front_evtchn_free(core->dev, fc->ch);
	list_for_each_entry_safe(ring, next_ring, &core->rings, list)
		paravane_front_ring_free(core->dev, ring);
}

int paravane_front_publish(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx,
			   const char *key, const char *fmt, ...)
{
	char value[256];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (len >= sizeof(value))
		return -E2BIG;
	return paravane_xs_write(tx, dev->path, key, "%s", value);
}
EXPORT_SYMBOL_GPL(paravane_front_publish);

int paravane_front_publish_ring(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx,
				const char *key, const struct paravane_front_ring *ring)
{
	unsigned int i;
	char name[64];
	int err = 0;

	if (ring->pages == 1)
		return paravane_front_publish(dev, tx, key, "%u", ring->refs[0]);
	for (i = 0; i < ring->pages && !err; i++) {
		snprintf(name, sizeof(name), "%s%u", key, i);
		err = paravane_front_publish(dev, tx, name, "%u", ring->refs[i]);
	}
	return err;
}
EXPORT_SYMBOL_GPL(paravane_front_publish_ring);

int paravane_front_publish_evtchn(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx,
				  const char *key, const struct paravane_evtchn *ch)
{
	return paravane_front_publish(dev, tx, key, "%u", paravane_evtchn_port(ch));
}
EXPORT_SYMBOL_GPL(paravane_front_publish_evtchn);

char *paravane_front_read(struct paravane_front_dev *dev, const char *key)
{
	return paravane_xs_read(&paravane_xs_no_tx, dev->path, key, NULL);
}
EXPORT_SYMBOL_GPL(paravane_front_read);

unsigned int paravane_front_peer_state(struct paravane_front_dev *dev, unsigned int known)
{
	u64 state;
	int err = paravane_xs_read_u64(&paravane_xs_no_tx, dev->peer_path, "state", &state);

	if (!err)
		return state < PARAVANE_XENBUS_STATES ? state : XenbusStateUnknown;
	if (err == -ENOENT || err == -EINVAL || err == -EACCES)
		return XenbusStateUnknown;
	return known;
}
EXPORT_SYMBOL_GPL(paravane_front_peer_state);

static u64 read_u64(const char *dir, const char *key, u64 def)
{
	u64 value = def;

	paravane_xs_read_u64(&paravane_xs_no_tx, dir, key, &value);
	return value;
}

u64 paravane_front_read_u64(struct paravane_front_dev *dev, const char *key, u64 def)
{
	return read_u64(dev->path, key, def);
}
EXPORT_SYMBOL_GPL(paravane_front_read_u64);

char *paravane_front_peer_read(struct paravane_front_dev *dev, const char *key)
{
	return paravane_xs_read(&paravane_xs_no_tx, dev->peer_path, key, NULL);
}
EXPORT_SYMBOL_GPL(paravane_front_peer_read);

u64 paravane_front_peer_read_u64(struct paravane_front_dev *dev, const char *key, u64 def)
{
	return read_u64(dev->peer_path, key, def);
}
EXPORT_SYMBOL_GPL(paravane_front_peer_read_u64);
