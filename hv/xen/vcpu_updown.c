// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/xen/vcpu_updown.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "hv/domain.h"
#include "hv/mem.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"
#include "hv/xen/runstate.h"

#include <xen-public/hvm/hvm_vcpu.h>
#include <xen-public/sched.h>
#include <xen-public/vcpu.h>

/* Xen's "access rights" of a segment */
#define AR_TYPE 0xf
#define AR_CODE 0x8
#define AR_WRITABLE 0x2 /* of code: readable */
#define AR_ACCESSED 0x1
#define AR_S 0x10
#define AR_P 0x80
#define AR_UNUSED 0xf000
#define AR_BUSY_TSS 0xb

#define CR0_PG (1ull << 31)
#define EFER_SCE 0x1
#define EFER_LME 0x100
#define EFER_LMA 0x400
#define EFER_NXE 0x800

/* ---- registers to start with ---- */

/** struct start - a struct vcpu_hvm_context as KVM wants it; the rest of @sregs is the vCPU's own */
struct start {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
};

static struct kvm_segment segment(uint32_t base, uint32_t limit, uint16_t ar)
{
	return (struct kvm_segment){
		.base = base,
		.limit = limit,
		.type = ar & AR_TYPE,
		.s = !!(ar & AR_S),
		.dpl = ar >> 5 & 3,
		.present = !!(ar & AR_P),
		.avl = ar >> 8 & 1,
		.l = ar >> 9 & 1,
		.db = ar >> 10 & 1,
		.g = ar >> 11 & 1,
		.unusable = !ar,
	};
}

/* Present, and code or data of a type that @want says of its bits @mask */
static bool is_memory(uint16_t ar, uint16_t mask, uint16_t want)
{
	return (ar & (AR_S | AR_P | AR_UNUSED)) == (AR_S | AR_P) && (ar & mask) == want;
}

/* Anything but code that cannot be read, or nothing */
static bool is_data(uint16_t ar)
{
	return !ar || is_memory(ar, AR_WRITABLE, AR_WRITABLE) || is_memory(ar, AR_CODE, 0);
}

static unsigned int dpl(uint16_t ar)
{
	return ar >> 5 & 3;
}

static bool segments_valid(const struct vcpu_hvm_x86_32 *r)
{
	return is_memory(r->cs_ar, AR_CODE, AR_CODE) &&
	       is_memory(r->ss_ar, AR_CODE | AR_WRITABLE, AR_WRITABLE) &&
	       dpl(r->ss_ar) == dpl(r->cs_ar) && is_data(r->ds_ar) && is_data(r->es_ar) &&
	       dpl(r->ds_ar) <= dpl(r->cs_ar) && dpl(r->es_ar) <= dpl(r->cs_ar) &&
	       (r->tr_ar & (AR_S | AR_P | AR_UNUSED | AR_TYPE)) == (AR_P | AR_BUSY_TSS);
}

static long start_32(const struct vcpu_hvm_x86_32 *r, struct start *s)
{
	if (!segments_valid(r))
		return -EINVAL;
	s->regs = (struct kvm_regs){ .rax = r->eax,
				     .rcx = r->ecx,
				     .rdx = r->edx,
				     .rbx = r->ebx,
				     .rsp = r->esp,
				     .rbp = r->ebp,
				     .rsi = r->esi,
				     .rdi = r->edi,
				     .rip = r->eip,
				     .rflags = r->eflags | 2 };
	s->sregs.cr0 = r->cr0;
	s->sregs.cr3 = r->cr3;
	s->sregs.cr4 = r->cr4;
	s->sregs.efer = r->efer;
	s->sregs.cs = segment(r->cs_base, r->cs_limit, r->cs_ar | AR_ACCESSED);
	s->sregs.ss = segment(r->ss_base, r->ss_limit, r->ss_ar | AR_ACCESSED);
	s->sregs.ds = segment(r->ds_base, r->ds_limit, r->ds_ar);
	s->sregs.es = segment(r->es_base, r->es_limit, r->es_ar);
	s->sregs.tr = segment(r->tr_base, r->tr_limit, r->tr_ar);
	return 0;
}

static void start_64(const struct vcpu_hvm_x86_64 *r, struct start *s)
{
	s->regs = (struct kvm_regs){ .rax = r->rax,
				     .rcx = r->rcx,
				     .rdx = r->rdx,
				     .rbx = r->rbx,
				     .rsp = r->rsp,
				     .rbp = r->rbp,
				     .rsi = r->rsi,
				     .rdi = r->rdi,
				     .rip = r->rip,
				     .rflags = r->rflags | 2 };
	s->sregs.cr0 = r->cr0;
	s->sregs.cr3 = r->cr3;
	s->sregs.cr4 = r->cr4;
	s->sregs.efer = r->efer;
	s->sregs.cs = segment(0, ~0u, 0xa9b);
	s->sregs.ss = s->sregs.ds = s->sregs.es = segment(0, ~0u, 0xc93);
	s->sregs.tr = segment(0, 0x67, 0x8b);
}

/* Control registers that make no sense together are KVM's to refuse */
static long initialise_own(struct vcpu *v, void *arg)
{
	const struct vcpu_hvm_context *context = arg;
	struct start s;

	if (v->abi->initialised || runstate_state(v) != RUNSTATE_offline)
		return -EEXIST;
	if (ioctl(v->fd, KVM_GET_SREGS, &s.sregs))
		return -errno;
	if (context->mode == VCPU_HVM_MODE_64B)
		start_64(&context->cpu_regs.x86_64, &s);
	else if (context->mode != VCPU_HVM_MODE_32B || start_32(&context->cpu_regs.x86_32, &s))
		return -EINVAL;
	/* From us KVM takes any bit, also those whose features the guest was not given */
	if (s.sregs.efer & ~(uint64_t)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE))
		return -EINVAL;
	if (s.sregs.efer & EFER_LME && s.sregs.cr0 & CR0_PG)
		s.sregs.efer |= EFER_LMA;
	if (ioctl(v->fd, KVM_SET_SREGS, &s.sregs) || ioctl(v->fd, KVM_SET_REGS, &s.regs))
		return -EINVAL;
	v->abi->initialised = true;
	return 0;
}

long vcpu_op_initialise(struct vcpu *caller, struct vcpu *v, gva_t arg)
{
	struct vcpu_hvm_context context;

	if (mem_read_gva(caller, &context, arg, sizeof(context)))
		return -EFAULT;
	return vcpu_call(v, initialise_own, &context);
}

/* ---- up and down ---- */

static long down_of(struct vcpu *v, void *arg)
{
	(void)arg;
	return runstate_state(v) == RUNSTATE_offline;
}

bool vcpu_is_down(struct vcpu *v)
{
	return vcpu_call(v, down_of, NULL);
}

static long set_state(struct vcpu *v, uint32_t state)
{
	struct kvm_mp_state mp = { .mp_state = state };
	struct vcpu_runstate_info until_now;

	/* The time that went by belongs to the old state */
	runstate_get(v, &until_now);
	return ioctl(v->fd, KVM_SET_MP_STATE, &mp) ? -errno : 0;
}

static long up_own(struct vcpu *v, void *arg)
{
	(void)arg;
	if (runstate_state(v) != RUNSTATE_offline)
		return 0;
	return v->abi->initialised ? set_state(v, KVM_MP_STATE_RUNNABLE) : -EINVAL;
}

/* It waits as after an INIT. As before the first one it must not: KVM is sure that no timer runs then. */
static long down_own(struct vcpu *v, void *arg)
{
	(void)arg;
	if (runstate_state(v) == RUNSTATE_offline)
		return 0;
	v->abi->initialised = true;
	return set_state(v, KVM_MP_STATE_INIT_RECEIVED);
}

long vcpu_op_up(struct vcpu *caller, struct vcpu *v, gva_t arg)
{
	(void)caller;
	(void)arg;
	return vcpu_call(v, up_own, NULL);
}

long vcpu_op_down(struct vcpu *caller, struct vcpu *v, gva_t arg)
{
	struct domain *d = caller->domain;
	unsigned int others = 0;

	(void)arg;
	for (unsigned int i = 0; i < d->nr_vcpus; i++)
		others += d->vcpu[i] != v && !vcpu_is_down(d->vcpu[i]);
	if (others)
		return vcpu_call(v, down_own, NULL);
	domain_shutdown(d, SHUTDOWN_poweroff);
	return 0;
}

long vcpu_op_is_up(struct vcpu *caller, struct vcpu *v, gva_t arg)
{
	(void)caller;
	(void)arg;
	return !vcpu_is_down(v);
}
