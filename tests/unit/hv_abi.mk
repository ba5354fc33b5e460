# SPDX-License-Identifier: GPL-2.0-or-later
# The hypercall layer of hv/ on a domain without KVM (fake_domain.h).

ABI_SRCS := tests/unit/fake_domain.c hv/mem.c hv/pagewalk.c hv/loop.c \
	hv/abi.c hv/vcpu_abi.c hv/hypercall.c hv/pio.c hv/guest_line.c $(wildcard hv/hc_*.c) \
	hv/evtchn.c hv/evtchn_op.c hv/evtchn_upcall.c \
	hv/gnttab.c hv/gnttab_entry.c hv/gnttab_op.c hv/timer.c hv/pvclock.c \
	hv/xen/balloon.c hv/xen/compat.c hv/xen/evtchn_fifo.c hv/xen/evtchn_fifo_op.c \
	hv/xen/memory_map.c hv/xen/privileged.c hv/xen/runstate.c hv/xen/vcpu_updown.c
ABI_LIBS := -Wl,--wrap=ioctl -lurcu-bp -lurcu-common

UNIT_TESTS += balloon evtchn evtchn_fifo gnttab guest_line hypercall hypercall_xen shared_info timer
balloon_SRCS := tests/unit/test_balloon.c $(ABI_SRCS)
balloon_LIBS := $(ABI_LIBS)
evtchn_SRCS := tests/unit/test_evtchn.c $(ABI_SRCS)
evtchn_LIBS := $(ABI_LIBS)
evtchn_fifo_SRCS := tests/unit/test_evtchn_fifo.c $(ABI_SRCS)
evtchn_fifo_LIBS := $(ABI_LIBS)
gnttab_SRCS := tests/unit/test_gnttab.c $(ABI_SRCS)
gnttab_LIBS := $(ABI_LIBS)
hypercall_SRCS := tests/unit/test_hypercall.c $(ABI_SRCS)
hypercall_LIBS := $(ABI_LIBS)
hypercall_xen_SRCS := tests/unit/test_hypercall_xen.c $(ABI_SRCS)
hypercall_xen_LIBS := $(ABI_LIBS)
guest_line_SRCS := tests/unit/test_guest_line.c $(ABI_SRCS)
guest_line_LIBS := $(ABI_LIBS)
shared_info_SRCS := tests/unit/test_shared_info.c $(ABI_SRCS)
shared_info_LIBS := $(ABI_LIBS)
timer_SRCS := tests/unit/test_timer.c $(ABI_SRCS)
timer_LIBS := $(ABI_LIBS)

TSAN_TESTS += gnttab_race
gnttab_race_SRCS := tests/unit/test_gnttab_race.c hv/gnttab_entry.c
TSAN_TESTS += evtchn_fifo_race
evtchn_fifo_race_SRCS := tests/unit/test_evtchn_fifo_race.c hv/xen/evtchn_fifo.c
