// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The real tap link against the host's own network stack, in a network namespace of the test's:
 * ARP, then UDP both ways with checksums left to the other side.
 */
#include <errno.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/fake_net.h"

#define HOST_ADDR "10.9.9.1"
#define GUEST_ADDR "\x0a\x09\x09\x02"
#define PORT_HOST 7000
#define PORT_GUEST 7001

static int setup_tap(void **state)
{
	struct ifreq ifr = { .ifr_name = "paravane0" };
	struct sockaddr_in *addr = (void *)&ifr.ifr_addr;
	int fd, err;

	if (setup(state))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	addr->sin_family = AF_INET;
	inet_pton(AF_INET, HOST_ADDR, &addr->sin_addr);
	err = ioctl(fd, SIOCSIFADDR, &ifr);
	inet_pton(AF_INET, "255.255.255.0", &addr->sin_addr);
	err = err ? err : ioctl(fd, SIOCSIFNETMASK, &ifr);
	close(fd);
	return err;
}

static void send_frame(const void *data, size_t len, uint16_t flags)
{
	memcpy(fake->page[DATA], data, len);
	put_slot(1, DATA, 0, len, flags);
	push_tx();
	expect_tx(1, NETIF_RSP_OKAY);
}

/* The next frame to the guest of Ethernet type @type; others (IPv6 chatter) are passed over. */
static const uint8_t *next_frame(unsigned int type, struct netif_rx_response *rsp)
{
	for (;;) {
		const uint8_t *p;

		post_room(1);
		*rsp = get_rx();
		p = fake->page[ROOM + rsp->id % ROOM_PAGES];
		assert_true(rsp->status > 14);
		if ((p[12] << 8 | p[13]) == (int)type)
			return p;
	}
}

/* Ask for the host's hardware address; it learns ours by that. */
static void exchange_arp(uint8_t *host_mac)
{
	uint8_t frame[42] = { 0 };
	struct netif_rx_response rsp;
	const uint8_t *p;

	memset(frame, 0xff, 6);
	memcpy(frame + 6, "\2\0\0\0\0\1\x08\x06\0\1\x08\0\6\4\0\1\2\0\0\0\0\1" GUEST_ADDR, 26);
	memcpy(frame + 38, "\x0a\x09\x09\x01", 4);
	send_frame(frame, sizeof(frame), 0);
	do
		p = next_frame(0x0806, &rsp);
	while (p[21] != 2); /* a reply */
	memcpy(host_mac, p + 22, 6);
}

static size_t build_udp(uint8_t *p, const uint8_t *host_mac, const char *text)
{
	size_t n = strlen(text);

	memset(p, 0, 42);
	memcpy(p, host_mac, 6);
	memcpy(p + 6, "\2\0\0\0\0\1\x08\x00\x45", 9);
	put16(p + 16, 28 + n);
	p[22] = 64;
	p[23] = 17;
	memcpy(p + 26, GUEST_ADDR, 4);
	memcpy(p + 30, "\x0a\x09\x09\x01", 4);
	put16(p + 24, ~reference_sum(0, p + 14, 20));
	put16(p + 34, PORT_GUEST);
	put16(p + 36, PORT_HOST);
	put16(p + 38, 8 + n);
	memcpy(p + 42, text, n);
	return 42 + n;
}

static void test_udp(void **state)
{
	const struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(PORT_HOST) };
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	struct netif_rx_response rsp;
	uint8_t mac[6], frame[200];
	const uint8_t *p;
	char text[32] = "";
	int s;

	(void)state;
	connect_nic();
	exchange_arp(mac);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(s, (const void *)&here, sizeof(here)), 0);

	/* Our checksum is blank; the host's stack takes it from the tap as good. */
	send_frame(frame, build_udp(frame, mac, "from the guest"), NETTXF_csum_blank);
	assert_int_equal(recvfrom(s, text, sizeof(text), MSG_DONTWAIT, (void *)&from, &len), 14);
	assert_string_equal(text, "from the guest");
	assert_int_equal(ntohs(from.sin_port), PORT_GUEST);

	/* And the host's is blank, for we said we can take that. */
	assert_int_equal(sendto(s, "from the host", 13, 0, (void *)&from, len), 13);
	p = next_frame(0x0800, &rsp);
	assert_int_equal(rsp.status, 42 + 13);
	assert_int_equal(rsp.flags, NETRXF_csum_blank | NETRXF_data_validated);
	assert_memory_equal(p + 42, "from the host", 13);
	close(s);
}

/* A front end that wants finished checksums gets them. */
static void test_no_csum(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT_GUEST) };
	struct netif_rx_response rsp;
	uint8_t mac[6], pseudo[12] = { 0 };
	const uint8_t *p;
	int s;

	(void)state;
	fake_write("vif", 0, "feature-no-csum-offload", "1");
	connect_nic();
	exchange_arp(mac);
	memcpy(&to.sin_addr, GUEST_ADDR, 4);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(sendto(s, "odd", 3, 0, (void *)&to, sizeof(to)), 3);
	p = next_frame(0x0800, &rsp);
	assert_int_equal(rsp.flags & NETRXF_csum_blank, 0);
	memcpy(pseudo, p + 26, 8);
	pseudo[9] = 17;
	put16(pseudo + 10, 11);
	assert_int_equal(reference_sum(reference_sum(0, pseudo, 12), p + 34, 11), 0xffff);
	close(s);
}

static void test_in_use(void **state)
{
	struct config config = fake->config;
	struct backend_bus *other;

	(void)state;
	assert_int_equal(backends_open(&config, &other), -EBUSY);
	snprintf(config.nic[0].ifname, sizeof(config.nic[0].ifname), "lo");
	assert_int_equal(backends_open(&config, &other), -EINVAL);
}

/* A name that was mistyped makes no interface. */
static void test_missing(void **state)
{
	struct config config = fake->config;
	struct backend_bus *other;

	(void)state;
	config.nic[0].create = false;
	assert_int_equal(backends_open(&config, &other), -EBUSY);
	snprintf(config.nic[0].ifname, sizeof(config.nic[0].ifname), "paravane1");
	assert_int_equal(backends_open(&config, &other), -ENODEV);
	assert_int_equal(if_nametoindex("paravane1"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_udp, setup_tap, teardown),
		cmocka_unit_test_setup_teardown(test_no_csum, setup_tap, teardown),
		cmocka_unit_test_setup_teardown(test_in_use, setup_tap, teardown),
		cmocka_unit_test_setup_teardown(test_missing, setup_tap, teardown),
	};

	if (access("/dev/net/tun", R_OK | W_OK) ||
	    unshare(getuid() ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET)) {
		printf("SKIP net_tap: takes /dev/net/tun and a network namespace: %s\n",
		       strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
