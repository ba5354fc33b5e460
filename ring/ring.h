/* SPDX-License-Identifier: MIT */
/*
 * ring.h - request/response rings, laid out as <xen-public/io/ring.h> lays them out.
 *
 * A front end puts requests, a back end answers each with one response in the same slots. The
 * two share four indices and the slots, and nothing else:
 *
 *   - an end's own indices are private and never read back from the shared page;
 *   - the peer's producer index is checked each time it is read; one that is impossible breaks
 *     the ring, and a broken ring stays broken: from then on every call says -EPROTO;
 *   - an entry is copied exactly once, by value, and only the copy is looked at.
 *
 * Use, front end:
 *
 *	struct ring_front front;
 *
 *	ring_front_init(&front, pages, PAGE_SIZE << order, RING_FORMAT(blkif));
 *
 *	err = ring_put_request(&front, &req);		-EAGAIN: the ring is full
 *	if (ring_push_requests(&front))
 *		notify the back end;
 *
 *	do {
 *		while (!(err = ring_copy_response(&front, &rsp)))
 *			check rsp against what was asked, complete it;
 *		if (err == -EPROTO)
 *			fail the device and return;
 *	} while (ring_final_check_responses(&front));
 *
 * The back end mirrors it: ring_back_attach(), ring_copy_request(), ring_put_response(),
 * ring_push_responses(), ring_final_check_requests().
 *
 * Locking: none here. At each end the half that puts and pushes and the half that copies and
 * checks may run at the same time on two CPUs; each half by itself needs its caller's lock. No
 * function sleeps.
 */
#ifndef RING_RING_H
#define RING_RING_H

#include "ring/end.h"

/**
 * RING_FORMAT() - the format of a ring that a protocol header declared
 * @tag: the name given to DEFINE_RING_TYPES(): blkif, netif_tx, netif_rx, ...
 */
#define RING_FORMAT(tag)                                            \
	((struct ring_format){                                      \
		.slot = sizeof(union tag##_sring_entry),            \
		.req = sizeof(((union tag##_sring_entry *)0)->req), \
		.rsp = sizeof(((union tag##_sring_entry *)0)->rsp), \
	})

/**
 * RING_ASSERT_LAYOUT() - refuse to compile if ring.h and a protocol header disagree
 * @tag: the name given to DEFINE_RING_TYPES()
 */
#define RING_ASSERT_LAYOUT(tag)                                                                   \
	static_assert(offsetof(struct tag##_sring, req_prod) ==                                   \
				      offsetof(struct ring_shared, req_prod) &&                   \
			      offsetof(struct tag##_sring, req_event) ==                          \
				      offsetof(struct ring_shared, req_event) &&                  \
			      offsetof(struct tag##_sring, rsp_prod) ==                           \
				      offsetof(struct ring_shared, rsp_prod) &&                   \
			      offsetof(struct tag##_sring, rsp_event) ==                          \
				      offsetof(struct ring_shared, rsp_event) &&                  \
			      offsetof(struct tag##_sring, ring) == sizeof(struct ring_shared) && \
			      sizeof(((struct tag##_sring *)0)->ring[0]) ==                       \
				      sizeof(union tag##_sring_entry),                            \
		      #tag " is not laid out as ring.h expects")

/**
 * struct ring_front - a front end's private half of a ring
 * @end: for ring.h only
 */
struct ring_front {
	struct ring_end end;
};

/**
 * struct ring_back - a back end's private half of a ring
 * @end: for ring.h only
 */
struct ring_back {
	struct ring_end end;
};

/**
 * ring_front_attach() - take up the front end of a ring as it lies in memory
 * @front: to be filled in
 * @memory: the shared pages, mapped next to each other, 8-byte aligned; stay the caller's
 * @bytes: their size
 * @format: sizes, from RING_FORMAT()
 * @index: requests put so far, all of them answered and the answers consumed
 *
 * Return: 0, or -EINVAL if @memory cannot hold a ring.
 */
static inline int ring_front_attach(struct ring_front *front, void *memory, size_t bytes,
				    struct ring_format format, unsigned int index)
{
	struct ring_shared *shared = memory;
	struct ring_end *end = &front->end;
	unsigned int nr = ring_entries(format, bytes);
	int err = ring_end_init(end, memory, nr, format, index);

	if (err)
		return err;
	end->out.shared_prod = &shared->req_prod;
	end->out.shared_event = &shared->req_event;
	end->out.room = nr;
	end->out.size = format.req;
	end->in.shared_prod = &shared->rsp_prod;
	end->in.shared_event = &shared->rsp_event;
	end->in.size = format.rsp;
	return 0;
}

/**
 * ring_front_init() - make an empty ring and take up its front end
 * @front: to be filled in
 * @memory: pages to be shared, as for ring_front_attach(); overwritten, so that nothing old leaks
 * @bytes: their size
 * @format: sizes, from RING_FORMAT()
 *
 * Call it before the pages are granted to the peer.
 *
 * Return: 0, or -EINVAL if @memory cannot hold a ring.
 */
static inline int ring_front_init(struct ring_front *front, void *memory, size_t bytes,
				  struct ring_format format)
{
	struct ring_shared *shared = memory;
	int err = ring_front_attach(front, memory, bytes, format, 0);

	if (err)
		return err;
	memset(memory, 0, bytes);
	shared->req_event = 1;
	shared->rsp_event = 1;
	return 0;
}

/**
 * ring_shared_index() - where a former back end of this ring stopped
 * @memory: the shared pages
 *
 * A peer's word: ring_back_attach() checks it.
 *
 * Return: the number of responses published, 0 for a new ring.
 */
static inline unsigned int ring_shared_index(const void *memory)
{
	const struct ring_shared *shared = memory;

	return env_load(&shared->rsp_prod);
}

/**
 * ring_back_attach() - take up the back end of a ring
 * @back: to be filled in
 * @memory: the peer's pages, mapped next to each other, 8-byte aligned; stay the caller's
 * @bytes: their size
 * @format: sizes, from RING_FORMAT()
 * @index: 0 for a new ring; ring_shared_index() to carry on after another back end: the
 *	requests that one left unanswered are delivered again
 *
 * Writes nothing to the shared pages.
 *
 * Return: 0, -EINVAL if @memory cannot hold a ring, -EPROTO if it cannot be at @index.
 */
static inline int ring_back_attach(struct ring_back *back, void *memory, size_t bytes,
				   struct ring_format format, unsigned int index)
{
	struct ring_shared *shared = memory;
	struct ring_end *end = &back->end;
	unsigned int nr = ring_entries(format, bytes);
	int err = ring_end_init(end, memory, nr, format, index);

	if (err)
		return err;
	end->out.shared_prod = &shared->rsp_prod;
	end->out.shared_event = &shared->rsp_event;
	end->out.size = format.rsp;
	end->in.shared_prod = &shared->req_prod;
	end->in.shared_event = &shared->req_event;
	end->in.room = nr;
	end->in.size = format.req;
	return ring_end_pending(end) < 0 ? -EPROTO : 0;
}

/**
 * ring_front_free() - requests that can be put now
 * @front: an initialised front end
 *
 * Call it from the half that puts.
 */
static inline unsigned int ring_front_free(const struct ring_front *front)
{
	return ring_end_free(&front->end);
}

/**
 * ring_front_size() - slots of this ring, a power of two
 * @front: an initialised front end
 */
static inline unsigned int ring_front_size(const struct ring_front *front)
{
	return front->end.nr;
}

/**
 * ring_back_size() - slots of this ring, a power of two
 * @back: an attached back end
 */
static inline unsigned int ring_back_size(const struct ring_back *back)
{
	return back->end.nr;
}

/**
 * ring_back_owed() - requests copied that have no response yet
 * @back: an attached back end
 *
 * Call it from the half that puts.
 */
static inline unsigned int ring_back_owed(const struct ring_back *back)
{
	return ring_end_free(&back->end);
}

/**
 * ring_front_break() - give up a ring whose peer sent nonsense
 * @front: an initialised front end
 *
 * For what ring.h cannot judge, such as a response to nothing that was asked. From any context.
 */
static inline void ring_front_break(struct ring_front *front)
{
	ring_end_break(&front->end);
}

/**
 * ring_back_break() - give up a ring whose peer sent nonsense
 * @back: an attached back end
 */
static inline void ring_back_break(struct ring_back *back)
{
	ring_end_break(&back->end);
}

/**
 * ring_front_broken() - whether this ring has been given up
 * @front: an initialised front end
 */
static inline bool ring_front_broken(const struct ring_front *front)
{
	return ring_end_broken(&front->end);
}

/**
 * ring_back_broken() - whether this ring has been given up
 * @back: an attached back end
 */
static inline bool ring_back_broken(const struct ring_back *back)
{
	return ring_end_broken(&back->end);
}

/**
 * ring_put_request() - copy a request into the next slot
 * @front: an initialised front end
 * @req: pointer to the finished request, of its real type (its size is taken from it): the
 *	protocol's request struct, or a smaller variant of it
 *
 * The peer need not see it before ring_push_requests().
 *
 * Return: 0, -EAGAIN if the ring is full, -EPROTO if it is broken, -EINVAL if *@req is larger
 * than a request.
 */
#define ring_put_request(front, req) ring_front_put(front, req, sizeof((req)[0]))

static inline int ring_front_put(struct ring_front *front, const void *req, size_t size)
{
	return ring_end_put(&front->end, req, size);
}

/**
 * ring_put_response() - copy a response into the next slot
 * @back: an attached back end
 * @rsp: pointer to the finished response, of its real type, every byte of it (padding too)
 *	initialised
 *
 * Responses fill the slots in the order they are put, whichever request each answers.
 *
 * Return: 0, -EAGAIN if every request copied has its response already, -EPROTO if the ring is
 * broken, -EINVAL if *@rsp is larger than a response.
 */
#define ring_put_response(back, rsp) ring_back_put(back, rsp, sizeof((rsp)[0]))

static inline int ring_back_put(struct ring_back *back, const void *rsp, size_t size)
{
	return ring_end_put(&back->end, rsp, size);
}

/**
 * ring_push_requests() - show the back end all requests put so far
 * @front: an initialised front end
 *
 * Return: true if the back end asked to be notified; the caller must do it.
 */
static inline bool ring_push_requests(struct ring_front *front)
{
	return ring_end_push(&front->end);
}

/**
 * ring_push_responses() - show the front end all responses put so far
 * @back: an attached back end
 *
 * Return: true if the front end asked to be notified; the caller must do it.
 */
static inline bool ring_push_responses(struct ring_back *back)
{
	return ring_end_push(&back->end);
}

/**
 * ring_unconsumed_responses() - responses waiting to be copied
 * @front: an initialised front end
 *
 * Return: how many, never more than requests are outstanding; or -EPROTO.
 */
static inline int ring_unconsumed_responses(struct ring_front *front)
{
	return ring_end_pending(&front->end);
}

/**
 * ring_unconsumed_requests() - requests waiting to be copied
 * @back: an attached back end
 *
 * Return: how many, never more than the ring can hold; or -EPROTO.
 */
static inline int ring_unconsumed_requests(struct ring_back *back)
{
	return ring_end_pending(&back->end);
}

/**
 * ring_copy_response() - consume the next response
 * @front: an initialised front end
 * @rsp: where to copy it; its size is taken from the pointer's type and may be smaller than a
 *	response
 *
 * A peer that never stops can keep a loop over this going: bound the loop where that matters.
 *
 * Return: 0, -EAGAIN if none is waiting, -EPROTO if the ring is broken, -EINVAL if *@rsp is
 * larger than a response.
 */
#define ring_copy_response(front, rsp) ring_front_copy(front, rsp, sizeof((rsp)[0]))

static inline int ring_front_copy(struct ring_front *front, void *rsp, size_t size)
{
	return ring_end_copy(&front->end, rsp, size);
}

/**
 * ring_copy_request() - consume the next request
 * @back: an attached back end
 * @req: where to copy it; its size is taken from the pointer's type and may be smaller than a
 *	request
 *
 * Return: 0, -EAGAIN if none is waiting, -EPROTO if the ring is broken, -EINVAL if *@req is
 * larger than a request.
 */
#define ring_copy_request(back, req) ring_back_copy(back, req, sizeof((req)[0]))

static inline int ring_back_copy(struct ring_back *back, void *req, size_t size)
{
	return ring_end_copy(&back->end, req, size);
}

/**
 * ring_final_check_responses() - ask for a notification before going to sleep
 * @front: an initialised front end
 *
 * Return: true if there is something to do first: responses, or a broken ring (the next copy
 * says which); false if the back end will notify about the next response.
 */
static inline bool ring_final_check_responses(struct ring_front *front)
{
	return ring_end_final_check(&front->end, 1);
}

/**
 * ring_final_check_responses_after() - ask for a notification after several responses
 * @front: an initialised front end
 * @count: how many; cut down to the requests outstanding, so that it is always reached if the
 *	back end answers them all
 *
 * Return: as ring_final_check_responses(), true only when @count are waiting.
 */
static inline bool ring_final_check_responses_after(struct ring_front *front, unsigned int count)
{
	return ring_end_final_check(&front->end, count);
}

/**
 * ring_final_check_requests() - ask for a notification before going to sleep
 * @back: an attached back end
 *
 * Return: true if there is something to do first: requests, or a broken ring (the next copy
 * says which); false if the front end will notify about the next request.
 */
static inline bool ring_final_check_requests(struct ring_back *back)
{
	return ring_end_final_check(&back->end, 1);
}

/**
 * ring_final_check_requests_after() - ask for a notification after several requests
 * @back: an attached back end
 * @count: how many; cut down to what the ring has room for. A front end may never send that
 *	many: have a timer too
 *
 * Return: as ring_final_check_requests(), true only when @count are waiting.
 */
static inline bool ring_final_check_requests_after(struct ring_back *back, unsigned int count)
{
	return ring_end_final_check(&back->end, count);
}

#endif /* RING_RING_H */
