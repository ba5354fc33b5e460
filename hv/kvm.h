/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_KVM_H
#define HV_KVM_H

#include <linux/kvm.h>

#include "hv/types.h"

/**
 * struct kvm - the VM's file descriptors and what this host's KVM can do
 * @fd: /dev/kvm
 * @vm_fd: the VM, or -1
 * @xen_caps: KVM_CAP_XEN_HVM bits; 0 without CONFIG_KVM_XEN
 * @tsc_khz: frequency the guest sees; known once the first vCPU exists
 * @run_size: size of struct kvm_run's mapping
 */
struct kvm {
	int fd;
	int vm_fd;
	uint32_t xen_caps;
	uint32_t tsc_khz;
	size_t run_size;
};

/** struct kvm_need - a capability of KVM that Paravane cannot do without */
struct kvm_need {
	int cap;
	const char *name;
	const char *why;
};

/** kvm_needs - the list, ended by an entry without a name */
extern const struct kvm_need kvm_needs[];

/**
 * kvm_cpu_virtualizes - true if the processor runs guests itself (svm or vmx in /proc/cpuinfo)
 *
 * Where it does not, a /dev/kvm that opens interprets a guest's kernel instruction by instruction.
 */
bool kvm_cpu_virtualizes(void);

/**
 * kvm_open - open /dev/kvm and check that guests really can run on it
 *
 * Return: 0, or -errno after printing one line that says what is missing.
 */
int kvm_open(struct kvm *kvm);
void kvm_close(struct kvm *kvm);
/**
 * kvm_create_vm - create the VM with a split irqchip and the capabilities the profile needs
 *
 * Decides d->transport. Return: 0, or -errno after printing one line.
 */
int kvm_create_vm(struct domain *d);
/** kvm_destroy_vm - let go of the VM; @kvm stays open; allowed without one */
void kvm_destroy_vm(struct kvm *kvm);

/**
 * kvm_signal_msi - raise @vector on the vCPU with LAPIC id @apic_id; any thread
 *
 * Return: 0, or -EAGAIN if that LAPIC does not accept it yet.
 */
int kvm_signal_msi(const struct kvm *kvm, uint32_t apic_id, uint8_t vector);

/** kvm_doorbell - have KVM signal @fd on a 4-byte out of @match to the doorbell port; 0 or -errno */
int kvm_doorbell(const struct kvm *kvm, int fd, uint32_t match, bool assign);

#endif /* HV_KVM_H */
