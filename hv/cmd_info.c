// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * paravane info: all that is known of one guest.
 */
#include <stdio.h>
#include <string.h>

#include "hv/cmd.h"
#include "hv/guests.h"
#include "hv/log.h"
#include "hv/types.h"

static const char help[] =
	"usage: paravane info [--json] GUEST\n"
	"\n"
	"Shows all that is known of the guest with this name or domain id: its devices, with\n"
	"the xenbus states of front end and back end, and, of Paravane's own, what exits and\n"
	"hypercalls it has made since it booted.\n"
	"\n"
	"  --json  the same as JSON\n"
	"\n"
	"Exit status: 0 done, 2 it cannot be done (there is no such guest, for instance).\n";

/* A line of text, where there is something to say */
static void print_text(const json_t *guest, const char *label, const char *key)
{
	if (json_object_get(guest, key))
		printf("%-14s%s\n", label, guests_text(guest, key));
}

static void print_number(const json_t *guest, const char *label, const char *key)
{
	if (json_object_get(guest, key))
		printf("%-14s%.0f\n", label, guests_number(guest, key));
}

static void print_mib(const json_t *guest, const char *label, const char *key)
{
	if (json_object_get(guest, key))
		printf("%-14s%lu MiB\n", label, guests_mib(guest, key));
}

static void print_seconds(const json_t *guest, const char *label, const char *key)
{
	if (json_object_get(guest, key))
		printf("%-14s%.1f s\n", label, guests_number(guest, key));
}

static void print_device(const json_t *device)
{
	static const char *const keys[] = {
		"dev", "mode", "type", "params", "mac", "vifname", "bridge",
	};

	printf("  %s %.0f: front end %s, back end %s", guests_text(device, "class"),
	       guests_number(device, "id"), guests_text(device, "front"),
	       guests_text(device, "back"));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (json_object_get(device, keys[i]))
			printf(", %s %s", keys[i], guests_text(device, keys[i]));
	}
	putchar('\n');
}

static void print_devices(const json_t *devices)
{
	const json_t *device;
	size_t i;

	if (!devices)
		return;
	printf("devices%s\n", json_array_size(devices) ? "" : "       none");
	json_array_foreach(devices, i, device) print_device(device);
}

static void print_counts(const char *label, const json_t *counts)
{
	if (!json_object_size(counts))
		return;
	printf("%-14s", label);
	guests_print_counts(stdout, counts);
	putchar('\n');
}

static void print_info(const json_t *guest)
{
	char letters[GUESTS_STATE_LEN];
	json_t *exits = json_object_get(guest, "exits"), *reasons;

	print_text(guest, "name", "name");
	print_number(guest, "domid", "domid");
	printf("%-14s%s (%s)\n", "state", guests_text(guest, "state"),
	       guests_state_letters(guest, letters));
	print_text(guest, "type", "type");
	print_text(guest, "uuid", "uuid");
	print_number(guest, "vcpus", "vcpus");
	print_mib(guest, "memory", "memory_bytes");
	print_mib(guest, "at most", "max_memory_bytes");
	print_seconds(guest, "cpu time", "cpu_seconds");
	print_seconds(guest, "age", "seconds");
	print_number(guest, "process", "pid");
	print_text(guest, "profile", "profile");
	print_text(guest, "transport", "transport");
	print_devices(json_object_get(guest, "devices"));
	print_number(exits, "exits", "all");
	reasons = guests_exit_reasons(json_object_get(exits, "kvm"));
	print_counts("  reasons", reasons);
	print_number(exits, "to user space", "user");
	print_counts("  kinds", json_object_get(exits, "by_reason"));
	print_counts("  ports", json_object_get(exits, "by_port"));
	print_counts("hypercalls", json_object_get(guest, "hypercalls"));
	json_decref(reasons);
}

int cmd_info(int argc, char **argv)
{
	const char *name;
	json_t *guest;
	bool json;
	int ret = cmd_guest_arguments(argc, argv, help, &json, &name);

	if (ret)
		return ret > 0 ? EXIT_DONE : EXIT_SETUP;
	if (!name) {
		pr_err("info needs the name or the domain id of a guest (see paravane list)");
		return EXIT_SETUP;
	}
	guest = guests_find(name);
	if (!guest)
		return EXIT_SETUP;
	if (json) {
		json_dumpf(guest, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_info(guest);
	}
	json_decref(guest);
	return EXIT_DONE;
}
