// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The user-mode network: a TCP/IP stack (libslirp) that turns the guest's connections into
 * sockets of this process. It needs no privilege and no set-up.
 *
 *	guest 10.0.2.15 by DHCP, router and host's loopback 10.0.2.2, DNS 10.0.2.3; IPv4, outbound,
 *	and inbound where a port of the host is forwarded
 *
 * libslirp takes and gives whole frames with checksums, so nothing is offloaded. After it is made
 * all calls come from the queue's thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <slirp/libslirp.h>

#include "hv/back_net.h"
#include "hv/config.h"
#include "hv/log.h"

struct net_user;

struct user_timer {
	struct user_timer *next;
	SlirpTimerCb fn;
	void *opaque;
	int64_t expires; /* ms, -1 while it does not run */
};

struct net_user {
	struct net_link link;
	Slirp *slirp;
	struct user_timer *timers;
	bool filled;

	/* Only during poll and polled */
	struct pollfd *fds;
	const struct pollfd *ready;
	unsigned int nr_fds, max_fds;
};

static int64_t user_clock_ns(void *opaque)
{
	struct timespec ts;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int64_t now_ms(void)
{
	return user_clock_ns(NULL) / 1000000;
}

static ssize_t user_receive(const void *buf, size_t len, void *opaque)
{
	struct net_user *user = opaque;
	struct net_frame f = {
		/* Made on this host: nothing on the way could have spoilt it. */
		.hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID,
		.data = (uint8_t *)buf,
		.len = len,
	};

	net_rx_input(user->link.net, &f);
	return len;
}

static void user_guest_error(const char *msg, void *opaque)
{
	(void)opaque;
	pr_once(LOG_LEVEL_WARN, "user-mode network: %s", msg);
}

static void *user_timer_new(SlirpTimerCb fn, void *cb_opaque, void *opaque)
{
	struct net_user *user = opaque;
	struct user_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->fn = fn;
	t->opaque = cb_opaque;
	t->expires = -1;
	t->next = user->timers;
	user->timers = t;
	return t;
}

static void user_timer_free(void *timer, void *opaque)
{
	struct net_user *user = opaque;
	struct user_timer **at = &user->timers;

	while (*at && *at != timer)
		at = &(*at)->next;
	if (*at)
		*at = (*at)->next;
	free(timer);
}

static void user_timer_mod(void *timer, int64_t expires, void *opaque)
{
	struct user_timer *t = timer;

	(void)opaque;
	if (t)
		t->expires = expires;
}

/* Its sockets are listed anew for each wait, and that happens on this very thread. */
static void user_fd_nop(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void user_notify_nop(void *opaque)
{
	(void)opaque;
}

static const struct {
	int slirp;
	short poll;
} events[] = {
	{ SLIRP_POLL_IN, POLLIN },   { SLIRP_POLL_OUT, POLLOUT }, { SLIRP_POLL_PRI, POLLPRI },
	{ SLIRP_POLL_ERR, POLLERR }, { SLIRP_POLL_HUP, POLLHUP },
};

static int user_add_poll(int fd, int wanted, void *opaque)
{
	struct net_user *user = opaque;
	short mask = 0;
	unsigned int i;

	if (user->nr_fds == user->max_fds)
		return -1;
	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (wanted & events[i].slirp)
			mask |= events[i].poll;
	user->fds[user->nr_fds] = (struct pollfd){ .fd = fd, .events = mask };
	return user->nr_fds++;
}

static int user_get_revents(int index, void *opaque)
{
	const struct net_user *user = opaque;
	int found = 0;
	unsigned int i;

	if (index < 0 || (unsigned int)index >= user->nr_fds)
		return 0;
	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (user->ready[index].revents & events[i].poll)
			found |= events[i].slirp;
	return found;
}

static void lower_timeout(int *timeout, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	if (*timeout < 0 || ms < *timeout)
		*timeout = ms;
}

static int user_poll(struct net_link *link, struct pollfd *fds, unsigned int max, int *timeout)
{
	struct net_user *user = container_of(link, struct net_user, link);
	const struct user_timer *t;
	uint32_t wait = UINT32_MAX;

	user->filled = false;
	/* While the guest has no room nothing is read from the sockets, so TCP slows down. */
	if (net_rx_busy(link->net))
		return 0;
	user->fds = fds;
	user->nr_fds = 0;
	user->max_fds = max;
	slirp_pollfds_fill(user->slirp, &wait, user_add_poll, user);
	user->filled = true;
	if (wait <= INT32_MAX)
		lower_timeout(timeout, wait);
	for (t = user->timers; t; t = t->next)
		if (t->expires >= 0)
			lower_timeout(timeout, t->expires - now_ms());
	return user->nr_fds;
}

static int user_polled(struct net_link *link, const struct pollfd *fds, unsigned int n)
{
	struct net_user *user = container_of(link, struct net_user, link);
	struct user_timer *t, *next;

	(void)n;
	if (!user->filled)
		return 0;
	user->ready = fds;
	slirp_pollfds_poll(user->slirp, 0, user_get_revents, user);
	for (t = user->timers; t; t = next) {
		next = t->next;
		if (t->expires < 0 || t->expires > now_ms())
			continue;
		t->expires = -1;
		t->fn(t->opaque);
	}
	return 0;
}

static int user_send(struct net_link *link, struct net_frame *f)
{
	struct net_user *user = container_of(link, struct net_user, link);

	slirp_input(user->slirp, f->data, f->len);
	return 0;
}

static void user_close(struct net_link *link)
{
	struct net_user *user = container_of(link, struct net_user, link);

	slirp_cleanup(user->slirp);
	while (user->timers)
		user_timer_free(user->timers, user);
	free(user);
}

static const struct net_link_ops user_ops = {
	.send = user_send,
	.poll = user_poll,
	.polled = user_polled,
	.close = user_close,
};

static const SlirpCb callbacks = {
	.send_packet = user_receive,
	.guest_error = user_guest_error,
	.clock_get_ns = user_clock_ns,
	.timer_new = user_timer_new,
	.timer_free = user_timer_free,
	.timer_mod = user_timer_mod,
	.register_poll_fd = user_fd_nop,
	.unregister_poll_fd = user_fd_nop,
	.notify = user_notify_nop,
};

static int user_forward(Slirp *slirp, const SlirpConfig *net, const struct host_forward *forward)
{
	const struct in_addr from = { forward->host }, to = { forward->guest };
	char host[INET_ADDRSTRLEN], guest[INET_ADDRSTRLEN];
	int err;

	inet_ntop(AF_INET, &forward->host, host, sizeof(host));
	inet_ntop(AF_INET, &forward->guest, guest, sizeof(guest));
	if (forward->guest && (forward->guest & net->vnetmask.s_addr) != net->vnetwork.s_addr) {
		pr_err("user-mode network: cannot forward to %s, the guest's addresses are 10.0.2.x",
		       guest);
		return -EINVAL;
	}
	if (!slirp_add_hostfwd(slirp, forward->udp, from, forward->host_port, to,
			       forward->guest_port))
		return 0;
	err = errno ? -errno : -EIO;
	pr_err("user-mode network: cannot listen on %s port %s:%u: %s",
	       forward->udp ? "UDP" : "TCP", host, forward->host_port, strerror(-err));
	return err;
}

int net_user_open(const struct nic_config *cfg, struct net_link **link)
{
	struct net_user *user = calloc(1, sizeof(*user));
	SlirpConfig slirp = {
		.version = 1,
		.in_enabled = true,
		.vnetwork.s_addr = htonl(0x0a000200),
		.vnetmask.s_addr = htonl(0xffffff00),
		.vhost.s_addr = htonl(0x0a000202),
		.vnameserver.s_addr = htonl(0x0a000203),
		.vdhcp_start.s_addr = htonl(0x0a00020f),
	};
	unsigned int i;
	int err;

	if (!user)
		return -ENOMEM;
	user->link.ops = &user_ops;
	user->slirp = slirp_new(&slirp, &callbacks, user);
	if (!user->slirp) {
		pr_err("user-mode network: cannot be started");
		free(user);
		return -ENOMEM;
	}
	for (i = 0; i < cfg->nr_forwards; i++) {
		err = user_forward(user->slirp, &slirp, &cfg->forward[i]);
		if (err) {
			user_close(&user->link);
			return err;
		}
	}
	*link = &user->link;
	return 0;
}
