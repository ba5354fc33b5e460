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

guest_kernel
"$B/paravane" unpack "$KERNEL" "$WORK/vmlinux"
"$ROOT/tests/guest/mkinitramfs" -o "$WORK/boot.cpio" --init "$B/guest/pvguest"
