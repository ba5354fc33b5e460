# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS += guest_unplug
guest_unplug_SRCS := tests/kunit/guest_unplug.c
