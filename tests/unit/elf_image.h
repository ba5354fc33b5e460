/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the loaders' tests share: a small ELF kernel as a linker might have made it, with headers of
 * ELF_BITS bits, a file that it can be written to, and what must become of it.
 */
#ifndef TESTS_UNIT_ELF_IMAGE_H
#define TESTS_UNIT_ELF_IMAGE_H

#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen-public/elfnote.h>

#include "hv/boot.h"
#include "hv/domain.h"
#include "hv/mem.h"

#ifndef ELF_BITS
#define ELF_BITS 64
#endif
#define ELF(type) _ElfW(Elf, ELF_BITS, type)

#define RAM (8UL << 20)
#define ENTRY 0x200000
#define PVH_ENTRY 0x200010
#define TEXT 5000
#define BSS 3000

static struct image {
	ELF(Ehdr) eh;
	ELF(Phdr) ph[2];
	struct {
		ELF(Nhdr) head;
		char name[4];
		uint32_t entry, pad;
	} note;
	uint8_t text[TEXT];
} good;

static char path[] = "/tmp/kernel.XXXXXX";
static struct kernel kernel;

static inline int setup_group(void **state)
{
	(void)state;
	good = (struct image){
		.eh = { .e_ident = ELFMAG,
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_entry = ENTRY,
			.e_phoff = offsetof(struct image, ph),
			.e_phentsize = sizeof(good.ph[0]),
			.e_phnum = 2 },
		.ph[0] = { .p_type = PT_LOAD,
			   .p_offset = offsetof(struct image, text),
			   .p_paddr = ENTRY,
			   .p_filesz = TEXT,
			   .p_memsz = TEXT + BSS },
		.ph[1] = { .p_type = PT_NOTE,
			   .p_offset = offsetof(struct image, note),
			   .p_filesz = sizeof(good.note) },
		.note = { { 4, 4, XEN_ELFNOTE_PHYS32_ENTRY }, "Xen", PVH_ENTRY, 0 },
	};
	good.eh.e_ident[EI_CLASS] = ELF_BITS == 32 ? ELFCLASS32 : ELFCLASS64;
	good.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	for (unsigned int i = 0; i < TEXT; i++)
		good.text[i] = i * 7 + i / 100;
	close(mkstemp(path));
	return 0;
}

static inline int teardown_group(void **state)
{
	(void)state;
	return unlink(path);
}

static inline void write_file(const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

/* Try to open @len bytes of @image as a kernel; nothing may stay open if that fails. */
static inline int open_image(const struct image *image, size_t len)
{
	int ret;

	write_file(image, len);
	ret = kernel_open(path, &kernel);
	if (ret) {
		assert_int_equal(kernel.fd, -1);
		assert_null(kernel.data);
	}
	return ret;
}

/* Load the kernel that is open, which must be the good one, and close it. */
static inline void check_loaded(uint64_t entry)
{
	struct domain d = { .kvm.vm_fd = -1 };
	uint8_t *va;

	assert_int_equal(kernel.entry, entry);
	assert_int_equal(kernel.pvh_entry, PVH_ENTRY);
	assert_int_equal(kernel.first, ENTRY);
	assert_int_equal(kernel.last, ENTRY + TEXT + BSS);
	assert_int_equal(mem_alloc(&d, RAM), 0);
	assert_int_equal(elf_load(&d, &kernel), 0);
	va = mem_range(&d, ENTRY, TEXT + BSS);
	assert_memory_equal(va, good.text, TEXT);
	for (unsigned int i = 0; i < BSS; i++)
		assert_int_equal(va[TEXT + i], 0);
	mem_destroy(&d);
	kernel_close(&kernel);
}

#endif /* TESTS_UNIT_ELF_IMAGE_H */
