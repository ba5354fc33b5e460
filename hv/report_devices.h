/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PV devices of a domain as XenStore shows them, whoever keeps the store:
 *
 *   [{ class ("vbd", "vif", ...), id, front, back (xenbus states, "connected" for example),
 *      and, where the back end has them, dev, mode, type, params, mac, bridge, vifname }]
 */
#ifndef HV_REPORT_DEVICES_H
#define HV_REPORT_DEVICES_H

#include <jansson.h>

/**
 * struct report_store - how XenStore is read
 * @read: a node's value, or NULL; the caller frees it
 * @list: names of a node's children, *@count of them in one allocation the caller frees, or NULL
 */
struct report_store {
	char *(*read)(void *opaque, const char *path);
	char **(*list)(void *opaque, const char *path, unsigned int *count);
	void *opaque;
};

struct xst_conn;

/** report_store_own - the store of this process, as @conn may see it */
struct report_store report_store_own(struct xst_conn *conn);

/** report_devices - those of @domid whose back end is domain 0; a new reference */
json_t *report_devices(const struct report_store *store, unsigned int domid);

#endif /* HV_REPORT_DEVICES_H */
