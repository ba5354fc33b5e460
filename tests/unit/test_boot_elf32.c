// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loader on a kernel with 32-bit ELF headers.
 */
#include <errno.h>

#define ELF_BITS 32
#include "tests/unit/elf_image.h"

int __wrap_ioctl(int fd, unsigned long request, ...);

/* There is no KVM to take the memory. */
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	(void)request;
	return 0;
}

/* Whatever code it holds; there is no entry for 64-bit code. */
static void test_loaded(void **state)
{
	struct image i386 = good;

	(void)state;
	assert_int_equal(open_image(&good, sizeof(good)), 0);
	check_loaded(0);
	i386.eh.e_machine = EM_386;
	assert_int_equal(open_image(&i386, sizeof(i386)), 0);
	check_loaded(0);
}

static void test_profiles(void **state)
{
	struct config config = { .kernel = path, .append = "", .memory = RAM };
	struct image no_note = good;
	struct boot boot;

	(void)state;
	write_file(&good, sizeof(good));
	config.profile = PROFILE_XEN;
	assert_int_equal(boot_open(&config, &boot), 0);
	boot_close(&boot);
	config.profile = PROFILE_KVM;
	assert_int_equal(boot_open(&config, &boot), -ENOEXEC);
	config.profile = PROFILE_XEN;
	no_note.ph[1].p_type = PT_NULL;
	write_file(&no_note, sizeof(no_note));
	assert_int_equal(boot_open(&config, &boot), -ENOEXEC);
}

static void test_truncated(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(good); len += 31)
		assert_true(open_image(&good, len) < 0);
}

static void test_bad_fields(void **state)
{
	struct image bad;

	(void)state;
#define BAD(field, value)                                                  \
	do {                                                               \
		bad = good;                                                \
		bad.field = (value);                                       \
		assert_int_equal(open_image(&bad, sizeof(bad)), -ENOEXEC); \
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
	struct image large = good;
	struct boot boot;

	(void)state;
	large.ph[0].p_memsz = UINT32_MAX;
	assert_int_equal(open_image(&large, sizeof(large)), 0);
	assert_true(kernel.last == (uint64_t)ENTRY + UINT32_MAX);
	kernel_close(&kernel);
	assert_int_equal(boot_open(&config, &boot), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loaded),	      cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_truncated),     cmocka_unit_test(test_bad_fields),
		cmocka_unit_test(test_end_beyond_4g),
	};

	return cmocka_run_group_tests_name("boot_elf32", tests, setup_group, teardown_group);
}
