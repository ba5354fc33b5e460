// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hv/acpi.h"
#include "hv/domain.h"
#include "hv/log.h"
#include "hv/mem.h"
#include "hv/pio.h"
#include "hv/vcpu.h"

#define MIB (1ULL << 20)
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MTRR_ENABLED_WRITE_BACK (1 << 11 | 6)

int kernel_read(const struct kernel *kernel, uint64_t offset, void *dst, size_t len)
{
	uint8_t *p = dst;

	if (offset > kernel->size || len > kernel->size - offset)
		return -EIO;
	if (kernel->data) {
		memcpy(dst, kernel->data + offset, len);
		return 0;
	}
	while (len) {
		ssize_t n = pread(kernel->fd, p, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		p += n;
		offset += n;
		len -= n;
	}
	return 0;
}

/* Open a regular file to boot from; @what names its part in messages. */
static int boot_file_open(const char *what, const char *path, uint64_t *size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0 || fstat(fd, &st))
		ret = -errno;
	else if (S_ISDIR(st.st_mode))
		ret = -EISDIR;
	if (!ret && !S_ISREG(st.st_mode)) {
		pr_err("%s %s: not a regular file", what, path);
		ret = -EINVAL;
	} else if (!ret && !st.st_size) {
		pr_err("%s %s: the file is empty", what, path);
		ret = -EINVAL;
	} else if (ret) {
		pr_err("%s %s: %s", what, path, ret == -EISDIR ? "is a directory" : strerror(-ret));
	}
	if (ret) {
		if (fd >= 0)
			close(fd);
		return ret;
	}
	*size = st.st_size;
	return fd;
}

int kernel_open(const char *path, struct kernel *kernel)
{
	uint64_t size;
	int ret;

	*kernel = (struct kernel){ .fd = -1 };
	ret = boot_file_open("kernel", path, &size);
	if (ret < 0)
		return ret;
	kernel->fd = ret;
	kernel->size = size;
	ret = bzimage_unpack(path, kernel);
	if (ret >= 0)
		ret = elf_check(path, kernel);
	if (ret)
		kernel_close(kernel);
	return ret;
}

void kernel_close(struct kernel *kernel)
{
	if (kernel->data)
		munmap(kernel->data, kernel->size);
	if (kernel->fd >= 0)
		close(kernel->fd);
	*kernel = (struct kernel){ .fd = -1 };
}

/* Both sit below 4 GiB, the kernel where it was linked to, the initrd at the end. */
static int boot_check_memory(const struct config *config, struct boot *boot)
{
	uint64_t low = config->memory < MEM_LOW_MAX ? config->memory : MEM_LOW_MAX;
	uint64_t initrd = (boot->initrd_size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
	uint64_t need = boot->kernel.last + initrd;

	if (need < initrd || need > low) {
		pr_err("memory of %llu MiB is too small: the kernel ends at %llu MiB%s%s",
		       (unsigned long long)(config->memory / MIB),
		       (unsigned long long)((boot->kernel.last + MIB - 1) / MIB),
		       initrd ? " and the initrd comes on top: " : "",
		       initrd ? config->initrd : "");
		return -ENOMEM;
	}
	boot->initrd_gpa = (low - initrd) & ~(uint64_t)(PAGE_SIZE - 1);
	return 0;
}

int boot_open(const struct config *config, struct boot *boot)
{
	int ret;

	*boot = (struct boot){ .kernel.fd = -1, .initrd_fd = -1 };
	if (strlen(config->append) > BOOT_APPEND_MAX) {
		pr_err("--append is longer than %d bytes", BOOT_APPEND_MAX);
		return -E2BIG;
	}
	ret = kernel_open(config->kernel, &boot->kernel);
	if (ret)
		return ret;
	if (config->profile == PROFILE_XEN && !boot->kernel.pvh_entry) {
		pr_err("kernel %s: no PVH entry note, which profile xen needs", config->kernel);
		ret = -ENOEXEC;
	} else if (config->profile != PROFILE_XEN && !boot->kernel.entry) {
		pr_err("kernel %s: a 32-bit ELF, which only profile xen boots", config->kernel);
		ret = -ENOEXEC;
	}
	if (!ret && config->initrd) {
		ret = boot_file_open("initrd", config->initrd, &boot->initrd_size);
		if (ret >= 0) {
			boot->initrd_fd = ret;
			ret = 0;
		}
	}
	if (!ret)
		ret = boot_check_memory(config, boot);
	if (ret)
		boot_close(boot);
	return ret;
}

void boot_close(struct boot *boot)
{
	kernel_close(&boot->kernel);
	if (boot->initrd_fd >= 0)
		close(boot->initrd_fd);
	boot->initrd_fd = -1;
}

static int boot_load_initrd(struct domain *d, const struct boot *boot)
{
	const struct kernel file = { .fd = boot->initrd_fd, .size = boot->initrd_size };
	void *va;

	if (boot->initrd_fd < 0)
		return 0;
	va = mem_range(d, boot->initrd_gpa, boot->initrd_size);
	return va ? kernel_read(&file, 0, va, boot->initrd_size) : -EFAULT;
}

/*
 * What the platform cannot tell a kernel in another way: there is no PCI (some kernels scan all of it on some
 * processors, 33,000 exits), and, where no clock of the hypervisor's helps, how fast the TSC is (there
 * is no other timer to measure it by). What the user says about either stays.
 */
static void boot_make_cmdline(const struct domain *d, struct boot *boot)
{
	const char *append = d->config->append;
	bool clockless = d->config->profile == PROFILE_NONE || d->config->nopv;
	char tsc[32] = "";

	if (clockless && !strstr(append, "tsc_early_khz="))
		snprintf(tsc, sizeof(tsc), " tsc_early_khz=%u", d->kvm.tsc_khz);
	snprintf(boot->cmdline, sizeof(boot->cmdline), "%s%s%s", append,
		 strstr(append, "pci=") ? "" : " pci=off", tsc);
}

/*
 * Where firmware would be. Linux with hardware-reduced ACPI reboots by EFI and, as there is none, by
 * jumping here in real mode.
 */
static int boot_write_reset(struct domain *d)
{
	static const uint8_t code[] = {
		0xba,
		ACPI_RESET_PORT & 0xff,
		ACPI_RESET_PORT >> 8, /* mov $port, %dx */
		0xb0,
		ACPI_RESET_VALUE, /* mov $value, %al */
		0xee, /* out %al, %dx */
		0xf4, /* hlt */
		0xeb,
		0xfd, /* jmp to the hlt */
	};
	void *va = mem_range(d, BOOT_RESET_GPA, sizeof(code));

	if (!va)
		return -EFAULT;
	memcpy(va, code, sizeof(code));
	return 0;
}

/* Firmware would have done that: with MTRRs off all memory is uncached. */
static int boot_set_mtrr(struct vcpu *v)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {
		.head.nmsrs = 1,
		.entry = { .index = MSR_MTRR_DEF_TYPE, .data = MTRR_ENABLED_WRITE_BACK },
	};
	int ret = ioctl(v->fd, KVM_SET_MSRS, &msrs);

	return ret == 1 ? 0 : ret < 0 ? -errno : -EINVAL;
}

unsigned int boot_memory_map(const struct domain *d, struct boot_range range[BOOT_RANGES])
{
	uint64_t low = mem_low_bytes(d), high = mem_bytes(d) - low;
	unsigned int n = 0;

	range[n++] = (struct boot_range){ 0, BOOT_LOW_RAM_END, BOOT_RANGE_RAM };
	range[n++] = (struct boot_range){ BOOT_RESERVED_GPA, BOOT_RESERVED_END - BOOT_RESERVED_GPA,
					  BOOT_RANGE_RESERVED };
	range[n++] =
		(struct boot_range){ BOOT_RESERVED_END, low - BOOT_RESERVED_END, BOOT_RANGE_RAM };
	if (high)
		range[n++] = (struct boot_range){ MEM_HIGH_BASE, high, BOOT_RANGE_RAM };
	return n;
}

int boot_enter(struct domain *d, const struct boot *boot, const struct boot_entry *entry)
{
	struct kvm_segment data = { .limit = 0xffffffff, .selector = entry->ds, .type = 0x3 };
	char *cmdline = mem_range(d, BOOT_CMDLINE_GPA, BOOT_CMDLINE_MAX);
	void *gdt = mem_range(d, BOOT_GDT_GPA, sizeof(entry->gdt));
	int fd = d->vcpu[0]->fd;
	struct kvm_sregs sregs;

	if (!cmdline || !gdt)
		return -EFAULT;
	memcpy(cmdline, boot->cmdline, strlen(boot->cmdline) + 1);
	memcpy(gdt, entry->gdt, sizeof(entry->gdt));
	if (ioctl(fd, KVM_GET_SREGS, &sregs))
		return -errno;
	data.present = data.db = data.s = data.g = 1;
	sregs.cs = sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cs.selector = entry->cs;
	sregs.cs.type = 0xb;
	sregs.cs.l = entry->efer != 0;
	sregs.cs.db = !sregs.cs.l;
	if (entry->tr.present)
		sregs.tr = entry->tr;
	sregs.gdt.base = BOOT_GDT_GPA;
	sregs.gdt.limit = sizeof(entry->gdt) - 1;
	sregs.cr0 = entry->cr0;
	sregs.cr3 = entry->cr3;
	sregs.cr4 = entry->cr4;
	sregs.efer = entry->efer;
	if (ioctl(fd, KVM_SET_SREGS, &sregs) || ioctl(fd, KVM_SET_REGS, &entry->regs))
		return -errno;
	return 0;
}

int boot_load(struct domain *d, struct boot *boot)
{
	const char *what = "the kernel";
	int ret;

	ret = elf_load(d, &boot->kernel);
	if (ret)
		goto err;
	if (d->config->profile == PROFILE_XEN && boot_patch_stubs(d, &boot->kernel))
		return -ENOEXEC;
	what = "the initrd";
	ret = boot_load_initrd(d, boot);
	if (ret)
		goto err;
	what = "the ACPI tables";
	ret = acpi_build(d, &boot->rsdp);
	if (ret)
		goto err;
	what = "the boot vCPU";
	boot_make_cmdline(d, boot);
	ret = boot_write_reset(d);
	for (unsigned int i = 0; i < d->nr_vcpus && !ret; i++)
		ret = boot_set_mtrr(d->vcpu[i]);
	if (!ret)
		ret = d->config->profile == PROFILE_XEN ? boot_pvh(d, boot) : boot_linux64(d, boot);
	if (!ret)
		return 0;
err:
	pr_err("cannot load %s: %s", what, strerror(-ret));
	return ret;
}
