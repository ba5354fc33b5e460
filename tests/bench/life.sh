# SPDX-License-Identifier: GPL-2.0-or-later
# A short life (sourced by init.sh): the devices are there and the disk can be read.

wait_for /dev/xvda /sys/class/net/eth0
check "read of the disk" dd if=/dev/xvda of=/dev/null bs=64k count=16
