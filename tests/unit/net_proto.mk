# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS += net_proto
net_proto_SRCS := tests/unit/test_net_proto.c
