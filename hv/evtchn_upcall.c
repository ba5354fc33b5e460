// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shared bits of the 2-level ABI, and the interrupt that tells a vCPU to look at them, or at the
 * queues of the FIFO ABI (hv/xen/evtchn_fifo.c).
 *
 * A sender sets the port's pending bit, then (unless masked) the selector bit, then upcall_pending,
 * then interrupts; whoever finds a bit set already leaves the rest to the sender who set it. The
 * guest takes them in the opposite order. All are locked operations, so no further barrier is
 * needed on x86. The bits lie in pages that may move; they are used within an RCU read-side
 * section.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <urcu-bp.h>

#include "hv/domain.h"
#include "hv/domain_abi.h"
#include "hv/evtchn.h"
#include "hv/evtchn_port.h"
#include "hv/log.h"
#include "hv/timer.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"
#include "hv/xen/evtchn_fifo.h"
#include "hv/xen/vcpu_updown.h"

#define BITS_PER_WORD 64

static bool test_and_set(xen_ulong_t *word, unsigned int bit)
{
	xen_ulong_t mask = 1UL << (bit % BITS_PER_WORD);

	return __atomic_fetch_or(word + bit / BITS_PER_WORD, mask, __ATOMIC_SEQ_CST) & mask;
}

static bool test_and_clear(xen_ulong_t *word, unsigned int bit)
{
	xen_ulong_t mask = 1UL << (bit % BITS_PER_WORD);

	return __atomic_fetch_and(word + bit / BITS_PER_WORD, ~mask, __ATOMIC_SEQ_CST) & mask;
}

static bool test(const xen_ulong_t *word, unsigned int bit)
{
	xen_ulong_t mask = 1UL << (bit % BITS_PER_WORD);

	return __atomic_load_n(word + bit / BITS_PER_WORD, __ATOMIC_SEQ_CST) & mask;
}

/* True while KVM itself raises the upcall vector, from the vcpu_info it was told about */
static bool kvm_injects(const struct domain *d)
{
	return __atomic_load_n(&d->abi->callback_vector, __ATOMIC_ACQUIRE);
}

static struct shared_info *shared_info(const struct domain *d)
{
	return rcu_dereference(d->shared_info.va);
}

struct vcpu_info *evtchn_vcpu_info(const struct vcpu *v)
{
	struct vcpu_info *info = rcu_dereference(v->abi->info);

	return info ? info : &shared_info(v->domain)->vcpu_info[v->id];
}

/* The FIFO queues, or NULL while events are 2-level */
static struct evtchn_fifo *fifo_of(const struct domain *d)
{
	return rcu_dereference(d->evtchn->fifo);
}

/* True if the vCPU must be interrupted */
static bool mark_vcpu(struct vcpu *v)
{
	return !__atomic_exchange_n(&evtchn_vcpu_info(v)->evtchn_upcall_pending, 1,
				    __ATOMIC_SEQ_CST);
}

/* A FIFO port may meet 2-level bits, which it has not, while the guest resets its event channels. */
static bool has_bit(evtchn_port_t port)
{
	return port < EVTCHN_2L_NR_CHANNELS;
}

static bool select_port(struct vcpu *v, evtchn_port_t port)
{
	return !test_and_set(&evtchn_vcpu_info(v)->evtchn_pending_sel, port / BITS_PER_WORD);
}

static bool set_pending_2l(struct vcpu *v, evtchn_port_t port)
{
	struct shared_info *si = shared_info(v->domain);

	return has_bit(port) && !test_and_set(si->evtchn_pending, port) &&
	       !test(si->evtchn_mask, port) && select_port(v, port);
}

static bool clear_mask_2l(struct vcpu *v, evtchn_port_t port)
{
	struct shared_info *si = shared_info(v->domain);

	return has_bit(port) && test_and_clear(si->evtchn_mask, port) &&
	       test(si->evtchn_pending, port) && select_port(v, port);
}

static void wake_pollers(struct domain *d)
{
	uint32_t pollers = __atomic_load_n(&d->abi->pollers, __ATOMIC_SEQ_CST);

	for (; pollers; pollers &= pollers - 1)
		vcpu_wake(d->vcpu[__builtin_ctz(pollers)]);
}

void evtchn_set_pending(struct vcpu *v, evtchn_port_t port)
{
	struct evtchn_fifo *fifo;
	bool upcall;

	rcu_read_lock();
	fifo = fifo_of(v->domain);
	upcall = (fifo ? evtchn_fifo_set_pending(fifo, v->id, evtchn_port(v->domain, port), port) :
			 set_pending_2l(v, port)) &&
		 mark_vcpu(v);
	rcu_read_unlock();
	if (upcall)
		evtchn_upcall(v);
	/* Pairs with SCHEDOP_poll, which announces itself before it looks at the pending bits. */
	wake_pollers(v->domain);
}

void evtchn_clear_pending(struct domain *d, evtchn_port_t port)
{
	struct evtchn_fifo *fifo;

	rcu_read_lock();
	fifo = fifo_of(d);
	if (fifo)
		evtchn_fifo_clear_pending(fifo, evtchn_port(d, port), port);
	else if (has_bit(port))
		test_and_clear(shared_info(d)->evtchn_pending, port);
	rcu_read_unlock();
}

void evtchn_clear_mask(struct vcpu *v, evtchn_port_t port)
{
	struct evtchn_fifo *fifo;
	bool upcall;

	rcu_read_lock();
	fifo = fifo_of(v->domain);
	upcall = (fifo ? evtchn_fifo_clear_mask(fifo, v->id, evtchn_port(v->domain, port), port) :
			 clear_mask_2l(v, port)) &&
		 mark_vcpu(v);
	rcu_read_unlock();
	if (upcall)
		evtchn_upcall(v);
}

bool evtchn_is_pending(struct domain *d, evtchn_port_t port)
{
	struct evtchn_fifo *fifo;
	bool pending;

	rcu_read_lock();
	fifo = fifo_of(d);
	pending = fifo ? evtchn_fifo_is_pending(fifo, port) :
			 has_bit(port) && test(shared_info(d)->evtchn_pending, port);
	rcu_read_unlock();
	return pending;
}

bool evtchn_upcall_pending(struct vcpu *v)
{
	bool pending;

	rcu_read_lock();
	pending = __atomic_load_n(&evtchn_vcpu_info(v)->evtchn_upcall_pending, __ATOMIC_SEQ_CST);
	rcu_read_unlock();
	return pending;
}

void evtchn_unmask_upcall(struct vcpu *v)
{
	rcu_read_lock();
	evtchn_vcpu_info(v)->evtchn_upcall_mask = 0;
	rcu_read_unlock();
}

void evtchn_upcall(struct vcpu *v)
{
	struct domain *d = v->domain;
	uint8_t vector = __atomic_load_n(&v->abi->upcall_vector, __ATOMIC_ACQUIRE);

	if (vector) {
		if (kvm_signal_msi(&d->kvm, v->apic_id, vector)) {
			__atomic_store_n(&v->abi->upcall_owed, true, __ATOMIC_RELEASE);
			timer_upcall_retry(v);
		}
	} else if (kvm_injects(d)) {
		vcpu_kick(v);
	}
	if (__atomic_load_n(&d->abi->pollers, __ATOMIC_SEQ_CST) & (1u << v->id))
		vcpu_wake(v);
}

void evtchn_upcall_retry(struct vcpu *v)
{
	if (__atomic_load_n(&v->abi->upcall_owed, __ATOMIC_RELAXED) &&
	    __atomic_exchange_n(&v->abi->upcall_owed, false, __ATOMIC_ACQ_REL) &&
	    evtchn_upcall_pending(v))
		evtchn_upcall(v);
}

/*
 * Where KVM is to look for upcall_pending: nowhere, unless it is KVM that raises this vCPU's
 * upcalls; physmap lock held
 */
static gpa_t kvm_vcpu_info_gpa(struct vcpu *v)
{
	struct domain *d = v->domain;

	if (!kvm_injects(d) || __atomic_load_n(&v->abi->upcall_vector, __ATOMIC_ACQUIRE))
		return GFN_NONE;
	if (v->abi->info)
		return v->abi->info_gpa;
	if (d->shared_info.gfn == GFN_NONE)
		return GFN_NONE;
	return (d->shared_info.gfn << PAGE_SHIFT) + offsetof(struct shared_info, vcpu_info[v->id]);
}

/*
 * On the vCPU's own thread, so that of two changes at a time the one told last is the newest. The
 * time in vcpu_info is ours to fill in, unless KVM does it.
 */
static long sync_own_vcpu_info(struct vcpu *v, void *arg)
{
	struct kvm_xen_vcpu_attr attr = { .type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO };
	struct domain *d = v->domain;

	(void)arg;
	pthread_mutex_lock(&d->physmap_lock);
	attr.u.gpa = kvm_vcpu_info_gpa(v);
	pthread_mutex_unlock(&d->physmap_lock);
	if (attr.u.gpa != v->abi->kvm_info_gpa) {
		if (ioctl(v->fd, KVM_XEN_VCPU_SET_ATTR, &attr))
			return -errno;
		v->abi->kvm_info_gpa = attr.u.gpa;
	}
	rcu_read_lock();
	if (attr.u.gpa == GFN_NONE)
		pvclock_publish(d, &evtchn_vcpu_info(v)->time);
	rcu_read_unlock();
	return 0;
}

/*
 * Bring KVM's idea of @v's vcpu_info up to date, and the time in it. No lock may be held: the other
 * vCPU has to leave the guest for it.
 */
static long sync_vcpu_info(struct vcpu *v)
{
	return vcpu_call(v, sync_own_vcpu_info, NULL);
}

long evtchn_set_callback_vector(struct domain *d, uint8_t vector)
{
	struct kvm_xen_hvm_attr attr = { .type = KVM_XEN_ATTR_TYPE_UPCALL_VECTOR };
	long err;

	if (!vector && !kvm_injects(d))
		return 0;
	if (!(d->kvm.xen_caps & KVM_XEN_HVM_CONFIG_SHARED_INFO)) {
		pr_once(LOG_LEVEL_WARN, "guest wants a callback vector without LAPIC: this host's "
					"KVM has no Xen support (CONFIG_KVM_XEN)");
		return -ENOSYS;
	}
	attr.u.vector = vector;
	/* KVM is to keep the time in vcpu_info; let it go on from ours. */
	err = timer_align_kvm_clock(d);
	if (err)
		return err;
	if (ioctl(d->kvm.vm_fd, KVM_XEN_HVM_SET_ATTR, &attr))
		return -errno;
	__atomic_store_n(&d->abi->callback_vector, vector, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < d->nr_vcpus; i++) {
		err = sync_vcpu_info(d->vcpu[i]);
		if (err)
			return err;
		evtchn_upcall(d->vcpu[i]);
	}
	return 0;
}

long evtchn_set_upcall_vector(struct vcpu *v, uint8_t vector)
{
	long err;

	__atomic_store_n(&v->abi->upcall_vector, vector, __ATOMIC_RELEASE);
	err = sync_vcpu_info(v);
	evtchn_upcall(v);
	return err;
}

/* Bits that senders set in the old storage while the contents moved */
void evtchn_settle_shared_info(struct domain *d, const void *from, void *to)
{
	const struct shared_info *old = from;
	struct shared_info *new = to;

	for (unsigned int i = 0; i < ARRAY_SIZE(old->evtchn_pending); i++)
		__atomic_fetch_or(&new->evtchn_pending[i], old->evtchn_pending[i],
				  __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < d->nr_vcpus; i++) {
		const struct vcpu_info *src = &old->vcpu_info[i];
		struct vcpu_info *dst = &new->vcpu_info[i];

		__atomic_fetch_or(&dst->evtchn_pending_sel, src->evtchn_pending_sel,
				  __ATOMIC_SEQ_CST);
		if (src->evtchn_upcall_pending)
			__atomic_store_n(&dst->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
	}
}

long evtchn_shared_info_moved(struct domain *d)
{
	long err = 0;

	rcu_read_lock();
	wallclock_publish(d, shared_info(d));
	rcu_read_unlock();
	for (unsigned int i = 0; i < d->nr_vcpus; i++) {
		if (!err)
			err = sync_vcpu_info(d->vcpu[i]);
		if (evtchn_upcall_pending(d->vcpu[i]))
			evtchn_upcall(d->vcpu[i]);
	}
	return err;
}

long evtchn_place_shared_info(struct domain *d, gfn_t gfn)
{
	long err;

	pthread_mutex_lock(&d->physmap_lock);
	err = hv_page_place(d, &d->shared_info, gfn);
	pthread_mutex_unlock(&d->physmap_lock);
	return err ? err : evtchn_shared_info_moved(d);
}

long evtchn_unplace_shared_info(struct domain *d, gfn_t gfn)
{
	long err = -ENOENT;

	pthread_mutex_lock(&d->physmap_lock);
	if (d->shared_info.gfn == gfn)
		err = hv_page_unplace(d, &d->shared_info);
	pthread_mutex_unlock(&d->physmap_lock);
	return err ? err : evtchn_shared_info_moved(d);
}

long evtchn_register_vcpu_info(struct vcpu *caller, struct vcpu *v, gfn_t gfn, uint32_t offset)
{
	struct domain *d = v->domain;
	struct vcpu_info *info;
	uint8_t *page;
	long err = 0;

	if (offset > PAGE_SIZE - sizeof(*info) || offset % _Alignof(struct vcpu_info))
		return -ENXIO;
	page = mem_page(d, gfn);
	if (!page || (v != caller && !vcpu_is_down(v)))
		return -EINVAL;
	info = (struct vcpu_info *)(page + offset);

	pthread_mutex_lock(&d->physmap_lock);
	if (v->abi->info) {
		err = -EINVAL;
	} else {
		rcu_read_lock();
		/* The new place may overlap the old one. */
		memmove(info, evtchn_vcpu_info(v), sizeof(*info));
		rcu_read_unlock();
		v->abi->info_gpa = (gfn << PAGE_SHIFT) + offset;
		rcu_assign_pointer(v->abi->info, info);
		/*
		 * No sender uses the old place any more; what the last ones set there is made up
		 * for.
		 */
		synchronize_rcu();
		__atomic_store_n(&info->evtchn_pending_sel, ~0UL, __ATOMIC_SEQ_CST);
		__atomic_store_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
	}
	pthread_mutex_unlock(&d->physmap_lock);
	if (err)
		return err;
	err = sync_vcpu_info(v);
	evtchn_upcall(v);
	return err;
}
