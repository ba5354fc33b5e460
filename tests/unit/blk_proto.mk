# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS += blk_proto
blk_proto_SRCS := tests/unit/test_blk_proto.c
