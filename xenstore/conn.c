// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore/internal.h"

struct xst_conn *xst_conn_new(struct xst_store *store, domid_t domid,
			      const struct xst_conn_ops *ops, void *opaque)
{
	struct xst_domain *domain = xst_domain_get(store, domid);
	struct xst_conn *conn = domain ? calloc(1, sizeof(*conn)) : NULL;

	if (!conn)
		return NULL;
	if (ops) {
		conn->in = calloc(1, sizeof(*conn->in));
		if (!conn->in) {
			free(conn);
			return NULL;
		}
	}
	conn->store = store;
	conn->domain = domain;
	conn->ops = ops;
	conn->opaque = opaque;
	xst_list_init(&conn->ready);
	xst_list_init(&conn->watches);
	xst_list_init(&conn->transactions);
	xst_list_init(&conn->out);
	xst_list_append(&store->conns, &conn->link);
	domain->conns++;
	return conn;
}

void xst_conn_reset(struct xst_conn *conn)
{
	xst_tx_clear(conn);
	xst_watch_clear(conn);
	while (!xst_list_empty(&conn->out))
		xst_conn_unqueue(conn, xst_entry(conn->out.next, struct xst_msg, link));
	conn->error = 0;
	if (conn->in)
		conn->in->have = 0;
}

void xst_conn_free(struct xst_conn *conn)
{
	if (!conn)
		return;
	xst_conn_reset(conn);
	xst_hash_free(&conn->pending);
	xst_list_remove(&conn->link);
	xst_list_remove(&conn->ready);
	if (conn->store->current == conn)
		conn->store->current = NULL;
	conn->domain->conns--;
	free(conn->in);
	free(conn);
}

domid_t xst_conn_domid(const struct xst_conn *conn)
{
	return conn->domain->usage.domid;
}

int xst_op_init(struct xst_op *op, struct xst_conn *conn, uint32_t id, struct xst_list *changes)
{
	struct xst_tx *tx = id ? xst_tx_find(conn, id) : NULL;

	if (id && !tx)
		return -ENOENT;
	xst_list_init(changes);
	*op = (struct xst_op){
		.store = conn->store,
		.conn = conn,
		.tx = tx,
		.view = tx ? xst_tx_view(tx) : &conn->store->live,
		.changes = tx ? xst_tx_changes(tx) : changes,
	};
	return 0;
}

void xst_op_done(const struct xst_op *op)
{
	if (!op->tx)
		xst_changes_fire(op->store, op->changes);
}

/* ---- output ---- */

struct xst_msg *xst_msg_new(size_t len)
{
	struct xst_msg *msg = calloc(1, sizeof(*msg) + len);

	if (!msg)
		return NULL;
	msg->refs = 1;
	msg->len = len;
	xst_list_init(&msg->link);
	return msg;
}

void xst_msg_put(struct xst_msg *msg)
{
	if (!--msg->refs)
		free(msg);
}

void xst_conn_queue(struct xst_conn *conn, struct xst_msg *msg)
{
	msg->refs++;
	msg->queued = true;
	msg->sent = 0;
	xst_list_append(&conn->out, &msg->link);
	if (msg->event)
		conn->events++;
	else
		conn->reply_bytes += msg->len;
	xst_store_schedule(conn);
}

/* No further event is merged into this one. */
static void stop_merging(struct xst_conn *conn, struct xst_msg *msg)
{
	if (msg->merging)
		xst_hash_remove(&conn->pending, &msg->pending);
	msg->merging = false;
}

void xst_conn_unqueue(struct xst_conn *conn, struct xst_msg *msg)
{
	stop_merging(conn, msg);
	if (msg->event)
		conn->events--;
	else
		conn->reply_bytes -= msg->len;
	msg->queued = false;
	xst_list_remove(&msg->link);
	xst_msg_put(msg);
}

void xst_conn_reply(struct xst_conn *conn, const struct xsd_sockmsg *req, uint32_t type,
		    const void *data, size_t len)
{
	struct xsd_sockmsg hdr = {
		.type = type,
		.req_id = req->req_id,
		.tx_id = req->tx_id,
		.len = len,
	};
	struct xst_msg *msg = xst_msg_new(sizeof(hdr) + len);

	if (!msg) {
		conn->error = -ENOMEM;
		return;
	}
	memcpy(msg->data, &hdr, sizeof(hdr));
	memcpy(msg->data + sizeof(hdr), data, len);
	xst_conn_queue(conn, msg);
	xst_msg_put(msg);
}

size_t xst_conn_peek(struct xst_conn *conn, const void **data)
{
	const struct xst_msg *msg;

	if (xst_list_empty(&conn->out))
		return 0;
	msg = xst_entry(conn->out.next, struct xst_msg, link);
	*data = msg->data + msg->sent;
	return msg->len - msg->sent;
}

void xst_conn_consume(struct xst_conn *conn, size_t len)
{
	struct xst_watch *watch;
	struct xst_msg *msg;

	if (!len || xst_list_empty(&conn->out))
		return;
	msg = xst_entry(conn->out.next, struct xst_msg, link);
	stop_merging(conn, msg);
	msg->sent += len;
	if (msg->sent < msg->len)
		return;
	watch = msg->watch && msg->watch->whole == msg ? msg->watch : NULL;
	xst_conn_unqueue(conn, msg);
	if (watch)
		xst_watch_sent(watch);
}

/* ---- input ---- */

size_t xst_conn_wants_input(const struct xst_conn *conn)
{
	const struct xst_input *in = conn->in;

	if (!in || conn->error || conn->reply_bytes >= conn->store->limits.output)
		return 0;
	if (in->have < sizeof(in->hdr))
		return sizeof(in->hdr) - in->have;
	return sizeof(in->hdr) + in->hdr.len - in->have;
}

/* Where the next byte of the request belongs. */
static char *input_at(struct xst_input *in)
{
	if (in->have < sizeof(in->hdr))
		return (char *)&in->hdr + in->have;
	return in->body + in->have - sizeof(in->hdr);
}

ptrdiff_t xst_conn_input(struct xst_conn *conn, const void *buf, size_t len)
{
	struct xst_input *in = conn->in;
	size_t taken = 0, part;

	while (taken < len && (part = xst_conn_wants_input(conn))) {
		if (part > len - taken)
			part = len - taken;
		memcpy(input_at(in), (const char *)buf + taken, part);
		in->have += part;
		taken += part;
		if (in->have < sizeof(in->hdr))
			break;
		if (in->hdr.len > XENSTORE_PAYLOAD_MAX)
			conn->error = -EPROTO;
		else if (in->have == sizeof(in->hdr) + in->hdr.len)
			xst_wire_request(conn);
	}
	return conn->error ? conn->error : (ptrdiff_t)taken;
}
