# SPDX-License-Identifier: GPL-2.0-or-later
# How a running domain is doing.

UNIT_TESTS += report_devices
report_devices_SRCS := tests/unit/test_report_devices.c hv/report_devices.c $(XENSTORE_SRCS)
report_devices_LIBS := -ljansson
