/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of <xen-public/io/blkif.h> that need no kernel around them: device numbers, segments,
 * and the check of responses. They are also compiled and tested in user space.
 */
#ifndef PARAVANE_LINUX_BLK_PROTO_H
#define PARAVANE_LINUX_BLK_PROTO_H

#include "guest/linux/xen.h"

#include <xen-public/io/blkif.h>

struct page;

#define VBD_SECTOR_SHIFT 9
#define VBD_SECTOR_SIZE 512u
#define VBD_PAGE_SIZE 4096u

/* Linux gives minors of major 202 out in groups of this size, one group per disk. */
#define VBD_MINORS_PER_DISK 16
/* A minor number has 20 bits. */
#define VBD_MAX_DISKS (0x100000 / VBD_MINORS_PER_DISK)

/* "xvd", four letters, a partition of up to three digits, NUL */
#define VBD_NAME_LEN 12

/**
 * struct vbd_nr - what a virtual device number stands for
 * @disk: number of the disk, 0 for xvda
 * @part: 0 for the whole disk, else the device is a single partition of it
 * @scsi: it is called sd
 */
struct vbd_nr {
	unsigned int disk;
	unsigned int part;
	bool scsi;
};

/**
 * vbd_nr_decode() - take a virtual device number apart
 * @nr: number, as in device/vbd/<nr>: major 202 (xvd), the extended form with bit 28 set, and the
 *	numbers of IDE (hd) and SCSI (sd) disks, which name the xvd disk in the same place
 * @vdev: result
 *
 * Return: 0, or -EINVAL if the number is none of these.
 */
int vbd_nr_decode(unsigned int nr, struct vbd_nr *vdev);

/**
 * vbd_nr_name() - the name of a disk: xvda .. xvdz, xvdaa .., with the partition appended
 * @vdev: disk
 * @name: result, NUL-terminated
 */
void vbd_nr_name(const struct vbd_nr *vdev, char name[VBD_NAME_LEN]);

/**
 * struct vbd_seg - one page of a request
 * @page: the page
 * @ref: its grant
 * @first: first sector in the page
 * @last: last sector in the page
 */
struct vbd_seg {
	struct page *page;
	grant_ref_t ref;
	unsigned char first;
	unsigned char last;
};

/**
 * vbd_seg_add() - append data to the segments of a request, merging what adjoins
 * @segs: segments
 * @count: number of valid entries in @segs, updated
 * @max: size of @segs
 * @page: page with the data
 * @offset: start in @page, bytes
 * @len: bytes
 *
 * Return: 0; -EINVAL if the data is empty, leaves the page or does not start and end with a sector;
 * -E2BIG if there is no room.
 */
int vbd_seg_add(struct vbd_seg *segs, unsigned int *count, unsigned int max, struct page *page,
		unsigned int offset, unsigned int len);

/* What a slot waits for: a BLKIF_OP_* in the low bits, or VBD_OP_NONE. */
#define VBD_OP_NONE 0xff
#define VBD_OP_INDIRECT 0x80

/**
 * vbd_response_fault() - find out what is wrong with a response
 * @rsp: private copy of the response
 * @ops: for each slot the operation it waits for, VBD_OP_INDIRECT added if sent as such
 * @depth: number of slots
 *
 * Return: NULL if the response answers a request that was made, else the complaint.
 */
const char *vbd_response_fault(const struct blkif_response *rsp, const unsigned char *ops,
			       unsigned int depth);

#endif /* PARAVANE_LINUX_BLK_PROTO_H */
