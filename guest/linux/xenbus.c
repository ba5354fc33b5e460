// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus "paravane": a device for each device/<type>/<id> in XenStore.
 */
#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "guest/linux/compat/bus.h"
#include "guest/linux/front.h"
#include "guest/linux/internal.h"

#define DEVICE_DIR "device"

/* Devices we are willing to know, whatever the store claims. */
#define DEVICES_MAX 1024

/* How long a toolstack may take to complete a device before that is worth a line in the log. */
#define INCOMPLETE_PATIENCE (10 * HZ)

/* How often a store that was too slow is asked where the back ends are. */
#define ASTRAY_INTERVAL (5 * HZ)

/* Freezable: a device that is removed would wait for a machine that waits for it to be frozen. */
static void rescan(struct work_struct *work);
static DECLARE_DELAYED_WORK(rescan_work, rescan);

/**
 * struct odd - a directory that is no device, or not yet
 * @list: in odd_ones
 * @since: when it was first seen, in jiffies
 * @seen: in this scan as well
 * @told: the log has it
 * @path: its path
 */
struct odd {
	struct list_head list;
	unsigned long since;
	bool seen;
	bool told;
	char path[];
};

/* Of the rescan's only. */
static LIST_HEAD(odd_ones);

static void rescan_now(void)
{
	mod_delayed_work(system_freezable_wq, &rescan_work, 0);
}

/* Does not put off one that an event has asked for meanwhile. */
static void rescan_later(unsigned long delay)
{
	queue_delayed_work(system_freezable_wq, &rescan_work, delay);
}

static int bus_match(struct device *dev, compat_match_driver *drv)
{
	const struct paravane_front_driver *fd =
		container_of(drv, const struct paravane_front_driver, driver);

	return !strcmp(to_paravane_front_dev(dev)->type, fd->type);
}

static int bus_uevent(compat_uevent_device *dev, struct kobj_uevent_env *env)
{
	const struct paravane_front_dev *fdev =
		container_of(dev, const struct paravane_front_dev, dev);

	return add_uevent_var(env, "MODALIAS=paravane:%s", fdev->type);
}

static int bus_probe(struct device *dev)
{
	return paravane_front_probe(to_paravane_front_dev(dev));
}

static void bus_remove(struct device *dev)
{
	paravane_front_remove(to_paravane_front_dev(dev));
}

/* Who switches the machine off takes the device away as well; after a restart it is to be clean. */
static void bus_shutdown(struct device *dev)
{
	if (system_state == SYSTEM_RESTART)
		paravane_front_shutdown(to_paravane_front_dev(dev));
}

static ssize_t nodename_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_paravane_front_dev(dev)->path);
}
static DEVICE_ATTR_RO(nodename);

static ssize_t devtype_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_paravane_front_dev(dev)->type);
}
static DEVICE_ATTR_RO(devtype);

static ssize_t otherend_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	ssize_t ret;

	device_lock(dev);
	ret = sysfs_emit(buf, "%s\n", to_paravane_front_dev(dev)->peer_path);
	device_unlock(dev);
	return ret;
}
static DEVICE_ATTR_RO(otherend);

static ssize_t modalias_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "paravane:%s\n", to_paravane_front_dev(dev)->type);
}
static DEVICE_ATTR_RO(modalias);

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	ssize_t ret;

	device_lock(dev);
	ret = sysfs_emit(buf, "%s\n", paravane_front_state(to_paravane_front_dev(dev)));
	device_unlock(dev);
	return ret;
}
static DEVICE_ATTR_RO(state);

static struct attribute *device_attrs[] = {
	&dev_attr_nodename.attr, &dev_attr_devtype.attr, &dev_attr_otherend.attr,
	&dev_attr_modalias.attr, &dev_attr_state.attr,	 NULL,
};
ATTRIBUTE_GROUPS(device);

/* Read where the back end is; -ENOENT while the toolstack is not ready. *@key: the last one read */
static char *device_find_peer(struct paravane_front_dev *fdev, domid_t *peer, const char **key)
{
	char *path;
	u64 domid;
	int err;

	*key = "backend-id";
	err = paravane_xs_read_u64(&paravane_xs_no_tx, fdev->path, *key, &domid);
	if (!err && domid >= DOMID_FIRST_RESERVED)
		err = -EINVAL;
	if (err)
		return ERR_PTR(err);
	*peer = domid;
	*key = "backend";
	path = paravane_xs_read(&paravane_xs_no_tx, fdev->path, *key, NULL);
	if (IS_ERR(path) || *path == '/')
		return path;
	kfree(path);
	return ERR_PTR(-EINVAL);
}

static int bus_freeze(struct device *dev)
{
	if (!paravane_suspend_under_way()) {
		dev_err(dev, "cannot hibernate: its back end would be gone\n");
		return -EOPNOTSUPP;
	}
	paravane_front_suspend(to_paravane_front_dev(dev));
	return 0;
}

/* The machine is in another domain, and with it the device; again if the store was too slow. */
static int device_relocate(struct paravane_front_dev *fdev)
{
	domid_t peer = fdev->peer;
	const char *key;
	char *path = device_find_peer(fdev, &peer, &key);
	bool slow = path == ERR_PTR(-ETIMEDOUT);

	if (!slow || !fdev->astray) {
		/* One that this domain does not have: it is lost, and the next scan removes it. */
		if (IS_ERR(path))
			path = kstrdup(fdev->peer_path, GFP_KERNEL);
		if (!path)
			return -ENOMEM;
		slow |= paravane_front_moved(fdev, path, peer) == -ETIMEDOUT;
	}
	fdev->astray = slow;
	if (slow)
		rescan_later(ASTRAY_INTERVAL);
	return 0;
}

static int bus_thaw(struct device *dev)
{
	struct paravane_front_dev *fdev = to_paravane_front_dev(dev);

	if (paravane_suspend_moved())
		return device_relocate(fdev);
	paravane_front_resume(fdev);
	return 0;
}

/* Not those of a sleep of the machine's own: then back ends stay where they are. */
static const struct dev_pm_ops bus_pm_ops = {
	.freeze = bus_freeze,
	.thaw = bus_thaw,
};

struct bus_type paravane_bus = {
	.name = "paravane",
	.pm = &bus_pm_ops,
	.match = bus_match,
	.uevent = bus_uevent,
	.probe = bus_probe,
	.remove = bus_remove,
	.shutdown = bus_shutdown,
	.dev_groups = device_groups,
};

static void device_free(struct device *dev)
{
	struct paravane_front_dev *fdev = to_paravane_front_dev(dev);

	kfree(fdev->type);
	kfree(fdev->path);
	kfree(fdev->peer_path);
	kfree(fdev);
}

/* 0 or -errno, and then *@key is the key that it is about, or NULL. */
static int device_create_one(const char *type, unsigned int id, const char **key)
{
	struct paravane_front_dev *fdev = kzalloc(sizeof(*fdev), GFP_KERNEL);
	char *peer_path;
	int err = -ENOMEM;

	if (!fdev)
		return err;
	device_initialize(&fdev->dev);
	fdev->dev.bus = &paravane_bus;
	fdev->dev.release = device_free;
	fdev->id = id;
	fdev->type = kstrdup(type, GFP_KERNEL);
	fdev->path = kasprintf(GFP_KERNEL, DEVICE_DIR "/%s/%u", type, id);
	if (!fdev->type || !fdev->path)
		goto put;
	peer_path = device_find_peer(fdev, &fdev->peer, key);
	err = PTR_ERR_OR_ZERO(peer_path);
	if (err)
		goto put;
	*key = NULL;
	fdev->peer_path = peer_path;
	err = dev_set_name(&fdev->dev, "%s-%u", type, id);
	if (err)
		goto put;
	err = device_add(&fdev->dev);
	if (err)
		goto put;
	return 0;

put:
	put_device(&fdev->dev);
	return err;
}

static int match_path(struct device *dev, const void *path)
{
	return !strcmp(to_paravane_front_dev(dev)->path, path);
}

static struct odd *odd_find(const char *path)
{
	struct odd *odd;

	list_for_each_entry(odd, &odd_ones, list) {
		if (!strcmp(odd->path, path))
			return odd;
	}
	odd = kzalloc(struct_size(odd, path, strlen(path) + 1), GFP_KERNEL);
	if (!odd)
		return NULL;
	strcpy(odd->path, path);
	odd->since = jiffies;
	list_add(&odd->list, &odd_ones);
	return odd;
}

/* Not a device: one line for each, at the end of patience if something may yet come. */
static void odd_meet(const char *path, const char *key, int err)
{
	struct odd *odd = odd_find(path);
	unsigned long end = odd ? odd->since + INCOMPLETE_PATIENCE : 0;

	if (!odd)
		return;
	odd->seen = true;
	if (odd->told)
		return;
	if ((err == -ENOENT || paravane_xs_is_silent()) && time_before(jiffies, end)) {
		rescan_later(end - jiffies);
		return;
	}
	odd->told = true;
	if (key)
		pr_err("%s is not used: its key \"%s\" is %s (%d)\n", path, key,
		       err == -ENOENT ? "missing" : "wrong", err);
	else
		pr_err("%s is not used (%d)\n", path, err);
}

/* Forget those that were not seen since the last time, or all of them. */
static void odd_forget(bool all)
{
	struct odd *odd, *next;

	list_for_each_entry_safe(odd, next, &odd_ones, list) {
		if (odd->seen && !all) {
			odd->seen = false;
			continue;
		}
		list_del(&odd->list);
		kfree(odd);
	}
}

static bool device_exists(const char *path)
{
	struct device *dev = bus_find_device(&paravane_bus, NULL, path, match_path);

	put_device(dev);
	return dev;
}

/* Not every directory is meant to be a device: this one is. */
static bool device_is_meant(const char *path)
{
	char *backend = paravane_xs_read(&paravane_xs_no_tx, path, "backend", NULL);

	if (IS_ERR(backend))
		return false;
	kfree(backend);
	return true;
}

/* Make a device unless there is one. */
static void device_meet(const char *type, const char *name)
{
	char *path = kasprintf(GFP_KERNEL, DEVICE_DIR "/%s/%s", type, name);
	const char *key = NULL;
	unsigned int id;
	int err;

	if (!path || device_exists(path))
		goto free;
	/* Our path is that with the number in it. */
	if (!isdigit(*name) || (*name == '0' && name[1]) || kstrtouint(name, 10, &id))
		err = device_is_meant(path) ? -EINVAL : 0;
	else
		err = device_create_one(type, id, &key);
	if (err)
		odd_meet(path, key, err);
free:
	kfree(path);
}

static void scan_type(const char *type, unsigned int *budget)
{
	unsigned int count, i;
	char **names = paravane_xs_directory(&paravane_xs_no_tx, DEVICE_DIR, type, &count);

	if (IS_ERR(names)) {
		if (PTR_ERR(names) != -ENOENT && !paravane_xs_is_silent())
			pr_warn("cannot list the devices of type %s (%ld)\n", type, PTR_ERR(names));
		return;
	}
	for (i = 0; i < count && *budget; i++, --*budget)
		device_meet(type, names[i]);
	kfree(names);
}

static void scan_new(void)
{
	unsigned int budget = DEVICES_MAX;
	unsigned int count, i;
	char **types = paravane_xs_directory(&paravane_xs_no_tx, DEVICE_DIR, "", &count);

	if (IS_ERR(types)) {
		if (PTR_ERR(types) != -ENOENT && !paravane_xs_is_silent())
			pr_warn("cannot list devices (%ld)\n", PTR_ERR(types));
		return;
	}
	for (i = 0; i < count; i++)
		scan_type(types[i], &budget);
	kfree(types);
}

struct gone {
	struct device *found;
};

static int find_gone(struct device *dev, void *data)
{
	struct paravane_front_dev *fdev = to_paravane_front_dev(dev);
	struct gone *gone = data;
	char *state = paravane_xs_read(&paravane_xs_no_tx, fdev->path, "", NULL);

	if (!IS_ERR(state)) {
		kfree(state);
		return 0;
	}
	if (PTR_ERR(state) != -ENOENT)
		return 0;
	gone->found = get_device(dev);
	return 1;
}

static void scan_gone(void)
{
	struct gone gone = {};

	while (bus_for_each_dev(&paravane_bus, NULL, &gone, find_gone)) {
		device_unregister(gone.found);
		put_device(gone.found);
	}
}

static int move_astray(struct device *dev, void *unused)
{
	int err = 0;

	device_lock(dev);
	if (to_paravane_front_dev(dev)->astray)
		err = device_relocate(to_paravane_front_dev(dev));
	device_unlock(dev);
	return err;
}

static void rescan(struct work_struct *work)
{
	scan_gone();
	bus_for_each_dev(&paravane_bus, NULL, NULL, move_astray);
	scan_new();
	odd_forget(false);
}

/*
 * The watch also fires for every key written below, by us too. Only a device that comes or goes
 * matters: paths down to device/<type>/<id>, and the toolstack's last key there.
 */
static void devices_event(struct paravane_xs_watch *watch, const char *path)
{
	const char *p = path, *leaf = path;
	unsigned int depth = 0;

	while ((p = strchr(p, '/'))) {
		leaf = ++p;
		depth++;
	}
	if (depth <= 2 || (depth == 3 && !strncmp(leaf, "backend", 7)))
		rescan_now();
}

static struct paravane_xs_watch devices_watch = {
	.path = DEVICE_DIR,
	.fn = devices_event,
};

/**
 * paravane_xenbus_init() - make the bus and find the devices
 *
 * Devices that exist are there when this returns.
 *
 * Return: 0 or -errno.
 */
int paravane_xenbus_init(void)
{
	int err = bus_register(&paravane_bus);

	if (err)
		return err;
	err = paravane_xs_watch_register(&devices_watch);
	if (err) {
		if (!paravane_xs_is_silent())
			pr_err("cannot watch for devices (%d)\n", err);
		bus_unregister(&paravane_bus);
		return err;
	}
	rescan_now();
	flush_delayed_work(&rescan_work);
	return 0;
}

/**
 * paravane_xenbus_shutdown() - the machine restarts: look for devices no more
 */
void paravane_xenbus_shutdown(void)
{
	paravane_xs_watch_unregister(&devices_watch);
	cancel_delayed_work_sync(&rescan_work);
}

static int unregister_one(struct device *dev, void *unused)
{
	device_unregister(dev);
	return 0;
}

/**
 * paravane_xenbus_exit() - remove devices and bus
 */
void paravane_xenbus_exit(void)
{
	paravane_xenbus_shutdown();
	odd_forget(true);
	bus_for_each_dev(&paravane_bus, NULL, NULL, unregister_one);
	bus_unregister(&paravane_bus);
}
