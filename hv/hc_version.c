// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

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

static long put(struct vcpu *v, gva_t to, const void *from, size_t len)
{
	return mem_write_gva(v, to, from, len);
}

static long op_version(struct vcpu *v, gva_t arg)
{
	(void)v;
	(void)arg;
	return XEN_MAJOR << 16 | XEN_MINOR;
}

static long op_extraversion(struct vcpu *v, gva_t arg)
{
	xen_extraversion_t text = ".0-paravane";

	return put(v, arg, text, sizeof(text));
}

static long op_compile_info(struct vcpu *v, gva_t arg)
{
	struct xen_compile_info info = { .compile_by = "paravane" };

	snprintf(info.compiler, sizeof(info.compiler), "gcc %s", __VERSION__);
	return put(v, arg, &info, sizeof(info));
}

static long op_capabilities(struct vcpu *v, gva_t arg)
{
	xen_capabilities_info_t text = "hvm-3.0-x86_64 ";

	return put(v, arg, text, sizeof(text));
}

static long op_changeset(struct vcpu *v, gva_t arg)
{
	xen_changeset_info_t text = "";

	return put(v, arg, text, sizeof(text));
}

static long op_platform_parameters(struct vcpu *v, gva_t arg)
{
	struct xen_platform_parameters params = { .virt_start = VIRT_START };

	return put(v, arg, &params, sizeof(params));
}

static long op_get_features(struct vcpu *v, gva_t arg)
{
	struct xen_feature_info info;

	if (mem_read_gva(v, &info, arg, sizeof(info)))
		return -EFAULT;
	if (info.submap_idx >= XENFEAT_NR_SUBMAPS)
		return -EINVAL;
	info.submap = features;
	return put(v, arg, &info, sizeof(info));
}

static long op_pagesize(struct vcpu *v, gva_t arg)
{
	(void)v;
	return arg ? -EINVAL : (long)PAGE_SIZE;
}

static long op_guest_handle(struct vcpu *v, gva_t arg)
{
	xen_domain_handle_t handle = { 0 };

	return put(v, arg, handle, sizeof(handle));
}

static long op_commandline(struct vcpu *v, gva_t arg)
{
	xen_commandline_t text = "";

	return put(v, arg, text, sizeof(text));
}

/* As a Xen that was linked without one */
static long op_build_id(struct vcpu *v, gva_t arg)
{
	struct xen_build_id id;

	if (arg && mem_read_gva(v, &id, arg, sizeof(id)))
		return -EFAULT;
	return arg && !id.len ? -EINVAL : -ENODATA;
}

static long (*const ops[])(struct vcpu *v, gva_t arg) = {
	[XENVER_version] = op_version,
	[XENVER_extraversion] = op_extraversion,
	[XENVER_compile_info] = op_compile_info,
	[XENVER_capabilities] = op_capabilities,
	[XENVER_changeset] = op_changeset,
	[XENVER_platform_parameters] = op_platform_parameters,
	[XENVER_get_features] = op_get_features,
	[XENVER_pagesize] = op_pagesize,
	[XENVER_guest_handle] = op_guest_handle,
	[XENVER_commandline] = op_commandline,
	[XENVER_build_id] = op_build_id,
};

long hc_xen_version(struct vcpu *v, const uint64_t *arg)
{
	uint32_t cmd = arg[0];

	if (cmd >= ARRAY_SIZE(ops) || !ops[cmd])
		return hypercall_unserved(v->domain, __HYPERVISOR_xen_version, cmd);
	return ops[cmd](v, arg[1]);
}
