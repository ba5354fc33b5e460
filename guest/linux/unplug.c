// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated devices of a Xen HVM guest: unplug them before a driver binds to them, and keep off the
 * virtual devices whose emulated twins stay.
 *
 * The device model takes a device away without asking whoever uses it. So a class is unplugged only
 * if no driver has any of it, and none can bind until that is done.
 */
#include <linux/async.h>
#include <linux/device.h>
#include <linux/etherdevice.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <scsi/scsi_device.h>

#include <paravane/unplug.h>

#include "guest/linux/internal.h"
#include "guest/linux/unplug.h"

/* More functions of one class than any device model makes. */
#define HELD_MAX 32

#define DISK_BITS (PARAVANE_UNPLUG_DISKS | PARAVANE_UNPLUG_AUX_DISKS)

static char *unplug = "nics";
module_param(unplug, charp, 0444);
MODULE_PARM_DESC(unplug, "Emulated devices to unplug: disks, aux-disks, nics (default) or none");

/* Of the disks' bits, those that were unplugged since we were loaded. */
static unsigned int gone;

/* What was asked for, less what was in use: after a move it has to go again. */
static unsigned int unwanted;

static unsigned int port_in8(unsigned int port)
{
	return inb(port);
}

static unsigned int port_in16(unsigned int port)
{
	return inw(port);
}

static void port_out16(unsigned int port, unsigned int value)
{
	outw(value, port);
}

static void port_out32(unsigned int port, unsigned int value)
{
	outl(value, port);
}

static const struct paravane_unplug_io unplug_io = {
	.in8 = port_in8,
	.in16 = port_in16,
	.out16 = port_out16,
	.out32 = port_out32,
};

static bool is_nic(const struct pci_dev *pdev)
{
	return pdev->class >> 8 == PCI_CLASS_NETWORK_ETHERNET;
}

/* enum paravane_unplug_disks, or -ENODEV. */
static int disks_of(const struct pci_dev *pdev)
{
	switch (pdev->class >> 8) {
	case PCI_CLASS_STORAGE_IDE:
		return PARAVANE_UNPLUG_IDE;
	case PCI_CLASS_STORAGE_SATA:
		return PARAVANE_UNPLUG_SATA;
	case PCI_CLASS_STORAGE_SCSI:
		return PARAVANE_UNPLUG_SCSI;
	default:
		return -ENODEV;
	}
}

static bool has_disks(const struct pci_dev *pdev)
{
	return disks_of(pdev) >= 0;
}

/**
 * struct search - something looked for among a device's descendants
 * @fits: whether a device is it
 * @what: argument
 */
struct search {
	bool (*fits)(struct device *dev, const void *what);
	const void *what;
};

static int search_below(struct device *dev, void *data)
{
	const struct search *search = data;

	return search->fits(dev, search->what) || device_for_each_child(dev, data, search_below);
}

/* What a driver has made of a function so far. */
static bool function_has(struct pci_dev *pdev, bool (*fits)(struct device *dev, const void *what),
			 const void *what)
{
	struct search search = { .fits = fits, .what = what };

	return device_for_each_child(&pdev->dev, &search, search_below);
}

static bool function_is_driven(struct pci_dev *pdev)
{
	bool driven;

	/* Waits for a driver that is just binding. */
	device_lock(&pdev->dev);
	driven = pdev->dev.driver;
	device_unlock(&pdev->dev);
	return driven;
}

/* By name: the functions that would tell are in modules that need not be there. */
static bool is_disk(struct device *dev, const void *what)
{
	return dev->type && dev->type->name && !strcmp(dev->type->name, "scsi_device") &&
	       to_scsi_device(dev)->type == TYPE_DISK;
}

static bool is_netdev(struct device *dev, const void *mac)
{
	return dev->class && !strcmp(dev->class->name, "net") &&
	       !memcmp(to_net_dev(dev)->perm_addr, mac, ETH_ALEN);
}

/* Nobody knows what a controller without driver has. */
static bool may_have_disks(struct pci_dev *pdev)
{
	if (!function_is_driven(pdev))
		return true;
	/* libata looks for disks in the background. */
	async_synchronize_full();
	return function_has(pdev, is_disk, NULL);
}

/**
 * struct held - functions that no driver can bind to
 * @fns: referenced and locked
 * @count: how many
 */
struct held {
	struct pci_dev *fns[HELD_MAX];
	unsigned int count;
};

static void held_unlock(struct held *held, unsigned int from)
{
	unsigned int i;

	for (i = from; i < held->count; i++)
		device_unlock(&held->fns[i]->dev);
}

static void held_put(struct held *held, unsigned int from)
{
	while (held->count > from)
		pci_dev_put(held->fns[--held->count]);
}

/* Hold all functions of a class; false if a driver has one. */
static bool hold(struct held *held, bool (*fits)(const struct pci_dev *pdev), const char *what)
{
	unsigned int from = held->count;
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (!fits(pdev))
			continue;
		device_lock(&pdev->dev);
		if (!pdev->dev.driver && held->count < HELD_MAX) {
			held->fns[held->count++] = pci_dev_get(pdev);
			continue;
		}
		pr_warn("the emulated %s stay: %s has %s already (load paravane first)\n", what,
			dev_driver_string(&pdev->dev), pci_name(pdev));
		device_unlock(&pdev->dev);
		pci_dev_put(pdev);
		held_unlock(held, from);
		held_put(held, from);
		return false;
	}
	return true;
}

static bool any_disks(void)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (has_disks(pdev) && may_have_disks(pdev)) {
			pci_dev_put(pdev);
			return true;
		}
	}
	return false;
}

/*
 * Device models before 2023 reset an IDE controller that loses its disks in a way that moves its
 * DMA registers over another device's.
 */
static void write_mask(struct held *held, unsigned int mask)
{
	unsigned int i;

	for (i = 0; i < held->count; i++) {
		if (disks_of(held->fns[i]) == PARAVANE_UNPLUG_IDE)
			pci_save_state(held->fns[i]);
	}
	outw(mask, PARAVANE_UNPLUG_PORT);
	for (i = 0; i < held->count; i++) {
		if (disks_of(held->fns[i]) == PARAVANE_UNPLUG_IDE)
			pci_restore_state(held->fns[i]);
	}
}

/* The device model does not announce it when a function goes. */
static void drop_absent(struct held *held)
{
	unsigned int i;

	for (i = 0; i < held->count; i++) {
		if (!pci_device_is_present(held->fns[i])) {
			pci_info(held->fns[i], "unplugged\n");
			pci_stop_and_remove_bus_device_locked(held->fns[i]);
		} else if (is_nic(held->fns[i])) {
			pci_info(held->fns[i], "not unplugged, it is not an emulated device\n");
		} else if (disks_of(held->fns[i]) == PARAVANE_UNPLUG_SATA) {
			pci_info(held->fns[i],
				 "may keep its disks, not every device model unplugs those\n");
		}
	}
}

/* Hold what a mask stands for; returns the part of it that is there and that nobody uses. */
static unsigned int hold_classes(struct held *held, unsigned int mask)
{
	unsigned int disks = mask & DISK_BITS, nics = mask & PARAVANE_UNPLUG_NICS;
	/* Before anything is held: this waits for drivers that may want one of those functions. */
	bool no_disks = !disks || !any_disks();

	if (nics && !hold(held, is_nic, "network devices"))
		nics = 0;
	if (!no_disks && !hold(held, has_disks, "disks"))
		disks = 0;
	unwanted = disks | nics;
	return no_disks ? nics : disks | nics;
}

static int unplug_classes(unsigned int mask)
{
	struct held *held = kzalloc(sizeof(*held), GFP_KERNEL);

	if (!held)
		return -ENOMEM;
	mask = hold_classes(held, mask);
	if (mask)
		write_mask(held, mask);
	held_unlock(held, 0);
	drop_absent(held);
	held_put(held, 0);
	kfree(held);
	gone = mask & DISK_BITS;
	if (gone)
		pr_info("emulated disks are unplugged%s\n",
			gone & PARAVANE_UNPLUG_DISKS ? "" : ", but for the first");
	return 0;
}

/**
 * paravane_unplug_init() - unplug what the parameter says, as far as nobody uses it
 *
 * Does nothing where there is no platform device of Xen's.
 *
 * Return: 0; -EINVAL for a parameter that makes no sense; -EPERM if the host does not want drivers
 * like ours; -ENOMEM.
 */
int paravane_unplug_init(void)
{
	int mask = paravane_unplug_parse(unplug);
	int err;

	if (mask < 0) {
		pr_err("unplug=%s is not \"none\" or a list of disks, aux-disks and nics\n",
		       unplug);
		return mask;
	}
	if (!paravane_platform_present())
		return 0;
	err = paravane_unplug_greet(&unplug_io);
	if (err == -EPERM) {
		pr_err("the host does not want these drivers: emulated devices have to serve\n");
		return err;
	}
	if (err) {
		pr_warn("emulated devices stay: the device model has no unplug protocol\n");
		return 0;
	}
	return unplug_classes(mask);
}

/**
 * paravane_unplug_again() - the machine is in another domain, whose device model has all devices
 *
 * All devices are stopped; what a reset does to a controller ends when they are thawed. Linux knows
 * nothing of these network devices, and a driver of the disks only that there are none: no need to
 * hold anything.
 */
void paravane_unplug_again(void)
{
	if (!unwanted)
		return;
	if (paravane_unplug_greet(&unplug_io)) {
		pr_warn("emulated devices are back: this device model does not unplug them\n");
		gone = 0;
		return;
	}
	outw(unwanted, PARAVANE_UNPLUG_PORT);
	pr_info("emulated devices are unplugged here too\n");
}

/* The name of the function that may have a disk's twin, or NULL; its reference is the caller's. */
static struct pci_dev *find_twin_disk(const struct paravane_twin *twin)
{
	unsigned int unplugged = twin->cdrom ? 0 : gone;
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (has_disks(pdev) &&
		    paravane_unplug_is_twin(disks_of(pdev), unplugged, twin->scsi, twin->disk) &&
		    (twin->cdrom || may_have_disks(pdev)))
			break;
	}
	return pdev;
}

static void say_twin(struct paravane_front_dev *dev, struct pci_dev *pdev, const char *class)
{
	dev_notice(&dev->dev,
		   "not used: its emulated twin on %s (%s) is not unplugged (unplug=%s)\n",
		   pci_name(pdev),
		   function_is_driven(pdev) ? dev_driver_string(&pdev->dev) : "no driver", class);
}

bool paravane_twin_disk(struct paravane_front_dev *dev, const struct paravane_twin *twin)
{
	struct pci_dev *pdev = find_twin_disk(twin);

	if (!pdev)
		return false;
	if (twin->cdrom)
		dev_info(&dev->dev, "not used: the emulated CD-ROM drive on %s has it\n",
			 pci_name(pdev));
	else
		say_twin(dev, pdev, "disks");
	pci_dev_put(pdev);
	return true;
}
EXPORT_SYMBOL_GPL(paravane_twin_disk);

bool paravane_twin_nic(struct paravane_front_dev *dev, const u8 *mac)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (!is_nic(pdev) || !function_is_driven(pdev) ||
		    !function_has(pdev, is_netdev, mac))
			continue;
		say_twin(dev, pdev, "nics");
		pci_dev_put(pdev);
		return true;
	}
	return false;
}
EXPORT_SYMBOL_GPL(paravane_twin_nic);
