// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports of the host that lead to the guest, which is this test answering ARP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>

#include <cmocka.h>

#include "hv/back_net.h"
#include "hv/config.h"

#define ROUNDS 500
#define GUEST_PORT 22
#define MAX_FDS 16

static const uint8_t guest_mac[ETH_ALEN] = { 0x00, 0x16, 0x3e, 1, 2, 3 };
static struct net_link *user;
static uint8_t seen_protocol;
static uint16_t seen_port;
static struct in_addr seen_address;

/* ---- what hv/net_user.c needs ---- */

bool net_rx_busy(const struct back_net *net)
{
	(void)net;
	return false;
}

static void answer_arp(const uint8_t *data)
{
	struct ether_arp arp;
	uint8_t reply[ETH_HLEN + sizeof(arp)];
	struct net_frame f = { .data = reply, .len = sizeof(reply) };
	uint8_t wanted[4];

	memcpy(&arp, data + ETH_HLEN, sizeof(arp));
	if (ntohs(arp.arp_op) != ARPOP_REQUEST)
		return;
	memcpy(wanted, arp.arp_tpa, sizeof(wanted));
	memcpy(arp.arp_tha, arp.arp_sha, ETH_ALEN);
	memcpy(arp.arp_tpa, arp.arp_spa, sizeof(wanted));
	memcpy(arp.arp_sha, guest_mac, ETH_ALEN);
	memcpy(arp.arp_spa, wanted, sizeof(wanted));
	arp.arp_op = htons(ARPOP_REPLY);
	memcpy(reply, arp.arp_tha, ETH_ALEN);
	memcpy(reply + ETH_ALEN, guest_mac, ETH_ALEN);
	memcpy(reply + 2 * ETH_ALEN, data + 2 * ETH_ALEN, 2);
	memcpy(reply + ETH_HLEN, &arp, sizeof(arp));
	user->ops->send(user, &f);
}

void net_rx_input(struct back_net *net, const struct net_frame *f)
{
	uint16_t type;
	struct ip ip;

	(void)net;
	memcpy(&type, f->data + 2 * ETH_ALEN, sizeof(type));
	if (type == htons(ETHERTYPE_ARP)) {
		answer_arp(f->data);
		return;
	}
	memcpy(&ip, f->data + ETH_HLEN, sizeof(ip));
	seen_protocol = ip.ip_p;
	seen_address = ip.ip_dst;
	/* The destination's port is at the same place in either header. */
	memcpy(&seen_port, f->data + ETH_HLEN + sizeof(ip) + 2, sizeof(seen_port));
	seen_port = ntohs(seen_port);
}

/* ---- tests ---- */

/* A socket on a free port of the loopback, the port in @port */
static int listener(int type, uint16_t *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

static struct nic_config forward_to(const char *guest, bool udp, uint16_t port)
{
	struct nic_config cfg = { .nr_forwards = 1 };

	cfg.forward[0] = (struct host_forward){ .udp = udp,
						.host = htonl(INADDR_LOOPBACK),
						.host_port = port,
						.guest_port = GUEST_PORT };
	cfg.forward[0].guest = inet_addr(guest);
	return cfg;
}

static void turn(void)
{
	struct pollfd fds[MAX_FDS];
	int timeout = 10;
	int n = user->ops->poll(user, fds, MAX_FDS, &timeout);

	poll(fds, n, timeout);
	user->ops->polled(user, fds, n);
}

/* What is sent to the forwarded port of the host, the second of two, comes to @address of the guest. */
static void reaches(const char *guest, const char *address, bool udp)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct nic_config cfg;
	uint16_t port, other;
	int fd, i;

	fd = listener(udp ? SOCK_DGRAM : SOCK_STREAM, &other);
	close(listener(udp ? SOCK_DGRAM : SOCK_STREAM, &port));
	close(fd);
	cfg = forward_to(guest, udp, other);
	cfg.forward[0].guest_port = GUEST_PORT + 1;
	cfg.forward[cfg.nr_forwards++] = forward_to(guest, udp, port).forward[0];
	assert_int_equal(net_user_open(&cfg, &user), 0);
	seen_protocol = 0;
	fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	addr.sin_port = htons(port);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	if (udp)
		assert_int_equal(send(fd, "x", 1, 0), 1);
	for (i = 0; i < ROUNDS && !seen_protocol; i++)
		turn();
	assert_int_equal(seen_protocol, udp ? IPPROTO_UDP : IPPROTO_TCP);
	assert_int_equal(seen_port, GUEST_PORT);
	assert_string_equal(inet_ntoa(seen_address), address);
	close(fd);
	user->ops->close(user);
}

static void test_tcp_reaches_the_guest(void **state)
{
	(void)state;
	reaches("0.0.0.0", "10.0.2.15", false);
	reaches("10.0.2.99", "10.0.2.99", false);
}

static void test_udp_reaches_the_guest(void **state)
{
	(void)state;
	reaches("0.0.0.0", "10.0.2.15", true);
}

static void refused(struct nic_config cfg, int err)
{
	struct net_link *none = NULL;

	assert_int_equal(net_user_open(&cfg, &none), err);
	assert_null(none);
}

static void test_port_in_use(void **state)
{
	uint16_t port;
	int fd;

	(void)state;
	fd = listener(SOCK_STREAM, &port);
	refused(forward_to("0.0.0.0", false, port), -EADDRINUSE);
	close(fd);
	fd = listener(SOCK_DGRAM, &port);
	refused(forward_to("0.0.0.0", true, port), -EADDRINUSE);
	close(fd);
}

static void test_one_port_twice(void **state)
{
	struct nic_config cfg;
	uint16_t port;

	(void)state;
	for (int udp = 0; udp < 2; udp++) {
		close(listener(udp ? SOCK_DGRAM : SOCK_STREAM, &port));
		cfg = forward_to("0.0.0.0", udp, port);
		cfg.forward[1] = cfg.forward[0];
		cfg.nr_forwards = 2;
		refused(cfg, -EADDRINUSE);
	}
}

static void test_guest_elsewhere(void **state)
{
	uint16_t port;

	(void)state;
	close(listener(SOCK_STREAM, &port));
	refused(forward_to("10.0.3.15", false, port), -EINVAL);
}

static void test_address_that_is_not_ours(void **state)
{
	struct nic_config cfg;
	uint16_t port;

	(void)state;
	close(listener(SOCK_STREAM, &port));
	cfg = forward_to("0.0.0.0", false, port);
	cfg.forward[0].host = htonl(0xc0000201);
	refused(cfg, -EADDRNOTAVAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_reaches_the_guest),
		cmocka_unit_test(test_udp_reaches_the_guest),
		cmocka_unit_test(test_port_in_use),
		cmocka_unit_test(test_one_port_twice),
		cmocka_unit_test(test_guest_elsewhere),
		cmocka_unit_test(test_address_that_is_not_ours),
	};

	return cmocka_run_group_tests_name("net_user", tests, NULL, NULL);
}
