# SPDX-License-Identifier: GPL-2.0-or-later
# The store library, each test linked with all of it.
XS_TESTS := xs_tree xs_perms xs_transaction xs_watch xs_wire xs_limits xs_oom xs_fuzz
UNIT_TESTS += $(XS_TESTS) xs_socket xs_ring
$(foreach t,$(XS_TESTS),$(eval $(t)_SRCS := tests/unit/test_$(t).c $(XENSTORE_SRCS)))

xs_oom_LIBS := -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc

# Its rims, on the real event loop
xs_socket_SRCS := tests/unit/test_xs_socket.c hv/xs_socket.c hv/rundir.c hv/loop.c hv/log.c $(XENSTORE_SRCS)
xs_socket_LIBS := -lxenstore
xs_ring_SRCS := tests/unit/test_xs_ring.c hv/xs_ring.c hv/loop.c hv/log.c $(XENSTORE_SRCS)
