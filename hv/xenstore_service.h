/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The domain's XenStore: the library of xenstore/ on the loop thread, the nodes a toolstack
 * writes for a new domain, and the two rims (the guest's ring page, a Unix socket in the run
 * directory).
 *
 * All functions: loop thread, or before it runs.
 */
#ifndef HV_XENSTORE_SERVICE_H
#define HV_XENSTORE_SERVICE_H

#include "xenstore/xenstore.h"

struct domain;
struct xenstore_service;

/**
 * xenstore_service_create - make d->xenstore with the domain's first nodes, start both rims
 *
 * Needs d->loop, d->config, d->domid, d->run_dir, memory, d->store_gfn and d->store_port.
 * Return: 0 or -errno, after printing one line.
 */
int xenstore_service_create(struct domain *d);

/**
 * xenstore_service_destroy - stop the rims, free the store; while guest memory still exists;
 * idempotent
 */
void xenstore_service_destroy(struct domain *d);

struct xst_store *xenstore_service_store(const struct domain *d);

/** xenstore_service_conn - domain 0's connection of this process, for back ends and commands */
struct xst_conn *xenstore_service_conn(const struct domain *d);

/**
 * domain_request_shutdown - ask the guest's kernel to shut down
 * @how: "poweroff", "reboot", "suspend" or "halt"
 *
 * Writes control/shutdown. Return: 0 or -errno.
 */
int domain_request_shutdown(struct domain *d, const char *how);

#endif /* HV_XENSTORE_SERVICE_H */
