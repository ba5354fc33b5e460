// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "hv/domain.h"
#include "hv/pagewalk.h"
#include "hv/vcpu.h"

#define HUGE_PAGE (2UL << 20)
#define RAM_SLOTS 2
/* One for every page that can be placed: all grant frames, shared_info, and the like */
#define PAGE_SLOTS 96
/* Chipset and LAPIC addresses: no page of ours goes there */
#define MMIO_FIRST_GFN (0xfec00000ULL >> PAGE_SHIFT)
#define MMIO_LAST_GFN (0xffffffffULL >> PAGE_SHIFT)

/**
 * struct mem - guest RAM
 * @ram: host address of guest physical address 0, 2 MiB-aligned
 * @low: bytes of RAM from address 0
 * @high: bytes of RAM from MEM_HIGH_BASE; their storage follows @low's
 * @map: what mmap() returned, @map_len bytes
 * @page: those placed now, with a memslot each if outside RAM; under the domain's physmap lock
 */
struct mem {
	uint8_t *ram;
	uint64_t low, high;
	void *map;
	size_t map_len;
	struct hv_page *page[PAGE_SLOTS];
};

static int mem_set_slot(struct domain *d, unsigned int slot, gpa_t gpa, uint64_t len, void *va)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (uintptr_t)va,
	};

	return ioctl(d->kvm.vm_fd, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

int mem_alloc(struct domain *d, uint64_t bytes)
{
	struct mem *mem = calloc(1, sizeof(*mem));

	if (!mem)
		return -ENOMEM;
	mem->low = bytes < MEM_LOW_MAX ? bytes : MEM_LOW_MAX;
	mem->high = bytes - mem->low;
	mem->map_len = bytes + HUGE_PAGE;
	mem->map = mmap(NULL, mem->map_len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem->map == MAP_FAILED) {
		free(mem);
		return -ENOMEM;
	}
	mem->ram = (uint8_t *)(((uintptr_t)mem->map + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	/* Both are about speed and about core dumps: nothing is lost where the host refuses. */
	madvise(mem->ram, bytes, MADV_HUGEPAGE);
	madvise(mem->ram, bytes, MADV_DONTDUMP);
	d->mem = mem;
	return 0;
}

int mem_create(struct domain *d, uint64_t bytes)
{
	int ret = mem_alloc(d, bytes);

	if (ret)
		return ret;
	ret = mem_set_slot(d, 0, 0, d->mem->low, d->mem->ram);
	if (!ret && d->mem->high)
		ret = mem_set_slot(d, 1, MEM_HIGH_BASE, d->mem->high, d->mem->ram + d->mem->low);
	if (ret)
		mem_destroy(d);
	return ret;
}

void mem_destroy(struct domain *d)
{
	if (!d->mem)
		return;
	munmap(d->mem->map, d->mem->map_len);
	free(d->mem);
	d->mem = NULL;
}

uint64_t mem_bytes(const struct domain *d)
{
	return d->mem->low + d->mem->high;
}

uint64_t mem_low_bytes(const struct domain *d)
{
	return d->mem->low;
}

void *mem_range(const struct domain *d, gpa_t gpa, size_t len)
{
	const struct mem *mem = d->mem;

	if (gpa < mem->low)
		return len <= mem->low - gpa ? mem->ram + gpa : NULL;
	if (gpa < MEM_HIGH_BASE)
		return NULL;
	gpa -= MEM_HIGH_BASE;
	if (gpa >= mem->high || len > mem->high - gpa)
		return NULL;
	return mem->ram + mem->low + gpa;
}

/* Copy page by page; @out: from @buf to the guest, else from the guest to @buf */
static int mem_copy_gva(struct vcpu *v, gva_t gva, void *buf, size_t len, bool out)
{
	const struct kvm_sregs *sregs = &v->run->s.regs.sregs;
	uint8_t *p = buf;

	while (len) {
		size_t n = PAGE_SIZE - (gva & (PAGE_SIZE - 1));
		gpa_t gpa;
		void *va;
		int ret;

		if (n > len)
			n = len;
		ret = pagewalk(v->domain, sregs, gva, out, &gpa);
		if (ret)
			return ret;
		va = mem_range(v->domain, gpa, n);
		if (!va)
			return -EFAULT;
		if (out)
			memcpy(va, p, n);
		else
			memcpy(p, va, n);
		p += n;
		gva += n;
		len -= n;
	}
	return 0;
}

int mem_read_gva(struct vcpu *v, void *dst, gva_t src, size_t len)
{
	return mem_copy_gva(v, src, dst, len, false);
}

int mem_write_gva(struct vcpu *v, gva_t dst, const void *src, size_t len)
{
	return mem_copy_gva(v, dst, (void *)(uintptr_t)src, len, true);
}

/* ---- pages of the hypervisor that a guest can place ---- */

int hv_page_init(struct hv_page *p, void (*settle)(struct domain *d, const void *from, void *to))
{
	void *va =
		mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (va == MAP_FAILED)
		return -ENOMEM;
	*p = (struct hv_page){
		.va = va, .private_va = va, .gfn = GFN_NONE, .slot = -1, .settle = settle
	};
	return 0;
}

static void hv_page_drop(struct domain *d, struct hv_page *p)
{
	if (p->slot < 0)
		return;
	if (!mem_page(d, p->gfn))
		mem_set_slot(d, RAM_SLOTS + p->slot, 0, 0, NULL);
	d->mem->page[p->slot] = NULL;
	p->slot = -1;
	p->gfn = GFN_NONE;
}

void hv_page_fini(struct domain *d, struct hv_page *p)
{
	if (!p->private_va)
		return;
	hv_page_drop(d, p);
	munmap(p->private_va, PAGE_SIZE);
	*p = (struct hv_page){ .gfn = GFN_NONE, .slot = -1 };
}

/* Move contents to @to and make every reader use it. */
static void hv_page_move(struct domain *d, struct hv_page *p, void *to)
{
	void *from = p->va;

	if (from == to)
		return;
	memcpy(to, from, PAGE_SIZE);
	/* Pairs with the readers' rcu_dereference(): whoever sees @to sees its contents. */
	rcu_assign_pointer(p->va, to);
	synchronize_rcu();
	p->settle(d, from, to);
}

/* Two pages at one address would be each other's storage, or memslots that KVM refuses. */
static void hv_page_displace(struct domain *d, gfn_t gfn)
{
	for (unsigned int i = 0; i < PAGE_SLOTS; i++) {
		if (d->mem->page[i] && d->mem->page[i]->gfn == gfn)
			hv_page_unplace(d, d->mem->page[i]);
	}
}

int hv_page_place(struct domain *d, struct hv_page *p, gfn_t gfn)
{
	void *ram = mem_page(d, gfn);
	unsigned int slot;
	int ret;

	if (gfn == p->gfn)
		return 0;
	if (gfn >> (52 - PAGE_SHIFT) || (gfn >= MMIO_FIRST_GFN && gfn <= MMIO_LAST_GFN))
		return -EINVAL;
	hv_page_displace(d, gfn);
	for (slot = 0; slot < PAGE_SLOTS && d->mem->page[slot]; slot++)
		;
	if (slot == PAGE_SLOTS)
		return -ENOMEM;
	if (!ram) {
		ret = mem_set_slot(d, RAM_SLOTS + slot, gfn << PAGE_SHIFT, PAGE_SIZE,
				   p->private_va);
		if (ret)
			return ret;
	}
	hv_page_move(d, p, ram ? ram : p->private_va);
	hv_page_drop(d, p);
	d->mem->page[slot] = p;
	p->slot = slot;
	p->gfn = gfn;
	return 0;
}

int hv_page_unplace(struct domain *d, struct hv_page *p)
{
	if (p->gfn == GFN_NONE)
		return -EINVAL;
	hv_page_move(d, p, p->private_va);
	hv_page_drop(d, p);
	return 0;
}
