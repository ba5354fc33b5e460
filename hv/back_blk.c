// SPDX-License-Identifier: GPL-2.0-or-later
/* Block back end: the device. What happens to requests is in back_blk_io.c. */
#include "hv/back_blk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/config.h"
#include "hv/log.h"

RING_ASSERT_LAYOUT(blkif);

static int blk_open(struct backend_dev *dev, const void *config)
{
	const struct disk_config *cfg = config;
	struct back_blk *blk = calloc(1, sizeof(*blk));
	int err;

	if (!blk)
		return -ENOMEM;
	snprintf(blk->vdev_name, sizeof(blk->vdev_name), "%s", cfg->vdev_name);
	err = blk_image_open(&blk->img, cfg);
	if (!err) {
		err = blk_io_probe(blk);
		if (err)
			blk_image_close(&blk->img);
	}
	if (err) {
		free(blk);
		return err;
	}
	dev->priv = blk;
	return 0;
}

static void blk_close(struct backend_dev *dev)
{
	struct back_blk *blk = dev->priv;

	blk_image_close(&blk->img);
	free(blk);
}

static int publish_number(struct backend_dev *dev, const char *key, unsigned long long value)
{
	return backend_publish(dev, key, "%llu", value);
}

static int blk_probe(struct backend_dev *dev)
{
	const struct back_blk *blk = dev->priv;
	const struct blk_image *img = &blk->img;
	const struct {
		const char *key;
		unsigned long long value;
	} numbers[] = {
		{ "removable", 0 },
		{ "bootable", 1 },
		{ "virtual-device", dev->id },
		{ "sectors", img->sectors },
		{ "sector-size", BLK_SECTOR },
		{ "physical-sector-size", img->physical },
		{ "info", img->readonly ? VDISK_READONLY : 0 },
		{ "feature-flush-cache", !img->readonly },
		{ "feature-barrier", 0 },
		{ "feature-persistent", 0 },
		{ "feature-max-indirect-segments", BLK_INDIRECT_SEGS },
		{ "feature-discard", img->discard && !img->readonly },
	};
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < ARRAY_SIZE(numbers); i++)
		err = publish_number(dev, numbers[i].key, numbers[i].value);
	if (!err && img->discard && !img->readonly) {
		err = publish_number(dev, "discard-granularity", img->discard);
		if (!err)
			err = publish_number(dev, "discard-alignment", 0);
	}
	if (!err)
		err = backend_publish(dev, "mode", img->readonly ? "r" : "w");
	if (!err)
		err = backend_publish(dev, "device-type", "disk");
	if (!err)
		err = backend_publish(dev, "type", img->block ? "phy" : "file");
	if (!err)
		err = backend_publish(dev, "params", "%s", img->real_path);
	if (!err)
		err = backend_publish(dev, "dev", "%s", blk->vdev_name);
	if (!err)
		err = backend_publish_front(dev, "virtual-device", "%u", dev->id);
	if (!err)
		err = backend_publish_front(dev, "device-type", "disk");
	return err;
}

static int blk_connect(struct backend_dev *dev)
{
	struct back_blk *blk = dev->priv;
	int err;

	if (!backend_front_accepts(dev, "protocol", "x86_64-abi")) {
		backend_fail(dev, -EPROTONOSUPPORT, "the front end does not speak x86_64-abi");
		return -EPROTONOSUPPORT;
	}
	err = blk_io_init(blk);
	if (!err)
		err = backend_queue_create(dev, &blk_queue_ops, blk, &blk->queue);
	if (err)
		return err;
	err = backend_map_ring(dev, "ring-ref", RING_FORMAT(blkif), &blk->ring);
	if (err) {
		backend_fail(dev, err, "ring-ref: no usable ring");
		return err;
	}
	err = backend_bind_evtchn(blk->queue, "event-channel", &blk->peer);
	if (err)
		backend_fail(dev, err, "event-channel: cannot be bound");
	return err;
}

static void blk_disconnect(struct backend_dev *dev)
{
	blk_io_fini(dev->priv);
}

const struct backend_ops back_blk_ops = {
	.abi = BACKEND_ABI,
	.type = "vbd",
	.open = blk_open,
	.probe = blk_probe,
	.connect = blk_connect,
	.disconnect = blk_disconnect,
	.close = blk_close,
};
