/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kit's private part of a device.
 */
#ifndef PARAVANE_LINUX_FRONT_CORE_H
#define PARAVANE_LINUX_FRONT_CORE_H

#include <paravane/front.h>

#include "guest/linux/front.h"

/* Bits of flags. */
enum {
	CORE_DEAD, /* paravane_front_fail() was called */
	CORE_REPORT, /* its message is still to be written to XenStore */
	CORE_CLOSE, /* our side wants to close */
	CORE_REMOVE, /* for good */
	CORE_EVENT, /* the peer's state was written */
	CORE_UNWATCHED, /* nobody looks at it any more */
};

/**
 * struct paravane_front_core - a device while a driver is bound to it
 * @dev: the device
 * @lock: serialises the callbacks, guards what follows up to @channels
 * @phase: where we are
 * @since: since when, in jiffies
 * @told: the log says that the peer keeps us waiting
 * @held: between connections: hold (or in its place closing) was called, and nothing since
 * @short_ones: connections in a row that soon ended with the device held
 * @frozen: nothing happens before the machine has been resumed
 * @lost: the connection that ends is one of a domain that was left
 * @state: our state as last written
 * @peer_state: the peer's state as last read
 * @rings: struct paravane_front_ring
 * @channels: struct paravane_front_channel
 * @flags: CORE_* bits, atomic
 * @error: -errno of the failure
 * @message: what failed
 * @work: runs the state machine
 * @watch: on the peer's state
 * @wait: woken after each run
 */
struct paravane_front_core {
	struct paravane_front_dev *dev;
	struct mutex lock; /* serialises the callbacks */
	enum paravane_front_phase phase;
	unsigned long since;
	bool told;
	bool held;
	unsigned int short_ones;
	bool frozen;
	bool lost;
	enum xenbus_state state;
	unsigned int peer_state;
	struct list_head rings;
	struct list_head channels;
	unsigned long flags;
	int error;
	char message[128];
	struct delayed_work work;
	struct paravane_xs_watch watch;
	wait_queue_head_t wait;
};

static inline struct paravane_front_driver *to_driver(const struct paravane_front_dev *dev)
{
	return container_of(dev->dev.driver, struct paravane_front_driver, driver);
}

/* front.c: the state machine */
void paravane_front_kick(struct paravane_front_core *core);
void paravane_front_work(struct work_struct *work);
void paravane_front_peer_event(struct paravane_xs_watch *watch, const char *path);
void paravane_front_hurry(void);
void paravane_front_freeze(struct paravane_front_core *core);
void paravane_front_thaw(struct paravane_front_core *core, bool lost);

/* front_io.c: the end of what is shared; under the lock */
void paravane_front_await_unmapping(struct paravane_front_core *core, unsigned long patience);
void paravane_front_release(struct paravane_front_core *core);

#endif /* PARAVANE_LINUX_FRONT_CORE_H */
