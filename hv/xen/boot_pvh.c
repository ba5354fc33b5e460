// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PVH entry (xen-public/arch-x86/hvm/start_info.h): 32-bit protected mode without paging, flat
 * segments, ebx = hvm_start_info.
 */
#include <errno.h>

#include "hv/boot.h"
#include "hv/domain.h"

#include <xen-public/arch-x86/hvm/start_info.h>

#define BOOT_CS 0x08
#define BOOT_DS 0x10
#define BOOT_TSS 0x18
#define GDT_CODE32 0x00cf9b000000ffffULL
#define GDT_DATA 0x00cf93000000ffffULL
#define GDT_TSS 0x00008b0000000067ULL
#define TSS_LIMIT 0x67
#define CR0_PE (1ULL << 0)
#define CR0_ET (1ULL << 4)

/** struct pvh_info - the page at BOOT_PARAMS_GPA */
struct pvh_info {
	struct hvm_start_info start;
	struct hvm_modlist_entry module;
	struct hvm_memmap_table_entry map[BOOT_RANGES];
};

static void pvh_start_info(struct domain *d, const struct boot *boot, struct pvh_info *info)
{
	struct boot_range range[BOOT_RANGES];

	info->start.magic = XEN_HVM_START_MAGIC_VALUE;
	info->start.version = 1;
	info->start.cmdline_paddr = BOOT_CMDLINE_GPA;
	info->start.rsdp_paddr = boot->rsdp;
	if (boot->initrd_fd >= 0) {
		info->start.nr_modules = 1;
		info->start.modlist_paddr = BOOT_PARAMS_GPA + offsetof(struct pvh_info, module);
		info->module.paddr = boot->initrd_gpa;
		info->module.size = boot->initrd_size;
	}
	info->start.memmap_paddr = BOOT_PARAMS_GPA + offsetof(struct pvh_info, map);
	info->start.memmap_entries = boot_memory_map(d, range);
	for (unsigned int i = 0; i < info->start.memmap_entries; i++) {
		info->map[i].addr = range[i].addr;
		info->map[i].size = range[i].size;
		info->map[i].type = range[i].type;
	}
}

int boot_pvh(struct domain *d, const struct boot *boot)
{
	const struct boot_entry entry = {
		.gdt = { 0, GDT_CODE32, GDT_DATA, GDT_TSS },
		.cs = BOOT_CS,
		.ds = BOOT_DS,
		.tr = { .limit = TSS_LIMIT, .selector = BOOT_TSS, .type = 0xb, .present = 1 },
		.cr0 = CR0_PE | CR0_ET,
		.regs = { .rip = boot->kernel.pvh_entry, .rbx = BOOT_PARAMS_GPA, .rflags = 2 },
	};
	void *info = mem_range(d, BOOT_PARAMS_GPA, sizeof(struct pvh_info));

	if (!info)
		return -EFAULT;
	pvh_start_info(d, boot, info);
	return boot_enter(d, boot, &entry);
}
