// SPDX-License-Identifier: GPL-2.0-only
/*
 * The front-end kit: runs the state machine of <paravane/front.h> for each device and calls its
 * driver. How a device gets there and away is in front_bind.c, what a driver uses meanwhile (rings,
 * channels, keys) in front_io.c.
 */
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "guest/linux/front_core.h"
#include "guest/linux/internal.h"
#include "guest/linux/trace.h"

/* How long a peer may take to follow us to Closing, and to Closed; less when time presses. */
#define PEER_PATIENCE (5 * HZ)
#define PEER_PATIENCE_SHUTDOWN (2 * HZ)

/* A connection of less than this is one that failed, and so many in a row are enough. */
#define SHORT_CONNECTION (10 * HZ)
#define SHORT_CONNECTIONS_MAX 10

/* How long I/O under way may take to end when the machine is suspended. */
#define FREEZE_PATIENCE (5 * HZ)

static unsigned int connect_warn = 10;
module_param(connect_warn, uint, 0644);
MODULE_PARM_DESC(connect_warn,
		 "Seconds without an answer from a back end before the log says so (default 10)");

static struct workqueue_struct *front_wq;
static unsigned long peer_patience = PEER_PATIENCE;

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
	[XenbusStateUnknown] = "missing or in no known state",
	[XenbusStateInitialising] = "Initialising",
	[XenbusStateInitWait] = "InitWait",
	[XenbusStateInitialised] = "Initialised",
	[XenbusStateConnected] = "Connected",
	[XenbusStateClosing] = "Closing",
	[XenbusStateClosed] = "Closed",
	[XenbusStateReconfiguring] = "Reconfiguring",
	[XenbusStateReconfigured] = "Reconfigured",
};

/**
 * paravane_front_state() - a word for where a device is
 * @dev: device
 */
const char *paravane_front_state(struct paravane_front_dev *dev)
{
	struct paravane_front_core *core = dev->core;

	return core ? phase_names[READ_ONCE(core->phase)] : "unbound";
}

/**
 * paravane_front_kick() - have the worker look at a device
 * @core: device
 *
 * Any context.
 */
void paravane_front_kick(struct paravane_front_core *core)
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
	paravane_front_kick(core);
}
EXPORT_SYMBOL_GPL(paravane_front_fail);

void paravane_front_close(struct paravane_front_dev *dev)
{
	set_bit(CORE_CLOSE, &dev->core->flags);
	paravane_front_kick(dev->core);
}
EXPORT_SYMBOL_GPL(paravane_front_close);

bool paravane_front_is_dead(const struct paravane_front_dev *dev)
{
	return test_bit(CORE_DEAD, &dev->core->flags);
}
EXPORT_SYMBOL_GPL(paravane_front_is_dead);

bool paravane_front_is_lost(const struct paravane_front_dev *dev)
{
	return dev->core->lost;
}
EXPORT_SYMBOL_GPL(paravane_front_is_lost);

/* Removal counts by itself: CORE_CLOSE is cleared when an earlier close ends. */
static bool front_closing(const struct paravane_front_core *core)
{
	return READ_ONCE(core->flags) & (BIT(CORE_CLOSE) | BIT(CORE_DEAD) | BIT(CORE_REMOVE));
}

bool paravane_front_is_closing(const struct paravane_front_dev *dev)
{
	return front_closing(dev->core);
}
EXPORT_SYMBOL_GPL(paravane_front_is_closing);

/* Tell the toolstack what paravane_front_fail() was called for. */
static void front_report(struct paravane_front_core *core)
{
	struct paravane_front_dev *dev = core->dev;
	char *dir = kasprintf(GFP_KERNEL, "error/%s", dev->path);

	/* Without it the log has to do. */
	if (dir)
		paravane_xs_write(&paravane_xs_no_tx, dir, "error", "%d %s", core->error,
				  core->message);
	kfree(dir);
}

/* Write our state, but do not bring back the node of a device that has been removed. */
static int front_write_state(const struct paravane_xs_tx *tx, void *data)
{
	struct paravane_front_core *core = data;
	char *dir = paravane_xs_read(tx, core->dev->path, "", NULL);

	if (IS_ERR(dir))
		return PTR_ERR(dir);
	kfree(dir);
	return paravane_xs_write(tx, core->dev->path, "state", "%d", core->state);
}

static void front_switch(struct paravane_front_core *core, enum xenbus_state state)
{
	int err;

	core->state = state;
	err = paravane_xs_tx_run(front_write_state, core);
	if (err && err != -ENOENT && !paravane_xs_is_silent())
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
		if (err) {
			paravane_front_fail(core->dev, err, "cannot write its keys to XenStore");
			drv->disconnect(core->dev);
		}
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
	core->held = false;
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

/*
 * Will there be another connection? Toolstacks that take a device away say so in "online" before
 * they have the back end close; one that is restarted leaves it alone.
 */
static bool front_expects_peer(struct paravane_front_core *core)
{
	u64 online;
	int err;

	if (front_closing(core) || core->peer_state == XenbusStateUnknown)
		return false;
	err = paravane_xs_read_u64(&paravane_xs_no_tx, core->dev->peer_path, "online", &online);
	/* A store that is slow has not said that the device is taken away. */
	return err ? err == -ETIMEDOUT : online == 1;
}

static void front_hold(struct paravane_front_core *core, long patience)
{
	struct paravane_front_driver *drv = to_driver(core->dev);

	if (!core->held && drv->hold)
		drv->hold(core->dev, patience);
	else if (!core->held)
		drv->closing(core->dev, true);
	core->held = true;
}

/* No connection follows. */
static void front_drop(struct paravane_front_core *core)
{
	if (core->held && to_driver(core->dev)->drop)
		to_driver(core->dev)->drop(core->dev);
	core->held = false;
}

/* End I/O for the connection there is: 0, or -EBUSY if the driver wants to put it off. */
static int front_end_io(struct paravane_front_core *core)
{
	bool force = front_closing(core);

	if (front_expects_peer(core)) {
		dev_info(&core->dev->dev, "the back end has gone, waiting for its return\n");
		if (time_after(jiffies, core->since + SHORT_CONNECTION))
			core->short_ones = 0;
		front_hold(core, 0);
		return 0;
	}
	if (to_driver(core->dev)->closing(core->dev, force) == -EBUSY && !force)
		return -EBUSY;
	core->held = false;
	return 0;
}

static int do_close(struct paravane_front_core *core)
{
	int err = core->phase == PARAVANE_FRONT_CONNECTED ? front_end_io(core) : 0;

	if (!err)
		front_switch(core, XenbusStateClosing);
	return err;
}

static int do_disconnect(struct paravane_front_core *core)
{
	/* One that has not even followed us to Closed will not do so now. */
	if (!core->lost &&
	    paravane_front_step(core->phase, core->peer_state) != PARAVANE_FRONT_NONE)
		paravane_front_await_unmapping(core, READ_ONCE(peer_patience));
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

static enum paravane_front_action front_decide(struct paravane_front_core *core)
{
	bool closing = front_closing(core);
	enum paravane_front_phase phase = core->phase;
	enum paravane_front_action action;

	if (closing) {
		action = paravane_front_request_close(phase);
		if (action != PARAVANE_FRONT_NONE || phase == PARAVANE_FRONT_CLOSED)
			return action;
	}
	core->peer_state = paravane_front_peer_state(core->dev, core->peer_state);
	action = paravane_front_step(phase, core->peer_state);
	/* Nothing can be seen through a silent store, however long one waits. */
	if (action == PARAVANE_FRONT_NONE &&
	    (paravane_xs_is_silent() ||
	     time_after_eq(jiffies, core->since + READ_ONCE(peer_patience))))
		action = paravane_front_timeout(phase);
	return action;
}

/* Where an action leads: a device that is held and may connect again does not rest. */
static enum paravane_front_phase front_next(struct paravane_front_core *core,
					    enum paravane_front_action action)
{
	enum paravane_front_phase next = paravane_front_next(core->phase, action);

	if (next != PARAVANE_FRONT_CLOSED || !core->held || !front_expects_peer(core))
		return next;
	if (++core->short_ones > SHORT_CONNECTIONS_MAX) {
		paravane_front_fail(core->dev, -EIO, "the back end goes again and again");
		return next;
	}
	return PARAVANE_FRONT_RESET_CLOSED;
}

static void front_enter(struct paravane_front_core *core, enum paravane_front_phase phase)
{
	if (core->phase != phase) {
		core->since = jiffies;
		core->told = false;
	}
	if (phase == PARAVANE_FRONT_CLOSED)
		front_drop(core);
	WRITE_ONCE(core->phase, phase);
	/* A close that the driver asked for is done; removal and errors are for good. */
	if (phase == PARAVANE_FRONT_CLOSED && !test_bit(CORE_REMOVE, &core->flags))
		clear_bit(CORE_CLOSE, &core->flags);
}

/* One that goes before anything has worked, or without a word, has not just been detached. */
static void front_remark(struct paravane_front_core *core, enum paravane_front_action action)
{
	bool early = core->phase == PARAVANE_FRONT_WAIT || core->phase == PARAVANE_FRONT_PUBLISHED;

	if (front_closing(core) ||
	    (action != PARAVANE_FRONT_CLOSE && action != PARAVANE_FRONT_STOP))
		return;
	if (core->peer_state == XenbusStateUnknown)
		dev_err_ratelimited(&core->dev->dev,
				    "the state of the back end %s is missing or none, closing\n",
				    core->dev->peer_path);
	else if (early && !core->held)
		dev_err_ratelimited(&core->dev->dev,
				    "the back end %s closes before it has connected\n",
				    core->dev->peer_path);
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
	front_remark(core, action);
	err = actions[action](core);
	if (err == -EBUSY)
		return false;
	if (err) {
		paravane_front_fail(core->dev, err, "cannot connect to %s", core->dev->peer_path);
		return true;
	}
	front_enter(core, front_next(core, action));
	return true;
}

/* The peer has kept us waiting: say so, once for each phase. */
static void front_complain(struct paravane_front_core *core)
{
	if (paravane_xs_is_silent())
		return;
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

/**
 * paravane_front_work() - go as far as possible
 * @work: that of a device
 */
void paravane_front_work(struct work_struct *work)
{
	struct paravane_front_core *core =
		container_of(work, struct paravane_front_core, work.work);
	/* The disk that memory is to be written to may be the one that has to connect again. */
	unsigned int noio = memalloc_noio_save();

	mutex_lock(&core->lock);
	while (!core->frozen && front_advance(core))
		;
	if (!core->frozen)
		front_set_deadline(core);
	mutex_unlock(&core->lock);
	memalloc_noio_restore(noio);
	wake_up_all(&core->wait);
}

/**
 * paravane_front_peer_event() - the peer's state was written
 * @watch: that of a device
 * @path: its path
 */
void paravane_front_peer_event(struct paravane_xs_watch *watch, const char *path)
{
	struct paravane_front_core *core = container_of(watch, struct paravane_front_core, watch);

	set_bit(CORE_EVENT, &core->flags);
	paravane_front_kick(core);
}

/**
 * paravane_front_hurry() - the machine restarts: give peers less time to close
 */
void paravane_front_hurry(void)
{
	WRITE_ONCE(peer_patience, PEER_PATIENCE_SHUTDOWN);
}

/**
 * paravane_front_freeze() - do nothing before paravane_front_thaw()
 * @core: device, its lock held
 */
void paravane_front_freeze(struct paravane_front_core *core)
{
	core->frozen = true;
	if (core->phase == PARAVANE_FRONT_CONNECTED && to_driver(core->dev)->hold &&
	    !front_closing(core))
		front_hold(core, FREEZE_PATIENCE);
}

/* Nothing is shared any more, and nobody has to be told. */
static void front_lose(struct paravane_front_core *core)
{
	switch (core->phase) {
	case PARAVANE_FRONT_CONNECTED:
		if (!front_closing(core))
			front_hold(core, 0);
		else if (!core->held)
			to_driver(core->dev)->closing(core->dev, true);
		fallthrough;
	case PARAVANE_FRONT_PUBLISHED:
	case PARAVANE_FRONT_CLOSING:
	case PARAVANE_FRONT_CLOSED_WAIT:
		core->lost = true;
		do_disconnect(core);
		core->lost = false;
		break;
	default:
		break;
	}
	core->peer_state = XenbusStateUnknown;
	front_enter(core, PARAVANE_FRONT_RESET);
}

/**
 * paravane_front_thaw() - go on after paravane_front_freeze()
 * @core: device, its lock held
 * @lost: the connection is gone, with all that was shared
 */
void paravane_front_thaw(struct paravane_front_core *core, bool lost)
{
	int err;

	core->frozen = false;
	if (lost) {
		front_lose(core);
	} else if (core->held && core->phase == PARAVANE_FRONT_CONNECTED) {
		core->held = false;
		err = to_driver(core->dev)->connected(core->dev);
		if (err)
			paravane_front_fail(core->dev, err, "cannot go on");
	}
	paravane_front_kick(core);
}

int __paravane_front_register(struct paravane_front_driver *drv, struct module *owner,
			      const char *mod_name)
{
	if (!drv->connect || !drv->publish || !drv->connected || !drv->closing ||
	    !drv->disconnect || !drv->hold != !drv->drop)
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
