// SPDX-License-Identifier: GPL-2.0-or-later
/* What --net says about one network interface. */
#include "hv/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/log.h"

static int parse_tap(struct nic_config *nic, const char *value)
{
	const char *name = value + strlen("tap=");
	size_t len = strcspn(name, ",");

	if (name[len] && strcmp(name + len, ",create")) {
		pr_err("--net %s: unknown option %s (create)", value, name + len + 1);
		return -EINVAL;
	}
	if (!len || len >= IFNAMSIZ || strcspn(name, "/% ") < len) {
		pr_err("--net %s: a tap's name has 1 to %d characters, no '/', '%%', ',' or space",
		       value, IFNAMSIZ - 1);
		return -EINVAL;
	}
	nic->type = NIC_TAP;
	nic->create = name[len];
	snprintf(nic->ifname, sizeof(nic->ifname), "%.*s", (int)len, name);
	return 0;
}

static int parse_address(const char *value, const char *text, uint32_t *address)
{
	if (!*text || inet_pton(AF_INET, text, address) == 1)
		return 0;
	pr_err("--net %s: %s is not an IPv4 address", value, text);
	return -EINVAL;
}

static int parse_port(const char *value, const char *text, uint16_t *port)
{
	unsigned long long n;
	const char *end;

	if (config_number(text, &n, &end) || *end || n < 1 || n > UINT16_MAX) {
		pr_err("--net %s: \"%s\" is not a port (1 to %d)", value, text, UINT16_MAX);
		return -EINVAL;
	}
	*port = n;
	return 0;
}

/* [tcp|udp]:[HOST]:PORT-[GUEST]:PORT, as QEMU spells it; @text is cut up */
static int parse_forward(struct nic_config *nic, const char *value, char *text)
{
	struct host_forward *forward = &nic->forward[nic->nr_forwards];
	const char *protocol = strsep(&text, ":");
	const char *host = strsep(&text, ":");
	const char *host_port = strsep(&text, "-");
	const char *guest = strsep(&text, ":");

	if (!text) {
		pr_err("--net %s: a forwarding is hostfwd=[tcp|udp]:[HOST]:PORT-[GUEST]:PORT",
		       value);
		return -EINVAL;
	}
	if (nic->nr_forwards == CONFIG_MAX_FORWARDS) {
		pr_err("--net %s: at most %d forwardings", value, CONFIG_MAX_FORWARDS);
		return -EINVAL;
	}
	forward->udp = !strcmp(protocol, "udp");
	if (*protocol && !forward->udp && strcmp(protocol, "tcp")) {
		pr_err("--net %s: %s is neither tcp nor udp", value, protocol);
		return -EINVAL;
	}
	if (parse_address(value, host, &forward->host) ||
	    parse_port(value, host_port, &forward->host_port) ||
	    parse_address(value, guest, &forward->guest) ||
	    parse_port(value, text, &forward->guest_port))
		return -EINVAL;
	nic->nr_forwards++;
	return 0;
}

static int parse_user(struct nic_config *nic, const char *value)
{
	char *copy = strdup(value), *rest = copy, *option;
	int ret = copy ? 0 : -ENOMEM;

	nic->type = NIC_USER;
	strsep(&rest, ",");
	while (!ret && (option = strsep(&rest, ","))) {
		if (!strncmp(option, "hostfwd=", 8)) {
			ret = parse_forward(nic, value, option + 8);
		} else {
			pr_err("--net %s: unknown option %s (hostfwd=...)", value, option);
			ret = -EINVAL;
		}
	}
	free(copy);
	return ret;
}

int config_parse_nic(struct nic_config *nic, const char *value)
{
	*nic = (struct nic_config){ 0 };
	if (!strncmp(value, "tap=", 4))
		return parse_tap(nic, value);
	if (!strcmp(value, "user") || !strncmp(value, "user,", 5))
		return parse_user(nic, value);
	pr_err("--net %s: unknown network (user[,hostfwd=...], tap=IFACE[,create] or none)", value);
	return -EINVAL;
}
