/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Event channels: <xen-public/event_channel.h>, 2-level ABI.
 */
#ifndef PARAVANE_LINUX_EVTCHN_H
#define PARAVANE_LINUX_EVTCHN_H

#include "guest/linux/xen.h"

/**
 * typedef paravane_evtchn_fn - handler of one event channel
 *
 * Called in hard interrupt context on the CPU the port is bound to, never concurrently with itself;
 * the pending bit is already clear.
 *
 * Return: true if there was work. A port whose handler keeps returning false is throttled: it stays
 * masked for a while after each event, so that a peer that floods it costs bounded time.
 */
typedef bool (*paravane_evtchn_fn)(void *data);

struct paravane_evtchn;

/**
 * paravane_evtchn_alloc_unbound() - allocate a port for a remote domain to bind to
 * @remote: domain that may bind to it
 * @cpu: CPU that shall receive the events; an offline CPU falls back to any other
 * @fn: handler
 * @data: passed to @fn
 *
 * May sleep. The channel is live when this returns.
 *
 * Return: the channel or an ERR_PTR.
 */
struct paravane_evtchn *paravane_evtchn_alloc_unbound(domid_t remote, unsigned int cpu,
						      paravane_evtchn_fn fn, void *data);

/**
 * paravane_evtchn_adopt() - handle a port that exists since before the module was loaded
 * @port: the port, e.g. XenStore's
 * @remote: domain at its other end
 * @cpu: as above
 * @fn: as above
 * @data: as above
 *
 * paravane_evtchn_close() leaves such a port open, masked.
 *
 * Return: the channel or an ERR_PTR.
 */
struct paravane_evtchn *paravane_evtchn_adopt(evtchn_port_t port, domid_t remote, unsigned int cpu,
					      paravane_evtchn_fn fn, void *data);

/**
 * paravane_evtchn_close() - stop the handler and close the port
 * @ch: channel, or NULL
 *
 * May sleep. When it returns the handler is not running and never runs again. Must not be called
 * from the handler.
 */
void paravane_evtchn_close(struct paravane_evtchn *ch);

/**
 * paravane_evtchn_notify() - send an event to the other end
 * @ch: channel
 *
 * Any context. Uses the hypervisor's doorbell where there is one.
 */
void paravane_evtchn_notify(struct paravane_evtchn *ch);

/**
 * paravane_evtchn_mask() - hold back events
 * @ch: channel
 *
 * Any context. Events stay pending. A handler already running on another CPU may still be running
 * when this returns.
 */
void paravane_evtchn_mask(struct paravane_evtchn *ch);

/**
 * paravane_evtchn_unmask() - deliver events again, including one that came while masked
 * @ch: channel
 *
 * Any context.
 */
void paravane_evtchn_unmask(struct paravane_evtchn *ch);

/**
 * paravane_evtchn_port() - the port number, to be published to the peer
 * @ch: channel
 */
evtchn_port_t paravane_evtchn_port(const struct paravane_evtchn *ch);

#endif /* PARAVANE_LINUX_EVTCHN_H */
