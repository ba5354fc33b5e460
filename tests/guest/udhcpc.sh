#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What udhcpc calls: give the interface the lease.
case $1 in
deconfig)
	ip link set "$interface" up
	ip addr flush dev "$interface"
	;;
bound | renew)
	ip addr add "$ip/${mask:-24}" dev "$interface" 2>/dev/null
	[ -z "$router" ] || ip route replace default via "${router%% *}" dev "$interface"
	: >/etc/resolv.conf
	for server in $dns; do echo "nameserver $server" >>/etc/resolv.conf; done
	;;
esac
