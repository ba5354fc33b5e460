// SPDX-License-Identifier: GPL-2.0-only
/*
 * <paravane/unplug.h>, against device models of every kind.
 */
#include "tests/kunit/case.h"

#include <paravane/unplug.h>

#define DISKS PARAVANE_UNPLUG_DISKS
#define NICS PARAVANE_UNPLUG_NICS
#define AUX PARAVANE_UNPLUG_AUX_DISKS

static struct {
	unsigned int magic;
	unsigned int version;
	bool refuses;
	unsigned int product;
	unsigned int build;
	unsigned int strange; /* accesses that the protocol does not have */
} model;

static unsigned int in8(unsigned int port)
{
	model.strange += port != 0x12;
	return model.version;
}

static unsigned int in16(unsigned int port)
{
	model.strange += port != 0x10;
	return model.refuses && model.build ? 0xd249 : model.magic;
}

static void out16(unsigned int port, unsigned int value)
{
	model.strange += port != 0x12 || model.product;
	model.product = value;
}

static void out32(unsigned int port, unsigned int value)
{
	/* The product comes first. */
	model.strange += port != 0x10 || !model.product;
	model.build = value;
}

static const struct paravane_unplug_io io = { in8, in16, out16, out32 };

static int greet(unsigned int magic, unsigned int version, bool refuses)
{
	memset(&model, 0, sizeof(model));
	model.magic = magic;
	model.version = version;
	model.refuses = refuses;
	return paravane_unplug_greet(&io);
}

CASE(greets)
{
	CHECK_EQ(greet(0x49d2, 1, false), 0);
	CHECK_EQ(model.product, 0xffff);
	CHECK_EQ(model.build, 1);
	CHECK_EQ(model.strange, 0);
}

CASE(first_version_is_told_nothing)
{
	CHECK_EQ(greet(0x49d2, 0, true), 0);
	CHECK_EQ(model.product, 0);
	CHECK_EQ(model.build, 0);
}

CASE(unwanted)
{
	CHECK_EQ(greet(0x49d2, 1, true), -EPERM);
	CHECK_EQ(model.strange, 0);
}

CASE(nobody_there)
{
	CHECK_EQ(greet(0xffff, 0xff, false), -ENODEV);
	CHECK_EQ(greet(0, 0, false), -ENODEV);
	CHECK_EQ(greet(0xd249, 1, false), -ENODEV);
	/* Nothing is written to a port that is somebody else's. */
	CHECK_EQ(model.product, 0);
	CHECK_EQ(model.build, 0);
}

CASE(words)
{
	CHECK_EQ(paravane_unplug_parse("nics"), NICS);
	CHECK_EQ(paravane_unplug_parse("disks"), DISKS);
	CHECK_EQ(paravane_unplug_parse("aux-disks"), AUX);
	CHECK_EQ(paravane_unplug_parse("none"), 0);
	CHECK_EQ(paravane_unplug_parse("disks,nics"), DISKS | NICS);
	CHECK_EQ(paravane_unplug_parse("nics,nics,aux-disks"), NICS | AUX);
}

CASE(bad_words)
{
	static const char *const bad[] = {
		"",	 ",",	       "nics,",	 ",nics",     "nic",	  "nicsx", "disks nics",
		"DISKS", "none,disks", "nics,,", "nics,none", "all,nics", "disk",  "none,none",
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQ(paravane_unplug_parse(bad[i]), -EINVAL);
}

CASE(twins)
{
	static const struct {
		enum paravane_unplug_disks controller;
		unsigned int gone;
		bool scsi;
		unsigned int first, end; /* disks that have a twin */
	} cases[] = {
		{ PARAVANE_UNPLUG_IDE, 0, false, 0, 4 },
		{ PARAVANE_UNPLUG_IDE, NICS, false, 0, 4 },
		{ PARAVANE_UNPLUG_IDE, AUX, false, 0, 1 },
		{ PARAVANE_UNPLUG_IDE, DISKS, false, 0, 0 },
		{ PARAVANE_UNPLUG_IDE, DISKS | AUX, false, 0, 0 },
		{ PARAVANE_UNPLUG_IDE, 0, true, 0, 0 },
		{ PARAVANE_UNPLUG_SATA, 0, false, 0, 6 },
		{ PARAVANE_UNPLUG_SATA, DISKS, false, 0, 6 },
		{ PARAVANE_UNPLUG_SATA, 0, true, 0, 0 },
		{ PARAVANE_UNPLUG_SCSI, 0, false, 0, 0 },
		{ PARAVANE_UNPLUG_SCSI, AUX, true, 0, 16 },
		{ PARAVANE_UNPLUG_SCSI, DISKS, true, 0, 0 },
	};
	unsigned int i, disk;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (disk = 0; disk < 16; disk++)
			CHECK_EQ(paravane_unplug_is_twin(cases[i].controller, cases[i].gone,
							 cases[i].scsi, disk),
				 disk >= cases[i].first && disk < cases[i].end);
	}
}

#define CASES(X)                         \
	X(greets)                        \
	X(first_version_is_told_nothing) \
	X(unwanted)                      \
	X(nobody_there)                  \
	X(words)                         \
	X(bad_words)                     \
	X(twins)

SUITE(guest_unplug, CASES);
