// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tap interface of the host, with virtio_net_hdr so that checksums and segments pass through
 * unfinished.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hv/back_net.h"
#include "hv/config.h"
#include "hv/log.h"

/* Frames read in a row before the guest's packets get their turn. */
#define TAP_BATCH 64

struct net_tap {
	struct net_link link;
	int fd;
	unsigned int features;
	uint8_t buf[NET_FRAME_MAX];
	uint8_t segment[NET_FRAME_MAX];
};

static int tap_connect(struct net_link *link, unsigned int features)
{
	struct net_tap *tap = container_of(link, struct net_tap, link);
	unsigned int offload = 0;

	tap->features = features;
	if (features & (NET_CSUM4 | NET_CSUM6))
		offload |= TUN_F_CSUM;
	if (features & NET_TSO4)
		offload |= TUN_F_TSO4;
	if (features & NET_TSO6)
		offload |= TUN_F_TSO6;
	return ioctl(tap->fd, TUNSETOFFLOAD, (unsigned long)offload) ? -errno : 0;
}

static int tap_send(struct net_link *link, struct net_frame *f)
{
	struct net_tap *tap = container_of(link, struct net_tap, link);
	const struct iovec iov[] = {
		{ .iov_base = &f->hdr, .iov_len = sizeof(f->hdr) },
		{ .iov_base = f->data, .iov_len = f->len },
	};

	return writev(tap->fd, iov, ARRAY_SIZE(iov)) < 0 ? -errno : 0;
}

static void finish_csum(struct net_frame *f)
{
	size_t start = f->hdr.csum_start, end = start + f->hdr.csum_offset + 2;

	if (!(f->hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || end > f->len)
		return;
	net_csum_fill(f->data, start, f->len, f->hdr.csum_offset);
	f->hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID;
}

/*
 * The kernel's offload flags cover IPv4 and IPv6 alike, and what is in a VLAN; the front end may
 * want only one of them, and looks for headers nowhere but behind the Ethernet header.
 */
static void tap_input(struct net_tap *tap, struct net_frame *f)
{
	static const unsigned int wanted[] = { [4] = NET_CSUM4, [6] = NET_CSUM6 };
	size_t l3 = 0;
	unsigned int version = net_ip_version(f->data, f->len, &l3);
	bool tagged = l3 > NET_ETH_HLEN;

	if (tagged && f->hdr.gso_type) {
		net_segment(f, tap->segment, net_rx_input, tap->link.net);
		return;
	}
	if (tagged || !(tap->features & wanted[version]))
		finish_csum(f);
	net_rx_input(tap->link.net, f);
}

static int tap_poll(struct net_link *link, struct pollfd *fds, unsigned int max, int *timeout)
{
	const struct net_tap *tap = container_of(link, struct net_tap, link);

	(void)max;
	(void)timeout;
	/* While the guest has no room frames stay in the kernel's queue, which is bounded. */
	if (net_rx_busy(link->net))
		return 0;
	fds[0] = (struct pollfd){ .fd = tap->fd, .events = POLLIN };
	return 1;
}

static int tap_polled(struct net_link *link, const struct pollfd *fds, unsigned int n)
{
	struct net_tap *tap = container_of(link, struct net_tap, link);
	unsigned int i;

	if (!n || !(fds[0].revents & POLLIN))
		return 0;
	for (i = 0; i < TAP_BATCH && !net_rx_busy(link->net); i++) {
		struct net_frame f = { .data = tap->buf };
		const struct iovec iov[] = {
			{ .iov_base = &f.hdr, .iov_len = sizeof(f.hdr) },
			{ .iov_base = tap->buf, .iov_len = sizeof(tap->buf) },
		};
		ssize_t got = readv(tap->fd, iov, ARRAY_SIZE(iov));

		if (got <= (ssize_t)sizeof(f.hdr))
			break;
		f.len = got - sizeof(f.hdr);
		tap_input(tap, &f);
	}
	return i;
}

static void tap_close(struct net_link *link)
{
	struct net_tap *tap = container_of(link, struct net_tap, link);

	close(tap->fd);
	free(tap);
}

static const struct net_link_ops tap_ops = {
	.offload = true,
	.connect = tap_connect,
	.send = tap_send,
	.poll = tap_poll,
	.polled = tap_polled,
	.close = tap_close,
};

/* Best effort: who made the interface beforehand may not let us, and has it up. */
static void tap_up(const char *ifname)
{
	struct ifreq ifr = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	if (!ioctl(fd, SIOCGIFFLAGS, &ifr) && !(ifr.ifr_flags & IFF_UP)) {
		ifr.ifr_flags |= IFF_UP;
		if (ioctl(fd, SIOCSIFFLAGS, &ifr))
			pr_warn("tap '%s' is down: %s", ifname, strerror(errno));
	}
	close(fd);
}

static int tap_error(const char *ifname, const char *what, int err)
{
	pr_err("tap '%s': %s: %s", ifname, what, strerror(-err));
	return err;
}

static int tap_attach(int fd, const char *ifname, bool create)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int size = sizeof(struct virtio_net_hdr);

	/* TUNSETIFF would make an interface of whatever name was mistyped. */
	if (!create && !if_nametoindex(ifname)) {
		pr_err("tap '%s' does not exist (--net tap=%s,create makes it for this run)",
		       ifname, ifname);
		return -ENODEV;
	}
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	if (ioctl(fd, TUNSETIFF, &ifr)) {
		switch (errno) {
		case EBUSY:
			return tap_error(ifname, "in use by another program", -EBUSY);
		case EPERM:
			return tap_error(ifname, "to use it takes its owner, to create it root",
					 -EPERM);
		default:
			return tap_error(ifname, "cannot be used as a tap", -errno);
		}
	}
	if (ioctl(fd, TUNSETVNETHDRSZ, &size) || ioctl(fd, TUNSETOFFLOAD, 0UL))
		return tap_error(ifname, "has no virtio headers", -errno);
	return 0;
}

int net_tap_open(const struct nic_config *cfg, struct net_link **link)
{
	struct net_tap *tap;
	int err, fd;

	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return tap_error(cfg->ifname, "/dev/net/tun (the host's module tun)", -errno);
	err = tap_attach(fd, cfg->ifname, cfg->create);
	tap = err ? NULL : calloc(1, sizeof(*tap));
	if (!tap) {
		close(fd);
		return err ? err : -ENOMEM;
	}
	tap_up(cfg->ifname);
	tap->fd = fd;
	tap->link.ops = &tap_ops;
	*link = &tap->link;
	return 0;
}
