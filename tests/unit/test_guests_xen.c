// SPDX-License-Identifier: GPL-2.0-or-later
/* Xen's domains as its libraries tell them; the libraries are doubles. */
#include "hv/guests_xen.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static xc_domaininfo_t domains[200];
static unsigned int nr_domains;
static int list_error;
static bool no_store, no_libraries;
static unsigned int opened, closed;

static int fake_getinfolist(xc_interface *xc, uint32_t first, unsigned int max,
			    xc_domaininfo_t *info)
{
	unsigned int n = 0;

	(void)xc;
	if (list_error) {
		errno = list_error;
		return -1;
	}
	for (unsigned int i = 0; i < nr_domains && n < max; i++) {
		if (domains[i].domain >= first)
			info[n++] = domains[i];
	}
	return n;
}

static void *fake_read(struct xs_handle *xs, xs_transaction_t tx, const char *path,
		       unsigned int *len)
{
	static const char *const nodes[][2] = {
		{ "/local/domain/0/name", "Domain-0" },
		{ "/local/domain/3/name", "three" },
		{ "/libxl/3/type", "pvh" },
		{ "/local/domain/0/backend/vif/3/0/state", "4" },
		{ "/local/domain/0/backend/vif/3/0/bridge", "xenbr0" },
	};

	(void)xs;
	(void)tx;
	(void)len;
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		if (!strcmp(path, nodes[i][0]))
			return strdup(nodes[i][1]);
	}
	return NULL;
}

static char **fake_directory(struct xs_handle *xs, xs_transaction_t tx, const char *path,
			     unsigned int *count)
{
	static char vif[] = "vif", zero[] = "0";
	bool classes = !strcmp(path, "/local/domain/0/backend");
	char **names;

	(void)xs;
	(void)tx;
	if (!classes && strcmp(path, "/local/domain/0/backend/vif/3"))
		return NULL;
	names = malloc(sizeof(*names));
	names[0] = classes ? vif : zero;
	*count = 1;
	return names;
}

int libxen_open(struct libxen *x, char *why, size_t size)
{
	if (no_libraries) {
		snprintf(why, size, "not here");
		return -ENOENT;
	}
	*x = (struct libxen){
		.xs = no_store ? NULL : (struct xs_handle *)x,
		.xc_getinfolist = fake_getinfolist,
		.xs_read = fake_read,
		.xs_directory = fake_directory,
	};
	opened++;
	return 0;
}

void libxen_close(struct libxen *x)
{
	(void)x;
	closed++;
}

double guests_number(const json_t *guest, const char *key)
{
	return json_number_value(json_object_get(guest, key));
}

static int setup(void **state)
{
	(void)state;
	nr_domains = list_error = opened = closed = 0;
	no_store = no_libraries = false;
	memset(domains, 0, sizeof(domains));
	return 0;
}

static const char *text(const json_t *guest, const char *key)
{
	return json_string_value(json_object_get(guest, key));
}

static void test_columns(void **state)
{
	json_t *list, *dom0, *three;

	(void)state;
	nr_domains = 2;
	domains[0] = (xc_domaininfo_t){ .flags = XEN_DOMINF_running,
					.tot_pages = 1 << 18,
					.max_pages = UINT64_MAX,
					.cpu_time = 1500000000,
					.nr_online_vcpus = 2 };
	domains[1] = (xc_domaininfo_t){ .domain = 3,
					.flags = XEN_DOMINF_hvm_guest | XEN_DOMINF_blocked,
					.tot_pages = 1 << 16,
					.max_pages = 1 << 17,
					.nr_online_vcpus = 1,
					.handle = { 0xab, [15] = 0xcd } };
	list = guests_xen_list();
	assert_int_equal(json_array_size(list), 2);
	dom0 = json_array_get(list, 0);
	three = json_array_get(list, 1);
	assert_string_equal(text(dom0, "name"), "Domain-0");
	assert_string_equal(text(dom0, "type"), "pv");
	assert_string_equal(text(dom0, "state"), "running");
	assert_int_equal(guests_number(dom0, "memory_bytes"), 1 << 30);
	assert_null(json_object_get(dom0, "max_memory_bytes"));
	assert_true(guests_number(dom0, "cpu_seconds") == 1.5);
	assert_int_equal(guests_number(three, "domid"), 3);
	assert_string_equal(text(three, "name"), "three");
	assert_string_equal(text(three, "type"), "pvh");
	assert_string_equal(text(three, "state"), "blocked");
	assert_int_equal(guests_number(three, "max_memory_bytes"), 1 << 29);
	assert_string_equal(text(three, "uuid"), "ab000000-0000-0000-0000-0000000000cd");
	guests_xen_details(three);
	assert_int_equal(json_array_size(json_object_get(three, "devices")), 1);
	assert_string_equal(text(json_array_get(json_object_get(three, "devices"), 0), "bridge"),
			    "xenbr0");
	json_decref(list);
	assert_int_equal(opened, 2);
	assert_int_equal(closed, 2);
}

/* More than one call brings them in, with gaps between the ids */
static void test_many(void **state)
{
	json_t *list;

	(void)state;
	for (nr_domains = 0; nr_domains < 130; nr_domains++)
		domains[nr_domains].domain = nr_domains * 3;
	for (unsigned int n = 126; n <= 130; n++) {
		nr_domains = n;
		list = guests_xen_list();
		assert_int_equal(json_array_size(list), n);
		assert_int_equal(guests_number(json_array_get(list, n - 1), "domid"), 3 * (n - 1));
		json_decref(list);
	}
}

static void test_states(void **state)
{
	const uint32_t crash = SHUTDOWN_crash << XEN_DOMINF_shutdownshift;

	(void)state;
	assert_string_equal(state_name(0), "runnable");
	assert_string_equal(state_name(XEN_DOMINF_running), "running");
	assert_string_equal(state_name(XEN_DOMINF_blocked | XEN_DOMINF_paused), "paused");
	assert_string_equal(state_name(XEN_DOMINF_shutdown | XEN_DOMINF_blocked), "shutdown");
	assert_string_equal(state_name(XEN_DOMINF_shutdown | crash), "crashed");
	assert_string_equal(state_name(XEN_DOMINF_dying | XEN_DOMINF_shutdown | crash), "dying");
}

/* Without xenstored there are numbers, but no names; without rights, nothing. */
static void test_something_missing(void **state)
{
	json_t *list;

	(void)state;
	nr_domains = 1;
	no_store = true;
	list = guests_xen_list();
	assert_int_equal(json_array_size(list), 1);
	assert_null(text(json_array_get(list, 0), "name"));
	json_decref(list);
	list_error = EPERM;
	assert_null(guests_xen_list());
	assert_int_equal(opened, closed);
	no_libraries = true;
	assert_null(guests_xen_list());
	assert_int_equal(opened, closed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_columns, setup),
		cmocka_unit_test_setup(test_many, setup),
		cmocka_unit_test_setup(test_states, setup),
		cmocka_unit_test_setup(test_something_missing, setup),
	};

	return cmocka_run_group_tests_name("guests_xen", tests, NULL, NULL);
}
