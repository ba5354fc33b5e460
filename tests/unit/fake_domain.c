// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/fake_domain.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <cmocka.h>

#include "hv/boot.h"
#include "hv/hypercall.h"
#include "hv/log.h"
#include "hv/loop.h"
#include "hv/mem.h"
#include "hv/pio.h"
#include "hv/stats.h"
#include "hv/console_uart.h"

#include <xen-public/hvm/hvm_op.h>
#include <xen-public/memory.h>

struct fake *fake;

int fake_setup(void **state)
{
	struct fake *f = calloc(1, sizeof(*f));

	(void)state;
	if (!f)
		return -1;
	fake = f;
	f->config.vcpus = FAKE_VCPUS;
	f->d.config = &f->config;
	f->d.domid = FAKE_DOMID;
	f->d.kvm.tsc_khz = 2000000;
	f->d.kvm.vm_fd = -1;
	f->d.nr_vcpus = FAKE_VCPUS;
	f->d.shutdown_reason = -1;
	f->d.store_gfn = 0x3fe;
	f->d.console_gfn = 0x3ff;
	f->kvm_clock = UINT64_MAX;
	pthread_mutex_init(&f->d.physmap_lock, NULL);
	for (unsigned int i = 0; i < FAKE_VCPUS; i++) {
		f->vcpu[i] = (struct vcpu){ .domain = &f->d, .id = i, .apic_id = i };
		f->vcpu[i].fd = FAKE_VCPU_FD + i;
		f->mp_state[i] = i ? KVM_MP_STATE_UNINITIALIZED : KVM_MP_STATE_RUNNABLE;
		f->vcpu[i].run = &f->run[i];
		f->run[i].s.regs.sregs.cs.l = 1;
		f->d.vcpu[i] = &f->vcpu[i];
	}
	f->d.loop = loop_new();
	if (!f->d.loop || mem_alloc(&f->d, FAKE_RAM) || abi_create(&f->d) || pio_create(&f->d))
		return -1;
	return 0;
}

int fake_teardown(void **state)
{
	(void)state;
	abi_destroy(&fake->d);
	pio_destroy(&fake->d);
	mem_destroy(&fake->d);
	loop_free(fake->d.loop);
	pthread_mutex_destroy(&fake->d.physmap_lock);
	free(fake);
	return 0;
}

void *fake_ram(gpa_t gpa)
{
	void *va = mem_range(&fake->d, gpa, 1);

	if (!va)
		abort();
	return va;
}

long fake_call(unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	struct hypercall_args call = { .nr = nr, .arg = { a0, a1, a2 } };

	return hypercall_dispatch(&fake->vcpu[0], &call);
}

long fake_op(unsigned int nr, uint64_t cmd, void *arg, size_t size)
{
	long ret;

	memcpy(fake_ram(FAKE_ARG), arg, size);
	ret = fake_call(nr, cmd, FAKE_ARG, 0);
	memcpy(arg, fake_ram(FAKE_ARG), size);
	return ret;
}

struct shared_info *fake_shared_info(void)
{
	return fake->d.shared_info.va;
}

bool fake_pending(evtchn_port_t port)
{
	return fake_shared_info()->evtchn_pending[port / 64] >> port % 64 & 1;
}

void fake_set_vectors(void)
{
	for (unsigned int i = 0; i < FAKE_VCPUS; i++) {
		struct xen_hvm_evtchn_upcall_vector v = { .vcpu = i, .vector = FAKE_VECTOR + i };

		assert_int_equal(fake_op(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &v,
					 sizeof(v)),
				 0);
	}
	memset(fake->upcalls, 0, sizeof(fake->upcalls));
}

evtchn_port_t fake_new_ipi(unsigned int vcpu)
{
	struct evtchn_bind_ipi bind = { .vcpu = vcpu };

	assert_int_equal(EVTCHN_OP(bind_ipi, &bind), 0);
	return bind.port;
}

long fake_send(evtchn_port_t port)
{
	struct evtchn_send s = { .port = port };

	return EVTCHN_OP(send, &s);
}

long fake_close(evtchn_port_t port)
{
	struct evtchn_close c = { .port = port };

	return EVTCHN_OP(close, &c);
}

long fake_place_shared_info(gfn_t gfn)
{
	struct xen_add_to_physmap x = { .domid = DOMID_SELF,
					.space = XENMAPSPACE_shared_info,
					.gpfn = gfn };

	return fake_op(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &x, sizeof(x));
}

/* Doubles */

int kvm_signal_msi(const struct kvm *kvm, uint32_t apic_id, uint8_t vector)
{
	(void)kvm;
	if (fake->lapic_refuses)
		return -EAGAIN;
	__atomic_fetch_add(&fake->upcalls[apic_id], 1, __ATOMIC_SEQ_CST);
	fake->vector[apic_id] = vector;
	return 0;
}

int kvm_doorbell(const struct kvm *kvm, int fd, uint32_t match, bool assign)
{
	(void)kvm;
	(void)fd;
	(void)match;
	fake->doorbells += assign ? 1 : -1;
	return 0;
}

void vcpu_kick(struct vcpu *v)
{
	(void)v;
	fake->kicks++;
}

long vcpu_call(struct vcpu *v, long (*fn)(struct vcpu *v, void *arg), void *arg)
{
	void (*before)(void) = fake->before_call;

	fake->before_call = NULL;
	if (before)
		before();
	return fn(v, arg);
}

unsigned int vcpu_cpl(const struct vcpu *v)
{
	return v->run->s.regs.sregs.ss.dpl;
}

bool vcpu_long_mode(const struct vcpu *v)
{
	return v->run->s.regs.sregs.cs.l;
}

void domain_shutdown(struct domain *d, int reason)
{
	d->shutdown_reason = reason;
}

bool domain_stopping(const struct domain *d)
{
	return d->shutdown_reason >= 0;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	size_t room = sizeof(fake->log) - fake->log_len;
	char *text = fake->log + fake->log_len;
	va_list ap;

	va_start(ap, fmt);
	if (level == LOG_LEVEL_ERR) {
		vfprintf(stderr, fmt, ap);
		fputc('\n', stderr);
	} else if (level < LOG_LEVEL_DEBUG && room > 1024) {
		fake->log_len += vsnprintf(text, room - 1, fmt, ap);
		fake->log[fake->log_len++] = '\n';
		fake->log[fake->log_len] = '\0';
	}
	va_end(ap);
	fake->log_lines += level < LOG_LEVEL_DEBUG;
}

void stats_sample(const struct domain *d, struct stats_mark *mark)
{
	(void)d;
	(void)mark;
	fake->samples++;
}

bool stats_add_mark(struct domain *d, const struct stats_mark *mark)
{
	(void)d;
	(void)mark;
	return fake->marks++ < STATS_MARKS;
}

void uart_write(struct uart *uart, unsigned int reg, uint8_t value)
{
	(void)uart;
	(void)reg;
	(void)value;
}

uint8_t uart_read(struct uart *uart, unsigned int reg)
{
	(void)uart;
	(void)reg;
	return 0;
}

static int xen_vcpu_attr(unsigned int vcpu, struct kvm_xen_vcpu_attr *attr, bool set)
{
	struct kvm_xen_vcpu_attr *runstate = &fake->runstate[vcpu];
	bool no_area = false;

	if (attr->type == KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR) {
		/* KVM keeps also an address that it refuses, until it is told that there is none. */
		fake->runstate_gpa[vcpu] = attr->u.gpa;
		no_area = attr->u.gpa == GFN_NONE;
	}
	if (set && fake->kvm_refuses && !no_area) {
		errno = EINVAL;
		return -1;
	}
	switch (attr->type) {
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO:
		fake->vcpu_info_gpa[vcpu] = attr->u.gpa;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT:
		runstate->u.runstate.state = attr->u.runstate.state;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA:
		if (set)
			*runstate = *attr;
		else
			*attr = *runstate;
	}
	return 0;
}

unsigned int boot_memory_map(const struct domain *d, struct boot_range range[BOOT_RANGES])
{
	range[0] = (struct boot_range){ 0, 0xa0000, BOOT_RANGE_RAM };
	range[1] = (struct boot_range){ 0xa0000, 0x60000, BOOT_RANGE_RESERVED };
	range[2] = (struct boot_range){ 0x100000, mem_bytes(d), BOOT_RANGE_RAM };
	return 3;
}

/* Linked with --wrap=ioctl: what KVM would do for a guest whose TSC is the host's */
int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	unsigned int vcpu = fd - FAKE_VCPU_FD;
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	switch (request) {
	case KVM_GET_DEVICE_ATTR: /* the TSC offset stays 0 */
	case KVM_SET_USER_MEMORY_REGION:
		return 0;
	case KVM_SET_CLOCK:
		fake->kvm_clock = ((struct kvm_clock_data *)arg)->clock;
		return 0;
	case KVM_GET_CLOCK:
		((struct kvm_clock_data *)arg)->clock = fake->kvm_clock;
		return 0;
	case KVM_XEN_HVM_SET_ATTR:
		fake->hvm_attr = *(struct kvm_xen_hvm_attr *)arg;
		return 0;
	case KVM_SET_MP_STATE:
		fake->mp_state[vcpu] = ((struct kvm_mp_state *)arg)->mp_state;
		return 0;
	case KVM_GET_MP_STATE:
		((struct kvm_mp_state *)arg)->mp_state = fake->mp_state[vcpu];
		return 0;
	case KVM_GET_SREGS:
		*(struct kvm_sregs *)arg = fake->run[vcpu].s.regs.sregs;
		return 0;
	case KVM_SET_SREGS:
		fake->run[vcpu].s.regs.sregs = *(struct kvm_sregs *)arg;
		return 0;
	case KVM_SET_REGS:
		fake->run[vcpu].s.regs.regs = *(struct kvm_regs *)arg;
		return 0;
	case KVM_XEN_VCPU_SET_ATTR:
	case KVM_XEN_VCPU_GET_ATTR:
		return xen_vcpu_attr(vcpu, arg, request == KVM_XEN_VCPU_SET_ATTR);
	default:
		errno = ENOTTY;
		return -1;
	}
}
