// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks that Xen emulates as well: two drivers of one disk would be the end of its contents.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include "guest/linux/blk/vbd.h"
#include "guest/linux/unplug.h"

/**
 * vbd_probe() - is this disk for us?
 * @dev: device
 *
 * Return: 0, or -ENODEV if it may be in use as an emulated disk.
 */
int vbd_probe(struct paravane_front_dev *dev)
{
	struct paravane_twin twin = {};
	struct vbd_nr vdev;
	char *type;

	/* What is wrong with the number is said when it connects. */
	if (vbd_nr_decode(dev->id, &vdev))
		return 0;
	twin.disk = vdev.disk;
	twin.scsi = vdev.scsi;
	type = paravane_front_read(dev, "device-type");
	if (!IS_ERR(type)) {
		twin.cdrom = !strcmp(type, "cdrom");
		kfree(type);
	}
	return paravane_twin_disk(dev, &twin) ? -ENODEV : 0;
}
