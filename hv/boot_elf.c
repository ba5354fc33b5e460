// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "hv/boot.h"
#include "hv/log.h"
#include "hv/mem.h"

static int elf_bad(const char *path, const char *why)
{
	pr_err("kernel %s: %s", path, why);
	return -ENOEXEC;
}

static bool elf_is_32(const Elf64_Ehdr *eh)
{
	return eh->e_ident[EI_CLASS] == ELFCLASS32;
}

static uint64_t elf_segment_size(const Elf64_Ehdr *eh)
{
	return elf_is_32(eh) ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
}

static int elf_check_header(const char *path, const struct kernel *kernel, Elf64_Ehdr *eh)
{
	if (kernel_read(kernel, 0, eh->e_ident, EI_NIDENT) ||
	    memcmp(eh->e_ident, ELFMAG, SELFMAG) ||
	    (elf_is_32(eh) ? elf32_read_header(kernel, eh) :
			     kernel_read(kernel, 0, eh, sizeof(*eh))))
		return elf_bad(path, "neither a bzImage nor an ELF file");
	if (!elf_is_32(eh) && eh->e_ident[EI_CLASS] != ELFCLASS64)
		return elf_bad(path, "an ELF that is neither 32-bit nor 64-bit");
	if (eh->e_machine != EM_X86_64 || eh->e_ident[EI_DATA] != ELFDATA2LSB)
		return elf_bad(path, "an ELF for another machine; 64-bit x86 is needed");
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return elf_bad(path, "an ELF that is not executable");
	if (eh->e_phentsize != elf_segment_size(eh) || !eh->e_phnum)
		return elf_bad(path, "an ELF without program headers");
	if (eh->e_phoff > kernel->size ||
	    eh->e_phnum * elf_segment_size(eh) > kernel->size - eh->e_phoff)
		return elf_bad(path, "its program headers are beyond the file");
	return 0;
}

static int elf_check_segment(const char *path, struct kernel *kernel, const Elf64_Phdr *ph)
{
	if (ph->p_offset > kernel->size || ph->p_filesz > kernel->size - ph->p_offset)
		return elf_bad(path, "truncated: a segment ends beyond the file");
	if (ph->p_filesz > ph->p_memsz || ph->p_paddr + ph->p_memsz < ph->p_paddr)
		return elf_bad(path, "a segment has an impossible size");
	if (!ph->p_memsz)
		return 0;
	if (ph->p_paddr < BOOT_KERNEL_MIN_GPA)
		return elf_bad(path, "a segment wants memory below 1 MiB");
	if (kernel->nr_segments == KERNEL_SEGMENTS)
		return elf_bad(path, "too many segments");
	kernel->segment[kernel->nr_segments++] = *ph;
	if (ph->p_paddr < kernel->first)
		kernel->first = ph->p_paddr;
	if (ph->p_paddr + ph->p_memsz > kernel->last)
		kernel->last = ph->p_paddr + ph->p_memsz;
	return 0;
}

int elf_check(const char *path, struct kernel *kernel)
{
	Elf64_Ehdr eh;
	int ret;

	ret = elf_check_header(path, kernel, &eh);
	if (ret)
		return ret;
	kernel->entry = eh.e_entry;
	kernel->first = UINT64_MAX;
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		uint64_t at = eh.e_phoff + i * elf_segment_size(&eh);
		Elf64_Phdr ph;

		ret = elf_is_32(&eh) ? elf32_read_segment(kernel, at, &ph) :
				       kernel_read(kernel, at, &ph, sizeof(ph));
		if (ret)
			return elf_bad(path, "its program headers cannot be read");
		if (ph.p_type == PT_LOAD)
			ret = elf_check_segment(path, kernel, &ph);
		else if (ph.p_type == PT_NOTE)
			boot_read_notes(kernel, &ph);
		if (ret)
			return ret;
	}
	if (!kernel->nr_segments)
		return elf_bad(path, "an ELF with nothing to load");
	return 0;
}

/* Guest RAM is fresh and zero: what a segment has beyond its file part needs no work. */
int elf_load(struct domain *d, const struct kernel *kernel)
{
	for (unsigned int i = 0; i < kernel->nr_segments; i++) {
		const Elf64_Phdr *ph = &kernel->segment[i];
		void *va = mem_range(d, ph->p_paddr, ph->p_memsz);
		int ret;

		if (!va)
			return -EFAULT;
		ret = kernel_read(kernel, ph->p_offset, va, ph->p_filesz);
		if (ret)
			return ret;
	}
	return 0;
}
