/* SPDX-License-Identifier: MIT */
/*
 * env.h - what ring.h and stream.h need from the world around them.
 *
 * The same code runs as a Linux module (a guest's front end) and as an ordinary program (a back
 * end), so the memory accesses, barriers and error numbers of both worlds get one name here. This
 * is the only file of ring/ that asks which world it is in.
 *
 * Everything a peer can write at any moment is reached through these functions only. They read or
 * write exactly once, so the compiler can neither repeat an access nor invent one.
 */
#ifndef RING_ENV_H
#define RING_ENV_H

#ifdef __KERNEL__

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/barrier.h>

/*
 * The virt_ barriers are real even in a kernel built for one CPU: the peer runs on another one,
 * whatever this kernel knows of.
 */
#define ENV_LOAD(p) READ_ONCE(*(p))
#define ENV_STORE(p, v) WRITE_ONCE(*(p), v)
#define ENV_LOAD_ACQUIRE(p) virt_load_acquire(p) /* see env_load_acquire() */
#define ENV_STORE_RELEASE(p, v) virt_store_release(p, v) /* see env_store_release() */
#define ENV_MB() virt_mb() /* see env_mb() */

#else /* a program */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define ENV_LOAD(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define ENV_STORE(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define ENV_LOAD_ACQUIRE(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define ENV_STORE_RELEASE(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define ENV_MB() __sync_synchronize()

#endif

/**
 * env_load() - read an index once, without ordering
 * @p: the index
 */
static inline unsigned int env_load(const unsigned int *p)
{
	return ENV_LOAD(p);
}

/**
 * env_store() - write an index once, without ordering
 * @p: the index
 * @v: its new value
 */
static inline void env_store(unsigned int *p, unsigned int v)
{
	ENV_STORE(p, v);
}

/**
 * env_load_acquire() - read an index once, before all later accesses
 * @p: the index
 *
 * Pairs with env_store_release(): who sees the index sees what was written before it.
 */
static inline unsigned int env_load_acquire(const unsigned int *p)
{
	return ENV_LOAD_ACQUIRE(p);
}

/**
 * env_store_release() - write an index once, after all earlier accesses
 * @p: the index
 * @v: its new value
 *
 * Pairs with env_load_acquire().
 */
static inline void env_store_release(unsigned int *p, unsigned int v)
{
	ENV_STORE_RELEASE(p, v);
}

/**
 * env_mb() - order everything before against everything after
 *
 * The one barrier that keeps an earlier store before a later load. Each use names its partner.
 */
static inline void env_mb(void)
{
	ENV_MB();
}

/* What lies in shared memory has types of its own: these may alias them. */
struct env_word {
	unsigned long v;
} __attribute__((may_alias));

struct env_half {
	unsigned int v;
} __attribute__((may_alias));

/*
 * The widest access that is aligned at @p and fits into @len: shared memory is copied without a
 * byte being read twice or written outside the destination.
 */
static inline size_t env_step(const void *p, size_t len)
{
	unsigned long at = (unsigned long)p;

	if (len >= sizeof(struct env_word) && !(at & (sizeof(struct env_word) - 1)))
		return sizeof(struct env_word);
	if (len >= sizeof(struct env_half) && !(at & (sizeof(struct env_half) - 1)))
		return sizeof(struct env_half);
	return 1;
}

/**
 * env_copy_in() - copy from shared memory, reading each byte exactly once
 * @dst: private memory, any alignment
 * @src: shared memory, any alignment
 * @len: bytes
 *
 * What a racing peer writes meanwhile may be torn, but the copy does not change afterwards.
 */
static inline void env_copy_in(void *dst, const void *src, size_t len)
{
	char *to = dst;
	const char *from = src;

	while (len) {
		size_t step = env_step(from, len);

		if (step == sizeof(struct env_word)) {
			unsigned long v = ENV_LOAD(&((const struct env_word *)from)->v);

			memcpy(to, &v, sizeof(v));
		} else if (step == sizeof(struct env_half)) {
			unsigned int v = ENV_LOAD(&((const struct env_half *)from)->v);

			memcpy(to, &v, sizeof(v));
		} else {
			*to = ENV_LOAD(from);
		}
		to += step;
		from += step;
		len -= step;
	}
}

/**
 * env_copy_out() - copy to shared memory, writing each byte exactly once
 * @dst: shared memory, any alignment
 * @src: private memory, any alignment
 * @len: bytes
 */
static inline void env_copy_out(void *dst, const void *src, size_t len)
{
	char *to = dst;
	const char *from = src;

	while (len) {
		size_t step = env_step(to, len);

		if (step == sizeof(struct env_word)) {
			unsigned long v;

			memcpy(&v, from, sizeof(v));
			ENV_STORE(&((struct env_word *)to)->v, v);
		} else if (step == sizeof(struct env_half)) {
			unsigned int v;

			memcpy(&v, from, sizeof(v));
			ENV_STORE(&((struct env_half *)to)->v, v);
		} else {
			ENV_STORE(to, *from);
		}
		to += step;
		from += step;
		len -= step;
	}
}

#endif /* RING_ENV_H */
