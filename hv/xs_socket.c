// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/xs_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hv/log.h"
#include "hv/loop.h"
#include "hv/rundir.h"
#include "hv/types.h"

#define CLIENTS_MAX 64

/* struct client - one connected program */
struct client {
	struct client *next;
	struct xs_socket *sock;
	struct loop_source source;
	struct xst_conn *conn;
	uint32_t events;
};

/**
 * struct xs_socket - the listening socket and its clients
 * @path: where it is
 * @spare: an open descriptor, given up to turn a client away when there are no others
 */
struct xs_socket {
	struct loop *loop;
	struct xst_store *store;
	struct loop_source listen;
	char *path;
	int spare;
	struct client *clients;
	unsigned int count;
};

static void client_free(struct client *client)
{
	struct client **p = &client->sock->clients;

	while (*p != client)
		p = &(*p)->next;
	*p = client->next;
	client->sock->count--;
	loop_del(client->sock->loop, &client->source);
	close(client->source.fd);
	xst_conn_free(client->conn);
	free(client);
}

/* All functions that return bool say whether the client may stay. */
static bool client_write(struct client *client)
{
	const void *data;
	size_t len;

	while ((len = xst_conn_peek(client->conn, &data))) {
		ssize_t n = send(client->source.fd, data, len, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		xst_conn_consume(client->conn, n);
	}
	return true;
}

/* One piece at a time: the loop comes back for more. */
static bool client_read(struct client *client)
{
	char buf[XENSTORE_PAYLOAD_MAX];
	size_t want = xst_conn_wants_input(client->conn);
	ssize_t n;

	if (!want)
		return true;
	n = recv(client->source.fd, buf, want < sizeof(buf) ? want : sizeof(buf), 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	return n > 0 && xst_conn_input(client->conn, buf, n) == n;
}

static bool client_listen(struct client *client)
{
	const void *data;
	uint32_t events = 0;

	if (xst_conn_wants_input(client->conn))
		events |= EPOLLIN;
	if (xst_conn_peek(client->conn, &data))
		events |= EPOLLOUT;
	if (events == client->events)
		return true;
	client->events = events;
	return !loop_mod(client->sock->loop, &client->source, events);
}

static void on_client(struct loop_source *s, uint32_t events)
{
	struct client *client = container_of(s, struct client, source);
	bool ok = true;

	/* What a program that went away had sent is carried out first. */
	if (events & EPOLLIN)
		ok = client_read(client);
	else if (events & (EPOLLHUP | EPOLLERR))
		ok = false;
	if (!ok || !client_write(client) || !client_listen(client))
		client_free(client);
}

static void on_output(struct xst_conn *conn, void *opaque)
{
	struct client *client = opaque;

	(void)conn;
	if (!client_write(client) || !client_listen(client))
		client_free(client);
}

static const struct xst_conn_ops conn_ops = { .output = on_output };

static int client_new(struct xs_socket *sock, int fd)
{
	struct client *client = calloc(1, sizeof(*client));
	int err = -ENOMEM;

	if (!client)
		return -ENOMEM;
	client->conn = xst_conn_new(sock->store, 0, &conn_ops, client);
	if (!client->conn)
		goto err_client;
	client->sock = sock;
	client->source.fd = fd;
	client->source.fn = on_client;
	client->events = EPOLLIN;
	err = loop_add(sock->loop, &client->source, client->events);
	if (err)
		goto err_conn;
	client->next = sock->clients;
	sock->clients = client;
	sock->count++;
	return 0;

err_conn:
	xst_conn_free(client->conn);
err_client:
	free(client);
	return err;
}

static int accept_client(struct xs_socket *sock)
{
	return accept4(sock->listen.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void on_connect(struct loop_source *s, uint32_t events)
{
	struct xs_socket *sock = container_of(s, struct xs_socket, listen);
	int fd = accept_client(sock);

	(void)events;
	if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
		close(sock->spare);
		close(accept_client(sock));
		sock->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return;
	if (sock->count >= CLIENTS_MAX || client_new(sock, fd)) {
		pr_warn("%s: too many clients", sock->path);
		close(fd);
	}
}

int xs_socket_create(struct loop *loop, struct xst_store *store, const char *path,
		     struct xs_socket **result)
{
	struct xs_socket *sock = calloc(1, sizeof(*sock));
	int err;

	if (!sock)
		return -ENOMEM;
	sock->loop = loop;
	sock->store = store;
	sock->path = strdup(path);
	sock->listen.fn = on_connect;
	sock->listen.fd = rundir_listen(path);
	sock->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (sock->listen.fd < 0)
		err = sock->listen.fd;
	else if (!sock->path || sock->spare < 0)
		err = -errno;
	else
		err = loop_add(loop, &sock->listen, EPOLLIN);
	if (err) {
		xs_socket_destroy(sock);
		return err;
	}
	*result = sock;
	return 0;
}

void xs_socket_destroy(struct xs_socket *sock)
{
	if (!sock)
		return;
	while (sock->clients)
		client_free(sock->clients);
	if (sock->listen.fd >= 0) {
		loop_del(sock->loop, &sock->listen);
		close(sock->listen.fd);
		if (sock->path)
			unlink(sock->path);
	}
	if (sock->spare >= 0)
		close(sock->spare);
	free(sock->path);
	free(sock);
}
