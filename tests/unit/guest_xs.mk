# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS += guest_xs
guest_xs_SRCS := tests/kunit/guest_xs.c
