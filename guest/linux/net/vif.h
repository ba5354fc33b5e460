/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * paravane-net, the network front end: <xen-public/io/netif.h>.
 *
 * The network device lives from probe to remove, its queues from connect to disconnect. While there
 * are none the device is detached, so that its configuration survives a back end that comes back.
 *
 * Each queue has two rings and a NAPI context for each. The requests of the transmit ring are put
 * by vif_start_xmit() and their responses taken by vif_tx_poll(), both under vif_queue.tx_lock; the
 * receive ring belongs to vif_rx_poll() alone.
 *
 * Locks: rtnl for opening, closing and changing queues; it is taken under the kit's lock of the
 * device, so what is called under rtnl must not wait for the kit. vif_queue.tx_lock (softirqs off)
 * nests in the queue lock of the network stack and in nothing else.
 */
#ifndef PARAVANE_LINUX_NET_VIF_H
#define PARAVANE_LINUX_NET_VIF_H

#include <linux/if_ether.h>
#include <linux/netdevice.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "guest/linux/front.h"
#include "guest/linux/net/proto.h"
#include "ring/ring.h"

/* Both rings are one page by definition, and have this many slots. */
#define VIF_RING_SIZE 256
/* The transmit queue stops when less than a largest packet fits: its slots and one extra. */
#define VIF_TX_RESERVE (VIF_MAX_SLOTS + 1)
/*
 * Most packets sent are answered by one received, and that poll looks at the transmit ring as well;
 * an event for each would be in vain. The back end is asked for one when so many slots are in use,
 * or the queue is stopped; otherwise a timer looks after what nobody else found.
 */
#define VIF_TX_MANY 64
#define VIF_TX_REAP_MS 4
/* How long a transmit queue may be full before that is worth a line in the log */
#define VIF_TX_STALL_S 10

struct vif;
struct page_pool;

/**
 * struct vif_tx_slot - the private side of one transmit request
 * @skb: packet it belongs to, NULL if the slot is idle
 * @page: page it lets the back end read
 * @ref: its grant
 * @bounced: @page is ours, not the packet's
 */
struct vif_tx_slot {
	struct sk_buff *skb;
	struct page *page;
	grant_ref_t ref;
	bool bounced;
};

/**
 * struct vif_rx_slot - the buffer in one slot of the receive ring
 * @page: page, NULL if the slot is idle
 * @ref: its grant
 */
struct vif_rx_slot {
	struct page *page;
	grant_ref_t ref;
};

/**
 * struct vif_queue - one pair of rings with all that belongs to it
 * @vif: the device
 * @index: which of its queues it is
 * @dead: the rings are not used any more
 * @tx_lock: protects everything up to @tx_slots
 * @tx: private end of the transmit ring
 * @tx_grants: grants for transmitted pages
 * @tx_ids: stack of idle slots
 * @tx_idle: how many
 * @tx_slots: the slots
 * @tx_napi: takes transmit responses
 * @tx_armed: the back end has been asked for an event
 * @tx_busy: there was work since the last event
 * @tx_timer: looks at the ring when there is no event to come
 * @tx_stall: runs since the queue is full
 * @rx: private end of the receive ring
 * @rx_grants: grants for receive buffers
 * @rx_put: requests put so far; with the ring size taken off, the next slot
 * @rx_taken: responses taken so far
 * @rx_slots: the slots
 * @rx_pool: where buffers come from
 * @rx_napi: takes packets and puts new buffers
 * @rx_busy: there was work since the last event
 * @rx_retry: tries again to get buffers when there was no memory
 * @tx_mem: shared memory of the transmit ring
 * @rx_mem: shared memory of the receive ring
 * @tx_evtchn: event channel of the transmit ring, or of both
 * @rx_evtchn: event channel of the receive ring, the same as @tx_evtchn if not split
 */
struct vif_queue {
	struct vif *vif;
	unsigned int index;
	bool dead;

	/* see above */
	spinlock_t tx_lock;
	struct ring_front tx;
	struct paravane_grant_pool tx_grants;
	u16 tx_ids[VIF_RING_SIZE];
	unsigned int tx_idle;
	struct vif_tx_slot tx_slots[VIF_RING_SIZE];
	struct napi_struct tx_napi;
	bool tx_armed;
	bool tx_busy;
	struct timer_list tx_timer;
	struct timer_list tx_stall;

	struct ring_front rx ____cacheline_aligned;
	struct paravane_grant_pool rx_grants;
	unsigned int rx_put;
	unsigned int rx_taken;
	struct vif_rx_slot rx_slots[VIF_RING_SIZE];
	struct page_pool *rx_pool;
	struct napi_struct rx_napi;
	bool rx_busy;
	struct timer_list rx_retry;

	struct paravane_front_ring tx_mem;
	struct paravane_front_ring rx_mem;
	struct paravane_evtchn *tx_evtchn;
	struct paravane_evtchn *rx_evtchn;
};

/* What ethtool -S shows; rare things only. */
enum vif_stat {
	VIF_STAT_TX_BOUNCED,
	VIF_STAT_TX_LINEARIZED,
	VIF_STAT_RX_NO_BUFFER,
	VIF_STAT_RX_CSUM_FIXED,
	VIF_NR_STATS
};

/**
 * struct vif - a network device
 * @dev: the paravirtual device
 * @netdev: the network device
 * @registered: @netdev is known to the network stack
 * @running: NAPI is enabled; under rtnl
 * @trusted: the back end may see what shares a page with a packet
 * @max_slots: slots of a packet the back end takes
 * @split: each ring has an event channel of its own
 * @features: NETIF_F_* the back end allows
 * @stats: see enum vif_stat
 * @nr_queues: number of queues while connected, else 0
 * @queues: the queues
 */
struct vif {
	struct paravane_front_dev *dev;
	struct net_device *netdev;
	bool registered;
	bool running;
	bool trusted;
	unsigned int max_slots;
	bool split;
	netdev_features_t features;
	atomic64_t stats[VIF_NR_STATS];
	unsigned int nr_queues;
	struct vif_queue *queues;
};

static inline void vif_count(struct vif *vif, enum vif_stat stat)
{
	atomic64_inc(&vif->stats[stat]);
}

/* main.c: life cycle */
void vif_queue_fail(struct vif_queue *q, const char *why);

/* negotiate.c: what the two ends tell each other through XenStore */
unsigned int vif_max_queues(void);
int vif_read_mac(struct paravane_front_dev *dev, u8 mac[ETH_ALEN]);
int vif_negotiate(struct vif *vif);
int vif_publish(struct paravane_front_dev *dev, const struct paravane_xs_tx *tx);
void vif_unpublish(struct vif *vif);
bool vif_read_carrier(struct vif *vif);

/* queue.c: life of a queue */
int vif_queues_init(struct vif *vif);
void vif_queues_exit(struct vif *vif);
void vif_queues_start(struct vif *vif);
void vif_queues_stop(struct vif *vif);

/* tx.c: transmission */
void vif_tx_reap(struct vif_queue *q, int budget);
void vif_tx_look(struct timer_list *timer);
netdev_tx_t vif_start_xmit(struct sk_buff *skb, struct net_device *netdev);
int vif_tx_poll(struct napi_struct *napi, int budget);
void vif_tx_stalled(struct timer_list *timer);
void vif_tx_drain(struct vif_queue *q);

/* rx.c: reception */
int vif_rx_poll(struct napi_struct *napi, int budget);
void vif_rx_retry(struct timer_list *timer);
void vif_rx_drain(struct vif_queue *q);

/* ethtool.c */
extern const struct ethtool_ops vif_ethtool_ops;

#endif /* PARAVANE_LINUX_NET_VIF_H */
