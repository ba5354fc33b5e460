/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The domain's event loop: one thread (the process's main thread), epoll underneath. XenStore, the
 * xenbus state machines of the back ends, timers, signals and consoles live here.
 */
#ifndef HV_LOOP_H
#define HV_LOOP_H

#include <stdint.h>

struct loop;
struct loop_source;

typedef void (*loop_fn)(struct loop_source *s, uint32_t events);

/**
 * struct loop_source - a file descriptor the loop watches
 * @fd: descriptor; owned by whoever embeds the source
 * @fn: called on the loop thread with the EPOLL* events that are ready
 *
 * Embed it and use container_of(). A source may remove any source, itself included, from within @fn.
 */
struct loop_source {
	int fd;
	loop_fn fn;
};

struct loop *loop_new(void);
void loop_free(struct loop *loop);

/** loop_add - start watching; 0 or -errno; loop thread, or before loop_run() */
int loop_add(struct loop *loop, struct loop_source *s, uint32_t events);
int loop_mod(struct loop *loop, struct loop_source *s, uint32_t events);
void loop_del(struct loop *loop, struct loop_source *s);

/**
 * struct loop_call - something another thread wants done on the loop thread
 * @fn: called with the structure itself; embed it and use container_of()
 * @next: the loop's
 */
struct loop_call {
	void (*fn)(struct loop_call *call);
	struct loop_call *next;
};

/**
 * loop_post - run call->fn on the loop thread, in order of posting; any thread
 *
 * Nothing happens if @call is posted already and has not begun to run.
 */
void loop_post(struct loop *loop, struct loop_call *call);
/** loop_unpost - forget @call, which may not be posted; loop thread */
void loop_unpost(struct loop *loop, struct loop_call *call);

/** loop_run - dispatch until loop_stop(); returns 0 or -errno of epoll */
int loop_run(struct loop *loop);
/** loop_stop - make loop_run() return once those sources that are ready were called; any thread */
void loop_stop(struct loop *loop);

#endif /* HV_LOOP_H */
