# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Guests for tests that run in the lab. Source after common.sh.
#
# A guest runs a job script under tests/guest/init.sh; its verdicts arrive on the debug port, which
# `paravane run` logs. A guest that prints none, or never reaches its end, has failed.

GUEST_LIMIT=${GUEST_LIMIT:-120}

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# guest_kernel: kernel paths in $KERNEL, $MODULES; our modules' paths in $OURS
guest_kernel() {
	KERNEL=$("$ROOT/tests/lab/kernel" vmlinuz)
	MODULES=$("$ROOT/tests/lab/kernel" modules)
	local ours
	ours=$B/modules/$("$ROOT/tests/lab/kernel" release)
	OURS=("$ours/paravane.ko" "$ours/paravane-blk.ko" "$ours/paravane-net.ko")
}

# guest_initramfs OUT JOB [mkinitramfs arguments]
guest_initramfs() {
	local out=$1 job=$2
	shift 2
	"$ROOT/tests/guest/mkinitramfs" -o "$out" -k "$MODULES" --init "$ROOT/tests/guest/init.sh" \
		-f "$job:job" -f "$ROOT/tests/guest/udhcpc.sh:bin/udhcpc.sh" "$@"
}

# guest_run NAME paravane-run-arguments...: run it, its log in $WORK/NAME.log, in the test's process group, so
# that it ends when the test is stopped
guest_run() {
	local name=$1
	shift
	timeout --foreground -k 10 "$GUEST_LIMIT" "$B/paravane" run --name "$name" "$@" >"$WORK/$name.log" 2>&1
}

# guest_start NAME paravane-run-arguments...: the same in the background, its pid in $pid
guest_start() {
	local name=$1
	shift
	"$B/paravane" run --name "$name" "$@" >"$WORK/$name.log" 2>&1 &
	pid=$!
}

# guest_wait NAME WORDS [FILE]: until they are in its log (or that file), for as long as it ($pid) runs; false if
# they do not come
guest_wait() {
	local log=${3-$WORK/$1.log} ended='' _
	for _ in $(seq 600); do
		kill -0 "$pid" 2>/dev/null || ended=y
		grep -aqs "$2" "$log" && return
		[ -z "$ended" ] || break
		sleep 0.1
	done
	echo "FAIL $1: never said $2"
	tail -n 20 "$log" >&2
	return 1
}

# guest_verdicts NAME [PREFIX]: the guest's verdict lines, and one for its having reached the end
guest_verdicts() {
	local log=$WORK/$1.log
	grep -aoE '\b(PASS|FAIL) .*' "$log" | tr -d '\r' | sed "s/^\(PASS\|FAIL\) /&${2-}/"
	if grep -aq 'paravane-mark: done' "$log"; then
		echo "PASS ${2-}guest reached its end"
	else
		echo "FAIL ${2-}guest reached its end: $(tail -n 1 "$log")"
		tail -n 40 "$log" >&2
	fi
}

# paravane_shows NAME REGEX COMMAND...: `paravane COMMAND...` prints a line like that
paravane_shows() {
	local name=$1 regex=$2
	shift 2
	"$B/paravane" "$@" >"$WORK/out" 2>&1
	if grep -qE "$regex" "$WORK/out"; then
		echo "PASS $name"
	else
		echo "FAIL $name: nothing like $regex in: $(tr '\n' '|' <"$WORK/out")"
	fi
}

# traces: what a domain could leave behind
traces() {
	find /run/paravane -mindepth 1 2>/dev/null | sort
	ls /sys/class/net
}

# refused NAME REGEX COMMAND...: COMMAND exits 2 with one line matching REGEX and changes nothing
refused() {
	local name=$1 regex=$2 status before
	shift 2
	before=$(traces)
	timeout 60 bash -c '"$@"' - "$@" >"$WORK/out" 2>&1 </dev/null
	status=$?
	if [ "$status" -ne 2 ]; then
		echo "FAIL $name: exit status $status: $(head -n 1 "$WORK/out")"
	elif [ "$(wc -l <"$WORK/out")" -ne 1 ]; then
		echo "FAIL $name: $(wc -l <"$WORK/out") lines: $(head -n 2 "$WORK/out" | tr '\n' '|')"
	elif ! grep -qE "$regex" "$WORK/out"; then
		echo "FAIL $name: unclear: $(cat "$WORK/out")"
	elif [ "$(traces)" != "$before" ]; then
		echo "FAIL $name: left behind: $(traces | comm -13 <(echo "$before") -)"
	else
		echo "PASS $name"
	fi
}
