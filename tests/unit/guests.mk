# SPDX-License-Identifier: GPL-2.0-or-later
# list, info and top: run directories, report sockets, Xen's libraries, and what is made of their answers.

UNIT_TESTS += guests guests_xen libxen report_devices cmd_top
GUESTS_XEN_SRCS := hv/guests_xen.c hv/libxen.c hv/report_devices.c
guests_SRCS := tests/unit/test_guests.c hv/guests.c hv/guests_kvm.c $(GUESTS_XEN_SRCS) \
	       hv/report_socket.c hv/rundir.c hv/loop.c hv/log.c
guests_LIBS := -Wl,--wrap=geteuid -ljansson
guests_xen_SRCS := tests/unit/test_guests_xen.c hv/report_devices.c hv/log.c
guests_xen_LIBS := -ljansson
libxen_SRCS := tests/unit/test_libxen.c
report_devices_SRCS := tests/unit/test_report_devices.c hv/report_devices.c hv/report_store.c \
		       $(XENSTORE_SRCS)
report_devices_LIBS := -ljansson
cmd_top_SRCS := tests/unit/test_cmd_top.c hv/cmd.c hv/guests.c $(GUESTS_XEN_SRCS) hv/log.c
cmd_top_LIBS := -ljansson
