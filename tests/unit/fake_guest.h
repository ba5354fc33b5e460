/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest made of plain memory, for testing the real back ends: grant table, event channels and
 * event loop are replaced by the simplest thing that counts, XenStore is the real library.
 *
 * Grant reference r names page r. Ports are numbers below FAKE_PORTS.
 */
#ifndef TESTS_UNIT_FAKE_GUEST_H
#define TESTS_UNIT_FAKE_GUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/backend.h"
#include "hv/config.h"
#include "hv/domain.h"
#include "xenstore/xenstore.h"

#define FAKE_PAGES 256
#define FAKE_PORTS 16
#define FAKE_TIMEOUT_MS 10000

enum fake_grant { GRANT_NONE, GRANT_READ, GRANT_WRITE };

struct fake_guest {
	struct domain domain;
	struct config config;
	struct xst_store *store;
	struct xst_conn *dom0, *conn; /* domain 0's and the guest's */
	uint8_t (*page)[PAGE_SIZE];
	enum fake_grant grant[FAKE_PAGES];
	int mapped[FAKE_PAGES]; /* now, atomic */
	struct evtchn_peer *port[FAKE_PORTS]; /* domain 0's end, under the double's lock */
	int notified[FAKE_PORTS]; /* by a back end, atomic */
	bool loop_stopped; /* in the last fake_pump() */
};

extern struct fake_guest *fake;

/* The guest with store, home directory and empty config; cmocka set-up and teardown. */
int fake_setup(void **state);
/* Fails if anything is still mapped or bound. */
int fake_teardown(void **state);

/* What is mapped or bound at this moment. */
unsigned int fake_in_use(void);

/* Kick the back end's queue: what the guest's EVTCHNOP_send does. */
void fake_send(evtchn_port_t port);

/* Run due callbacks of loop and store once; wait at most @ms for one. */
void fake_pump(int ms);

/* Pump until @cond(@arg) or fail after FAKE_TIMEOUT_MS. */
void fake_wait(bool (*cond)(void *arg), void *arg, const char *what);

/* The guest writes a key of its own directory for a device. */
void fake_write(const char *type, unsigned int id, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void fake_state(const char *type, unsigned int id, unsigned int state);
/* Number in the back end's directory, or -1. */
long long fake_back_read(const char *type, unsigned int id, const char *key);
/* Pump until the back end's state is @state. */
void fake_wait_back(const char *type, unsigned int id, unsigned int state);
/* True if XenStore has an error text for the back end. */
bool fake_has_error(const char *type, unsigned int id);

#endif /* TESTS_UNIT_FAKE_GUEST_H */
