// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loader on a kernel with 32-bit ELF headers.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen-public/elfnote.h>

#include "hv/boot.h"
#include "hv/domain.h"
#include "hv/mem.h"

#define RAM (8UL << 20)
#define ENTRY 0x200000
#define PVH_ENTRY 0x200010
#define TEXT 5000
#define BSS 3000

/** struct image - a kernel as a linker might have made it */
static struct image {
	Elf32_Ehdr eh;
	Elf32_Phdr ph[2];
	struct {
		Elf32_Nhdr head;
		char name[4];
		uint32_t entry;
	} note;
	uint8_t text[TEXT];
} image;

static char path[] = "/tmp/kernel.XXXXXX";
static struct kernel kernel;

int __wrap_ioctl(int fd, unsigned long request, ...);

/* There is no KVM to take the memory. */
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	(void)request;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	image = (struct image){
		.eh = { .e_ident = ELFMAG,
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_entry = ENTRY,
			.e_phoff = offsetof(struct image, ph),
			.e_phentsize = sizeof(Elf32_Phdr),
			.e_phnum = 2 },
		.ph[0] = { .p_type = PT_LOAD,
			   .p_offset = offsetof(struct image, text),
			   .p_paddr = ENTRY,
			   .p_filesz = TEXT,
			   .p_memsz = TEXT + BSS },
		.ph[1] = { .p_type = PT_NOTE,
			   .p_offset = offsetof(struct image, note),
			   .p_filesz = sizeof(image.note) },
		.note = { { 4, 4, XEN_ELFNOTE_PHYS32_ENTRY }, "Xen", PVH_ENTRY },
	};
	image.eh.e_ident[EI_CLASS] = ELFCLASS32;
	image.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	for (unsigned int i = 0; i < TEXT; i++)
		image.text[i] = i * 7 + i / 100;
	return 0;
}

static int setup_group(void **state)
{
	(void)state;
	close(mkstemp(path));
	return 0;
}

static int teardown_group(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_image(size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, &image, len), len);
	close(fd);
}

static int open_image(size_t len)
{
	write_image(len);
	return kernel_open(path, &kernel);
}

/* Whatever code it holds; there is no entry for 64-bit code. */
static void check_loaded(uint16_t machine)
{
	struct domain d = { .kvm.vm_fd = -1 };
	uint8_t *va;

	image.eh.e_machine = machine;
	assert_int_equal(open_image(sizeof(image)), 0);
	assert_int_equal(kernel.entry, 0);
	assert_int_equal(kernel.pvh_entry, PVH_ENTRY);
	assert_int_equal(kernel.first, ENTRY);
	assert_int_equal(kernel.last, ENTRY + TEXT + BSS);
	assert_int_equal(mem_alloc(&d, RAM), 0);
	assert_int_equal(elf_load(&d, &kernel), 0);
	va = mem_range(&d, ENTRY, TEXT + BSS);
	assert_memory_equal(va, image.text, TEXT);
	for (unsigned int i = 0; i < BSS; i++)
		assert_int_equal(va[TEXT + i], 0);
	mem_destroy(&d);
	kernel_close(&kernel);
}

static void test_loaded(void **state)
{
	(void)state;
	check_loaded(EM_X86_64);
	check_loaded(EM_386);
}

static void test_profiles(void **state)
{
	struct config config = { .kernel = path, .append = "", .memory = RAM };
	struct boot boot;

	(void)state;
	write_image(sizeof(image));
	config.profile = PROFILE_XEN;
	assert_int_equal(boot_open(&config, &boot), 0);
	boot_close(&boot);
	config.profile = PROFILE_KVM;
	assert_int_equal(boot_open(&config, &boot), -ENOEXEC);
	config.profile = PROFILE_XEN;
	image.ph[1].p_type = PT_NULL;
	write_image(sizeof(image));
	assert_int_equal(boot_open(&config, &boot), -ENOEXEC);
}

static void test_truncated(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(image); len += 31)
		assert_true(open_image(len) < 0);
}

static void test_bad_fields(void **state)
{
	(void)state;
#define BAD(field, value)                                              \
	do {                                                           \
		setup(NULL);                                           \
		image.field = (value);                                 \
		assert_int_equal(open_image(sizeof(image)), -ENOEXEC); \
	} while (0)
	BAD(eh.e_ident[EI_CLASS], ELFCLASS64);
	BAD(eh.e_ident[EI_CLASS], ELFCLASSNONE);
	BAD(eh.e_ident[EI_DATA], ELFDATA2MSB);
	BAD(eh.e_machine, EM_ARM);
	BAD(eh.e_type, ET_REL);
	BAD(eh.e_phoff, UINT32_MAX);
	BAD(eh.e_phnum, 0xffff);
	BAD(eh.e_phentsize, sizeof(Elf64_Phdr));
	BAD(ph[0].p_offset, UINT32_MAX);
	BAD(ph[0].p_filesz, TEXT + 1);
	BAD(ph[0].p_paddr, 0x1000);
}

/* Where the end does not fit into 32 bits it must not wrap. */
static void test_end_beyond_4g(void **state)
{
	struct config config = {
		.kernel = path, .append = "", .memory = RAM, .profile = PROFILE_XEN
	};
	struct boot boot;

	(void)state;
	image.ph[0].p_memsz = UINT32_MAX;
	assert_int_equal(open_image(sizeof(image)), 0);
	assert_true(kernel.last == (uint64_t)ENTRY + UINT32_MAX);
	kernel_close(&kernel);
	assert_int_equal(boot_open(&config, &boot), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_loaded, setup),
		cmocka_unit_test_setup(test_profiles, setup),
		cmocka_unit_test_setup(test_truncated, setup),
		cmocka_unit_test_setup(test_bad_fields, setup),
		cmocka_unit_test_setup(test_end_beyond_4g, setup),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
