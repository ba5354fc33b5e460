// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "hv/domain.h"
#include "hv/hypercall.h"
#include "hv/hypercalls.h"
#include "hv/mem.h"
#include "hv/vcpu.h"

#include <xen-public/features.h>
#include <xen-public/version.h>

/* The Xen whose ABI this is; CPUID says the same */
#define XEN_MAJOR 4
#define XEN_MINOR 17

/* What a 64-bit hypervisor answers to a guest without a view of its address space */
#define VIRT_START 0xffff800000000000ULL

static const uint32_t features =
	1u << XENFEAT_writable_page_tables | 1u << XENFEAT_auto_translated_physmap |
	1u << XENFEAT_hvm_callback_vector | 1u << XENFEAT_hvm_safe_pvclock |
	1u << XENFEAT_memory_op_vnode_supported | 1u << XENFEAT_not_direct_mapped;

#define ANSWER(type, ...)                                  \
	{                                                  \
		&(const type){ __VA_ARGS__ }, sizeof(type) \
	}

/* What is the same for every guest at any time */
static const struct {
	const void *data;
	size_t size;
} answers[] = {
	[XENVER_extraversion] = ANSWER(xen_extraversion_t, ".0-paravane"),
	[XENVER_compile_info] = ANSWER(struct xen_compile_info, .compiler = "cc " __VERSION__,
				       .compile_by = "paravane"),
	[XENVER_capabilities] = ANSWER(xen_capabilities_info_t, "hvm-3.0-x86_64 "),
	[XENVER_changeset] = ANSWER(xen_changeset_info_t, ""),
	[XENVER_platform_parameters] = ANSWER(struct xen_platform_parameters, VIRT_START),
	[XENVER_guest_handle] = ANSWER(xen_domain_handle_t, 0),
	[XENVER_commandline] = ANSWER(xen_commandline_t, ""),
};

static long op_get_features(struct vcpu *v, gva_t arg)
{
	struct xen_feature_info info;

	if (mem_read_gva(v, &info, arg, sizeof(info)))
		return -EFAULT;
	if (info.submap_idx >= XENFEAT_NR_SUBMAPS)
		return -EINVAL;
	info.submap = features;
	return mem_write_gva(v, arg, &info, sizeof(info));
}

/* As a Xen that was linked without one */
static long op_build_id(struct vcpu *v, gva_t arg)
{
	struct xen_build_id id;

	if (arg && mem_read_gva(v, &id, arg, sizeof(id)))
		return -EFAULT;
	return arg && !id.len ? -EINVAL : -ENODATA;
}

long hc_xen_version(struct vcpu *v, const uint64_t *arg)
{
	uint32_t cmd = arg[0];
	size_t size;

	switch (cmd) {
	case XENVER_version:
		return XEN_MAJOR << 16 | XEN_MINOR;
	case XENVER_pagesize:
		return arg[1] ? -EINVAL : (long)PAGE_SIZE;
	case XENVER_get_features:
		return op_get_features(v, arg[1]);
	case XENVER_build_id:
		return op_build_id(v, arg[1]);
	}
	if (cmd >= ARRAY_SIZE(answers) || !answers[cmd].data)
		return hypercall_unserved(v->domain, __HYPERVISOR_xen_version, cmd);
	size = answers[cmd].size;
	/* The one answer whose width is the caller's; its upper half is what a long one adds. */
	if (cmd == XENVER_platform_parameters && !vcpu_long_mode(v))
		size = sizeof(uint32_t);
	return mem_write_gva(v, arg[1], answers[cmd].data, size);
}
