// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hypercall instructions of Linux's own Xen code: replaced if exactly what is expected is there,
 * else named.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hv/boot.h"
#include "hv/domain.h"
#include "hv/log.h"
#include "hv/mem.h"

#define RAM (8UL << 20)
#define TEXT 0x200000
#define TEXT_LEN 0x3018
#define DATA 0x300000
#define DATA_LEN 0x1000
#define AMD (TEXT + 0x1c80)
#define INTEL (TEXT + 0x1c90)
#define THUNK 0x2f00

#define VMMCALL "\x0f\x01\xd9"
#define VMCALL "\x0f\x01\xc1"
#define OUT_NOP "\xe6\xb4\x90"
#define RET "\xc3\xcc\xcc\xcc\xcc"

static const struct config config = { .kernel = "a-kernel", .profile = PROFILE_XEN };
static struct domain d;
static struct kernel kernel;
static char said[1024];
static unsigned int lines;

/* Linked instead of hv/log.c */
void log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level >= LOG_LEVEL_DEBUG)
		return;
	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	lines++;
}

static uint8_t *ram(gpa_t gpa)
{
	return mem_range(&d, gpa, 1);
}

static void put(gpa_t gpa, const char *insn, const char *ret)
{
	memcpy(ram(gpa), insn, 3);
	memcpy(ram(gpa + 3), ret, 5);
}

/* @insn and a jump to the return thunk, @off bytes from where that is */
static void put_jump(gpa_t gpa, const char *insn, int32_t off)
{
	int32_t rel = TEXT + THUNK + off - (gpa + 8);

	put(gpa, insn, "\xe9\x00\x00\x00\x00");
	memcpy(ram(gpa + 4), &rel, sizeof(rel));
}

static void put_endbr(gpa_t gpa)
{
	memcpy(ram(gpa), "\xf3\x0f\x1e\xfa", 4);
}

/* A loaded Linux without its functions; the instructions are in it in other places, as in real ones. */
static int setup(void **state)
{
	(void)state;
	d = (struct domain){ .kvm.vm_fd = -1, .config = &config, .transport = TRANSPORT_PORT };
	kernel = (struct kernel){
		.fd = -1,
		.xen_linux = true,
		.nr_segments = 2,
		.segment = { { .p_type = PT_LOAD,
			       .p_flags = PF_R | PF_X,
			       .p_paddr = TEXT,
			       .p_filesz = TEXT_LEN,
			       .p_memsz = TEXT_LEN + 0x1000 },
			     { .p_type = PT_LOAD,
			       .p_flags = PF_R | PF_W,
			       .p_paddr = DATA,
			       .p_filesz = DATA_LEN,
			       .p_memsz = DATA_LEN } },
	};
	*said = '\0';
	assert_int_equal(mem_alloc(&d, RAM), 0);
	memset(ram(TEXT), 0x90, TEXT_LEN);
	put(TEXT + 0x104, VMMCALL, RET); /* not where a function starts */
	put(TEXT + 0x200, VMCALL, "\x48\x85\xc0\xc3\xcc"); /* something else comes after it */
	put(DATA + 0x100, VMMCALL, RET); /* not code */
	put(TEXT + TEXT_LEN + 8, VMMCALL, RET); /* not in the file's part */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mem_destroy(&d);
	return 0;
}

static void refused(const char *what)
{
	uint8_t *copy = test_malloc(RAM);

	lines = 0;
	memcpy(copy, ram(0), RAM);
	assert_int_equal(boot_patch_stubs(&d, &kernel), -ENOEXEC);
	assert_memory_equal(copy, ram(0), RAM);
	assert_int_equal(lines, 1);
	assert_non_null(strstr(said, "a-kernel"));
	if (!strstr(said, what))
		fail_msg("'%s' does not say '%s'", said, what);
	test_free(copy);
}

/* Exactly two times three bytes are another. */
static void patched(gpa_t amd, gpa_t intel)
{
	uint8_t *copy = test_malloc(RAM);

	lines = 0;
	memcpy(copy, ram(0), RAM);
	memcpy(copy + amd, OUT_NOP, 3);
	memcpy(copy + intel, OUT_NOP, 3);
	assert_int_equal(boot_patch_stubs(&d, &kernel), 0);
	assert_memory_equal(copy, ram(0), RAM);
	assert_int_equal(lines, 0);
	test_free(copy);
}

static void left_alone(void)
{
	uint8_t *copy = test_malloc(RAM);

	lines = 0;
	memcpy(copy, ram(0), RAM);
	assert_int_equal(boot_patch_stubs(&d, &kernel), 0);
	assert_memory_equal(copy, ram(0), RAM);
	assert_int_equal(lines, 0);
	test_free(copy);
}

static void test_return_thunk(void **state)
{
	(void)state;
	put_jump(AMD, VMMCALL, 0);
	put_jump(INTEL, VMCALL, 0);
	patched(AMD, INTEL);
}

/* As built with CONFIG_X86_KERNEL_IBT; others start with the instruction but go elsewhere */
static void test_endbr(void **state)
{
	(void)state;
	put_endbr(AMD);
	put_jump(AMD + 4, VMMCALL, 0);
	put_endbr(INTEL);
	put_jump(INTEL + 4, VMCALL, 0);
	put_jump(TEXT + 0x40, VMMCALL, 0x1000);
	put_jump(TEXT + 0x50, VMCALL, 0x2000);
	patched(AMD + 4, INTEL + 4);
}

static void test_plain_return(void **state)
{
	(void)state;
	put(AMD, VMMCALL, RET);
	put(INTEL, VMCALL, RET);
	patched(AMD, INTEL);
}

/* The first and the last bytes of a segment that does not start at a function */
static void test_edges(void **state)
{
	(void)state;
	kernel.segment[0].p_paddr = TEXT + 9;
	kernel.segment[0].p_filesz = TEXT_LEN - 9;
	put_jump(TEXT + 16, VMMCALL, 0);
	put_jump(TEXT + TEXT_LEN - 8, VMCALL, 0);
	patched(TEXT + 16, TEXT + TEXT_LEN - 8);
}

static void test_none(void **state)
{
	(void)state;
	refused("xen_hypercall_amd (vmmcall and a return) is there 0 times");
}

static void test_one_missing(void **state)
{
	(void)state;
	put_jump(AMD, VMMCALL, 0);
	refused("xen_hypercall_intel (vmcall and a return) is there 0 times");
	put(AMD, "\x90\x90\x90", RET);
	put_jump(INTEL, VMCALL, 0);
	refused("xen_hypercall_amd (vmmcall and a return) is there 0 times");
}

static void test_two(void **state)
{
	(void)state;
	put_jump(AMD, VMMCALL, 0);
	put_jump(INTEL, VMCALL, 0);
	put_jump(TEXT + 0x40, VMCALL, 0);
	refused("xen_hypercall_amd and xen_hypercall_intel, which return alike, are there 2 times");
	put_jump(TEXT + 0x50, VMMCALL, 0);
	refused("are there 4 times");
	/* Two more of another kind */
	put_jump(TEXT + 0x40, VMCALL, 1);
	put(TEXT + 0x50, VMMCALL, RET);
	put(TEXT + 0x60, VMCALL, RET);
	refused("are there 2 times");
}

static void test_many(void **state)
{
	(void)state;
	put_jump(AMD, VMMCALL, 0);
	put_jump(INTEL, VMCALL, 0);
	for (unsigned int i = 0; i < 64; i++)
		put_jump(TEXT + 0x400 + i * 16, VMCALL, i + 1);
	refused("xen_hypercall_intel (vmcall and a return) is there 65 times");
}

static void test_two_segments(void **state)
{
	(void)state;
	put_jump(AMD, VMMCALL, 0);
	put_jump(INTEL, VMCALL, 0);
	put_jump(DATA + 0x200, VMMCALL, 0);
	kernel.segment[1].p_flags |= PF_X;
	refused("are there 2 times");
}

/* The file's part ends within the return, or within the instruction. */
static void test_cut_off(void **state)
{
	(void)state;
	put_jump(AMD, VMMCALL, 0);
	put_jump(TEXT + 0x3000, VMCALL, 0);
	for (uint64_t len = 0x2fff; len < 0x3008; len++) {
		kernel.segment[0].p_filesz = len;
		refused("xen_hypercall_intel (vmcall and a return) is there 0 times");
	}
	kernel.segment[0].p_filesz = 0x3008;
	patched(AMD, TEXT + 0x3000);
	put_endbr(TEXT + 0x3000);
	put_jump(TEXT + 0x3004, VMCALL, 0);
	for (uint64_t len = 0x2fff; len < 0x300c; len++) {
		kernel.segment[0].p_filesz = len;
		refused("is there 0 times");
	}
}

static void test_returns_differ(void **state)
{
	(void)state;
	put_jump(AMD, VMMCALL, 0);
	put_jump(INTEL, VMCALL, 1);
	refused("which return alike, are there 0 times");
	put(INTEL, VMCALL, RET);
	refused("are there 0 times");
	put_endbr(INTEL);
	put_jump(INTEL + 4, VMCALL, 0);
	refused("which return alike, are there 0 times");
}

/* A segment of no bytes, and one that is not in RAM (which the loader refuses) */
static void test_odd_segments(void **state)
{
	(void)state;
	put_jump(AMD, VMMCALL, 0);
	put_jump(INTEL, VMCALL, 0);
	kernel.nr_segments = 4;
	kernel.segment[2] =
		(Elf64_Phdr){ .p_flags = PF_X, .p_paddr = RAM - 4, .p_filesz = 4, .p_memsz = 4 };
	kernel.segment[3] = (Elf64_Phdr){ .p_flags = PF_X, .p_paddr = RAM - 4, .p_filesz = RAM };
	memcpy(ram(RAM - 4), VMCALL "\xc3", 4);
	kernel.segment[1].p_filesz = 0;
	patched(AMD, INTEL);
}

/* Hypercalls that reach us as they are, or that are made through the page we fill */
static void test_left_alone(void **state)
{
	(void)state;
	put_jump(AMD, VMMCALL, 0);
	put_jump(INTEL, VMCALL, 0);
	d.transport = TRANSPORT_INTERCEPT;
	left_alone();
	d.transport = TRANSPORT_PORT;
	kernel.hypercall_page = true;
	left_alone();
	kernel.hypercall_page = kernel.xen_linux = false;
	left_alone();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_return_thunk),   TEST(test_endbr),
		TEST(test_many),	   TEST(test_plain_return),
		TEST(test_edges),	   TEST(test_none),
		TEST(test_one_missing),	   TEST(test_two),
		TEST(test_two_segments),   TEST(test_cut_off),
		TEST(test_returns_differ), TEST(test_odd_segments),
		TEST(test_left_alone),
	};

	return cmocka_run_group_tests_name("boot_stubs", tests, NULL, NULL);
}
