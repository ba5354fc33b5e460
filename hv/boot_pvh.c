// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PVH entry (xen-public/arch-x86/hvm/start_info.h): 32-bit protected mode without paging, flat
 * segments, ebx = hvm_start_info.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "hv/boot.h"
#include "hv/domain.h"
#include "hv/vcpu.h"

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

static int pvh_registers(struct vcpu *v, uint32_t entry)
{
	const struct kvm_segment code = { .limit = 0xffffffff,
					  .selector = BOOT_CS,
					  .type = 0xb,
					  .present = 1,
					  .db = 1,
					  .s = 1,
					  .g = 1 };
	const struct kvm_segment data = { .limit = 0xffffffff,
					  .selector = BOOT_DS,
					  .type = 0x3,
					  .present = 1,
					  .db = 1,
					  .s = 1,
					  .g = 1 };
	const struct kvm_segment tss = {
		.limit = TSS_LIMIT, .selector = BOOT_TSS, .type = 0xb, .present = 1
	};
	struct kvm_regs regs = { .rip = entry, .rbx = BOOT_PARAMS_GPA, .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(v->fd, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.tr = tss;
	sregs.gdt.base = BOOT_GDT_GPA;
	sregs.gdt.limit = 4 * sizeof(uint64_t) - 1;
	sregs.cr0 = CR0_PE | CR0_ET;
	sregs.cr3 = 0;
	sregs.cr4 = 0;
	sregs.efer = 0;
	if (ioctl(v->fd, KVM_SET_SREGS, &sregs) || ioctl(v->fd, KVM_SET_REGS, &regs))
		return -errno;
	return 0;
}

int boot_pvh(struct domain *d, const struct boot *boot)
{
	static const uint64_t gdt[] = { 0, GDT_CODE32, GDT_DATA, GDT_TSS };
	void *gdt_va = mem_range(d, BOOT_GDT_GPA, sizeof(gdt));
	void *info = mem_range(d, BOOT_PARAMS_GPA, sizeof(struct pvh_info));
	char *cmdline = mem_range(d, BOOT_CMDLINE_GPA, BOOT_CMDLINE_MAX);

	if (!gdt_va || !info || !cmdline)
		return -EFAULT;
	memcpy(gdt_va, gdt, sizeof(gdt));
	pvh_start_info(d, boot, info);
	memcpy(cmdline, boot->cmdline, strlen(boot->cmdline) + 1);
	return pvh_registers(d->vcpu[0], boot->kernel.pvh_entry);
}
