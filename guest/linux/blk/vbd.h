/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * paravane-blk, the block front end: <xen-public/io/blkif.h>.
 *
 * A struct vbd_disk lives from one connect to the disconnect after which it is not held, and then
 * until the last file open on its disk is closed; a later connection makes a new one. While it is
 * held the block layer keeps its requests, and a new connection only makes new rings: what was on
 * the old ones is sent again. That is no more than a back end may do by itself, for requests that
 * are on the ring together have no order, and those answered for are not on it any more.
 *
 * A request travels: vbd_queue_rq() -> ring -> back end -> vbd_queue_event() -> vbd_complete().
 * In between it belongs to the slot with the number of its tag. Whoever takes it out of the slot,
 * under the queue's lock, completes it, or gives it back to the block layer to be sent again: the
 * event handler, vbd_queue_abort() or vbd_queue_requeue().
 *
 * Locks: vbd_queue.lock (interrupts off) is the only one on the I/O path and nests in nothing.
 */
#ifndef PARAVANE_LINUX_BLK_VBD_H
#define PARAVANE_LINUX_BLK_VBD_H

#include <linux/blk-mq.h>
#include <linux/list.h>
#include <linux/mempool.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "guest/linux/blk/proto.h"
#include "guest/linux/front.h"
#include "ring/ring.h"

struct vbd_disk;
struct compat_disk_limits;

/**
 * struct vbd_slot - the private side of one request on the ring
 * @rq: the request, NULL if the slot is idle
 * @segs: its segments; private, the back end never sees this table
 * @nr_segs: valid entries in @segs
 * @bounced: @segs are pages of our own, not those of the request
 * @since: when it was put on the ring, in jiffies
 * @status: result, once taken out of the slot
 * @next: next slot to be completed
 * @indirect: page for the segments as the back end reads them, granted for good; or NULL
 * @indirect_ref: its grant
 */
struct vbd_slot {
	struct request *rq;
	struct vbd_seg *segs;
	unsigned int nr_segs;
	bool bounced;
	unsigned long since;
	blk_status_t status;
	struct vbd_slot *next;
	struct page *indirect;
	grant_ref_t indirect_ref;
};

/**
 * struct vbd_queue - one ring with all that belongs to it
 * @disk: the disk
 * @lock: protects @front, @grants, @slots, @ops and @dead
 * @front: private end of the ring
 * @dead: no request is put on the ring yet, or any more
 * @grants: grants for the pages of requests
 * @slots: one for each tag
 * @ops: what each slot waits for, VBD_OP_NONE if nothing
 * @segs: memory of all slots' segments
 * @bounce: pages for requests that cannot be granted as they are
 * @mem: shared memory of the ring
 * @evtchn: event channel
 */
struct vbd_queue {
	struct vbd_disk *disk;
	/* protects everything down to segs */
	spinlock_t lock;
	struct ring_front front;
	bool dead;
	struct paravane_grant_pool grants;
	struct vbd_slot *slots;
	u8 *ops;
	struct vbd_seg *segs;
	mempool_t bounce;
	struct paravane_front_ring mem;
	struct paravane_evtchn *evtchn;
};

/**
 * struct vbd_disk - one disk
 * @dev: the device; we hold a reference
 * @vdev: which disk it is
 * @handle: number the back end knows it by
 * @name: xvda, ...
 * @gd: the disk, NULL before the back end is connected
 * @tags: block layer's tags; one hardware queue for each of ours
 * @minors: entry in the list of minors in use
 * @info: VDISK_*, as the back end described the disk
 * @trusted: the back end may see what shares a page with the data
 * @flush_op: operation for REQ_OP_FLUSH
 * @ring_pages: pages of each ring
 * @depth: slots of each queue; as many requests as there are on the first connection's rings
 * @max_segs: segments of a request; more than BLKIF_MAX_SEGMENTS_PER_REQUEST means indirect ones
 * @held: the block layer keeps its requests until there is another connection
 * @settling: adding or removing the disk, which a request that times out brings to an end
 * @stalled: it was reported that the back end does not answer
 * @close_wanted: the back end wants to close, but the disk is open
 * @no_flush: the back end refused a flush, or another one cannot
 * @no_discard: the back end refused a discard, or another one cannot
 * @limits_work: tells the block layer so
 * @abort_work: completes what is outstanding after a failure
 * @nr_queues: number of queues
 * @queues: the queues
 */
struct vbd_disk {
	struct paravane_front_dev *dev;
	struct vbd_nr vdev;
	blkif_vdev_t handle;
	char name[VBD_NAME_LEN];
	struct gendisk *gd;
	struct blk_mq_tag_set tags;
	struct list_head minors;
	unsigned int info;
	bool trusted;
	u8 flush_op;
	unsigned int ring_pages;
	unsigned int depth;
	unsigned int max_segs;
	bool held;
	bool settling;
	bool stalled;
	bool close_wanted;
	bool no_flush;
	bool no_discard;
	struct work_struct limits_work;
	struct work_struct abort_work;
	unsigned int nr_queues;
	struct vbd_queue queues[];
};

/*
 * How long a request may take before that is worth a line in the log, and before a disk is given up
 * that is being added. A third of it before one is that is to go, and a second before there is a
 * disk: the back end then gets its time to close as well, and all that is to be less than half a
 * minute.
 */
#define VBD_PATIENCE_S 30
#define VBD_PATIENCE_NEW_S 20

/* request.c: from the block layer to the ring */
extern const struct blk_mq_ops vbd_mq_ops;
void vbd_bounce_free(struct vbd_queue *q, struct vbd_slot *slot);

/* queue.c: from the ring to the block layer, and the life of a queue */
int vbd_queue_init(struct vbd_queue *q, struct vbd_disk *disk);
void vbd_queue_exit(struct vbd_queue *q);
int vbd_queue_connect(struct vbd_queue *q, unsigned int cpu);
void vbd_queue_start(struct vbd_queue *q);
bool vbd_queue_is_busy(struct vbd_queue *q);
void vbd_queue_silence(struct vbd_queue *q);
void vbd_queue_disconnect(struct vbd_queue *q);
void vbd_queue_abort(struct vbd_queue *q);
unsigned int vbd_queue_requeue(struct vbd_queue *q);
bool vbd_slot_revoke(struct vbd_queue *q, struct vbd_slot *slot);
void vbd_disk_fail(struct vbd_disk *disk, const char *why);

/* twin.c: disks that are emulated as well */
int vbd_probe(struct paravane_front_dev *dev);

/* negotiate.c: what the two ends tell each other through XenStore */
struct vbd_disk *vbd_negotiate(struct paravane_front_dev *dev);
int vbd_renegotiate(struct vbd_disk *disk);
int vbd_publish(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx);
void vbd_unpublish(struct vbd_disk *disk);
int vbd_read_capacity(struct vbd_disk *disk, sector_t *sectors);
int vbd_read_limits(struct vbd_disk *disk, struct compat_disk_limits *limits);
unsigned int vbd_read_info(struct vbd_disk *disk);

/* disk.c: the disk as the rest of Linux sees it */
int vbd_major_register(void);
void vbd_major_unregister(void);
int vbd_disk_add(struct vbd_disk *disk);
void vbd_disk_hold(struct vbd_disk *disk);
int vbd_disk_resume(struct vbd_disk *disk);
void vbd_disks_wait(void);
void vbd_disk_remove(struct vbd_disk *disk, bool dead);
void vbd_disk_resize(struct vbd_disk *disk);

#endif /* PARAVANE_LINUX_BLK_VBD_H */
