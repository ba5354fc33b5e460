// SPDX-License-Identifier: GPL-2.0-only
#include "guest/linux/blk/proto.h"

#define VDEV_EXTENDED 0x10000000

/* How the majors of the classic form divide their minors; ends with a major of 0. */
static const struct {
	unsigned int major;
	unsigned int disks;
	unsigned int parts;
	unsigned int first_disk;
	bool scsi;
} vdev_majors[] = {
	{ .major = 202, .disks = 16, .parts = 16, .first_disk = 0 },
	{ .major = 8, .disks = 16, .parts = 16, .first_disk = 0, .scsi = true },
	{ .major = 65, .disks = 16, .parts = 16, .first_disk = 16, .scsi = true },
	{ .major = 3, .disks = 2, .parts = 64, .first_disk = 0 },
	{ .major = 22, .disks = 2, .parts = 64, .first_disk = 2 },
	{ .major = 33, .disks = 2, .parts = 64, .first_disk = 4 },
	{ .major = 34, .disks = 2, .parts = 64, .first_disk = 6 },
	{},
};

int vbd_nr_decode(unsigned int nr, struct vbd_nr *vdev)
{
	unsigned int minor = nr & 0xff;
	unsigned int i;

	if (nr & VDEV_EXTENDED) {
		vdev->disk = (nr & ~VDEV_EXTENDED) >> 8;
		vdev->part = minor;
		vdev->scsi = false;
		return vdev->disk < VBD_MAX_DISKS ? 0 : -EINVAL;
	}
	for (i = 0; vdev_majors[i].major; i++) {
		if (nr >> 8 != vdev_majors[i].major)
			continue;
		if (minor / vdev_majors[i].parts >= vdev_majors[i].disks)
			return -EINVAL;
		vdev->disk = vdev_majors[i].first_disk + minor / vdev_majors[i].parts;
		vdev->part = minor % vdev_majors[i].parts;
		vdev->scsi = vdev_majors[i].scsi;
		return 0;
	}
	return -EINVAL;
}

void vbd_nr_name(const struct vbd_nr *vdev, char name[VBD_NAME_LEN])
{
	char digits[VBD_NAME_LEN];
	unsigned int n = vdev->disk + 1;
	unsigned int count = 0;

	*name++ = 'x';
	*name++ = 'v';
	*name++ = 'd';
	/* Letters count from a=1 without a zero, so each step takes one off. */
	for (; n; n = (n - 1) / 26)
		digits[count++] = (char)('a' + (n - 1) % 26);
	while (count)
		*name++ = digits[--count];
	for (n = vdev->part; n; n /= 10)
		digits[count++] = (char)('0' + n % 10);
	while (count)
		*name++ = digits[--count];
	*name = '\0';
}

int vbd_seg_add(struct vbd_seg *segs, unsigned int *count, unsigned int max, struct page *page,
		unsigned int offset, unsigned int len)
{
	unsigned int first = offset >> VBD_SECTOR_SHIFT;
	struct vbd_seg *prev = *count ? &segs[*count - 1] : NULL;

	if (!len || (offset | len) & (VBD_SECTOR_SIZE - 1))
		return -EINVAL;
	if (offset >= VBD_PAGE_SIZE || len > VBD_PAGE_SIZE - offset)
		return -EINVAL;
	if (prev && prev->page == page && prev->last + 1u == first) {
		prev->last = (unsigned char)(prev->last + (len >> VBD_SECTOR_SHIFT));
		return 0;
	}
	if (*count == max)
		return -E2BIG;
	segs[*count] = (struct vbd_seg){
		.page = page,
		.first = (unsigned char)first,
		.last = (unsigned char)(first + (len >> VBD_SECTOR_SHIFT) - 1),
	};
	(*count)++;
	return 0;
}

const char *vbd_response_fault(const struct blkif_response *rsp, const unsigned char *ops,
			       unsigned int depth)
{
	unsigned int op;

	if (rsp->id >= depth)
		return "response to a request that cannot exist";
	op = ops[rsp->id];
	if (op == VBD_OP_NONE)
		return "response to a request that was not made";
	/* Back ends differ in which of its two operations they echo for an indirect request. */
	if (rsp->operation != (op & ~VBD_OP_INDIRECT) &&
	    !(op & VBD_OP_INDIRECT && rsp->operation == BLKIF_OP_INDIRECT))
		return "response with the wrong operation";
	if (rsp->status > BLKIF_RSP_OKAY)
		return "response with an unknown status";
	return NULL;
}
