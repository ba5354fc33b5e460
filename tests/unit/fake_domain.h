/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain without KVM: real guest memory (hv/mem.c, paging off, so that a linear address is a
 * physical one) and doubles for everything that would be an ioctl or another thread. What the
 * doubles were asked to do is recorded in struct fake.
 */
#ifndef TESTS_FAKE_DOMAIN_H
#define TESTS_FAKE_DOMAIN_H

#include <linux/kvm.h>

#include "hv/config.h"
#include "hv/domain.h"
#include "hv/vcpu.h"

#define FAKE_RAM (4UL << 20)
#define FAKE_VCPUS 2
#define FAKE_DOMID 7
/* vCPUs' file descriptors, which no ioctl ever reaches */
#define FAKE_VCPU_FD 100000
/* Guest address of a test's argument structure, and one that is not RAM */
#define FAKE_ARG 0x8000
#define FAKE_BAD (FAKE_RAM + 0x5000)
#define FAKE_VECTOR 0x40

struct fake {
	struct domain d;
	struct config config;
	struct vcpu vcpu[FAKE_VCPUS];
	struct kvm_run run[FAKE_VCPUS];
	bool lapic_refuses;
	unsigned int upcalls[FAKE_VCPUS];
	uint8_t vector[FAKE_VCPUS];
	unsigned int kicks;
	unsigned int doorbells;
	/* As KVM was told and tells; @before_call runs once before the next vcpu_call() */
	gpa_t vcpu_info_gpa[FAKE_VCPUS];
	gpa_t runstate_gpa[FAKE_VCPUS];
	struct kvm_xen_vcpu_attr runstate[FAKE_VCPUS];
	struct kvm_xen_hvm_attr hvm_attr;
	uint64_t kvm_clock;
	bool kvm_refuses;
	uint32_t mp_state[FAKE_VCPUS];
	void (*before_call)(void);
	/* What was logged since @log_len was last set to 0; how often the counters were read */
	char log[64 << 10];
	size_t log_len;
	unsigned int log_lines, samples, marks;
	int shutdown_reason;
};

/* The domain under test: there is one at a time */
extern struct fake *fake;

/* cmocka set-up and teardown */
int fake_setup(void **state);
int fake_teardown(void **state);

/** fake_call - hypercall @nr of vCPU 0 */
long fake_call(unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2);
/**
 * fake_op - the same for (cmd, structure) calls: @arg goes to FAKE_ARG before and comes back after
 */
long fake_op(unsigned int nr, uint64_t cmd, void *arg, size_t size);
#define EVTCHN_OP(cmd, s) fake_op(__HYPERVISOR_event_channel_op, EVTCHNOP_##cmd, s, sizeof(*(s)))
void *fake_ram(gpa_t gpa);

struct shared_info *fake_shared_info(void);
/** fake_pending - is @port's bit set? */
bool fake_pending(evtchn_port_t port);
/** fake_set_vectors - vCPU n takes its upcalls at FAKE_VECTOR + n; none has come yet */
void fake_set_vectors(void);
evtchn_port_t fake_new_ipi(unsigned int vcpu);
/** fake_send, fake_close - EVTCHNOP_send and EVTCHNOP_close */
long fake_send(evtchn_port_t port);
long fake_close(evtchn_port_t port);
/** fake_place_shared_info - XENMEM_add_to_physmap of it */
long fake_place_shared_info(gfn_t gfn);

#endif /* TESTS_FAKE_DOMAIN_H */
