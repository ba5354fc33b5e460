# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A web server for guests. Source after common.sh.

# httpd_start GET_FILE PUT_FILE [ADDRESS]: serve the one, store what comes in the other; its port in $httpd_port, its
# pid, to be killed in the end, in $httpd_pid
httpd_start() {
	local _
	rm -f "$2.port"
	"$ROOT/tests/e2e/httpd.py" "$2.port" "$@" &
	httpd_pid=$!
	for _ in $(seq 200); do
		[ -s "$2.port" ] && break
		sleep 0.1
	done
	[ -s "$2.port" ] || die "the HTTP server does not come up"
	httpd_port=$(cat "$2.port")
}
