// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks /dev/kvm what it really does.
 *
 *	kvmprobe run		runs a few instructions of guest code up to HLT
 *	kvmprobe cap NUMBER	prints KVM_CHECK_EXTENSION's answer, fails when it is 0
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define CODE_GPA 0x1000
#define ANSWER 42

static void fail(const char *what)
{
	fprintf(stderr, "kvmprobe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int check(int result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

/* Real-mode code: al = 40 + 2, to port 0x10, then HLT */
static const uint8_t code[] = { 0xb0, 0x28, 0x04, 0x02, 0xe6, 0x10, 0xf4 };

static struct kvm_run *start_vcpu(int kvm, int *vcpu)
{
	int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = CODE_GPA,
		.memory_size = 4096,
	};
	struct kvm_regs regs = { .rip = CODE_GPA, .rflags = 2 };
	struct kvm_sregs sregs;
	struct kvm_run *run;
	void *page;

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		fail("mmap");
	memcpy(page, code, sizeof(code));
	region.userspace_addr = (uintptr_t)page;
	check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");

	*vcpu = check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	run = mmap(NULL, check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE"),
		   PROT_READ | PROT_WRITE, MAP_SHARED, *vcpu, 0);
	if (run == MAP_FAILED)
		fail("mmap of kvm_run");
	check(ioctl(*vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	check(ioctl(*vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	check(ioctl(*vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
	return run;
}

static int run_guest(int kvm)
{
	int answer = -1;
	int vcpu;
	struct kvm_run *run = start_vcpu(kvm, &vcpu);

	for (;;) {
		check(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
		if (run->exit_reason != KVM_EXIT_IO)
			break;
		if (run->io.direction == KVM_EXIT_IO_OUT && run->io.port == 0x10)
			answer = *((uint8_t *)run + run->io.data_offset);
	}
	if (run->exit_reason != KVM_EXIT_HLT || answer != ANSWER) {
		printf("exit reason %u, answer %d\n", run->exit_reason, answer);
		return 1;
	}
	printf("the guest said %d and halted\n", answer);
	return 0;
}

int main(int argc, char **argv)
{
	int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	int answer;

	if (argc == 2 && !strcmp(argv[1], "run"))
		return run_guest(kvm);
	if (argc == 3 && !strcmp(argv[1], "cap")) {
		answer = check(ioctl(kvm, KVM_CHECK_EXTENSION, atoi(argv[2])),
			       "KVM_CHECK_EXTENSION");
		printf("%d\n", answer);
		return answer == 0;
	}
	fprintf(stderr, "usage: kvmprobe run | cap NUMBER\n");
	return 2;
}
