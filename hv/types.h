/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers that come from a guest. None of them is a pointer: only hv/mem.c turns a guest address
 * into host memory, and it checks the range when it does.
 */
#ifndef HV_TYPES_H
#define HV_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Without a version Xen's headers show their oldest interface (other numbers for some hypercalls). */
#ifndef __XEN_INTERFACE_VERSION__
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#endif

#include <xen-public/xen.h>
#include <xen-public/event_channel.h>
#include <xen-public/grant_table.h>

/** typedef gpa_t - guest physical address, in bytes */
typedef uint64_t gpa_t;
/** typedef gfn_t - guest frame number: a gpa_t shifted right by PAGE_SHIFT */
typedef uint64_t gfn_t;
/** typedef gva_t - guest linear address, in bytes; meaningful only together with a vCPU */
typedef uint64_t gva_t;

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define GFN_NONE UINT64_MAX

/** MAX_VCPUS - vCPUs a domain can have; shared_info has room for 32 */
#define MAX_VCPUS 8

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/** container_of - the structure that @ptr is member @member of */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/** counter_inc - one more; for a counter that one thread writes and any thread reads */
static inline void counter_inc(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

struct domain;
struct vcpu;

#endif /* HV_TYPES_H */
