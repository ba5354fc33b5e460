/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters: KVM's own per vCPU (KVM_GET_STATS_FD), ours, and the marks a guest sets on the debug port.
 */
#ifndef HV_STATS_H
#define HV_STATS_H

#include "hv/types.h"

#define STATS_MARKS 64

struct stats;

/**
 * struct stats_mark - a moment the guest named
 * @ns: since the process started
 * @exits: KVM's count of all exits until then, all vCPUs
 * @user_exits: how many of them came to user space
 */
struct stats_mark {
	char name[48];
	uint64_t ns, exits, user_exits;
};

/** typedef stats_kvm_fn - one of KVM's per-vCPU counters, summed over all vCPUs */
typedef void (*stats_kvm_fn)(const char *name, uint64_t value, void *opaque);

/** stats_process_started - remember now as the start of the process */
void stats_process_started(void);

/** stats_create - after the vCPUs exist; 0 or -ENOMEM. Without KVM's counters marks show no exits */
int stats_create(struct domain *d);
void stats_destroy(struct domain *d);

/** stats_sample - fill in @mark but for its name: what was counted until now; any thread */
void stats_sample(const struct domain *d, struct stats_mark *mark);

/** stats_add_mark - record a mark; false for those beyond STATS_MARKS; any thread */
bool stats_add_mark(struct domain *d, const struct stats_mark *mark);

/** stats_marks - the marks set so far; how many. Once the vCPUs have stopped */
unsigned int stats_marks(const struct domain *d, const struct stats_mark **mark);

/** stats_user_exits - exits to user space of all vCPUs; any thread */
uint64_t stats_user_exits(const struct domain *d);

/** stats_kvm - call @fn for each of KVM's counters; any thread */
void stats_kvm(const struct domain *d, stats_kvm_fn fn, void *opaque);

/** stats_elapsed_ns - since the process started */
uint64_t stats_elapsed_ns(void);

#endif /* HV_STATS_H */
