// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernels linked as 32-bit ELF, whatever code they hold: only the PVH entry, which is 32-bit code,
 * enters them. Their headers are widened as they are read, so that one loader does for both.
 */
#include <string.h>

#include "hv/boot.h"

int elf32_read_header(const struct kernel *kernel, Elf64_Ehdr *eh)
{
	Elf32_Ehdr narrow;
	int ret = kernel_read(kernel, 0, &narrow, sizeof(narrow));

	if (ret)
		return ret;
	*eh = (Elf64_Ehdr){
		.e_type = narrow.e_type,
		.e_machine = narrow.e_machine == EM_386 ? EM_X86_64 : narrow.e_machine,
		.e_phoff = narrow.e_phoff,
		.e_phentsize = narrow.e_phentsize,
		.e_phnum = narrow.e_phnum,
	};
	memcpy(eh->e_ident, narrow.e_ident, EI_NIDENT);
	return 0;
}

int elf32_read_segment(const struct kernel *kernel, uint64_t offset, Elf64_Phdr *ph)
{
	Elf32_Phdr narrow;
	int ret = kernel_read(kernel, offset, &narrow, sizeof(narrow));

	if (ret)
		return ret;
	*ph = (Elf64_Phdr){
		.p_type = narrow.p_type,
		.p_flags = narrow.p_flags,
		.p_offset = narrow.p_offset,
		.p_paddr = narrow.p_paddr,
		.p_filesz = narrow.p_filesz,
		.p_memsz = narrow.p_memsz,
	};
	return 0;
}
