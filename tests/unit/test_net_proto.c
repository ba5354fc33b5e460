// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * guest/linux/net/proto.c: pieces of packets, and every way a received slot can be wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest/linux/net/proto.c"

static void pieces(void **state)
{
	(void)state;
	assert_int_equal(vif_pieces_in(0, 0), 0);
	assert_int_equal(vif_pieces_in(0, 1), 1);
	assert_int_equal(vif_pieces_in(0, 4096), 1);
	assert_int_equal(vif_pieces_in(1, 4096), 2);
	assert_int_equal(vif_pieces_in(4095, 1), 1);
	assert_int_equal(vif_pieces_in(4095, 2), 2);
	assert_int_equal(vif_pieces_in(3 * 4096 + 4095, 2), 2);
	/* The largest packet fits into what every back end takes, wherever it starts. */
	for (unsigned int offset = 0; offset < 4096; offset++)
		assert_true(vif_pieces_in(offset, XEN_NETIF_MAX_TX_SIZE) <= VIF_MAX_SLOTS);
}

static struct netif_extra_info gso(unsigned int size, unsigned int type, unsigned int flags)
{
	struct netif_extra_info extra = { .type = XEN_NETIF_EXTRA_TYPE_GSO, .flags = flags };

	extra.u.gso.size = size;
	extra.u.gso.type = type;
	return extra;
}

static void extras_that_are_right(void **state)
{
	struct netif_extra_info hash = { .type = XEN_NETIF_EXTRA_TYPE_HASH };
	struct netif_extra_info v4 = gso(1448, XEN_NETIF_GSO_TYPE_TCPV4, 0);
	struct netif_extra_info v6 = gso(1, XEN_NETIF_GSO_TYPE_TCPV6, XEN_NETIF_EXTRA_FLAG_MORE);
	struct vif_extras extras;

	(void)state;
	memset(&extras, 0, sizeof(extras));
	assert_null(vif_extra_add(&extras, &v4));
	assert_int_equal(extras.gso_size, 1448);
	assert_int_equal(extras.gso_type, XEN_NETIF_GSO_TYPE_TCPV4);
	assert_false(extras.more);

	memset(&extras, 0, sizeof(extras));
	assert_null(vif_extra_add(&extras, &v6));
	assert_true(extras.more);
	assert_null(vif_extra_add(&extras, &hash));
	assert_false(extras.more);
	assert_int_equal(extras.gso_size, 1);
	assert_int_equal(extras.gso_type, XEN_NETIF_GSO_TYPE_TCPV6);
}

static void extras_that_are_wrong(void **state)
{
	struct vif_extras extras;

	(void)state;
	for (unsigned int type = 0; type < 256; type++) {
		struct netif_extra_info extra = { .type = type };
		bool known = type >= XEN_NETIF_EXTRA_TYPE_MCAST_ADD &&
			     type < XEN_NETIF_EXTRA_TYPE_MAX;

		/* gso (1) is wrong here for it has no size */
		memset(&extras, 0, sizeof(extras));
		assert_int_equal(!vif_extra_add(&extras, &extra), known);
	}
	for (unsigned int type = 0; type < 256; type++) {
		struct netif_extra_info extra = gso(1448, type, 0);

		memset(&extras, 0, sizeof(extras));
		assert_int_equal(!vif_extra_add(&extras, &extra),
				 type == XEN_NETIF_GSO_TYPE_TCPV4 ||
					 type == XEN_NETIF_GSO_TYPE_TCPV6);
	}
}

/* A chain that never ends is cut. */
static void extras_without_end(void **state)
{
	struct netif_extra_info extra =
		gso(1448, XEN_NETIF_GSO_TYPE_TCPV4, XEN_NETIF_EXTRA_FLAG_MORE);
	struct vif_extras extras = { .count = 0 };
	unsigned int n = 0;

	(void)state;
	while (!vif_extra_add(&extras, &extra))
		assert_true(++n < XEN_NETIF_EXTRA_TYPE_MAX);
	assert_int_equal(n, XEN_NETIF_EXTRA_TYPE_MAX - 1);
}

static bool accepted(unsigned int id, unsigned int offset, int status)
{
	struct netif_rx_response rsp = { .id = id, .offset = offset, .status = status };

	return !vif_rx_fault(&rsp, 7);
}

static void received_data(void **state)
{
	(void)state;
	assert_true(accepted(7, 0, 4096));
	assert_true(accepted(7, 4095, 1));
	assert_true(accepted(7, 2, 1514));
	assert_true(accepted(7, 0, 0));
	assert_true(accepted(7, 65535, 0));
	assert_true(accepted(7, 65535, NETIF_RSP_ERROR));
	assert_true(accepted(7, 65535, -32768));

	assert_false(accepted(6, 0, 64));
	assert_false(accepted(7 + 256, 0, 64));
	assert_false(accepted(6, 0, NETIF_RSP_ERROR));
	assert_false(accepted(7, 0, 4097));
	assert_false(accepted(7, 1, 4096));
	assert_false(accepted(7, 4095, 2));
	assert_false(accepted(7, 4096, 1));
	assert_false(accepted(7, 65535, 1));
	assert_false(accepted(7, 65535, 32767));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces),
		cmocka_unit_test(extras_that_are_right),
		cmocka_unit_test(extras_that_are_wrong),
		cmocka_unit_test(extras_without_end),
		cmocka_unit_test(received_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
