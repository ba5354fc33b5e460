# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The end-to-end job around its guest (in there: tests/e2e/job.sh): its data, its servers, what must come of
# it. Source after common.sh, and after httpd.sh where it serves. A directory $run has disk.img, payload and upload.

JOB_SEED=20041
# A name that only our name server knows
JOB_SERVER=server.paravane.test

# job_data DISK_MIB FILES FILE_MIB PAYLOAD_MIB: an ext4 image with files of known checksums, and the payload
job_data() {
	local tree=$run/tree i
	rm -rf "$tree" "$run/disk.img"
	mkdir -p "$tree/files"
	for ((i = 0; i < $2; i++)); do
		"$B/guest/pvguest" stream "$3" $((JOB_SEED + i)) >"$tree/files/$i"
	done
	(cd "$tree" && sha256sum files/* >SHA256SUMS)
	# The init of a guest that boots from this disk
	install -m 755 "$B/guest/pvguest" "$tree/init"
	truncate -s "$1M" "$run/disk.img"
	mke2fs -q -t ext4 -d "$tree" "$run/disk.img"
	rm -rf "$tree"
	"$B/guest/pvguest" stream "$4" $((JOB_SEED - 1)) >"$run/payload"
}

# job_initramfs [mkinitramfs arguments]: the guest's user space, in $run/job.cpio
job_initramfs() {
	"$ROOT/tests/guest/mkinitramfs" -o "$run/job.cpio" "$@" \
		-f "$ROOT/tests/e2e/job.sh:job" -f "$ROOT/tests/guest/udhcpc.sh:bin/udhcpc.sh" \
		--init "$ROOT/tests/guest/init.sh"
}

# job_append WRITE_MIB: what the guest is to know
job_append() {
	echo "job.write_mib=$1 job.seed=$JOB_SEED job.payload_sha256=$(sha256sum <"$run/payload" | cut -d ' ' -f 1)"
}

# job_serve LISTEN ADDRESS [dnsmasq argument...]: name server and web server at LISTEN, which guests reach at
# ADDRESS; $job_server is for the guest to know, $job_servers to be killed in the end
job_serve() {
	local listen=$1 address=$2
	shift 2
	dnsmasq --no-resolv --no-hosts --listen-address="$listen" --bind-interfaces --pid-file= \
		--user=root --address="/$JOB_SERVER/$address" --keep-in-foreground "$@" &
	job_servers=($!)
	httpd_start "$run/payload" "$run/upload" "$listen"
	job_servers+=("$httpd_pid")
	job_server="job.server=$JOB_SERVER:$httpd_port job.address=$address"
}

written_intact() {
	debugfs -R "cat /written" "$run/disk.img" 2>/dev/null |
		cmp - <("$B/guest/pvguest" stream "$1" $JOB_SEED)
}

# job_verdicts WRITE_MIB: what the host finds when the guest has ended
job_verdicts() {
	check "host: e2fsck -fn finds a clean file system" e2fsck -fn "$run/disk.img"
	check "host: the written file is what was written" written_intact "$1"
	check "host: the payload came back intact" cmp "$run/payload" "$run/upload"
}
