// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hv/mem.h"
#include "hv/pagewalk.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"

int vcpu_abi_create(struct vcpu *v)
{
	struct vcpu_abi *abi = calloc(1, sizeof(*abi));
	pthread_condattr_t attr;

	if (!abi)
		return -ENOMEM;
	pthread_mutex_init(&abi->wait_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&abi->wait, &attr);
	pthread_condattr_destroy(&attr);
	abi->sched_fd = -1;
	abi->kvm_info_gpa = GFN_NONE;
	v->abi = abi;
	return 0;
}

void vcpu_abi_destroy(struct vcpu *v)
{
	struct vcpu_abi *abi = v->abi;

	if (abi->sched_fd >= 0)
		close(abi->sched_fd);
	pthread_cond_destroy(&abi->wait);
	pthread_mutex_destroy(&abi->wait_lock);
	free(abi);
	v->abi = NULL;
}

void vcpu_wake(struct vcpu *v)
{
	struct vcpu_abi *abi = v->abi;

	pthread_mutex_lock(&abi->wait_lock);
	abi->woken = true;
	pthread_cond_signal(&abi->wait);
	pthread_mutex_unlock(&abi->wait_lock);
}

bool vcpu_wait(struct vcpu *v, uint64_t ns)
{
	struct vcpu_abi *abi = v->abi;
	struct timespec until;
	int err = 0;
	bool woken;

	clock_gettime(CLOCK_MONOTONIC, &until);
	ns += until.tv_nsec;
	until.tv_sec += ns / 1000000000;
	until.tv_nsec = ns % 1000000000;

	pthread_mutex_lock(&abi->wait_lock);
	while (!abi->woken && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&abi->wait, &abi->wait_lock, &until);
	woken = abi->woken;
	abi->woken = false;
	pthread_mutex_unlock(&abi->wait_lock);
	return woken;
}

int guest_area_pin(struct vcpu *v, gva_t addr, size_t len, struct guest_area *area)
{
	struct guest_area found = { 0 };

	for (unsigned int i = 0; len; i++) {
		size_t chunk = PAGE_SIZE - (addr & (PAGE_SIZE - 1));

		gpa_t gpa;

		if (chunk > len)
			chunk = len;
		if (i == ARRAY_SIZE(found.part) ||
		    pagewalk(v->domain, &v->run->s.regs.sregs, addr, true, &gpa))
			return -EFAULT;
		found.part[i].va = mem_range(v->domain, gpa, chunk);
		if (!found.part[i].va)
			return -EFAULT;
		found.part[i].len = chunk;
		addr += chunk;
		len -= chunk;
	}
	*area = found;
	return 0;
}

bool guest_area_is_set(const struct guest_area *area)
{
	return area->part[0].va;
}

void guest_area_write(const struct guest_area *area, size_t offset, const void *src, size_t len)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(area->part) && len; i++) {
		size_t chunk = area->part[i].len;

		if (offset >= chunk) {
			offset -= chunk;
			continue;
		}
		chunk -= offset;
		if (chunk > len)
			chunk = len;
		memcpy((uint8_t *)area->part[i].va + offset, src, chunk);
		src = (const uint8_t *)src + chunk;
		len -= chunk;
		offset = 0;
	}
}
