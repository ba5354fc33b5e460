/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who wakes whom on a ring (ring/end.h): two ends, two directions, event thresholds, doorbells.
 *
 * Memory is weaker than that of any CPU we run on: each store waits in its writer's buffer for an
 * arbitrary time, and stores to different places become visible in any order. The barriers of
 * ring/end.h are all that orders them. Indices start just below the wrap of their type.
 *
 * Checked: each entry arrives unchanged, once and in order, and both ends finish. An end asleep
 * with nobody left to wake it is an invalid end state.
 *
 * Each of these takes one thing away, and then the check must fail:
 *	NO_PUSH_MB	the barrier between publishing an index and reading the threshold
 *	NO_CHECK_MB	the barrier between setting the threshold and looking a last time
 *	NO_LAST_LOOK	that last look
 *	NO_RELEASE	entries before the index that announces them
 *	NO_ACQUIRE	the index before the entries it announces
 */
#define NR 2
#define TOTAL 6
#define START 254

#define FRONT 0
#define BACK 1

/* The index type wraps at 256. */
#define AHEAD(a, b) (((a) - (b)) & 255)
#define SLOT(index) ((index) & (NR - 1))
/* What is put at an index: who put it, and which. */
#define ENTRY(who, index) (1 + 2 * (AHEAD(index, START)) + (who))

/* The shared page. prod[FRONT] is req_prod, event[FRONT] the back end's req_event, and so on. */
byte slot[NR];
byte prod[2] = START;
byte event[2] = START + 1;
bool bell[2];

/* Store buffers: what each end wrote that is not visible yet. */
typedef stores {
	bool slot_waits[NR];
	byte slot[NR];
	bool prod_waits;
	byte prod;
	bool event_waits;
	byte event;
}
stores buf[2];

/* Lets an end's stores become visible one by one, whenever it likes. */
proctype visible(byte me)
{
end:
	do
	:: atomic { buf[me].slot_waits[0] -> slot[0] = buf[me].slot[0]; buf[me].slot[0] = 0;
		    buf[me].slot_waits[0] = false }
	:: atomic { buf[me].slot_waits[1] -> slot[1] = buf[me].slot[1]; buf[me].slot[1] = 0;
		    buf[me].slot_waits[1] = false }
	:: atomic { buf[me].prod_waits -> prod[me] = buf[me].prod; buf[me].prod = 0;
		    buf[me].prod_waits = false }
	:: atomic { buf[me].event_waits -> event[1 - me] = buf[me].event; buf[me].event = 0;
		    buf[me].event_waits = false }
	od
}

/* A second store to the same place comes after the first. */
inline store_slot(index, value)
{
	atomic { !buf[me].slot_waits[SLOT(index)] ->
		 buf[me].slot[SLOT(index)] = value;
		 buf[me].slot_waits[SLOT(index)] = true }
}

inline store_prod(value)
{
	atomic { !buf[me].prod_waits -> buf[me].prod = value; buf[me].prod_waits = true }
}

inline store_event(value)
{
	atomic { !buf[me].event_waits -> buf[me].event = value; buf[me].event_waits = true }
}

/* env_store_release(): the entries are visible before the index is. */
inline release()
{
#ifndef NO_RELEASE
	!buf[me].slot_waits[0] && !buf[me].slot_waits[1]
#else
	skip
#endif
}

/* env_mb(): all stores are visible before the next load. */
inline mb()
{
	!buf[me].slot_waits[0] && !buf[me].slot_waits[1] && !buf[me].prod_waits &&
		!buf[me].event_waits
}

/* ring_end_push() and the caller's notification, which goes through the kernel: a barrier too. */
inline push()
{
	if
	:: put != pub ->
		release();
		store_prod(put);
#ifndef NO_PUSH_MB
		mb();
#endif
		threshold = event[me];
		if
		:: AHEAD(put, threshold) < AHEAD(put, pub) -> mb(); bell[1 - me] = true
		:: else
		fi;
		pub = put;
		threshold = 0
	:: else
	fi
}

/* ring_end_copy(): one entry if there is one. */
inline copy()
{
#ifdef NO_ACQUIRE
	entry = slot[SLOT(cons)];
#endif
	if
	:: prod[1 - me] != cons ->
#ifndef NO_ACQUIRE
		entry = slot[SLOT(cons)];
#endif
		assert(AHEAD(prod[1 - me], cons) <= NR);
		assert(entry == ENTRY(1 - me, cons));
		cons++
	:: else
	fi;
	entry = 0
}

/* ring_end_final_check() for @count entries, then sleep unless they are there. */
inline sleep(count)
{
	if
	:: AHEAD(prod[1 - me], cons) >= count
	:: else ->
		store_event(cons + count);
#ifndef NO_CHECK_MB
		mb();
#endif
		if
#ifndef NO_LAST_LOOK
		:: AHEAD(prod[1 - me], cons) >= count
#endif
		:: else -> atomic { bell[me] -> bell[me] = false }
		fi
	fi
}

/* Puts whenever there is room, pushes any number at once, may sleep when answers are due. */
proctype front()
{
	byte me = FRONT, put = START, pub = START, cons = START, threshold, entry;

	do
	:: AHEAD(put, START) < TOTAL && AHEAD(put, cons) < NR ->
		store_slot(put, ENTRY(FRONT, put));
		put++
	:: put != pub -> push()
	:: put == pub && pub != cons -> copy()
	:: put == pub && pub != cons -> sleep(1)
	:: put == pub && AHEAD(pub, cons) == NR -> sleep(NR)
	:: AHEAD(cons, START) == TOTAL -> break
	od
}

/* Answers in order, publishes any number of answers at once, sleeps when all are out. */
proctype back()
{
	byte me = BACK, put = START, pub = START, cons = START, threshold, entry;

	do
	:: AHEAD(cons, START) < TOTAL -> copy()
	:: put != cons ->
		store_slot(put, ENTRY(BACK, put));
		put++
	:: put != pub -> push()
	:: AHEAD(cons, START) < TOTAL && put == cons && pub == put -> sleep(1)
	:: AHEAD(pub, START) == TOTAL -> break
	od
}

init {
	atomic {
		run visible(FRONT);
		run visible(BACK);
		run front();
		run back()
	}
}
