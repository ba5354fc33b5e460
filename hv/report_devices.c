// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/report_devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/types.h"

#include <xen-public/io/xenbus.h>

#define BACKENDS "/local/domain/0/backend"
#define PATH_MAX_LEN 256

/* "unknown" also for what is no state: a front end writes its own. */
static const char *state_name(const char *text)
{
	static const char *const names[] = {
		[XenbusStateUnknown] = "unknown",
		[XenbusStateInitialising] = "initialising",
		[XenbusStateInitWait] = "initwait",
		[XenbusStateInitialised] = "initialised",
		[XenbusStateConnected] = "connected",
		[XenbusStateClosing] = "closing",
		[XenbusStateClosed] = "closed",
		[XenbusStateReconfiguring] = "reconfiguring",
		[XenbusStateReconfigured] = "reconfigured",
	};
	unsigned int state = text && *text && !text[1] ? *text - '0' : XenbusStateUnknown;

	return names[state < ARRAY_SIZE(names) ? state : XenbusStateUnknown];
}

static char *read_key(const struct report_store *store, const char *dir, const char *key)
{
	char path[PATH_MAX_LEN];

	if (snprintf(path, sizeof(path), "%s/%s", dir, key) >= (int)sizeof(path))
		return NULL;
	return store->read(store->opaque, path);
}

static void add_state(const struct report_store *store, json_t *device, const char *name,
		      const char *dir)
{
	char *value = dir ? read_key(store, dir, "state") : NULL;

	json_object_set_new(device, name, json_string(state_name(value)));
	free(value);
}

/* All that is told comes from the back end's directory, where only domain 0 writes. */
static json_t *read_device(const struct report_store *store, const char *class, const char *id,
			   const char *back)
{
	static const char *const keys[] = {
		"dev", "mode", "type", "params", "mac", "bridge", "vifname",
	};
	json_t *device = json_pack("{s:s, s:i}", "class", class, "id", atoi(id));
	char *front = read_key(store, back, "frontend");

	add_state(store, device, "front", front);
	add_state(store, device, "back", back);
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++) {
		char *value = read_key(store, back, keys[i]);

		/* What is not UTF-8, and so no JSON, is left out. */
		if (value && *value)
			json_object_set_new(device, keys[i], json_string(value));
		free(value);
	}
	free(front);
	return device;
}

static void read_class(const struct report_store *store, json_t *devices, const char *class,
		       unsigned int domid)
{
	char dir[PATH_MAX_LEN / 2], back[PATH_MAX_LEN];
	unsigned int count = 0;
	char **ids;

	if (snprintf(dir, sizeof(dir), BACKENDS "/%s/%u", class, domid) >= (int)sizeof(dir))
		return;
	ids = store->list(store->opaque, dir, &count);
	for (unsigned int i = 0; ids && i < count; i++) {
		if (snprintf(back, sizeof(back), "%s/%s", dir, ids[i]) < (int)sizeof(back))
			json_array_append_new(devices, read_device(store, class, ids[i], back));
	}
	free(ids);
}

json_t *report_devices(const struct report_store *store, unsigned int domid)
{
	json_t *devices = json_array();
	unsigned int count = 0;
	char **classes = store->list(store->opaque, BACKENDS, &count);

	for (unsigned int i = 0; classes && i < count; i++)
		read_class(store, devices, classes[i], domid);
	free(classes);
	return devices;
}
