/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report of one run, as JSON:
 *
 *   name, domid, profile ("kvm", "xen", "none"), transport ("port", "intercept"),
 *   vcpus, memory_bytes (what its balloon leaves it), max_memory_bytes,
 *   seconds (since the process started)
 *   exits.all		VM exits, all vCPUs (KVM's count); missing if KVM has no statistics
 *   exits.user		those that came to this process
 *   exits.kvm		{ KVM's per-vCPU counters by name, summed, without zeros }
 *   exits.by_reason	{ exits to this process by KVM_EXIT_* name }
 *   exits.by_port	{ port accesses by name of the port range (hv/pio.c) }
 *   hypercalls		{ calls by name }
 *
 * Of a domain that has ended also
 *   shutdown		"poweroff", "reboot", "suspend", "crash", "watchdog", "soft_reset"
 *   marks		[{ name, ms (since process start), exits (of all vCPUs), user_exits }]; the first is
 *			"entry", the start of the vCPUs, the others are the guest's
 *   vmm.pss_bytes	this process's memory without guest RAM, shared pages shared out
 *   vmm.rss_bytes	the same, shared pages in full
 *   vmm.guest_bytes	guest RAM in the host's memory
 * and of one that runs
 *   state		"running" (a vCPU wants a processor), "blocked", "shutdown", "crashed"
 *   cpu_seconds	processor time of the vCPUs' threads, since the guest last booted
 *   pid		the process
 *   devices		see hv/report_devices.h
 */
#ifndef HV_REPORT_H
#define HV_REPORT_H

#include <jansson.h>

struct domain;

/** report_live - how a running domain is doing; a new reference; loop thread */
json_t *report_live(const struct domain *d);

/**
 * report_check - can a report be written to @path? What is there already stays
 *
 * Return: 0, or -errno after printing one line.
 */
int report_check(const char *path);

/**
 * report_write - write the report of @d to @path, or to standard output for "-"
 *
 * After the vCPUs stopped, before domain_destroy(). Return: 0, or -errno after printing one line.
 */
int report_write(const struct domain *d, const char *path);

/** report_shutdown_name - name of SHUTDOWN_* */
const char *report_shutdown_name(int reason);

#endif /* HV_REPORT_H */
