# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS += guest_cpuid
guest_cpuid_SRCS := tests/kunit/guest_cpuid.c
