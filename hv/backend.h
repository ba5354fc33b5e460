/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The back-end kit: what a paravirtual device needs on the host side.
 *
 * Life of a device; "->" is what the kit does in between:
 *
 *	open		take hold of the host's resource (image, tap); there is no domain yet, so a
 *			missing or locked file stops "paravane run" before anything exists
 *	   -> both XenStore directories, permissions, frontend/backend links
 *	probe		publish features and properties
 *	   -> our state InitWait; wait until the front end is Initialised or Connected
 *	connect		read the front end's keys, map rings, bind event channels, start queues
 *	   -> our state Connected; wait until the front end closes, or somebody fails the device
 *	   -> the queues' threads are told to end; when the last one has, which may take as long as
 *	      the host's storage does, the loop goes on with
 *	disconnect	release what connect allocated
 *	   -> rings, grants and event channels the author forgot are released; our state Closed;
 *	      a front end that comes back as Initialising finds InitWait again
 *	close		let go of the host's resource; the last call
 *
 * open, probe, connect, disconnect and close run on the loop thread, connect and disconnect in
 * pairs, whatever the front end does; disconnect also follows a connect that failed half-way. A
 * queue's callbacks run on that queue's own thread.
 *
 * An error returned by connect or by a queue's callback closes the device: the text goes to the
 * log and to XenStore (error/<path>/error), the front end sees Closed. The process and the other
 * devices go on.
 */
#ifndef HV_BACKEND_H
#define HV_BACKEND_H

#include <poll.h>

#include "hv/evtchn.h"
#include "hv/gnttab.h"
#include "hv/types.h"
#include "ring/ring.h"

struct backend_bus;
struct backend_core;
struct backend_queue;
struct config;

/** BACKEND_ABI - grows when this header changes in a way that a compiled back end notices */
#define BACKEND_ABI 1

/**
 * struct backend_dev - one device of one domain
 * @domain: NULL until backends_start()
 * @ops: its back end
 * @id: device id, the last part of its path
 * @priv: the back end's
 * @core: the kit's
 */
struct backend_dev {
	struct domain *domain;
	const struct backend_ops *ops;
	unsigned int id;
	void *priv;
	struct backend_core *core;
};

/**
 * struct backend_ops - a back end
 * @abi: BACKEND_ABI
 * @type: device type: "vbd", "vif", ...
 * @open: @config is the device's part of struct config. Prints one line when it fails
 * @probe: optional
 * @connect: mandatory
 * @disconnect: optional
 * @close: optional; only after open succeeded
 *
 * See the top of this file for when and where each is called. All return 0 or -errno.
 */
struct backend_ops {
	unsigned int abi;
	const char *type;
	int (*open)(struct backend_dev *dev, const void *config);
	int (*probe)(struct backend_dev *dev);
	int (*connect)(struct backend_dev *dev);
	void (*disconnect)(struct backend_dev *dev);
	void (*close)(struct backend_dev *dev);
};

/* ---- what the domain's builder calls; loop thread ---- */

/**
 * backends_open - open everything @config names: images, taps, the user-mode network
 *
 * Call it before anything of the domain exists. Return: 0, or -errno after printing one line.
 */
int backends_open(const struct config *config, struct backend_bus **bus);

/**
 * backends_start - create the devices of @d in XenStore and wait for their front ends
 *
 * After xenstore_service_create(). Sets d->backends. Return: 0 or -errno; @bus stays the caller's
 * to destroy.
 */
int backends_start(struct domain *d, struct backend_bus *bus);

/**
 * backends_quiesce - begin or go on to disconnect all devices, for good
 *
 * Return: true when that is done. If not, run the loop; it is stopped once all
 * devices are disconnected.
 */
bool backends_quiesce(struct backend_bus *bus);

/**
 * backends_stop - disconnect all devices: no thread runs and no guest memory is used afterwards
 *
 * While memory, event channels and grants still exist. Allowed on a bus that was never started.
 * Waits for I/O in flight, unless backends_quiesce() has come to its end before.
 */
void backends_stop(struct backend_bus *bus);

/** backends_destroy - close all devices and free @bus; NULL is allowed */
void backends_destroy(struct backend_bus *bus);

/* ---- XenStore; loop thread ---- */

/** backend_publish - write a key of the back end's directory; 0 or -errno */
int backend_publish(struct backend_dev *dev, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * backend_publish_front - write a key of the front end's directory, from probe (toolstack's part:
 * mac, handle)
 */
int backend_publish_front(struct backend_dev *dev, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * backend_read_front - read a number from the front end's directory
 * @max: larger values are refused
 *
 * Return: 0, -ENOENT, -EINVAL, -ERANGE.
 */
int backend_read_front(struct backend_dev *dev, const char *key, uint64_t max, uint64_t *value);

/**
 * backend_front_has - true if the front end published the feature @key with a value other than 0
 */
bool backend_front_has(struct backend_dev *dev, const char *key);

/**
 * backend_front_accepts - true if the front end published @value as @key, or did not publish @key
 */
bool backend_front_accepts(struct backend_dev *dev, const char *key, const char *value);

/**
 * backend_changed - say Connected again, so that the front end looks at our keys again (a disk
 * was resized)
 */
int backend_changed(struct backend_dev *dev);

/**
 * backend_fail - close the device because of @err
 *
 * Any thread; the first call of a connection wins. Disconnecting happens later, on the loop thread.
 */
void backend_fail(struct backend_dev *dev, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- rings and queues; from connect ---- */

/**
 * struct backend_queue_ops - what one queue's thread does
 * @work: do what can be done without waiting, batch by batch. Return: more than 0 if something
 *	was done, 0 if there was nothing to do, -errno to fail the device
 * @arm: ask the front end for a notification (ring_final_check_requests()). Return: true if there
 *	is something to do first
 * @poll: optional; add up to @max descriptors of the back end's own to wait for and lower
 *	*@timeout (ms, -1 for ever) where needed. Return: how many
 * @polled: optional, with @poll; the same descriptors with their revents, also after a timeout.
 *	Return: as @work
 * @stop: optional; the thread's last act: wait for I/O in flight, which still uses guest memory
 */
struct backend_queue_ops {
	int (*work)(struct backend_queue *q);
	bool (*arm)(struct backend_queue *q);
	int (*poll)(struct backend_queue *q, struct pollfd *fds, unsigned int max, int *timeout);
	int (*polled)(struct backend_queue *q, const struct pollfd *fds, unsigned int n);
	void (*stop)(struct backend_queue *q);
};

/** BACKEND_QUEUE_FDS - descriptors a queue may wait for besides its event channels */
#define BACKEND_QUEUE_FDS 1024

/**
 * backend_queue_create - make a queue; its thread starts when connect has returned 0
 * @priv: for backend_queue_priv()
 *
 * Its thread has ended before disconnect is called; the kit frees it afterwards. Return: 0, -ENOMEM or -errno of eventfd.
 */
int backend_queue_create(struct backend_dev *dev, const struct backend_queue_ops *ops, void *priv,
			 struct backend_queue **q);

void *backend_queue_priv(const struct backend_queue *q);
struct backend_dev *backend_queue_dev(const struct backend_queue *q);

/**
 * backend_map_ring - map the ring whose grant reference the front end wrote to @key
 *
 * One page. Multi-page rings are not offered (no max-ring-page-order): guest RAM is anonymous huge
 * pages, which cannot also be mapped page by page next to each other.
 * Return: 0, -ENOENT, -EPROTO if the shared indices make no sense, or the error of gnttab_map().
 */
int backend_map_ring(struct backend_dev *dev, const char *key, struct ring_format format,
		     struct ring_back *ring);

/**
 * backend_bind_evtchn - bind the event channel whose port the front end wrote to @key to @q
 *
 * Several may be bound to one queue. Return: 0, -ENOENT, or the error of evtchn_peer_bind().
 */
int backend_bind_evtchn(struct backend_queue *q, const char *key, struct evtchn_peer **peer);

/* ---- the front end's buffers; from the queue's callbacks ---- */

/**
 * struct backend_grant - one mapped page of the front end
 * @page: its address; the bytes may change at any time
 *
 * The memory is the author's and must stay valid until unmapped or until disconnect. The other
 * fields are the kit's.
 */
struct backend_grant {
	void *page;
	grant_ref_t ref;
	bool write;
	struct backend_grant *prev, *next;
};

/** backend_map - map @ref; 0 or the error of gnttab_map(); @q's thread */
int backend_map(struct backend_queue *q, grant_ref_t ref, bool write, struct backend_grant *g);
void backend_unmap(struct backend_queue *q, struct backend_grant *g);

#endif /* HV_BACKEND_H */
