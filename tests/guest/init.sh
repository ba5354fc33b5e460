#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later
# User space of a test guest: bring the machine up, load the modules listed in /etc/modules, run /job,
# power off. The job's verdicts go out as lines on the debug port; silence is failure.

/bin/busybox --install -s /bin
rm -f /bin/poweroff /bin/reboot # they signal an init that is not a script; ours are below
export PATH=/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
# An open serial console without an interrupt is polled, which would be counted as exits of the job.
exec </dev/null >/dev/kmsg 2>&1
mkdir -p /dev/pts /tmp /mnt
mount -t devpts pts /dev/pts
mount -t tmpfs tmp /tmp
mkdir -p /sbin
# param NAME: the value of NAME=... on the kernel command line
param() { sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
# Where there is no debug port (guest.out=DEVICE)
out=$(param guest.out)
[ -z "$out" ] || export PVGUEST_OUT=/dev/$out
# A person (guest.quiet=y) wants to know of failures only
told=pvguest
[ -z "$(param guest.quiet)" ] || told=:
for verb in poweroff reboot; do
	# what the kernel calls for an orderly shutdown
	printf '#!/bin/sh\nexport PVGUEST_OUT=%s\n%s say "PASS orderly %s"\n%s mark done\nsync\nbusybox %s -f\n' \
		"${PVGUEST_OUT-}" $told $verb $told $verb >/sbin/$verb
	chmod 755 /sbin/$verb
done
$told mark init

pass() { $told say "PASS $*"; }
fail() { pvguest say "FAIL $*"; }
# check NAME COMMAND...: a verdict from the command's exit status, its last words from its output
check() {
	name=$1
	shift
	if out=$("$@" 2>&1); then pass "$name"; else fail "$name: $(echo "$out" | tail -n 1)"; fi
}
# wait_for PATH...: devices connect after insmod has returned
wait_for() {
	for path; do
		for _ in $(seq 100); do
			[ -e "$path" ] && break
			sleep 0.1
		done
		[ -e "$path" ] || fail "wait for $path: not there after 10 s"
	done
}
# kernel_clean: no warning in this kernel's log
# Taint stays when the log has wrapped: 128 died, 512 warned, 16384 soft lockup.
kernel_clean() {
	[ $(($(cat /proc/sys/kernel/tainted) & (128 | 512 | 16384))) -eq 0 ] || { echo tainted; return 1; }
	! dmesg | grep -E 'paravane: .*(lost|still maps|cannot remove)|WARNING:|BUG:|Oops|INFO: (task|possible|rcu)|KASAN|UBSAN|general protection|Call Trace'
}

# One image for several machines: only the modules in guest.modules=NAME,NAME... then
only=$(param guest.modules)
while read -r module args; do
	name=$(basename "$module" .ko)
	[ -z "$only" ] || case ,$only, in *,"$name",*) ;; *) continue ;; esac
	# As modprobe would take them from the kernel's command line
	[ "${module##*/}" != paravane.ko ] || args="$args $(param guest.paravane)"
	check "load $name" insmod "$module" $args
done </etc/modules

. /job

check "guest kernel log" kernel_clean
sync
$told mark done
busybox poweroff -f
