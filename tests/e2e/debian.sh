#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# debian.sh kvm|xen: a real Debian on a PV disk, up to multi-user, over ssh and down again. The drivers are our
# modules from the initramfs that our hook made (kvm), or the kernel's own Xen drivers with no module of ours (xen).
set -u

. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/debian.sh"

PORT=2222
BOOT_LIMIT=300
OFF_LIMIT=60
PROMPT_LIMIT=60

profile=$1
WORK=$(mktemp -d)
[ -e "$DEBIAN/root.img" ] || skip "there is no root file system (make debian makes it, as root)"

inside() { ssh -F "$WORK/ssh" -o ConnectTimeout=10 debian "$@"; }

# running: nothing failed on the way up; else what
running() {
	local state
	state=$(inside systemctl is-system-running --wait)
	[ "$state" = running ] || { echo "$state: $(inside systemctl --failed --plain --no-legend | tr '\n' ';')" && return 1; }
}

root_is() { [ "$(inside findmnt -n -o SOURCE /)" = "$1" ]; }
driver_is() { [ "$(inside basename "\$(readlink -f /sys/class/$1/device/driver/module)")" = "$2" ]; }
# lacks REGEX COMMAND...: the command, in the guest, does not say that
lacks() {
	local regex=$1 out
	shift
	out=$(inside "$@") && ! grep -E "$regex" <<<"$out"
}
there_and_back() {
	head -c 1M /dev/urandom >"$WORK/data"
	inside "tee /root/data | sha256sum" <"$WORK/data" >"$WORK/sum" && sha256sum <"$WORK/data" | cmp - "$WORK/sum" &&
		inside cat /root/data | cmp - "$WORK/data"
}
password_refused() {
	ssh -F "$WORK/ssh" -o ControlPath=none -o PubkeyAuthentication=no -o BatchMode=yes debian true 2>&1 | tee /dev/stderr |
		grep -q 'Permission denied (publickey)'
}
# The system may be running a moment before it
login_prompt() {
	timeout $PROMPT_LIMIT sh -c 'until grep -aq "debian login:" "$0"; do sleep 0.5; done' "$WORK/console.log" ||
		{ echo "not in $PROMPT_LIMIT s: $(tail -n 1 "$WORK/console.log")" && return 1; }
}
powers_off() {
	inside systemctl poweroff
	timeout $OFF_LIMIT tail --pid=$guest -s 0.2 -f /dev/null || { echo "still there after $OFF_LIMIT s" && return 1; }
}

cp --sparse=always "$DEBIAN/root.img" "$SCRATCH/root.img"
debian_arguments "$profile" "127.0.0.1:$PORT" 1
debian_ssh_config 127.0.0.1 $PORT >"$WORK/ssh"
# One connection for all: where KVM is emulated each takes seconds
printf '	%s\n' "ControlMaster auto" "ControlPersist yes" "ControlPath $WORK/%C" >>"$WORK/ssh"
start=$SECONDS
"$B/paravane" run "${ARGUMENTS[@]}" --disk "$SCRATCH/root.img" --console "file=$WORK/console.log" >"$WORK/run.log" 2>&1 &
guest=$!
trap 'kill $guest 2>/dev/null; kill $guest 2>/dev/null; rm -rf "$WORK" "$SCRATCH/root.img"' EXIT
if ! debian_wait "$WORK/ssh" $guest $BOOT_LIMIT; then
	echo "FAIL ssh into the guest: not in $BOOT_LIMIT s"
	cat "$WORK/console.log" "$WORK/run.log" | tail -n 60 >&2
	exit 1
fi
echo "PASS ssh into the guest ($((SECONDS - start)) s)"
check "the system is running" running
check "root is the PV disk" root_is /dev/xvda
case $profile in
kvm)
	check "the disk's driver is ours" driver_is block/xvda paravane_blk
	check "the network's driver is ours" driver_is net/eth0 paravane_net
	check "no Xen driver of the kernel's is loaded" lacks '^xen_(blk|net)front' lsmod
	;;
xen)
	check "the disk's driver is the kernel's" driver_is block/xvda xen_blkfront
	check "the network's driver is the kernel's" driver_is net/enX0 xen_netfront
	check "no module of ours is loaded" lacks '^paravane' lsmod
	;;
esac
check "a megabyte there and back by ssh" there_and_back
check "no password works over the network" password_refused
check "a login prompt on the console" login_prompt
check "the guest's kernel log" lacks 'WARNING:|BUG:|Oops|general protection|Call Trace|paravane: .*lost' dmesg
check "poweroff" powers_off
wait $guest
check "paravane run says so" test $? = 0
check "the file system is clean" e2fsck -fn "$SCRATCH/root.img"
