// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI device that marks a Xen HVM guest. It makes udev load us, and its interrupt line carries
 * events where vectors do not.
 *
 * Its BAR 1 is address space to put the hypervisor's pages into. We do not use it, see physmap.c.
 */
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "guest/linux/hypercall.h"
#include "guest/linux/internal.h"

/* The second is the same device of a XenServer. */
static const struct pci_device_id platform_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_XEN, 0x0001) },
	{ PCI_DEVICE(PCI_VENDOR_ID_XEN, 0x0002) },
	{},
};
MODULE_DEVICE_TABLE(pci, platform_ids);

static struct pci_dev *platform_dev;
static unsigned int platform_irq;

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

/* HVM_PARAM_CALLBACK_IRQ for the line of a device. */
static u64 callback_intx(const struct pci_dev *pdev)
{
	return (u64)HVM_PARAM_CALLBACK_TYPE_PCI_INTX << 56 | (u64)pci_domain_nr(pdev->bus) << 32 |
	       pdev->bus->number << 16 | pdev->devfn << 8 | (pdev->pin - 1);
}

/**
 * paravane_platform_irq_start() - have events of vCPU 0 raise the device's interrupt
 * @handler: interrupt handler; the line may be shared, and is level-triggered: up while vCPU 0's
 *	evtchn_upcall_pending is set
 * @data: its argument
 *
 * Return: 0; -ENODEV without such a device; another -errno if it has no usable interrupt or the
 * hypervisor refuses.
 */
int paravane_platform_irq_start(irq_handler_t handler, void *data)
{
	int err;

	if (!platform_dev || !platform_dev->pin)
		return -ENODEV;
	platform_irq = platform_dev->irq;
	err = request_irq(platform_irq, handler, IRQF_SHARED | IRQF_NO_THREAD, "paravane", data);
	if (err)
		return err;
	err = paravane_hvm_set_param(HVM_PARAM_CALLBACK_IRQ, callback_intx(platform_dev));
	if (err)
		free_irq(platform_irq, data);
	return err;
}

/**
 * paravane_platform_irq_stop() - the opposite; the hypervisor has been told already
 * @data: as given to paravane_platform_irq_start()
 */
void paravane_platform_irq_stop(void *data)
{
	free_irq(platform_irq, data);
}
