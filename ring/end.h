/* SPDX-License-Identifier: MIT */
/*
 * end.h - what the two ends of a ring have in common; ring.h is the interface to it.
 *
 * A front end puts requests and copies responses, a back end puts responses and copies requests.
 * Seen from either side that is the same: an out half that fills slots and an in half that reads
 * them, each with one index in the shared page and one count at which its reader wants to be told.
 */
#ifndef RING_END_H
#define RING_END_H

#include "ring/env.h"

/**
 * struct ring_shared - the head of a shared ring; the slots follow at once
 * @req_prod: requests published so far (front end writes)
 * @req_event: the request count at which the back end wants a notification (back end writes)
 * @rsp_prod: responses published so far (back end writes)
 * @rsp_event: the response count at which the front end wants one (front end writes)
 * @pad: unused here, zeroed by ring_front_init()
 *
 * The head of every struct that DEFINE_RING_TYPES() of <xen-public/io/ring.h> makes.
 */
struct ring_shared {
	unsigned int req_prod;
	unsigned int req_event;
	unsigned int rsp_prod;
	unsigned int rsp_event;
	unsigned char pad[48];
};

/**
 * struct ring_format - the sizes that tell one protocol's ring from another's
 * @slot: bytes from one slot to the next
 * @req: bytes of a request
 * @rsp: bytes of a response
 */
struct ring_format {
	unsigned int slot;
	unsigned int req;
	unsigned int rsp;
};

/**
 * ring_entries() - how many slots a ring has
 * @format: sizes, from RING_FORMAT()
 * @bytes: size of the shared memory, all its pages together
 *
 * Return: a power of two; 0 when not even one slot fits, or @bytes is beyond reason (1 GiB).
 */
static inline unsigned int ring_entries(struct ring_format format, size_t bytes)
{
	size_t fit;
	unsigned int nr = 1;

	if (!format.slot || bytes > (1UL << 30) || bytes < sizeof(struct ring_shared))
		return 0;
	fit = (bytes - sizeof(struct ring_shared)) / format.slot;
	if (!fit)
		return 0;
	while (nr <= fit / 2)
		nr *= 2;
	return nr;
}

/*
 * One end of a ring. Front and back end differ in which shared index is theirs, and in room: a
 * front end may be nr requests ahead of the responses it has consumed, a back end never ahead of
 * the requests it has consumed.
 */
struct ring_end {
	char *slots;
	unsigned int nr;
	unsigned int slot_size;
	unsigned int broken;
	struct {
		unsigned int *shared_prod;
		const unsigned int *shared_event;
		unsigned int prod; /* put so far */
		unsigned int pub; /* of these, pushed */
		unsigned int room;
		unsigned int size;
	} out;
	struct {
		const unsigned int *shared_prod;
		unsigned int *shared_event;
		unsigned int cons; /* copied so far */
		unsigned int seen; /* the peer's producer index when last checked */
		unsigned int room;
		unsigned int size;
	} in;
};

static inline void *ring_end_slot(const struct ring_end *end, unsigned int index)
{
	return end->slots + (size_t)(index & (end->nr - 1)) * end->slot_size;
}

static inline void ring_end_break(struct ring_end *end)
{
	env_store(&end->broken, 1);
}

static inline bool ring_end_broken(const struct ring_end *end)
{
	return env_load(&end->broken);
}

/* How far the peer's producer can be ahead of us without lying. */
static inline unsigned int ring_end_expected(const struct ring_end *end)
{
	/*
	 * Pairs with the release of pub in ring_end_push(): what the peer answers to was pushed
	 * before, perhaps by the other half on another CPU.
	 */
	return env_load_acquire(&end->out.pub) + end->in.room - end->in.cons;
}

/* Entries waiting to be copied, by a fresh look at the shared page; or -EPROTO. */
static inline int ring_end_pending(struct ring_end *end)
{
	unsigned int cons = end->in.cons;
	unsigned int prod, pending;

	if (ring_end_broken(end))
		return -EPROTO;
	/*
	 * Pairs with the peer's release of its producer index in ring_end_push(): entries are
	 * read after the index that announces them. Also before the look at our own pub, which
	 * must not be older than what the peer answered.
	 */
	prod = env_load_acquire(end->in.shared_prod);
	pending = prod - cons;
	if (pending > ring_end_expected(end) || pending < end->in.seen - cons) {
		ring_end_break(end);
		return -EPROTO;
	}
	end->in.seen = prod;
	return pending;
}

static inline int ring_end_copy(struct ring_end *end, void *entry, size_t size)
{
	unsigned int cons = end->in.cons;
	int pending;

	if (size > end->in.size)
		return -EINVAL;
	if (ring_end_broken(end))
		return -EPROTO;
	if (end->in.seen == cons) {
		pending = ring_end_pending(end);
		if (pending <= 0)
			return pending ? pending : -EAGAIN;
	}
	env_copy_in(entry, ring_end_slot(end, cons), size);
	/* Pairs with the acquire of cons in ring_end_free(): the slot is reused after the copy. */
	env_store_release(&end->in.cons, cons + 1);
	return 0;
}

/* Entries that can be put now. */
static inline unsigned int ring_end_free(const struct ring_end *end)
{
	/* Pairs with the release of cons in ring_end_copy(). */
	return env_load_acquire(&end->in.cons) + end->out.room - end->out.prod;
}

static inline int ring_end_put(struct ring_end *end, const void *entry, size_t size)
{
	if (size > end->out.size)
		return -EINVAL;
	if (ring_end_broken(end))
		return -EPROTO;
	if (!ring_end_free(end))
		return -EAGAIN;
	env_copy_out(ring_end_slot(end, end->out.prod), entry, size);
	end->out.prod++;
	return 0;
}

static inline bool ring_end_push(struct ring_end *end)
{
	unsigned int old = end->out.pub;
	unsigned int new = end->out.prod;

	if (old == new || ring_end_broken(end))
		return false;
	/* Pairs with the acquire in ring_end_expected(), for the half that will see the answer. */
	env_store_release(&end->out.pub, new);
	/* Pairs with the peer's acquire in ring_end_pending(): entries before their index. */
	env_store_release(end->out.shared_prod, new);
	/*
	 * Pairs with env_mb() in the peer's ring_end_final_check(). Each side writes, then reads
	 * what the other wrote: without both barriers each could miss the other's write, and an
	 * entry would lie there with nobody told.
	 */
	env_mb();
	return new - env_load(end->out.shared_event) < new - old;
}

static inline bool ring_end_final_check(struct ring_end *end, unsigned int count)
{
	unsigned int expected = ring_end_expected(end);
	int pending;

	if (count > expected)
		count = expected;
	if (!count)
		count = 1;
	pending = ring_end_pending(end);
	if (pending < 0 || (unsigned int)pending >= count)
		return true;
	env_store(end->in.shared_event, end->in.cons + count);
	/* Pairs with env_mb() in the peer's ring_end_push(); see there. */
	env_mb();
	pending = ring_end_pending(end);
	return pending < 0 || (unsigned int)pending >= count;
}

static inline int ring_end_init(struct ring_end *end, void *memory, unsigned int nr,
				struct ring_format format, unsigned int index)
{
	if (!nr || (unsigned long)memory % sizeof(struct env_word))
		return -EINVAL;
	memset(end, 0, sizeof(*end));
	end->slots = (char *)memory + sizeof(struct ring_shared);
	end->nr = nr;
	end->slot_size = format.slot;
	end->out.prod = index;
	end->out.pub = index;
	end->in.cons = index;
	end->in.seen = index;
	return 0;
}

#endif /* RING_END_H */
