// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only file that includes Linux's own Xen headers.
 */
#include <linux/types.h>
#include <xen/xen.h>

bool paravane_intree_xen_active(void);

/**
 * paravane_intree_xen_active() - does the kernel itself run as a Xen guest?
 *
 * Then shared_info, the grant table and XenStore are its own and not ours to take.
 */
bool paravane_intree_xen_active(void)
{
	return xen_domain();
}
