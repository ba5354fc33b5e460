// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a queue.
 */
#include <linux/rtnetlink.h>

#include "guest/linux/compat/net.h"
#include "guest/linux/net/vif.h"

/*
 * The handlers only start the polls, so what they return is the truth about the time since the
 * event before: a back end that sends events without work is found out one event later.
 */
static bool vif_tx_event(void *data)
{
	struct vif_queue *q = data;

	napi_schedule(&q->tx_napi);
	return xchg(&q->tx_busy, false);
}

static bool vif_rx_event(void *data)
{
	struct vif_queue *q = data;

	napi_schedule(&q->rx_napi);
	return xchg(&q->rx_busy, false);
}

static bool vif_event(void *data)
{
	bool tx = vif_tx_event(data);
	bool rx = vif_rx_event(data);

	return tx || rx;
}

static int vif_evtchn_init(struct vif_queue *q, struct paravane_evtchn **ch, paravane_evtchn_fn fn)
{
	unsigned int cpu = cpumask_local_spread(q->index, NUMA_NO_NODE);
	int err;

	*ch = paravane_front_evtchn_alloc(q->vif->dev, cpu, fn, q);
	if (!IS_ERR(*ch))
		return 0;
	err = PTR_ERR(*ch);
	*ch = NULL;
	return err;
}

static int vif_queue_init(struct vif *vif, struct vif_queue *q, unsigned int index)
{
	const struct page_pool_params params = {
		.pool_size = VIF_RING_SIZE,
		.nid = NUMA_NO_NODE,
	};
	int err;

	q->vif = vif;
	q->index = index;
	spin_lock_init(&q->tx_lock);
	for (q->tx_idle = 0; q->tx_idle < VIF_RING_SIZE; q->tx_idle++)
		q->tx_ids[q->tx_idle] = VIF_RING_SIZE - 1 - q->tx_idle;
	timer_setup(&q->tx_timer, vif_tx_look, 0);
	timer_setup(&q->tx_stall, vif_tx_stalled, 0);
	timer_setup(&q->rx_retry, vif_rx_retry, 0);
	/* Not enabled yet, so events before vif_queues_start() do nothing. */
	rtnl_lock();
	netif_napi_add_tx(vif->netdev, &q->tx_napi, vif_tx_poll);
	netif_napi_add(vif->netdev, &q->rx_napi, vif_rx_poll);
	rtnl_unlock();

	q->rx_pool = page_pool_create(&params);
	if (IS_ERR(q->rx_pool)) {
		err = PTR_ERR(q->rx_pool);
		q->rx_pool = NULL;
		return err;
	}
	err = paravane_front_pool_init(vif->dev, &q->tx_grants, VIF_RING_SIZE);
	if (!err)
		err = paravane_front_pool_init(vif->dev, &q->rx_grants, VIF_RING_SIZE);
	if (!err)
		err = paravane_front_ring_alloc(vif->dev, &q->tx_mem, 1, &q->tx,
						RING_FORMAT(netif_tx));
	if (!err)
		err = paravane_front_ring_alloc(vif->dev, &q->rx_mem, 1, &q->rx,
						RING_FORMAT(netif_rx));
	if (!err)
		err = vif_evtchn_init(q, &q->tx_evtchn, vif->split ? vif_tx_event : vif_event);
	if (!err && vif->split)
		err = vif_evtchn_init(q, &q->rx_evtchn, vif_rx_event);
	else
		q->rx_evtchn = q->tx_evtchn;
	return err;
}

static void vif_queue_exit(struct vif *vif, struct vif_queue *q)
{
	if (!q->vif)
		return;
	if (q->rx_evtchn != q->tx_evtchn)
		paravane_front_evtchn_free(vif->dev, q->rx_evtchn);
	paravane_front_evtchn_free(vif->dev, q->tx_evtchn);
	rtnl_lock();
	netif_napi_del(&q->rx_napi);
	netif_napi_del(&q->tx_napi);
	rtnl_unlock();
	vif_tx_drain(q);
	netdev_tx_reset_queue(netdev_get_tx_queue(vif->netdev, q->index));
	vif_rx_drain(q);
	paravane_front_ring_free(vif->dev, &q->rx_mem);
	paravane_front_ring_free(vif->dev, &q->tx_mem);
	paravane_grant_pool_exit(&q->rx_grants);
	paravane_grant_pool_exit(&q->tx_grants);
	if (q->rx_pool)
		page_pool_destroy(q->rx_pool);
}

/**
 * vif_queues_init() - allocate all queues, and share their rings
 * @vif: device, negotiated
 *
 * Takes rtnl, for the device may be registered: others walk its NAPI contexts under it.
 *
 * Return: 0 or -errno; then nothing is left of them.
 */
int vif_queues_init(struct vif *vif)
{
	unsigned int i;
	int err = 0;

	BUILD_BUG_ON(__CONST_RING_SIZE(netif_tx, PAGE_SIZE) != VIF_RING_SIZE);
	BUILD_BUG_ON(__CONST_RING_SIZE(netif_rx, PAGE_SIZE) != VIF_RING_SIZE);

	vif->queues = kvcalloc(vif->nr_queues, sizeof(*vif->queues), GFP_KERNEL);
	if (!vif->queues)
		return -ENOMEM;
	for (i = 0; i < vif->nr_queues && !err; i++)
		err = vif_queue_init(vif, &vif->queues[i], i);
	if (err)
		vif_queues_exit(vif);
	return err;
}

/**
 * vif_queues_exit() - free all queues with what is in them
 * @vif: device; its queues are stopped and nobody can start them
 *
 * Takes rtnl.
 */
void vif_queues_exit(struct vif *vif)
{
	unsigned int i;

	if (!vif->queues)
		return;
	for (i = 0; i < vif->nr_queues; i++)
		vif_queue_exit(vif, &vif->queues[i]);
	kvfree(vif->queues);
	vif->queues = NULL;
}

/**
 * vif_queues_start() - begin to receive, and allow transmission
 * @vif: device, connected; under rtnl
 */
void vif_queues_start(struct vif *vif)
{
	unsigned int i;

	for (i = 0; i < vif->nr_queues; i++) {
		struct vif_queue *q = &vif->queues[i];

		q->tx_busy = true;
		q->rx_busy = true;
		napi_enable(&q->tx_napi);
		napi_enable(&q->rx_napi);
		/* Fill the ring, and see what happened while nobody looked. */
		local_bh_disable();
		napi_schedule(&q->tx_napi);
		napi_schedule(&q->rx_napi);
		local_bh_enable();
	}
	vif->running = true;
}

/**
 * vif_queues_stop() - neither receive nor transmit
 * @vif: device; under rtnl
 *
 * What is on the rings stays there.
 */
void vif_queues_stop(struct vif *vif)
{
	unsigned int i;

	if (!vif->running)
		return;
	vif->running = false;
	for (i = 0; i < vif->nr_queues; i++) {
		struct vif_queue *q = &vif->queues[i];

		napi_disable(&q->rx_napi);
		napi_disable(&q->tx_napi);
		timer_delete_sync(&q->rx_retry);
	}
	/* Last, for the poll function wakes queues. */
	netif_tx_disable(vif->netdev);
	for (i = 0; i < vif->nr_queues; i++) {
		struct vif_queue *q = &vif->queues[i];

		timer_delete_sync(&q->tx_timer);
		timer_delete_sync(&q->tx_stall);
	}
}
