// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/xen/evtchn_fifo.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "hv/evtchn_port.h"
#include "hv/log.h"

#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define PAGES_MAX (EVTCHN_FIFO_NR_CHANNELS / WORDS_PER_PAGE)
/* A guest that keeps to the rules can change the word at the end of a queue four times meanwhile. */
#define LINK_TRIES 6

#define PENDING (1u << EVTCHN_FIFO_PENDING)
#define MASKED (1u << EVTCHN_FIFO_MASKED)
#define LINKED (1u << EVTCHN_FIFO_LINKED)
#define BUSY (1u << EVTCHN_FIFO_BUSY)

/** struct fifo_queue - @tail: the last port put on, which the guest may have taken off; 0: none */
struct fifo_queue {
	pthread_mutex_t lock;
	evtchn_port_t tail;
};

struct fifo_vcpu {
	struct evtchn_fifo_control_block *control;
	struct fifo_queue queue[EVTCHN_FIFO_MAX_QUEUES];
};

/** struct evtchn_fifo - @nr_pages: of @page that are set; only grows; atomic */
struct evtchn_fifo {
	event_word_t *page[PAGES_MAX];
	unsigned int nr_pages;
	struct fifo_vcpu vcpu[MAX_VCPUS];
};

struct evtchn_fifo *evtchn_fifo_create(void)
{
	struct evtchn_fifo *fifo = calloc(1, sizeof(*fifo));

	for (unsigned int i = 0; fifo && i < MAX_VCPUS; i++) {
		for (unsigned int n = 0; n < EVTCHN_FIFO_MAX_QUEUES; n++)
			pthread_mutex_init(&fifo->vcpu[i].queue[n].lock, NULL);
	}
	return fifo;
}

void evtchn_fifo_destroy(struct evtchn_fifo *fifo)
{
	for (unsigned int i = 0; fifo && i < MAX_VCPUS; i++) {
		for (unsigned int n = 0; n < EVTCHN_FIFO_MAX_QUEUES; n++)
			pthread_mutex_destroy(&fifo->vcpu[i].queue[n].lock);
	}
	free(fifo);
}

int evtchn_fifo_set_control(struct evtchn_fifo *fifo, unsigned int vcpu, void *block)
{
	if (fifo->vcpu[vcpu].control)
		return -EINVAL;
	__atomic_store_n(&fifo->vcpu[vcpu].control, block, __ATOMIC_RELEASE);
	return 0;
}

int evtchn_fifo_add_page(struct evtchn_fifo *fifo, void *page)
{
	unsigned int n = fifo->nr_pages;

	if (n == PAGES_MAX)
		return -ENOSPC;
	fifo->page[n] = page;
	/* Pairs with word_of(): a page is there before it counts. */
	__atomic_store_n(&fifo->nr_pages, n + 1, __ATOMIC_RELEASE);
	return 0;
}

evtchn_port_t evtchn_fifo_nr_words(const struct evtchn_fifo *fifo)
{
	return __atomic_load_n(&fifo->nr_pages, __ATOMIC_ACQUIRE) * WORDS_PER_PAGE;
}

static event_word_t *word_of(const struct evtchn_fifo *fifo, evtchn_port_t port)
{
	if (port >= evtchn_fifo_nr_words(fifo))
		return NULL;
	return &fifo->page[port / WORDS_PER_PAGE][port % WORDS_PER_PAGE];
}

/*
 * Let the event in @word, the last of its queue, lead to @next. False if the guest has taken it off
 * already: the queue is empty.
 */
static bool link_behind(event_word_t *word, evtchn_port_t next)
{
	event_word_t old = __atomic_load_n(word, __ATOMIC_SEQ_CST);

	for (unsigned int i = 0; i < LINK_TRIES && old & LINKED; i++) {
		if (__atomic_compare_exchange_n(word, &old,
						(old & ~(BUSY | EVTCHN_FIFO_LINK_MASK)) | next,
						false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
		/* While this is set the guest does not unmask, so it soon has nothing left to change. */
		old = __atomic_or_fetch(word, BUSY, __ATOMIC_SEQ_CST);
	}
	if (old & LINKED)
		pr_once(LOG_LEVEL_WARN, "guest does not stop changing the event it takes next; it "
					"loses events");
	if (old & BUSY)
		__atomic_fetch_and(word, ~BUSY, __ATOMIC_SEQ_CST);
	return false;
}

/*
 * Make @port ours to queue; false if it is on a queue already. If it was the last of the queue it
 * was on, that one is empty now: nothing may be put behind it there any more. Both under the lock
 * of that queue, because whoever puts something on it takes a linked word for one that is in it.
 */
static bool claim(struct evtchn_fifo *fifo, const struct evtchn_port *ch, evtchn_port_t port,
		  event_word_t *word)
{
	struct fifo_queue *q = &fifo->vcpu[ch->queue_vcpu].queue[ch->queue_priority];
	bool claimed;

	pthread_mutex_lock(&q->lock);
	claimed = !(__atomic_fetch_or(word, LINKED, __ATOMIC_SEQ_CST) & LINKED);
	if (claimed && q->tail == port)
		q->tail = 0;
	pthread_mutex_unlock(&q->lock);
	return claimed;
}

/* Put @port at the end; true if the queue was empty */
static bool append(struct evtchn_fifo *fifo, struct fifo_queue *q, uint32_t *head,
		   evtchn_port_t port)
{
	bool empty;

	pthread_mutex_lock(&q->lock);
	empty = !q->tail || !link_behind(word_of(fifo, q->tail), port);
	if (empty)
		__atomic_store_n(head, port, __ATOMIC_SEQ_CST);
	q->tail = port;
	pthread_mutex_unlock(&q->lock);
	return empty;
}

/* True if the vCPU must be told; not without a control block, which a guest registers before it unmasks */
static bool enqueue(struct evtchn_fifo *fifo, unsigned int vcpu, struct evtchn_port *ch,
		    evtchn_port_t port, event_word_t *word)
{
	struct fifo_vcpu *fv = &fifo->vcpu[vcpu];
	/* Pairs with evtchn_fifo_set_control(). */
	struct evtchn_fifo_control_block *control = __atomic_load_n(&fv->control, __ATOMIC_ACQUIRE);
	uint32_t bit = 1u << ch->priority;

	if (!control || !claim(fifo, ch, port, word))
		return false;
	ch->queue_vcpu = vcpu;
	ch->queue_priority = ch->priority;
	return append(fifo, &fv->queue[ch->priority], &control->head[ch->priority], port) &&
	       !(__atomic_fetch_or(&control->ready, bit, __ATOMIC_SEQ_CST) & bit);
}

bool evtchn_fifo_set_pending(struct evtchn_fifo *fifo, unsigned int vcpu, struct evtchn_port *ch,
			     evtchn_port_t port)
{
	event_word_t *word = word_of(fifo, port);

	if (!word) {
		ch->owed = true;
		return false;
	}
	/* The guest unmasks only what is not pending, else it asks us: one of us sees the other. */
	return !(__atomic_fetch_or(word, PENDING, __ATOMIC_SEQ_CST) & MASKED) &&
	       enqueue(fifo, vcpu, ch, port, word);
}

void evtchn_fifo_clear_pending(struct evtchn_fifo *fifo, struct evtchn_port *ch, evtchn_port_t port)
{
	event_word_t *word = word_of(fifo, port);

	ch->owed = false;
	/* It stays on its queue: the guest takes it off and finds nothing to do. */
	if (word)
		__atomic_fetch_and(word, ~PENDING, __ATOMIC_SEQ_CST);
}

bool evtchn_fifo_clear_mask(struct evtchn_fifo *fifo, unsigned int vcpu, struct evtchn_port *ch,
			    evtchn_port_t port)
{
	event_word_t *word = word_of(fifo, port);

	return word && __atomic_fetch_and(word, ~MASKED, __ATOMIC_SEQ_CST) & PENDING &&
	       enqueue(fifo, vcpu, ch, port, word);
}

static bool has(const struct evtchn_fifo *fifo, evtchn_port_t port, event_word_t bit)
{
	const event_word_t *word = word_of(fifo, port);

	return word && __atomic_load_n(word, __ATOMIC_SEQ_CST) & bit;
}

bool evtchn_fifo_is_pending(const struct evtchn_fifo *fifo, evtchn_port_t port)
{
	return has(fifo, port, PENDING);
}

bool evtchn_fifo_is_queued(const struct evtchn_fifo *fifo, evtchn_port_t port)
{
	return has(fifo, port, LINKED);
}
