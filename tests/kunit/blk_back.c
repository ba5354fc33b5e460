// SPDX-License-Identifier: GPL-2.0-only
/*
 * For suites that run the whole block front end under a real block layer; included first. This file
 * plays the kit and the back end: one that does its work, and ones that break the rules.
 */
#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

/* The module's life is the test's. */
#undef __init
#undef __exit
#define __init
#define __exit
#undef module_init
#undef module_exit
#define module_init(fn) static int (*const start)(void) = fn
#define module_exit(fn) static void (*const stop)(void) = fn
#undef MODULE_DESCRIPTION
#undef MODULE_ALIAS
#define MODULE_DESCRIPTION(text)
#define MODULE_ALIAS(text)

#include "guest/linux/blk/vbd.h"
#include "guest/linux/compat/blk.h"

/* Limits that were changed with requests held, for which whoever has them locked may wait */
static unsigned int risks;

#define note_risk(gd) (risks += ((struct vbd_disk *)(gd)->private_data)->held)
#define compat_disk_set_write_cache(gd, on) (note_risk(gd), compat_disk_set_write_cache(gd, on))
#define compat_disk_drop_discard(gd) (note_risk(gd), compat_disk_drop_discard(gd))

#include "guest/linux/blk/disk.c"
#include "guest/linux/blk/main.c"
#include "guest/linux/blk/negotiate.c"
#include "guest/linux/blk/proto.c"
#include "guest/linux/blk/queue.c"
#include "guest/linux/blk/request.c"

#define DISK_SECTORS 4096u
#define MAX_GRANTS 16384u

enum sin {
	NONE,
	WRONG_ID,
	WRONG_OPERATION,
	UNKNOWN_STATUS,
	TWICE,
	INDEX_JUMP,
	KEEPS_PAGES,
	SINS,
	/* these are within the rules */
	ERROR,
	NO_FLUSH,
	SILENCE,
};

/* The back end, and the kit's memory. */
static struct {
	struct paravane_front_dev dev;
	struct paravane_front_driver *drv;
	struct ring_back ring;
	struct work_struct work;
	paravane_evtchn_fn fn;
	void *data;
	u8 *disk;
	struct page **granted;
	grant_ref_t next_ref;
	grant_ref_t kept;
	bool keeps;
	unsigned int deferred;
	bool dead;
	bool slow_store; /* it does not say what state the back end is in */
	bool closing; /* somebody wants the device to go */
	char complaint[128]; /* what for */
	bool lost;
	bool trusted;
	bool early; /* breaks each ring as soon as there is one */
	unsigned int queues;
	unsigned int order, segs; /* of its rings, and of a request */
	enum sin sin;
	unsigned int requests;
	unsigned int closes; /* that were put off, and then asked for */
	const char *odd; /* a key of its own with another value, or none that is a number */
	u64 odd_value;
	bool odd_text;
} back;

const struct paravane_xs_tx paravane_xs_no_tx;

int __paravane_front_register(struct paravane_front_driver *drv, struct module *owner,
			      const char *mod_name)
{
	back.drv = drv;
	return 0;
}

void paravane_front_unregister(struct paravane_front_driver *drv)
{
}

void paravane_front_fail(struct paravane_front_dev *dev, int err, const char *fmt, ...)
{
	va_list ap;

	if (xchg(&back.dead, true))
		return;
	va_start(ap, fmt);
	vsnprintf(back.complaint, sizeof(back.complaint), fmt, ap);
	va_end(ap);
}

void paravane_front_kept(struct paravane_front_dev *dev)
{
	WRITE_ONCE(back.dead, true);
}

bool paravane_front_is_dead(const struct paravane_front_dev *dev)
{
	return READ_ONCE(back.dead);
}

bool paravane_front_is_lost(const struct paravane_front_dev *dev)
{
	return back.lost;
}

bool paravane_front_is_closing(const struct paravane_front_dev *dev)
{
	return READ_ONCE(back.dead) || READ_ONCE(back.closing);
}

void paravane_front_close(struct paravane_front_dev *dev)
{
	back.closes++;
}

int paravane_front_publish(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx,
			   const char *key, const char *fmt, ...)
{
	return 0;
}

int paravane_front_publish_ring(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx,
				const char *key, const struct paravane_front_ring *ring)
{
	return ring_back_attach(&back.ring, ring->vaddr, ring->pages << PAGE_SHIFT,
				RING_FORMAT(blkif), 0);
}

int paravane_front_publish_evtchn(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx,
				  const char *key, const struct paravane_evtchn *ch)
{
	return 0;
}

int paravane_xs_rm(const struct paravane_xs_tx *tx, const char *dir, const char *node)
{
	return 0;
}

int vbd_probe(struct paravane_front_dev *dev)
{
	return 0;
}

u64 paravane_front_read_u64(struct paravane_front_dev *dev, const char *key, u64 def)
{
	return strcmp(key, "trusted") ? def : back.trusted;
}

char *paravane_front_peer_read(struct paravane_front_dev *dev, const char *key)
{
	return ERR_PTR(-ENOENT);
}

u64 paravane_front_peer_read_u64(struct paravane_front_dev *dev, const char *key, u64 def)
{
	const struct {
		const char *key;
		u64 value;
	} keys[] = {
		{ "sectors", DISK_SECTORS },
		{ "max-ring-page-order", back.order },
		{ "feature-flush-cache", 1 },
		{ "feature-max-indirect-segments", back.segs },
		{ "multi-queue-max-queues", back.queues },
	};
	unsigned int i;

	if (back.odd && !strcmp(back.odd, key))
		return back.odd_text ? def : back.odd_value;
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].key, key))
			return keys[i].value;
	return def;
}

unsigned int paravane_front_peer_state(struct paravane_front_dev *dev, unsigned int known)
{
	return back.slow_store ? known : XenbusStateConnected;
}

int paravane_xs_read_u64(const struct paravane_xs_tx *tx, const char *dir, const char *node,
			 u64 *value)
{
	if (!back.odd || strcmp(back.odd, node))
		return -ENOENT;
	if (back.odd_text)
		return -EINVAL;
	*value = back.odd_value;
	return 0;
}

int paravane_front_ring_alloc(struct paravane_front_dev *dev, struct paravane_front_ring *ring,
			      unsigned int pages, struct ring_front *front,
			      struct ring_format format)
{
	ring->vaddr = alloc_pages_exact(pages << PAGE_SHIFT, GFP_KERNEL);
	ring->pages = pages;
	if (!ring->vaddr)
		return -ENOMEM;
	return ring_front_init(front, ring->vaddr, pages << PAGE_SHIFT, format);
}

void paravane_front_ring_free(struct paravane_front_dev *dev, struct paravane_front_ring *ring)
{
	if (ring->vaddr)
		free_pages_exact(ring->vaddr, ring->pages << PAGE_SHIFT);
	ring->vaddr = NULL;
}

struct paravane_evtchn *paravane_front_evtchn_alloc(struct paravane_front_dev *dev,
						    unsigned int cpu, paravane_evtchn_fn fn,
						    void *data)
{
	struct vbd_queue *q = data;
	struct ring_shared *shared = q->mem.vaddr;

	back.fn = fn;
	back.data = data;
	if (back.early) {
		shared->rsp_prod = 1000;
		fn(data);
		flush_work(&q->disk->abort_work);
	}
	return (struct paravane_evtchn *)&back;
}

void paravane_front_evtchn_free(struct paravane_front_dev *dev, struct paravane_evtchn *ch)
{
	if (ch)
		cancel_work_sync(&back.work);
}

void paravane_evtchn_notify(struct paravane_evtchn *ch)
{
	queue_work(system_unbound_wq, &back.work);
}

int paravane_gnttab_alloc(grant_ref_t *refs, unsigned int count)
{
	while (count--)
		*refs++ = back.next_ref++;
	return back.next_ref <= MAX_GRANTS ? 0 : -ENOSPC;
}

void paravane_gnttab_free(const grant_ref_t *refs, unsigned int count)
{
}

int paravane_front_pool_init(struct paravane_front_dev *dev, struct paravane_grant_pool *pool,
			     unsigned int size)
{
	pool->refs = kmalloc_array(size, sizeof(*pool->refs), GFP_KERNEL);
	pool->size = size;
	pool->free = size;
	return pool->refs ? paravane_gnttab_alloc(pool->refs, size) : -ENOMEM;
}

void paravane_grant_pool_exit(struct paravane_grant_pool *pool)
{
	kfree(pool->refs);
}

void paravane_gnttab_grant(grant_ref_t ref, domid_t domid, struct page *page, bool readonly)
{
	WRITE_ONCE(back.granted[ref], page);
}

int paravane_gnttab_end(grant_ref_t ref)
{
	if (back.keeps && ref == back.kept)
		return -EBUSY;
	WRITE_ONCE(back.granted[ref], NULL);
	return 0;
}

void paravane_gnttab_defer(grant_ref_t ref, struct page *page)
{
	back.deferred++;
	put_page(page);
}

static int back_move(const struct blkif_request_segment *segs, unsigned int nr, u64 sector,
		     bool write)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		size_t len = (segs[i].last_sect - segs[i].first_sect + 1) << SECTOR_SHIFT;
		u8 *at = page_address(back.granted[segs[i].gref]) +
			 (segs[i].first_sect << SECTOR_SHIFT);
		u8 *disk = back.disk + (sector << SECTOR_SHIFT);

		if (sector + (len >> SECTOR_SHIFT) > DISK_SECTORS)
			return BLKIF_RSP_ERROR;
		memcpy(write ? disk : at, write ? at : disk, len);
		sector += len >> SECTOR_SHIFT;
	}
	return BLKIF_RSP_OKAY;
}

static int back_serve(const struct blkif_request *req)
{
	struct blkif_request_indirect ind;

	if (back.sin == ERROR)
		return BLKIF_RSP_ERROR;
	switch (req->operation) {
	case BLKIF_OP_READ:
	case BLKIF_OP_WRITE:
		return back_move(req->seg, req->nr_segments, req->sector_number,
				 req->operation == BLKIF_OP_WRITE);
	case BLKIF_OP_FLUSH_DISKCACHE:
		return back.sin == NO_FLUSH ? BLKIF_RSP_EOPNOTSUPP : BLKIF_RSP_OKAY;
	case BLKIF_OP_INDIRECT:
		memcpy(&ind, req, sizeof(ind));
		return back_move(page_address(back.granted[ind.indirect_grefs[0]]), ind.nr_segments,
				 ind.sector_number, ind.indirect_op == BLKIF_OP_WRITE);
	default:
		return BLKIF_RSP_EOPNOTSUPP;
	}
}

static u64 request_id(const struct blkif_request *req)
{
	struct blkif_request_indirect ind;

	memcpy(&ind, req, sizeof(ind));
	return req->operation == BLKIF_OP_INDIRECT ? ind.id : req->id;
}

static void back_answer(const struct blkif_request *req)
{
	struct blkif_response rsp;

	memset(&rsp, 0, sizeof(rsp));
	rsp.id = request_id(req);
	rsp.operation = req->operation;
	rsp.status = back_serve(req);
	switch (back.sin) {
	case WRONG_ID:
		rsp.id++;
		break;
	case WRONG_OPERATION:
		rsp.operation ^= 1;
		break;
	case UNKNOWN_STATUS:
		rsp.status = 1;
		break;
	case KEEPS_PAGES:
		back.kept = req->seg[0].gref;
		back.keeps = req->operation != BLKIF_OP_FLUSH_DISKCACHE;
		break;
	case TWICE:
		/* the answer to a request that is yet to come */
		back.ring.end.out.room++;
		ring_put_response(&back.ring, &rsp);
		break;
	default:
		break;
	}
	ring_put_response(&back.ring, &rsp);
	if (back.sin == INDEX_JUMP)
		back.ring.end.out.prod += 1000;
}

static void back_work(struct work_struct *work)
{
	struct blkif_request req;
	unsigned long flags;

	do {
		while (!ring_copy_request(&back.ring, &req)) {
			back.requests++;
			if (back.sin != SILENCE)
				back_answer(&req);
		}
		if (ring_push_responses(&back.ring)) {
			local_irq_save(flags);
			back.fn(back.data);
			local_irq_restore(flags);
		}
	} while (!ring_back_broken(&back.ring) && ring_final_check_requests(&back.ring));
}

static void dev_release(struct device *dev)
{
}

/* Everything is there, and nobody has met yet. */
static void arrive(struct kunit *test, bool is_trusted)
{
	memset(&back, 0, sizeof(back));
	INIT_WORK(&back.work, back_work);
	back.trusted = is_trusted;
	back.order = 1;
	back.segs = 32;
	back.disk = vzalloc(DISK_SECTORS << SECTOR_SHIFT);
	back.granted = vzalloc(array_size(MAX_GRANTS, sizeof(*back.granted)));
	KUNIT_ASSERT_TRUE(test, back.disk && back.granted);
	back.dev.id = 51712;
	back.dev.path = "device/vbd/51712";
	back.dev.dev.release = dev_release;
	dev_set_name(&back.dev.dev, "kunit-vbd");
	KUNIT_ASSERT_EQ(test, device_register(&back.dev.dev), 0);
	KUNIT_ASSERT_EQ(test, start(), 0);
}

static struct vbd_disk *attach(struct kunit *test, bool is_trusted)
{
	arrive(test, is_trusted);
	KUNIT_ASSERT_EQ(test, back.drv->connect(&back.dev), 0);
	KUNIT_ASSERT_EQ(test, back.drv->publish(&back.dev, &paravane_xs_no_tx), 0);
	KUNIT_ASSERT_EQ(test, back.drv->connected(&back.dev), 0);
	return dev_get_drvdata(&back.dev.dev);
}

static void leave(void)
{
	stop();
	device_unregister(&back.dev.dev);
	vfree(back.granted);
	vfree(back.disk);
}

static void detach(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, back.drv->closing(&back.dev, true), 0);
	back.drv->disconnect(&back.dev);
	leave();
}

static void end_io(struct bio *bio)
{
	complete(bio->bi_private);
}
