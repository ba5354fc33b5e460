// SPDX-License-Identifier: GPL-2.0-or-later
/* The devices of a domain, read from a store in which its front ends may have written anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hv/report_devices.h"
#include "hv/types.h"
#include "xenstore/xenstore.h"

#define VBD "/local/domain/0/backend/vbd/7/51712"
#define VBD_FRONT "/local/domain/7/device/vbd/51712"
#define VIF "/local/domain/0/backend/vif/7/0"

static struct xst_store *store;
static struct xst_conn *conn;

static json_t *devices(unsigned int domid)
{
	const struct report_store s = report_store_own(conn);

	return report_devices(&s, domid);
}

static int setup(void **state)
{
	(void)state;
	store = xst_store_new(NULL, NULL, NULL);
	conn = xst_conn_new(store, 0, NULL, NULL);
	return !conn;
}

static int teardown(void **state)
{
	(void)state;
	xst_store_free(store);
	return 0;
}

static void put(const char *dir, const char *key, const char *value)
{
	assert_int_equal(xst_printf(conn, XST_NO_TX, dir, key, "%s", value), 0);
}

static void assert_member(const json_t *device, const char *key, const char *expected)
{
	const char *value = json_string_value(json_object_get(device, key));

	if (!expected)
		assert_null(value);
	else
		assert_string_equal(value, expected);
}

static void test_none(void **state)
{
	json_t *list;

	(void)state;
	list = devices(7);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	put("/local/domain/0/backend/vbd", "8/51712/state", "4");
	list = devices(7);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
}

static void test_disk_and_nic(void **state)
{
	json_t *list, *disk, *nic;

	(void)state;
	put(VBD, "frontend", VBD_FRONT);
	put(VBD, "state", "4");
	put(VBD, "dev", "xvda");
	put(VBD, "mode", "r");
	put(VBD, "params", "");
	put(VBD_FRONT, "state", "3");
	put(VIF, "state", "2");
	put(VIF, "mac", "00:16:3e:00:00:01");
	put(VIF, "type", "user");
	list = devices(7);
	assert_int_equal(json_array_size(list), 2);
	disk = json_array_get(list, 0);
	nic = json_array_get(list, 1);
	assert_member(disk, "class", "vbd");
	assert_int_equal(json_integer_value(json_object_get(disk, "id")), 51712);
	assert_member(disk, "front", "initialised");
	assert_member(disk, "back", "connected");
	assert_member(disk, "dev", "xvda");
	assert_member(disk, "mode", "r");
	assert_member(disk, "params", NULL);
	assert_member(nic, "class", "vif");
	assert_int_equal(json_integer_value(json_object_get(nic, "id")), 0);
	assert_member(nic, "front", "unknown");
	assert_member(nic, "back", "initwait");
	assert_member(nic, "mac", "00:16:3e:00:00:01");
	assert_member(nic, "vifname", NULL);
	json_decref(list);
}

/* Whatever stands where a state should: it is told as none. */
static void test_hostile_front(void **state)
{
	static const char *const bad[] = { "", "9", "44", "-1", " 4", "/", "\033[2J", "connected" };
	char path[XENSTORE_ABS_PATH_MAX];
	json_t *list;

	(void)state;
	put(VBD, "frontend", VBD_FRONT);
	put(VBD, "state", "4");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put(VBD_FRONT, "state", bad[i]);
		put(VBD_FRONT, "params", "not to be told");
		list = devices(7);
		assert_int_equal(json_array_size(list), 1);
		assert_member(json_array_get(list, 0), "front", "unknown");
		assert_member(json_array_get(list, 0), "params", NULL);
		json_decref(list);
	}
	/* Where the back end itself has been given nonsense */
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	put(VBD, "frontend", path);
	put(VBD, "params", "/caf\xe9");
	list = devices(7);
	assert_member(json_array_get(list, 0), "front", "unknown");
	assert_member(json_array_get(list, 0), "params", NULL);
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk_and_nic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_front, setup, teardown),
	};

	return cmocka_run_group_tests_name("report_devices", tests, NULL, NULL);
}
