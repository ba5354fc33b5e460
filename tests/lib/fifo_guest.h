/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's side of FIFO events, as xen-public/event_channel.h has it: what our test guests do.
 */
#ifndef TESTS_FIFO_GUEST_H
#define TESTS_FIFO_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <paravane/xen.h>

#define FIFO_PENDING (1u << EVTCHN_FIFO_PENDING)
#define FIFO_MASKED (1u << EVTCHN_FIFO_MASKED)
#define FIFO_LINKED (1u << EVTCHN_FIFO_LINKED)
#define FIFO_BUSY (1u << EVTCHN_FIFO_BUSY)

/**
 * struct fifo_guest - a vCPU's queues
 * @word: of port 0; the pages of all ports in one piece
 * @head: next event per priority, 0: the control block has it
 * @ready: priorities that have events
 */
struct fifo_guest {
	struct evtchn_fifo_control_block *control;
	event_word_t *word;
	uint32_t head[EVTCHN_FIFO_MAX_QUEUES];
	uint32_t ready;
};

/** fifo_take - take one event off its queue; its port, or 0 if there is none */
static inline evtchn_port_t fifo_take(struct fifo_guest *g)
{
	unsigned int priority;
	evtchn_port_t port;
	event_word_t old;

	g->ready |= __atomic_exchange_n(&g->control->ready, 0, __ATOMIC_SEQ_CST);
	if (!g->ready)
		return 0;
	priority = __builtin_ctz(g->ready);
	port = g->head[priority];
	if (!port)
		port = __atomic_load_n(&g->control->head[priority], __ATOMIC_SEQ_CST);
	old = __atomic_fetch_and(&g->word[port],
				 ~(FIFO_LINKED | (event_word_t)EVTCHN_FIFO_LINK_MASK),
				 __ATOMIC_SEQ_CST);
	g->head[priority] = old & EVTCHN_FIFO_LINK_MASK;
	if (!g->head[priority])
		g->ready &= ~(1u << priority);
	return port;
}

/** fifo_ack - the event is about to be handled; false if there is none, or it is masked */
static inline bool fifo_ack(struct fifo_guest *g, evtchn_port_t port)
{
	event_word_t word = __atomic_load_n(&g->word[port], __ATOMIC_SEQ_CST);

	if (!(word & FIFO_PENDING) || word & FIFO_MASKED)
		return false;
	__atomic_fetch_and(&g->word[port], ~FIFO_PENDING, __ATOMIC_SEQ_CST);
	return true;
}

static inline void fifo_mask(struct fifo_guest *g, evtchn_port_t port)
{
	__atomic_fetch_or(&g->word[port], FIFO_MASKED, __ATOMIC_SEQ_CST);
}

/** fifo_unmask - false if that takes a hypercall, because the port is pending */
static inline bool fifo_unmask(struct fifo_guest *g, evtchn_port_t port)
{
	event_word_t old = __atomic_load_n(&g->word[port], __ATOMIC_SEQ_CST);

	do {
		if (!(old & FIFO_MASKED))
			return true;
		if (old & FIFO_PENDING)
			return false;
		old &= ~FIFO_BUSY;
	} while (!__atomic_compare_exchange_n(&g->word[port], &old, old & ~FIFO_MASKED, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return true;
}

#endif /* TESTS_FIFO_GUEST_H */
