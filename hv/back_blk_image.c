// SPDX-License-Identifier: GPL-2.0-or-later
/* The file or block device behind a disk. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "hv/back_blk.h"
#include "hv/config.h"
#include "hv/log.h"

static int image_error(const char *path, int err)
{
	pr_err("disk '%s': %s", path, strerror(-err));
	return err;
}

static int image_open_error(const struct blk_image *img, int err)
{
	if (err == -EBUSY)
		pr_err("disk '%s' is in use: the host has it mounted, say", img->path);
	else if (!img->readonly && (err == -EACCES || err == -EROFS || err == -EPERM))
		pr_err("disk '%s': %s, for writing (--disk FILE,ro only reads)", img->path,
		       strerror(-err));
	else
		image_error(img->path, err);
	return err;
}

static int image_lock(const struct blk_image *img)
{
	struct flock lock = {
		.l_type = img->readonly ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	if (!fcntl(img->fd, F_OFD_SETLK, &lock))
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return image_error(img->path, -errno);
	pr_err("disk '%s' is in use: another domain has it%s, or it was given twice", img->path,
	       img->readonly ? " for writing" : "");
	return -EBUSY;
}

/* A number from the queue directory of a block device, or of the disk a partition is on. */
static unsigned int queue_limit(dev_t dev, const char *name)
{
	static const char *const where[] = { "queue", "../queue" };
	unsigned int i, value = 0;
	char path[128];

	for (i = 0; i < ARRAY_SIZE(where); i++) {
		FILE *f;
		int n = 0;

		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s/%s", major(dev), minor(dev),
			 where[i], name);
		f = fopen(path, "re");
		if (!f)
			continue;
		n = fscanf(f, "%u", &value);
		fclose(f);
		if (n == 1)
			return value;
	}
	return 0;
}

static int measure_device(struct blk_image *img, const struct stat *st)
{
	unsigned int physical = 0;
	uint64_t bytes;

	if (ioctl(img->fd, BLKGETSIZE64, &bytes))
		return image_error(img->path, -errno);
	img->sectors = bytes >> BLK_SECTOR_SHIFT;
	if (!ioctl(img->fd, BLKPBSZGET, &physical) && physical >= BLK_SECTOR)
		img->physical = physical;
	if (queue_limit(st->st_rdev, "discard_max_bytes"))
		img->discard = queue_limit(st->st_rdev, "discard_granularity");
	return 0;
}

static int measure_file(struct blk_image *img, const struct stat *st)
{
	off_t beyond = (st->st_size + PAGE_SIZE - 1) & ~(off_t)(PAGE_SIZE - 1);

	img->sectors = st->st_size >> BLK_SECTOR_SHIFT;
	if (st->st_size % BLK_SECTOR)
		pr_warn("disk '%s': the last %u bytes do not make a sector and are left out",
			img->path, (unsigned int)(st->st_size % BLK_SECTOR));
	/* A hole behind the end changes nothing, but tells whether the file system makes holes. */
	if (!img->readonly &&
	    !fallocate(img->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, beyond, PAGE_SIZE))
		img->discard = st->st_blksize;
	return 0;
}

static int image_measure(struct blk_image *img)
{
	struct stat st;
	int err;

	if (fstat(img->fd, &st))
		return image_error(img->path, -errno);
	err = img->block ? measure_device(img, &st) : measure_file(img, &st);
	if (!err && !img->sectors) {
		pr_err("disk '%s' is empty", img->path);
		err = -EINVAL;
	}
	return err;
}

static const struct image_format {
	const char *name;
	const char magic[9];
} formats[] = {
	{ "QCOW", "QFI\xfb" },
	{ "VMDK", "KDMV" },
	{ "VHD", "conectix" },
	{ "VHDX", "vhdxfile" },
};

/* Served as they are they would look empty to the guest, and be lost with its first write. */
static int image_check_raw(const struct blk_image *img)
{
	char head[8] = "";
	unsigned int i;

	if (pread(img->fd, head, sizeof(head), 0) < 0)
		return image_error(img->path, -errno);
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		if (memcmp(head, formats[i].magic, strlen(formats[i].magic)))
			continue;
		pr_err("disk '%s' is a %s image, and only raw ones are served "
		       "(with ,format=raw as one)",
		       img->path, formats[i].name);
		return -EINVAL;
	}
	return 0;
}

int blk_image_open(struct blk_image *img, const struct disk_config *cfg)
{
	int flags = O_CLOEXEC | (cfg->readonly ? O_RDONLY : O_RDWR);
	struct stat st;
	int err;

	img->path = cfg->path;
	img->readonly = cfg->readonly;
	img->physical = BLK_SECTOR;
	/* Looked at before it is opened: opening a FIFO or a terminal has effects. */
	if (stat(cfg->path, &st))
		return image_error(cfg->path, -errno);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		pr_err("disk '%s' is %s, neither a plain file nor a block device", cfg->path,
		       S_ISDIR(st.st_mode) ? "a directory" : "something special");
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	}
	img->block = S_ISBLK(st.st_mode);
	/* O_EXCL refuses a block device that the host has mounted. */
	if (img->block && !cfg->readonly)
		flags |= O_EXCL;
	img->fd = open(cfg->path, flags);
	if (img->fd < 0)
		return image_open_error(img, -errno);
	err = image_lock(img);
	img->real_path = realpath(cfg->path, NULL);
	if (!err && !img->real_path)
		err = image_error(cfg->path, -errno);
	if (!err)
		err = image_measure(img);
	if (!err && !cfg->raw)
		err = image_check_raw(img);
	if (err)
		blk_image_close(img);
	return err;
}

void blk_image_close(struct blk_image *img)
{
	free(img->real_path);
	img->real_path = NULL;
	close(img->fd);
	img->fd = -1;
}
