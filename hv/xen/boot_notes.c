// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include <xen-public/elfnote.h>

#include "hv/boot.h"

#define NOTE_ALIGN(n) (((uint64_t)(n) + 3) & ~3ULL)
#define NOTES_MAX 65536

static void note_read(struct kernel *kernel, uint32_t type, const uint8_t *desc, uint32_t len)
{
	static const char linux_os[] = "linux";

	switch (type) {
	case XEN_ELFNOTE_PHYS32_ENTRY:
		if (len >= sizeof(kernel->pvh_entry))
			memcpy(&kernel->pvh_entry, desc, sizeof(kernel->pvh_entry));
		break;
	case XEN_ELFNOTE_GUEST_OS:
		kernel->xen_linux = len == sizeof(linux_os) && !memcmp(desc, linux_os, len);
		break;
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		kernel->hypercall_page = true;
		break;
	}
}

void boot_read_notes(struct kernel *kernel, const Elf64_Phdr *ph)
{
	uint8_t notes[NOTES_MAX];
	uint64_t at = 0;

	if (ph->p_filesz > sizeof(notes) || ph->p_offset > kernel->size ||
	    ph->p_filesz > kernel->size - ph->p_offset ||
	    kernel_read(kernel, ph->p_offset, notes, ph->p_filesz))
		return;
	while (ph->p_filesz - at >= sizeof(Elf64_Nhdr)) {
		uint64_t name = at + sizeof(Elf64_Nhdr), desc, end;
		Elf64_Nhdr nh;

		memcpy(&nh, notes + at, sizeof(nh));
		desc = name + NOTE_ALIGN(nh.n_namesz);
		end = desc + NOTE_ALIGN(nh.n_descsz);
		if (desc + nh.n_descsz > ph->p_filesz)
			return;
		if (nh.n_namesz == sizeof("Xen") && !memcmp(notes + name, "Xen", sizeof("Xen")))
			note_read(kernel, nh.n_type, notes + desc, nh.n_descsz);
		if (end >= ph->p_filesz)
			return;
		at = end;
	}
}
