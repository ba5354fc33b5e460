/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of <xen-public/io/netif.h> that need no kernel around them: cutting packets into slots
 * and judging what the back end says. They are also compiled and tested in user space.
 */
#ifndef PARAVANE_LINUX_NET_PROTO_H
#define PARAVANE_LINUX_NET_PROTO_H

#include "guest/linux/xen.h"

#include <xen-public/io/netif.h>

struct page;

#define VIF_PAGE_SIZE 4096u

/* Slots of a packet that every back end takes; extra slots do not count. */
#define VIF_MAX_SLOTS XEN_NETIF_NR_SLOTS_MIN

/**
 * struct vif_piece - a part of a packet that lies in one page
 * @page: page
 * @offset: start in @page, bytes
 * @len: bytes
 */
struct vif_piece {
	struct page *page;
	unsigned int offset;
	unsigned int len;
};

/**
 * vif_pieces_in() - pages that a run of bytes touches
 * @offset: start, bytes after any page boundary
 * @len: bytes
 */
static inline unsigned int vif_pieces_in(unsigned int offset, unsigned int len)
{
	return (offset % VIF_PAGE_SIZE + len + VIF_PAGE_SIZE - 1) / VIF_PAGE_SIZE;
}

/**
 * struct vif_extras - what the extra slots of a received packet say
 * @gso_size: payload of each segment, 0 if the packet is not to be segmented
 * @gso_type: XEN_NETIF_GSO_TYPE_*
 * @count: extra slots seen
 * @more: another extra slot follows
 */
struct vif_extras {
	unsigned short gso_size;
	unsigned char gso_type;
	unsigned int count;
	bool more;
};

/**
 * vif_extra_add() - take one more extra slot into account
 * @extras: zeroed before the first one
 * @extra: private copy of the slot
 *
 * Return: NULL, or what is wrong with it.
 */
const char *vif_extra_add(struct vif_extras *extras, const struct netif_extra_info *extra);

/**
 * vif_rx_fault() - find out what is wrong with a response that carries data
 * @rsp: private copy of the response
 * @slot: slot of the ring it was in, which is also the id of the request that was there
 *
 * A negative status is not wrong, the packet is just lost.
 *
 * Return: NULL or the complaint.
 */
const char *vif_rx_fault(const struct netif_rx_response *rsp, unsigned int slot);

#endif /* PARAVANE_LINUX_NET_PROTO_H */
