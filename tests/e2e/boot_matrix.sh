# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Boots of one kernel in many ways (sourced by boot_matrix*.test): each must reach init and power off.
set -u

. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/guest.sh"

# boots NAME paravane-run-arguments...
boots() {
	local what=$1 name=${1//[^A-Za-z0-9]/-}
	shift
	if guest_run "$name" --initrd "$WORK/boot.cpio" --net none --console none \
		--append "quiet panic=-1" "$@" && grep -aq 'paravane-mark: init' "$WORK/$name.log"; then
		echo "PASS $what"
	else
		echo "FAIL $what: $(tail -n 1 "$WORK/$name.log")"
	fi
}

# in_tree_events: a guest of profile xen with Xen's own drivers only. Which event ABI does its kernel take, and
# what does it call time stolen? Between the marks another process wants its processor, after them nobody does.
in_tree_events() {
	local rival

	guest_initramfs "$WORK/job.cpio" "$WORK/job"
	guest_run intree --kernel "$WORK/vmlinux" --initrd "$WORK/job.cpio" --memory 256M --vcpus 1 \
		--profile xen --net none --console none --append "quiet panic=-1" &
	pid=$!
	guest_wait intree 'paravane-mark: contended'
	while :; do :; done &
	rival=$!
	guest_wait intree 'paravane-mark: alone'
	kill "$rival"
	wait "$pid"
	guest_verdicts intree "in-tree: "
}

cat >"$WORK/job" <<'END'
# stolen SECONDS: percent of them, spent in a busy loop, that /proc/stat says were stolen
stolen() {
	local until now rest before after
	read -r now rest </proc/uptime
	until=$((${now%.*} + $1))
	before=$(awk '$1 == "cpu" { print $9 }' /proc/stat)
	while [ "${now%.*}" -lt "$until" ]; do
		read -r now rest </proc/uptime
	done
	after=$(awk '$1 == "cpu" { print $9 }' /proc/stat)
	echo $(((after - before) / $1))
}
between() { [ "$2" -ge "$1" ] && [ "$2" -le "$3" ] || { echo "$2%"; return 1; }; }
fifo() { dmesg | grep -F 'xen:events: Using FIFO-based ABI'; }

check "events: the kernel takes FIFO" fifo
pvguest mark contended
sleep 1
check "steal time: half of a processor that is shared" between 25 "$(stolen 3)" 75
pvguest mark alone
sleep 1
check "steal time: none of one that is not" between 0 "$(stolen 2)" 10
END

guest_kernel
"$B/paravane" unpack "$KERNEL" "$WORK/vmlinux"
"$ROOT/tests/guest/mkinitramfs" -o "$WORK/boot.cpio" --init "$B/guest/pvguest"
