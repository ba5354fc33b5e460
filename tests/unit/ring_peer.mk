# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS += ring_peer
ring_peer_SRCS := tests/unit/test_ring_peer.c
