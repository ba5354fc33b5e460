# SPDX-License-Identifier: GPL-2.0-or-later
# The real back ends in front of a guest made of plain memory.

BACKEND_KIT := tests/unit/fake_guest.c hv/xenbus.c hv/back_queue.c hv/log.c $(XENSTORE_SRCS)
BACKEND_BLK := $(wildcard hv/back_blk*.c)
BACKEND_NET := $(wildcard hv/back_net*.c)

UNIT_TESTS += backend
backend_SRCS := tests/unit/test_backend.c $(BACKEND_KIT) $(BACKEND_BLK) $(BACKEND_NET) \
		hv/net_tap.c hv/net_user.c
backend_LIBS := -luring -lslirp
# How queues end, between their threads and the loop's
TSAN_TESTS += backend_race
backend_race_SRCS := $(backend_SRCS)
backend_race_LIBS := $(backend_LIBS) -lcmocka

UNIT_TESTS += back_blk
back_blk_SRCS := tests/unit/test_back_blk.c $(BACKEND_KIT) hv/backend.c $(BACKEND_BLK) \
		 $(BACKEND_NET) hv/net_tap.c hv/net_user.c
back_blk_LIBS := -luring -lslirp

# A tap takes a privileged host: here its place is taken by a socket pair.
BACK_NET_TESTS := back_net back_net_csum back_net_rx
UNIT_TESTS += $(BACK_NET_TESTS)
$(foreach t,$(BACK_NET_TESTS),$(eval $(t)_SRCS := tests/unit/test_$(t).c tests/unit/fake_net.c \
	$(BACKEND_KIT) hv/backend.c $(BACKEND_BLK) $(BACKEND_NET) hv/net_user.c))
$(foreach t,$(BACK_NET_TESTS),$(eval $(t)_LIBS := -luring -lslirp))

UNIT_TESTS += console
console_SRCS := tests/unit/test_console.c $(BACKEND_KIT) hv/backend.c $(BACKEND_BLK) \
		$(BACKEND_NET) hv/net_tap.c hv/net_user.c $(wildcard hv/console*.c) \
		hv/back_console.c
console_LIBS := -luring -lslirp -lutil

UNIT_TESTS += xenstore_service
xenstore_service_SRCS := tests/unit/test_xenstore_service.c tests/unit/fake_guest.c \
			 hv/xenstore_service.c hv/xs_ring.c hv/xs_socket.c hv/rundir.c hv/log.c \
			 $(XENSTORE_SRCS)

UNIT_TESTS += net_tap
net_tap_SRCS := tests/unit/test_net_tap.c tests/unit/fake_net.c $(BACKEND_KIT) hv/backend.c \
		$(BACKEND_BLK) $(BACKEND_NET) hv/net_tap.c hv/net_user.c
net_tap_LIBS := -luring -lslirp

UNIT_TESTS += net_tap_csum
net_tap_csum_SRCS := tests/unit/test_net_tap_csum.c hv/back_net_csum.c hv/back_net_gso.c hv/log.c

UNIT_TESTS += net_user
net_user_SRCS := tests/unit/test_net_user.c hv/net_user.c hv/log.c
net_user_LIBS := -lslirp
