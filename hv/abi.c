// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "hv/domain.h"
#include "hv/domain_abi.h"
#include "hv/evtchn.h"
#include "hv/gnttab.h"
#include "hv/hypercall.h"
#include "hv/timer.h"
#include "hv/vcpu.h"
#include "hv/vcpu_abi.h"

int abi_create(struct domain *d)
{
	unsigned int n;
	int err;

	d->abi = calloc(1, sizeof(*d->abi));
	if (!d->abi)
		return -ENOMEM;
	pthread_mutex_init(&d->abi->log.lock, NULL);
	err = hv_page_init(&d->shared_info, evtchn_settle_shared_info);
	if (err)
		goto free_abi;
	for (n = 0; n < d->nr_vcpus; n++) {
		err = vcpu_abi_create(d->vcpu[n]);
		if (err)
			goto destroy_vcpus;
	}
	err = evtchn_create(d);
	if (err)
		goto destroy_vcpus;
	err = gnttab_create(d);
	if (err)
		goto destroy_evtchn;
	err = timer_create_domain(d);
	if (err)
		goto destroy_gnttab;
	return 0;

destroy_gnttab:
	gnttab_destroy(d);
destroy_evtchn:
	evtchn_destroy(d);
destroy_vcpus:
	while (n--)
		vcpu_abi_destroy(d->vcpu[n]);
	hv_page_fini(d, &d->shared_info);
free_abi:
	pthread_mutex_destroy(&d->abi->log.lock);
	free(d->abi);
	d->abi = NULL;
	return err;
}

void abi_destroy(struct domain *d)
{
	if (!d->abi)
		return;
	timer_destroy_domain(d);
	gnttab_destroy(d);
	evtchn_destroy(d);
	for (unsigned int n = d->nr_vcpus; n--;)
		vcpu_abi_destroy(d->vcpu[n]);
	hv_page_fini(d, &d->shared_info);
	balloon_destroy(d);
	pthread_mutex_destroy(&d->abi->log.lock);
	free(d->abi);
	d->abi = NULL;
}
