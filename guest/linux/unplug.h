/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Emulated twins: where a Xen HVM guest has emulated devices, most virtual ones show again what an
 * emulated one shows already. A front end asks before it serves one.
 */
#ifndef PARAVANE_LINUX_UNPLUG_H
#define PARAVANE_LINUX_UNPLUG_H

#include "guest/linux/front.h"

/**
 * struct paravane_twin - a virtual disk, as its emulated twin is recognised
 * @disk: its number, 0 for xvda or hda
 * @scsi: it is named sd
 * @cdrom: it is a CD-ROM drive; those are never unplugged
 */
struct paravane_twin {
	unsigned int disk;
	bool scsi;
	bool cdrom;
};

#ifdef CONFIG_PCI

/**
 * paravane_twin_disk() - may an emulated disk write to what this virtual one writes to?
 * @dev: the virtual disk, for the log: it says why it is not to be used
 * @twin: what is known of it
 *
 * May sleep. An emulated disk that no driver has yet counts: one may come.
 */
bool paravane_twin_disk(struct paravane_front_dev *dev, const struct paravane_twin *twin);

/**
 * paravane_twin_nic() - does an emulated network device in use have this address?
 * @dev: the virtual device, for the log: it says why it is not to be used
 * @mac: its address
 *
 * May sleep.
 */
bool paravane_twin_nic(struct paravane_front_dev *dev, const u8 *mac);

#else

static inline bool paravane_twin_disk(struct paravane_front_dev *dev,
				      const struct paravane_twin *twin)
{
	return false;
}

static inline bool paravane_twin_nic(struct paravane_front_dev *dev, const u8 *mac)
{
	return false;
}

#endif

#endif /* PARAVANE_LINUX_UNPLUG_H */
