# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS += guest_gnttab
guest_gnttab_SRCS := tests/kunit/guest_gnttab.c
