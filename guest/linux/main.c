// SPDX-License-Identifier: GPL-2.0-only
/*
 * paravane.ko: Xen's paravirtual interface for a stock kernel.
 *
 * Table of contents, in the order of initialisation:
 *
 *	detect.c	is the interface there, and how are hypercalls made
 *	evtchn.c	event channels: the table of ports
 *	upcall.c	shared_info, and a vector for each CPU
 *	gnttab.c	grant table
 *	xs.c		XenStore connection (xs_ops.c operations, xs_watch.c watches)
 *	power.c		shutdown requests, switching off
 *	front.c		the front-end kit (front_io.c: rings, channels, keys)
 *	xenbus.c	devices
 */
#include <linux/module.h>

#include "guest/linux/internal.h"

static int __init paravane_init(void)
{
	int err = paravane_detect();

	if (err)
		return err;
	err = paravane_evtchn_init();
	if (err)
		return err;
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
	err = paravane_xenbus_init();
	if (err)
		goto front;
	return 0;

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
	return err;
}

static void __exit paravane_exit(void)
{
	paravane_xenbus_exit();
	paravane_front_exit();
	paravane_power_exit();
	paravane_xs_exit();
	paravane_gnttab_exit();
	paravane_upcall_exit();
	paravane_evtchn_exit();
}

module_init(paravane_init);
module_exit(paravane_exit);

MODULE_DESCRIPTION("Xen's paravirtual interface for a stock kernel");
MODULE_AUTHOR("The Paravane authors");
MODULE_LICENSE("GPL");
