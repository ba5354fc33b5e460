/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block back end (xen-public/io/blkif.h): files and block devices through io_uring.
 *
 * I/O goes through the host's page cache, so several guests share what they read alike; a flush is
 * fdatasync(). READ, WRITE, FLUSH_DISKCACHE, DISCARD and INDIRECT are served, one ring of one page.
 */
#ifndef HV_BACK_BLK_H
#define HV_BACK_BLK_H

#include <liburing.h>

#include "hv/backend.h"

#include <xen-public/io/blkif.h>

struct disk_config;

#define BLK_SECTOR_SHIFT 9
#define BLK_SECTOR (1u << BLK_SECTOR_SHIFT)
#define BLK_SECTORS_PER_PAGE (PAGE_SIZE >> BLK_SECTOR_SHIFT)

/**
 * BLK_INDIRECT_SEGS - segments of an indirect request: 128 KiB; they fit into one page of
 * descriptors
 */
#define BLK_INDIRECT_SEGS 32

extern const struct backend_ops back_blk_ops;

/**
 * struct blk_image - an open and locked file or block device
 * @path: the configuration's
 * @real_path: the same for whoever was started elsewhere, for the store; ours
 * @sectors: size in 512-byte sectors
 * @physical: physical sector size in bytes
 * @discard: bytes of one unit of discard, 0 if the storage cannot do it
 */
struct blk_image {
	const char *path;
	char *real_path;
	int fd;
	bool readonly, block;
	uint64_t sectors;
	unsigned int physical;
	unsigned int discard;
};

/**
 * blk_image_open - open, lock and measure
 *
 * A writer locks out everybody else, readers only writers (OFD locks: they go with the descriptor).
 * Return: 0, or -errno after printing one line.
 */
int blk_image_open(struct blk_image *img, const struct disk_config *cfg);
void blk_image_close(struct blk_image *img);

struct blk_request;

/**
 * struct back_blk - a disk
 * @ring: requests; the queue's thread
 * @uring: I/O; the queue's thread
 * @slots: one per ring slot, in use or on @free; NULL while there is no connection
 * @prepared: I/O prepared since the last submission
 * @inflight: I/O submitted and not complete
 */
struct back_blk {
	struct blk_image img;
	char vdev_name[16];
	struct ring_back ring;
	struct io_uring uring;
	struct backend_queue *queue;
	struct evtchn_peer *peer;
	struct blk_request *slots, *free;
	unsigned int prepared, inflight;
};

/* back_blk_io.c: the queue's side */

/** blk_io_probe - can this host do it? 0, or -errno after printing one line */
int blk_io_probe(const struct back_blk *blk);
/** blk_io_init, blk_io_fini - what a connection needs; fini may follow a failed init */
int blk_io_init(struct back_blk *blk);
void blk_io_fini(struct back_blk *blk);
extern const struct backend_queue_ops blk_queue_ops;

#endif /* HV_BACK_BLK_H */
