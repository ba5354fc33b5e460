// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The back end's side of xenbus: what a device looks like in XenStore, and the state machine that
 * the front end's state node drives.
 *
 * Only the front end's present state counts. A front end that toggles quickly is seen where it
 * stops; what it skipped in between cannot be told from never having happened.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/backend_core.h"
#include "hv/domain.h"
#include "hv/log.h"
#include "hv/xenstore_service.h"

/* Failures a device may have logged one by one; later ones at powers of two only. */
#define FAILURES_LOGGED 8

static struct xst_conn *conn_of(const struct backend_dev *dev)
{
	return xenstore_service_conn(dev->domain);
}

static int publish(struct backend_dev *dev, const char *dir, const char *key, const char *fmt,
		   va_list ap)
{
	char value[XENSTORE_PAYLOAD_MAX];
	int n = vsnprintf(value, sizeof(value), fmt, ap);

	if (n < 0 || (size_t)n >= sizeof(value))
		return -E2BIG;
	return xst_printf(conn_of(dev), XST_NO_TX, dir, key, "%s", value);
}

int backend_publish(struct backend_dev *dev, const char *key, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = publish(dev, dev->core->path, key, fmt, ap);
	va_end(ap);
	return err;
}

int backend_publish_front(struct backend_dev *dev, const char *key, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = publish(dev, dev->core->front, key, fmt, ap);
	va_end(ap);
	return err;
}

int backend_read_front(struct backend_dev *dev, const char *key, uint64_t max, uint64_t *value)
{
	int err = xst_read_u64(conn_of(dev), XST_NO_TX, dev->core->front, key, value);

	if (!err && *value > max)
		return -ERANGE;
	return err;
}

bool backend_front_has(struct backend_dev *dev, const char *key)
{
	uint64_t value;

	return !backend_read_front(dev, key, UINT64_MAX, &value) && value;
}

bool backend_front_accepts(struct backend_dev *dev, const char *key, const char *value)
{
	char *have;
	bool same;

	if (xst_read_str(conn_of(dev), XST_NO_TX, dev->core->front, key, &have))
		return true;
	same = !strcmp(have, value);
	free(have);
	return same;
}

void xenbus_switch_state(struct backend_core *c, enum xenbus_state state)
{
	if (c->state == state || !c->present)
		return;
	pr_debug("%s %u: state %d -> %d", c->dev.ops->type, c->dev.id, c->state, state);
	c->state = state;
	backend_publish(&c->dev, "state", "%d", state);
}

int backend_changed(struct backend_dev *dev)
{
	if (dev->core->state != XenbusStateConnected)
		return 0; /* the front end reads our keys when it connects */
	return backend_publish(dev, "state", "%d", XenbusStateConnected);
}

void xenbus_report(struct backend_core *c, int err, const char *text)
{
	char dir[128];

	c->failures++;
	if (c->failures <= FAILURES_LOGGED || !(c->failures & (c->failures - 1)))
		pr_warn("%s %u: %s: %s; device closed (%u)", c->dev.ops->type, c->dev.id, text,
			strerror(-err), c->failures);
	if (!c->present)
		return;
	/*
	 * Where every Xen tool looks: error/ and the device's path, in the domain that reports
	 * it.
	 */
	snprintf(dir, sizeof(dir), "/local/domain/0/error/%s",
		 c->path + strlen("/local/domain/0/"));
	xst_printf(conn_of(&c->dev), XST_NO_TX, dir, "error", "%d %s", -err, text);
}

/* A device that was taken away (online = 0) leaves when its front end has closed. */
static void remove_if_offline(struct backend_core *c)
{
	struct xst_conn *conn = conn_of(&c->dev);
	uint64_t online = 0;

	xst_read_u64(conn, XST_NO_TX, c->path, "online", &online);
	if (online)
		return;
	xenbus_device_forget(c);
	xst_rm(conn, XST_NO_TX, c->path);
	xst_rm(conn, XST_NO_TX, c->front);
	device_close(c);
}

static void front_changed(void *opaque, const char *path)
{
	struct backend_core *c = opaque;
	uint64_t state = XenbusStateUnknown;

	(void)path;
	backend_read_front(&c->dev, "state", XenbusStateReconfigured, &state);
	switch (state) {
	case XenbusStateInitialising:
		/* A new driver: whatever the old one left connected is history. */
		if (device_disconnect(c))
			xenbus_switch_state(c, XenbusStateInitWait);
		break;
	case XenbusStateInitialised:
	case XenbusStateConnected:
		/* After Closed only Initialising leads back here. */
		if (c->state == XenbusStateInitWait && !c->connected)
			device_connect(c);
		break;
	case XenbusStateClosing:
		if (device_disconnect(c))
			xenbus_switch_state(c, XenbusStateClosing);
		break;
	case XenbusStateClosed:
	case XenbusStateUnknown:
		if (!device_disconnect(c))
			break;
		xenbus_switch_state(c, XenbusStateClosed);
		remove_if_offline(c);
		break;
	default:
		/*
		 * InitWait is ours alone; Reconfiguring belongs to features that are not offered.
		 */
		break;
	}
}

/* The device is disconnected: what it could not answer until now. */
void xenbus_look_again(struct backend_core *c)
{
	if (!c->present)
		return;
	front_changed(c, NULL);
	/* A front end that has thought better of it meanwhile comes too late. */
	if (c->state == XenbusStateConnected && !c->connected)
		xenbus_switch_state(c, XenbusStateClosed);
}

/* A directory with its permissions: @owner may do everything, @reader may read. */
static int make_dir(struct xst_conn *conn, uint32_t tx, const char *path, domid_t owner,
		    domid_t reader)
{
	const struct xst_perm perms[] = {
		{ .domid = owner, .access = XST_PERM_NONE },
		{ .domid = reader, .access = XST_PERM_READ },
	};
	int err;

	xst_rm(conn, tx, path);
	err = xst_mkdir(conn, tx, path);
	return err ? err : xst_set_perms(conn, tx, path, perms, ARRAY_SIZE(perms));
}

static int write_nodes(struct backend_core *c)
{
	const struct {
		const char *dir, *key, *text;
		unsigned int number;
	} nodes[] = {
		{ c->path, "frontend", c->front, 0 },
		{ c->path, "frontend-id", NULL, c->dev.domain->domid },
		{ c->path, "online", NULL, 1 },
		{ c->path, "state", NULL, XenbusStateInitialising },
		{ c->front, "backend", c->path, 0 },
		{ c->front, "backend-id", NULL, 0 },
		{ c->front, "state", NULL, XenbusStateInitialising },
	};
	struct xst_conn *conn = conn_of(&c->dev);
	domid_t domid = c->dev.domain->domid;
	unsigned int i;
	int err;

	err = make_dir(conn, XST_NO_TX, c->path, 0, domid);
	if (!err)
		err = make_dir(conn, XST_NO_TX, c->front, domid, 0);
	for (i = 0; !err && i < ARRAY_SIZE(nodes); i++) {
		if (nodes[i].text)
			err = xst_printf(conn, XST_NO_TX, nodes[i].dir, nodes[i].key, "%s",
					 nodes[i].text);
		else
			err = xst_printf(conn, XST_NO_TX, nodes[i].dir, nodes[i].key, "%u",
					 nodes[i].number);
	}
	return err;
}

int xenbus_device_create(struct backend_core *c)
{
	const struct backend_ops *ops = c->dev.ops;
	domid_t domid = c->dev.domain->domid;
	char watched[sizeof(c->front) + 8];
	int err;

	snprintf(c->path, sizeof(c->path), "/local/domain/0/backend/%s/%u/%u", ops->type, domid,
		 c->dev.id);
	snprintf(c->front, sizeof(c->front), "/local/domain/%u/device/%s/%u", domid, ops->type,
		 c->dev.id);
	err = write_nodes(c);
	if (err)
		return err;
	c->present = true;
	c->state = XenbusStateInitialising;
	err = ops->probe ? ops->probe(&c->dev) : 0;
	if (!err)
		err = backend_publish(&c->dev, "hotplug-status", "connected");
	if (err)
		return err;
	xenbus_switch_state(c, XenbusStateInitWait);
	snprintf(watched, sizeof(watched), "%s/state", c->front);
	return xst_watch(conn_of(&c->dev), watched, front_changed, c, &c->watch);
}

void xenbus_device_forget(struct backend_core *c)
{
	xst_unwatch(c->watch);
	c->watch = NULL;
	c->present = false;
}
