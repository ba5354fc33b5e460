// SPDX-License-Identifier: GPL-2.0-only
/*
 * <paravane/front.h>: the front end's state machine, against peers that behave, lag, restart,
 * vanish and misbehave.
 */
#include "tests/kunit/case.h"

#include <paravane/front.h>

/* A front end driven by the table, and what it did. */
struct front {
	enum paravane_front_phase phase;
	unsigned int state; /* ours, as the store shows it */
	unsigned int shared; /* connects minus disconnects */
	unsigned int steps;
	bool early;
};

static void perform(struct front *f, enum paravane_front_action action)
{
	switch (action) {
	case PARAVANE_FRONT_ABANDON:
	case PARAVANE_FRONT_CLOSE:
		f->state = XenbusStateClosing;
		break;
	case PARAVANE_FRONT_ABANDONED:
	case PARAVANE_FRONT_CLOSE_NOW:
	case PARAVANE_FRONT_STOP:
		f->state = XenbusStateClosed;
		break;
	case PARAVANE_FRONT_START:
		f->state = XenbusStateInitialising;
		break;
	case PARAVANE_FRONT_CONNECT:
		f->state = f->early ? XenbusStateConnected : XenbusStateInitialised;
		f->shared++;
		break;
	case PARAVANE_FRONT_COMPLETE:
		f->state = XenbusStateConnected;
		break;
	case PARAVANE_FRONT_DISCONNECT:
		f->shared--;
		break;
	default:
		break;
	}
	f->phase = paravane_front_next(f->phase, action);
}

/* Run until there is nothing to do; true if it comes to rest. */
static bool settle(struct front *f, unsigned int peer)
{
	unsigned int i;

	for (i = 0; i < 32; i++) {
		enum paravane_front_action action = paravane_front_step(f->phase, peer);

		if (action == PARAVANE_FRONT_NONE || action == PARAVANE_FRONT_CHANGED)
			return true;
		perform(f, action);
		f->steps++;
	}
	return false;
}

/* What an ordinary back end answers to our state. */
static unsigned int back_end(unsigned int peer, unsigned int front)
{
	switch (front) {
	case XenbusStateInitialising:
		return peer == XenbusStateClosed || peer == XenbusStateInitialising ?
			       XenbusStateInitWait :
			       peer;
	case XenbusStateInitialised:
	case XenbusStateConnected:
		return peer == XenbusStateInitWait ? XenbusStateConnected : peer;
	case XenbusStateClosing:
		return XenbusStateClosing;
	case XenbusStateClosed:
		return XenbusStateClosed;
	default:
		return peer;
	}
}

static unsigned int play(struct front *f, unsigned int peer, unsigned int rounds)
{
	while (rounds--) {
		settle(f, peer);
		peer = back_end(peer, f->state);
	}
	settle(f, peer);
	return peer;
}

CASE(block_connect)
{
	struct front f = {};

	CHECK_EQ(play(&f, XenbusStateInitialising, 4), XenbusStateConnected);
	CHECK_EQ(f.phase, PARAVANE_FRONT_CONNECTED);
	CHECK_EQ(f.state, XenbusStateConnected);
	CHECK_EQ(f.shared, 1);
}

CASE(network_connect)
{
	struct front f = { .early = true };

	CHECK(settle(&f, XenbusStateInitWait));
	CHECK_EQ(f.state, XenbusStateConnected);
	CHECK_EQ(f.phase, PARAVANE_FRONT_PUBLISHED);
	CHECK(settle(&f, XenbusStateConnected));
	CHECK_EQ(f.phase, PARAVANE_FRONT_CONNECTED);
}

CASE(closed_peer_is_started_again)
{
	struct front f = {};

	CHECK_EQ(play(&f, XenbusStateClosed, 4), XenbusStateConnected);
	CHECK_EQ(f.phase, PARAVANE_FRONT_CONNECTED);
	CHECK_EQ(f.shared, 1);
}

CASE(peer_left_connected_is_reset)
{
	struct front f = { .state = XenbusStateConnected };

	CHECK(settle(&f, XenbusStateConnected));
	CHECK_EQ(f.state, XenbusStateClosing);
	CHECK_EQ(f.shared, 0);
	CHECK_EQ(play(&f, XenbusStateConnected, 6), XenbusStateConnected);
	CHECK_EQ(f.phase, PARAVANE_FRONT_CONNECTED);
	CHECK_EQ(f.shared, 1);
}

CASE(peer_closes)
{
	struct front f = {};

	play(&f, XenbusStateInitialising, 4);
	CHECK(settle(&f, XenbusStateClosing));
	CHECK_EQ(f.state, XenbusStateClosed);
	CHECK_EQ(f.shared, 1);
	CHECK(settle(&f, XenbusStateClosed));
	CHECK_EQ(f.phase, PARAVANE_FRONT_CLOSED);
	CHECK_EQ(f.shared, 0);
}

CASE(peer_vanishes)
{
	struct front f = {};

	play(&f, XenbusStateInitialising, 4);
	CHECK(settle(&f, XenbusStateUnknown));
	CHECK_EQ(f.phase, PARAVANE_FRONT_CLOSED);
	CHECK_EQ(f.shared, 0);
}

CASE(peer_restarts)
{
	struct front f = {};

	play(&f, XenbusStateInitialising, 4);
	CHECK(settle(&f, XenbusStateInitWait));
	CHECK_EQ(f.shared, 1);
	CHECK_EQ(f.phase, PARAVANE_FRONT_PUBLISHED);
}

CASE(our_close)
{
	struct front f = {};
	unsigned int peer = play(&f, XenbusStateInitialising, 4);
	unsigned int round;

	perform(&f, paravane_front_request_close(f.phase));
	for (round = 0; round < 4 && f.phase != PARAVANE_FRONT_CLOSED; round++) {
		perform(&f, paravane_front_step(f.phase, peer));
		peer = back_end(peer, f.state);
	}
	CHECK_EQ(f.phase, PARAVANE_FRONT_CLOSED);
	CHECK_EQ(f.shared, 0);
	CHECK_EQ(paravane_front_request_close(f.phase), PARAVANE_FRONT_NONE);
}

CASE(dead_peer_does_not_stop_a_close)
{
	unsigned int peer, i;

	for (peer = 0; peer < PARAVANE_XENBUS_STATES; peer++) {
		struct front f = {};

		play(&f, XenbusStateInitialising, 4);
		perform(&f, paravane_front_request_close(f.phase));
		for (i = 0; i < 4 && f.phase != PARAVANE_FRONT_CLOSED; i++) {
			enum paravane_front_action action = paravane_front_step(f.phase, peer);

			if (action == PARAVANE_FRONT_NONE)
				action = paravane_front_timeout(f.phase);
			perform(&f, action);
		}
		CHECK_EQ(f.phase, PARAVANE_FRONT_CLOSED);
		CHECK_EQ(f.shared, 0);
	}
}

CASE(close_before_anything_is_shared)
{
	enum paravane_front_phase phase;

	for (phase = PARAVANE_FRONT_RESET; phase <= PARAVANE_FRONT_WAIT; phase++)
		CHECK_EQ(paravane_front_request_close(phase), PARAVANE_FRONT_STOP);
}

/* Whatever two states a peer shows one after the other, we come to rest and pairs stay pairs. */
CASE(any_two_states_come_to_rest)
{
	unsigned int first, second;

	for (first = 0; first < PARAVANE_XENBUS_STATES; first++) {
		for (second = 0; second < PARAVANE_XENBUS_STATES; second++) {
			struct front f = {};

			CHECK(settle(&f, first));
			CHECK(f.shared <= 1);
			CHECK(settle(&f, second));
			CHECK(f.shared <= 1);
			CHECK_EQ(f.shared, f.phase >= PARAVANE_FRONT_PUBLISHED &&
						   f.phase <= PARAVANE_FRONT_CLOSED_WAIT);
		}
	}
}

CASE(no_such_state_is_unknown)
{
	CHECK_EQ(paravane_front_step(PARAVANE_FRONT_CONNECTED, 9), PARAVANE_FRONT_CLOSE);
	CHECK_EQ(paravane_front_step(PARAVANE_FRONT_CONNECTED, ~0u), PARAVANE_FRONT_CLOSE);
	CHECK_EQ(paravane_front_step(PARAVANE_FRONT_PHASES, 4), PARAVANE_FRONT_NONE);
}

#define CASES(X)                           \
	X(block_connect)                   \
	X(network_connect)                 \
	X(closed_peer_is_started_again)    \
	X(peer_left_connected_is_reset)    \
	X(peer_closes)                     \
	X(peer_vanishes)                   \
	X(peer_restarts)                   \
	X(our_close)                       \
	X(dead_peer_does_not_stop_a_close) \
	X(close_before_anything_is_shared) \
	X(any_two_states_come_to_rest)     \
	X(no_such_state_is_unknown)

SUITE(guest_front, CASES);
