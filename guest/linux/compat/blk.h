/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block layer differences between supported kernels.
 *
 * Up to 6.8 a disk is allocated first and its limits are set one by one afterwards; from 6.11 on
 * they are handed over in one struct when it is allocated, and change only in a transaction.
 */
#ifndef PARAVANE_LINUX_COMPAT_BLK_H
#define PARAVANE_LINUX_COMPAT_BLK_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/version.h>

/**
 * struct compat_disk_limits - what a disk can do; sizes in bytes unless said otherwise
 * @sector_size: logical block
 * @physical_size: physical block
 * @max_segments: pages per request
 * @write_cache: it has a volatile cache and takes REQ_OP_FLUSH
 * @discard_granularity: 0 if it cannot discard
 * @discard_alignment: offset of the first discardable extent
 * @secure_erase: discards can be secure
 */
struct compat_disk_limits {
	unsigned int sector_size;
	unsigned int physical_size;
	unsigned int max_segments;
	bool write_cache;
	unsigned int discard_granularity;
	unsigned int discard_alignment;
	bool secure_erase;
};

#define COMPAT_MAX_DISCARD_SECTORS (UINT_MAX >> SECTOR_SHIFT)

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)

static inline void compat_disk_drop_discard(struct gendisk *gd)
{
	blk_queue_max_discard_sectors(gd->queue, 0);
	blk_queue_max_secure_erase_sectors(gd->queue, 0);
}

static inline void compat_disk_set_write_cache(struct gendisk *gd, bool on)
{
	blk_queue_write_cache(gd->queue, on, false);
}

static inline bool compat_disk_has_write_cache(struct gendisk *gd)
{
	return test_bit(QUEUE_FLAG_WC, &gd->queue->queue_flags);
}

static inline void compat_disk_set_limits(struct request_queue *q,
					  const struct compat_disk_limits *l)
{
	blk_queue_logical_block_size(q, l->sector_size);
	blk_queue_physical_block_size(q, l->physical_size);
	blk_queue_max_hw_sectors(q, l->max_segments * PAGE_SECTORS);
	blk_queue_max_segments(q, l->max_segments);
	blk_queue_max_segment_size(q, PAGE_SIZE);
	blk_queue_segment_boundary(q, PAGE_SIZE - 1);
	blk_queue_dma_alignment(q, SECTOR_SIZE - 1);
	blk_queue_write_cache(q, l->write_cache, false);
	if (l->discard_granularity) {
		q->limits.discard_granularity = l->discard_granularity;
		q->limits.discard_alignment = l->discard_alignment;
		blk_queue_max_discard_sectors(q, COMPAT_MAX_DISCARD_SECTORS);
	}
	if (l->secure_erase)
		blk_queue_max_secure_erase_sectors(q, COMPAT_MAX_DISCARD_SECTORS);
	blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
}

static inline struct gendisk *compat_disk_alloc(struct blk_mq_tag_set *set,
						const struct compat_disk_limits *l)
{
	struct gendisk *gd = blk_mq_alloc_disk(set, NULL);

	if (!IS_ERR(gd))
		compat_disk_set_limits(gd->queue, l);
	return gd;
}

#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)

static inline void compat_disk_drop_discard(struct gendisk *gd)
{
	struct queue_limits lim = queue_limits_start_update(gd->queue);

	lim.max_hw_discard_sectors = 0;
	lim.max_secure_erase_sectors = 0;
	if (queue_limits_commit_update(gd->queue, &lim))
		pr_warn("%s: cannot turn discard off\n", gd->disk_name);
}

static inline void compat_disk_set_write_cache(struct gendisk *gd, bool on)
{
	struct queue_limits lim = queue_limits_start_update(gd->queue);

	if (on)
		lim.features |= BLK_FEAT_WRITE_CACHE;
	else
		lim.features &= ~BLK_FEAT_WRITE_CACHE;
	if (queue_limits_commit_update(gd->queue, &lim))
		pr_warn("%s: cannot turn the write cache %s\n", gd->disk_name, on ? "on" : "off");
}

static inline bool compat_disk_has_write_cache(struct gendisk *gd)
{
	return gd->queue->limits.features & BLK_FEAT_WRITE_CACHE;
}

static inline struct queue_limits compat_disk_limits(const struct compat_disk_limits *l)
{
	return (struct queue_limits){
		.features = l->write_cache ? BLK_FEAT_WRITE_CACHE : 0,
		.logical_block_size = l->sector_size,
		.physical_block_size = l->physical_size,
		.max_hw_sectors = l->max_segments * PAGE_SECTORS,
		.max_segments = l->max_segments,
		.max_segment_size = PAGE_SIZE,
		.seg_boundary_mask = PAGE_SIZE - 1,
		.dma_alignment = SECTOR_SIZE - 1,
		.discard_granularity = l->discard_granularity,
		.discard_alignment = l->discard_alignment,
		.max_hw_discard_sectors = l->discard_granularity ? COMPAT_MAX_DISCARD_SECTORS : 0,
		.max_secure_erase_sectors = l->secure_erase ? COMPAT_MAX_DISCARD_SECTORS : 0,
	};
}

static inline struct gendisk *compat_disk_alloc(struct blk_mq_tag_set *set,
						const struct compat_disk_limits *l)
{
	struct queue_limits lim = compat_disk_limits(l);

	return blk_mq_alloc_disk(set, &lim, NULL);
}

#else
#error "Linux 6.9 and 6.10 are not supported"
#endif

/* Since 6.5 files are opened with a mode type of the block layer's own, and release has none. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define COMPAT_BLK_MODE fmode_t
#define COMPAT_DISK_RELEASE(fn) void fn(struct gendisk *gd, fmode_t mode)
#else
#define COMPAT_BLK_MODE blk_mode_t
#define COMPAT_DISK_RELEASE(fn) void fn(struct gendisk *gd)
#endif

/* Since 6.16 a request's queue is not named again. */
static inline int compat_rq_map_kern(struct request *rq, void *data, unsigned int len)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
	return blk_rq_map_kern(rq->q, rq, data, len, GFP_KERNEL);
#else
	return blk_rq_map_kern(rq, data, len, GFP_KERNEL);
#endif
}

/* Since 6.14 the default tag policy has no name of its own. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define COMPAT_BLK_MQ_F_SHOULD_MERGE BLK_MQ_F_SHOULD_MERGE
#else
#define COMPAT_BLK_MQ_F_SHOULD_MERGE 0
#endif

#endif /* PARAVANE_LINUX_COMPAT_BLK_H */
