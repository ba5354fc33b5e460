/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private half of the back-end kit, shared by backend.c, xenbus.c and back_queue.c.
 *
 * Except where a comment says otherwise everything here belongs to the loop thread.
 */
#ifndef HV_BACKEND_CORE_H
#define HV_BACKEND_CORE_H

#include <pthread.h>

#include <xen-public/io/xenbus.h>

#include "hv/backend.h"
#include "hv/loop.h"

struct xst_conn;
struct xst_watch;

#define BACKEND_MAX_RINGS 8
#define BACKEND_QUEUE_PORTS 4

/* How far a failure has come: any thread files one, the loop thread takes it. */
enum backend_failure { FAILURE_NONE, FAILURE_FILING, FAILURE_FILED, FAILURE_TAKEN };

/**
 * struct backend_core - what the kit knows of a device
 * @state: our xenbus state as last written
 * @connected: between connect and disconnect
 * @ending: its queues were told to end and some have not yet
 * @failure: enum backend_failure, atomic; @fail_err and @fail_text are valid once it is
 *	FAILURE_FILED
 * @failures: connections that ended that way, to keep a guest from filling the log
 */
struct backend_core {
	struct backend_dev dev;
	struct backend_bus *bus;
	struct backend_core *next;
	char path[96], front[96];
	enum xenbus_state state;
	bool opened, present, connected, ending;
	struct xst_watch *watch;

	struct backend_queue *queues;
	grant_ref_t ring[BACKEND_MAX_RINGS];
	unsigned int nr_rings;

	int failure;
	int fail_err;
	char fail_text[160];
	unsigned int failures;
};

/**
 * struct backend_bus - the devices of a domain
 * @news: posted when a device has filed a failure or a queue has ended
 * @quiescing: backends_quiesce() has begun
 */
struct backend_bus {
	struct domain *domain;
	struct backend_core *devs;
	struct loop_call news;
	bool quiescing;
};

/**
 * struct backend_queue - one thread and what wakes it
 * @running: the thread has to be joined
 * @kick: eventfd of all its event channels, also written to stop it
 * @stop, @ended: it is to end; it is about to, and frees nothing: join it. Atomic
 * @grants: pages mapped now; the queue's thread, after it ended the loop thread
 * @window: ns to poll before sleeping, 0 .. POLL_MAX
 * @lone_cpu: when the thread started it was given one CPU only, where polling finds nothing
 */
struct backend_queue {
	struct backend_dev *dev;
	const struct backend_queue_ops *ops;
	void *priv;
	struct backend_queue *next;
	pthread_t thread;
	bool running;
	int stop, ended;
	int kick;
	struct evtchn_peer *port[BACKEND_QUEUE_PORTS];
	unsigned int nr_ports;
	struct backend_grant grants;
	unsigned int window;
	bool lone_cpu;
};

/* backend.c */
void device_connect(struct backend_core *c);
/** device_disconnect - begin or go on to disconnect; true when that is done */
bool device_disconnect(struct backend_core *c);
void device_close(struct backend_core *c);

/* xenbus.c */
int xenbus_device_create(struct backend_core *c);
void xenbus_device_forget(struct backend_core *c);
void xenbus_look_again(struct backend_core *c);
void xenbus_switch_state(struct backend_core *c, enum xenbus_state state);
void xenbus_report(struct backend_core *c, int err, const char *text);

/* back_queue.c */
int queue_start(struct backend_queue *q);
/** queue_end - tell the thread to end, which posts the bus's news when it does; may be repeated */
void queue_end(struct backend_queue *q);
bool queue_ended(const struct backend_queue *q);
/** queue_join - wait for the end and release what was mapped */
void queue_join(struct backend_queue *q);
void queue_free(struct backend_queue *q);

#endif /* HV_BACKEND_CORE_H */
