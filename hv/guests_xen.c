// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Xen's domains, as its domain 0 sees them.
 */
#include "hv/libxen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/guests.h"
#include "hv/log.h"
#include "hv/report_devices.h"

#define BATCH 64

static char *store_read(void *opaque, const char *path)
{
	struct libxen *x = opaque;

	return x->xs ? x->xs_read(x->xs, XBT_NULL, path, NULL) : NULL;
}

static char **store_list(void *opaque, const char *path, unsigned int *count)
{
	struct libxen *x = opaque;

	return x->xs ? x->xs_directory(x->xs, XBT_NULL, path, count) : NULL;
}

/* Add the value of a node, if there is one, as @key. */
static void add_node(struct libxen *x, json_t *guest, const char *key, const char *format,
		     unsigned int domid)
{
	char path[64], *value;

	snprintf(path, sizeof(path), format, domid);
	value = store_read(x, path);
	if (value)
		json_object_set_new(guest, key, json_string(value));
	free(value);
}

/* The one that says most, where Xen sets several */
static const char *state_name(uint32_t flags)
{
	unsigned int reason = flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;

	if (flags & XEN_DOMINF_dying)
		return "dying";
	if (flags & XEN_DOMINF_shutdown)
		return reason == SHUTDOWN_crash ? "crashed" : "shutdown";
	if (flags & XEN_DOMINF_paused)
		return "paused";
	if (flags & XEN_DOMINF_running)
		return "running";
	return flags & XEN_DOMINF_blocked ? "blocked" : "runnable";
}

static json_t *describe(struct libxen *x, const xc_domaininfo_t *info)
{
	/* As xl counts it: with what the domain is promised but has not been given yet */
	const uint64_t pages = info->tot_pages + info->outstanding_pages;
	const uint8_t *u = info->handle;
	char uuid[37];
	json_t *guest;

	snprintf(uuid, sizeof(uuid),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
		 u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
		 u[15]);
	guest = json_pack("{s:i, s:s, s:i, s:I, s:f, s:s, s:s}", "domid", info->domain, "state",
			  state_name(info->flags), "vcpus", info->nr_online_vcpus, "memory_bytes",
			  (json_int_t)(pages << XC_PAGE_SHIFT), "cpu_seconds", info->cpu_time / 1e9,
			  "type", info->flags & XEN_DOMINF_hvm_guest ? "hvm" : "pv", "uuid", uuid);
	/* Domain 0 has no limit, which Xen says with a very large one. */
	if (info->max_pages < 1ULL << 40)
		json_object_set_new(guest, "max_memory_bytes",
				    json_integer(info->max_pages << XC_PAGE_SHIFT));
	add_node(x, guest, "name", "/local/domain/%u/name", info->domain);
	/* The toolstack alone tells PVH, which Xen counts among HVM. */
	add_node(x, guest, "type", "/libxl/%u/type", info->domain);
	return guest;
}

static int list_domains(struct libxen *x, json_t *list)
{
	xc_domaininfo_t info[BATCH];
	uint32_t first = 0;
	int n;

	do {
		n = x->xc_getinfolist(x->xc, first, BATCH, info);
		if (n < 0) {
			n = -errno;
			pr_err("Xen does not list its domains: %s", strerror(-n));
			return n;
		}
		for (int i = 0; i < n; i++) {
			json_array_append_new(list, describe(x, &info[i]));
			first = info[i].domain + 1;
		}
	} while (n == BATCH);
	return 0;
}

static bool open_or_say(struct libxen *x)
{
	char why[200];

	if (!libxen_open(x, why, sizeof(why)))
		return true;
	pr_err("cannot ask Xen: %s", why);
	return false;
}

json_t *guests_xen_list(void)
{
	json_t *list = NULL;
	struct libxen x;

	if (!open_or_say(&x))
		return NULL;
	if (!x.xs)
		pr_warn("xenstored does not answer: guests have no names");
	list = json_array();
	if (list_domains(&x, list)) {
		json_decref(list);
		list = NULL;
	}
	libxen_close(&x);
	return list;
}

void guests_xen_details(json_t *guest)
{
	struct libxen x;
	const struct report_store store = { .read = store_read, .list = store_list, .opaque = &x };

	if (!open_or_say(&x))
		return;
	json_object_set_new(guest, "devices",
			    report_devices(&store, guests_number(guest, "domid")));
	libxen_close(&x);
}
