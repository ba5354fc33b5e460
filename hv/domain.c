// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/domain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen-public/sched.h>

#include "hv/backend.h"
#include "hv/boot.h"
#include "hv/console.h"
#include "hv/console_uart.h"
#include "hv/evtchn.h"
#include "hv/hypercall.h"
#include "hv/log.h"
#include "hv/loop.h"
#include "hv/pio.h"
#include "hv/stats.h"
#include "hv/vcpu.h"
#include "hv/xenstore_service.h"

void domain_shutdown(struct domain *d, int reason)
{
	int running = -1;

	if (__atomic_compare_exchange_n(&d->shutdown_reason, &running, reason, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		loop_stop(d->loop);
}

bool domain_stopping(const struct domain *d)
{
	return __atomic_load_n(&d->shutdown_reason, __ATOMIC_ACQUIRE) >= 0;
}

static int domain_fail(const char *what, int ret)
{
	pr_err("cannot create %s: %s", what, strerror(-ret));
	return ret;
}

static void domain_destroy_vcpus(struct domain *d)
{
	while (d->nr_vcpus)
		vcpu_destroy(d->vcpu[--d->nr_vcpus]);
}

static int domain_create_vcpus(struct domain *d)
{
	while (d->nr_vcpus < d->config->vcpus) {
		int ret = vcpu_create(d, d->nr_vcpus);

		if (ret) {
			domain_destroy_vcpus(d);
			return domain_fail("a vCPU", ret);
		}
		d->nr_vcpus++;
	}
	return 0;
}

/* The pages and ports every Xen guest finds by HVMOP_get_param. */
static int domain_create_special_pages(struct domain *d)
{
	int err = evtchn_alloc_unbound(d, &d->store_port);

	if (!err)
		err = evtchn_alloc_unbound(d, &d->console_port);
	if (err)
		return domain_fail("event channels", err);
	d->store_gfn = BOOT_STORE_GPA >> PAGE_SHIFT;
	d->console_gfn = BOOT_CONSOLE_GPA >> PAGE_SHIFT;
	return 0;
}

/* VM, memory, processors and ports: what a guest needs that knows nothing of Xen */
static int domain_create_machine(struct domain *d)
{
	int ret;

	ret = kvm_create_vm(d);
	if (ret)
		goto err_vm;
	ret = mem_create(d, d->config->memory);
	if (ret) {
		domain_fail("guest memory", ret);
		goto err_vm;
	}
	ret = pio_create(d);
	if (ret) {
		domain_fail("ports", ret);
		goto err_mem;
	}
	ret = domain_create_vcpus(d);
	if (ret)
		goto err_pio;
	return 0;

err_pio:
	pio_destroy(d);
err_mem:
	mem_destroy(d);
err_vm:
	kvm_destroy_vm(&d->kvm);
	return ret;
}

static void domain_destroy_machine(struct domain *d)
{
	domain_destroy_vcpus(d);
	pio_destroy(d);
	mem_destroy(d);
	kvm_destroy_vm(&d->kvm);
}

static void domain_stop_services(struct domain *d)
{
	backends_stop(d->backends);
	console_stop(d->console);
	xenstore_service_destroy(d);
}

/* XenStore and what depends on it */
static int domain_start_services(struct domain *d)
{
	int ret;

	ret = domain_create_special_pages(d);
	if (!ret)
		ret = xenstore_service_create(d);
	if (ret)
		return ret;
	ret = console_start(d, d->console);
	if (ret) {
		domain_fail("the console", ret);
		goto err;
	}
	ret = backends_start(d, d->backends);
	if (ret) {
		domain_fail("the devices", ret);
		goto err;
	}
	return 0;

err:
	domain_stop_services(d);
	return ret;
}

int domain_create(struct domain *d, struct boot *boot, struct backend_bus *bus,
		  struct console *console)
{
	int ret;

	d->shutdown_reason = -1;
	d->console = console;
	d->backends = bus;
	pthread_mutex_init(&d->call_lock, NULL);
	pthread_cond_init(&d->call_cond, NULL);
	pthread_mutex_init(&d->physmap_lock, NULL);
	ret = domain_create_machine(d);
	if (ret)
		goto err_locks;
	if (d->config->console != CONSOLE_NONE) {
		d->uart = uart_create(console);
		if (!d->uart) {
			ret = domain_fail("the UART", -ENOMEM);
			goto err_machine;
		}
	}
	ret = stats_create(d);
	if (ret) {
		domain_fail("counters", ret);
		goto err_uart;
	}
	ret = abi_create(d);
	if (ret) {
		domain_fail("Xen's interface", ret);
		goto err_stats;
	}
	ret = domain_start_services(d);
	if (ret)
		goto err_abi;
	ret = boot_load(d, boot);
	if (ret)
		goto err_services;
	return 0;

err_services:
	domain_stop_services(d);
err_abi:
	abi_destroy(d);
err_stats:
	stats_destroy(d);
err_uart:
	uart_destroy(d->uart);
	d->uart = NULL;
err_machine:
	domain_destroy_machine(d);
err_locks:
	pthread_mutex_destroy(&d->physmap_lock);
	pthread_cond_destroy(&d->call_cond);
	pthread_mutex_destroy(&d->call_lock);
	return ret;
}

void domain_destroy(struct domain *d)
{
	domain_stop_services(d);
	abi_destroy(d);
	stats_destroy(d);
	uart_destroy(d->uart);
	d->uart = NULL;
	domain_destroy_machine(d);
	pthread_mutex_destroy(&d->physmap_lock);
	pthread_cond_destroy(&d->call_cond);
	pthread_mutex_destroy(&d->call_lock);
}

int domain_run(struct domain *d)
{
	struct stats_mark entry;
	int ret = 0;

	stats_sample(d, &entry);
	snprintf(entry.name, sizeof(entry.name), "entry");
	stats_add_mark(d, &entry);
	/* The boot vCPU last: the guest must not find a vCPU that is about to run. */
	for (unsigned int i = d->nr_vcpus; i-- && !ret;)
		ret = vcpu_start(d->vcpu[i]);
	if (ret)
		domain_fail("a vCPU's thread", ret);
	else
		ret = loop_run(d->loop);
	/* Whatever ended the loop, every thread has to see it. */
	domain_shutdown(d, SHUTDOWN_crash);
	for (unsigned int i = 0; i < d->nr_vcpus; i++)
		vcpu_stop(d->vcpu[i]);
	return ret;
}
