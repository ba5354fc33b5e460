# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS += ring
ring_SRCS := tests/unit/test_ring.c
