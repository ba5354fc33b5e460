// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sched.h>

#include "hv/gnttab_entry.h"

/* struct gnttab_use's state: 15 bits readers, 15 bits writers, a lock bit */
#define USE_READER 1u
#define USE_READERS 0x7fffu
#define USE_WRITER (1u << 15)
#define USE_WRITERS (0x7fffu << 15)
#define USE_LOCKED (1u << 31)

/* A guest may legitimately race us a few times, by making an entry read-only for instance */
#define UNSTABLE_TRIES 5

/* Flags and domid share an aligned word; little endian */
#define ENTRY_FLAGS(raw) ((uint16_t)(raw))
#define ENTRY_DOMID(raw) ((domid_t)((raw) >> 16))

static uint32_t *entry_word(grant_entry_v1_t *entry)
{
	_Static_assert(offsetof(grant_entry_v1_t, flags) == 0, "flags come first");
	_Static_assert(offsetof(grant_entry_v1_t, domid) == 2, "domid comes next");
	return (uint32_t *)(void *)entry;
}

/* Take the entry for ourselves; the state without the lock bit */
static uint32_t use_lock(struct gnttab_use *use)
{
	for (unsigned int spins = 0;; spins++) {
		uint32_t state = __atomic_fetch_or(&use->state, USE_LOCKED, __ATOMIC_ACQUIRE);

		if (!(state & USE_LOCKED))
			return state;
		if (spins > 100)
			sched_yield();
	}
}

static void use_unlock(struct gnttab_use *use, uint32_t state)
{
	__atomic_store_n(&use->state, state, __ATOMIC_RELEASE);
}

/* Set GTF_reading (and _writing); @first if nobody uses the entry yet */
static int entry_pin(uint32_t *word, bool first, domid_t domid, bool write)
{
	uint32_t raw = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	uint32_t set = GTF_reading | (write ? GTF_writing : 0);

	for (unsigned int i = 0; i < UNSTABLE_TRIES; i++) {
		uint16_t flags = ENTRY_FLAGS(raw);

		if (first && ((flags & (GTF_type_mask | GTF_sub_page)) != GTF_permit_access ||
			      ENTRY_DOMID(raw) != domid))
			return -EPERM;
		if (write && (flags & GTF_readonly))
			return -EPERM;
		if (__atomic_compare_exchange_n(word, &raw, raw | set, false, __ATOMIC_SEQ_CST,
						__ATOMIC_ACQUIRE))
			return 0;
	}
	return -EBUSY;
}

int gnttab_entry_get(grant_entry_v1_t *entry, struct gnttab_use *use, domid_t domid, bool write,
		     gfn_t *gfn)
{
	uint32_t state = use_lock(use);
	bool first = !(state & (USE_READERS | USE_WRITERS));
	int err = 0;

	if (!first && use->domid != domid)
		err = -EPERM;
	else if ((state & (write ? USE_WRITERS : USE_READERS)) ==
		 (write ? USE_WRITERS : USE_READERS))
		err = -ENOSPC;
	else if (first || (write && !(state & USE_WRITERS)))
		err = entry_pin(entry_word(entry), first, domid, write);
	if (!err) {
		/* Read only now that the flags keep an honest guest from changing it. */
		if (first) {
			use->gfn = __atomic_load_n(&entry->frame, __ATOMIC_RELAXED);
			use->domid = domid;
		}
		*gfn = use->gfn;
		state += write ? USE_WRITER : USE_READER;
	}
	use_unlock(use, state);
	return err;
}

static uint16_t unused_flags(uint32_t state)
{
	if (state & USE_WRITERS)
		return 0;
	return GTF_writing | (state & USE_READERS ? 0 : GTF_reading);
}

void gnttab_entry_put(grant_entry_v1_t *entry, struct gnttab_use *use, bool write)
{
	uint32_t state = use_lock(use);

	if (state & (write ? USE_WRITERS : USE_READERS)) {
		state -= write ? USE_WRITER : USE_READER;
		/* Release: our accesses to the page are over before the guest may take it back. */
		__atomic_fetch_and(&entry->flags, (uint16_t)~unused_flags(state), __ATOMIC_SEQ_CST);
	}
	use_unlock(use, state);
}

void gnttab_entry_settle(grant_entry_v1_t *entry, struct gnttab_use *use)
{
	uint32_t state = use_lock(use);
	uint16_t unused = unused_flags(state);

	__atomic_fetch_or(&entry->flags, (GTF_reading | GTF_writing) & ~unused, __ATOMIC_SEQ_CST);
	/* Without users, too: the last may have left while the flags were on their way. */
	__atomic_fetch_and(&entry->flags, (uint16_t)~unused, __ATOMIC_SEQ_CST);
	use_unlock(use, state);
}
