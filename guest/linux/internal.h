/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of paravane.ko tell each other and nobody else.
 *
 * Lock order, outermost first:
 *
 *	device_lock -> front core->lock -> xs_write_lock -> xs_read_lock
 *	cpus_read_lock -> evtchn_lock -> paravane_evtchn.lock
 *	gnttab grow_lock -> gnttab list_lock
 *
 * The three lines are independent of each other except that everything may call into XenStore,
 * that rings and channels are made under core->lock, and that the connection to XenStore is made
 * again under its own locks. xs_lists_lock, paravane_evtchn.lock and
 * list_lock are taken with interrupts off and are innermost.
 */
#ifndef PARAVANE_LINUX_INTERNAL_H
#define PARAVANE_LINUX_INTERNAL_H

#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/mm_types.h>

#include "guest/linux/xen.h"

struct paravane_evtchn_cpu;
struct paravane_front_dev;

#undef pr_fmt
#define pr_fmt(fmt) "paravane: " fmt

/**
 * struct paravane_platform - what detection found out
 * @xen_base: first of Xen's CPUID leaves
 * @version: Xen's version, major << 16 | minor
 * @features: PARAVANE_CPUID_FEAT_* of the Paravane block, 0 on real Xen
 * @is_paravane: there is a Paravane block
 * @doorbell: doorbell port, 0 if there is none
 * @has_vcpu_id: the vCPU number is in CPUID (otherwise it is the CPU number)
 * @has_upcall_vector: HVMOP_set_evtchn_upcall_vector is there
 */
struct paravane_platform {
	u32 xen_base;
	u32 version;
	u32 features;
	bool is_paravane;
	u16 doorbell;
	bool has_vcpu_id;
	bool has_upcall_vector;
};

extern struct paravane_platform paravane_platform;

/* detect.c */
int paravane_detect(void);
int paravane_this_vcpu(void);

/* platform.c: the PCI device of a Xen HVM guest; unplug.c: its emulated devices */
#ifdef CONFIG_PCI
int paravane_platform_init(void);
void paravane_platform_exit(void);
bool paravane_platform_present(void);
int paravane_platform_irq_start(irq_handler_t handler, void *data);
void paravane_platform_irq_stop(void *data);
int paravane_unplug_init(void);
void paravane_unplug_again(void);
#else
static inline int paravane_platform_init(void)
{
	return 0;
}

static inline void paravane_platform_exit(void)
{
}

static inline int paravane_platform_irq_start(irq_handler_t handler, void *data)
{
	return -ENODEV;
}

static inline void paravane_platform_irq_stop(void *data)
{
}

static inline int paravane_unplug_init(void)
{
	return 0;
}

static inline void paravane_unplug_again(void)
{
}
#endif

/* intree.c */
bool paravane_intree_xen_active(void);

/* physmap.c: pages of the hypervisor's in place of pages of ours */
struct page *paravane_physmap_take(unsigned int space, unsigned long idx);
bool paravane_physmap_leave(struct page *page);
void paravane_physmap_give(struct page *page);

/* upcall.c: vectors or the platform device's line; the scan state of each CPU */
int paravane_upcall_init(void);
void paravane_upcall_exit(void);
void paravane_upcall_shutdown(void);
bool paravane_upcall_stops(void);
void paravane_upcall_resume(void);
struct shared_info *paravane_shared_info(void);
struct paravane_evtchn_cpu *paravane_upcall_cpu(unsigned int cpu);
int paravane_upcall_vcpu(unsigned int cpu);

/* evtchn.c */
int paravane_evtchn_init(void);
void paravane_evtchn_exit(void);
void paravane_evtchn_shutdown(void);
void paravane_evtchn_lose(void);
void paravane_evtchn_dispatch(void *ctx, evtchn_port_t port);
void paravane_evtchn_leave_cpu(unsigned int cpu);

/* gnttab.c */
int paravane_gnttab_init(void);
void paravane_gnttab_exit(void);
void paravane_gnttab_shutdown(void);
void paravane_gnttab_resume(void);

/* xs.c, xs_ops.c and xs_watch.c */
int paravane_xs_init(void);
void paravane_xs_exit(void);
void paravane_xs_shutdown(void);
bool paravane_xs_is_silent(void);
int paravane_xs_hello(void);
int paravane_xs_suspend(void);
void paravane_xs_resume(bool moved);
bool paravane_xs_tx_is_open(void);
int paravane_xs_watch_init(void);
void paravane_xs_watch_exit(void);
void paravane_xs_watch_resume(void);
void paravane_xs_watch_event(const char *body, unsigned int len);
struct paravane_xs_msg;
char *paravane_xs_talk(struct paravane_xs_msg *msg, unsigned int *len);

/* xenbus.c, front.c and front_bind.c */
int paravane_xenbus_init(void);
void paravane_xenbus_exit(void);
void paravane_xenbus_shutdown(void);
extern struct bus_type paravane_bus;
int paravane_front_probe(struct paravane_front_dev *dev);
void paravane_front_remove(struct paravane_front_dev *dev);
void paravane_front_shutdown(struct paravane_front_dev *dev);
void paravane_front_suspend(struct paravane_front_dev *dev);
void paravane_front_resume(struct paravane_front_dev *dev);
int paravane_front_moved(struct paravane_front_dev *dev, const char *peer_path, domid_t peer);
const char *paravane_front_state(struct paravane_front_dev *dev);
int paravane_front_init(void);
void paravane_front_exit(void);

/* power.c */
int paravane_power_init(void);
void paravane_power_exit(void);
void paravane_power_shutdown(void);
void paravane_power_moved(void);

/* suspend.c; a kernel that cannot hibernate has nothing for it to build on */
#ifdef CONFIG_HIBERNATION
bool paravane_suspend_possible(void);
void paravane_suspend(void);
void paravane_suspend_exit(void);
bool paravane_suspend_moved(void);
bool paravane_suspend_under_way(void);
#else
static inline bool paravane_suspend_possible(void)
{
	return false;
}

static inline void paravane_suspend(void)
{
}

static inline void paravane_suspend_exit(void)
{
}

static inline bool paravane_suspend_moved(void)
{
	return false;
}

static inline bool paravane_suspend_under_way(void)
{
	return false;
}
#endif

#endif /* PARAVANE_LINUX_INTERNAL_H */
