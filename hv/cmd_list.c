// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * paravane list: the guests that run here, in xl's columns.
 */
#include <stdio.h>

#include "hv/cmd.h"
#include "hv/guests.h"
#include "hv/log.h"
#include "hv/types.h"

static const char help[] =
	"usage: paravane list [--json] [GUEST]\n"
	"\n"
	"Shows the guests that run here, or the one with this name or domain id: Paravane's\n"
	"own (root's or this user's), in a Xen domain 0 Xen's. The columns are xl's:\n"
	"\n"
	"  Mem      MiB\n"
	"  State    r running, b blocked, p paused, s shut down, c crashed, d dying\n"
	"  Time(s)  processor time\n"
	"\n"
	"  --json   the same as JSON\n"
	"\n"
	"Exit status: 0 done, 2 it cannot be done (there is no such guest, for instance).\n";

static json_t *row_json(const json_t *guest)
{
	static const char *const keys[] = { "name",  "domid",	    "memory_bytes", "vcpus",
					    "state", "cpu_seconds", "pid",	    "type" };
	json_t *row = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *value = json_object_get(guest, keys[i]);

		if (value)
			json_object_set(row, keys[i], value);
	}
	return row;
}

static void print_row(const json_t *guest)
{
	char letters[GUESTS_STATE_LEN];

	printf("%-40s %5d ", guests_text(guest, "name"), (int)guests_number(guest, "domid"));
	/* Its process did not say. */
	if (!json_object_get(guest, "vcpus"))
		printf("%5s %5s %10s %8s\n", "-", "-", guests_text(guest, "state"), "-");
	else
		printf("%5lu %5.0f %10s %8.1f\n", guests_mib(guest, "memory_bytes"),
		       guests_number(guest, "vcpus"), guests_state_letters(guest, letters),
		       guests_number(guest, "cpu_seconds"));
}

static void print_list(const json_t *list)
{
	json_t *guest;
	size_t i;

	printf("%-40s %5s %5s %5s %10s %8s\n", "Name", "ID", "Mem", "VCPUs", "State", "Time(s)");
	json_array_foreach(list, i, guest) print_row(guest);
	if (!json_array_size(list)) {
		fflush(stdout);
		pr_info("no guest is running");
	}
}

static void print_list_json(const json_t *list)
{
	json_t *rows = json_array(), *guest;
	size_t i;

	json_array_foreach(list, i, guest) json_array_append_new(rows, row_json(guest));
	json_dumpf(rows, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(rows);
}

int cmd_list(int argc, char **argv)
{
	const char *name;
	json_t *list;
	bool json;
	int ret = cmd_guest_arguments(argc, argv, help, &json, &name);

	if (ret)
		return ret > 0 ? EXIT_DONE : EXIT_SETUP;
	list = guests_list();
	if (list && name)
		list = guests_only(list, name);
	if (!list)
		return EXIT_SETUP;
	if (json)
		print_list_json(list);
	else
		print_list(list);
	json_decref(list);
	return EXIT_DONE;
}
