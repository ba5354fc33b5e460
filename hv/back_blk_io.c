// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Block requests: copied off the ring, checked, mapped, handed to io_uring, answered.
 *
 * A request is carried out in steps, each one I/O operation: a flush that carries data is flush,
 * write, flush.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "hv/back_blk.h"
#include "hv/log.h"

/* Requests taken off the ring before those already done are answered. */
#define BLK_BATCH 32

enum blk_step {
	STEP_FLUSH_BEFORE = 1 << 0,
	STEP_DATA = 1 << 1,
	STEP_FLUSH_AFTER = 1 << 2,
	STEP_DISCARD = 1 << 3,
};

/**
 * struct blk_request - one request between its copy and its response
 * @steps: enum blk_step still to do, lowest bit first
 * @offset: where on the disk the rest of the data, or what is discarded, starts; bytes
 * @left: how many bytes that is
 * @iov: where the rest of the data is, from @iov_at
 */
struct blk_request {
	struct blk_request *next;
	uint64_t id;
	uint8_t operation;
	bool write;
	unsigned int steps;
	uint64_t offset, left;
	unsigned int nr_grants, iov_at, iov_nr;
	struct backend_grant grant[BLK_INDIRECT_SEGS];
	struct iovec iov[BLK_INDIRECT_SEGS];
};

static_assert(BLK_INDIRECT_SEGS <= PAGE_SIZE / sizeof(struct blkif_request_segment),
	      "indirect segments fit into one page");
static_assert(BLK_INDIRECT_SEGS >= BLKIF_MAX_SEGMENTS_PER_REQUEST, "room for direct segments");

int blk_io_probe(const struct back_blk *blk)
{
	struct io_uring uring;
	int err = io_uring_queue_init(1, &uring, 0);

	if (err)
		pr_err("disk '%s': io_uring: %s (disks need it)", blk->img.path, strerror(-err));
	else
		io_uring_queue_exit(&uring);
	return err;
}

int blk_io_init(struct back_blk *blk)
{
	unsigned int nr = ring_entries(RING_FORMAT(blkif), PAGE_SIZE), i;
	int err;

	err = io_uring_queue_init(nr, &blk->uring, 0);
	if (err)
		return err;
	blk->slots = calloc(nr, sizeof(*blk->slots));
	if (!blk->slots) {
		io_uring_queue_exit(&blk->uring);
		return -ENOMEM;
	}
	blk->free = NULL;
	for (i = 0; i < nr; i++) {
		blk->slots[i].next = blk->free;
		blk->free = &blk->slots[i];
	}
	blk->prepared = 0;
	blk->inflight = 0;
	return 0;
}

void blk_io_fini(struct back_blk *blk)
{
	if (!blk->slots)
		return;
	io_uring_queue_exit(&blk->uring);
	free(blk->slots);
	blk->slots = NULL;
}

static void request_prepare(struct back_blk *blk, struct blk_request *r)
{
	/* One operation per request at a time, so as many entries as the ring has slots suffice. */
	struct io_uring_sqe *sqe = io_uring_get_sqe(&blk->uring);
	const struct iovec *iov = r->iov + r->iov_at;
	unsigned int nr = r->iov_nr - r->iov_at;
	int fd = blk->img.fd;

	if (r->steps & STEP_FLUSH_BEFORE)
		io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
	else if (r->steps & STEP_DATA && r->write)
		io_uring_prep_writev(sqe, fd, iov, nr, r->offset);
	else if (r->steps & STEP_DATA)
		io_uring_prep_readv(sqe, fd, iov, nr, r->offset);
	else if (r->steps & STEP_FLUSH_AFTER)
		io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
	else
		io_uring_prep_fallocate(sqe, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					r->offset, r->left);
	io_uring_sqe_set_data(sqe, r);
	blk->prepared++;
}

static int request_answer(struct back_blk *blk, uint64_t id, uint8_t operation, int16_t status)
{
	struct blkif_response rsp;

	memset(&rsp, 0, sizeof(rsp));
	rsp.id = id;
	rsp.operation = operation;
	rsp.status = status;
	return ring_put_response(&blk->ring, &rsp);
}

static void request_release(struct back_blk *blk, struct blk_request *r)
{
	while (r->nr_grants)
		backend_unmap(blk->queue, &r->grant[--r->nr_grants]);
	r->next = blk->free;
	blk->free = r;
}

/* Data that went in part: leave out what is done. True when nothing is left. */
static bool data_advance(struct blk_request *r, size_t done)
{
	r->offset += done;
	r->left -= done;
	while (done) {
		struct iovec *iov = &r->iov[r->iov_at];
		size_t part = done < iov->iov_len ? done : iov->iov_len;

		iov->iov_base = (char *)iov->iov_base + part;
		iov->iov_len -= part;
		done -= part;
		if (!iov->iov_len)
			r->iov_at++;
	}
	return !r->left;
}

static int16_t io_status(const struct back_blk *blk, const struct blk_request *r, int result)
{
	if (result == -EOPNOTSUPP)
		return BLKIF_RSP_EOPNOTSUPP;
	pr_once(LOG_LEVEL_WARN, "disk '%s': operation %u at byte %llu failed: %s", blk->img.path,
		r->operation, (unsigned long long)r->offset,
		result ? strerror(-result) : "end of file");
	return BLKIF_RSP_ERROR;
}

static int request_complete(struct back_blk *blk, struct blk_request *r, int result)
{
	unsigned int step = r->steps & -r->steps;
	int16_t status = BLKIF_RSP_OKAY;
	int err;

	if (result == -EINTR) {
		request_prepare(blk, r);
		return 0;
	}
	if (result < 0 || (step == STEP_DATA && !result))
		status = io_status(blk, r, result);
	else if (step != STEP_DATA || data_advance(r, result))
		r->steps &= ~step;
	if (status == BLKIF_RSP_OKAY && r->steps) {
		request_prepare(blk, r);
		return 0;
	}
	err = request_answer(blk, r->id, r->operation, status);
	request_release(blk, r);
	return err;
}

/* Map one segment and append it to the vector; adjacent pages make one entry. */
static int segment_map(struct back_blk *blk, struct blk_request *r,
		       const struct blkif_request_segment *seg)
{
	struct backend_grant *g = &r->grant[r->nr_grants];
	struct iovec *last = &r->iov[r->iov_nr];
	size_t len;
	char *at;
	int err;

	if (seg->first_sect > seg->last_sect || seg->last_sect >= BLK_SECTORS_PER_PAGE)
		return -EINVAL;
	err = backend_map(blk->queue, seg->gref, !r->write, g);
	if (err)
		return err;
	r->nr_grants++;
	at = (char *)g->page + seg->first_sect * BLK_SECTOR;
	len = (seg->last_sect - seg->first_sect + 1) * BLK_SECTOR;
	r->left += len;
	if (r->iov_nr && (char *)last[-1].iov_base + last[-1].iov_len == at) {
		last[-1].iov_len += len;
		return 0;
	}
	last->iov_base = at;
	last->iov_len = len;
	r->iov_nr++;
	return 0;
}

/* Does [@sector, @sector + @nr) lie on the disk? */
static bool on_disk(const struct back_blk *blk, uint64_t sector, uint64_t nr)
{
	return sector <= blk->img.sectors && nr <= blk->img.sectors - sector;
}

static int data_parse(struct back_blk *blk, struct blk_request *r, uint64_t sector,
		      const struct blkif_request_segment *seg, unsigned int nr)
{
	unsigned int i;
	int err;

	if (r->write && blk->img.readonly)
		return -EROFS;
	for (i = 0; i < nr; i++) {
		err = segment_map(blk, r, &seg[i]);
		if (err)
			return err;
	}
	if (!on_disk(blk, sector, r->left >> BLK_SECTOR_SHIFT))
		return -EINVAL;
	r->offset = sector << BLK_SECTOR_SHIFT;
	r->steps |= STEP_DATA;
	return 0;
}

static int direct_parse(struct back_blk *blk, struct blk_request *r,
			const struct blkif_request *req)
{
	if (!req->nr_segments || req->nr_segments > BLKIF_MAX_SEGMENTS_PER_REQUEST)
		return -EINVAL;
	r->write = req->operation != BLKIF_OP_READ;
	return data_parse(blk, r, req->sector_number, req->seg, req->nr_segments);
}

static int flush_parse(struct back_blk *blk, struct blk_request *r, const struct blkif_request *req)
{
	r->steps = STEP_FLUSH_BEFORE;
	if (!req->nr_segments)
		return 0;
	r->steps |= STEP_FLUSH_AFTER;
	return direct_parse(blk, r, req);
}

static int discard_parse(struct back_blk *blk, struct blk_request *r,
			 const struct blkif_request *req)
{
	struct blkif_request_discard discard;

	memcpy(&discard, req, sizeof(discard));
	if (blk->img.readonly)
		return -EROFS;
	if (!blk->img.discard)
		return -EOPNOTSUPP;
	if (!discard.nr_sectors || !on_disk(blk, discard.sector_number, discard.nr_sectors))
		return -EINVAL;
	r->offset = discard.sector_number << BLK_SECTOR_SHIFT;
	r->left = discard.nr_sectors << BLK_SECTOR_SHIFT;
	r->steps = STEP_DISCARD;
	return 0;
}

static int indirect_parse(struct back_blk *blk, struct blk_request *r,
			  const struct blkif_request *req)
{
	struct blkif_request_segment seg[BLK_INDIRECT_SEGS];
	struct blkif_request_indirect ind;
	struct backend_grant g;
	int err;

	memcpy(&ind, req, sizeof(ind));
	if (ind.indirect_op != BLKIF_OP_READ && ind.indirect_op != BLKIF_OP_WRITE)
		return -EOPNOTSUPP;
	if (!ind.nr_segments || ind.nr_segments > BLK_INDIRECT_SEGS)
		return -EINVAL;
	err = backend_map(blk->queue, ind.indirect_grefs[0], false, &g);
	if (err)
		return err;
	env_copy_in(seg, g.page, ind.nr_segments * sizeof(*seg));
	backend_unmap(blk->queue, &g);
	r->write = ind.indirect_op == BLKIF_OP_WRITE;
	return data_parse(blk, r, ind.sector_number, seg, ind.nr_segments);
}

static int (*const parse[])(struct back_blk *blk, struct blk_request *r,
			    const struct blkif_request *req) = {
	[BLKIF_OP_READ] = direct_parse,		  [BLKIF_OP_WRITE] = direct_parse,
	[BLKIF_OP_FLUSH_DISKCACHE] = flush_parse, [BLKIF_OP_DISCARD] = discard_parse,
	[BLKIF_OP_INDIRECT] = indirect_parse,
};

/*
 * What the response carries back. The id lies elsewhere in some variants of a request, and every
 * back end answers an indirect request with the operation inside, which Linux's front end checks.
 */
static void request_identify(struct blk_request *r, const struct blkif_request *req)
{
	struct blkif_request_indirect ind;
	struct blkif_request_discard discard;

	r->id = req->id;
	r->operation = req->operation;
	if (req->operation == BLKIF_OP_INDIRECT) {
		memcpy(&ind, req, sizeof(ind));
		r->id = ind.id;
		r->operation = ind.indirect_op;
	} else if (req->operation == BLKIF_OP_DISCARD) {
		memcpy(&discard, req, sizeof(discard));
		r->id = discard.id;
	}
}

static int request_start(struct back_blk *blk, const struct blkif_request *req)
{
	struct blk_request *r = blk->free;
	int16_t status;
	int err = -EOPNOTSUPP;

	if (!r)
		return -EPROTO;
	blk->free = r->next;
	request_identify(r, req);
	r->steps = 0;
	r->left = 0;
	r->iov_at = 0;
	r->iov_nr = 0;
	if (req->operation < ARRAY_SIZE(parse) && parse[req->operation])
		err = parse[req->operation](blk, r, req);
	if (!err) {
		request_prepare(blk, r);
		return 0;
	}
	pr_once(LOG_LEVEL_WARN, "disk '%s': refused operation %u of the guest: %s", blk->img.path,
		req->operation, strerror(-err));
	status = err == -EOPNOTSUPP ? BLKIF_RSP_EOPNOTSUPP : BLKIF_RSP_ERROR;
	err = request_answer(blk, r->id, r->operation, status);
	request_release(blk, r);
	return err;
}

/* Collect what is complete; how many, or -errno */
static int io_reap(struct back_blk *blk)
{
	struct io_uring_cqe *cqe;
	int done = 0, err;

	while (!io_uring_peek_cqe(&blk->uring, &cqe)) {
		struct blk_request *r = io_uring_cqe_get_data(cqe);
		int result = cqe->res;

		io_uring_cqe_seen(&blk->uring, cqe);
		blk->inflight--;
		done++;
		err = request_complete(blk, r, result);
		if (err)
			return err;
	}
	return done;
}

/* Submit what is prepared and collect what is complete, until neither finds anything. */
static int io_run(struct back_blk *blk)
{
	int done = 0, n;

	do {
		if (blk->prepared) {
			n = io_uring_submit(&blk->uring);
			if (n < 0 && n != -EINTR && n != -EAGAIN && n != -EBUSY)
				return n;
			if (n > 0) {
				blk->prepared -= n;
				blk->inflight += n;
			}
		}
		n = io_reap(blk);
		if (n < 0)
			return n;
		done += n;
	} while (blk->prepared);
	return done;
}

static int blk_work(struct backend_queue *q)
{
	struct back_blk *blk = backend_queue_priv(q);
	struct blkif_request req;
	int taken = 0, done, err = 0;

	while (taken < BLK_BATCH && !(err = ring_copy_request(&blk->ring, &req))) {
		taken++;
		err = request_start(blk, &req);
		if (err)
			return err;
	}
	if (err && err != -EAGAIN)
		return err;
	done = io_run(blk);
	if (ring_push_responses(&blk->ring))
		evtchn_peer_notify(blk->peer);
	return done < 0 ? done : taken + done;
}

static bool blk_arm(struct backend_queue *q)
{
	struct back_blk *blk = backend_queue_priv(q);

	return ring_final_check_requests(&blk->ring);
}

static int blk_poll(struct backend_queue *q, struct pollfd *fds, unsigned int max, int *timeout)
{
	struct back_blk *blk = backend_queue_priv(q);

	(void)max;
	(void)timeout;
	if (!blk->inflight)
		return 0;
	fds[0] = (struct pollfd){ .fd = blk->uring.ring_fd, .events = POLLIN };
	return 1;
}

static void blk_stop(struct backend_queue *q)
{
	struct back_blk *blk = backend_queue_priv(q);
	struct io_uring_cqe *cqe;
	int err;

	/* The kernel uses the guest's pages until the last operation is complete. */
	err = io_run(blk);
	while (blk->inflight) {
		io_uring_wait_cqe(&blk->uring, &cqe);
		/* Where nothing can be submitted any more, what was still counts. */
		if (err < 0)
			io_reap(blk);
		else
			err = io_run(blk);
	}
	if (ring_push_responses(&blk->ring))
		evtchn_peer_notify(blk->peer);
}

const struct backend_queue_ops blk_queue_ops = {
	.work = blk_work,
	.arm = blk_arm,
	.poll = blk_poll,
	.stop = blk_stop,
};
