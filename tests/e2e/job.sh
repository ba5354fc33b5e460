# SPDX-License-Identifier: GPL-2.0-or-later
# The guest's part of the end-to-end job (sourced by init.sh): every file of the disk checked, data written
# with fsync, DHCP, HTTP both ways.

disk_read() { (cd /mnt && sha256sum -c -s SHA256SUMS); }
disk_write() { pvguest fill /mnt/written "$(param job.write_mib)" "$(param job.seed)"; }
lease() { udhcpc -i eth0 -n -q -t 10 -T 2 -s /bin/udhcpc.sh; }
fetch() { wget -q -O /tmp/payload "http://$server/payload"; }
payload_intact() { echo "$(param job.payload_sha256)  /tmp/payload" | sha256sum -c -s; }
send() { pvguest put "$(param job.address)" "${server#*:}" /tmp/payload; }
resolve() { nslookup -type=a "${server%:*}" >/dev/null; }

server=$(param job.server)
pvguest say "guest kernel $(uname -r)"

wait_for /dev/xvda /sys/class/net/eth0
check "mount /dev/xvda" mount -t ext4 /dev/xvda /mnt
pvguest mark disk-read-start
check "every file of the disk has its checksum" disk_read
pvguest mark disk-read-end
pvguest mark disk-write-start
check "write and fsync" disk_write
pvguest mark disk-write-end
check "unmount" umount /mnt

check "address by DHCP" lease
check "name by DNS" resolve
pvguest mark net-in-start
check "fetch over HTTP" fetch
pvguest mark net-in-end
check "payload has its checksum" payload_intact
pvguest mark net-out-start
check "send over HTTP" send
pvguest mark net-out-end
