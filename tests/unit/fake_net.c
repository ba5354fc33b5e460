// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/fake_net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct backend_bus *bus;
struct pair_link *pair;
struct ring_front tx, rx;
unsigned int rx_posted;
struct wire sent;
const struct virtio_net_hdr plain;

/* ---- the link ---- */

static struct net_link_ops pair_ops;

static int pair_connect(struct net_link *link, unsigned int features)
{
	((struct pair_link *)link)->features = features;
	return 0;
}

static int pair_send(struct net_link *link, struct net_frame *f)
{
	static struct wire w;

	w.hdr = f->hdr;
	memcpy(w.data, f->data, f->len);
	return send(((struct pair_link *)link)->ours, &w, sizeof(w.hdr) + f->len, MSG_DONTWAIT) <
			       0 ?
		       -errno :
		       0;
}

static int pair_poll(struct net_link *link, struct pollfd *fds, unsigned int max, int *timeout)
{
	(void)max;
	(void)timeout;
	fds[0] = (struct pollfd){ .fd = ((struct pair_link *)link)->ours, .events = POLLIN };
	return 1;
}

static int pair_polled(struct net_link *link, const struct pollfd *fds, unsigned int n)
{
	static struct wire w;
	ssize_t got;
	int done = 0;

	(void)fds;
	(void)n;
	while ((got = recv(((struct pair_link *)link)->ours, &w, sizeof(w), MSG_DONTWAIT)) > 0) {
		struct net_frame f = { w.hdr, w.data, got - sizeof(w.hdr) };

		net_rx_input(link->net, &f);
		done++;
	}
	return done;
}

static void pair_close(struct net_link *link)
{
	struct pair_link *p = (struct pair_link *)link;

	close(p->ours);
	close(p->theirs);
	free(p);
}

static struct net_link_ops pair_ops = {
	.connect = pair_connect,
	.send = pair_send,
	.poll = pair_poll,
	.polled = pair_polled,
	.close = pair_close,
};

/* The real one takes its place where that is tested. */
__attribute__((weak)) int net_tap_open(const struct nic_config *cfg, struct net_link **link)
{
	const int size = 4 << 20;
	int fd[2];

	(void)cfg;
	pair = calloc(1, sizeof(*pair));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	pair->ours = fd[0];
	pair->theirs = fd[1];
	setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	pair->link.ops = &pair_ops;
	*link = &pair->link;
	return 0;
}

/* ---- the front end ---- */

static int setup_as(void **state, enum nic_type type, bool offload)
{
	unsigned int i;

	if (fake_setup(state))
		return -1;
	pair_ops.offload = offload;
	fake->config.nr_nics = 1;
	fake->config.nic[0] = (struct nic_config){
		.type = type, .ifname = "paravane0", .create = true, .mac = { 2, 0, 0, 0, 0, 1 }
	};
	for (i = 0; i < DATA_PAGES; i++)
		fake->grant[DATA + i] = GRANT_READ;
	for (i = 0; i < ROOM_PAGES; i++)
		fake->grant[ROOM + i] = GRANT_WRITE;
	fake->grant[TX_REF] = GRANT_WRITE;
	fake->grant[RX_REF] = GRANT_WRITE;
	fake->grant[READ_ONLY] = GRANT_READ;
	assert_int_equal(backends_open(&fake->config, &bus), 0);
	return backends_start(&fake->domain, bus);
}

int setup(void **state)
{
	return setup_as(state, NIC_TAP, true);
}

int setup_plain(void **state)
{
	return setup_as(state, NIC_TAP, false);
}

int setup_user(void **state)
{
	return setup_as(state, NIC_USER, false);
}

int teardown(void **state)
{
	backends_destroy(bus);
	return fake_teardown(state);
}

void publish_rings(void)
{
	fake_wait_back("vif", 0, 2);
	ring_front_init(&tx, fake->page[TX_REF], PAGE_SIZE, RING_FORMAT(netif_tx));
	ring_front_init(&rx, fake->page[RX_REF], PAGE_SIZE, RING_FORMAT(netif_rx));
	rx_posted = 0;
	fake_write("vif", 0, "tx-ring-ref", "%u", TX_REF);
	fake_write("vif", 0, "rx-ring-ref", "%u", RX_REF);
	fake_write("vif", 0, "event-channel-tx", "%u", TX_PORT);
	fake_write("vif", 0, "event-channel-rx", "%u", RX_PORT);
	fake_write("vif", 0, "request-rx-copy", "1");
}

void connect_nic(void)
{
	publish_rings();
	fake_write("vif", 0, "feature-rx-notify", "1");
	fake_write("vif", 0, "feature-sg", "1");
	fake_write("vif", 0, "feature-gso-tcpv4", "1");
	fake_write("vif", 0, "feature-gso-tcpv6", "1");
	fake_write("vif", 0, "feature-ipv6-csum-offload", "1");
	fake_state("vif", 0, 4);
	fake_wait_back("vif", 0, 4);
}

void post_room(unsigned int nr)
{
	while (nr--) {
		struct netif_rx_request req = { .id = rx_posted,
						.gref = ROOM + rx_posted % ROOM_PAGES };

		assert_int_equal(ring_put_request(&rx, &req), 0);
		rx_posted++;
	}
	if (ring_push_requests(&rx))
		fake_send(RX_PORT);
}

void put_slot(uint16_t id, grant_ref_t ref, uint16_t offset, uint16_t size, uint16_t flags)
{
	struct netif_tx_request req = { ref, offset, flags, id, size };

	assert_int_equal(ring_put_request(&tx, &req), 0);
}

void put_extra(struct netif_extra_info extra)
{
	assert_int_equal(ring_put_request(&tx, &extra), 0);
}

void push_tx(void)
{
	if (ring_push_requests(&tx))
		fake_send(TX_PORT);
}

static bool tx_answered(void *arg)
{
	(void)arg;
	return ring_unconsumed_responses(&tx) != 0;
}

static bool rx_answered(void *arg)
{
	(void)arg;
	return ring_unconsumed_responses(&rx) != 0;
}

void expect_tx(uint16_t id, int16_t status)
{
	struct netif_tx_response rsp;

	if (!ring_final_check_responses(&tx))
		fake_wait(tx_answered, NULL, "tx response");
	assert_int_equal(ring_copy_response(&tx, &rsp), 0);
	assert_int_equal(rsp.status, status);
	if (status != NETIF_RSP_NULL)
		assert_int_equal(rsp.id, id);
}

struct netif_rx_response get_rx(void)
{
	struct netif_rx_response rsp;

	if (!ring_final_check_responses(&rx))
		fake_wait(rx_answered, NULL, "rx response");
	assert_int_equal(ring_copy_response(&rx, &rsp), 0);
	return rsp;
}

/* The frame that reached the link; the answer to its packet was seen, so it is there. */
size_t sent_frame(void)
{
	ssize_t n = recv(pair->theirs, &sent, sizeof(sent), MSG_DONTWAIT);

	return n < 0 ? 0 : n - sizeof(sent.hdr);
}

void inject(const struct virtio_net_hdr *hdr, const void *data, size_t len)
{
	static struct wire w;

	w.hdr = *hdr;
	memcpy(w.data, data, len);
	assert_int_equal(send(pair->theirs, &w, sizeof(w.hdr) + len, 0), sizeof(w.hdr) + len);
}

void fill_pages(void)
{
	uint8_t *p = fake->page[DATA];
	size_t i;

	for (i = 0; i < DATA_PAGES * PAGE_SIZE; i++)
		p[i] = random();
}

/* A good packet still gets through, and nothing is left mapped. */
void still_alive(void)
{
	put_slot(4242, DATA, 0, 60, 0);
	push_tx();
	expect_tx(4242, NETIF_RSP_OKAY);
	assert_int_equal(sent_frame(), 60);
	assert_memory_equal(sent.data, fake->page[DATA], 60);
	assert_int_equal(sent_frame(), 0);
	assert_int_equal(fake_in_use(), 4); /* two rings, two ports */
}

void put16(uint8_t *p, unsigned int v)
{
	p[0] = v >> 8;
	p[1] = v;
}

/* An independent, slow sum. */
unsigned int reference_sum(unsigned int sum, const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}
