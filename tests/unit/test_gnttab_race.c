// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Threads of several back ends use one grant entry while the guest toggles it: under
 * ThreadSanitizer, and with a count of our own against which the shared flags are checked.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "hv/gnttab_entry.h"

#define USERS 3
#define ROUNDS 100000
#define FRAME 0x50

static grant_entry_v1_t entry;
static struct gnttab_use use;
static int failures, done, used;

static uint32_t *word(void)
{
	return (uint32_t *)(void *)&entry;
}

static void *user(void *arg)
{
	bool write = (uintptr_t)arg & 1;
	gfn_t gfn;

	/* A guest that is not running may have left the grant closed for all the rounds. */
	for (unsigned int i = 0; i < ROUNDS || !__atomic_load_n(&used, __ATOMIC_RELAXED); i++) {
		int err = gnttab_entry_get(&entry, &use, 0, write, &gfn);
		uint16_t want = GTF_reading | (write ? GTF_writing : 0);

		if (err) {
			if (err != -EPERM && err != -EBUSY)
				__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
			continue;
		}
		__atomic_fetch_add(&used, 1, __ATOMIC_RELAXED);
		/*
		 * The guest of this test never touches these two flags, so nobody may take them
		 * from us
		 */
		if (gfn != FRAME ||
		    (__atomic_load_n(&entry.flags, __ATOMIC_RELAXED) & want) != want)
			__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
		gnttab_entry_put(&entry, &use, write);
	}
	return NULL;
}

static void *guest(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
		__atomic_fetch_xor(word(), GTF_readonly, __ATOMIC_RELAXED);
		__atomic_fetch_xor(word(), GTF_permit_access, __ATOMIC_RELAXED);
	}
	return NULL;
}

int main(void)
{
	pthread_t users[USERS], other;

	entry.frame = FRAME;
	entry.flags = GTF_permit_access;
	pthread_create(&other, NULL, guest, NULL);
	for (uintptr_t i = 0; i < USERS; i++)
		pthread_create(&users[i], NULL, user, (void *)i);
	for (unsigned int i = 0; i < USERS; i++)
		pthread_join(users[i], NULL);
	__atomic_store_n(&done, 1, __ATOMIC_RELAXED);
	pthread_join(other, NULL);

	if (failures)
		printf("FAIL gnttab_race: %d wrong grants or flags\n", failures);
	else if (!used || use.state || (entry.flags & (GTF_reading | GTF_writing)))
		printf("FAIL gnttab_race: used %d times, count %#x and flags %#x left over\n", used,
		       use.state, entry.flags);
	else
		printf("PASS gnttab_race\n");
	return failures || use.state;
}
