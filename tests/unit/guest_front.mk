# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS += guest_front
guest_front_SRCS := tests/kunit/guest_front.c
