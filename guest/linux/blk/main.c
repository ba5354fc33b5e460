// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module and device life cycle.
 */
#include <linux/delay.h>
#include <linux/init.h>

#include "guest/linux/blk/vbd.h"
#include "guest/linux/compat/blk.h"

static void vbd_abort_work(struct work_struct *work)
{
	struct vbd_disk *disk = container_of(work, struct vbd_disk, abort_work);
	unsigned int i;

	for (i = 0; i < disk->nr_queues; i++)
		vbd_queue_abort(&disk->queues[i]);
}

/* The back end refused something it had offered; changing limits may sleep, so it is done here. */
static void vbd_limits_work(struct work_struct *work)
{
	struct vbd_disk *disk = container_of(work, struct vbd_disk, limits_work);

	if (!disk->gd)
		return;
	if (xchg(&disk->no_flush, false)) {
		compat_disk_set_write_cache(disk->gd, false);
		dev_warn(&disk->dev->dev, "%s: the back end cannot flush after all\n", disk->name);
	}
	if (xchg(&disk->no_discard, false)) {
		compat_disk_drop_discard(disk->gd);
		dev_warn(&disk->dev->dev, "%s: the back end cannot discard after all\n",
			 disk->name);
	}
}

static int vbd_tags_init(struct vbd_disk *disk)
{
	disk->tags.ops = &vbd_mq_ops;
	disk->tags.nr_hw_queues = disk->nr_queues;
	disk->tags.queue_depth = disk->depth;
	disk->tags.numa_node = NUMA_NO_NODE;
	disk->tags.flags = COMPAT_BLK_MQ_F_SHOULD_MERGE;
	disk->tags.timeout = VBD_PATIENCE_S * HZ / 3;
	disk->tags.driver_data = disk;
	return blk_mq_alloc_tag_set(&disk->tags);
}

/* Events of a queue go to a CPU that submits to it. */
static unsigned int vbd_queue_cpu(struct vbd_disk *disk, unsigned int index)
{
	const unsigned int *map = disk->tags.map[HCTX_TYPE_DEFAULT].mq_map;
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		if (map[cpu] == index)
			return cpu;
	}
	return 0;
}

/* The disk is over. Files may still be open on it, but without any request. */
static void vbd_disk_free(struct vbd_disk *disk)
{
	unsigned int i;

	for (i = 0; i < disk->nr_queues; i++)
		vbd_queue_exit(&disk->queues[i]);
	blk_mq_free_tag_set(&disk->tags);
	if (disk->gd)
		put_disk(disk->gd);
	else
		kfree(disk);
}

static struct vbd_disk *vbd_disk_new(struct paravane_front_dev *dev)
{
	struct vbd_disk *disk = vbd_negotiate(dev);
	unsigned int i;
	int err;

	if (IS_ERR(disk))
		return disk;
	INIT_WORK(&disk->abort_work, vbd_abort_work);
	INIT_WORK(&disk->limits_work, vbd_limits_work);
	err = vbd_tags_init(disk);
	if (err) {
		kfree(disk);
		return ERR_PTR(err);
	}
	for (i = 0; i < disk->nr_queues; i++) {
		err = vbd_queue_init(&disk->queues[i], disk);
		if (err) {
			vbd_disk_free(disk);
			return ERR_PTR(err);
		}
	}
	return disk;
}

static void vbd_queues_disconnect(struct vbd_disk *disk)
{
	unsigned int i;

	for (i = 0; i < disk->nr_queues; i++)
		vbd_queue_disconnect(&disk->queues[i]);
}

static int vbd_queues_connect(struct vbd_disk *disk)
{
	unsigned int i;
	int err;

	for (i = 0; i < disk->nr_queues; i++) {
		err = vbd_queue_connect(&disk->queues[i], vbd_queue_cpu(disk, i));
		if (err) {
			/* No queue was started, so nobody has scheduled the works. */
			vbd_queues_disconnect(disk);
			return err;
		}
	}
	for (i = 0; i < disk->nr_queues; i++)
		vbd_queue_start(&disk->queues[i]);
	return 0;
}

static int vbd_connect(struct paravane_front_dev *dev)
{
	struct vbd_disk *held = dev_get_drvdata(&dev->dev);
	struct vbd_disk *disk = held ?: vbd_disk_new(dev);
	int err;

	if (IS_ERR(disk))
		return PTR_ERR(disk);
	err = held ? vbd_renegotiate(disk) : 0;
	if (!err)
		err = vbd_queues_connect(disk);
	if (!err)
		dev_set_drvdata(&dev->dev, disk);
	else if (!held)
		vbd_disk_free(disk);
	return err;
}

static int vbd_connected(struct paravane_front_dev *dev)
{
	struct vbd_disk *disk = dev_get_drvdata(&dev->dev);

	return disk->held ? vbd_disk_resume(disk) : vbd_disk_add(disk);
}

static void vbd_changed(struct paravane_front_dev *dev)
{
	vbd_disk_resize(dev_get_drvdata(&dev->dev));
}

/* Until the back end has closed, or has failed us, it carries out requests. */
static bool vbd_is_dead(struct paravane_front_dev *dev)
{
	unsigned int state;

	if (paravane_front_is_dead(dev))
		return true;
	state = paravane_front_peer_state(dev, XenbusStateConnected);
	return state != XenbusStateConnected && state != XenbusStateClosing;
}

static int vbd_closing(struct paravane_front_dev *dev, bool force)
{
	struct vbd_disk *disk = dev_get_drvdata(&dev->dev);
	bool dead = vbd_is_dead(dev);

	if (!disk || !disk->gd)
		return 0;
	if (!force && !dead) {
		WRITE_ONCE(disk->close_wanted, true);
		/* Pairs with smp_mb() in vbd_release(): one of us sees the other. */
		smp_mb();
		if (disk_openers(disk->gd)) {
			dev_info_ratelimited(&dev->dev, "%s: to be detached, but still in use\n",
					     disk->name);
			return -EBUSY;
		}
	}
	vbd_disk_remove(disk, dead);
	return 0;
}

static bool vbd_is_busy(struct vbd_disk *disk)
{
	unsigned int i;

	for (i = 0; i < disk->nr_queues; i++) {
		if (vbd_queue_is_busy(&disk->queues[i]))
			return true;
	}
	return false;
}

static void vbd_hold(struct paravane_front_dev *dev, long patience)
{
	struct vbd_disk *disk = dev_get_drvdata(&dev->dev);
	unsigned long end = jiffies + patience;

	vbd_disk_hold(disk);
	while (time_before(jiffies, end) && vbd_is_busy(disk))
		msleep(20);
}

static void vbd_disconnect(struct paravane_front_dev *dev)
{
	struct vbd_disk *disk = dev_get_drvdata(&dev->dev);
	unsigned int again = 0;
	unsigned int i;

	if (!disk)
		return;
	for (i = 0; i < disk->nr_queues; i++) {
		vbd_queue_silence(&disk->queues[i]);
		if (disk->held)
			again += vbd_queue_requeue(&disk->queues[i]);
		else
			vbd_queue_abort(&disk->queues[i]);
	}
	/* No event and no answer after this, so nobody schedules the works again. */
	cancel_work_sync(&disk->abort_work);
	cancel_work_sync(&disk->limits_work);
	if (again)
		dev_info(&dev->dev, "%s: %u requests to be sent again\n", disk->name, again);
	vbd_queues_disconnect(disk);
	vbd_unpublish(disk);
	if (disk->held)
		return;
	dev_set_drvdata(&dev->dev, NULL);
	vbd_disk_free(disk);
}

static void vbd_drop(struct paravane_front_dev *dev)
{
	struct vbd_disk *disk = dev_get_drvdata(&dev->dev);

	dev_set_drvdata(&dev->dev, NULL);
	vbd_disk_remove(disk, true);
	vbd_disk_free(disk);
}

static struct paravane_front_driver vbd_driver = {
	.type = "vbd",
	.probe = vbd_probe,
	.connect = vbd_connect,
	.publish = vbd_publish,
	.connected = vbd_connected,
	.changed = vbd_changed,
	.closing = vbd_closing,
	.hold = vbd_hold,
	.disconnect = vbd_disconnect,
	.drop = vbd_drop,
};

static int __init vbd_module_init(void)
{
	int err = vbd_major_register();

	if (err)
		return err;
	err = paravane_front_register(&vbd_driver);
	if (err)
		vbd_major_unregister();
	return err;
}
module_init(vbd_module_init);

static void __exit vbd_module_exit(void)
{
	paravane_front_unregister(&vbd_driver);
	vbd_disks_wait();
	vbd_major_unregister();
}
module_exit(vbd_module_exit);

MODULE_DESCRIPTION("Paravane block device front end");
MODULE_LICENSE("GPL");
MODULE_ALIAS_PARAVANE("vbd");
