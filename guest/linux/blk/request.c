// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the block layer to the ring: segments, grants, bounce pages, requests.
 */
#include "guest/linux/blk/vbd.h"
#include "guest/linux/compat/blk.h"

/* Copy all of a request's data to its bounce pages or back. */
static void vbd_bounce_copy(struct vbd_slot *slot, struct request *rq, bool out)
{
	struct req_iterator iter;
	struct bio_vec bv;
	size_t pos = 0;

	rq_for_each_segment(bv, rq, iter) {
		unsigned int done = 0;

		while (done < bv.bv_len) {
			size_t n = min_t(size_t, bv.bv_len - done, PAGE_SIZE - offset_in_page(pos));
			void *bounce = page_address(slot->segs[pos >> PAGE_SHIFT].page) +
				       offset_in_page(pos);

			if (out)
				memcpy_from_page(bounce, bv.bv_page, bv.bv_offset + done, n);
			else
				memcpy_to_page(bv.bv_page, bv.bv_offset + done, bounce, n);
			done += n;
			pos += n;
		}
	}
}

/**
 * vbd_bounce_free() - free the bounce pages of a slot
 * @q: queue
 * @slot: slot, bounced; pages that must not be reused have been taken out of it
 */
void vbd_bounce_free(struct vbd_queue *q, struct vbd_slot *slot)
{
	unsigned int i;

	for (i = 0; i < slot->nr_segs; i++) {
		if (slot->segs[i].page)
			mempool_free(slot->segs[i].page, &q->bounce);
	}
	slot->bounced = false;
	slot->nr_segs = 0;
}

/*
 * Use pages of our own. Untrusted back ends never see other pages, and they are cleared, since a
 * grant shows the whole page; the others see them when the request's own cannot be granted.
 */
static blk_status_t vbd_bounce(struct vbd_queue *q, struct vbd_slot *slot, struct request *rq)
{
	unsigned int left = blk_rq_bytes(rq);
	bool out = rq_data_dir(rq) == WRITE;

	slot->bounced = true;
	slot->nr_segs = 0;
	while (left) {
		unsigned int len = min_t(unsigned int, left, PAGE_SIZE);
		struct page *page = mempool_alloc(&q->bounce, GFP_ATOMIC | __GFP_NOWARN);

		if (!page) {
			vbd_bounce_free(q, slot);
			return BLK_STS_RESOURCE;
		}
		if (!out || len < PAGE_SIZE)
			clear_page(page_address(page));
		if (vbd_seg_add(slot->segs, &slot->nr_segs, q->disk->max_segs, page, 0, len)) {
			mempool_free(page, &q->bounce);
			vbd_bounce_free(q, slot);
			return BLK_STS_IOERR;
		}
		left -= len;
	}
	if (out)
		vbd_bounce_copy(slot, rq, true);
	return BLK_STS_OK;
}

/*
 * What shares a page with the data is shown to a trusted back end: the rest of a cached block, or
 * of a process's buffer. But a slab page is full of other people's objects, and like a page within
 * an allocation that is not compound has no reference count that would keep it from being used
 * again while a back end still maps it.
 */
static bool vbd_grantable(const struct bio_vec *bv)
{
	return !PageSlab(bv->bv_page) && page_count(bv->bv_page) > 0;
}

static blk_status_t vbd_map(struct vbd_queue *q, struct vbd_slot *slot, struct request *rq)
{
	struct req_iterator iter;
	struct bio_vec bv;
	int err = 0;

	if (!q->disk->trusted)
		return vbd_bounce(q, slot, rq);
	slot->bounced = false;
	slot->nr_segs = 0;
	rq_for_each_segment(bv, rq, iter) {
		if (vbd_grantable(&bv))
			err = vbd_seg_add(slot->segs, &slot->nr_segs, q->disk->max_segs, bv.bv_page,
					  bv.bv_offset, bv.bv_len);
		else
			err = -EINVAL;
		if (err)
			return vbd_bounce(q, slot, rq);
	}
	return BLK_STS_OK;
}

/* @out may be seen by the back end; its padding is zero already and stays so. */
static void vbd_fill_segments(const struct vbd_slot *slot, struct blkif_request_segment *out)
{
	unsigned int i;

	for (i = 0; i < slot->nr_segs; i++) {
		out[i].gref = slot->segs[i].ref;
		out[i].first_sect = slot->segs[i].first;
		out[i].last_sect = slot->segs[i].last;
	}
}

static int vbd_put_indirect(struct vbd_queue *q, struct vbd_slot *slot, struct request *rq,
			    unsigned int op)
{
	struct blkif_request_indirect req;

	memset(&req, 0, sizeof(req));
	req.operation = BLKIF_OP_INDIRECT;
	req.indirect_op = op;
	req.nr_segments = slot->nr_segs;
	req.id = rq->tag;
	req.sector_number = blk_rq_pos(rq);
	req.handle = q->disk->handle;
	req.indirect_grefs[0] = slot->indirect_ref;
	vbd_fill_segments(slot, page_address(slot->indirect));
	q->ops[rq->tag] = op | VBD_OP_INDIRECT;
	return ring_put_request(&q->front, &req);
}

static int vbd_put_direct(struct vbd_queue *q, struct vbd_slot *slot, struct request *rq,
			  unsigned int op)
{
	struct blkif_request req;

	memset(&req, 0, sizeof(req));
	req.operation = op;
	req.nr_segments = slot->nr_segs;
	req.id = rq->tag;
	/* What is asked before there is a disk has no position. */
	if (slot->nr_segs && !blk_rq_is_passthrough(rq))
		req.sector_number = blk_rq_pos(rq);
	req.handle = q->disk->handle;
	vbd_fill_segments(slot, req.seg);
	q->ops[rq->tag] = op;
	return ring_put_request(&q->front, &req);
}

static int vbd_put_discard(struct vbd_queue *q, struct request *rq)
{
	struct blkif_request_discard req;

	memset(&req, 0, sizeof(req));
	req.operation = BLKIF_OP_DISCARD;
	req.flag = req_op(rq) == REQ_OP_SECURE_ERASE ? BLKIF_DISCARD_SECURE : 0;
	req.id = rq->tag;
	req.sector_number = blk_rq_pos(rq);
	req.nr_sectors = blk_rq_sectors(rq);
	req.handle = q->disk->handle;
	q->ops[rq->tag] = BLKIF_OP_DISCARD;
	return ring_put_request(&q->front, &req);
}

static blk_status_t vbd_submit_data(struct vbd_queue *q, struct vbd_slot *slot, struct request *rq)
{
	bool write = req_op(rq) == REQ_OP_WRITE;
	unsigned int op = write ? BLKIF_OP_WRITE : BLKIF_OP_READ;
	blk_status_t status = vbd_map(q, slot, rq);
	unsigned int i;
	int err;

	if (status)
		return status;
	if (q->grants.free < slot->nr_segs) {
		if (slot->bounced)
			vbd_bounce_free(q, slot);
		return BLK_STS_RESOURCE;
	}
	for (i = 0; i < slot->nr_segs; i++) {
		slot->segs[i].ref = paravane_grant_pool_take(&q->grants);
		paravane_gnttab_grant(slot->segs[i].ref, q->disk->dev->peer, slot->segs[i].page,
				      write);
	}
	blk_mq_start_request(rq);
	if (slot->nr_segs > BLKIF_MAX_SEGMENTS_PER_REQUEST)
		err = vbd_put_indirect(q, slot, rq, op);
	else
		err = vbd_put_direct(q, slot, rq, op);
	if (!err)
		return BLK_STS_OK;
	vbd_slot_revoke(q, slot);
	if (slot->bounced)
		vbd_bounce_free(q, slot);
	return BLK_STS_IOERR;
}

/* Under the lock. Fills the slot and puts a request on the ring, or does neither. */
static blk_status_t vbd_submit(struct vbd_queue *q, struct request *rq)
{
	struct vbd_slot *slot = &q->slots[rq->tag];
	blk_status_t status = BLK_STS_OK;
	int err = 0;

	/* There are more slots than room if a back end came back with a smaller ring. */
	if (!ring_front_free(&q->front))
		return BLK_STS_RESOURCE;
	slot->rq = rq;
	slot->since = jiffies;
	switch (req_op(rq)) {
	case REQ_OP_READ:
	case REQ_OP_WRITE:
	case REQ_OP_DRV_IN:
		status = vbd_submit_data(q, slot, rq);
		break;
	case REQ_OP_FLUSH:
		slot->nr_segs = 0;
		blk_mq_start_request(rq);
		err = vbd_put_direct(q, slot, rq, q->disk->flush_op);
		break;
	case REQ_OP_DISCARD:
	case REQ_OP_SECURE_ERASE:
		slot->nr_segs = 0;
		blk_mq_start_request(rq);
		err = vbd_put_discard(q, rq);
		break;
	default:
		status = BLK_STS_NOTSUPP;
	}
	if (err)
		status = BLK_STS_IOERR;
	if (status)
		q->ops[rq->tag] = VBD_OP_NONE;
	return status;
}

static blk_status_t vbd_queue_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *bd)
{
	struct vbd_queue *q = hctx->driver_data;
	/* Asked for before a back end came that has no cache to flush. */
	bool needless = req_op(bd->rq) == REQ_OP_FLUSH && !q->disk->flush_op;
	blk_status_t status = BLK_STS_IOERR;
	bool notify = false;
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	if (!q->dead) {
		status = needless ? BLK_STS_OK : vbd_submit(q, bd->rq);
		if (bd->last)
			notify = ring_push_requests(&q->front);
	}
	spin_unlock_irqrestore(&q->lock, flags);
	if (notify)
		paravane_evtchn_notify(q->evtchn);
	if (needless && !status) {
		blk_mq_start_request(bd->rq);
		blk_mq_end_request(bd->rq, BLK_STS_OK);
	}
	return status;
}

static void vbd_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	struct vbd_queue *q = hctx->driver_data;
	unsigned long flags;
	bool notify;

	spin_lock_irqsave(&q->lock, flags);
	notify = !q->dead && ring_push_requests(&q->front);
	spin_unlock_irqrestore(&q->lock, flags);
	if (notify)
		paravane_evtchn_notify(q->evtchn);
}

static void vbd_complete(struct request *rq)
{
	struct vbd_queue *q = rq->mq_hctx->driver_data;
	struct vbd_slot *slot = &q->slots[rq->tag];
	blk_status_t status = slot->status;

	if (slot->bounced) {
		if (rq_data_dir(rq) == READ && status == BLK_STS_OK)
			vbd_bounce_copy(slot, rq, false);
		vbd_bounce_free(q, slot);
	}
	blk_mq_end_request(rq, status);
}

static enum blk_eh_timer_return vbd_timeout(struct request *rq)
{
	struct vbd_queue *q = rq->mq_hctx->driver_data;
	struct vbd_disk *disk = q->disk;
	unsigned long age = jiffies - q->slots[rq->tag].since;
	/* It is being removed, or somebody waits with that until it is added. */
	bool going = disk->gd || paravane_front_is_closing(disk->dev);

	if (READ_ONCE(disk->settling) && (going || age >= VBD_PATIENCE_NEW_S * HZ))
		vbd_disk_fail(disk, "the back end does not answer");
	else if (age >= VBD_PATIENCE_S * HZ && !xchg(&disk->stalled, true))
		dev_warn(&disk->dev->dev, "%s: no answer from the back end for %u s, waiting\n",
			 disk->name, VBD_PATIENCE_S);
	return BLK_EH_RESET_TIMER;
}

static int vbd_init_hctx(struct blk_mq_hw_ctx *hctx, void *data, unsigned int index)
{
	struct vbd_disk *disk = data;

	hctx->driver_data = &disk->queues[index];
	return 0;
}

const struct blk_mq_ops vbd_mq_ops = {
	.queue_rq = vbd_queue_rq,
	.commit_rqs = vbd_commit_rqs,
	.complete = vbd_complete,
	.timeout = vbd_timeout,
	.init_hctx = vbd_init_hctx,
};
