/* SPDX-License-Identifier: MIT */
/*
 * The front end's half of the xenbus protocol: <xen-public/io/xenbus.h>.
 *
 * A table says what to do in each phase when the back end is seen in each state. It covers the
 * ordinary connect (peer 1 2 . 4, we 1 . 3 4, or 1 . 4 . for network devices), a peer left over by
 * a former kernel or module (walk it through Closing and Closed first), a peer that closes,
 * restarts or vanishes at any point, and one that shows a state late or twice.
 *
 * Pure: whoever runs it performs the actions, writes the states and keeps the time.
 */
#ifndef PARAVANE_FRONT_H
#define PARAVANE_FRONT_H

#include <paravane/xen.h>

/**
 * enum paravane_front_phase - where a front end is
 * @PARAVANE_FRONT_RESET: just found; the peer may still be connected to somebody before us
 * @PARAVANE_FRONT_RESET_CLOSING: told such a peer Closing
 * @PARAVANE_FRONT_RESET_CLOSED: told such a peer Closed
 * @PARAVANE_FRONT_WAIT: Initialising; waiting for the peer's InitWait
 * @PARAVANE_FRONT_PUBLISHED: rings are published; waiting for the peer's Connected
 * @PARAVANE_FRONT_CONNECTED: both Connected
 * @PARAVANE_FRONT_CLOSING: Closing; waiting for the peer to follow
 * @PARAVANE_FRONT_CLOSED_WAIT: Closed; waiting for the peer to let go of our pages
 * @PARAVANE_FRONT_CLOSED: nothing is shared any more
 */
enum paravane_front_phase {
	PARAVANE_FRONT_RESET,
	PARAVANE_FRONT_RESET_CLOSING,
	PARAVANE_FRONT_RESET_CLOSED,
	PARAVANE_FRONT_WAIT,
	PARAVANE_FRONT_PUBLISHED,
	PARAVANE_FRONT_CONNECTED,
	PARAVANE_FRONT_CLOSING,
	PARAVANE_FRONT_CLOSED_WAIT,
	PARAVANE_FRONT_CLOSED,
	PARAVANE_FRONT_PHASES
};

/**
 * enum paravane_front_action - what to do
 * @PARAVANE_FRONT_NONE: wait for the peer
 * @PARAVANE_FRONT_ABANDON: write Closing for whoever was here before
 * @PARAVANE_FRONT_ABANDONED: write Closed for whoever was here before
 * @PARAVANE_FRONT_START: write Initialising
 * @PARAVANE_FRONT_CONNECT: read features, share rings, publish keys, write Initialised
 * @PARAVANE_FRONT_COMPLETE: write Connected, start I/O
 * @PARAVANE_FRONT_CHANGED: look at what the peer changed
 * @PARAVANE_FRONT_CLOSE: stop I/O, write Closing
 * @PARAVANE_FRONT_CLOSE_NOW: write Closed
 * @PARAVANE_FRONT_DISCONNECT: take back what was shared
 * @PARAVANE_FRONT_STOP: write Closed; nothing was shared yet
 */
enum paravane_front_action {
	PARAVANE_FRONT_NONE,
	PARAVANE_FRONT_ABANDON,
	PARAVANE_FRONT_ABANDONED,
	PARAVANE_FRONT_START,
	PARAVANE_FRONT_CONNECT,
	PARAVANE_FRONT_COMPLETE,
	PARAVANE_FRONT_CHANGED,
	PARAVANE_FRONT_CLOSE,
	PARAVANE_FRONT_CLOSE_NOW,
	PARAVANE_FRONT_DISCONNECT,
	PARAVANE_FRONT_STOP,
	PARAVANE_FRONT_ACTIONS
};

#define PARAVANE_XENBUS_STATES (XenbusStateReconfigured + 1)

/**
 * paravane_front_step() - what to do now
 * @phase: where we are
 * @peer: the peer's state; XenbusStateUnknown (0) when its node is gone. A number that is no state
 *	counts as Unknown
 *
 * Return: enum paravane_front_action
 */
static inline enum paravane_front_action paravane_front_step(enum paravane_front_phase phase,
							     unsigned int peer)
{
/* Columns: Unknown Initialising InitWait Initialised Connected Closing Closed Reconfiguring, -ed */
#define NO PARAVANE_FRONT_NONE
#define AB PARAVANE_FRONT_ABANDON
#define AD PARAVANE_FRONT_ABANDONED
#define ST PARAVANE_FRONT_START
#define CO PARAVANE_FRONT_CONNECT
#define OK PARAVANE_FRONT_COMPLETE
#define CH PARAVANE_FRONT_CHANGED
#define CL PARAVANE_FRONT_CLOSE
#define CN PARAVANE_FRONT_CLOSE_NOW
#define DI PARAVANE_FRONT_DISCONNECT
#define SP PARAVANE_FRONT_STOP
	/* clang-format off */
	static const unsigned char table[PARAVANE_FRONT_PHASES][PARAVANE_XENBUS_STATES] = {
		[PARAVANE_FRONT_RESET] =	 { NO, ST, ST, AB, AB, AD, ST, AB, AB },
		[PARAVANE_FRONT_RESET_CLOSING] = { NO, ST, ST, NO, NO, AD, AD, NO, NO },
		[PARAVANE_FRONT_RESET_CLOSED] =	 { NO, ST, ST, NO, NO, NO, ST, NO, NO },
		[PARAVANE_FRONT_WAIT] =		 { NO, NO, CO, NO, NO, SP, NO, NO, NO },
		[PARAVANE_FRONT_PUBLISHED] =	 { CL, NO, NO, NO, OK, CL, CL, NO, NO },
		[PARAVANE_FRONT_CONNECTED] =	 { CL, CL, CL, NO, CH, CL, CL, NO, NO },
		[PARAVANE_FRONT_CLOSING] =	 { CN, CN, CN, NO, NO, CN, CN, NO, NO },
		[PARAVANE_FRONT_CLOSED_WAIT] =	 { DI, DI, DI, NO, NO, NO, DI, NO, NO },
		[PARAVANE_FRONT_CLOSED] =	 { NO, ST, ST, NO, NO, NO, NO, NO, NO },
	};
	/* clang-format on */
#undef NO
#undef AB
#undef AD
#undef ST
#undef CO
#undef OK
#undef CH
#undef CL
#undef CN
#undef DI
#undef SP

	if (phase >= PARAVANE_FRONT_PHASES)
		return PARAVANE_FRONT_NONE;
	if (peer >= PARAVANE_XENBUS_STATES)
		peer = XenbusStateUnknown;
	return table[phase][peer];
}

/**
 * paravane_front_timeout() - what to do when the peer did not react in time
 * @phase: where we are
 *
 * Return: enum paravane_front_action; PARAVANE_FRONT_NONE where waiting has no limit
 */
static inline enum paravane_front_action paravane_front_timeout(enum paravane_front_phase phase)
{
	switch (phase) {
	case PARAVANE_FRONT_RESET_CLOSING:
		return PARAVANE_FRONT_ABANDONED;
	case PARAVANE_FRONT_RESET_CLOSED:
		return PARAVANE_FRONT_START;
	case PARAVANE_FRONT_CLOSING:
		return PARAVANE_FRONT_CLOSE_NOW;
	case PARAVANE_FRONT_CLOSED_WAIT:
		return PARAVANE_FRONT_DISCONNECT;
	default:
		return PARAVANE_FRONT_NONE;
	}
}

/**
 * paravane_front_is_waiting() - is it the peer's turn to go on with connecting?
 * @phase: where we are
 *
 * There waiting has no limit: the toolstack may still be at work. But somebody may want to know.
 */
static inline bool paravane_front_is_waiting(enum paravane_front_phase phase)
{
	return phase == PARAVANE_FRONT_RESET || phase == PARAVANE_FRONT_WAIT ||
	       phase == PARAVANE_FRONT_PUBLISHED;
}

/**
 * paravane_front_request_close() - what to do when our side wants to close
 * @phase: where we are
 *
 * Return: the action to perform first; PARAVANE_FRONT_NONE if a close is under way or done.
 */
static inline enum paravane_front_action
paravane_front_request_close(enum paravane_front_phase phase)
{
	switch (phase) {
	case PARAVANE_FRONT_PUBLISHED:
	case PARAVANE_FRONT_CONNECTED:
		return PARAVANE_FRONT_CLOSE;
	case PARAVANE_FRONT_CLOSING:
	case PARAVANE_FRONT_CLOSED_WAIT:
	case PARAVANE_FRONT_CLOSED:
		return PARAVANE_FRONT_NONE;
	default:
		return PARAVANE_FRONT_STOP;
	}
}

/**
 * paravane_front_next() - the phase after an action was performed
 * @phase: the phase before
 * @action: the action
 */
static inline enum paravane_front_phase paravane_front_next(enum paravane_front_phase phase,
							    enum paravane_front_action action)
{
	static const unsigned char next[PARAVANE_FRONT_ACTIONS] = {
		[PARAVANE_FRONT_ABANDON] = PARAVANE_FRONT_RESET_CLOSING,
		[PARAVANE_FRONT_ABANDONED] = PARAVANE_FRONT_RESET_CLOSED,
		[PARAVANE_FRONT_START] = PARAVANE_FRONT_WAIT,
		[PARAVANE_FRONT_CONNECT] = PARAVANE_FRONT_PUBLISHED,
		[PARAVANE_FRONT_COMPLETE] = PARAVANE_FRONT_CONNECTED,
		[PARAVANE_FRONT_CLOSE] = PARAVANE_FRONT_CLOSING,
		[PARAVANE_FRONT_CLOSE_NOW] = PARAVANE_FRONT_CLOSED_WAIT,
		[PARAVANE_FRONT_DISCONNECT] = PARAVANE_FRONT_CLOSED,
		[PARAVANE_FRONT_STOP] = PARAVANE_FRONT_CLOSED,
	};

	if (action == PARAVANE_FRONT_NONE || action == PARAVANE_FRONT_CHANGED)
		return phase;
	return next[action];
}

#endif /* PARAVANE_FRONT_H */
