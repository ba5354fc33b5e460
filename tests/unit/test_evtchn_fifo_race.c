// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back ends send while vCPUs take events off, mask and unmask, and events move from queue to queue:
 * under ThreadSanitizer, and with counts that tell whether an event was lost. A vCPU looks only
 * when it is told. Then the same senders against a guest that scribbles.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "hv/evtchn_port.h"
#include "hv/log.h"
#include "hv/xen/evtchn_fifo.h"
#include "tests/lib/fifo_guest.h"

#define VCPUS 2
#define SENDERS 2
#define PORTS 24
#define ROUNDS 300000
#define WORDS (PAGE_SIZE / sizeof(event_word_t))

static struct evtchn_fifo *fifo;
static struct evtchn_port channel[PORTS];
static uint64_t sent[PORTS], seen[PORTS];
static event_word_t words[WORDS];
static struct evtchn_fifo_control_block control[VCPUS];
static struct fifo_guest queues[VCPUS];
static int told[VCPUS], done, taken;

void log_line(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static void tell(unsigned int vcpu, bool upcall)
{
	if (upcall)
		__atomic_store_n(&told[vcpu], 1, __ATOMIC_SEQ_CST);
}

static void *sender(void *arg)
{
	uint32_t x = 1 + (uintptr_t)arg;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		evtchn_port_t port = 1 + next_random(&x) % (PORTS - 1);
		struct evtchn_port *ch = &channel[port];

		__atomic_fetch_add(&sent[port], 1, __ATOMIC_SEQ_CST);
		pthread_mutex_lock(&ch->lock);
		if (next_random(&x) % 8 == 0) {
			ch->notify_vcpu = next_random(&x) % VCPUS;
			ch->priority = next_random(&x) % 3;
		}
		tell(ch->notify_vcpu, evtchn_fifo_set_pending(fifo, ch->notify_vcpu, ch, port));
		pthread_mutex_unlock(&ch->lock);
	}
	return NULL;
}

static void unmask(struct fifo_guest *g, evtchn_port_t port)
{
	struct evtchn_port *ch = &channel[port];

	if (fifo_unmask(g, port))
		return;
	pthread_mutex_lock(&ch->lock);
	tell(ch->notify_vcpu, evtchn_fifo_clear_mask(fifo, ch->notify_vcpu, ch, port));
	pthread_mutex_unlock(&ch->lock);
}

static void handle(struct fifo_guest *g, evtchn_port_t port)
{
	uint64_t now, before;

	if (!fifo_ack(g, port))
		return;
	now = __atomic_load_n(&sent[port], __ATOMIC_SEQ_CST);
	before = __atomic_load_n(&seen[port], __ATOMIC_SEQ_CST);
	while (before < now && !__atomic_compare_exchange_n(&seen[port], &before, now, false,
							    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	__atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
}

/* What a vCPU does when it was told; false if it was not */
static bool upcall(unsigned int id, uint32_t *x)
{
	struct fifo_guest *g = &queues[id];
	evtchn_port_t port;

	if (!__atomic_exchange_n(&told[id], 0, __ATOMIC_SEQ_CST))
		return false;
	while ((port = fifo_take(g))) {
		if (next_random(x) % 4) {
			handle(g, port);
		} else {
			fifo_mask(g, port);
			unmask(g, port);
		}
	}
	return true;
}

static void *vcpu(void *arg)
{
	unsigned int id = (uintptr_t)arg;
	uint32_t x = 77 + id;

	while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST))
		upcall(id, &x);
	return NULL;
}

static void *scribbler(void *arg)
{
	uint32_t x = 4711;

	(void)arg;
	while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST)) {
		__atomic_fetch_xor(&words[next_random(&x) % PORTS], next_random(&x) | FIFO_LINKED,
				   __ATOMIC_SEQ_CST);
		__atomic_store_n(&control[x % VCPUS].head[next_random(&x) % EVTCHN_FIFO_MAX_QUEUES],
				 next_random(&x), __ATOMIC_SEQ_CST);
		__atomic_store_n(&control[x % VCPUS].ready, next_random(&x), __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void run(void *(*guest)(void *), unsigned int guests)
{
	pthread_t senders[SENDERS], others[VCPUS];

	done = 0;
	for (uintptr_t i = 0; i < guests; i++)
		pthread_create(&others[i], NULL, guest, (void *)i);
	for (uintptr_t i = 0; i < SENDERS; i++)
		pthread_create(&senders[i], NULL, sender, (void *)i);
	for (unsigned int i = 0; i < SENDERS; i++)
		pthread_join(senders[i], NULL);
	__atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < guests; i++)
		pthread_join(others[i], NULL);
}

int main(void)
{
	unsigned int lost = 0;
	uint32_t x = 99;

	fifo = evtchn_fifo_create();
	if (!fifo)
		return 1;
	evtchn_fifo_add_page(fifo, words);
	for (unsigned int i = 0; i < VCPUS; i++) {
		queues[i] = (struct fifo_guest){ .control = &control[i], .word = words };
		evtchn_fifo_set_control(fifo, i, &control[i]);
	}
	for (unsigned int i = 0; i < PORTS; i++)
		pthread_mutex_init(&channel[i].lock, NULL);

	run(vcpu, VCPUS);
	/* What was left when they stopped; unmasking can send an event to the other one again */
	while (upcall(0, &x) || upcall(1, &x))
		;
	for (unsigned int i = 0; i < PORTS; i++)
		lost += sent[i] != seen[i] || words[i]; /* no bit may be left over either */
	run(scribbler, 1);
	evtchn_fifo_destroy(fifo);

	if (lost || !taken)
		printf("FAIL evtchn_fifo_race: %u ports lost an event or kept one, %d taken\n",
		       lost, taken);
	else
		printf("PASS evtchn_fifo_race\n");
	return lost || !taken;
}
