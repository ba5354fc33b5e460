/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One entry of a version 1 grant table, as its user sees it: the guest's shared words, and our
 * private count of how often it is in use. Pure: no KVM, no table, no allocation.
 *
 * The guest may change its words at any time. What counts is what a compare-and-swap of flags and
 * domid found in one piece; while an entry is in use, the frame is the one that was read when it
 * came into use.
 */
#ifndef HV_GNTTAB_ENTRY_H
#define HV_GNTTAB_ENTRY_H

#include "hv/types.h"

/**
 * struct gnttab_use - our side of an entry
 * @state: users (readers and writers), and a bit that holds off other users of this
 *	   one entry for the few instructions in which count and shared flags disagree
 * @gfn: valid while there are users, as is
 * @domid: who they are
 */
struct gnttab_use {
	uint32_t state;
	uint32_t gfn;
	domid_t domid;
};

/**
 * gnttab_entry_get - use the entry on behalf of @domid
 * @write: sets GTF_writing as well as GTF_reading
 *
 * Return: 0 and the frame; -EPERM if it is not granted to @domid, or in use by another domain (or only for reading, or not as a
 * whole page), -EBUSY if the guest keeps changing it, -ENOSPC if it has too many users.
 */
int gnttab_entry_get(grant_entry_v1_t *entry, struct gnttab_use *use, domid_t domid, bool write,
		     gfn_t *gfn);

/**
 * gnttab_entry_put - undo one gnttab_entry_get() with the same @write; clears the flags that have
 * no user left
 */
void gnttab_entry_put(grant_entry_v1_t *entry, struct gnttab_use *use, bool write);

/**
 * gnttab_entry_settle - after the entry was copied elsewhere: make the flags in the copy match the
 * users
 */
void gnttab_entry_settle(grant_entry_v1_t *entry, struct gnttab_use *use);

#endif /* HV_GNTTAB_ENTRY_H */
