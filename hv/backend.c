// SPDX-License-Identifier: GPL-2.0-or-later
/* The devices of a domain, their connections, and how one of them fails. */
#include "hv/backend.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "hv/back_blk.h"
#include "hv/back_net.h"
#include "hv/backend_core.h"
#include "hv/config.h"
#include "hv/domain.h"
#include "hv/loop.h"

/* Release everything the kit handed out for a connection, the mirror of what connect asked for. */
static void connection_release(struct backend_core *c)
{
	struct backend_queue *q;

	while ((q = c->queues)) {
		c->queues = q->next;
		queue_free(q);
	}
	while (c->nr_rings)
		gnttab_unmap(c->dev.domain, c->ring[--c->nr_rings], true);
}

/* Waits for the queues: at once if they have ended. */
static void device_release(struct backend_core *c)
{
	struct backend_queue *q;

	for (q = c->queues; q; q = q->next)
		queue_join(q);
	if (c->dev.ops->disconnect)
		c->dev.ops->disconnect(&c->dev);
	connection_release(c);
	c->connected = false;
	c->ending = false;
	/*
	 * What failed this connection is no matter of the next one, and no thread is left to file
	 * more.
	 */
	__atomic_store_n(&c->failure, FAILURE_NONE, __ATOMIC_RELAXED);
}

bool device_disconnect(struct backend_core *c)
{
	struct backend_queue *q;
	bool ended = true;

	if (!c->connected)
		return true;
	for (q = c->queues; q; q = q->next) {
		queue_end(q);
		ended = queue_ended(q) && ended;
	}
	c->ending = !ended;
	if (ended)
		device_release(c);
	return ended;
}

/* If that was the last of its queues: what the front end did meanwhile gets its answer now. */
static void device_settle(struct backend_core *c)
{
	bool failed = __atomic_load_n(&c->failure, __ATOMIC_RELAXED) == FAILURE_TAKEN;

	if (!device_disconnect(c))
		return;
	if (failed)
		xenbus_switch_state(c, XenbusStateClosed);
	xenbus_look_again(c);
}

static void device_failed(struct backend_core *c)
{
	__atomic_store_n(&c->failure, FAILURE_TAKEN, __ATOMIC_RELAXED);
	xenbus_report(c, c->fail_err, c->fail_text);
	device_settle(c);
}

static bool failure_filed(const struct backend_core *c)
{
	return __atomic_load_n(&c->failure, __ATOMIC_ACQUIRE) == FAILURE_FILED;
}

void device_connect(struct backend_core *c)
{
	struct backend_queue *q;
	int err;

	c->connected = true;
	err = c->dev.ops->connect(&c->dev);
	for (q = c->queues; !err && q; q = q->next)
		err = queue_start(q);
	if (err) {
		backend_fail(&c->dev, err, "cannot connect");
		/* Unless a queue is just filing its own, and posts it. */
		if (failure_filed(c))
			device_failed(c);
		return;
	}
	xenbus_switch_state(c, XenbusStateConnected);
}

void device_close(struct backend_core *c)
{
	if (c->opened && c->dev.ops->close)
		c->dev.ops->close(&c->dev);
	c->opened = false;
}

void backend_fail(struct backend_dev *dev, int err, const char *fmt, ...)
{
	struct backend_core *c = dev->core;
	int none = FAILURE_NONE;
	va_list ap;

	if (!__atomic_compare_exchange_n(&c->failure, &none, FAILURE_FILING, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	c->fail_err = err;
	va_start(ap, fmt);
	vsnprintf(c->fail_text, sizeof(c->fail_text), fmt, ap);
	va_end(ap);
	/* Pairs with the acquire in failure_filed(): the text before the word that it is there. */
	__atomic_store_n(&c->failure, FAILURE_FILED, __ATOMIC_RELEASE);
	loop_post(dev->domain->loop, &c->bus->news);
}

static void bus_news(struct loop_call *call)
{
	struct backend_bus *bus = container_of(call, struct backend_bus, news);
	struct backend_core *c;

	if (bus->quiescing) {
		if (backends_quiesce(bus))
			loop_stop(bus->domain->loop);
		return;
	}
	for (c = bus->devs; c; c = c->next) {
		if (c->ending)
			device_settle(c);
		else if (failure_filed(c))
			device_failed(c);
	}
}

int backend_map_ring(struct backend_dev *dev, const char *key, struct ring_format format,
		     struct ring_back *ring)
{
	struct backend_core *c = dev->core;
	uint64_t ref;
	void *page;
	int err;

	if (c->nr_rings == BACKEND_MAX_RINGS)
		return -ENOSPC;
	err = backend_read_front(dev, key, UINT32_MAX, &ref);
	if (err)
		return err;
	err = gnttab_map(dev->domain, ref, true, &page);
	if (err)
		return err;
	c->ring[c->nr_rings++] = ref;
	return ring_back_attach(ring, page, PAGE_SIZE, format, ring_shared_index(page));
}

static int bus_add(struct backend_bus *bus, const struct backend_ops *ops, unsigned int id,
		   const void *config)
{
	struct backend_core *c = calloc(1, sizeof(*c)), **end;
	int err;

	if (!c)
		return -ENOMEM;
	c->bus = bus;
	c->dev.ops = ops;
	c->dev.id = id;
	c->dev.core = c;
	for (end = &bus->devs; *end; end = &(*end)->next)
		continue;
	*end = c;
	err = ops->open(&c->dev, config);
	c->opened = !err;
	return err;
}

int backends_open(const struct config *config, struct backend_bus **busp)
{
	struct backend_bus *bus = calloc(1, sizeof(*bus));
	unsigned int i;
	int err = 0;

	if (!bus)
		return -ENOMEM;
	bus->news.fn = bus_news;
	for (i = 0; !err && i < config->nr_disks; i++)
		err = bus_add(bus, &back_blk_ops, config->disk[i].vdev, &config->disk[i]);
	for (i = 0; !err && i < config->nr_nics; i++)
		err = bus_add(bus, &back_net_ops, i, &config->nic[i]);
	if (err) {
		backends_destroy(bus);
		return err;
	}
	*busp = bus;
	return 0;
}

int backends_start(struct domain *d, struct backend_bus *bus)
{
	struct backend_core *c;
	int err;

	bus->domain = d;
	d->backends = bus;
	for (c = bus->devs; c; c = c->next) {
		/* The toolstack removed it in an earlier life of the guest. */
		if (!c->opened)
			continue;
		c->dev.domain = d;
		err = xenbus_device_create(c);
		if (err) {
			backends_stop(bus);
			return err;
		}
	}
	return 0;
}

bool backends_quiesce(struct backend_bus *bus)
{
	struct backend_core *c;
	bool quiet = true;

	bus->quiescing = true;
	for (c = bus->devs; c; c = c->next) {
		xenbus_device_forget(c);
		quiet = device_disconnect(c) && quiet;
	}
	return quiet;
}

void backends_stop(struct backend_bus *bus)
{
	struct backend_core *c;

	if (!bus || !bus->domain)
		return;
	backends_quiesce(bus);
	for (c = bus->devs; c; c = c->next)
		if (c->connected)
			device_release(c);
	loop_unpost(bus->domain->loop, &bus->news);
	bus->quiescing = false;
	bus->domain->backends = NULL;
	bus->domain = NULL;
}

void backends_destroy(struct backend_bus *bus)
{
	struct backend_core *c;

	if (!bus)
		return;
	backends_stop(bus);
	while ((c = bus->devs)) {
		bus->devs = c->next;
		device_close(c);
		free(c);
	}
	free(bus);
}
