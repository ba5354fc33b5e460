/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grant tables, version 1 (xen-public/grant_table.h). All guest memory is mapped here, so a map is
 * a check of the entry, a mark in it, and an address.
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
 * Return: 0, -EINVAL for a reference out of range or a frame that is not RAM, -EPERM for an entry
 * not granted to domain 0 (or not writable), -EBUSY if the guest keeps changing it, -ENOSPC if
 * mapped too often.
 */
int gnttab_map(struct domain *d, grant_ref_t ref, bool write, void **page);
void gnttab_unmap(struct domain *d, grant_ref_t ref, bool write);

/** gnttab_map_for - gnttab_map() for a grant to @grantee; undone by gnttab_unmap() */
int gnttab_map_for(struct domain *d, domid_t grantee, grant_ref_t ref, bool write, void **page);

/** gnttab_preset - fill a reserved entry (console, XenStore) before the guest starts */
void gnttab_preset(struct domain *d, grant_ref_t ref, gfn_t gfn);

/** gnttab_nr_frames - current size of the table in pages; any thread */
unsigned int gnttab_nr_frames(const struct domain *d);
/**
 * gnttab_grow - make the table at least @nr_frames large; 0, -EINVAL beyond GNTTAB_MAX_FRAMES,
 * -ENOMEM
 */
long gnttab_grow(struct domain *d, unsigned int nr_frames);
/** gnttab_frame_gfn - where the guest sees frame @index, or GFN_NONE */
gfn_t gnttab_frame_gfn(struct domain *d, unsigned int index);

/** gnttab_place_frame - XENMAPSPACE_grant_table: frame @index at @gfn; 0 or -errno */
long gnttab_place_frame(struct domain *d, uint64_t index, gfn_t gfn);
/** gnttab_unplace_frame - take the frame at @gfn back; 0, -ENOENT if there is none, -errno */
long gnttab_unplace_frame(struct domain *d, gfn_t gfn);

/** gnttab_op - HYPERVISOR_grant_table_op(cmd, uop, count); a hypercall_fn */
long gnttab_op(struct vcpu *v, const uint64_t *arg);

#endif /* HV_GNTTAB_H */
