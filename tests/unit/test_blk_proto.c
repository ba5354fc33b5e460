// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * guest/linux/blk/proto.c: device numbers and names, merging of segments, and every way a response
 * can be wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest/linux/blk/proto.c"

static void numbers_of_disks(void **state)
{
	static const struct {
		unsigned int nr;
		const char *name;
	} cases[] = {
		{ 51712, "xvda" },
		{ 51713, "xvda1" },
		{ 51728, "xvdb" },
		{ 202 << 8 | 0xf0, "xvdp" },
		{ 202 << 8 | 0xff, "xvdp15" },
		{ 8 << 8, "xvda" },
		{ 8 << 8 | 0x12, "xvdb2" },
		{ 65 << 8, "xvdq" },
		{ 3 << 8, "xvda" },
		{ 3 << 8 | 64, "xvdb" },
		{ 22 << 8 | 1, "xvdc1" },
		{ 34 << 8 | 127, "xvdh63" },
		{ 1u << 28 | 16 << 8, "xvdq" },
		{ 1u << 28 | 25 << 8, "xvdz" },
		{ 1u << 28 | 26 << 8, "xvdaa" },
		{ 1u << 28 | 26 << 8 | 255, "xvdaa255" },
		{ 1u << 28 | 701 << 8, "xvdzz" },
		{ 1u << 28 | 702 << 8, "xvdaaa" },
		{ 1u << 28 | 0xffff << 8 | 255, "xvdcrxp255" },
	};
	struct vbd_nr vdev;
	char name[VBD_NAME_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(vbd_nr_decode(cases[i].nr, &vdev), 0);
		vbd_nr_name(&vdev, name);
		assert_string_equal(name, cases[i].name);
	}
}

static void numbers_of_nothing(void **state)
{
	static const unsigned int cases[] = {
		0, 255, 1 << 8, 9 << 8, 203 << 8, 3 << 8 | 128, 1u << 28 | 0x10000 << 8, ~0u,
	};
	struct vbd_nr vdev;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(vbd_nr_decode(cases[i], &vdev), -EINVAL);
}

static void scsi_by_number(void **state)
{
	struct vbd_nr vdev;

	(void)state;
	assert_int_equal(vbd_nr_decode(8 << 8 | 16, &vdev), 0);
	assert_true(vdev.scsi);
	assert_int_equal(vbd_nr_decode(65 << 8, &vdev), 0);
	assert_true(vdev.scsi);
	assert_int_equal(vbd_nr_decode(202 << 8, &vdev), 0);
	assert_false(vdev.scsi);
	assert_int_equal(vbd_nr_decode(22 << 8, &vdev), 0);
	assert_false(vdev.scsi);
	vdev.scsi = true;
	assert_int_equal(vbd_nr_decode(1u << 28 | 26 << 8, &vdev), 0);
	assert_false(vdev.scsi);
}

/* Whatever a tool writes into the store, the name fits. */
static void every_number_has_a_name_that_fits(void **state)
{
	struct vbd_nr vdev;
	char name[VBD_NAME_LEN + 1];

	(void)state;
	for (unsigned int nr = 0; nr < 1u << 29; nr += nr < 1u << 17 ? 1 : 509) {
		if (vbd_nr_decode(nr, &vdev))
			continue;
		memset(name, '#', sizeof(name));
		vbd_nr_name(&vdev, name);
		assert_true(strlen(name) < VBD_NAME_LEN);
		assert_int_equal(name[VBD_NAME_LEN], '#');
	}
}

static struct page *page(unsigned long n)
{
	return (struct page *)(n * 64);
}

static void segments_merge(void **state)
{
	struct vbd_seg segs[3];
	unsigned int count = 0;

	(void)state;
	assert_int_equal(vbd_seg_add(segs, &count, 3, page(1), 512, 1024), 0);
	assert_int_equal(vbd_seg_add(segs, &count, 3, page(1), 1536, 512), 0);
	assert_int_equal(count, 1);
	assert_int_equal(segs[0].first, 1);
	assert_int_equal(segs[0].last, 3);
	/* a gap, another page, an earlier place */
	assert_int_equal(vbd_seg_add(segs, &count, 3, page(1), 2560, 1536), 0);
	assert_int_equal(vbd_seg_add(segs, &count, 3, page(2), 0, 4096), 0);
	assert_int_equal(count, 3);
	assert_int_equal(segs[1].first, 5);
	assert_int_equal(segs[1].last, 7);
	assert_int_equal(segs[2].first, 0);
	assert_int_equal(segs[2].last, 7);
	assert_ptr_equal(segs[2].page, page(2));
	assert_int_equal(vbd_seg_add(segs, &count, 3, page(1), 0, 512), -E2BIG);
	assert_int_equal(count, 3);
}

static void segments_that_need_a_copy(void **state)
{
	static const struct {
		unsigned int offset;
		unsigned int len;
	} cases[] = {
		{ 0, 0 },      { 1, 512 },     { 0, 511 },     { 256, 256 },
		{ 0, 4097 },   { 512, 4096 },  { 3584, 1024 }, { 4096, 512 },
		{ 8192, 512 }, { 512, ~511u }, { ~511u, 512 },
	};
	struct vbd_seg segs[1];
	unsigned int count = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(vbd_seg_add(segs, &count, 1, page(1), cases[i].offset,
					     cases[i].len),
				 -EINVAL);
	assert_int_equal(count, 0);
}

static const unsigned char ops[4] = {
	BLKIF_OP_READ,
	BLKIF_OP_WRITE | VBD_OP_INDIRECT,
	VBD_OP_NONE,
	BLKIF_OP_FLUSH_DISKCACHE,
};

static bool accepted(uint64_t id, uint8_t operation, int16_t status)
{
	struct blkif_response rsp = { .id = id, .operation = operation, .status = status };

	return !vbd_response_fault(&rsp, ops, 4);
}

static void responses_that_are_right(void **state)
{
	(void)state;
	assert_true(accepted(0, BLKIF_OP_READ, BLKIF_RSP_OKAY));
	assert_true(accepted(0, BLKIF_OP_READ, BLKIF_RSP_ERROR));
	assert_true(accepted(0, BLKIF_OP_READ, -32768));
	assert_true(accepted(1, BLKIF_OP_WRITE, BLKIF_RSP_OKAY));
	assert_true(accepted(1, BLKIF_OP_INDIRECT, BLKIF_RSP_OKAY));
	assert_true(accepted(3, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_RSP_EOPNOTSUPP));
}

static void responses_that_are_wrong(void **state)
{
	(void)state;
	/* no such slot */
	assert_false(accepted(4, BLKIF_OP_READ, BLKIF_RSP_OKAY));
	assert_false(accepted(1ull << 32, BLKIF_OP_READ, BLKIF_RSP_OKAY));
	assert_false(accepted(~0ull, BLKIF_OP_READ, BLKIF_RSP_OKAY));
	/* status */
	assert_false(accepted(0, BLKIF_OP_READ, 1));
	assert_false(accepted(0, BLKIF_OP_READ, 32767));
	/* operation, every one of them */
	for (unsigned int op = 0; op < 256; op++) {
		assert_int_equal(accepted(0, op, 0), op == BLKIF_OP_READ);
		assert_int_equal(accepted(1, op, 0),
				 op == BLKIF_OP_WRITE || op == BLKIF_OP_INDIRECT);
		assert_false(accepted(2, op, 0));
		assert_int_equal(accepted(3, op, 0), op == BLKIF_OP_FLUSH_DISKCACHE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_disks),
		cmocka_unit_test(numbers_of_nothing),
		cmocka_unit_test(scsi_by_number),
		cmocka_unit_test(every_number_has_a_name_that_fits),
		cmocka_unit_test(segments_merge),
		cmocka_unit_test(segments_that_need_a_copy),
		cmocka_unit_test(responses_that_are_right),
		cmocka_unit_test(responses_that_are_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
