// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <paravane/cpuid.h>

#include "hv/domain.h"
#include "hv/log.h"

#define KVM_DEVICE "/dev/kvm"
#define LAB_HINT "guests run in the lab of Paravane's source, tests/lab/lab"
#define NO_DEVICE_HINT " (is the kvm_amd or kvm_intel module loaded? " LAB_HINT ")"
/* Three pages Intel's KVM wants for real mode, and one for its page table: below 4 GiB, not RAM */
#define KVM_TSS_ADDRESS 0xfffbd000UL
#define KVM_IDENTITY_MAP_ADDRESS 0xfffbc000ULL
/* Where Xen's CPUID leaves say that a hypercall page can be had */
#define XEN_HYPERCALL_MSR 0x40000000
#define MSI_ADDRESS 0xfee00000U

const struct kvm_need kvm_needs[] = {
	{ KVM_CAP_SYNC_REGS, "KVM_CAP_SYNC_REGS", "hypercall registers travel in the shared page" },
	{ KVM_CAP_SPLIT_IRQCHIP, "KVM_CAP_SPLIT_IRQCHIP", "local APICs live in the kernel" },
	{ KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT", "vCPUs are kicked" },
	{ KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI", "event channels interrupt a vCPU" },
	{ KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD", "the doorbell" },
	{ KVM_CAP_X86_MSR_FILTER, "KVM_CAP_X86_MSR_FILTER", "the hypercall page's MSR" },
	{ KVM_CAP_X86_USER_SPACE_MSR, "KVM_CAP_X86_USER_SPACE_MSR", "the hypercall page's MSR" },
	{ KVM_CAP_TSC_DEADLINE_TIMER, "KVM_CAP_TSC_DEADLINE_TIMER", "the guest's timer" },
	{ 0 },
};

bool kvm_cpu_virtualizes(void)
{
	char line[8192];
	bool found = false;
	FILE *f = fopen("/proc/cpuinfo", "re");

	if (!f)
		return true; /* No way to tell; KVM's own answers remain. */
	while (!found && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "flags", 5))
			found = strstr(line, " svm ") || strstr(line, " vmx ");
	}
	fclose(f);
	return found;
}

static int kvm_check(const struct kvm *kvm)
{
	int version = ioctl(kvm->fd, KVM_GET_API_VERSION, 0);

	if (version < 0) {
		pr_err("%s is not KVM", KVM_DEVICE);
		return -ENODEV;
	}
	if (version != KVM_API_VERSION) {
		pr_err("%s has API version %d, not %d", KVM_DEVICE, version, KVM_API_VERSION);
		return -ENOTSUP;
	}
	if (!kvm_cpu_virtualizes()) {
		pr_err("%s is unusable: the processor shows neither svm nor vmx, so KVM would "
		       "interpret the guest's kernel and a boot would never end "
		       "(see paravane doctor; " LAB_HINT ")",
		       KVM_DEVICE);
		return -ENOTSUP;
	}
	for (const struct kvm_need *need = kvm_needs; need->name; need++) {
		if (ioctl(kvm->fd, KVM_CHECK_EXTENSION, need->cap) <= 0) {
			pr_err("%s lacks %s (%s)", KVM_DEVICE, need->name, need->why);
			return -ENOTSUP;
		}
	}
	return 0;
}

int kvm_open(struct kvm *kvm)
{
	int ret;

	*kvm = (struct kvm){ .fd = -1, .vm_fd = -1 };
	kvm->fd = open(KVM_DEVICE, O_RDWR | O_CLOEXEC);
	if (kvm->fd < 0) {
		ret = -errno;
		pr_err("cannot open %s: %s%s", KVM_DEVICE, strerror(-ret),
		       ret == -ENOENT ? NO_DEVICE_HINT : "");
		return ret;
	}
	ret = kvm_check(kvm);
	if (ret) {
		kvm_close(kvm);
		return ret;
	}
	kvm->run_size = ioctl(kvm->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	ret = ioctl(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_XEN_HVM);
	kvm->xen_caps = ret > 0 ? ret : 0;
	return 0;
}

void kvm_close(struct kvm *kvm)
{
	kvm_destroy_vm(kvm);
	if (kvm->fd >= 0)
		close(kvm->fd);
	*kvm = (struct kvm){ .fd = -1, .vm_fd = -1 };
}

void kvm_destroy_vm(struct kvm *kvm)
{
	if (kvm->vm_fd >= 0)
		close(kvm->vm_fd);
	kvm->vm_fd = -1;
}

static int kvm_enable_cap(const struct kvm *kvm, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap enable = { .cap = cap, .args = { arg } };

	return ioctl(kvm->vm_fd, KVM_ENABLE_CAP, &enable) ? -errno : 0;
}

/*
 * Interception takes every VMCALL and VMMCALL to us. A guest that finds KVM's leaves makes KVM's
 * own hypercalls (IPIs, kicks), which share numbers with Xen's and must stay in KVM: it calls us
 * by port. With "nopv" it does not look at those leaves.
 */
static bool may_intercept(const struct domain *d)
{
	return d->kvm.xen_caps & KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL &&
	       (d->config->profile == PROFILE_XEN || d->config->nopv);
}

/* The hypercall page: KVM writes it if hypercalls are intercepted, else a filter sends its MSR to us. */
static int kvm_setup_hypercalls(struct domain *d)
{
	static const uint8_t deny;
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.base = XEN_HYPERCALL_MSR,
			.nmsrs = 1,
			.bitmap = (uint8_t *)(uintptr_t)&deny,
		},
	};
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL,
		.msr = XEN_HYPERCALL_MSR,
	};
	int ret;

	if (d->config->profile == PROFILE_NONE)
		return 0;
	if (may_intercept(d)) {
		d->transport = TRANSPORT_INTERCEPT;
		return ioctl(d->kvm.vm_fd, KVM_XEN_HVM_CONFIG, &config) ? -errno : 0;
	}
	d->transport = TRANSPORT_PORT;
	ret = kvm_enable_cap(&d->kvm, KVM_CAP_X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON_FILTER);
	if (!ret && ioctl(d->kvm.vm_fd, KVM_X86_SET_MSR_FILTER, &filter))
		ret = -errno;
	return ret;
}

int kvm_create_vm(struct domain *d)
{
	struct kvm *kvm = &d->kvm;
	uint64_t identity_map = KVM_IDENTITY_MAP_ADDRESS;
	const char *what = "creating the VM";
	int ret;

	/* A signal, of a timer say, interrupts this one. */
	do {
		kvm->vm_fd = ioctl(kvm->fd, KVM_CREATE_VM, 0);
	} while (kvm->vm_fd < 0 && errno == EINTR);
	if (kvm->vm_fd < 0)
		goto err_errno;
	what = "real-mode support";
	if (ioctl(kvm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map))
		goto err_errno;
	if (ioctl(kvm->vm_fd, KVM_SET_TSS_ADDR, KVM_TSS_ADDRESS))
		goto err_errno;
	what = "the split irqchip";
	ret = kvm_enable_cap(kvm, KVM_CAP_SPLIT_IRQCHIP, 0);
	if (ret)
		goto err;
	what = "hypercall interception";
	ret = kvm_setup_hypercalls(d);
	if (ret)
		goto err;
	return 0;

err_errno:
	ret = -errno;
err:
	pr_err("KVM refuses %s: %s", what, strerror(-ret));
	return ret;
}

int kvm_signal_msi(const struct kvm *kvm, uint32_t apic_id, uint8_t vector)
{
	struct kvm_msi msi = {
		.address_lo = MSI_ADDRESS | apic_id << 12,
		.data = vector,
	};

	return ioctl(kvm->vm_fd, KVM_SIGNAL_MSI, &msi) > 0 ? 0 : -EAGAIN;
}

int kvm_doorbell(const struct kvm *kvm, int fd, uint32_t match, bool assign)
{
	struct kvm_ioeventfd io = {
		.datamatch = match,
		.addr = PARAVANE_DOORBELL_PORT,
		.len = 4,
		.fd = fd,
		.flags = KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DATAMATCH |
			 (assign ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};

	return ioctl(kvm->vm_fd, KVM_IOEVENTFD, &io) ? -errno : 0;
}
