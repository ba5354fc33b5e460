// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

#define PAGE_MSR 0x40000000

static void bad_pointers(void)
{
	static const struct {
		const char *name;
		unsigned int cmd;
	} ops[] = {
		{ "xen_version extraversion: bad pointer", XENVER_extraversion },
		{ "xen_version compile_info: bad pointer", XENVER_compile_info },
		{ "xen_version capabilities: bad pointer", XENVER_capabilities },
		{ "xen_version changeset: bad pointer", XENVER_changeset },
		{ "xen_version platform_parameters: bad pointer", XENVER_platform_parameters },
		{ "xen_version get_features: bad pointer", XENVER_get_features },
		{ "xen_version guest_handle: bad pointer", XENVER_guest_handle },
		{ "xen_version commandline: bad pointer", XENVER_commandline },
		{ "xen_version build_id: bad pointer", XENVER_build_id },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		check_bad_pointers(ops[i].name, __HYPERVISOR_xen_version, ops[i].cmd, 0);
}

/* The page that older guests call instead of executing the instruction themselves */
static void hypercall_page(void)
{
	long ret;

	wrmsr(PAGE_MSR, (unsigned long)scratch[3]);
	__asm__ volatile("call *%1"
			 : "=a"(ret)
			 : "r"(scratch[3] + 32 * __HYPERVISOR_xen_version), "D"(XENVER_version),
			   "S"(0)
			 : "memory", "rcx", "r11");
	check("hypercall page: xen_version", ret, 4 << 16 | 17);
}

void test_version(void)
{
	struct xen_feature_info fi = { .submap_idx = 0 };
	unsigned char text[1024] = { 1 };

	check("xen_version version", version_op(XENVER_version, 0), 4 << 16 | 17);
	check("xen_version get_features", version_op(XENVER_get_features, &fi), 0);
	check_true("xen_version get_features: an HVM guest's",
		   (fi.submap & 1u << XENFEAT_auto_translated_physmap) &&
			   (fi.submap & 1u << XENFEAT_hvm_callback_vector) &&
			   (fi.submap & 1u << XENFEAT_hvm_safe_pvclock) &&
			   !(fi.submap & 1u << XENFEAT_hvm_pirqs));
	fi.submap_idx = 1;
	check("xen_version get_features: no such submap", version_op(XENVER_get_features, &fi),
	      -XEN_EINVAL);
	check("xen_version pagesize", version_op(XENVER_pagesize, 0), PAGE_SIZE);
	check("xen_version pagesize: with a pointer", version_op(XENVER_pagesize, text),
	      -XEN_EINVAL);
	check("xen_version capabilities", version_op(XENVER_capabilities, text), 0);
	check_true("xen_version capabilities: hvm",
		   text[0] == 'h' && text[1] == 'v' && text[2] == 'm');
	check("xen_version extraversion", version_op(XENVER_extraversion, text), 0);
	check("xen_version compile_info", version_op(XENVER_compile_info, text), 0);
	check("xen_version changeset", version_op(XENVER_changeset, text), 0);
	check("xen_version platform_parameters", version_op(XENVER_platform_parameters, text), 0);
	check("xen_version guest_handle", version_op(XENVER_guest_handle, text), 0);
	check("xen_version commandline", version_op(XENVER_commandline, text), 0);
	check("xen_version build_id", version_op(XENVER_build_id, 0), -XEN_ENODATA);
	check("xen_version: unknown command", version_op(99, text), -XEN_ENOSYS);
	bad_pointers();
	hypercall_page();
}
