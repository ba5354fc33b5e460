# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# HVM guests on real Xen, for tests that run in dom0. Source after common.sh and guest.sh.
#
# A guest has no debug port there: its verdicts and marks arrive on its second serial line, whose file
# every restart of the domain truncates, so they are gathered from there.

XEN_HOST=10.79.0.1 # dom0's address on the bridge
XEN_LIMIT=${XEN_LIMIT:-240}

# xen_bridge: a bridge xenbr0 with dom0 on it, unless there is one
xen_bridge() {
	[ ! -e /sys/class/net/xenbr0 ] || return 0
	ip link add xenbr0 type bridge
	ip addr add $XEN_HOST/24 dev xenbr0
	ip link set xenbr0 up
}

# xen_emulated MODULE...: drivers of emulated devices, in $EMULATED as arguments of guest_initramfs; the
# guest's /lib/modules/emulated lists them in load order
xen_emulated() {
	local module kind file name
	EMULATED=(-f "$WORK/emulated:lib/modules/emulated")
	for module; do
		while read -r kind file _; do
			[ "$kind" = insmod ] || continue
			name=$(basename "$file" .ko)
			grep -qx "$name" "$WORK/emulated" 2>/dev/null && continue
			echo "$name" >>"$WORK/emulated"
			EMULATED+=(-f "$file:lib/modules/$name.ko")
		done < <(modprobe -d "${MODULES%/lib/modules/*}" -S "$(basename "$MODULES")" \
			--show-depends "$module")
	done
}

# xl_does COMMAND ARGUMENT...: xl does it; a verdict, and false if not
xl_does() {
	if timeout "$XEN_LIMIT" xl "$@" >&2; then
		echo "PASS xl $1"
	else
		echo "FAIL xl $1: exit status $?"
		return 1
	fi
}

# xen_create NAME VCPUS MEMORY_MIB APPEND [LINE...]: start a guest of $WORK/NAME.cpio; lines are added to
# its configuration
xen_create() {
	local name=$1 vcpus=$2 memory=$3 append=$4
	shift 4
	cat >"$WORK/$name.cfg" <<-CFG
		name = "$name"
		type = "hvm"
		memory = $memory
		vcpus = $vcpus
		kernel = "$KERNEL"
		ramdisk = "$WORK/$name.cpio.gz"
		cmdline = "quiet panic=-1 console=ttyS0 nopv guest.out=ttyS1 guest.paravane=unplug=disks,nics $append"
		serial = [ "file:$WORK/$name.console", "file:$WORK/$name.says" ]
		vga = "none"
		on_crash = "destroy"
	CFG
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$WORK/$name.cfg"
	# The device model hands kernel and initramfs over byte by byte: a second for each MiB, or more
	gzip -1 "$WORK/$name.cpio"
	: >"$WORK/$name.says"
	tail -n +1 -F "$WORK/$name.says" >"$WORK/$name.log" 2>/dev/null &
	xl create "$WORK/$name.cfg" >&2
}

# xen_mark NAME MARK [COUNT]: wait until the guest has told it (COUNT times); false if it does not
xen_mark() {
	local _
	for _ in $(seq $((XEN_LIMIT * 2))); do
		[ "$(grep -ac "paravane-mark: $2" "$WORK/$1.log")" -ge "${3-1}" ] && return
		sleep 0.5
	done
	echo "FAIL $1: waits for \"$2\": $(tail -n 1 "$WORK/$1.log")"
	tail -n 20 "$WORK/$1.console" "$WORK/$1.log" >&2
	xl dmesg | tail -n 5 >&2
	return 1
}

# xen_gone NAME: wait until the domain has ended
xen_gone() {
	local _
	for _ in $(seq $((XEN_LIMIT * 2))); do
		xl domid "$1" >/dev/null 2>&1 || return 0
		sleep 0.5
	done
	echo "FAIL $1 ends: it is still there"
	return 1
}
