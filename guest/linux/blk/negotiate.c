// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the two ends tell each other through XenStore.
 *
 * Everything is in units of 512 bytes, whatever the sector size: we do not announce
 * feature-large-sector-size, and back ends that know a larger sector size count that way.
 */
#include <linux/log2.h>

#include <xen-public/io/protocols.h>

#include "guest/linux/blk/vbd.h"
#include "guest/linux/compat/blk.h"

/* One page holds the segments of a request as the back end reads them. */
#define VBD_MAX_SEGS ((unsigned int)(PAGE_SIZE / sizeof(struct blkif_request_segment)))

static unsigned int max_ring_page_order = 2;
module_param(max_ring_page_order, uint, 0444);
MODULE_PARM_DESC(max_ring_page_order, "largest ring, as a power of two of pages (0-4)");

static unsigned int max_segments = 64;
module_param(max_segments, uint, 0444);
MODULE_PARM_DESC(max_segments, "pages of the largest request, if the back end agrees (11-512)");

static unsigned int max_queues = 8;
module_param(max_queues, uint, 0444);
MODULE_PARM_DESC(max_queues, "queues per disk, if there are as many CPUs");

static bool trusted = true;
module_param(trusted, bool, 0444);
MODULE_PARM_DESC(trusted, "grant pages as they are; 0: copy all data through pages of our own");

static unsigned int vbd_ring_pages(struct paravane_front_dev *dev)
{
	u64 order = paravane_front_peer_read_u64(dev, "max-ring-page-order", 0);
	unsigned int max = min_t(unsigned int, max_ring_page_order, ilog2(PARAVANE_RING_MAX_PAGES));
	u64 pages;

	if (!order) {
		pages = paravane_front_peer_read_u64(dev, "max-ring-pages", 1);
		order = pages ? ilog2(pages) : 0;
	}
	return 1u << min_t(u64, order, max);
}

static unsigned int vbd_max_segs(struct paravane_front_dev *dev)
{
	unsigned int max =
		clamp_t(unsigned int, max_segments, BLKIF_MAX_SEGMENTS_PER_REQUEST, VBD_MAX_SEGS);
	u64 offered = paravane_front_peer_read_u64(dev, "feature-max-indirect-segments", 0);

	return max_t(u64, min_t(u64, offered, max), BLKIF_MAX_SEGMENTS_PER_REQUEST);
}

static unsigned int vbd_nr_queues(struct paravane_front_dev *dev)
{
	unsigned int max = clamp(max_queues, 1u, num_online_cpus());
	u64 offered;

	if (max == 1)
		return 1;
	offered = paravane_front_peer_read_u64(dev, "multi-queue-max-queues", 1);
	return clamp_t(u64, offered, 1, max);
}

/**
 * vbd_renegotiate() - find out how to go on with another back end
 * @disk: disk that is held; back end in InitWait
 *
 * The block layer may hold requests as large and on as many queues as the first back end took.
 *
 * Return: 0, or -EOPNOTSUPP if this one takes less.
 */
int vbd_renegotiate(struct vbd_disk *disk)
{
	struct paravane_front_dev *dev = disk->dev;
	u64 queues = paravane_front_peer_read_u64(dev, "multi-queue-max-queues", 1);

	if (vbd_max_segs(dev) < disk->max_segs) {
		paravane_front_fail(dev, -EOPNOTSUPP, "%s: the new back end takes smaller requests",
				    disk->name);
		return -EOPNOTSUPP;
	}
	if (max(queues, 1ULL) < disk->nr_queues) {
		paravane_front_fail(dev, -EOPNOTSUPP, "%s: the new back end has fewer queues",
				    disk->name);
		return -EOPNOTSUPP;
	}
	disk->ring_pages = vbd_ring_pages(dev);
	return 0;
}

/**
 * vbd_negotiate() - find out how to talk to the back end
 * @dev: device, back end in InitWait
 *
 * Return: a new disk, its queues not yet initialised, to be freed by the caller, or an ERR_PTR.
 */
struct vbd_disk *vbd_negotiate(struct paravane_front_dev *dev)
{
	unsigned int nr_queues = vbd_nr_queues(dev);
	struct vbd_disk *disk;

	disk = kzalloc(struct_size(disk, queues, nr_queues), GFP_KERNEL);
	if (!disk)
		return ERR_PTR(-ENOMEM);
	if (vbd_nr_decode(dev->id, &disk->vdev)) {
		paravane_front_fail(dev, -EINVAL, "virtual device number %#x names no disk",
				    dev->id);
		kfree(disk);
		return ERR_PTR(-EINVAL);
	}
	vbd_nr_name(&disk->vdev, disk->name);
	disk->dev = dev;
	disk->handle = dev->id;
	disk->nr_queues = nr_queues;
	disk->ring_pages = vbd_ring_pages(dev);
	disk->depth = ring_entries(RING_FORMAT(blkif), disk->ring_pages << PAGE_SHIFT);
	disk->max_segs = vbd_max_segs(dev);
	disk->trusted = trusted && paravane_front_read_u64(dev, "trusted", 1);
	return disk;
}

/**
 * vbd_publish() - write the keys that describe our queues
 * @dev: device
 * @tx: transaction
 *
 * Return: 0 or -errno.
 */
int vbd_publish(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx)
{
	struct vbd_disk *disk = dev_get_drvdata(&dev->dev);
	unsigned int i;
	int err;

	err = paravane_front_publish(dev, tx, "protocol", "%s", XEN_IO_PROTO_ABI_X86_64);
	if (!err && disk->ring_pages > 1) {
		err = paravane_front_publish(dev, tx, "ring-page-order", "%u",
					     ilog2(disk->ring_pages));
		if (!err)
			err = paravane_front_publish(dev, tx, "num-ring-pages", "%u",
						     disk->ring_pages);
	}
	if (!err && disk->nr_queues > 1)
		err = paravane_front_publish(dev, tx, "multi-queue-num-queues", "%u",
					     disk->nr_queues);
	for (i = 0; !err && i < disk->nr_queues; i++) {
		char ring[40] = "ring-ref";
		char port[40] = "event-channel";

		if (disk->nr_queues > 1) {
			snprintf(ring, sizeof(ring), "queue-%u/ring-ref", i);
			snprintf(port, sizeof(port), "queue-%u/event-channel", i);
		}
		err = paravane_front_publish_ring(dev, tx, ring, &disk->queues[i].mem);
		if (!err)
			err = paravane_front_publish_evtchn(dev, tx, port, disk->queues[i].evtchn);
	}
	return err;
}

/**
 * vbd_unpublish() - remove the keys that a later connection might not overwrite
 * @disk: disk that is no longer connected
 *
 * Errors do not matter: the directory may be gone together with the device.
 */
void vbd_unpublish(struct vbd_disk *disk)
{
	const char *dir = disk->dev->path;

	if (disk->ring_pages > 1) {
		paravane_xs_rm(&paravane_xs_no_tx, dir, "ring-page-order");
		paravane_xs_rm(&paravane_xs_no_tx, dir, "num-ring-pages");
	}
	if (disk->nr_queues > 1)
		paravane_xs_rm(&paravane_xs_no_tx, dir, "multi-queue-num-queues");
}

/**
 * vbd_read_capacity() - read the size of the disk
 * @disk: disk
 * @sectors: size in units of 512 bytes
 *
 * Return: 0, or -EINVAL if the back end gave none that makes sense; the caller has to say so.
 */
int vbd_read_capacity(struct vbd_disk *disk, sector_t *sectors)
{
	u64 value = paravane_front_peer_read_u64(disk->dev, "sectors", U64_MAX);

	if (value > LLONG_MAX >> SECTOR_SHIFT)
		return -EINVAL;
	*sectors = value;
	return 0;
}

static bool vbd_valid_block_size(u64 size)
{
	return is_power_of_2(size) && size >= SECTOR_SIZE;
}

/**
 * vbd_read_limits() - read the properties of a disk the block layer wants to know
 * @disk: disk, back end connected; @flush_op is set as well, 0 if it cannot flush
 * @limits: result
 *
 * Return: 0, or -errno if the disk cannot be used: then the device has failed.
 */
int vbd_read_limits(struct vbd_disk *disk, struct compat_disk_limits *limits)
{
	struct paravane_front_dev *dev = disk->dev;
	u64 sector = SECTOR_SIZE;
	u64 granularity, physical;
	int err;

	/* Only a missing one is the default: the wrong size is the wrong data. */
	err = paravane_xs_read_u64(&paravane_xs_no_tx, dev->peer_path, "sector-size", &sector);
	if (err && err != -ENOENT) {
		paravane_front_fail(dev, err, "%s: no number in the key \"sector-size\"",
				    disk->name);
		return err;
	}
	if (!vbd_valid_block_size(sector) || sector > PAGE_SIZE) {
		paravane_front_fail(dev, -EINVAL, "%s: sector size %llu is not supported",
				    disk->name, sector);
		return -EINVAL;
	}
	physical = paravane_front_peer_read_u64(dev, "physical-sector-size", sector);
	if (!vbd_valid_block_size(physical) || physical < sector || physical > SZ_1G)
		physical = sector;
	*limits = (struct compat_disk_limits){
		.sector_size = sector,
		.physical_size = physical,
		.max_segments = disk->max_segs,
	};

	disk->flush_op = 0;
	if (paravane_front_peer_read_u64(dev, "feature-flush-cache", 0))
		disk->flush_op = BLKIF_OP_FLUSH_DISKCACHE;
	else if (paravane_front_peer_read_u64(dev, "feature-barrier", 0))
		disk->flush_op = BLKIF_OP_WRITE_BARRIER;
	limits->write_cache = disk->flush_op;

	if (paravane_front_peer_read_u64(dev, "feature-discard", 0)) {
		granularity = paravane_front_peer_read_u64(dev, "discard-granularity", sector);
		if (!granularity || granularity % sector || granularity > UINT_MAX)
			granularity = sector;
		limits->discard_granularity = granularity;
		limits->discard_alignment =
			paravane_front_peer_read_u64(dev, "discard-alignment", 0) % granularity;
		limits->secure_erase = paravane_front_peer_read_u64(dev, "discard-secure", 0);
	}
	return 0;
}

/**
 * vbd_read_info() - read what kind of disk it is
 * @disk: disk
 *
 * Return: VDISK_*; VDISK_READONLY also if only the disk's mode says so.
 */
unsigned int vbd_read_info(struct vbd_disk *disk)
{
	u64 info = paravane_front_peer_read_u64(disk->dev, "info", 0);
	char *mode;

	if (!(info & VDISK_READONLY)) {
		mode = paravane_front_peer_read(disk->dev, "mode");
		if (!IS_ERR(mode)) {
			if (mode[0] == 'r')
				info |= VDISK_READONLY;
			kfree(mode);
		}
	}
	return info & (VDISK_CDROM | VDISK_REMOVABLE | VDISK_READONLY);
}
