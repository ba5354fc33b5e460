/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grant tables, version 1 (xen-public/grant_table.h). All guest memory is mapped here, so a map is a
 * check of the entry, a mark in it, and an address.
 */
#ifndef HV_GNTTAB_H
#define HV_GNTTAB_H

#include "hv/types.h"

#define GNTTAB_MAX_FRAMES 64

struct gnttab;

int gnttab_create(struct domain *d);
void gnttab_destroy(struct domain *d);

/**
 * gnttab_map - let domain 0 use the page behind @ref
 * @write: for writing too; refused if the guest granted it read-only
 * @page: host address of the 4 KiB page; the guest may change its bytes at any time
 *
 * Any thread; takes no lock. Each successful map needs one gnttab_unmap() with the same arguments.
 * Return: 0, -EINVAL for a reference out of range or a frame that is not RAM, -EPERM for an entry not granted to domain 0
 * (or not writable), -EBUSY if the guest keeps changing it, -ENOSPC if mapped too often.
 */
int gnttab_map(struct domain *d, grant_ref_t ref, bool write, void **page);
void gnttab_unmap(struct domain *d, grant_ref_t ref, bool write);

/** gnttab_preset - fill a reserved entry (console, XenStore) before the guest starts */
void gnttab_preset(struct domain *d, grant_ref_t ref, gfn_t gfn);

/** gnttab_place_frame - XENMAPSPACE_grant_table: frame @index at @gfn; 0 or -errno */
long gnttab_place_frame(struct domain *d, unsigned int index, gfn_t gfn);

/** gnttab_op - HYPERVISOR_grant_table_op(cmd, uop, count); a hypercall_fn */
long gnttab_op(struct vcpu *v, const uint64_t *arg);

#endif /* HV_GNTTAB_H */
