# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS += ring_xen
ring_xen_SRCS := tests/unit/test_ring_xen.c
