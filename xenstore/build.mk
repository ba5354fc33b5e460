# SPDX-License-Identifier: GPL-2.0-or-later
XENSTORE_SRCS := $(addprefix xenstore/, client.c conn.c domain.c hash.c node.c path.c perms.c \
		 store.c transaction.c tree.c watch.c wire.c)
