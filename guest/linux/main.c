// SPDX-License-Identifier: GPL-2.0-only
/*
 * paravane.ko: Xen's paravirtual interface for a stock kernel.
 *
 * Table of contents, in the order of initialisation:
 *
 *	detect.c	is the interface there, and how are hypercalls made
 *	platform.c	the PCI device of a Xen HVM guest
 *	unplug.c	emulated devices there
 *	evtchn.c	event channels: the table of ports
 *	upcall.c	shared_info, and a vector for each CPU
 *	gnttab.c	grant table
 *	xs.c		XenStore connection (xs_ops.c operations, xs_watch.c watches)
 *	power.c		shutdown requests, switching off
 *	front.c		the front-end kit (front_bind.c: a driver comes and goes, front_io.c: rings,
 *			channels, keys)
 *	xenbus.c	devices
 *
 * And apart from that, suspend.c: the machine is saved, and restored or not.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "guest/linux/internal.h"

/*
 * Another kernel may follow (kexec): it finds the interface as we found it. What is ours is not
 * freed, and whatever did not end in time fails, but does no harm.
 */
static void system_shutdown(struct platform_device *pdev)
{
	if (system_state != SYSTEM_RESTART)
		return;
	paravane_xenbus_shutdown();
	paravane_power_shutdown();
	paravane_xs_shutdown();
	paravane_gnttab_shutdown();
	paravane_evtchn_shutdown();
	paravane_upcall_shutdown();
}

static struct platform_driver system_driver = {
	.shutdown = system_shutdown,
	.driver.name = "paravane",
	/* It is there to be shut down last; unbound from its device it would not be. */
	.driver.suppress_bind_attrs = true,
};

static struct platform_device *system_device;

/* Devices are shut down last to first: with this one registered first, the rest is closed. */
static int __init system_register(void)
{
	int err = platform_driver_register(&system_driver);

	if (err)
		return err;
	system_device = platform_device_register_simple("paravane", PLATFORM_DEVID_NONE, NULL, 0);
	err = PTR_ERR_OR_ZERO(system_device);
	if (err)
		platform_driver_unregister(&system_driver);
	return err;
}

static void system_unregister(void)
{
	platform_device_unregister(system_device);
	platform_driver_unregister(&system_driver);
}

static int __init paravane_init(void)
{
	int err = paravane_detect();

	if (err)
		return err;
	err = paravane_platform_init();
	if (err)
		return err;
	err = paravane_unplug_init();
	if (err)
		goto platform;
	err = paravane_evtchn_init();
	if (err)
		goto platform;
	err = paravane_upcall_init();
	if (err)
		goto evtchn;
	err = paravane_gnttab_init();
	if (err)
		goto upcall;
	err = paravane_xs_init();
	if (err)
		goto gnttab;
	err = paravane_power_init();
	if (err)
		goto xs;
	err = paravane_front_init();
	if (err)
		goto power;
	err = system_register();
	if (err)
		goto front;
	err = paravane_xenbus_init();
	if (err)
		goto system;
	return 0;

system:
	system_unregister();
front:
	paravane_front_exit();
power:
	paravane_power_exit();
xs:
	paravane_xs_exit();
gnttab:
	paravane_gnttab_exit();
upcall:
	paravane_upcall_exit();
evtchn:
	paravane_evtchn_exit();
platform:
	paravane_platform_exit();
	return err;
}

static void __exit paravane_exit(void)
{
	paravane_xenbus_exit();
	system_unregister();
	paravane_front_exit();
	paravane_power_exit();
	paravane_xs_exit();
	paravane_gnttab_exit();
	paravane_upcall_exit();
	paravane_evtchn_exit();
	paravane_platform_exit();
}

module_init(paravane_init);
module_exit(paravane_exit);

MODULE_DESCRIPTION("Xen's paravirtual interface for a stock kernel");
MODULE_AUTHOR("The Paravane authors");
MODULE_LICENSE("GPL");
