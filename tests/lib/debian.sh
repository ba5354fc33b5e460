# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The Debian guest, where /dev/kvm works. Source after common.sh; tests/guest/debian_image made its files.

DEBIAN=$B/debian

# debian_arguments PROFILE ADDRESS:PORT VCPUS: the arguments of paravane run in $ARGUMENTS, but for the disk and the
# console. Who connects to ADDRESS:PORT gets sshd.
debian_arguments() {
	local console=ttyS0
	[ "$1" != xen ] || console=hvc0
	ARGUMENTS=(--name debian --profile "$1" --kernel "$DEBIAN/vmlinuz" --initrd "$DEBIAN/initrd-$1"
		--append "root=/dev/xvda ro quiet pci=off console=$console" --memory 1G --vcpus "$3"
		--net "user,hostfwd=tcp:$2-:22")
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
