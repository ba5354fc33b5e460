// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

static void multicall(void)
{
	struct multicall_entry calls[3] = {
		{ .op = __HYPERVISOR_xen_version, .args = { XENVER_version } },
		{ .op = 63 },
		{ .op = __HYPERVISOR_xen_version, .args = { XENVER_pagesize } },
	};
	struct multicall_entry nested = { .op = __HYPERVISOR_multicall,
					  .args = { (unsigned long)calls, 1 } };

	check("multicall", hypercall(__HYPERVISOR_multicall, (unsigned long)calls, 3, 0), 0);
	check_true("multicall: a result each", calls[0].result == (4 << 16 | 17) &&
						       (long)calls[1].result == -XEN_ENOSYS &&
						       calls[2].result == PAGE_SIZE);
	hypercall(__HYPERVISOR_multicall, (unsigned long)&nested, 1, 0);
	check("multicall: nested", nested.result, -XEN_EINVAL);
	check("multicall: bad pointer", hypercall(__HYPERVISOR_multicall, UNMAPPED, 1, 0),
	      -XEN_EFAULT);
}

/* Numbers that Xen does not offer to such a guest, or that do not exist */
static void unserved(void)
{
	static const unsigned long nrs[] = { 0,	 1,  2,	 6,  8,	 11, 14, 16, 19,   22,
					     23, 25, 26, 27, 28, 30, 31, 33, 37,   38,
					     39, 40, 41, 42, 43, 48, 63, 64, 1000, 0xffffffff };
	long got = -XEN_ENOSYS;

	for (unsigned int i = 0; i < ARRAY_SIZE(nrs) && got == -XEN_ENOSYS; i++)
		got = hypercall(nrs[i], (unsigned long)scratch[0], 1, 0);
	check("hypercalls that are not served", got, -XEN_ENOSYS);
}

/* Domain 0's; the versions of Xen 4.17 */
static void privileged(void)
{
	static const struct {
		const char *name, *other_version, *bad_pointer;
		unsigned int nr;
		uint32_t version;
	} ops[] = {
		{ "sysctl", "sysctl: another version", "sysctl: bad pointer", __HYPERVISOR_sysctl,
		  0x15 },
		{ "domctl", "domctl: another version", "domctl: bad pointer", __HYPERVISOR_domctl,
		  0x15 },
		{ "platform_op", "platform_op: another version", "platform_op: bad pointer",
		  __HYPERVISOR_platform_op, 0x03000001 },
	};
	uint32_t op[] = { 1, 0, 0, 0 };

	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		op[1] = ops[i].version;
		check(ops[i].name, hypercall(ops[i].nr, (unsigned long)op, 0, 0), -XEN_EPERM);
		op[1]++;
		check(ops[i].other_version, hypercall(ops[i].nr, (unsigned long)op, 0, 0),
		      -XEN_EACCES);
		check(ops[i].bad_pointer, hypercall(ops[i].nr, UNMAPPED, 0, 0), -XEN_EFAULT);
	}
}

void test_misc(void)
{
	static const char text[] = "written with console_io\n";

	multicall();
	unserved();
	privileged();
	check("console_io write",
	      hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, sizeof(text) - 1,
			(unsigned long)text),
	      0);
	check("console_io write: bad pointer",
	      hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, 8, UNMAPPED), -XEN_EFAULT);
	check("console_io read",
	      hypercall(__HYPERVISOR_console_io, CONSOLEIO_read, 8, (unsigned long)scratch[0]),
	      -XEN_ENOSYS);
	check("vm_assist runstate_update_flag",
	      hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag,
			0),
	      0);
	check("vm_assist: no such type",
	      hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, 63, 0), -XEN_EINVAL);
	check("vm_assist: no such command",
	      hypercall(__HYPERVISOR_vm_assist, 9, VMASST_TYPE_runstate_update_flag, 0),
	      -XEN_ENOSYS);
}
