# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS += guest_evtchn
guest_evtchn_SRCS := tests/kunit/guest_evtchn.c
