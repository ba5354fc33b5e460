/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The front-end kit: everything a paravirtual device driver needs.
 *
 * Life of a device. All callbacks of one device run one after the other in process context and may
 * sleep; "->" is what the kit does in between:
 *
 *	probe		the device exists; allocate driver data
 *	   -> wait until the back end is in InitWait
 *	connect		read the back end's features, allocate rings, grants, event channels
 *	publish		write keys for the back end, inside a transaction; may be called again
 *			when the transaction has to be repeated
 *	   -> our state Initialised (Connected if the driver says .early)
 *	   -> wait until the back end is Connected; our state Connected
 *	connected	start I/O
 *	changed		the back end wrote Connected again (e.g. a disk was resized)
 *	closing		stop I/O: either side wants to close
 *	   or
 *	hold		stop I/O, but keep it: the back end has gone and is expected back
 *	   -> our state Closing, wait for the back end; Closed, wait for it to unmap (5 s each)
 *	disconnect	release what connect allocated
 *	drop		after hold, if no connection follows: end what was kept
 *	remove		release what probe allocated
 *
 * connect and disconnect come in pairs, whatever the peer does; closing or hold comes before
 * disconnect if and only if connected was called. After disconnect the device may connect again
 * when the back end returns to InitWait; one that is held asks it to. A back end is expected back
 * while its key "online" is 1. Rings and event channels that a driver forgot are released after
 * disconnect.
 *
 * A callback that returns -errno makes the kit report the error in XenStore and in the log, and
 * close the device. It is not tried again until the driver is bound again. A driver that can say
 * what is wrong does so with paravane_front_fail() first, and that is the one line in the log; as
 * do the functions below that allocate something.
 */
#ifndef PARAVANE_LINUX_FRONT_H
#define PARAVANE_LINUX_FRONT_H

#include <linux/device.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "guest/linux/evtchn.h"
#include "guest/linux/gnttab.h"
#include "guest/linux/xen.h"
#include "guest/linux/xs.h"
#include "ring/ring.h"

/* A ring has at most this many pages. */
#define PARAVANE_RING_MAX_PAGES 16

struct paravane_front_core;

/**
 * struct paravane_front_dev - a paravirtual device, one per device/<type>/<id> in XenStore
 * @dev: device on the bus "paravane"; dev_set_drvdata() is the driver's
 * @type: device type, e.g. "vbd"
 * @id: device id, the last part of its path
 * @path: our directory, e.g. "device/vbd/51712"
 * @peer_path: the back end's directory; valid from probe to remove. Like @peer another after the
 *	machine has moved, from disconnect on
 * @peer: domain of the back end
 * @core: the kit's private part
 * @astray: the machine has moved, and the store has not said where the back end is now
 */
struct paravane_front_dev {
	struct device dev;
	const char *type;
	unsigned int id;
	const char *path;
	const char *peer_path;
	domid_t peer;
	struct paravane_front_core *core;
	bool astray;
};

#define to_paravane_front_dev(d) container_of(d, struct paravane_front_dev, dev)

/**
 * struct paravane_front_driver - a front-end driver
 * @type: device type it serves; also the driver's name
 * @early: go from InitWait directly to Connected, as network front ends do
 * @probe: see the top of this file; optional. -ENODEV if the device is not to be used, and the log
 *	says why
 * @connect: mandatory
 * @publish: mandatory; writes with paravane_front_publish*()
 * @connected: mandatory
 * @changed: optional
 * @closing: mandatory. May return -EBUSY when the back end asked for the close while the device
 *	is in use: nothing happens then until the driver calls paravane_front_close(). On driver
 *	removal and after an error @force is true and the result is ignored.
 * @hold: optional; without it closing is called. May wait @patience jiffies for what the back end
 *	has been asked for already, 0 if it is not there to answer. connected comes next if the
 *	connection lasts after all
 * @disconnect: mandatory
 * @drop: mandatory with @hold
 * @remove: optional
 * @driver: device driver; .dev_groups may be set by the owner, the rest belongs to the kit
 */
struct paravane_front_driver {
	const char *type;
	bool early;
	int (*probe)(struct paravane_front_dev *dev);
	int (*connect)(struct paravane_front_dev *dev);
	int (*publish)(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx);
	int (*connected)(struct paravane_front_dev *dev);
	void (*changed)(struct paravane_front_dev *dev);
	int (*closing)(struct paravane_front_dev *dev, bool force);
	void (*hold)(struct paravane_front_dev *dev, long patience);
	void (*disconnect)(struct paravane_front_dev *dev);
	void (*drop)(struct paravane_front_dev *dev);
	void (*remove)(struct paravane_front_dev *dev);
	struct device_driver driver;
};

/**
 * paravane_front_register() - register a front-end driver
 * @drv: driver, must stay valid until unregistered
 *
 * Return: 0 or -errno; -ENODEV if this machine has no Xen interface.
 */
#define paravane_front_register(drv) __paravane_front_register(drv, THIS_MODULE, KBUILD_MODNAME)

int __paravane_front_register(struct paravane_front_driver *drv, struct module *owner,
			      const char *mod_name);

/**
 * paravane_front_unregister() - unregister a driver; all its devices are closed and removed first
 * @drv: driver
 */
void paravane_front_unregister(struct paravane_front_driver *drv);

/* module_init and module_exit of a module that is nothing but one front-end driver. */
#define module_paravane_front_driver(drv) \
	module_driver(drv, paravane_front_register, paravane_front_unregister)

/* Alias under which udev loads the module of a device type. */
#define MODULE_ALIAS_PARAVANE(type) MODULE_ALIAS("paravane:" type)

/**
 * struct paravane_front_ring - shared ring memory
 * @vaddr: its memory, virtually contiguous; NULL when not allocated
 * @pages: number of pages
 * @refs: one reference per page
 * @list: private
 */
struct paravane_front_ring {
	void *vaddr;
	unsigned int pages;
	grant_ref_t refs[PARAVANE_RING_MAX_PAGES];
	struct list_head list;
};

/**
 * paravane_front_ring_alloc() - make an empty ring and grant its memory to the back end
 * @dev: device
 * @ring: filled in; must stay valid until freed or until disconnect returned
 * @pages: 1 .. PARAVANE_RING_MAX_PAGES, a power of two
 * @front: filled in: our end of the ring; NULL for shared memory that is no such ring and only
 *	zeroed
 * @format: sizes, from RING_FORMAT(); unused without @front
 *
 * From connect. The back end never sees the memory before the ring is made, and may write to it
 * from now on.
 *
 * Return: 0 or -errno.
 */
int paravane_front_ring_alloc(struct paravane_front_dev *dev, struct paravane_front_ring *ring,
			      unsigned int pages, struct ring_front *front,
			      struct ring_format format);

/**
 * paravane_front_ring_free() - revoke and free ring memory
 * @dev: device
 * @ring: ring, may be zeroed or already free
 *
 * Pages the back end still maps are kept from being reused, and fail the device.
 */
void paravane_front_ring_free(struct paravane_front_dev *dev, struct paravane_front_ring *ring);

/**
 * paravane_front_kept() - a grant of a connection that is over had to be deferred
 * @dev: device
 *
 * Any context. Fails the device: with each new connection the back end could keep more references,
 * until there are none for anybody.
 */
void paravane_front_kept(struct paravane_front_dev *dev);

/**
 * paravane_front_pool_init() - reserve grant references for the requests of a device
 * @dev: device
 * @pool: pool, to be given back with paravane_grant_pool_exit()
 * @size: number of references
 *
 * From connect.
 *
 * Return: 0 or -errno.
 */
int paravane_front_pool_init(struct paravane_front_dev *dev, struct paravane_grant_pool *pool,
			     unsigned int size);

/**
 * paravane_front_evtchn_alloc() - allocate an event channel to the back end
 * @dev: device
 * @cpu: CPU that receives the events
 * @fn: handler, see paravane_evtchn_fn; live at once
 * @data: passed to @fn
 *
 * From connect. Notify with paravane_evtchn_notify().
 *
 * Return: the channel or an ERR_PTR.
 */
struct paravane_evtchn *paravane_front_evtchn_alloc(struct paravane_front_dev *dev,
						    unsigned int cpu, paravane_evtchn_fn fn,
						    void *data);

/**
 * paravane_front_evtchn_free() - close an event channel; the handler is finished afterwards
 * @dev: device
 * @ch: channel or NULL
 */
void paravane_front_evtchn_free(struct paravane_front_dev *dev, struct paravane_evtchn *ch);

/**
 * paravane_front_publish() - write one key of ours
 * @dev: device
 * @tx: the transaction given to the publish callback, or &paravane_xs_no_tx
 * @key: key below our directory; may contain slashes ("queue-0/ring-ref")
 * @fmt: value
 *
 * Return: 0 or -errno.
 */
__printf(4, 5) int paravane_front_publish(struct paravane_front_dev *dev,
					  const struct paravane_xs_tx *tx, const char *key,
					  const char *fmt, ...);

/**
 * paravane_front_publish_ring() - write the references of a ring
 * @dev: device
 * @tx: transaction
 * @key: key, e.g. "ring-ref" or "queue-1/tx-ring-ref"; a ring of several pages is written as
 *	<key>0, <key>1, ...
 * @ring: ring
 *
 * Return: 0 or -errno.
 */
int paravane_front_publish_ring(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx,
				const char *key, const struct paravane_front_ring *ring);

/**
 * paravane_front_publish_evtchn() - write the port of an event channel
 * @dev: device
 * @tx: transaction
 * @key: key, e.g. "event-channel"
 * @ch: channel
 *
 * Return: 0 or -errno.
 */
int paravane_front_publish_evtchn(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx,
				  const char *key, const struct paravane_evtchn *ch);

/**
 * paravane_front_read() - read a key of ours as a string
 * @dev: device
 * @key: key
 *
 * Return: the value, to be kfree()d, or an ERR_PTR.
 */
char *paravane_front_read(struct paravane_front_dev *dev, const char *key);

/**
 * paravane_front_read_u64() - read a key of ours as a number
 * @dev: device
 * @key: key
 * @def: result if the key is missing or not a number
 */
u64 paravane_front_read_u64(struct paravane_front_dev *dev, const char *key, u64 def);

/**
 * paravane_front_peer_read() - read a key of the back end as a string
 * @dev: device
 * @key: key
 *
 * Return: the value, to be kfree()d, or an ERR_PTR.
 */
char *paravane_front_peer_read(struct paravane_front_dev *dev, const char *key);

/**
 * paravane_front_peer_read_u64() - read a key of the back end as a number
 * @dev: device
 * @key: key, e.g. "feature-flush-cache"
 * @def: result if the key is missing or not a number
 *
 * The value is the peer's: bound it before use.
 */
u64 paravane_front_peer_read_u64(struct paravane_front_dev *dev, const char *key, u64 def);

/**
 * paravane_front_peer_state() - read the state of the back end
 * @dev: device
 * @known: result if the store does not say, which is no sign of a back end that has gone
 *
 * Return: XenbusState*; XenbusStateUnknown if there is none.
 */
unsigned int paravane_front_peer_state(struct paravane_front_dev *dev, unsigned int known);

/**
 * paravane_front_fail() - give a device up because of an error
 * @dev: device
 * @err: -errno
 * @fmt: what went wrong, without newline
 *
 * Any context. Writes the message to the log and to error/<path>/error in XenStore, then closes
 * the device: closing (forced) and disconnect follow in process context. The first call wins.
 */
__printf(3, 4) void paravane_front_fail(struct paravane_front_dev *dev, int err, const char *fmt,
					...);

/**
 * paravane_front_close() - go on with a close that the closing callback put off with -EBUSY
 * @dev: device
 *
 * Any context.
 */
void paravane_front_close(struct paravane_front_dev *dev);

/**
 * paravane_front_is_dead() - has the device failed?
 * @dev: device
 *
 * Any context. For I/O paths that want to answer with an error at once.
 */
bool paravane_front_is_dead(const struct paravane_front_dev *dev);

/**
 * paravane_front_is_lost() - is the connection that ends one of a domain that was left?
 * @dev: device
 *
 * For disconnect. What a peer wrote while that domain was saved may be here in parts: an answer in
 * a ring is no sign that what it answers for is here as well.
 */
bool paravane_front_is_lost(const struct paravane_front_dev *dev);

/**
 * paravane_front_is_closing() - is the device to go, whatever its back end wants?
 * @dev: device
 *
 * Any context. For work that would rather not be waited for then.
 */
bool paravane_front_is_closing(const struct paravane_front_dev *dev);

#endif /* PARAVANE_LINUX_FRONT_H */
