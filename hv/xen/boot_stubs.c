// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Linux from 6.1.121 on makes every hypercall in one of two functions, each an instruction and a
 * return. A KVM without Xen support keeps those instructions to itself, so that both get the port
 * transport's, which is as long.
 *
 * The kernel is loaded where it was linked to and entered behind the code that would move it, so
 * the functions stay where they are found. Of what Linux changes in its own code while it boots
 * only the return, after the instruction, is in them.
 */
#include <errno.h>
#include <string.h>

#include <paravane/cpuid.h>

#include "hv/boot.h"
#include "hv/domain.h"
#include "hv/log.h"

#define FUNCTION_ALIGN 16
#define INSN_LEN 3
#define OPCODE_RET 0xc3
#define OPCODE_JMP 0xe9
#define ENDBR64_FIRST 0xf3
#define STUB_FOUND_MAX 16

/**
 * struct stub_found - a function of an instruction and what may be a return
 * @insn: the instruction, behind an ENDBR64 if @endbr
 * @ret: where the jump to the return thunk goes; 0 for a plain return
 */
struct stub_found {
	uint8_t *insn;
	bool endbr;
	uint64_t ret;
};

/** struct stub - one of Linux's two functions, and what looks like it: @count places */
struct stub {
	const char *name, *insn_name;
	uint8_t insn[INSN_LEN];
	unsigned int count;
	struct stub_found found[STUB_FOUND_MAX];
};

/* Linux has a RET, or a jump to its return thunk, at the end of all its functions. */
static bool stub_read(const struct stub *stub, uint8_t *code, uint64_t left, struct stub_found *f)
{
	static const uint8_t endbr64[] = { ENDBR64_FIRST, 0x0f, 0x1e, 0xfa };
	int32_t offset;

	f->endbr = left > sizeof(endbr64) && !memcmp(code, endbr64, sizeof(endbr64));
	if (f->endbr) {
		code += sizeof(endbr64);
		left -= sizeof(endbr64);
	}
	if (left <= INSN_LEN || memcmp(code, stub->insn, INSN_LEN))
		return false;
	f->insn = code;
	f->ret = 0;
	code += INSN_LEN;
	if (*code == OPCODE_RET)
		return true;
	if (*code != OPCODE_JMP || left - INSN_LEN < 1 + sizeof(offset))
		return false;
	memcpy(&offset, code + 1, sizeof(offset));
	f->ret = (uintptr_t)code + 1 + sizeof(offset) + offset;
	return true;
}

static void stub_collect(struct stub *stub, uint8_t *code, uint64_t left)
{
	struct stub_found f;

	if (!stub_read(stub, code, left, &f))
		return;
	if (stub->count < STUB_FOUND_MAX)
		stub->found[stub->count] = f;
	stub->count++;
}

static void stubs_search(struct stub *stub, uint8_t *text, uint64_t len)
{
	uint64_t at = -(uintptr_t)text & (FUNCTION_ALIGN - 1);

	for (; at < len; at += FUNCTION_ALIGN) {
		/* The text is long, and few functions begin like these two, which begin alike. */
		if (text[at] != ENDBR64_FIRST && text[at] != stub->insn[0])
			continue;
		stub_collect(&stub[0], text + at, len - at);
		stub_collect(&stub[1], text + at, len - at);
	}
}

/*
 * What jumps elsewhere is none of them: the two return alike. How many pairs do; the last in @amd
 * and @intel.
 */
static unsigned int stubs_match(const struct stub *stub, uint8_t **amd, uint8_t **intel)
{
	unsigned int pairs = 0;

	for (unsigned int i = 0; i < stub[0].count; i++) {
		for (unsigned int j = 0; j < stub[1].count; j++) {
			const struct stub_found *a = &stub[0].found[i], *b = &stub[1].found[j];

			if (a->ret != b->ret || a->endbr != b->endbr)
				continue;
			*amd = a->insn;
			*intel = b->insn;
			pairs++;
		}
	}
	return pairs;
}

/* Exactly once: anything else is another kernel than those we know. */
static int stubs_find(const char *path, const struct stub *stub, uint8_t **amd, uint8_t **intel)
{
	static const char why[] = "this host's KVM has no Xen support, so that profile xen has to "
				  "replace the kernel's hypercalls";
	unsigned int pairs;

	for (unsigned int i = 0; i < 2; i++) {
		if (stub[i].count && stub[i].count <= STUB_FOUND_MAX)
			continue;
		pr_err("kernel %s: %s (%s and a return) is there %u times instead of once; %s",
		       path, stub[i].name, stub[i].insn_name, stub[i].count, why);
		return -ENOEXEC;
	}
	pairs = stubs_match(stub, amd, intel);
	if (pairs == 1)
		return 0;
	pr_err("kernel %s: %s and %s, which return alike, are there %u times instead of once; %s",
	       path, stub[0].name, stub[1].name, pairs, why);
	return -ENOEXEC;
}

int boot_patch_stubs(struct domain *d, const struct kernel *kernel)
{
	static const uint8_t port[INSN_LEN] = { 0xe6, PARAVANE_HYPERCALL_PORT, 0x90 };
	struct stub stub[2] = {
		{ .name = "xen_hypercall_amd",
		  .insn_name = "vmmcall",
		  .insn = { 0x0f, 0x01, 0xd9 } },
		{ .name = "xen_hypercall_intel",
		  .insn_name = "vmcall",
		  .insn = { 0x0f, 0x01, 0xc1 } },
	};
	uint8_t *amd, *intel;

	if (d->transport != TRANSPORT_PORT || !kernel->xen_linux || kernel->hypercall_page)
		return 0;
	for (unsigned int i = 0; i < kernel->nr_segments; i++) {
		const Elf64_Phdr *ph = &kernel->segment[i];
		uint8_t *text = mem_range(d, ph->p_paddr, ph->p_filesz);

		if (ph->p_flags & PF_X && text)
			stubs_search(stub, text, ph->p_filesz);
	}
	if (stubs_find(d->config->kernel, stub, &amd, &intel))
		return -ENOEXEC;
	memcpy(amd, port, sizeof(port));
	memcpy(intel, port, sizeof(port));
	pr_debug("the kernel's hypercalls go to port %#x", PARAVANE_HYPERCALL_PORT);
	return 0;
}
