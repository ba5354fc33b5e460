// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which checksums and segments the tap link finishes for a front end that takes only some of them
 * unfinished. The tap is a socket pair.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/net_tap.c"

#define PAYLOAD 5

static struct net_frame given;
static uint8_t given_data[256];
static unsigned int given_frames;

/* ---- what hv/net_tap.c needs ---- */

void net_rx_input(struct back_net *net, const struct net_frame *f)
{
	(void)net;
	given = *f;
	given_frames++;
	memcpy(given_data, f->data, f->len);
}

bool net_rx_busy(const struct back_net *net)
{
	(void)net;
	return given.len;
}

/* ---- tests ---- */

static unsigned int sum(const uint8_t *p, size_t n, unsigned int start)
{
	for (size_t i = 0; i < n; i++)
		start += i & 1 ? p[i] : p[i] << 8;
	while (start >> 16)
		start = (start & 0xffff) + (start >> 16);
	return start;
}

/* A UDP packet of @version with @tags before it, its checksum to be finished; its length */
static size_t build(struct virtio_net_hdr *hdr, uint8_t *p, const char *tags, size_t tags_len,
		    int version)
{
	static const uint8_t v4[20] = {
		0x45, 0, 0, 20 + 8 + PAYLOAD, [8] = 64, 17, [12] = 10, 0, 0, 1, 10, 0, 0, 2
	};
	static const uint8_t v6[40] = {
		0x60, [5] = 8 + PAYLOAD, 17, 64, [8] = 0xfd, [23] = 1, [24] = 0xfd, [39] = 2
	};
	static const uint8_t udp[8 + PAYLOAD] = { 1, 2, 3, 4, 0, 8 + PAYLOAD, 0, 0, 9, 8, 7, 6, 5 };
	const size_t ip_len = version == 6 ? sizeof(v6) : sizeof(v4);
	size_t at = 12 + tags_len, l4;
	uint16_t seed;

	memset(p, 2, 12);
	memcpy(p + 12, tags, tags_len);
	p[at++] = version == 6 ? 0x86 : version == 4 ? 0x08 : 0x88;
	p[at++] = version == 6 ? 0xdd : version == 4 ? 0x00 : 0x64;
	memcpy(p + at, version == 6 ? v6 : v4, ip_len);
	l4 = at + ip_len;
	memcpy(p + l4, udp, sizeof(udp));
	seed = version == 6 ? sum(p + at + 8, 32, 17 + sizeof(udp)) :
			      sum(p + at + 12, 8, 17 + sizeof(udp));
	p[l4 + 6] = seed >> 8;
	p[l4 + 7] = seed;
	*hdr = (struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					.csum_start = l4,
					.csum_offset = 6 };
	return l4 + sizeof(udp);
}

/* Finished, the sum over pseudo header and packet is all ones: what the seed left out comes back. */
static bool finished(const struct virtio_net_hdr *hdr, const uint8_t *before, size_t len)
{
	const uint8_t *field = before + hdr->csum_start + 6;
	unsigned int seed = field[0] << 8 | field[1];
	bool flagged = given.hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	unsigned int total = sum(given_data + hdr->csum_start, len - hdr->csum_start, seed);

	assert_int_equal(given.len, len);
	if (flagged)
		assert_memory_equal(given_data, before, len);
	else
		assert_int_equal(total, 0xffff);
	return !flagged;
}

static const struct {
	const char *tags;
	size_t len;
} taggings[] = {
	{ "", 0 },
	{ "\x81\x00\x00\x05", 4 },
	/* Priorities that look like the versions of IP, the wrong one and the right one */
	{ "\x81\x00\x60\x05", 4 },
	{ "\x81\x00\x40\x05", 4 },
	{ "\x88\xa8\x60\x07\x81\x00\x40\x05", 8 },
	{ "\x88\xa8\x40\x07\x81\x00\x60\x05", 8 },
};

/* @frame comes over the tap of a front end of @features. */
static void receive(unsigned int features, struct virtio_net_hdr *hdr, uint8_t *frame, size_t len)
{
	struct net_tap *tap = calloc(1, sizeof(*tap));
	struct pollfd fds = { .revents = POLLIN };
	struct iovec iov[] = { { hdr, sizeof(*hdr) }, { frame, len } };
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd), 0);
	tap->fd = fd[0];
	tap->features = features;
	given.len = 0;
	given_frames = 0;
	assert_int_equal(writev(fd[1], iov, 2), sizeof(*hdr) + len);
	assert_int_equal(tap_polled(&tap->link, &fds, 1), 1);
	close(fd[1]);
	tap_close(&tap->link);
}

static bool finishes(unsigned int features, unsigned int tagging, int version)
{
	uint8_t frame[sizeof(given_data)];
	struct virtio_net_hdr hdr;
	size_t len = build(&hdr, frame, taggings[tagging].tags, taggings[tagging].len, version);

	receive(features, &hdr, frame, len);
	assert_int_equal(given_frames, 1);
	return finished(&hdr, frame, len);
}

static void test_versions(void **state)
{
	(void)state;
	assert_false(finishes(NET_CSUM4, 0, 4));
	assert_true(finishes(NET_CSUM4, 0, 6));
	assert_true(finishes(NET_CSUM6, 0, 4));
	assert_false(finishes(NET_CSUM6, 0, 6));
	assert_true(finishes(0, 0, 4));
	assert_true(finishes(0, 0, 6));
	assert_false(finishes(NET_CSUM4 | NET_CSUM6, 0, 4));
	assert_false(finishes(NET_CSUM4 | NET_CSUM6, 0, 6));
}

/* No front end looks behind tags. */
static void test_tags(void **state)
{
	(void)state;
	for (unsigned int t = 1; t < ARRAY_SIZE(taggings); t++) {
		assert_true(finishes(NET_CSUM4 | NET_CSUM6, t, 4));
		assert_true(finishes(NET_CSUM4 | NET_CSUM6, t, 6));
		assert_true(finishes(0, t, 4));
	}
}

/* A TCP packet of 40 bytes to be cut after every 16 */
static void test_segments(void **state)
{
	static const uint8_t plain[94] = {
		[12] = 0x08, [14] = 0x45, [17] = 80, [23] = 6, [46] = 0x50,
	};
	struct virtio_net_hdr hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				      .csum_start = 34,
				      .csum_offset = 16,
				      .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
				      .gso_size = 16 };
	uint8_t frame[sizeof(plain) + 4];

	(void)state;
	memcpy(frame, plain, sizeof(plain));
	receive(NET_CSUM4 | NET_TSO4, &hdr, frame, sizeof(plain));
	assert_int_equal(given_frames, 1);
	assert_memory_equal(given_data, plain, sizeof(plain));
	assert_int_equal(given.hdr.gso_size, 16);

	memcpy(frame + 12, "\x81\x00\x00\x05", 4);
	memcpy(frame + 16, plain + 12, sizeof(plain) - 12);
	hdr.csum_start += 4;
	receive(NET_CSUM4 | NET_TSO4, &hdr, frame, sizeof(frame));
	assert_int_equal(given_frames, 3);
	assert_int_equal(given.len, 4 + 54 + 8);
	assert_int_equal(given.hdr.gso_type, 0);
	assert_int_equal(given.hdr.flags, VIRTIO_NET_HDR_F_DATA_VALID);
}

/* No front end looks for a checksum in what is not IP. */
static void test_not_ip(void **state)
{
	(void)state;
	for (unsigned int t = 0; t < ARRAY_SIZE(taggings); t++)
		assert_true(finishes(NET_CSUM4 | NET_CSUM6, t, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_not_ip),
		cmocka_unit_test(test_segments),
	};

	return cmocka_run_group_tests_name("net_tap_csum", tests, NULL, NULL);
}
