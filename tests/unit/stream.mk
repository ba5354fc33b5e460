# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS += stream
stream_SRCS := tests/unit/test_stream.c
