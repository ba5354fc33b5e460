// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/pagewalk.h"

#include <errno.h>

#include "hv/mem.h"

#define CR0_WP (1ULL << 16)
#define CR0_PG (1ULL << 31)
#define CR4_PAE (1ULL << 5)
#define CR4_LA57 (1ULL << 12)
#define EFER_LMA (1ULL << 10)

#define PTE_PRESENT (1ULL << 0)
#define PTE_WRITE (1ULL << 1)
#define PTE_ACCESSED (1ULL << 5)
#define PTE_DIRTY (1ULL << 6)
#define PTE_LARGE (1ULL << 7)
#define PTE_ADDRESS 0x000ffffffffff000ULL

/**
 * struct paging - one paging mode
 * @levels: of tables
 * @bits: of the address that one level consumes
 * @entry: size of an entry in bytes
 * @large: lowest levels at which an entry may map a page itself (bit mask, level 1 is the last)
 * @root: bits of CR3 that hold the address
 */
struct paging {
	unsigned int levels, bits, entry, large;
	uint64_t root;
};

static const struct paging paging_32 = { 2, 10, 4, 1 << 1 | 1 << 2, 0xfffff000 };
static const struct paging paging_pae = { 3, 9, 8, 1 << 1 | 1 << 2, 0xffffffe0 };
static const struct paging paging_4 = { 4, 9, 8, 1 << 1 | 1 << 2 | 1 << 3, PTE_ADDRESS };
static const struct paging paging_5 = { 5, 9, 8, 1 << 1 | 1 << 2 | 1 << 3, PTE_ADDRESS };

static const struct paging *paging_mode(const struct kvm_sregs *sregs)
{
	if (sregs->efer & EFER_LMA)
		return sregs->cr4 & CR4_LA57 ? &paging_5 : &paging_4;
	return sregs->cr4 & CR4_PAE ? &paging_pae : &paging_32;
}

static uint64_t pte_read(const void *va, unsigned int size)
{
	return size == 8 ? __atomic_load_n((const uint64_t *)va, __ATOMIC_RELAXED) :
			   __atomic_load_n((const uint32_t *)va, __ATOMIC_RELAXED);
}

/* Only while the entry is still the one that was used: the guest may have replaced it. */
static void pte_mark(void *va, unsigned int size, uint64_t pte, uint64_t bits)
{
	uint32_t pte32 = pte;

	if ((pte & bits) == bits)
		return;
	if (size == 8)
		__atomic_compare_exchange_n((uint64_t *)va, &pte, pte | bits, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	else
		__atomic_compare_exchange_n((uint32_t *)va, &pte32, pte32 | bits, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* The bits above the last table's must repeat the highest one that counts. */
static bool is_canonical(gva_t gva, unsigned int bits)
{
	return (int64_t)(gva << (64 - bits)) >> (64 - bits) == (int64_t)gva;
}

int pagewalk(const struct domain *d, const struct kvm_sregs *sregs, gva_t gva, bool write,
	     gpa_t *gpa)
{
	const struct paging *mode = paging_mode(sregs);
	gpa_t table = sregs->cr3 & mode->root;

	if (!(sregs->efer & EFER_LMA))
		gva = (uint32_t)gva;
	if (!(sregs->cr0 & CR0_PG)) {
		*gpa = gva;
		return 0;
	}
	if ((sregs->efer & EFER_LMA) && !is_canonical(gva, PAGE_SHIFT + mode->levels * mode->bits))
		return -EFAULT;
	for (unsigned int level = mode->levels; level; level--) {
		unsigned int shift = PAGE_SHIFT + (level - 1) * mode->bits;
		uint64_t index = gva >> shift & ((1U << mode->bits) - 1);
		/* PAE's four top entries hold no permission bits, only "present". */
		bool pdpte = mode == &paging_pae && level == 3;
		bool leaf;
		uint64_t pte;
		void *va;

		va = mem_range(d, table + index * mode->entry, mode->entry);
		if (!va)
			return -EFAULT;
		pte = pte_read(va, mode->entry);
		if (!(pte & PTE_PRESENT))
			return -EFAULT;
		if (write && !pdpte && !(pte & PTE_WRITE) && (sregs->cr0 & CR0_WP))
			return -EFAULT;
		leaf = level == 1 || ((pte & PTE_LARGE) && (mode->large & 1 << level));
		if (!pdpte)
			pte_mark(va, mode->entry, pte,
				 leaf && write ? PTE_ACCESSED | PTE_DIRTY : PTE_ACCESSED);
		if (leaf) {
			uint64_t offset = (1ULL << shift) - 1;

			*gpa = (pte & PTE_ADDRESS & ~offset) | (gva & offset);
			return 0;
		}
		table = pte & PTE_ADDRESS;
	}
	return -EFAULT;
}
