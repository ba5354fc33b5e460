# SPDX-License-Identifier: GPL-2.0-or-later
# A guest that does what the host tells it (sourced by init.sh): it asks for a step, which is a shell script,
# and tells what came of it, until there are no more. Programs are on the second disk.

server=$(param bench.server)
wait_for /dev/xvda /dev/xvdb /sys/class/net/eth0
check "mount the programs" mount -t ext4 -o ro /dev/xvdb /mnt
ln -s /mnt/lib /lib64
export LD_LIBRARY_PATH=/mnt/lib PATH=/mnt/bin:$PATH
ip link set eth0 up
check "network address" ip addr add "$(param bench.address)/24" dev eth0

while wget -q -O /tmp/step "http://$server/step"; do
	sh /tmp/step >/tmp/said 2>&1
	echo "status $?" >>/tmp/said
	pvguest put "${server%:*}" "${server#*:}" /tmp/said || break
done
