# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A stock kernel with the Xen drivers of its own and none of ours, in profile xen (sourced by
# xen_guest*.test): console, disk, network, two CPUs, reboot, and what the host asks of it through XenStore.
set -u

. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/guest.sh"
. "$(dirname "$0")/../lib/httpd.sh"

MIB=4
READ_AT=16 # MiB
WRITE_AT=32
MEMORY=256
LESS=65536 # KiB

cat >"$WORK/job" <<'JOB'
is() { [ "$(cat "$1")" = "$2" ] || { cat "$1"; false; }; }
driven() { [ "$(basename "$(readlink "/sys/bus/xen/devices/$1/driver")")" = "$2" ]; }
cpus() { is /sys/devices/system/cpu/online 0-1; }
mib=$(param job.mib)
read_disk() { dd if=/dev/xvda of=/tmp/read bs=1M skip="$(param job.read)" count="$mib" && intact /tmp/read; }
write_disk() { dd if=/tmp/fetched of=/dev/xvda bs=1M seek="$(param job.write)" conv=fsync,notrunc; }
intact() { echo "$(param job.sum)  $1" | sha256sum -c -s; }
lease() { udhcpc -i eth0 -n -q -t 10 -T 2 -s /bin/udhcpc.sh; }
server=$(param job.server)
fetch() { wget -q -O /tmp/fetched "http://$server/" && intact /tmp/fetched; }
send() { pvguest put "${server%:*}" "${server#*:}" /tmp/fetched; }

wait_for /dev/xvda /sys/class/net/eth0
if [ "$(head -c 6 /dev/xvda)" = booted ]; then
	pass "second life"
	kib=/sys/devices/system/xen_memory/xen_memory0/info/current_kb
	all=$(cat $kib)
	use_memory() { dd if=/dev/zero of=/tmp/used bs=1M count=96 && rm /tmp/used; }
	has() { for _ in $(seq 300); do [ $((all - $(cat $kib))) "$@" ] && return; usleep 100000; done; cat $kib; false; }
	check "use of much memory" use_memory
	pvguest mark large
	check "gives memory back" has -ge "$(param job.less)"
	pvguest mark small
	check "takes it again" has -eq 0
	check "use of all of it" use_memory
	pvguest mark idle
	sleep 100
	fail "told to power off"
fi
check "none of our modules" test ! -e /sys/module/paravane
check "Xen's type" is /sys/hypervisor/type xen
check "Xen's clock" is /sys/devices/system/clocksource/clocksource0/current_clocksource xen
check "two CPUs" cpus
check "the kernel's block driver" driven vbd-51712 vbd
check "the kernel's network driver" driven vif-0 vif
echo "words for hvc0" >/dev/hvc0
check "read of the disk" read_disk
check "address by DHCP" lease
check "fetch over HTTP" fetch
check "send over HTTP" send
check "write to the disk" write_disk
check "first life's kernel log" kernel_clean
printf booted | dd of=/dev/xvda conv=fsync,notrunc 2>/dev/null
busybox reboot -f
JOB

# console_says REGEX: within 10 s
console_says() {
	for _ in $(seq 100); do
		grep -aqE "$1" "$WORK/console" && return
		sleep 0.1
	done
	tail -n 1 "$WORK/console"
	return 1
}

# transport_is NAME: of the run that wrote the report
transport_is() { grep -E '"transport": *"'"$1"'"' "$WORK/report"; }
written() { cmp "$WORK/payload" <(dd if="$WORK/disk.img" bs=1M skip=$WRITE_AT count=$MIB status=none); }
rss_kib() { sed -n 's/^Rss: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup"; }
listed_mib() { "$B/paravane" list xen-guest | sed -n 's/^xen-guest *[0-9]* *\([0-9]*\) .*/\1/p'; }
control() { timeout 20 xenstore-write "$home/control/$1" "$2"; }

# balloon: the guest gives memory back, of which the host has at least half, and takes it again
balloon() {
	local before after
	guest_wait xen-guest 'paravane-mark: large'
	before=$(rss_kib)
	check "memory/target is lowered" xenstore-write "$home/memory/target" $(((MEMORY << 10) - LESS))
	guest_wait xen-guest 'paravane-mark: small'
	after=$(rss_kib)
	check "the host has memory back ($((before - after)) of $LESS KiB)" test $((before - after)) -ge $((LESS / 2))
	check "list counts what is left" test "$(listed_mib)" -le $((MEMORY - (LESS >> 11)))
	check "memory/target is raised" xenstore-write "$home/memory/target" $((MEMORY << 10))
}

# xen_guest TRANSPORT: run it; hypercalls have to come this way
xen_guest() {
	guest_kernel
	guest_initramfs "$WORK/xen.cpio" "$WORK/job" -m xen-blkfront -m xen-netfront -m af_packet
	"$B/guest/pvguest" stream $MIB 11 >"$WORK/payload"
	truncate -s 64M "$WORK/disk.img"
	dd if="$WORK/payload" of="$WORK/disk.img" bs=1M seek=$READ_AT conv=notrunc status=none
	httpd_start "$WORK/payload" "$WORK/upload"
	guest_start xen-guest --kernel "$KERNEL" --initrd "$WORK/xen.cpio" --profile xen --memory ${MEMORY}M \
		--vcpus 2 --disk "$WORK/disk.img" --net user --console "file=$WORK/console" \
		--report "$WORK/report" --append "quiet panic=-1 console=hvc0 job.mib=$MIB job.less=$LESS job.read=$READ_AT \
job.write=$WRITE_AT job.sum=$(sha256sum <"$WORK/payload" | cut -d ' ' -f 1) job.server=10.0.2.2:$httpd_port"
	guest_wait xen-guest 'second life'
	kill "$httpd_pid"
	export XENSTORED_PATH=/run/paravane/xen-guest/xenstored.sock
	home=/local/domain/$(xenstore-list /local/domain | grep -v '^0$')
	balloon
	guest_wait xen-guest 'paravane-mark: idle'
	check "control/sysrq reaches the guest" control sysrq s
	check "the guest does what sysrq says" console_says 'sysrq: Emergency Sync'
	check "control/shutdown is written" control shutdown poweroff
	wait "$pid"
	check "the guest powers off, exit status $?" test $? -eq 0
	guest_verdicts xen-guest
	check "the console is hvc0" console_says 'words for hvc0'
	check "the host has what was written" written
	check "the host has what was sent" cmp "$WORK/payload" "$WORK/upload"
	check "hypercalls by $1" transport_is "$1"
}
