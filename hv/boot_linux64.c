// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 64-bit Linux boot protocol: long mode, flat segments, identity-mapped memory, rsi = zero page.
 */
#include <asm/bootparam.h>
#include <errno.h>

#include "hv/boot.h"
#include "hv/domain.h"

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

int boot_linux64(struct domain *d, const struct boot *boot)
{
	const struct boot_entry entry = {
		.gdt = { 0, 0, GDT_CODE64, GDT_DATA },
		.cs = BOOT_CS,
		.ds = BOOT_DS,
		.cr0 = CR0_PE | CR0_ET | CR0_PG,
		.cr3 = BOOT_PAGE_TABLES_GPA,
		.cr4 = CR4_PAE,
		.efer = EFER_LME | EFER_LMA,
		.regs = { .rip = boot->kernel.entry, .rsi = BOOT_PARAMS_GPA, .rflags = 2 },
	};
	void *params = mem_range(d, BOOT_PARAMS_GPA, sizeof(struct boot_params));
	void *tables = mem_range(d, BOOT_PAGE_TABLES_GPA, (2 + IDENTITY_GIB) * PAGE_SIZE);

	if (!params || !tables)
		return -EFAULT;
	linux64_zero_page(d, boot, params);
	linux64_page_tables(tables);
	return boot_enter(d, boot, &entry);
}
