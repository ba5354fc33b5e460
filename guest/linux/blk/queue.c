// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the ring to the block layer, and the life of a queue.
 */
#include "guest/linux/blk/vbd.h"

RING_ASSERT_LAYOUT(blkif);

/* Grants held for the pages of all requests of one queue together. */
#define VBD_QUEUE_GRANTS 1024

/**
 * vbd_disk_fail() - give a disk up
 * @disk: disk
 * @why: the reason, for people
 *
 * Any context. Outstanding requests are completed with an error soon afterwards.
 */
void vbd_disk_fail(struct vbd_disk *disk, const char *why)
{
	paravane_front_fail(disk->dev, -EIO, "%s: %s", disk->name, why);
	schedule_work(&disk->abort_work);
}

/**
 * vbd_slot_revoke() - take the grants of a slot's pages back
 * @q: queue, locked
 * @slot: slot
 *
 * A page the back end still maps is kept from being used for something else.
 *
 * Return: whether all pages are ours again.
 */
bool vbd_slot_revoke(struct vbd_queue *q, struct vbd_slot *slot)
{
	bool all = true;
	unsigned int i;

	for (i = 0; i < slot->nr_segs; i++) {
		struct vbd_seg *seg = &slot->segs[i];

		if (!paravane_gnttab_end(seg->ref)) {
			paravane_grant_pool_put(&q->grants, seg->ref);
			continue;
		}
		all = false;
		if (!slot->bounced)
			get_page(seg->page);
		paravane_gnttab_defer(seg->ref, seg->page);
		if (slot->bounced)
			seg->page = NULL;
	}
	return all;
}

/* What a status means for the request, and for the requests after it. */
static blk_status_t vbd_result(struct vbd_disk *disk, unsigned int op, int status)
{
	if (status == BLKIF_RSP_OKAY)
		return BLK_STS_OK;
	if (status != BLKIF_RSP_EOPNOTSUPP)
		return BLK_STS_IOERR;
	switch (op) {
	case BLKIF_OP_FLUSH_DISKCACHE:
	case BLKIF_OP_WRITE_BARRIER:
		/* No flush means no cache: there was nothing to do. */
		WRITE_ONCE(disk->no_flush, true);
		schedule_work(&disk->limits_work);
		return BLK_STS_OK;
	case BLKIF_OP_DISCARD:
		WRITE_ONCE(disk->no_discard, true);
		schedule_work(&disk->limits_work);
		return BLK_STS_NOTSUPP;
	default:
		return BLK_STS_IOERR;
	}
}

/*
 * Take everything out of the ring that is finished. Bounded: with the lock held no request is
 * added, and the ring refuses more responses than there are requests.
 */
static const char *vbd_queue_reap(struct vbd_queue *q, struct vbd_slot **done)
{
	struct blkif_response rsp;
	struct vbd_slot *slot;
	const char *fault;
	unsigned int op;
	int err;

	do {
		while (!(err = ring_copy_response(&q->front, &rsp))) {
			fault = vbd_response_fault(&rsp, q->ops, q->disk->depth);
			if (fault)
				return fault;
			slot = &q->slots[rsp.id];
			op = q->ops[rsp.id];
			q->ops[rsp.id] = VBD_OP_NONE;
			slot->status = vbd_result(q->disk, op, rsp.status);
			slot->next = *done;
			*done = slot;
			if (!vbd_slot_revoke(q, slot)) {
				slot->status = BLK_STS_IOERR;
				return "the back end keeps pages of a finished request mapped";
			}
		}
		if (err != -EAGAIN)
			return "the back end broke the ring";
	} while (ring_final_check_responses(&q->front));
	return NULL;
}

static void vbd_complete_all(struct vbd_slot *done)
{
	while (done) {
		struct vbd_slot *slot = done;

		/* The slot may be in use again as soon as its request is completed. */
		done = slot->next;
		blk_mq_complete_request(slot->rq);
	}
}

static bool vbd_queue_event(void *data)
{
	struct vbd_queue *q = data;
	struct vbd_disk *disk = q->disk;
	struct vbd_slot *done = NULL;
	const char *fault = NULL;
	unsigned long flags;
	bool work;

	spin_lock_irqsave(&q->lock, flags);
	if (!q->dead) {
		fault = vbd_queue_reap(q, &done);
		if (fault) {
			ring_front_break(&q->front);
			q->dead = true;
		}
	}
	spin_unlock_irqrestore(&q->lock, flags);

	work = done;
	vbd_complete_all(done);
	if (fault)
		vbd_disk_fail(disk, fault);
	if (work && READ_ONCE(disk->stalled) && xchg(&disk->stalled, false))
		dev_info(&disk->dev->dev, "%s: the back end answers again\n", disk->name);
	return work;
}

/* Take all that is outstanding out of its slots; under the lock. *@kept: the back end maps pages */
static struct vbd_slot *vbd_queue_take(struct vbd_queue *q, bool *kept)
{
	struct vbd_slot *taken = NULL;
	unsigned int tag;

	*kept = false;
	for (tag = 0; tag < q->disk->depth; tag++) {
		struct vbd_slot *slot = &q->slots[tag];

		if (q->ops[tag] == VBD_OP_NONE)
			continue;
		q->ops[tag] = VBD_OP_NONE;
		*kept |= !vbd_slot_revoke(q, slot);
		slot->status = BLK_STS_IOERR;
		slot->next = taken;
		taken = slot;
	}
	return taken;
}

/**
 * vbd_queue_abort() - end the use of a queue; what is outstanding fails
 * @q: queue
 *
 * Process context. Requests that come later fail at once.
 */
void vbd_queue_abort(struct vbd_queue *q)
{
	struct vbd_slot *done;
	bool kept;

	spin_lock_irq(&q->lock);
	q->dead = true;
	done = vbd_queue_take(q, &kept);
	spin_unlock_irq(&q->lock);
	if (kept)
		paravane_front_kept(q->disk->dev);
	vbd_complete_all(done);
}

/**
 * vbd_queue_requeue() - end the use of a ring; the block layer gets back what is outstanding
 * @q: queue of a disk that is held, silenced
 *
 * Process context. What the back end has answered by now is completed: only the rest is sent again.
 * After a move all is: the answer may have been saved, and what was read before it not.
 *
 * Return: how many requests that is.
 */
unsigned int vbd_queue_requeue(struct vbd_queue *q)
{
	struct vbd_slot *done = NULL, *left;
	const char *fault = NULL;
	unsigned int count = 0;
	bool kept;

	spin_lock_irq(&q->lock);
	if (!q->dead && !paravane_front_is_lost(q->disk->dev))
		fault = vbd_queue_reap(q, &done);
	q->dead = true;
	left = vbd_queue_take(q, &kept);
	spin_unlock_irq(&q->lock);

	if (fault)
		vbd_disk_fail(q->disk, fault);
	if (kept)
		paravane_front_kept(q->disk->dev);
	vbd_complete_all(done);
	for (; left; left = left->next) {
		if (left->bounced)
			vbd_bounce_free(q, left);
		blk_mq_requeue_request(left->rq, false);
		count++;
	}
	return count;
}

/**
 * vbd_queue_is_busy() - does the back end owe answers?
 * @q: queue
 */
bool vbd_queue_is_busy(struct vbd_queue *q)
{
	unsigned int tag = 0;

	spin_lock_irq(&q->lock);
	while (tag < q->disk->depth && q->ops[tag] == VBD_OP_NONE)
		tag++;
	spin_unlock_irq(&q->lock);
	return tag < q->disk->depth;
}

/* One page for each slot, granted once, to write the segments of large requests to. */
static int vbd_queue_init_indirect(struct vbd_queue *q)
{
	struct vbd_disk *disk = q->disk;
	unsigned int i;
	int err;

	if (disk->max_segs <= BLKIF_MAX_SEGMENTS_PER_REQUEST)
		return 0;
	for (i = 0; i < disk->depth; i++) {
		struct vbd_slot *slot = &q->slots[i];
		struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

		if (!page)
			return -ENOMEM;
		err = paravane_gnttab_alloc(&slot->indirect_ref, 1);
		if (err) {
			paravane_front_fail(disk->dev, err,
					    "%s: no grant references for %u requests", disk->name,
					    disk->depth);
			__free_page(page);
			return err;
		}
		slot->indirect = page;
		paravane_gnttab_grant(slot->indirect_ref, disk->dev->peer, page, true);
	}
	return 0;
}

static void vbd_queue_exit_indirect(struct vbd_queue *q)
{
	bool kept = false;
	unsigned int i;

	for (i = 0; q->slots && i < q->disk->depth; i++) {
		struct vbd_slot *slot = &q->slots[i];

		if (!slot->indirect)
			continue;
		if (paravane_gnttab_end(slot->indirect_ref)) {
			paravane_gnttab_defer(slot->indirect_ref, slot->indirect);
			kept = true;
		} else {
			paravane_gnttab_free(&slot->indirect_ref, 1);
			__free_page(slot->indirect);
		}
		slot->indirect = NULL;
	}
	if (kept)
		paravane_front_kept(q->disk->dev);
}

/**
 * vbd_queue_init() - allocate what a queue keeps from one connection to the next
 * @q: queue, zeroed
 * @disk: its disk, with @depth, @max_segs and @trusted set
 *
 * Return: 0 or -errno. In any case vbd_queue_exit() cleans up.
 */
int vbd_queue_init(struct vbd_queue *q, struct vbd_disk *disk)
{
	size_t segs = array_size(disk->depth, disk->max_segs);
	unsigned int i;

	q->disk = disk;
	q->dead = true;
	spin_lock_init(&q->lock);
	q->slots = kvcalloc(disk->depth, sizeof(*q->slots), GFP_KERNEL);
	q->ops = kvmalloc(disk->depth, GFP_KERNEL);
	q->segs = kvcalloc(segs, sizeof(*q->segs), GFP_KERNEL);
	if (!q->slots || !q->ops || !q->segs)
		return -ENOMEM;
	memset(q->ops, VBD_OP_NONE, disk->depth);
	for (i = 0; i < disk->depth; i++)
		q->slots[i].segs = &q->segs[i * disk->max_segs];
	/* Enough for one request of any size, so that one can always proceed. */
	return mempool_init_page_pool(&q->bounce, disk->max_segs, 0);
}

/**
 * vbd_queue_exit() - free what vbd_queue_init() allocated
 * @q: queue, idle and disconnected, perhaps only partly initialised
 */
void vbd_queue_exit(struct vbd_queue *q)
{
	if (!q->disk)
		return;
	mempool_exit(&q->bounce);
	kvfree(q->segs);
	kvfree(q->ops);
	kvfree(q->slots);
}

/**
 * vbd_queue_connect() - share a ring with the back end, and all that goes with it
 * @q: queue, initialised; its disk has @ring_pages set
 * @cpu: CPU that shall receive its events
 *
 * Its events do nothing before vbd_queue_start().
 *
 * Return: 0 or -errno. In any case vbd_queue_disconnect() cleans up.
 */
int vbd_queue_connect(struct vbd_queue *q, unsigned int cpu)
{
	struct vbd_disk *disk = q->disk;
	size_t segs = array_size(disk->depth, disk->max_segs);
	int err;

	err = paravane_front_pool_init(disk->dev, &q->grants,
				       min_t(size_t, segs, VBD_QUEUE_GRANTS));
	if (err)
		return err;
	err = vbd_queue_init_indirect(q);
	if (err)
		return err;
	err = paravane_front_ring_alloc(disk->dev, &q->mem, disk->ring_pages, &q->front,
					RING_FORMAT(blkif));
	if (err)
		return err;
	q->evtchn = paravane_front_evtchn_alloc(disk->dev, cpu, vbd_queue_event, q);
	if (!IS_ERR(q->evtchn))
		return 0;
	err = PTR_ERR(q->evtchn);
	q->evtchn = NULL;
	return err;
}

/**
 * vbd_queue_start() - take requests and events from now on
 * @q: queue; all queues of its disk are initialised, for a failure ends all of them
 */
void vbd_queue_start(struct vbd_queue *q)
{
	spin_lock_irq(&q->lock);
	q->dead = false;
	spin_unlock_irq(&q->lock);
}

/**
 * vbd_queue_silence() - no events from now on
 * @q: queue, perhaps silent already
 */
void vbd_queue_silence(struct vbd_queue *q)
{
	paravane_front_evtchn_free(q->disk->dev, q->evtchn);
	q->evtchn = NULL;
}

/**
 * vbd_queue_disconnect() - free what vbd_queue_connect() allocated
 * @q: queue, with nothing on its ring, perhaps only partly connected
 */
void vbd_queue_disconnect(struct vbd_queue *q)
{
	if (!q->disk)
		return;
	vbd_queue_silence(q);
	paravane_front_ring_free(q->disk->dev, &q->mem);
	vbd_queue_exit_indirect(q);
	paravane_grant_pool_exit(&q->grants);
}
