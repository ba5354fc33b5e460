/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry of the conformance guest: PVH (32-bit, paging off, %ebx the start_info) to 64-bit C, the
 * interrupt stubs, a trip to user mode, and the other vCPUs' way from real mode to C.
 */
#define CODE64 0x08
#define DATA 0x10
#define USER_DATA (0x18 | 3)
#define USER_CODE (0x20 | 3)
#define RFLAGS_IOPL3 0x3002
#define STACK 16384

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18			/* name size, value size, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start32

	.text
	.code32
	.globl start32
start32:
	movl $stack_end, %esp
	movl %ebx, start_info
	call enter_long_mode
	ljmp $CODE64, $start64

/* Paging on, in long mode; the caller does the far jump */
enter_long_mode:
	movl $pml4, %eax
	movl %eax, %cr3
	movl $0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	movl %eax, %cr4
	movl $0xc0000080, %ecx		/* EFER: LME */
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl $0x80010033, %eax		/* PG, WP, NE, ET, MP, PE */
	movl %eax, %cr0
	lgdt gdt_pointer
	ret

	.code64
start64:
	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movq $stack_end, %rsp
	call main
1:	hlt
	jmp 1b

/* Another vCPU: it is sent here, below 1 MiB, in real mode */
	.globl ap_start, ap_end
	.code16
ap_start:
	cli
	movw %cs, %ax
	movw %ax, %ds
	lgdtl ap_gdt_pointer - ap_start
	movl $0x33, %eax
	movl %eax, %cr0
	ljmpl $0x30, $ap_start32
ap_gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt
ap_end:
	.code32
ap_start32:
	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %ss
	movl $ap_stack_end, %esp
	call enter_long_mode
	ljmp $CODE64, $ap_start64
	.code64
ap_start64:
	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movq $ap_stack_end, %rsp
	call ap_main
1:	hlt
	jmp 1b

/*
 * 256 stubs of 16 bytes. Each leaves an error code (the processor's, or 0) and its number on the stack.
 */
	.balign 16
	.globl isr_stubs
isr_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if (vector != 8) && (vector < 10 || vector > 14) && (vector != 17) && (vector != 21)
	pushq $0
	.endif
	pushq $vector
	jmp isr_common
	.set vector, vector + 1
	.endr

isr_common:
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	cld
	movq 72(%rsp), %rdi		/* number */
	movq 88(%rsp), %rsi		/* where it happened */
	call isr
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	iretq

/* long user_hypercall(long nr, long transport): the call made by code at privilege level 3 */
	.globl user_hypercall
user_hypercall:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, kernel_stack
	movq %rdi, %rax
	movq %rsi, %r12
	xorl %edi, %edi
	xorl %esi, %esi
	pushq $USER_DATA
	pushq $user_stack_end
	pushq $RFLAGS_IOPL3
	pushq $USER_CODE
	pushq $user_code
	iretq
user_code:
	cmpq $1, %r12
	je 1f
	cmpq $2, %r12
	je 2f
	outb %al, $0xb4
	int $0x80
1:	vmcall
	int $0x80
2:	vmmcall
	int $0x80

	.globl user_return
user_return:
	movq kernel_stack, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	.data
	.balign 4096
/* The first 4 GiB one to one, all of it open to user mode */
pml4:
	.quad pdpt + 7
	.fill 511, 8, 0
pdpt:
	.quad pd + 7, pd + 0x1007, pd + 0x2007, pd + 0x3007
	.fill 508, 8, 0
pd:
	.set page, 0
	.rept 2048
	.quad page * 0x200000 + 0x87
	.set page, page + 1
	.endr

	.balign 16
	.globl gdt, gdt_tss
gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* CODE64 */
	.quad 0x00cf93000000ffff	/* DATA */
	.quad 0x00cff3000000ffff	/* USER_DATA */
	.quad 0x00affb000000ffff	/* USER_CODE */
	.quad 0
	.quad 0x00cf9b000000ffff	/* 0x30: 32-bit code, for vCPUs on their way */
gdt_tss:
	.quad 0, 0			/* 0x38 */
gdt_end:
gdt_pointer:
	.word gdt_end - gdt - 1
	.quad gdt

	.globl start_info
start_info:
	.quad 0
kernel_stack:
	.quad 0

	.bss
	.balign 16
	.skip STACK
stack_end:
	.skip STACK
ap_stack_end:
	.skip 4096
user_stack_end:
	.globl interrupt_stack_end
	.skip STACK
interrupt_stack_end:

	.section .note.GNU-stack, "", @progbits
