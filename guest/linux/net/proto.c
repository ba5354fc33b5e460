// SPDX-License-Identifier: GPL-2.0-only
#include "guest/linux/net/proto.h"

const char *vif_extra_add(struct vif_extras *extras, const struct netif_extra_info *extra)
{
	/* There is one of each type at most. */
	if (++extras->count >= XEN_NETIF_EXTRA_TYPE_MAX)
		return "too many extra slots";
	extras->more = extra->flags & XEN_NETIF_EXTRA_FLAG_MORE;
	if (extra->type == XEN_NETIF_EXTRA_TYPE_NONE || extra->type >= XEN_NETIF_EXTRA_TYPE_MAX)
		return "extra slot of an unknown type";
	if (extra->type != XEN_NETIF_EXTRA_TYPE_GSO)
		return NULL;
	if (!extra->u.gso.size)
		return "segments of no size";
	if (extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV4 &&
	    extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV6)
		return "segments of an unknown protocol";
	extras->gso_size = extra->u.gso.size;
	extras->gso_type = extra->u.gso.type;
	return NULL;
}

const char *vif_rx_fault(const struct netif_rx_response *rsp, unsigned int slot)
{
	if (rsp->id != slot)
		return "received data for a buffer that is not next";
	if (rsp->status > 0 && (rsp->offset >= VIF_PAGE_SIZE ||
				(unsigned int)rsp->status > VIF_PAGE_SIZE - rsp->offset))
		return "received data that leaves its page";
	return NULL;
}
