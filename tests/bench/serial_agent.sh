# SPDX-License-Identifier: GPL-2.0-or-later
# A guest that does what the host says over the serial line (sourced by init.sh). "!NAME TEXT" keeps TEXT as a step,
# "NAME" runs it. The answer is "@STATUS OUTPUT", compressed and in base64. While a step runs the line is closed.

# Linux finds SCSI disks in any order: what is no file system is the disk under test
mount_programs() {
	mount -t ext4 -o ro "$tools" /mnt && return
	mv "$disk" /dev/other && mv "$tools" "$disk" && mv /dev/other "$tools"
	mount -t ext4 -o ro "$tools" /mnt
}

line=/dev/$(param bench.line)
disk=$(param bench.disk) tools=$(param bench.tools) address=$(param bench.address)
if [ -n "$disk" ]; then
	wait_for "$disk" "$tools"
	check "mount the programs" mount_programs
	ln -s /mnt/lib /lib64
	export LD_LIBRARY_PATH=/mnt/lib PATH=$PATH:/mnt/bin
fi
if [ -n "$address" ]; then
	wait_for /sys/class/net/eth0
	ip link set lo up
	ip link set eth0 up
	check "network address" ip addr add "$address/24" dev eth0
fi

mkdir /tmp/steps
status=0
: >/tmp/said
while :; do
	gzip -c /tmp/said | base64 | tr -d '\n' >/tmp/answer
	exec 3<>"$line"
	stty raw -echo 115200 <&3
	printf '@%s %s\n' "$status" "$(cat /tmp/answer)" >&3
	read -r step text <&3 || break
	exec 3>&-
	case $step in
	!*)
		printf '%s\n' "$text" >"/tmp/steps/${step#!}"
		: >/tmp/said
		status=0
		;;
	*)
		sh "/tmp/steps/$step" >/tmp/said 2>&1
		status=$?
		;;
	esac
done
