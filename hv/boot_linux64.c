// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 64-bit Linux boot protocol: long mode, flat segments, identity-mapped memory, rsi = zero page.
 */
#include <asm/bootparam.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "hv/boot.h"
#include "hv/domain.h"
#include "hv/vcpu.h"

#define BOOT_FLAG 0xaa55
#define HEADER_MAGIC 0x53726448 /* "HdrS" */
#define PROTOCOL_VERSION 0x020f
#define LOADER_UNDEFINED 0xff

#define BOOT_CS 0x10 /* what the protocol calls __BOOT_CS and __BOOT_DS */
#define BOOT_DS 0x18
#define GDT_CODE64 0x00af9b000000ffffULL
#define GDT_DATA 0x00cf93000000ffffULL

#define CR0_PE (1ULL << 0)
#define CR0_ET (1ULL << 4)
#define CR0_PG (1ULL << 31)
#define CR4_PAE (1ULL << 5)
#define EFER_LME (1ULL << 8)
#define EFER_LMA (1ULL << 10)

#define PTE_TABLE 0x3 /* present, writable */
#define PTE_HUGE 0x83 /* and 2 MiB */
#define PTES 512
#define IDENTITY_GIB 4

static void linux64_zero_page(struct domain *d, const struct boot *boot, struct boot_params *bp)
{
	struct boot_range range[BOOT_RANGES];

	bp->hdr.boot_flag = BOOT_FLAG;
	bp->hdr.header = HEADER_MAGIC;
	bp->hdr.version = PROTOCOL_VERSION;
	bp->hdr.type_of_loader = LOADER_UNDEFINED;
	bp->hdr.loadflags = LOADED_HIGH;
	bp->hdr.cmd_line_ptr = BOOT_CMDLINE_GPA;
	bp->hdr.cmdline_size = BOOT_CMDLINE_MAX - 1;
	if (boot->initrd_fd >= 0) {
		bp->hdr.ramdisk_image = boot->initrd_gpa;
		bp->hdr.ramdisk_size = boot->initrd_size;
		bp->ext_ramdisk_size = boot->initrd_size >> 32;
	}
	bp->acpi_rsdp_addr = boot->rsdp;
	bp->e820_entries = boot_memory_map(d, range);
	for (unsigned int i = 0; i < bp->e820_entries; i++)
		bp->e820_table[i] =
			(struct boot_e820_entry){ range[i].addr, range[i].size, range[i].type };
}

/* One top table, one below it, and a table of 2 MiB pages for each GiB */
static void linux64_page_tables(uint64_t *table)
{
	uint64_t *top = table, *second = table + PTES, *pages = table + 2 * PTES;

	top[0] = (BOOT_PAGE_TABLES_GPA + PAGE_SIZE) | PTE_TABLE;
	for (uint64_t i = 0; i < IDENTITY_GIB; i++)
		second[i] = (BOOT_PAGE_TABLES_GPA + (2 + i) * PAGE_SIZE) | PTE_TABLE;
	for (uint64_t i = 0; i < IDENTITY_GIB * PTES; i++)
		pages[i] = i << 21 | PTE_HUGE;
}

static int linux64_registers(struct vcpu *v, uint64_t entry)
{
	const struct kvm_segment code = { .limit = 0xffffffff,
					  .selector = BOOT_CS,
					  .type = 0xb,
					  .present = 1,
					  .s = 1,
					  .l = 1,
					  .g = 1 };
	const struct kvm_segment data = { .limit = 0xffffffff,
					  .selector = BOOT_DS,
					  .type = 0x3,
					  .present = 1,
					  .db = 1,
					  .s = 1,
					  .g = 1 };
	struct kvm_regs regs = { .rip = entry, .rsi = BOOT_PARAMS_GPA, .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(v->fd, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.gdt.base = BOOT_GDT_GPA;
	sregs.gdt.limit = 4 * sizeof(uint64_t) - 1;
	sregs.cr0 = CR0_PE | CR0_ET | CR0_PG;
	sregs.cr3 = BOOT_PAGE_TABLES_GPA;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME | EFER_LMA;
	if (ioctl(v->fd, KVM_SET_SREGS, &sregs) || ioctl(v->fd, KVM_SET_REGS, &regs))
		return -errno;
	return 0;
}

int boot_linux64(struct domain *d, const struct boot *boot)
{
	static const uint64_t gdt[] = { 0, 0, GDT_CODE64, GDT_DATA };
	void *gdt_va = mem_range(d, BOOT_GDT_GPA, sizeof(gdt));
	void *params = mem_range(d, BOOT_PARAMS_GPA, sizeof(struct boot_params));
	void *tables = mem_range(d, BOOT_PAGE_TABLES_GPA, (2 + IDENTITY_GIB) * PAGE_SIZE);
	char *cmdline = mem_range(d, BOOT_CMDLINE_GPA, BOOT_CMDLINE_MAX);

	if (!gdt_va || !params || !tables || !cmdline)
		return -EFAULT;
	memcpy(gdt_va, gdt, sizeof(gdt));
	linux64_zero_page(d, boot, params);
	linux64_page_tables(tables);
	memcpy(cmdline, boot->cmdline, strlen(boot->cmdline) + 1);
	return linux64_registers(d->vcpu[0], boot->kernel.entry);
}
