/* SPDX-License-Identifier: MIT */
/*
 * Event channels, 2-level ABI: the guest's side of shared_info.
 *
 * The sender sets the port's bit in evtchn_pending, then, unless the port is masked, the word's bit
 * in the target vCPU's evtchn_pending_sel, then evtchn_upcall_pending, and interrupts the vCPU. The
 * receiver walks the same three levels the other way round. Each step is one locked instruction or
 * exchange, which is a full barrier on x86: none can be reordered, so no event is lost.
 *
 * Pure: no calls out. Unmasking says when the hypervisor must be asked, the caller asks.
 */
#ifndef PARAVANE_EVTCHN_H
#define PARAVANE_EVTCHN_H

#include <paravane/xen.h>

/* Bits of an unsigned long, and words of a bitmap of all ports. */
#define PARAVANE_EVTCHN_BITS 64u
#define PARAVANE_EVTCHN_WORDS 64u
#define PARAVANE_EVTCHN_PORTS (PARAVANE_EVTCHN_BITS * PARAVANE_EVTCHN_WORDS)

static inline bool paravane_evtchn_set_bit(xen_ulong_t *map, evtchn_port_t port)
{
	xen_ulong_t bit = (xen_ulong_t)1 << (port % PARAVANE_EVTCHN_BITS);

	return __atomic_fetch_or(&map[port / PARAVANE_EVTCHN_BITS], bit, __ATOMIC_SEQ_CST) & bit;
}

static inline bool paravane_evtchn_clear_bit(xen_ulong_t *map, evtchn_port_t port)
{
	xen_ulong_t bit = (xen_ulong_t)1 << (port % PARAVANE_EVTCHN_BITS);

	return __atomic_fetch_and(&map[port / PARAVANE_EVTCHN_BITS], ~bit, __ATOMIC_SEQ_CST) & bit;
}

static inline bool paravane_evtchn_test_bit(const xen_ulong_t *map, evtchn_port_t port)
{
	return __atomic_load_n(&map[port / PARAVANE_EVTCHN_BITS], __ATOMIC_RELAXED) >>
		       (port % PARAVANE_EVTCHN_BITS) &
	       1;
}

/**
 * paravane_evtchn_mask_port() - hold back a port's events
 * @si: shared_info
 * @port: port
 *
 * Return: whether it was masked before.
 */
static inline bool paravane_evtchn_mask_port(struct shared_info *si, evtchn_port_t port)
{
	return paravane_evtchn_set_bit(si->evtchn_mask, port);
}

/**
 * paravane_evtchn_unmask_port() - deliver a port's events again, as far as the guest alone can
 * @si: shared_info
 * @port: port
 *
 * Return: true if an event came meanwhile. The port is then masked and the caller must let the
 * hypervisor unmask it (EVTCHNOP_unmask), which also interrupts the right vCPU.
 */
static inline bool paravane_evtchn_unmask_port(struct shared_info *si, evtchn_port_t port)
{
	if (paravane_evtchn_test_bit(si->evtchn_pending, port)) {
		paravane_evtchn_set_bit(si->evtchn_mask, port);
		return true;
	}
	/* Clear, then look: a sender that still saw the mask has set the pending bit before. */
	paravane_evtchn_clear_bit(si->evtchn_mask, port);
	if (!paravane_evtchn_test_bit(si->evtchn_pending, port))
		return false;
	paravane_evtchn_set_bit(si->evtchn_mask, port);
	return true;
}

/**
 * paravane_evtchn_clear_port() - forget a pending event
 * @si: shared_info
 * @port: port
 *
 * Return: whether there was one.
 */
static inline bool paravane_evtchn_clear_port(struct shared_info *si, evtchn_port_t port)
{
	return paravane_evtchn_clear_bit(si->evtchn_pending, port);
}

/**
 * paravane_evtchn_mask_all() - mask every port
 * @si: shared_info
 */
static inline void paravane_evtchn_mask_all(struct shared_info *si)
{
	unsigned int word;

	for (word = 0; word < PARAVANE_EVTCHN_WORDS; word++)
		__atomic_store_n(&si->evtchn_mask[word], ~(xen_ulong_t)0, __ATOMIC_SEQ_CST);
}

/**
 * struct paravane_evtchn_cpu - what one vCPU looks at
 * @vcpu: its vcpu_info
 * @ports: bitmap of the ports bound to it; others in the same word are not its business
 * @next: word to start the next scan at, so that a busy low port does not starve high ones
 */
struct paravane_evtchn_cpu {
	struct vcpu_info *vcpu;
	xen_ulong_t ports[PARAVANE_EVTCHN_WORDS];
	unsigned int next;
};

/**
 * typedef paravane_evtchn_port_fn - called for one port with an event
 *
 * Takes the context given to the scan and the port, whose pending bit is already clear.
 */
typedef void (*paravane_evtchn_port_fn)(void *ctx, evtchn_port_t port);

static inline unsigned int paravane_evtchn_scan_word(struct shared_info *si,
						     struct paravane_evtchn_cpu *cpu,
						     unsigned int word, paravane_evtchn_port_fn fn,
						     void *ctx)
{
	unsigned int events = 0;
	xen_ulong_t ready;

	ready = __atomic_load_n(&si->evtchn_pending[word], __ATOMIC_ACQUIRE) &
		~__atomic_load_n(&si->evtchn_mask[word], __ATOMIC_RELAXED) &
		__atomic_load_n(&cpu->ports[word], __ATOMIC_RELAXED);
	while (ready) {
		evtchn_port_t port = word * PARAVANE_EVTCHN_BITS + __builtin_ctzl(ready);

		ready &= ready - 1;
		if (paravane_evtchn_clear_port(si, port)) {
			fn(ctx, port);
			events++;
		}
	}
	return events;
}

/**
 * paravane_evtchn_scan() - handle everything pending for one vCPU, on that vCPU
 * @si: shared_info
 * @cpu: the vCPU's state
 * @fn: handler
 * @ctx: passed to @fn
 *
 * Each port is handled at most once per round; rounds go on while the upcall flag is set again.
 *
 * Return: number of events handled.
 */
static inline unsigned int paravane_evtchn_scan(struct shared_info *si,
						struct paravane_evtchn_cpu *cpu,
						paravane_evtchn_port_fn fn, void *ctx)
{
	unsigned int events = 0;

	while (__atomic_exchange_n(&cpu->vcpu->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST)) {
		xen_ulong_t sel =
			__atomic_exchange_n(&cpu->vcpu->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
		unsigned int first = cpu->next;

		while (sel) {
			xen_ulong_t from = sel & (~(xen_ulong_t)0 << first);
			unsigned int word = __builtin_ctzl(from ? from : sel);

			sel &= ~((xen_ulong_t)1 << word);
			events += paravane_evtchn_scan_word(si, cpu, word, fn, ctx);
			cpu->next = (word + 1) % PARAVANE_EVTCHN_WORDS;
		}
	}
	return events;
}

#endif /* PARAVANE_EVTCHN_H */
