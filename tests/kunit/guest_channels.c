// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/evtchn.c: the table of ports, against a hypervisor of the test's own that may answer
 * anything and send any number of events.
 */
#include "tests/kunit/core.c"

#include "guest/linux/evtchn.c"

static struct {
	struct shared_info *si;
	struct paravane_evtchn_cpu cpu;
	u32 next_port;
	u32 closed;
	unsigned int closes;
	unsigned int events; /* seen by the handler */
	unsigned int storm; /* events that are still to be sent while one is handled */
	bool work;
	unsigned int deaf; /* bit mask: CPUs without upcall */
} hv;

struct paravane_platform paravane_platform;

struct shared_info *paravane_shared_info(void)
{
	return hv.si;
}

struct paravane_evtchn_cpu *paravane_upcall_cpu(unsigned int cpu)
{
	return &hv.cpu;
}

int paravane_upcall_vcpu(unsigned int cpu)
{
	return hv.deaf & BIT(cpu) ? -ENXIO : 0;
}

static long hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
		      unsigned long a4, unsigned long a5)
{
	void *arg = (void *)a2;

	if (nr != __HYPERVISOR_event_channel_op)
		return -ENOSYS;
	switch (a1) {
	case EVTCHNOP_alloc_unbound:
		((struct evtchn_alloc_unbound *)arg)->port = hv.next_port;
		return 0;
	case EVTCHNOP_close:
		hv.closed = ((struct evtchn_close *)arg)->port;
		hv.closes++;
		return 0;
	case EVTCHNOP_unmask:
		paravane_evtchn_clear_bit(hv.si->evtchn_mask, ((struct evtchn_unmask *)arg)->port);
		return 0;
	default:
		return 0;
	}
}

static void send(evtchn_port_t port)
{
	if (paravane_evtchn_set_bit(hv.si->evtchn_pending, port) ||
	    paravane_evtchn_test_bit(hv.si->evtchn_mask, port))
		return;
	paravane_evtchn_set_bit(&hv.si->vcpu_info[0].evtchn_pending_sel,
				port / PARAVANE_EVTCHN_BITS);
	hv.si->vcpu_info[0].evtchn_upcall_pending = 1;
}

static void upcall(void)
{
	unsigned long flags;

	local_irq_save(flags);
	paravane_evtchn_scan(hv.si, &hv.cpu, paravane_evtchn_dispatch, NULL);
	local_irq_restore(flags);
}

static bool on_event(void *data)
{
	hv.events++;
	if (hv.storm) {
		hv.storm--;
		send(hv.next_port);
	}
	return hv.work;
}

static struct paravane_evtchn *start(struct kunit *test, u32 port)
{
	memset(&hv, 0, sizeof(hv));
	hv.si = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hv.si);
	hv.cpu.vcpu = &hv.si->vcpu_info[0];
	hv.next_port = port;
	static_call_update(paravane_hypercall, hypercall);
	KUNIT_ASSERT_EQ(test, paravane_evtchn_init(), 0);
	paravane_evtchn_mask_all(hv.si);
	return paravane_evtchn_alloc_unbound(0, 0, on_event, NULL);
}

static bool masked(evtchn_port_t port)
{
	return paravane_evtchn_test_bit(hv.si->evtchn_mask, port);
}

static void events_with_work(struct kunit *test)
{
	struct paravane_evtchn *ch = start(test, 9);

	KUNIT_ASSERT_FALSE(test, IS_ERR(ch));
	hv.work = true;
	hv.storm = 10 * SPURIOUS_MAX;
	send(9);
	upcall();
	KUNIT_EXPECT_EQ(test, hv.events, 10 * SPURIOUS_MAX + 1);
	KUNIT_EXPECT_FALSE(test, masked(9));
	paravane_evtchn_close(ch);
	KUNIT_EXPECT_EQ(test, hv.closed, 9);
	KUNIT_EXPECT_TRUE(test, masked(9));
	paravane_evtchn_exit();
}

/* However fast a peer sends, events without work cost a bounded time, and are not lost. */
static void storm(struct kunit *test)
{
	struct paravane_evtchn *ch = start(test, 9);
	unsigned int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(ch));
	hv.storm = UINT_MAX;
	send(9);
	upcall();
	KUNIT_EXPECT_EQ(test, hv.events, SPURIOUS_MAX);
	KUNIT_EXPECT_TRUE(test, masked(9));
	for (i = 0; i < 20; i++) {
		flush_delayed_work(&ch->throttle);
		hv.si->vcpu_info[0].evtchn_pending_sel = 1;
		hv.si->vcpu_info[0].evtchn_upcall_pending = 1;
		upcall();
	}
	KUNIT_EXPECT_EQ(test, hv.events, SPURIOUS_MAX + 20);
	/* The first one with work ends it. */
	flush_delayed_work(&ch->throttle);
	hv.work = true;
	hv.storm = 5;
	hv.si->vcpu_info[0].evtchn_pending_sel = 1;
	hv.si->vcpu_info[0].evtchn_upcall_pending = 1;
	upcall();
	KUNIT_EXPECT_EQ(test, hv.events, SPURIOUS_MAX + 26);
	KUNIT_EXPECT_FALSE(test, masked(9));
	paravane_evtchn_close(ch);
	paravane_evtchn_exit();
}

/* A port we have no room for is given back; one that is somebody else's is left alone. */
static void impossible_ports(struct kunit *test)
{
	struct paravane_evtchn *ch = start(test, PARAVANE_EVTCHN_PORTS);
	struct paravane_evtchn *other;

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(ch), -EPROTO);
	KUNIT_EXPECT_EQ(test, hv.closes, 1);
	KUNIT_EXPECT_EQ(test, hv.closed, PARAVANE_EVTCHN_PORTS);
	hv.next_port = 12;
	ch = paravane_evtchn_alloc_unbound(0, 0, on_event, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ch));
	other = paravane_evtchn_alloc_unbound(0, 0, on_event, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(other), -EPROTO);
	KUNIT_EXPECT_EQ(test, hv.closes, 1);
	paravane_evtchn_close(ch);
	KUNIT_EXPECT_EQ(test, hv.closes, 2);
	paravane_evtchn_exit();
}

/* At a restart ports are closed, except those that were there before us; the channels stay. */
static void restart(struct kunit *test)
{
	struct paravane_evtchn *ch = start(test, 20);
	struct paravane_evtchn *store = paravane_evtchn_adopt(1, 0, 0, on_event, NULL);

	KUNIT_ASSERT_FALSE(test, IS_ERR(ch) || IS_ERR(store));
	KUNIT_EXPECT_FALSE(test, masked(1) || masked(20));
	paravane_evtchn_shutdown();
	KUNIT_EXPECT_TRUE(test, masked(1) && masked(20));
	KUNIT_EXPECT_EQ(test, hv.closes, 1);
	KUNIT_EXPECT_EQ(test, hv.closed, 20);
	paravane_evtchn_mask(ch);
	paravane_evtchn_unmask(ch);
	KUNIT_EXPECT_TRUE(test, masked(20));
	paravane_evtchn_close(store);
	paravane_evtchn_close(ch);
	paravane_evtchn_exit();
}

/* A port leaves its CPU for one that receives events; without such a CPU it is masked. */
static void cpu_goes_offline(struct kunit *test)
{
	struct paravane_evtchn *ch = start(test, 9);

	KUNIT_ASSERT_FALSE(test, IS_ERR(ch));
	KUNIT_ASSERT_GE(test, num_online_cpus(), 2);
	paravane_evtchn_leave_cpu(0);
	KUNIT_EXPECT_EQ(test, ch->cpu, 1);
	KUNIT_EXPECT_FALSE(test, masked(9));
	paravane_evtchn_leave_cpu(1);
	KUNIT_EXPECT_EQ(test, ch->cpu, 0);
	hv.deaf = ~1u;
	paravane_evtchn_leave_cpu(0);
	KUNIT_EXPECT_TRUE(test, masked(9));
	paravane_evtchn_close(ch);
	/* wanted where there is no upcall */
	ch = paravane_evtchn_alloc_unbound(0, 1, on_event, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ch));
	KUNIT_EXPECT_EQ(test, ch->cpu, 0);
	paravane_evtchn_close(ch);
	paravane_evtchn_exit();
}

/* In another domain its number may be that of somebody else's port. */
static void lost_channels(struct kunit *test)
{
	struct paravane_evtchn *ch = start(test, 9);

	KUNIT_ASSERT_FALSE(test, IS_ERR(ch));
	paravane_evtchn_lose();
	KUNIT_EXPECT_EQ(test, paravane_evtchn_port(ch), 0);
	paravane_evtchn_mask_all(hv.si);
	paravane_evtchn_mask(ch);
	paravane_evtchn_unmask(ch);
	KUNIT_EXPECT_TRUE(test, masked(0));
	/* The new domain's port of that number is not taken for it. */
	paravane_evtchn_clear_bit(hv.si->evtchn_mask, 9);
	send(9);
	upcall();
	KUNIT_EXPECT_EQ(test, hv.events, 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR(paravane_evtchn_alloc_unbound(0, 0, on_event, NULL)));
	paravane_evtchn_close(ch);
	KUNIT_EXPECT_EQ(test, hv.closes, 0);
	KUNIT_EXPECT_FALSE(test, masked(9));
	ch = rcu_access_pointer(channels[9]);
	paravane_evtchn_close(ch);
	KUNIT_EXPECT_EQ(test, hv.closes, 1);
	paravane_evtchn_exit();
}

static struct kunit_case cases[] = {
	KUNIT_CASE(events_with_work),
	KUNIT_CASE(storm),
	KUNIT_CASE(impossible_ports),
	KUNIT_CASE(restart),
	KUNIT_CASE(lost_channels),
	KUNIT_CASE(cpu_goes_offline),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_channels",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
