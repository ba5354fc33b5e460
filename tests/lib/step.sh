# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Progress for whoever waits. Source after common.sh, with $run naming a directory.

# step TEXT COMMAND...: one progress line with the time taken; on failure the log, and out
step() {
	local text=$1 from
	shift
	from=$(date +%s.%N)
	if ! "$@" >"$run/step.log" 2>&1; then
		cat "$run/step.log" >&2
		die "failed: $text"
	fi
	printf '%6.1f s  %s\n' "$(echo "$(date +%s.%N) - $from" | bc)" "$text"
}
