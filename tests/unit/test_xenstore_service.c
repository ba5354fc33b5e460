// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a new domain finds in XenStore, what it may do there, and that everything is taken down
 * again.
 */
#include "hv/xenstore_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/fake_guest.h"

#define STORE_GFN 7
#define STORE_PORT 5
#define HOME "/local/domain/1"

static struct domain *d;
static struct xst_conn *guest;

static int setup(void **state)
{
	if (fake_setup(state))
		return -1;
	d = &fake->domain;
	fake->config.name = "a-name";
	fake->config.memory = 512ULL << 20;
	fake->config.vcpus = 2;
	d->store_gfn = STORE_GFN;
	d->store_port = STORE_PORT;
	snprintf(d->run_dir, sizeof(d->run_dir), "/tmp/paravane-xs-XXXXXX");
	assert_non_null(mkdtemp(d->run_dir));
	assert_int_equal(xenstore_service_create(d), 0);
	guest = xst_conn_new(xenstore_service_store(d), 1, NULL, NULL);
	return 0;
}

static int teardown(void **state)
{
	xenstore_service_destroy(d);
	/* No socket is left behind: the directory is empty. */
	assert_int_equal(rmdir(d->run_dir), 0);
	return fake_teardown(state);
}

static void expect(const char *path, const char *value)
{
	char *found;

	assert_int_equal(xst_read(guest, XST_NO_TX, path, &found, NULL), 0);
	assert_string_equal(found, value);
	free(found);
}

static void test_nodes(void **state)
{
	char *vm, path[80];

	(void)state;
	expect(HOME "/name", "a-name");
	expect(HOME "/domid", "1");
	expect(HOME "/memory/target", "524288");
	expect(HOME "/memory/static-max", "524288");
	expect(HOME "/cpu/0/availability", "online");
	expect(HOME "/cpu/1/availability", "online");
	expect(HOME "/store/port", "5");
	expect(HOME "/store/ring-ref", "7");
	assert_int_equal(xst_exists(guest, XST_NO_TX, HOME "/cpu/2/availability"), 0);
	assert_int_equal(xst_read(guest, XST_NO_TX, HOME "/vm", &vm, NULL), 0);
	snprintf(path, sizeof(path), "%s/name", vm);
	expect(path, "a-name");
	assert_true(xst_domain_introduced(xenstore_service_store(d), 1));
	free(vm);
}

static void test_permissions(void **state)
{
	static const struct {
		const char *path;
		int err;
	} writes[] = {
		{ HOME "/name", -EACCES },
		{ HOME "/new", -EACCES },
		{ HOME "/memory/target", -EACCES },
		{ HOME "/cpu/0/availability", -EACCES },
		{ HOME "/device/vbd/1/state", -EACCES },
		{ HOME "/control/new", -EACCES },
		{ HOME "/control/platform-feature-xs_reset_watches", -EACCES },
		{ "/local/domain/0/x", -EACCES },
		{ "/tool/x", -EACCES },
		{ HOME "/control/shutdown", 0 },
		{ HOME "/control/feature-poweroff", 0 },
		{ HOME "/data/anything/below", 0 },
		{ HOME "/attr/x", 0 },
		{ HOME "/error/device/vif/0/error", 0 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(writes); i++)
		assert_int_equal(xst_write(guest, XST_NO_TX, writes[i].path, "1", 1),
				 writes[i].err);
}

static unsigned int told;

static void on_change(void *opaque, const char *path)
{
	(void)opaque;
	(void)path;
	told++;
}

static void test_shutdown(void **state)
{
	(void)state;
	assert_int_equal(xst_watch(guest, HOME "/control/shutdown", on_change, NULL, NULL), 0);
	fake_pump(1);
	told = 0;
	assert_int_equal(domain_request_shutdown(d, "poweroff"), 0);
	fake_pump(1);
	assert_int_equal(told, 1);
	expect(HOME "/control/shutdown", "poweroff");
	/* The guest acknowledges by clearing it. */
	assert_int_equal(xst_write(guest, XST_NO_TX, HOME "/control/shutdown", "", 0), 0);
}

static void test_socket(void **state)
{
	char path[160];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s/xenstored.sock", d->run_dir);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 077, 0);
}

static void test_failure(void **state)
{
	struct domain other = { .domid = 2, .config = &fake->config, .loop = d->loop };

	(void)state;
	/* No run directory, and no memory where the ring should be. */
	other.store_gfn = 1ULL << 40;
	snprintf(other.run_dir, sizeof(other.run_dir), "/nonexistent/run");
	assert_true(xenstore_service_create(&other) < 0);
	assert_null(other.xenstore);
	other.store_gfn = 9;
	other.store_port = 6;
	assert_true(xenstore_service_create(&other) < 0);
	assert_null(other.xenstore);
	assert_null(fake->port[6]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nodes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_permissions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shutdown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failure, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
