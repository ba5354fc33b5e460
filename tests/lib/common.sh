# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the shell scripts of the tests share. Source it; it sets
#
#	ROOT	the top of the project
#	B	the build directory, absolute
#	CACHE	what is downloaded or takes long to build and survives `make clean`; other checkouts
#		share it when PARAVANE_CACHE names a directory

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
B=$ROOT/build
CACHE=$B/cache
PROG=${0##*/}

say()
{
	echo "$PROG: $*" >&2
}

# die MESSAGE: say why and exit with status 2
die()
{
	say "$@"
	exit 2
}

# skip MESSAGE: print the verdict of a test that cannot run here and exit with status 77
skip()
{
	echo "SKIP $PROG: $*"
	exit 77
}

# check NAME COMMAND...: a verdict from the command's exit status, with its last words if it fails
check()
{
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "PASS $name"
	else
		echo "FAIL $name: $(tail -n 1 <<<"${out:-exit status $?: $*}")"
	fi
}

mkdir -p "$B"
if [ -n "${PARAVANE_CACHE-}" ] && [ ! -e "$CACHE" ]; then
	mkdir -p "$PARAVANE_CACHE"
	ln -sfn "$(realpath "$PARAVANE_CACHE")" "$CACHE"
fi
