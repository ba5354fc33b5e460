// SPDX-License-Identifier: GPL-2.0-only
/*
 * The front-end kit: a driver is bound to a device, the machine restarts, stops or moves.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "guest/linux/front_core.h"
#include "guest/linux/internal.h"

/* How long the machine waits with its restart, for one device and for all together. */
#define SHUTDOWN_PATIENCE (5 * HZ)
#define SHUTDOWN_PATIENCE_ALL (15 * HZ)

static long shutdown_left = SHUTDOWN_PATIENCE_ALL;

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
	core->watch.fn = paravane_front_peer_event;
	core->dev = dev;
	core->since = jiffies;
	mutex_init(&core->lock);
	INIT_DELAYED_WORK(&core->work, paravane_front_work);
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
 * Return: 0; -ENODEV if the log says why not; another -errno, which the driver core puts there.
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
		dev_err(&dev->dev, "cannot watch the back end %s (%d)\n", dev->peer_path, err);
		err = -ENODEV;
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

static int begin_removal(struct device *dev, void *driver)
{
	device_lock(dev);
	if (dev->driver == driver && to_paravane_front_dev(dev)->core)
		front_begin_removal(to_paravane_front_dev(dev));
	device_unlock(dev);
	return 0;
}

void paravane_front_unregister(struct paravane_front_driver *drv)
{
	/* Each may have to wait for its back end: they all do so at the same time. */
	bus_for_each_dev(&paravane_bus, NULL, &drv->driver, begin_removal);
	driver_unregister(&drv->driver);
}
EXPORT_SYMBOL_GPL(paravane_front_unregister);

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
	paravane_front_hurry();
	front_begin_removal(dev);
	rest = wait_event_timeout(core->wait, front_is_closed(core), left);
	shutdown_left -= left - min(rest, left);
	if (!rest)
		dev_warn(&dev->dev, "not closed in time (phase \"%s\"), the back end may hold on\n",
			 paravane_front_state(dev));
	front_unwatch(core);
}

/**
 * paravane_front_suspend() - the machine is going to stop: start nothing, and end what can be
 * @dev: device, locked
 */
void paravane_front_suspend(struct paravane_front_dev *dev)
{
	struct paravane_front_core *core = dev->core;

	if (!core)
		return;
	mutex_lock(&core->lock);
	paravane_front_freeze(core);
	mutex_unlock(&core->lock);
}

/**
 * paravane_front_resume() - the machine goes on where it was
 * @dev: device, locked
 */
void paravane_front_resume(struct paravane_front_dev *dev)
{
	struct paravane_front_core *core = dev->core;

	if (!core)
		return;
	mutex_lock(&core->lock);
	paravane_front_thaw(core, false);
	mutex_unlock(&core->lock);
}

/**
 * paravane_front_moved() - the machine goes on in another domain: connect again
 * @dev: device, locked
 * @peer_path: where its back end is now; owned by the device from here on
 * @peer: domain of the back end
 *
 * Return: 0, or -ETIMEDOUT if the store does not take the watch in time: to be called again.
 */
int paravane_front_moved(struct paravane_front_dev *dev, const char *peer_path, domid_t peer)
{
	struct paravane_front_core *core = dev->core;
	const char *path = core ? kasprintf(GFP_KERNEL, "%s/state", peer_path) : NULL;
	int err = 0;

	if (core) {
		front_unwatch(core);
		mutex_lock(&core->lock);
	}
	kfree(dev->peer_path);
	dev->peer_path = peer_path;
	dev->peer = peer;
	if (!core)
		return 0;
	paravane_front_thaw(core, true);
	mutex_unlock(&core->lock);
	if (path) {
		kfree(core->watch.path);
		core->watch.path = path;
		err = paravane_xs_watch_register(&core->watch);
	}
	if (err == -ETIMEDOUT)
		return err;
	if (err || !path)
		paravane_front_fail(dev, err ?: -ENOMEM, "cannot watch the back end");
	else
		clear_bit(CORE_UNWATCHED, &core->flags);
	return 0;
}
