// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI device that marks a Xen HVM guest. It makes udev load us.
 *
 * Its BAR 1 is address space to put the hypervisor's pages into. We do not use it, see physmap.c.
 */
#include <linux/module.h>
#include <linux/pci.h>

#include "guest/linux/internal.h"

/* The second is the same device of a XenServer. */
static const struct pci_device_id platform_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_XEN, 0x0001) },
	{ PCI_DEVICE(PCI_VENDOR_ID_XEN, 0x0002) },
	{},
};
MODULE_DEVICE_TABLE(pci, platform_ids);

static struct pci_dev *platform_dev;

static int platform_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err;

	if (platform_dev)
		return -EBUSY;
	err = pci_enable_device(pdev);
	if (err)
		return err;
	platform_dev = pdev;
	return 0;
}

static void platform_remove(struct pci_dev *pdev)
{
	platform_dev = NULL;
	pci_disable_device(pdev);
}

static struct pci_driver platform_driver = {
	.name = "paravane",
	.id_table = platform_ids,
	.probe = platform_probe,
	.remove = platform_remove,
	/* Bound while we are loaded, and from the beginning. */
	.driver.suppress_bind_attrs = true,
	.driver.probe_type = PROBE_FORCE_SYNCHRONOUS,
};

/**
 * paravane_platform_init() - bind the device, if there is one
 *
 * Return: 0 or -errno.
 */
int paravane_platform_init(void)
{
	return pci_register_driver(&platform_driver);
}

/**
 * paravane_platform_exit() - let it go
 */
void paravane_platform_exit(void)
{
	pci_unregister_driver(&platform_driver);
}

/**
 * paravane_platform_present() - is this machine one of Xen's, with emulated devices?
 */
bool paravane_platform_present(void)
{
	return pci_dev_present(platform_ids);
}
