# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Runs the conformance guest; sourced by the tests beside it, in the lab.
#
# conformance PREFIX: its verdicts, and one for its having come to the end in good order

. "$(dirname "$0")/../lib/common.sh"

conformance()
{
	local log status=0 said

	log=$(mktemp)
	timeout --foreground -k 5 100 "$B/paravane" run --name "conformance-$$" --kernel "$B/conformance/guest" \
		--profile xen --memory 64M --vcpus 3 --net none --console "file=$log.console" \
		>"$log" 2>&1 </dev/null || status=$?
	grep -aoE '\b(PASS|FAIL|SKIP) .*' "$log" | tr -d '\r' | sed "s|^\(....\) |\1 $1/|"
	said=$(grep -ac 'paravane-mark: done' "$log")
	if [ "$status" = 0 ] && [ "$said" = 1 ]; then
		echo "PASS $1/guest-powers-off"
	else
		echo "FAIL $1/guest-powers-off: exit status $status, $(tail -n 1 "$log")"
		tail -n 30 "$log" >&2
	fi
	grep -aE 'written with console_io' "$log" >/dev/null &&
		echo "PASS $1/console_io-reaches-the-log" ||
		echo "FAIL $1/console_io-reaches-the-log: it is not there"
	rm -f "$log" "$log.console"
}
