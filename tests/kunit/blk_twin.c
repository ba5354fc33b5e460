// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/blk/twin.c: a disk is described as its emulated twin would be known. This file plays
 * the store and the machine.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "guest/linux/blk/proto.c"
#include "guest/linux/blk/twin.c"

static struct {
	const char *type; /* device-type */
	bool has_twin;
	struct paravane_twin asked;
} machine;

char *paravane_front_read(struct paravane_front_dev *dev, const char *key)
{
	return machine.type ? kstrdup(machine.type, GFP_KERNEL) : ERR_PTR(-ENOENT);
}

bool paravane_twin_disk(struct paravane_front_dev *dev, const struct paravane_twin *twin)
{
	machine.asked = *twin;
	return machine.has_twin;
}

static int probe(unsigned int id, const char *type)
{
	struct paravane_front_dev dev = { .id = id };

	machine.type = type;
	return vbd_probe(&dev);
}

static void twins_are_left_alone(struct kunit *test)
{
	machine.has_twin = false;
	KUNIT_EXPECT_EQ(test, probe(202 << 8 | 16, "disk"), 0);
	KUNIT_EXPECT_EQ(test, machine.asked.disk, 1);
	KUNIT_EXPECT_FALSE(test, machine.asked.scsi);
	KUNIT_EXPECT_FALSE(test, machine.asked.cdrom);

	machine.has_twin = true;
	KUNIT_EXPECT_EQ(test, probe(202 << 8 | 16, "disk"), -ENODEV);
	KUNIT_EXPECT_EQ(test, probe(8 << 8, "cdrom"), -ENODEV);
	KUNIT_EXPECT_TRUE(test, machine.asked.scsi);
	KUNIT_EXPECT_TRUE(test, machine.asked.cdrom);
	KUNIT_EXPECT_EQ(test, probe(22 << 8 | 64, NULL), -ENODEV);
	KUNIT_EXPECT_EQ(test, machine.asked.disk, 3);
	KUNIT_EXPECT_FALSE(test, machine.asked.cdrom);
}

/* What names no disk fails later, with a line of its own. */
static void numbers_of_nothing_pass(struct kunit *test)
{
	machine.has_twin = true;
	KUNIT_EXPECT_EQ(test, probe(0, "disk"), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(twins_are_left_alone),
	KUNIT_CASE(numbers_of_nothing_pass),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_blk_twin",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
