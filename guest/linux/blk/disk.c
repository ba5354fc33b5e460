// SPDX-License-Identifier: GPL-2.0-only
/*
 * The disk as the rest of Linux sees it: major and minor numbers, gendisk, open and close.
 */
#include <linux/cdrom.h>
#include <linux/rcupdate.h>
#include <linux/wait_bit.h>

#include "guest/linux/blk/vbd.h"
#include "guest/linux/compat/blk.h"

#define XENVBD_MAJOR 202

static int vbd_major;

/* Disks whose names and minors are taken. */
static LIST_HEAD(vbd_minors);
static DEFINE_MUTEX(vbd_minors_lock);

/**
 * vbd_major_register() - take the major number of Xen's disks, or any other if that is in use
 *
 * Return: 0 or -errno.
 */
int vbd_major_register(void)
{
	int err = register_blkdev(XENVBD_MAJOR, "xvd");

	if (!err) {
		vbd_major = XENVBD_MAJOR;
		return 0;
	}
	vbd_major = register_blkdev(0, "paravane-blk");
	if (vbd_major < 0)
		return vbd_major;
	pr_notice("paravane-blk: major number %d is taken, using %d\n", XENVBD_MAJOR, vbd_major);
	return 0;
}

/**
 * vbd_major_unregister() - give the major number back
 */
void vbd_major_unregister(void)
{
	unregister_blkdev(vbd_major, vbd_major == XENVBD_MAJOR ? "xvd" : "paravane-blk");
}

/* Two numbers can stand for the same disk (xvda and sda), and a disk contains its partitions. */
static bool vbd_minors_reserve(struct vbd_disk *disk)
{
	struct vbd_disk *other;
	bool ok = true;

	mutex_lock(&vbd_minors_lock);
	list_for_each_entry(other, &vbd_minors, minors) {
		if (other->vdev.disk != disk->vdev.disk)
			continue;
		if (!other->vdev.part || !disk->vdev.part || other->vdev.part == disk->vdev.part)
			ok = false;
	}
	if (ok)
		list_add(&disk->minors, &vbd_minors);
	mutex_unlock(&vbd_minors_lock);
	return ok;
}

static void vbd_minors_release(struct vbd_disk *disk)
{
	mutex_lock(&vbd_minors_lock);
	list_del(&disk->minors);
	mutex_unlock(&vbd_minors_lock);
}

static COMPAT_DISK_RELEASE(vbd_release)
{
	struct vbd_disk *disk = gd->private_data;

	/* Pairs with smp_mb() in vbd_closing(): one of us sees the other. */
	smp_mb();
	if (!disk_openers(gd) && READ_ONCE(disk->close_wanted))
		paravane_front_close(disk->dev);
}

static int vbd_ioctl(struct block_device *bdev, COMPAT_BLK_MODE mode, unsigned int cmd,
		     unsigned long arg)
{
	struct vbd_disk *disk = bdev->bd_disk->private_data;

	/* All that is asked of it: "are you a CD-ROM?" */
	if (cmd == CDROM_GET_CAPABILITY && disk->info & VDISK_CDROM)
		return 0;
	return -ENOTTY;
}

/* Disks that the block layer has not let go of */
static atomic_t vbd_alive;

/* The last file is closed and the connection is over: nobody knows the disk any more. */
static void vbd_free_disk(struct gendisk *gd)
{
	struct vbd_disk *disk = gd->private_data;

	put_device(&disk->dev->dev);
	kfree(disk);
	if (atomic_dec_and_test(&vbd_alive))
		wake_up_var(&vbd_alive);
}

/**
 * vbd_disks_wait() - wait until nobody calls the functions of a disk any more
 *
 * Process context, when no disk can be added. A file that is closed drops its reference to the
 * module before the one to the disk, whose last one leads to vbd_free_disk().
 */
void vbd_disks_wait(void)
{
	wait_var_event(&vbd_alive, !atomic_read(&vbd_alive));
	/* Who woke us may have been preempted before it returned from here. */
	synchronize_rcu_tasks();
}

static const struct block_device_operations vbd_fops = {
	.owner = THIS_MODULE,
	.release = vbd_release,
	.ioctl = vbd_ioctl,
	.free_disk = vbd_free_disk,
};

/* Give the gendisk its name, numbers and kind. */
static void vbd_disk_describe(struct vbd_disk *disk, struct gendisk *gd)
{
	disk->info = vbd_read_info(disk);
	strscpy(gd->disk_name, disk->name, sizeof(gd->disk_name));
	/* Partitions beyond the sixteenth have minors elsewhere; so have disks that are such. */
	if (disk->vdev.part < VBD_MINORS_PER_DISK) {
		gd->major = vbd_major;
		gd->first_minor = disk->vdev.disk * VBD_MINORS_PER_DISK + disk->vdev.part;
		gd->minors = disk->vdev.part ? 1 : VBD_MINORS_PER_DISK;
	}
	if (disk->vdev.part)
		gd->flags |= GENHD_FL_NO_PART;
	if (disk->info & (VDISK_CDROM | VDISK_REMOVABLE))
		gd->flags |= GENHD_FL_REMOVABLE;
	if (disk->info & VDISK_READONLY)
		set_disk_ro(gd, true);
	gd->fops = &vbd_fops;
	gd->private_data = disk;
}

/*
 * Ask for the first block; only that there is an answer matters. Who finds a silent back end out by
 * reading the partition table has the module in use for as long as that takes.
 */
static int vbd_disk_ask(struct vbd_disk *disk, struct gendisk *gd, unsigned int len)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct request *rq;
	int err;

	if (!page)
		return -ENOMEM;
	rq = blk_mq_alloc_request(gd->queue, REQ_OP_DRV_IN, 0);
	err = PTR_ERR_OR_ZERO(rq);
	if (err)
		goto free_page;
	err = compat_rq_map_kern(rq, page_address(page), len);
	if (!err) {
		/* How often vbd_timeout() has a look */
		rq->timeout = HZ;
		blk_execute_rq(rq, false);
		if (paravane_front_is_dead(disk->dev))
			err = -EIO;
	}
	blk_mq_free_request(rq);
free_page:
	__free_page(page);
	return err;
}

/**
 * vbd_disk_add() - make the disk known to the rest of Linux
 * @disk: disk, back end connected
 *
 * Reads the partition table, so the rings must be alive. A back end that does not answer ends it,
 * after VBD_PATIENCE_NEW_S or soon if the device is to go.
 *
 * Return: 0 or -errno.
 */
int vbd_disk_add(struct vbd_disk *disk)
{
	struct compat_disk_limits limits;
	struct gendisk *gd;
	sector_t sectors;
	int err;

	err = vbd_read_capacity(disk, &sectors);
	if (err) {
		paravane_front_fail(disk->dev, err, "%s: no valid size in the key \"sectors\"",
				    disk->name);
		return err;
	}
	err = vbd_read_limits(disk, &limits);
	if (err)
		return err;
	if (!vbd_minors_reserve(disk)) {
		paravane_front_fail(disk->dev, -EEXIST, "there is a disk %s already", disk->name);
		return -EEXIST;
	}
	gd = compat_disk_alloc(&disk->tags, &limits);
	if (IS_ERR(gd)) {
		err = PTR_ERR(gd);
		goto err_minors;
	}
	vbd_disk_describe(disk, gd);
	set_capacity(gd, round_down(sectors, limits.sector_size >> SECTOR_SHIFT));

	WRITE_ONCE(disk->settling, true);
	err = get_capacity(gd) ? vbd_disk_ask(disk, gd, limits.sector_size) : 0;
	if (err)
		goto err_disk;
	get_device(&disk->dev->dev);
	atomic_inc(&vbd_alive);
	err = device_add_disk(&disk->dev->dev, gd, NULL);
	if (err) {
		atomic_dec(&vbd_alive);
		put_device(&disk->dev->dev);
		goto err_disk;
	}
	disk->gd = gd;
	WRITE_ONCE(disk->settling, false);
	dev_info(&disk->dev->dev, "%s: %llu MiB%s, %u queue%s of %u requests of %u KiB%s\n",
		 disk->name, (u64)get_capacity(gd) >> (20 - SECTOR_SHIFT),
		 disk->info & VDISK_READONLY ? " read-only" : "", disk->nr_queues,
		 disk->nr_queues > 1 ? "s" : "", disk->depth, disk->max_segs * 4,
		 disk->trusted ? "" : ", back end not trusted");
	return 0;

err_disk:
	/* Its timer may still run, and that of a disk that was not added nobody stops. */
	blk_sync_queue(gd->queue);
	put_disk(gd);
err_minors:
	vbd_minors_release(disk);
	return err;
}

/**
 * vbd_disk_hold() - have the block layer keep its requests
 * @disk: disk that was added, not held
 *
 * May sleep. No request is put on a ring after this.
 */
void vbd_disk_hold(struct vbd_disk *disk)
{
	blk_mq_quiesce_queue(disk->gd->queue);
	disk->held = true;
}

static void vbd_disk_go_on(struct vbd_disk *disk)
{
	if (!disk->held)
		return;
	disk->held = false;
	blk_mq_unquiesce_queue(disk->gd->queue);
	blk_mq_kick_requeue_list(disk->gd->queue);
}

/*
 * Another back end may do less than the one before. Since Linux 6.13 whoever writes to one of the
 * limits in sysfs has them locked while he waits for all requests, and so for those that are held:
 * only a cache that is new is not put off, as what is written meanwhile would never be flushed.
 */
static void vbd_disk_relimit(struct vbd_disk *disk, const struct compat_disk_limits *limits)
{
	bool cached = compat_disk_has_write_cache(disk->gd);

	/* That was the other back end. If it is the same one, it says so again. */
	disk->no_flush = cached && !limits->write_cache;
	disk->no_discard = disk->gd->queue->limits.max_hw_discard_sectors &&
			   !limits->discard_granularity;
	if (!cached && limits->write_cache)
		compat_disk_set_write_cache(disk->gd, true);
	if (disk->no_flush || disk->no_discard)
		schedule_work(&disk->limits_work);
}

/**
 * vbd_disk_resume() - go on with a disk that is held
 * @disk: disk, back end connected
 *
 * Return: 0, or -errno if it is not the disk it was: then it stays held.
 */
int vbd_disk_resume(struct vbd_disk *disk)
{
	unsigned int sector_size = queue_logical_block_size(disk->gd->queue);
	struct compat_disk_limits limits;
	int err = vbd_read_limits(disk, &limits);

	if (err)
		return err;
	if (limits.sector_size != sector_size) {
		paravane_front_fail(disk->dev, -EINVAL,
				    "%s: sectors of %u bytes now, and %u before", disk->name,
				    limits.sector_size, sector_size);
		return -EINVAL;
	}
	WRITE_ONCE(disk->close_wanted, false);
	disk->info = vbd_read_info(disk);
	set_disk_ro(disk->gd, disk->info & VDISK_READONLY);
	vbd_disk_relimit(disk, &limits);
	vbd_disk_resize(disk);
	vbd_disk_go_on(disk);
	return 0;
}

/**
 * vbd_disk_remove() - take the disk away from the rest of Linux
 * @disk: disk that was added
 * @dead: I/O is not possible any more
 *
 * Returns when no request is outstanding and none can come. Files that are still open get errors.
 */
void vbd_disk_remove(struct vbd_disk *disk, bool dead)
{
	unsigned int i;

	WRITE_ONCE(disk->settling, true);
	WRITE_ONCE(disk->close_wanted, false);
	for (i = 0; dead && i < disk->nr_queues; i++)
		vbd_queue_abort(&disk->queues[i]);
	/* Before the file system is told, which may wait for what it has written. */
	vbd_disk_go_on(disk);
	if (dead)
		blk_mark_disk_dead(disk->gd);
	del_gendisk(disk->gd);
	vbd_minors_release(disk);
}

/**
 * vbd_disk_resize() - take over a size the back end has changed
 * @disk: disk that was added
 */
void vbd_disk_resize(struct vbd_disk *disk)
{
	sector_t old = get_capacity(disk->gd);
	sector_t sectors;

	if (vbd_read_capacity(disk, &sectors)) {
		dev_err_ratelimited(&disk->dev->dev,
				    "%s: no valid size in the key \"sectors\", it stays\n",
				    disk->name);
		return;
	}
	sectors = round_down(sectors, queue_logical_block_size(disk->gd->queue) >> SECTOR_SHIFT);
	if (sectors == old)
		return;
	set_capacity_and_notify(disk->gd, sectors);
	dev_info_ratelimited(&disk->dev->dev, "%s: now %llu MiB\n", disk->name,
			     (u64)sectors >> (20 - SECTOR_SHIFT));
}
