# SPDX-License-Identifier: GPL-2.0-or-later
TSAN_TESTS += stress_ring
stress_ring_SRCS := tests/unit/stress_ring.c
