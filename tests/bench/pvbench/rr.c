// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Request and response by TCP, a byte each: latency of the network.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/pvbench/pvbench.h"

static _Noreturn void bad(const char *what, const char *text)
{
	fprintf(stderr, "pvbench: %s, not '%s'\n", what, text);
	exit(BAD_ARGUMENT);
}

static in_port_t parse_port(const char *text, const char *whole)
{
	char *end;
	long port = strtol(text, &end, 10);

	if (end == text || *end || port < 1 || port > UINT16_MAX)
		bad("the port is a number from 1 to 65535", whole);
	return htons((uint16_t)port);
}

static struct sockaddr_in parse_address(const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	const char *colon = strchr(text, ':');
	char ip[INET_ADDRSTRLEN] = "";

	if (colon && (size_t)(colon - text) < sizeof(ip))
		memcpy(ip, text, (size_t)(colon - text));
	if (inet_pton(AF_INET, ip, &address.sin_addr) != 1)
		bad("the server is an IPv4 ADDRESS:PORT", text);
	address.sin_port = parse_port(colon + 1, text);
	return address;
}

static int tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return fd;
}

static void rr_batch(unsigned long n, void *arg)
{
	int fd = *(int *)arg;
	char byte = 0;
	ssize_t got;

	while (n--) {
		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
			die("send");
		got = recv(fd, &byte, 1, 0);
		if (!got)
			errno = ECONNRESET;
		if (got != 1)
			die("receive");
	}
}

struct result run_rr_client(double seconds, const char *arg)
{
	struct sockaddr_in address = parse_address(arg);
	int fd = tcp_socket();
	struct result result;

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die(arg);
	result = repeat(rr_batch, &fd, seconds);
	close(fd);
	return result;
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char byte;

	while (recv(fd, &byte, 1, 0) == 1) {
		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
			break;
	}
	close(fd);
	return NULL;
}

/* A thread each, since a client that has gone without a word must not keep the next one waiting. */
void rr_server(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = parse_port(port, port) };
	int fd = tcp_socket();

	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 16))
		die("listen");
	for (;;) {
		int client = accept(fd, NULL, NULL);
		pthread_t thread;

		if (client < 0)
			die("accept");
		/* Accepted connections inherit TCP_NODELAY. */
		errno = pthread_create(&thread, NULL, serve, (void *)(intptr_t)client);
		if (errno)
			die("pthread_create");
		pthread_detach(thread);
	}
}
