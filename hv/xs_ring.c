// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/xs_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hv/domain.h"
#include "hv/evtchn.h"
#include "hv/log.h"
#include "hv/loop.h"
#include "ring/stream.h"

/* Requests served before the loop's other sources have their turn. */
#define ROUNDS_MAX 64

/**
 * struct xs_ring - the guest's connection
 * @kick: eventfd the guest's sends arrive on
 * @closed: the guest broke the rules; nothing is served until it asks for a reconnection
 */
struct xs_ring {
	struct domain *domain;
	struct loop_source kick;
	struct evtchn_peer *peer;
	struct xst_conn *conn;
	struct xenstore_domain_interface *page;
	struct stream_reader in;
	struct stream_writer out;
	bool closed;
};

static int attach(struct xs_ring *ring)
{
	struct xenstore_domain_interface *page = ring->page;
	int err;

	err = stream_reader_attach(&ring->in, page->req, sizeof(page->req), &page->req_cons,
				   &page->req_prod);
	if (!err)
		err = stream_writer_attach(&ring->out, page->rsp, sizeof(page->rsp),
					   &page->rsp_cons, &page->rsp_prod);
	return err;
}

static void close_ring(struct xs_ring *ring, uint32_t error)
{
	pr_once(LOG_LEVEL_WARN, "the guest's XenStore ring is closed: %s",
		error == XENSTORE_ERROR_RINGIDX ? "impossible ring index" :
		error == XENSTORE_ERROR_PROTO	? "over-long message" :
						  "out of memory");
	xst_conn_reset(ring->conn);
	env_store(&ring->page->error, error);
	ring->closed = true;
	evtchn_peer_notify(ring->peer);
}

/* The guest (a new kernel, perhaps) wants to begin again on a packet boundary, with empty rings. */
static void reconnect(struct xs_ring *ring)
{
	struct xenstore_domain_interface *page = ring->page;

	xst_conn_reset(ring->conn);
	env_store(&page->req_cons, 0);
	env_store(&page->req_prod, 0);
	env_store(&page->rsp_cons, 0);
	env_store(&page->rsp_prod, 0);
	env_store(&page->error, XENSTORE_ERROR_NONE);
	ring->closed = attach(ring) != 0;
	/* Pairs with the guest's read of connection: it looks at the indices after that only. */
	env_store_release(&page->connection, XENSTORE_CONNECTED);
	evtchn_peer_notify(ring->peer);
}

/* Bytes moved, or -errno. */
static int push_output(struct xs_ring *ring)
{
	const void *data;
	int moved = 0;
	size_t len;

	while ((len = xst_conn_peek(ring->conn, &data))) {
		int n = stream_write(&ring->out, data, len);

		if (n < 0)
			return n;
		if (!n)
			break;
		xst_conn_consume(ring->conn, n);
		moved += n;
	}
	return moved;
}

static int pull_input(struct xs_ring *ring)
{
	char buf[XENSTORE_RING_SIZE];
	size_t want = xst_conn_wants_input(ring->conn);
	ptrdiff_t taken;
	int n;

	if (!want)
		return 0;
	n = stream_read(&ring->in, buf, want < sizeof(buf) ? want : sizeof(buf));
	if (n <= 0)
		return n;
	taken = xst_conn_input(ring->conn, buf, n);
	if (taken >= 0)
		return n;
	return taken == -EPROTO ? -EMSGSIZE : (int)taken;
}

static uint32_t error_of(int err)
{
	return err == -EPROTO	? XENSTORE_ERROR_RINGIDX :
	       err == -EMSGSIZE ? XENSTORE_ERROR_PROTO :
				  XENSTORE_ERROR_COMM;
}

static void serve(struct xs_ring *ring)
{
	unsigned int rounds = 0;
	bool moved = false;
	int in, out;

	if (env_load_acquire(&ring->page->connection) == XENSTORE_RECONNECT)
		reconnect(ring);
	if (ring->closed)
		return;
	do {
		in = pull_input(ring);
		out = in < 0 ? in : push_output(ring);
		if (out < 0) {
			close_ring(ring, error_of(out));
			return;
		}
		moved |= in || out;
	} while ((in || out) && ++rounds < ROUNDS_MAX);
	if (moved)
		evtchn_peer_notify(ring->peer);
	if (rounds == ROUNDS_MAX)
		eventfd_write(ring->kick.fd, 1);
}

static void on_kick(struct loop_source *s, uint32_t events)
{
	struct xs_ring *ring = container_of(s, struct xs_ring, kick);
	eventfd_t count;

	(void)events;
	if (!eventfd_read(s->fd, &count))
		serve(ring);
}

static void on_output(struct xst_conn *conn, void *opaque)
{
	(void)conn;
	serve(opaque);
}

static const struct xst_conn_ops conn_ops = { .output = on_output };

int xs_ring_create(struct domain *d, struct xst_store *store, struct xs_ring **result)
{
	struct xs_ring *ring = calloc(1, sizeof(*ring));
	int err = -ENOMEM;

	if (!ring)
		return -ENOMEM;
	ring->domain = d;
	ring->page = mem_page(d, d->store_gfn);
	if (!ring->page) {
		err = -EFAULT;
		goto err_ring;
	}
	ring->conn = xst_conn_new(store, d->domid, &conn_ops, ring);
	if (!ring->conn)
		goto err_ring;
	ring->kick.fn = on_kick;
	ring->kick.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ring->kick.fd < 0) {
		err = -errno;
		goto err_conn;
	}
	err = evtchn_peer_bind(d, d->store_port, ring->kick.fd, &ring->peer);
	if (err)
		goto err_fd;
	err = loop_add(d->loop, &ring->kick, EPOLLIN);
	if (err)
		goto err_peer;
	env_store(&ring->page->server_features,
		  XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR);
	if (attach(ring))
		close_ring(ring, XENSTORE_ERROR_RINGIDX);
	*result = ring;
	return 0;

err_peer:
	evtchn_peer_unbind(ring->peer);
err_fd:
	close(ring->kick.fd);
err_conn:
	xst_conn_free(ring->conn);
err_ring:
	free(ring);
	return err;
}

void xs_ring_destroy(struct xs_ring *ring)
{
	if (!ring)
		return;
	loop_del(ring->domain->loop, &ring->kick);
	evtchn_peer_unbind(ring->peer);
	close(ring->kick.fd);
	xst_conn_free(ring->conn);
	free(ring);
}
