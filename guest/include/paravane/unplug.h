/* SPDX-License-Identifier: MIT */
/*
 * Emulated devices of a Xen HVM guest: having the device model unplug them, and which of them show
 * what a virtual device shows as well ("twins").
 *
 * The protocol is that of Xen's docs/misc/hvm-emulated-unplug: two I/O ports, at which the device
 * model shows a magic number, is told who asks, may refuse, and takes a mask of what shall go.
 *
 * Pure: ports are reached through functions that the caller gives.
 */
#ifndef PARAVANE_UNPLUG_H
#define PARAVANE_UNPLUG_H

#include <paravane/xen.h>

/* 16 bits: the magic number is read, the mask written. 32 bits: the build number is written. */
#define PARAVANE_UNPLUG_PORT 0x10
/* 8 bits: the protocol's version is read. 16 bits: the product number is written. */
#define PARAVANE_UNPLUG_PORT_PRODUCT 0x12

#define PARAVANE_UNPLUG_MAGIC 0x49d2
/* What the magic number becomes for a driver that the host does not want. */
#define PARAVANE_UNPLUG_UNWANTED 0xd249

/* <xen-public/hvm/pvdrivers.h> has no entry of ours: this is its "experimental". */
#define PARAVANE_UNPLUG_PRODUCT 0xffff
#define PARAVANE_UNPLUG_BUILD 1

/* The mask. Without the first bit the third takes all IDE disks but the primary master. */
#define PARAVANE_UNPLUG_DISKS (1u << 0)
#define PARAVANE_UNPLUG_NICS (1u << 1)
#define PARAVANE_UNPLUG_AUX_DISKS (1u << 2)

/**
 * struct paravane_unplug_io - how to reach ports
 * @in8: read 8 bits
 * @in16: read 16 bits
 * @out16: write 16 bits
 * @out32: write 32 bits
 */
struct paravane_unplug_io {
	unsigned int (*in8)(unsigned int port);
	unsigned int (*in16)(unsigned int port);
	void (*out16)(unsigned int port, unsigned int value);
	void (*out32)(unsigned int port, unsigned int value);
};

/**
 * paravane_unplug_greet() - introduce us to the device model
 * @io: ports
 *
 * Return: 0; -ENODEV if it does not know the protocol; -EPERM if the host does not want drivers
 * like ours, which then should not serve any device.
 */
static inline int paravane_unplug_greet(const struct paravane_unplug_io *io)
{
	if (io->in16(PARAVANE_UNPLUG_PORT) != PARAVANE_UNPLUG_MAGIC)
		return -ENODEV;
	/* The first version of the protocol knows neither product nor refusal. */
	if (!io->in8(PARAVANE_UNPLUG_PORT_PRODUCT))
		return 0;
	io->out16(PARAVANE_UNPLUG_PORT_PRODUCT, PARAVANE_UNPLUG_PRODUCT);
	io->out32(PARAVANE_UNPLUG_PORT, PARAVANE_UNPLUG_BUILD);
	switch (io->in16(PARAVANE_UNPLUG_PORT)) {
	case PARAVANE_UNPLUG_MAGIC:
		return 0;
	case PARAVANE_UNPLUG_UNWANTED:
		return -EPERM;
	default:
		return -ENODEV;
	}
}

/**
 * paravane_unplug_word() - what one word asks for
 * @word: "disks", "aux-disks", "nics" or "none"
 * @len: its length
 *
 * Return: bit of the mask, 0 for "none", -EINVAL for any other word.
 */
static inline int paravane_unplug_word(const char *word, size_t len)
{
	static const struct {
		const char *name;
		int bit;
	} words[] = {
		{ "disks", PARAVANE_UNPLUG_DISKS },
		{ "aux-disks", PARAVANE_UNPLUG_AUX_DISKS },
		{ "nics", PARAVANE_UNPLUG_NICS },
		{ "none", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].name) == len && !memcmp(words[i].name, word, len))
			return words[i].bit;
	}
	return -EINVAL;
}

/**
 * paravane_unplug_parse() - what a list of words asks for
 * @list: words separated by commas; "none" stands alone
 *
 * Return: PARAVANE_UNPLUG_* bits, or -EINVAL.
 */
static inline int paravane_unplug_parse(const char *list)
{
	unsigned int words = 0;
	bool none = false;
	int mask = 0;

	for (;;) {
		size_t len = strcspn(list, ",");
		int bit = paravane_unplug_word(list, len);

		if (bit < 0)
			return bit;
		none = none || !bit;
		mask |= bit;
		words++;
		if (!list[len])
			return none && words > 1 ? -EINVAL : mask;
		list += len + 1;
	}
}

/**
 * enum paravane_unplug_disks - controllers of emulated disks
 * @PARAVANE_UNPLUG_IDE: disks 0 to 3, whatever their name, unless that is sd
 * @PARAVANE_UNPLUG_SATA: disks 0 to 5 instead; only device models since 2023 unplug them
 * @PARAVANE_UNPLUG_SCSI: disks named sd
 */
enum paravane_unplug_disks {
	PARAVANE_UNPLUG_IDE,
	PARAVANE_UNPLUG_SATA,
	PARAVANE_UNPLUG_SCSI,
};

/**
 * paravane_unplug_is_twin() - may a controller have the emulated twin of a virtual disk?
 * @controller: controller
 * @gone: PARAVANE_UNPLUG_* bits, what has been unplugged
 * @scsi: the virtual disk is named sd
 * @disk: its number, 0 for the first
 */
static inline bool paravane_unplug_is_twin(enum paravane_unplug_disks controller, unsigned int gone,
					   bool scsi, unsigned int disk)
{
	if (scsi || controller == PARAVANE_UNPLUG_SCSI)
		return scsi && controller == PARAVANE_UNPLUG_SCSI &&
		       !(gone & PARAVANE_UNPLUG_DISKS);
	if (controller == PARAVANE_UNPLUG_SATA)
		return disk < 6;
	if (gone & PARAVANE_UNPLUG_DISKS)
		return false;
	return disk < (gone & PARAVANE_UNPLUG_AUX_DISKS ? 1 : 4);
}

#endif /* PARAVANE_UNPLUG_H */
