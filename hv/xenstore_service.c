// SPDX-License-Identifier: GPL-2.0-or-later
/* The domain's XenStore and what a toolstack writes into it before the guest runs. */
#include "hv/xenstore_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "hv/config.h"
#include "hv/domain.h"
#include "hv/gnttab.h"
#include "hv/log.h"
#include "hv/loop.h"
#include "hv/xs_ring.h"
#include "hv/xs_socket.h"

struct xenstore_service {
	struct xst_store *store;
	struct xst_conn *conn;
	struct loop *loop;
	struct loop_call work; /* the store has callbacks to run */
	struct xs_ring *ring;
	struct xs_socket *socket;
};

static void schedule(void *opaque)
{
	struct xenstore_service *s = opaque;

	loop_post(s->loop, &s->work);
}

static void dispatch(struct loop_call *call)
{
	xst_store_dispatch(container_of(call, struct xenstore_service, work)->store);
}

static void print_text(void *opaque, const char *text)
{
	(void)opaque;
	pr_info("xenstore: %s", text);
}

static const struct xst_store_ops store_ops = {
	.work = schedule,
	.print = print_text,
};

/* How a node of the domain's home is shared with the guest. */
enum share { GUEST_READS, GUEST_OWNS };

/*
 * The fixed part of a domain's home, as xl makes it: directories the guest may look at, and nodes
 * that are its own to write. What stands under a node inherits its permissions.
 */
static const struct {
	const char *key;
	enum share share;
	const char *value; /* NULL: a directory */
} home_nodes[] = {
	{ "cpu", GUEST_READS, NULL },
	{ "memory", GUEST_READS, NULL },
	{ "device", GUEST_READS, NULL },
	{ "control", GUEST_READS, NULL },
	{ "control/platform-feature-multiprocessor-suspend", GUEST_READS, "1" },
	{ "control/platform-feature-xs_reset_watches", GUEST_READS, "1" },
	{ "control/shutdown", GUEST_OWNS, "" },
	{ "control/feature-poweroff", GUEST_OWNS, "" },
	{ "control/feature-reboot", GUEST_OWNS, "" },
	{ "control/feature-suspend", GUEST_OWNS, "" },
	{ "control/sysrq", GUEST_OWNS, "" },
	{ "device/suspend/event-channel", GUEST_OWNS, "" },
	{ "data", GUEST_OWNS, NULL },
	{ "drivers", GUEST_OWNS, NULL },
	{ "feature", GUEST_OWNS, NULL },
	{ "attr", GUEST_OWNS, NULL },
	{ "error", GUEST_OWNS, NULL },
};

static int set_share(struct xst_conn *conn, const char *path, domid_t domid, enum share share)
{
	const struct xst_perm perms[] = {
		{ .domid = share == GUEST_OWNS ? domid : 0, .access = XST_PERM_NONE },
		{ .domid = domid, .access = XST_PERM_READ },
	};

	return xst_set_perms(conn, XST_NO_TX, path, perms, share == GUEST_OWNS ? 1 : 2);
}

static int write_home_nodes(struct xst_conn *conn, const char *home, domid_t domid)
{
	char path[128];
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < ARRAY_SIZE(home_nodes); i++) {
		const char *value = home_nodes[i].value;

		snprintf(path, sizeof(path), "%s/%s", home, home_nodes[i].key);
		err = value ? xst_write(conn, XST_NO_TX, path, value, strlen(value)) :
			      xst_mkdir(conn, XST_NO_TX, path);
		if (!err)
			err = set_share(conn, path, domid, home_nodes[i].share);
	}
	return err;
}

static int write_home_values(struct xst_conn *conn, const char *home, const struct domain *d,
			     const char *vm)
{
	const struct {
		const char *key;
		unsigned long long value;
	} numbers[] = {
		{ "domid", d->domid },
		{ "memory/static-max", d->config->memory >> 10 },
		{ "memory/target", d->config->memory >> 10 },
		{ "store/ring-ref", d->store_gfn },
		{ "store/port", d->store_port },
	};
	unsigned int i;
	char key[32];
	int err;

	err = xst_printf(conn, XST_NO_TX, home, "name", "%s", d->config->name);
	if (!err)
		err = xst_printf(conn, XST_NO_TX, home, "vm", "%s", vm);
	for (i = 0; !err && i < ARRAY_SIZE(numbers); i++)
		err = xst_printf(conn, XST_NO_TX, home, numbers[i].key, "%llu", numbers[i].value);
	for (i = 0; !err && i < d->config->vcpus; i++) {
		snprintf(key, sizeof(key), "cpu/%u/availability", i);
		err = xst_printf(conn, XST_NO_TX, home, key, "online");
	}
	return err;
}

/* A random (version 4) UUID, as text. */
static int make_uuid(char text[37])
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return -EIO;
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
	return 0;
}

static int write_vm(struct xst_conn *conn, const struct domain *d, char vm[48])
{
	char uuid[37];
	int err;

	err = make_uuid(uuid);
	if (err)
		return err;
	snprintf(vm, 48, "/vm/%s", uuid);
	err = xst_mkdir(conn, XST_NO_TX, vm);
	if (!err)
		err = set_share(conn, vm, d->domid, GUEST_READS);
	if (!err)
		err = xst_printf(conn, XST_NO_TX, vm, "uuid", "%s", uuid);
	if (!err)
		err = xst_printf(conn, XST_NO_TX, vm, "name", "%s", d->config->name);
	return err;
}

static int write_domain(struct xst_conn *conn, const struct domain *d)
{
	char home[XST_HOME_MAX], vm[48];
	int err;

	xst_domain_home(d->domid, home);
	err = write_vm(conn, d, vm);
	if (!err)
		err = xst_mkdir(conn, XST_NO_TX, home);
	if (!err)
		err = set_share(conn, home, d->domid, GUEST_READS);
	if (!err)
		err = write_home_values(conn, home, d, vm);
	return err ? err : write_home_nodes(conn, home, d->domid);
}

static int start_store(struct domain *d, struct xenstore_service *s)
{
	s->loop = d->loop;
	s->work.fn = dispatch;
	s->store = xst_store_new(&store_ops, s, NULL);
	s->conn = s->store ? xst_conn_new(s->store, 0, NULL, NULL) : NULL;
	return s->conn ? 0 : -ENOMEM;
}

static int start_rims(struct domain *d, struct xenstore_service *s)
{
	char path[sizeof(d->run_dir) + 16];
	int err;

	err = xst_domain_introduce(s->store, d->domid);
	if (!err)
		err = xs_ring_create(d, s->store, &s->ring);
	if (err)
		return err;
	gnttab_preset(d, GNTTAB_RESERVED_XENSTORE, d->store_gfn);
	snprintf(path, sizeof(path), "%s/xenstored.sock", d->run_dir);
	return xs_socket_create(d->loop, s->store, path, &s->socket);
}

int xenstore_service_create(struct domain *d)
{
	struct xenstore_service *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	d->xenstore = s;
	err = start_store(d, s);
	if (!err)
		err = write_domain(s->conn, d);
	if (!err)
		err = start_rims(d, s);
	if (err) {
		pr_err("xenstore: %s", strerror(-err));
		xenstore_service_destroy(d);
	}
	return err;
}

void xenstore_service_destroy(struct domain *d)
{
	struct xenstore_service *s = d->xenstore;

	if (!s)
		return;
	d->xenstore = NULL;
	xs_socket_destroy(s->socket);
	xs_ring_destroy(s->ring);
	if (s->store)
		xst_store_free(s->store);
	loop_unpost(s->loop, &s->work);
	free(s);
}

struct xst_store *xenstore_service_store(const struct domain *d)
{
	return d->xenstore->store;
}

struct xst_conn *xenstore_service_conn(const struct domain *d)
{
	return d->xenstore->conn;
}

int domain_request_shutdown(struct domain *d, const char *how)
{
	char home[XST_HOME_MAX];

	return xst_printf(xenstore_service_conn(d), XST_NO_TX, xst_domain_home(d->domid, home),
			  "control/shutdown", "%s", how);
}
