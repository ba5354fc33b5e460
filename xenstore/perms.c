// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore/internal.h"

struct xst_perms *xst_perms_new(const struct xst_perm *entry, size_t count)
{
	struct xst_perms *perms = malloc(sizeof(*perms) + count * sizeof(*entry));

	if (!perms)
		return NULL;
	perms->refs = 1;
	perms->count = count;
	memcpy(perms->entry, entry, count * sizeof(*entry));
	return perms;
}

struct xst_perms *xst_perms_get(struct xst_perms *perms)
{
	perms->refs++;
	return perms;
}

void xst_perms_put(struct xst_perms *perms)
{
	if (perms && !--perms->refs)
		free(perms);
}

struct xst_perms *xst_perms_inherit(const struct xst_conn *conn, struct xst_perms *parent)
{
	domid_t domid = xst_conn_domid(conn);
	struct xst_perms *perms;

	/* A guest owns what it makes, wherever it makes it. */
	if (xst_privileged(conn) || parent->entry[0].domid == domid)
		return xst_perms_get(parent);
	perms = xst_perms_new(parent->entry, parent->count);
	if (perms)
		perms->entry[0].domid = domid;
	return perms;
}

static bool acts_as(const struct xst_conn *conn, domid_t domid)
{
	const struct xst_domain *domain = conn->domain;

	return domid == domain->usage.domid ||
	       (domain->target && domid == domain->target->usage.domid);
}

unsigned int xst_perms_for(const struct xst_conn *conn, const struct xst_perms *perms)
{
	unsigned int i;

	if (xst_privileged(conn) || acts_as(conn, perms->entry[0].domid))
		return XST_PERM_BOTH | XST_PERM_OWNER;
	for (i = 1; i < perms->count; i++) {
		if (acts_as(conn, perms->entry[i].domid))
			return perms->entry[i].access;
	}
	return perms->entry[0].access;
}

/* In the order of XST_PERM_*: none, read, write, both */
static const char letters[] = "nrwb";

int xst_perm_parse(const char *text, struct xst_perm *perm)
{
	const char *letter = text[0] ? strchr(letters, text[0]) : NULL;
	unsigned long domid = 0;
	size_t digits = letter ? strspn(text + 1, "0123456789") : 0;

	if (!digits || digits > 5 || text[1 + digits])
		return -EINVAL;
	domid = strtoul(text + 1, NULL, 10);
	if (domid > UINT16_MAX)
		return -EINVAL;
	perm->domid = domid;
	perm->access = letter - letters;
	return 0;
}

size_t xst_perm_format(const struct xst_perm *perm, char text[XST_PERM_TEXT])
{
	return snprintf(text, XST_PERM_TEXT, "%c%u", letters[perm->access & XST_PERM_BOTH],
			perm->domid);
}
