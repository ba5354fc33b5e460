/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a kernel file to a vCPU that is about to execute its first instruction.
 *
 *   boot_open()     read the files, unpack a bzImage, check the ELF; no domain needed. Does it all
 *                   fit into the memory asked for?
 *   boot_load()     kernel, initrd, tables into guest RAM; boot vCPU's registers
 *
 * Guest memory below 1 MiB, as the builder leaves it; the kernel is from 1 MiB upwards, the initrd at
 * the end of RAM below 4 GiB.
 */
#ifndef HV_BOOT_H
#define HV_BOOT_H

#include <elf.h>
#include <linux/kvm.h>

#include "hv/config.h"
#include "hv/types.h"

#define BOOT_GDT_GPA 0x500
#define BOOT_PARAMS_GPA 0x7000 /* Linux's zero page, or hvm_start_info and what it points to */
#define BOOT_PAGE_TABLES_GPA 0x9000
#define BOOT_CMDLINE_GPA 0x20000
#define BOOT_CMDLINE_MAX 4096
#define BOOT_APPEND_MAX 4000 /* of which the user may fill */
#define BOOT_LOW_RAM_END 0xa0000
/* Reserved in the memory map: ACPI tables, and the two pages every Xen guest gets */
#define BOOT_RESERVED_GPA 0xe0000
#define BOOT_RESERVED_END 0x100000
#define BOOT_ACPI_GPA 0xe0000
#define BOOT_ACPI_END 0xee000
#define BOOT_STORE_GPA 0xee000
#define BOOT_CONSOLE_GPA 0xef000
#define BOOT_RESET_GPA \
	0xffff0 /* where a processor starts; a few instructions that reset the guest */
#define BOOT_KERNEL_MIN_GPA 0x100000

#define KERNEL_SEGMENTS 16

/**
 * struct kernel - an ELF kernel, checked but not loaded
 * @fd: file that holds the ELF, or -1 if it was unpacked to @data
 * @data: the unpacked ELF, @size bytes from mmap(), or NULL
 * @size: of the ELF
 * @first, @last: bounds of the physical addresses it occupies
 * @entry: physical address of the 64-bit entry, 0 for a 32-bit ELF
 * @pvh_entry: of the 32-bit PVH entry, 0 without a note
 * @xen_linux: its notes say that it is Linux with Xen support
 * @hypercall_page: and that it makes its hypercalls through a page it gets from the hypervisor
 */
struct kernel {
	int fd;
	uint8_t *data;
	size_t size;
	gpa_t first, last;
	uint64_t entry;
	uint32_t pvh_entry;
	bool xen_linux, hypercall_page;
	unsigned int nr_segments;
	Elf64_Phdr segment[KERNEL_SEGMENTS];
};

/** struct boot - what is to be booted: kernel and open initrd (@initrd_fd is -1 without one) */
struct boot {
	struct kernel kernel;
	int initrd_fd;
	uint64_t initrd_size;
	gpa_t initrd_gpa;
	gpa_t rsdp;
	char cmdline[BOOT_CMDLINE_MAX];
};

/** kernel_open - open and check @path; 0, or -errno after printing one line that names it */
int kernel_open(const char *path, struct kernel *kernel);
void kernel_close(struct kernel *kernel);

/** kernel_read - copy @len bytes of the ELF from @offset to @dst; 0, or -EIO or pread()'s */
int kernel_read(const struct kernel *kernel, uint64_t offset, void *dst, size_t len);

/**
 * bzimage_unpack - if @kernel->fd is a bzImage, replace it by the ELF inside
 *
 * Return: 0, 1 if it is no bzImage, or -errno after printing one line.
 */
int bzimage_unpack(const char *path, struct kernel *kernel);

/**
 * elf32_read_header, elf32_read_segment - read a header of a 32-bit ELF, widened; it gets no 64-bit entry
 *
 * Return: 0 or -errno, as kernel_read() does.
 */
int elf32_read_header(const struct kernel *kernel, Elf64_Ehdr *eh);
int elf32_read_segment(const struct kernel *kernel, uint64_t offset, Elf64_Phdr *ph);

/** elf_check - fill in @kernel from its ELF headers; 0, or -errno after printing one line */
int elf_check(const char *path, struct kernel *kernel);
/** boot_read_notes - fill in what the notes say; malformed ones are as good as none */
void boot_read_notes(struct kernel *kernel, const Elf64_Phdr *ph);
/** elf_load - copy the segments into guest RAM, which boot_open() found large enough; 0 or -errno */
int elf_load(struct domain *d, const struct kernel *kernel);

/** boot_open - kernel and initrd of @config; 0, or -errno after printing one line */
int boot_open(const struct config *config, struct boot *boot);
void boot_close(struct boot *boot);

/** boot_load - prepare memory and vCPU 0 of @d; 0, or -errno after printing one line */
int boot_load(struct domain *d, struct boot *boot);

/** struct boot_range - a row of the memory map; @type as in E820 */
struct boot_range {
	gpa_t addr;
	uint64_t size;
	uint32_t type;
};

#define BOOT_RANGES 4
enum { BOOT_RANGE_RAM = 1, BOOT_RANGE_RESERVED = 2 };

/** boot_memory_map - fill @range; how many rows */
unsigned int boot_memory_map(const struct domain *d, struct boot_range range[BOOT_RANGES]);

#define BOOT_GDT_ENTRIES 4

/**
 * struct boot_entry - the state the boot vCPU starts in, with flat segments
 * @gdt: for BOOT_GDT_GPA
 * @cs, @ds: selectors; 64-bit code if @efer is not 0
 * @tr: as it is after a reset if not present
 */
struct boot_entry {
	uint64_t gdt[BOOT_GDT_ENTRIES];
	uint16_t cs, ds;
	struct kvm_segment tr;
	uint64_t cr0, cr3, cr4, efer;
	struct kvm_regs regs;
};

/** boot_enter - command line and GDT into memory, @entry into vCPU 0; 0 or -errno */
int boot_enter(struct domain *d, const struct boot *boot, const struct boot_entry *entry);

/**
 * boot_patch_stubs - on the port transport have Linux's own Xen code use it
 * @kernel: loaded
 *
 * Replaces the hypercall instructions of a Linux that executes them itself; others are left alone.
 * Return: 0, or -ENOEXEC after printing one line if not exactly what we know is found.
 */
int boot_patch_stubs(struct domain *d, const struct kernel *kernel);

/** boot_linux64 - enter at the 64-bit Linux boot protocol; 0 or -errno */
int boot_linux64(struct domain *d, const struct boot *boot);
/** boot_pvh - enter at the 32-bit PVH entry; 0 or -errno */
int boot_pvh(struct domain *d, const struct boot *boot);

#endif /* HV_BOOT_H */
