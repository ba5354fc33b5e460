// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

/*
 * Every number, from user mode; user mode is allowed the port, so that it is the hypervisor that
 * refuses
 */
void test_user(void)
{
	long got = -XEN_EPERM;

	for (unsigned long nr = 0; nr < 64 && got == -XEN_EPERM; nr++)
		got = user_hypercall(nr, transport);
	check("every hypercall from user mode", got, -XEN_EPERM);
	check("and the kernel's still work", version_op(XENVER_version, 0), 4 << 16 | 17);
}
