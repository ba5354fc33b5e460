// SPDX-License-Identifier: GPL-2.0-or-later
/* The devices of a domain, their connections, and how one of them fails. */
#include "hv/backend.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

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

static void queues_stop(struct backend_core *c)
{
	struct backend_queue *q;

	for (q = c->queues; q; q = q->next)
		queue_stop(q);
}

void device_disconnect(struct backend_core *c)
{
	if (!c->connected)
		return;
	queues_stop(c);
	if (c->dev.ops->disconnect)
		c->dev.ops->disconnect(&c->dev);
	connection_release(c);
	c->connected = false;
	/*
	 * What failed this connection is no matter of the next one, and no thread is left to file
	 * more.
	 */
	__atomic_store_n(&c->failure, FAILURE_NONE, __ATOMIC_RELAXED);
}

static void device_failed(struct backend_core *c)
{
	queues_stop(c);
	xenbus_report(c, c->fail_err, c->fail_text);
	device_disconnect(c);
	xenbus_switch_state(c, XenbusStateClosed);
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
	uint64_t one = 1;
	va_list ap;

	if (!__atomic_compare_exchange_n(&c->failure, &none, FAILURE_FILING, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	c->fail_err = err;
	va_start(ap, fmt);
	vsnprintf(c->fail_text, sizeof(c->fail_text), fmt, ap);
	va_end(ap);
	/* Pairs with the acquire in bus_failed(): the text before the word that it is there. */
	__atomic_store_n(&c->failure, FAILURE_FILED, __ATOMIC_RELEASE);
	if (write(c->bus->failed.fd, &one, sizeof(one)) < 0)
		return; /* EAGAIN: the counter is full, so the loop is awake already */
}

static void bus_failed(struct loop_source *s, uint32_t events)
{
	struct backend_bus *bus = container_of(s, struct backend_bus, failed);
	struct backend_core *c;
	uint64_t count;

	(void)events;
	if (read(s->fd, &count, sizeof(count)) < 0)
		return;
	for (c = bus->devs; c; c = c->next)
		if (__atomic_load_n(&c->failure, __ATOMIC_ACQUIRE) == FAILURE_FILED)
			device_failed(c);
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
	bus->failed.fn = bus_failed;
	bus->failed.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (bus->failed.fd < 0)
		err = -errno;
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

	err = loop_add(d->loop, &bus->failed, EPOLLIN);
	if (err)
		return err;
	bus->domain = d;
	d->backends = bus;
	for (c = bus->devs; c; c = c->next) {
		c->dev.domain = d;
		err = xenbus_device_create(c);
		if (err) {
			backends_stop(bus);
			return err;
		}
	}
	return 0;
}

void backends_stop(struct backend_bus *bus)
{
	struct backend_core *c;

	if (!bus || !bus->domain)
		return;
	for (c = bus->devs; c; c = c->next) {
		xenbus_device_forget(c);
		device_disconnect(c);
	}
	loop_del(bus->domain->loop, &bus->failed);
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
	if (bus->failed.fd >= 0)
		close(bus->failed.fd);
	free(bus);
}
