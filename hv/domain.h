/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain: one guest, one process. Everything is reachable from struct domain; there are no globals.
 *
 * Threads: the event loop (main thread), one per vCPU, one per back-end queue.
 *
 * Locks, outermost first; no other nesting is allowed:
 *   physmap_lock       placing hypervisor pages, and the balloon; vCPU threads, never in a hot path
 *   vcpu call lock     what is to be done on a vCPU's thread (hv/vcpu.c); never held during a call
 *   evtchn table lock  binding and closing ports (hv/evtchn.c); never in a hot path
 *   evtchn port lock   one per port; never two at once; all that a send takes,
 *   evtchn queue lock  but for FIFO events: one per queue; never two at once (hv/xen/evtchn_fifo.c)
 *   vCPU timer lock    one per vCPU (hv/timer.c)
 *   vCPU wait lock     one per vCPU: SCHEDOP_poll (hv/hc_sched.c)
 * Storage of shared pages is read under RCU (liburcu) instead of a lock, grant entries with compare-and-swap.
 * XenStore and the xenbus state machines belong to the loop thread and need no lock.
 */
#ifndef HV_DOMAIN_H
#define HV_DOMAIN_H

#include <pthread.h>

#include "hv/config.h"
#include "hv/kvm.h"
#include "hv/mem.h"
#include "hv/types.h"

struct backend_bus;
struct boot;
struct console;
struct domain_abi;
struct evtchn_table;
struct gnttab;
struct loop;
struct mem;
struct pio;
struct stats;
struct timers;
struct uart;
struct xenstore_service;

/** enum transport - how hypercalls reach us */
enum transport {
	TRANSPORT_PORT, /* out %al, port: every KVM */
	TRANSPORT_INTERCEPT, /* VMCALL/VMMCALL as KVM_EXIT_XEN: host CONFIG_KVM_XEN */
};

struct domain {
	const struct config *config;
	domid_t domid;
	char run_dir[128]; /* the domain's run directory */

	struct loop *loop;
	struct kvm kvm;
	enum transport transport;
	struct mem *mem;
	struct vcpu *vcpu[MAX_VCPUS];
	unsigned int nr_vcpus;
	pthread_mutex_t call_lock; /* with @call_cond: vcpu_call() */
	pthread_cond_t call_cond;
	struct pio *pio;
	struct uart *uart; /* or NULL */
	struct stats *stats;

	pthread_mutex_t physmap_lock;
	struct hv_page shared_info;
	struct evtchn_table *evtchn;
	struct gnttab *gnttab;
	struct timers *timers;
	struct domain_abi *abi; /* what hypercalls keep per domain; hv/domain_abi.h */

	/* Set up by the builder, read by HVMOP_get_param */
	gfn_t store_gfn, console_gfn;
	evtchn_port_t store_port, console_port;

	struct xenstore_service *xenstore;
	struct backend_bus *backends;
	struct console *console;

	int shutdown_reason; /* SHUTDOWN_*, or -1 while running; first writer wins */
};

/**
 * domain_create - build the domain up to the first instruction
 * @boot: checked kernel and initrd; not needed afterwards
 * @bus, @console: opened by the caller, who also destroys them, after domain_destroy()
 *
 * @d->config, @d->domid, @d->run_dir, @d->loop and @d->kvm (opened) are the caller's to set. Return: 0, or
 * -errno after printing one line; then nothing is left.
 */
int domain_create(struct domain *d, struct boot *boot, struct backend_bus *bus,
		  struct console *console);

/** domain_run - run vCPUs and loop until domain_shutdown(); the loop thread; 0 or -errno */
int domain_run(struct domain *d);

/** domain_destroy - undo domain_create(), everything in reverse; @d can be created again */
void domain_destroy(struct domain *d);

/**
 * domain_shutdown - the guest is done: stop its vCPUs and the loop
 * @reason: SHUTDOWN_poweroff, _reboot, _crash, ... (xen-public/sched.h)
 *
 * Any thread, also a vCPU's own. Returns at once; the loop thread tears down.
 */
void domain_shutdown(struct domain *d, int reason);

/** domain_stopping - true once domain_shutdown() was called; any thread */
bool domain_stopping(const struct domain *d);

#endif /* HV_DOMAIN_H */
