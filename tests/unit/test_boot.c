// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loaders, on kernels made here: a small ELF, and bzImages around it in every compression.
 */
#include <asm/bootparam.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include <xen-public/elfnote.h>

#include "hv/boot.h"
#include "hv/domain.h"
#include "hv/mem.h"
#include "hv/vcpu.h"
#include "tests/unit/elf_image.h"

#define PACKED_MAX 65536

static void test_elf(void **state)
{
	(void)state;
	assert_int_equal(open_image(&good, sizeof(good)), 0);
	check_loaded(ENTRY);
}

static void test_elf_truncated(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(good); len += 97)
		assert_true(open_image(&good, len) < 0);
}

static void test_elf_bad_fields(void **state)
{
	struct image bad;

	(void)state;
#define BAD(field, value)                                       \
	do {                                                    \
		bad = good;                                     \
		bad.field = (value);                            \
		assert_true(open_image(&bad, sizeof(bad)) < 0); \
	} while (0)
	BAD(eh.e_ident[0], 0);
	BAD(eh.e_ident[EI_CLASS], ELFCLASS32);
	BAD(eh.e_ident[EI_DATA], ELFDATA2MSB);
	BAD(eh.e_machine, EM_AARCH64);
	BAD(eh.e_type, ET_REL);
	BAD(eh.e_phoff, UINT64_MAX);
	BAD(eh.e_phoff, sizeof(good));
	BAD(eh.e_phnum, 0);
	BAD(eh.e_phnum, 0xffff);
	BAD(eh.e_phentsize, 32);
	BAD(ph[0].p_type, PT_NULL);
	BAD(ph[0].p_offset, UINT64_MAX);
	BAD(ph[0].p_filesz, UINT64_MAX);
	BAD(ph[0].p_filesz, TEXT + 1);
	BAD(ph[0].p_memsz, TEXT - 1);
	BAD(ph[0].p_memsz, UINT64_MAX);
	BAD(ph[0].p_paddr, 0x1000);
	BAD(ph[0].p_paddr, UINT64_MAX - 100);
}

/* A segment beyond memory: that is seen when it is loaded, whatever was checked before. */
static void test_elf_beyond_memory(void **state)
{
	struct domain d = { .kvm.vm_fd = -1 };
	struct image bad = good;

	(void)state;
	bad.ph[0].p_paddr = RAM - TEXT;
	assert_int_equal(open_image(&bad, sizeof(bad)), 0);
	assert_int_equal(mem_alloc(&d, RAM), 0);
	assert_int_equal(elf_load(&d, &kernel), -EFAULT);
	mem_destroy(&d);
	kernel_close(&kernel);
}

static void test_notes(void **state)
{
	struct image image = good;

	(void)state;
#define NO_PVH(field, value)                                            \
	do {                                                            \
		image = good;                                           \
		image.field = (value);                                  \
		assert_int_equal(open_image(&image, sizeof(image)), 0); \
		assert_int_equal(kernel.pvh_entry, 0);                  \
		kernel_close(&kernel);                                  \
	} while (0)
	NO_PVH(note.head.n_type, 17);
	NO_PVH(note.head.n_namesz, UINT32_MAX);
	NO_PVH(note.head.n_descsz, UINT32_MAX);
	NO_PVH(note.head.n_descsz, 2);
	NO_PVH(note.name[0], 'x');
	NO_PVH(ph[1].p_filesz, 10);
	NO_PVH(ph[1].p_filesz, UINT64_MAX);
	NO_PVH(ph[1].p_offset, UINT64_MAX);
}

static void check_note(uint32_t type, const char *desc, uint32_t len, bool is_linux, bool page)
{
	struct image image = good;

	image.note.head.n_type = type;
	image.note.head.n_descsz = len;
	memcpy(&image.note.entry, desc, 8);
	assert_int_equal(open_image(&image, sizeof(image)), 0);
	assert_int_equal(kernel.xen_linux, is_linux);
	assert_int_equal(kernel.hypercall_page, page);
	kernel_close(&kernel);
}

/* What is to be done about hypercalls */
static void test_notes_hypercalls(void **state)
{
	(void)state;
	check_note(XEN_ELFNOTE_GUEST_OS, "linux\0\0", 6, true, false);
	check_note(XEN_ELFNOTE_GUEST_OS, "linux\0\0", 5, false, false);
	check_note(XEN_ELFNOTE_GUEST_OS, "linuxes", 8, false, false);
	check_note(XEN_ELFNOTE_GUEST_OS, "NetBSD\0", 7, false, false);
	check_note(XEN_ELFNOTE_HYPERCALL_PAGE, "\1\2\3\4\5\6\7", 8, false, true);
	check_note(XEN_ELFNOTE_PHYS32_ENTRY, "linux\0\0", 6, false, false);
}

/* ---- bzImage ---- */

static size_t pack_gzip(uint8_t *out)
{
	z_stream z = { .next_in = (uint8_t *)&good,
		       .avail_in = sizeof(good),
		       .next_out = out,
		       .avail_out = PACKED_MAX };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	/* gzip's own trailer ends in the size already. */
	return z.total_out - sizeof(uint32_t);
}

/* As the kernel's build does it: with a filter for x86 code and CRC32 */
static size_t pack_xz(uint8_t *out)
{
	lzma_options_lzma lzma;
	lzma_filter filters[] = { { LZMA_FILTER_X86, NULL },
				  { LZMA_FILTER_LZMA2, &lzma },
				  { LZMA_VLI_UNKNOWN, NULL } };
	size_t len = 0;

	lzma_lzma_preset(&lzma, 6);
	assert_int_equal(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL,
						   (uint8_t *)&good, sizeof(good), out, &len,
						   PACKED_MAX),
			 LZMA_OK);
	return len;
}

static size_t pack_lzma(uint8_t *out)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_options_lzma lzma;
	size_t len;

	lzma_lzma_preset(&lzma, 6);
	assert_int_equal(lzma_alone_encoder(&z, &lzma), LZMA_OK);
	z.next_in = (uint8_t *)&good;
	z.avail_in = sizeof(good);
	z.next_out = out;
	z.avail_out = PACKED_MAX;
	assert_int_equal(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
	len = z.total_out;
	lzma_end(&z);
	return len;
}

static size_t pack_zstd(uint8_t *out)
{
	size_t len = ZSTD_compress(out, PACKED_MAX, &good, sizeof(good), 19);

	assert_false(ZSTD_isError(len));
	return len;
}

static size_t pack_lz4(uint8_t *out)
{
	uint32_t size;

	memcpy(out, "\x02\x21\x4c\x18", 4);
	size = LZ4_compress_default((char *)&good, (char *)out + 8, sizeof(good), PACKED_MAX - 8);
	memcpy(out + 4, &size, sizeof(size));
	return 8 + size;
}

static size_t pack_bzip2(uint8_t *out)
{
	memcpy(out, "BZh9", 4);
	return 100;
}

static size_t pack_unknown(uint8_t *out)
{
	memcpy(out, "\1\2\3\4", 4);
	return 100;
}

/* Write a bzImage whose payload @pack makes; @damage is an offset in the payload, or -1. */
static int open_bzimage(size_t (*pack)(uint8_t *out), long damage,
			void (*change)(struct setup_header *hdr))
{
	static struct {
		uint8_t sectors[3 * 512];
		uint8_t payload[PACKED_MAX + 4];
	} image;
	struct setup_header hdr = { .setup_sects = 1,
				    .boot_flag = 0xaa55,
				    .header = 0x53726448,
				    .version = 0x20f,
				    .xloadflags = XLF_KERNEL_64,
				    .payload_offset = 512 };
	uint32_t size = sizeof(good);
	size_t len;

	memset(&image, 0, sizeof(image));
	len = pack(image.payload);
	memcpy(image.payload + len, &size, sizeof(size));
	if (damage >= 0)
		image.payload[damage] ^= 0xff;
	hdr.payload_length = len + sizeof(size);
	if (change)
		change(&hdr);
	memcpy(image.sectors + offsetof(struct boot_params, hdr), &hdr, sizeof(hdr));
	write_file(&image, sizeof(image.sectors) + len + sizeof(size));
	return kernel_open(path, &kernel);
}

static size_t (*const packers[])(uint8_t *out) = { pack_gzip, pack_xz, pack_lzma, pack_zstd,
						   pack_lz4 };

static void test_bzimage(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		assert_int_equal(open_bzimage(packers[i], -1, NULL), 0);
		check_loaded(ENTRY);
	}
}

/* Damage anywhere: refused, or (where the format has no checksum) a kernel that is still within bounds */
static void test_bzimage_corrupt(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		for (long at = 0; at < 700; at += 13) {
			if (!open_bzimage(packers[i], at, NULL))
				kernel_close(&kernel);
		}
	}
}

static void test_bzimage_unsupported(void **state)
{
	(void)state;
	assert_int_equal(open_bzimage(pack_bzip2, -1, NULL), -ENOTSUP);
	assert_int_equal(open_bzimage(pack_unknown, -1, NULL), -ENOTSUP);
}

static void old_protocol(struct setup_header *hdr)
{
	hdr->version = 0x20b;
}

static void not_64_bit(struct setup_header *hdr)
{
	hdr->xloadflags = 0;
}

static void payload_too_long(struct setup_header *hdr)
{
	hdr->payload_length = 0x7fffffff;
}

static void payload_far_away(struct setup_header *hdr)
{
	hdr->payload_offset = 0xffffff00;
}

static void payload_empty(struct setup_header *hdr)
{
	hdr->payload_length = 4;
}

static void test_bzimage_bad_header(void **state)
{
	void (*const change[])(struct setup_header * hdr) = { old_protocol, not_64_bit,
							      payload_too_long, payload_far_away,
							      payload_empty };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(change); i++)
		assert_int_equal(open_bzimage(pack_xz, -1, change[i]), -ENOEXEC);
}

static void test_memory_map(void **state)
{
	struct domain d = { .kvm.vm_fd = -1 };
	struct boot_range range[BOOT_RANGES];
	unsigned int n;

	(void)state;
	assert_int_equal(mem_alloc(&d, MEM_LOW_MAX + RAM), 0);
	n = boot_memory_map(&d, range);
	assert_int_equal(n, 4);
	for (unsigned int i = 0; i < n; i++) {
		if (range[i].type == BOOT_RANGE_RAM)
			assert_non_null(mem_range(&d, range[i].addr, range[i].size));
		if (i)
			assert_true(range[i].addr >= range[i - 1].addr + range[i - 1].size);
	}
	assert_int_equal(range[1].type, BOOT_RANGE_RESERVED);
	assert_true(BOOT_CONSOLE_GPA >= range[1].addr &&
		    BOOT_CONSOLE_GPA + PAGE_SIZE <= range[1].addr + range[1].size);
	assert_int_equal(range[3].addr, MEM_HIGH_BASE);
	assert_int_equal(range[3].size, RAM);
	mem_destroy(&d);
}

/* Linked with --wrap=ioctl: the registers KVM would be given */
static struct kvm_sregs given_sregs;
static struct kvm_regs given_regs;

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	(void)fd;
	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	switch (request) {
	case KVM_GET_SREGS:
		*(struct kvm_sregs *)arg = (struct kvm_sregs){ .tr = { .selector = 0xabc } };
		return 0;
	case KVM_SET_SREGS:
		given_sregs = *(struct kvm_sregs *)arg;
		return 0;
	case KVM_SET_REGS:
		given_regs = *(struct kvm_regs *)arg;
		return 0;
	default:
		errno = ENOTTY;
		return -1;
	}
}

/* A segment is what its descriptor says, and starts at 0. */
static void check_segment(const struct domain *d, const struct kvm_segment *s)
{
	const uint64_t *gdt = mem_range(d, given_sregs.gdt.base, given_sregs.gdt.limit + 1);
	uint64_t desc = gdt[s->selector / 8];

	assert_true(s->selector < given_sregs.gdt.limit);
	assert_int_equal(s->base, 0);
	assert_int_equal(s->limit, s->g ? 0xffffffff : desc & 0xffff);
	assert_int_equal(s->present, desc >> 47 & 1);
	assert_int_equal(s->type & ~3u, desc >> 40 & 0xc);
	assert_int_equal(s->s, desc >> 44 & 1);
	assert_int_equal(s->l, desc >> 53 & 1);
	assert_int_equal(s->db, desc >> 54 & 1);
	assert_int_equal(s->g, desc >> 55 & 1);
}

static void test_entries(void **state)
{
	struct vcpu vcpu = { .fd = -1 };
	struct domain d = { .kvm.vm_fd = -1, .vcpu = { &vcpu } };
	const struct boot boot = { .kernel = { .entry = ENTRY, .pvh_entry = PVH_ENTRY },
				   .initrd_fd = -1,
				   .cmdline = "quiet" };

	(void)state;
	assert_int_equal(mem_alloc(&d, RAM), 0);
	assert_int_equal(boot_linux64(&d, &boot), 0);
	check_segment(&d, &given_sregs.cs);
	check_segment(&d, &given_sregs.ss);
	assert_memory_equal(&given_sregs.ds, &given_sregs.ss, sizeof(given_sregs.ds));
	assert_int_equal(given_sregs.cs.selector, 0x10);
	assert_int_equal(given_sregs.ds.selector, 0x18);
	assert_int_equal(given_sregs.cs.l, 1);
	assert_int_equal(given_sregs.tr.selector, 0xabc);
	assert_int_equal(given_sregs.cr0, 0x80000011);
	assert_int_equal(given_sregs.cr3, BOOT_PAGE_TABLES_GPA);
	assert_int_equal(given_sregs.cr4, 0x20);
	assert_int_equal(given_sregs.efer, 0x500);
	assert_int_equal(given_regs.rip, ENTRY);
	assert_int_equal(given_regs.rsi, BOOT_PARAMS_GPA);
	assert_string_equal(mem_range(&d, BOOT_CMDLINE_GPA, 6), "quiet");

	assert_int_equal(boot_pvh(&d, &boot), 0);
	check_segment(&d, &given_sregs.cs);
	check_segment(&d, &given_sregs.ss);
	check_segment(&d, &given_sregs.tr);
	assert_int_equal(given_sregs.cs.l, 0);
	assert_int_equal(given_sregs.cr0, 0x11);
	assert_int_equal(given_sregs.cr3 | given_sregs.cr4 | given_sregs.efer, 0);
	assert_int_equal(given_regs.rip, PVH_ENTRY);
	assert_int_equal(given_regs.rbx, BOOT_PARAMS_GPA);
	assert_int_equal(given_regs.rflags, 2);
	mem_destroy(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_elf),
		cmocka_unit_test(test_elf_truncated),
		cmocka_unit_test(test_elf_bad_fields),
		cmocka_unit_test(test_elf_beyond_memory),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_notes_hypercalls),
		cmocka_unit_test(test_bzimage),
		cmocka_unit_test(test_bzimage_corrupt),
		cmocka_unit_test(test_bzimage_unsupported),
		cmocka_unit_test(test_bzimage_bad_header),
		cmocka_unit_test(test_memory_map),
	};

	return cmocka_run_group_tests_name("boot", tests, setup_group, teardown_group);
}
