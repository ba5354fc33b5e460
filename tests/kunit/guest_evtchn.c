// SPDX-License-Identifier: GPL-2.0-only
/*
 * <paravane/evtchn.h>: the pending scan, masking and unmasking.
 */
#include "tests/kunit/case.h"

#include <paravane/evtchn.h>

/* Ports in the order they were handled. */
struct record {
	struct shared_info *si;
	unsigned int count;
	evtchn_port_t ports[16];
	unsigned int raise_again;
	evtchn_port_t raise_port;
	unsigned int vcpu;
};

static struct shared_info si;
static struct paravane_evtchn_cpu cpu, other_cpu;

/* What a hypervisor does to send an event. */
static void hv_send(evtchn_port_t port, unsigned int vcpu)
{
	struct vcpu_info *vi = &si.vcpu_info[vcpu];

	if (paravane_evtchn_set_bit(si.evtchn_pending, port) ||
	    paravane_evtchn_test_bit(si.evtchn_mask, port))
		return;
	if (!paravane_evtchn_set_bit(&vi->evtchn_pending_sel, port / PARAVANE_EVTCHN_BITS))
		vi->evtchn_upcall_pending = 1;
}

static void on_port(void *ctx, evtchn_port_t port)
{
	struct record *rec = ctx;

	rec->ports[rec->count++ % 16] = port;
	if (rec->raise_again) {
		rec->raise_again--;
		hv_send(rec->raise_port, rec->vcpu);
	}
}

static void setup(void)
{
	memset(&si, 0, sizeof(si));
	memset(&cpu, 0, sizeof(cpu));
	memset(&other_cpu, 0, sizeof(other_cpu));
	cpu.vcpu = &si.vcpu_info[0];
	other_cpu.vcpu = &si.vcpu_info[1];
}

static void bind(struct paravane_evtchn_cpu *to, evtchn_port_t port)
{
	paravane_evtchn_set_bit(to->ports, port);
}

CASE(nothing_pending)
{
	struct record rec = {};

	setup();
	bind(&cpu, 5);
	CHECK_EQ(paravane_evtchn_scan(&si, &cpu, on_port, &rec), 0);
	CHECK_EQ(rec.count, 0);
}

CASE(first_and_last_port)
{
	struct record rec = {};

	setup();
	bind(&cpu, 0);
	bind(&cpu, 4095);
	hv_send(4095, 0);
	hv_send(0, 0);
	CHECK_EQ(paravane_evtchn_scan(&si, &cpu, on_port, &rec), 2);
	CHECK_EQ(rec.ports[0], 0);
	CHECK_EQ(rec.ports[1], 4095);
	CHECK_EQ(si.evtchn_pending[0], 0);
	CHECK_EQ(si.evtchn_pending[63], 0);
	CHECK_EQ(si.vcpu_info[0].evtchn_upcall_pending, 0);
	CHECK_EQ(si.vcpu_info[0].evtchn_pending_sel, 0);
}

CASE(masked_port_waits)
{
	struct record rec = {};

	setup();
	bind(&cpu, 7);
	CHECK(!paravane_evtchn_mask_port(&si, 7));
	CHECK(paravane_evtchn_mask_port(&si, 7));
	hv_send(7, 0);
	CHECK_EQ(paravane_evtchn_scan(&si, &cpu, on_port, &rec), 0);
	CHECK(paravane_evtchn_test_bit(si.evtchn_pending, 7));
}

CASE(unmask_tells_of_a_missed_event)
{
	setup();
	paravane_evtchn_mask_port(&si, 7);
	CHECK(!paravane_evtchn_unmask_port(&si, 7));
	CHECK(!paravane_evtchn_test_bit(si.evtchn_mask, 7));

	paravane_evtchn_mask_port(&si, 7);
	hv_send(7, 0);
	CHECK(paravane_evtchn_unmask_port(&si, 7));
	/* Still masked: EVTCHNOP_unmask does nothing for a port that is not. */
	CHECK(paravane_evtchn_test_bit(si.evtchn_mask, 7));
}

CASE(ports_of_another_cpu_are_left_alone)
{
	struct record rec = {};

	setup();
	bind(&cpu, 64);
	bind(&other_cpu, 65);
	hv_send(64, 0);
	hv_send(65, 1);
	CHECK_EQ(paravane_evtchn_scan(&si, &cpu, on_port, &rec), 1);
	CHECK_EQ(rec.ports[0], 64);
	CHECK(paravane_evtchn_test_bit(si.evtchn_pending, 65));
	CHECK_EQ(paravane_evtchn_scan(&si, &other_cpu, on_port, &rec), 1);
	CHECK_EQ(rec.ports[1], 65);
}

CASE(event_during_the_scan_is_seen)
{
	struct record rec = { .raise_again = 3, .raise_port = 9 };

	setup();
	bind(&cpu, 9);
	hv_send(9, 0);
	CHECK_EQ(paravane_evtchn_scan(&si, &cpu, on_port, &rec), 4);
}

CASE(busy_low_word_does_not_starve)
{
	struct record rec = {};

	setup();
	bind(&cpu, 1);
	bind(&cpu, 200);
	hv_send(1, 0);
	paravane_evtchn_scan(&si, &cpu, on_port, &rec);
	hv_send(1, 0);
	hv_send(200, 0);
	paravane_evtchn_scan(&si, &cpu, on_port, &rec);
	CHECK_EQ(rec.ports[1], 200);
	CHECK_EQ(rec.ports[2], 1);
}

CASE(selector_of_garbage_is_harmless)
{
	struct record rec = {};

	setup();
	si.vcpu_info[0].evtchn_pending_sel = ~0UL;
	si.vcpu_info[0].evtchn_upcall_pending = 0xff;
	CHECK_EQ(paravane_evtchn_scan(&si, &cpu, on_port, &rec), 0);
}

CASE(mask_all)
{
	unsigned int port;

	setup();
	paravane_evtchn_mask_all(&si);
	for (port = 0; port < PARAVANE_EVTCHN_PORTS; port++)
		CHECK(paravane_evtchn_test_bit(si.evtchn_mask, port));
	CHECK_EQ(si.evtchn_pending[63], 0);
	CHECK_EQ(si.wc_version, 0);
}

#define CASES(X)                               \
	X(nothing_pending)                     \
	X(first_and_last_port)                 \
	X(masked_port_waits)                   \
	X(unmask_tells_of_a_missed_event)      \
	X(ports_of_another_cpu_are_left_alone) \
	X(event_during_the_scan_is_seen)       \
	X(busy_low_word_does_not_starve)       \
	X(selector_of_garbage_is_harmless)     \
	X(mask_all)

SUITE(guest_evtchn, CASES);
