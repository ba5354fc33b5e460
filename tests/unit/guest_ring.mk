# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS += guest_ring
guest_ring_SRCS := tests/kunit/guest_ring.c
