# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The Debian guest, where /dev/kvm works. Source after common.sh; tests/guest/debian_image made its files.

DEBIAN=$B/debian

# debian_arguments ADDRESS:PORT VCPUS: the arguments of paravane run in $ARGUMENTS, but for the disk and the console.
# Who connects to ADDRESS:PORT gets sshd.
debian_arguments() {
	ARGUMENTS=(--name debian --kernel "$DEBIAN/vmlinuz" --initrd "$DEBIAN/initrd"
		--append "root=/dev/xvda ro quiet pci=off console=ttyS0" --memory 1G --vcpus "$2"
		--net "user,hostfwd=tcp:$1-:22")
}

# debian_ssh_config ADDRESS PORT: what ssh -F needs to know to find the host debian
debian_ssh_config() {
	printf '%s\n' "Host debian" "	HostName $1" "	Port $2" "	User root" "	HostKeyAlias debian" \
		"	IdentityFile \"$DEBIAN/key\"" "	IdentitiesOnly yes" \
		"	UserKnownHostsFile \"$DEBIAN/known_hosts\"" "	StrictHostKeyChecking yes"
}

# debian_wait CONFIG PID SECONDS: until sshd lets us in; fails when process PID ends before
debian_wait() {
	local end=$((SECONDS + $3))
	until ssh -F "$1" -o ConnectTimeout=10 -o LogLevel=ERROR debian true 2>/dev/null; do
		kill -0 "$2" 2>/dev/null && [ $SECONDS -lt $end ] || return 1
		sleep 1
	done
}
