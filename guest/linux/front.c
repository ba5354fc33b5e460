// SPDX-License-Identifier: GPL-2.0-only
/*
 * The front-end kit: runs the state machine of <paravane/front.h> for each device and calls its
 * driver. What a driver uses meanwhile (rings, channels, keys) is in front_io.c.
 */
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "guest/linux/front_core.h"
#include "guest/linux/internal.h"
#include "guest/linux/trace.h"

/* How long a peer may take to follow us to Closing, and to Closed; less when time presses. */
#define PEER_PATIENCE (5 * HZ)
#define PEER_PATIENCE_SHUTDOWN (2 * HZ)

/* How long the machine waits with its restart, for one device and for all together. */
#define SHUTDOWN_PATIENCE (5 * HZ)
#define SHUTDOWN_PATIENCE_ALL (15 * HZ)

static unsigned int connect_warn = 10;
module_param(connect_warn, uint, 0644);
MODULE_PARM_DESC(connect_warn,
		 "Seconds without an answer from a back end before the log says so (default 10)");

static struct workqueue_struct *front_wq;
static unsigned long peer_patience = PEER_PATIENCE;
static long shutdown_left = SHUTDOWN_PATIENCE_ALL;

static const char *const phase_names[PARAVANE_FRONT_PHASES] = {
	[PARAVANE_FRONT_RESET] = "reset",
	[PARAVANE_FRONT_RESET_CLOSING] = "reset-closing",
	[PARAVANE_FRONT_RESET_CLOSED] = "reset-closed",
	[PARAVANE_FRONT_WAIT] = "wait",
	[PARAVANE_FRONT_PUBLISHED] = "published",
	[PARAVANE_FRONT_CONNECTED] = "connected",
	[PARAVANE_FRONT_CLOSING] = "closing",
	[PARAVANE_FRONT_CLOSED_WAIT] = "closed-wait",
	[PARAVANE_FRONT_CLOSED] = "closed",
};

static const char *const state_names[PARAVANE_XENBUS_STATES] = {
	[XenbusStateUnknown] = "missing",
	[XenbusStateInitialising] = "Initialising",
	[XenbusStateInitWait] = "InitWait",
	[XenbusStateInitialised] = "Initialised",
	[XenbusStateConnected] = "Connected",
	[XenbusStateClosing] = "Closing",
	[XenbusStateClosed] = "Closed",
	[XenbusStateReconfiguring] = "Reconfiguring",
	[XenbusStateReconfigured] = "Reconfigured",
};

static struct paravane_front_driver *to_driver(const struct paravane_front_dev *dev)
{
	return container_of(dev->dev.driver, struct paravane_front_driver, driver);
}

/**
 * paravane_front_state() - a word for where a device is
 * @dev: device
 */
const char *paravane_front_state(struct paravane_front_dev *dev)
{
	struct paravane_front_core *core = dev->core;

	return core ? phase_names[READ_ONCE(core->phase)] : "unbound";
}

static void front_kick(struct paravane_front_core *core)
{
	mod_delayed_work(front_wq, &core->work, 0);
}

void paravane_front_fail(struct paravane_front_dev *dev, int err, const char *fmt, ...)
{
	struct paravane_front_core *core = dev->core;
	va_list ap;

	if (test_and_set_bit(CORE_DEAD, &core->flags))
		return;
	va_start(ap, fmt);
	vsnprintf(core->message, sizeof(core->message), fmt, ap);
	va_end(ap);
	core->error = err;
	dev_err(&dev->dev, "%s (%d)\n", core->message, err);
	/* Release: the worker reads the message after it has seen the flag. */
	smp_mb__before_atomic();
	set_bit(CORE_REPORT, &core->flags);
	front_kick(core);
}
EXPORT_SYMBOL_GPL(paravane_front_fail);

void paravane_front_close(struct paravane_front_dev *dev)
{
	set_bit(CORE_CLOSE, &dev->core->flags);
	front_kick(dev->core);
}
EXPORT_SYMBOL_GPL(paravane_front_close);

bool paravane_front_is_dead(const struct paravane_front_dev *dev)
{
	return test_bit(CORE_DEAD, &dev->core->flags);
}
EXPORT_SYMBOL_GPL(paravane_front_is_dead);

/* Tell the toolstack what paravane_front_fail() was called for. */
static void front_report(struct paravane_front_core *core)
{
	struct paravane_front_dev *dev = core->dev;
	char *dir = kasprintf(GFP_KERNEL, "error/%s", dev->path);

	if (dir && paravane_xs_write(&paravane_xs_no_tx, dir, "error", "%d %s", core->error,
				     core->message))
		dev_warn(&dev->dev, "cannot report the error in XenStore\n");
	kfree(dir);
}

/* Write our state, but do not bring back the node of a device that has been removed. */
static int front_write_state(const struct paravane_xs_tx *tx, void *data)
{
	struct paravane_front_core *core = data;
	char *old = paravane_xs_read(tx, core->dev->path, "state", NULL);

	if (IS_ERR(old))
		return PTR_ERR(old);
	kfree(old);
	return paravane_xs_write(tx, core->dev->path, "state", "%d", core->state);
}

static void front_switch(struct paravane_front_core *core, enum xenbus_state state)
{
	int err;

	core->state = state;
	err = paravane_xs_tx_run(front_write_state, core);
	if (err && err != -ENOENT)
		dev_warn(&core->dev->dev, "cannot write state %d (%d)\n", state, err);
}

static int front_publish(const struct paravane_xs_tx *tx, void *data)
{
	struct paravane_front_dev *dev = data;

	return to_driver(dev)->publish(dev, tx);
}

/* Actions: each returns 0, -EBUSY to stay where we are, or another -errno that fails the device. */

static int do_abandon(struct paravane_front_core *core)
{
	front_switch(core, XenbusStateClosing);
	return 0;
}

static int do_closed(struct paravane_front_core *core)
{
	front_switch(core, XenbusStateClosed);
	return 0;
}

static int do_start(struct paravane_front_core *core)
{
	front_switch(core, XenbusStateInitialising);
	return 0;
}

static int do_connect(struct paravane_front_core *core)
{
	struct paravane_front_driver *drv = to_driver(core->dev);
	int err = drv->connect(core->dev);

	if (!err) {
		err = paravane_xs_tx_run(front_publish, core->dev);
		if (err)
			drv->disconnect(core->dev);
	}
	if (err) {
		paravane_front_release(core);
		return err == -EBUSY ? -EIO : err;
	}
	front_switch(core, drv->early ? XenbusStateConnected : XenbusStateInitialised);
	return 0;
}

static int do_complete(struct paravane_front_core *core)
{
	struct paravane_front_driver *drv = to_driver(core->dev);
	int err;

	clear_bit(CORE_EVENT, &core->flags);
	if (!drv->early)
		front_switch(core, XenbusStateConnected);
	/* Whatever connected answers, closing has to be called. */
	core->phase = PARAVANE_FRONT_CONNECTED;
	err = drv->connected(core->dev);
	return err == -EBUSY ? -EIO : err;
}

static int do_changed(struct paravane_front_core *core)
{
	struct paravane_front_driver *drv = to_driver(core->dev);

	/* The table says so for as long as the peer is Connected; act once for each event. */
	if (!test_and_clear_bit(CORE_EVENT, &core->flags))
		return -EBUSY;
	if (drv->changed)
		drv->changed(core->dev);
	return -EBUSY;
}

/* Removal counts by itself: CORE_CLOSE is cleared when an earlier close ends. */
static bool front_closing(const struct paravane_front_core *core)
{
	return READ_ONCE(core->flags) & (BIT(CORE_CLOSE) | BIT(CORE_DEAD) | BIT(CORE_REMOVE));
}

static int do_close(struct paravane_front_core *core)
{
	bool force = front_closing(core);
	struct paravane_front_driver *drv = to_driver(core->dev);

	if (core->phase == PARAVANE_FRONT_CONNECTED && drv->closing(core->dev, force) == -EBUSY &&
	    !force)
		return -EBUSY;
	front_switch(core, XenbusStateClosing);
	return 0;
}

static int do_disconnect(struct paravane_front_core *core)
{
	to_driver(core->dev)->disconnect(core->dev);
	paravane_front_release(core);
	return 0;
}

static int (*const actions[PARAVANE_FRONT_ACTIONS])(struct paravane_front_core *core) = {
	[PARAVANE_FRONT_ABANDON] = do_abandon,	     [PARAVANE_FRONT_ABANDONED] = do_closed,
	[PARAVANE_FRONT_START] = do_start,	     [PARAVANE_FRONT_CONNECT] = do_connect,
	[PARAVANE_FRONT_COMPLETE] = do_complete,     [PARAVANE_FRONT_CHANGED] = do_changed,
	[PARAVANE_FRONT_CLOSE] = do_close,	     [PARAVANE_FRONT_CLOSE_NOW] = do_closed,
	[PARAVANE_FRONT_DISCONNECT] = do_disconnect, [PARAVANE_FRONT_STOP] = do_closed,
};

/* The peer's state; one that cannot be read stays what it was. */
static unsigned int front_peer_state(struct paravane_front_core *core)
{
	u64 state;
	int err = paravane_xs_read_u64(&paravane_xs_no_tx, core->dev->peer_path, "state", &state);

	if (!err && state < PARAVANE_XENBUS_STATES)
		core->peer_state = state;
	else if (!err || err == -ENOENT || err == -EINVAL || err == -EACCES)
		core->peer_state = XenbusStateUnknown;
	return core->peer_state;
}

static enum paravane_front_action front_decide(struct paravane_front_core *core)
{
	bool closing = front_closing(core);
	enum paravane_front_phase phase = core->phase;
	enum paravane_front_action action;
	unsigned int peer;

	if (closing) {
		action = paravane_front_request_close(phase);
		if (action != PARAVANE_FRONT_NONE || phase == PARAVANE_FRONT_CLOSED)
			return action;
	}
	peer = front_peer_state(core);
	action = paravane_front_step(phase, peer);
	if (action == PARAVANE_FRONT_NONE &&
	    time_after_eq(jiffies, core->since + READ_ONCE(peer_patience)))
		action = paravane_front_timeout(phase);
	return action;
}

static void front_enter(struct paravane_front_core *core, enum paravane_front_phase phase)
{
	if (core->phase != phase) {
		core->since = jiffies;
		core->told = false;
	}
	WRITE_ONCE(core->phase, phase);
	/* A close that the driver asked for is done; removal and errors are for good. */
	if (phase == PARAVANE_FRONT_CLOSED && !test_bit(CORE_REMOVE, &core->flags))
		clear_bit(CORE_CLOSE, &core->flags);
}

/* One step; false when there is nothing to do before the next event. */
static bool front_advance(struct paravane_front_core *core)
{
	enum paravane_front_action action;
	int err;

	if (test_and_clear_bit(CORE_REPORT, &core->flags))
		front_report(core);
	action = front_decide(core);
	if (action == PARAVANE_FRONT_NONE)
		return false;
	trace_paravane_xenbus(&core->dev->dev, core->phase, core->peer_state, action);
	err = actions[action](core);
	if (err == -EBUSY)
		return false;
	if (err) {
		paravane_front_fail(core->dev, err, "cannot connect");
		return true;
	}
	front_enter(core, paravane_front_next(core->phase, action));
	return true;
}

/* The peer has kept us waiting: say so, once for each phase. */
static void front_complain(struct paravane_front_core *core)
{
	core->told = true;
	dev_warn(&core->dev->dev,
		 "no answer from the back end %s for %u s: it is %s, we are in phase \"%s\"\n",
		 core->dev->peer_path, connect_warn, state_names[core->peer_state],
		 phase_names[core->phase]);
}

/* Have the worker look again when patience with the peer ends. */
static void front_set_deadline(struct paravane_front_core *core)
{
	unsigned long deadline = core->since;

	if (paravane_front_timeout(core->phase) != PARAVANE_FRONT_NONE) {
		deadline += READ_ONCE(peer_patience);
	} else if (paravane_front_is_waiting(core->phase) && !core->told) {
		deadline += (unsigned long)connect_warn * HZ;
		if (time_after_eq(jiffies, deadline)) {
			front_complain(core);
			return;
		}
	} else {
		return;
	}
	queue_delayed_work(front_wq, &core->work,
			   time_after(deadline, jiffies) ? deadline - jiffies : 0);
}

static void front_work(struct work_struct *work)
{
	struct paravane_front_core *core =
		container_of(work, struct paravane_front_core, work.work);

	mutex_lock(&core->lock);
	while (front_advance(core))
		;
	front_set_deadline(core);
	mutex_unlock(&core->lock);
	wake_up_all(&core->wait);
}

static void front_peer_event(struct paravane_xs_watch *watch, const char *path)
{
	struct paravane_front_core *core = container_of(watch, struct paravane_front_core, watch);

	set_bit(CORE_EVENT, &core->flags);
	front_kick(core);
}

static struct paravane_front_core *core_new(struct paravane_front_dev *dev)
{
	struct paravane_front_core *core = kzalloc(sizeof(*core), GFP_KERNEL);

	if (!core)
		return NULL;
	core->watch.path = kasprintf(GFP_KERNEL, "%s/state", dev->peer_path);
	if (!core->watch.path) {
		kfree(core);
		return NULL;
	}
	core->watch.fn = front_peer_event;
	core->dev = dev;
	core->since = jiffies;
	mutex_init(&core->lock);
	INIT_DELAYED_WORK(&core->work, front_work);
	init_waitqueue_head(&core->wait);
	INIT_LIST_HEAD(&core->rings);
	INIT_LIST_HEAD(&core->channels);
	return core;
}

static void core_free(struct paravane_front_core *core)
{
	kfree(core->watch.path);
	kfree(core);
}

static void front_begin_removal(struct paravane_front_dev *dev)
{
	set_bit(CORE_REMOVE, &dev->core->flags);
	paravane_front_close(dev);
}

static bool front_is_closed(const struct paravane_front_core *core)
{
	return READ_ONCE(core->phase) == PARAVANE_FRONT_CLOSED;
}

static void front_unwatch(struct paravane_front_core *core)
{
	if (!test_and_set_bit(CORE_UNWATCHED, &core->flags))
		paravane_xs_watch_unregister(&core->watch);
}

/* Every step of a close has a limit, so this ends whatever the peer does. */
static void front_close_for_good(struct paravane_front_dev *dev)
{
	front_begin_removal(dev);
	wait_event(dev->core->wait, front_is_closed(dev->core));
}

/**
 * paravane_front_probe() - a driver is bound to a device
 * @dev: device
 *
 * Return: 0 or -errno.
 */
int paravane_front_probe(struct paravane_front_dev *dev)
{
	struct paravane_front_driver *drv = to_driver(dev);
	struct paravane_front_core *core = core_new(dev);
	int err = 0;

	if (!core)
		return -ENOMEM;
	dev->core = core;
	if (drv->probe)
		err = drv->probe(dev);
	if (err)
		goto free;
	err = paravane_xs_watch_register(&core->watch);
	if (err) {
		dev_err(&dev->dev, "cannot watch the back end (%d)\n", err);
		goto remove;
	}
	return 0;

remove:
	/* The first event may have come before the error: the device may be connected. */
	front_close_for_good(dev);
	cancel_delayed_work_sync(&core->work);
	if (drv->remove)
		drv->remove(dev);
free:
	dev->core = NULL;
	core_free(core);
	return err;
}

/**
 * paravane_front_remove() - a driver is unbound from a device
 * @dev: device
 *
 * Closes first.
 */
void paravane_front_remove(struct paravane_front_dev *dev)
{
	struct paravane_front_driver *drv = to_driver(dev);
	struct paravane_front_core *core = dev->core;

	front_close_for_good(dev);
	front_unwatch(core);
	cancel_delayed_work_sync(&core->work);
	if (drv->remove)
		drv->remove(dev);
	dev->core = NULL;
	core_free(core);
}

/**
 * paravane_front_shutdown() - the machine restarts, perhaps into another kernel: share nothing
 * @dev: device, locked
 *
 * Waits for the back end, but not for long: for 5 seconds, for 15 seconds with all devices
 * together. The driver stays bound, and the device closed.
 */
void paravane_front_shutdown(struct paravane_front_dev *dev)
{
	struct paravane_front_core *core = dev->core;
	long left = min_t(long, SHUTDOWN_PATIENCE, shutdown_left);
	long rest;

	if (!core)
		return;
	WRITE_ONCE(peer_patience, PEER_PATIENCE_SHUTDOWN);
	front_begin_removal(dev);
	rest = wait_event_timeout(core->wait, front_is_closed(core), left);
	shutdown_left -= left - min(rest, left);
	if (!rest)
		dev_warn(&dev->dev, "not closed in time (phase \"%s\"), the back end may hold on\n",
			 paravane_front_state(dev));
	front_unwatch(core);
}

int __paravane_front_register(struct paravane_front_driver *drv, struct module *owner,
			      const char *mod_name)
{
	if (!drv->connect || !drv->publish || !drv->connected || !drv->closing || !drv->disconnect)
		return -EINVAL;
	/* Built in, a driver comes to be registered even where there is no Xen interface. */
	if (!front_wq)
		return -ENODEV;
	drv->driver.name = drv->type;
	drv->driver.bus = &paravane_bus;
	drv->driver.owner = owner;
	drv->driver.mod_name = mod_name;
	return driver_register(&drv->driver);
}
EXPORT_SYMBOL_GPL(__paravane_front_register);

void paravane_front_unregister(struct paravane_front_driver *drv)
{
	driver_unregister(&drv->driver);
}
EXPORT_SYMBOL_GPL(paravane_front_unregister);

/**
 * paravane_front_init() - get ready for devices
 *
 * Return: 0 or -ENOMEM.
 */
int paravane_front_init(void)
{
	front_wq = alloc_workqueue("paravane", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return front_wq ? 0 : -ENOMEM;
}

/**
 * paravane_front_exit() - after all devices are gone
 */
void paravane_front_exit(void)
{
	destroy_workqueue(front_wq);
	front_wq = NULL;
}
