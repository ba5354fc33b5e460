/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory: the only place where a guest's number becomes a host pointer.
 */
#ifndef HV_MEM_H
#define HV_MEM_H

/* Readers of hv_page storage and the code that moves it must use the same flavour of RCU. */
#include <urcu-bp.h>

#include "hv/types.h"

struct mem;

/** MEM_LOW_MAX - RAM below 4 GiB ends here at the latest; the rest starts at MEM_HIGH_BASE */
#define MEM_LOW_MAX (3ULL << 30)
#define MEM_HIGH_BASE (4ULL << 30)

/**
 * mem_create - allocate @bytes of guest RAM, 2 MiB-aligned in the host, and give it to KVM
 *
 * Return: 0, -ENOMEM, or the -errno of KVM_SET_USER_MEMORY_REGION.
 */
int mem_create(struct domain *d, uint64_t bytes);
/** mem_alloc - the part of mem_create() that needs no KVM; 0 or -ENOMEM */
int mem_alloc(struct domain *d, uint64_t bytes);
void mem_destroy(struct domain *d);
uint64_t mem_bytes(const struct domain *d);
/** mem_low_bytes - RAM that starts at address 0; the rest, if any, starts at MEM_HIGH_BASE */
uint64_t mem_low_bytes(const struct domain *d);

/**
 * mem_range - host address of [@gpa, @gpa + @len) if all of it is RAM in one piece, else NULL
 *
 * Any thread. The bytes belong to the guest, which may change them at any time: copy first, check the copy.
 */
void *mem_range(const struct domain *d, gpa_t gpa, size_t len);

/** mem_page - host address of RAM frame @gfn, or NULL if it is not RAM */
static inline void *mem_page(const struct domain *d, gfn_t gfn)
{
	return gfn >> (64 - PAGE_SHIFT) ? NULL : mem_range(d, gfn << PAGE_SHIFT, PAGE_SIZE);
}

/**
 * mem_read_gva, mem_write_gva - copy between a hypercall's buffer and @v's linear address space
 *
 * Walk the guest's page tables (any paging mode of a 64-bit or PAE guest); the buffer may straddle
 * pages. @v must be the calling vCPU, on its own thread, with its registers synced.
 * Return: 0 or -EFAULT; on failure part of the destination may have been written.
 */
int mem_read_gva(struct vcpu *v, void *dst, gva_t src, size_t len);
int mem_write_gva(struct vcpu *v, gva_t dst, const void *src, size_t len);

/**
 * struct hv_page - a page the hypervisor owns and a guest can place in its address space
 * @va: current storage. Readers on other threads use rcu_dereference() within a read-side section
 *      (liburcu): placing the page moves the storage.
 * @gfn: where the guest sees it, or GFN_NONE
 * @slot: index in the domain's table of placed pages, or -1
 * @settle: runs after every reader has left the old storage, with old and new storage, so that bits
 *	    set during a move are not lost
 *
 * Placed inside RAM the guest's own page becomes the storage; outside RAM the private page gets a
 * memslot of its own.
 */
struct hv_page {
	void *va;
	void *private_va;
	gfn_t gfn;
	int slot;
	void (*settle)(struct domain *d, const void *from, void *to);
};

int hv_page_init(struct hv_page *p, void (*settle)(struct domain *d, const void *from, void *to));
void hv_page_fini(struct domain *d, struct hv_page *p);

/**
 * hv_page_place - make @p visible at @gfn (XENMEM_add_to_physmap), moving it if it was elsewhere
 *
 * Contents move with the page. Another page that was there is unplaced. Caller serialises
 * placements (domain's physmap lock). Return: 0, -EINVAL for a frame that cannot hold it, -ENOMEM,
 * -errno of KVM.
 */
int hv_page_place(struct domain *d, struct hv_page *p, gfn_t gfn);
/**
 * hv_page_unplace - take the page back (XENMEM_remove_from_physmap): storage becomes private again
 */
int hv_page_unplace(struct domain *d, struct hv_page *p);

#endif /* HV_MEM_H */
