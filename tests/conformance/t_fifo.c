// SPDX-License-Identifier: GPL-2.0-or-later
/* Last of all: it begins with 2-level events and ends with a reset of all event channels. */
#include "guest.h"

#include "tests/lib/fifo_guest.h"

/* More ports than the 2-level ABI has */
#define PAGES 5
#define PORTS (PAGES * PAGE_SIZE / sizeof(event_word_t))

static event_word_t words[PORTS] __attribute__((aligned(PAGE_SIZE)));
static unsigned char control[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static struct fifo_guest queues[VCPUS];

static long init_control(unsigned int vcpu, unsigned long gfn, uint32_t offset)
{
	struct evtchn_init_control op = { .control_gfn = gfn, .offset = offset, .vcpu = vcpu };
	long ret = evtchn_op(EVTCHNOP_init_control, &op);

	return ret ? ret : op.link_bits;
}

static long expand_array(unsigned long gfn)
{
	return evtchn_op(EVTCHNOP_expand_array, &(struct evtchn_expand_array){ .array_gfn = gfn });
}

static long set_priority(evtchn_port_t port, uint32_t priority)
{
	struct evtchn_set_priority op = { .port = port, .priority = priority };

	return evtchn_op(EVTCHNOP_set_priority, &op);
}

/* Wait for the upcall and take events until @port's; the events before it must be none */
static bool take(unsigned int seen, evtchn_port_t port)
{
	bool told = wait_upcalls(seen);
	evtchn_port_t taken;

	shared.vcpu_info[0].evtchn_upcall_pending = 0;
	do {
		taken = fifo_take(&queues[0]);
	} while (taken && !fifo_ack(&queues[0], taken));
	return told && taken == port;
}

static void errors(void)
{
	check("set_priority: 2-level", set_priority(1, 0), -XEN_ENOSYS);
	check("expand_array: 2-level", expand_array(GFN(words)), -XEN_EOPNOTSUPP);
	check("init_control: no such vCPU", init_control(99, GFN(control), 0), -XEN_ENOENT);
	check("init_control: no RAM", init_control(0, NOT_RAM / PAGE_SIZE, 0), -XEN_EINVAL);
	check("init_control: unaligned", init_control(0, GFN(control), 4), -XEN_EINVAL);
	check("init_control: leaves the page", init_control(0, GFN(control), PAGE_SIZE - 64),
	      -XEN_EINVAL);
}

static void start(void)
{
	unsigned int seen = upcalls;
	evtchn_port_t port = bind_ipi(0);
	long got = 0;

	consume();
	shared.evtchn_mask[port / 64] |= 1ul << port % 64;
	send(port);
	for (unsigned int i = 0; i < VCPUS; i++) {
		queues[i].control = (void *)(control + i * 128);
		queues[i].word = words;
		if (i)
			check("init_control: another vCPU", init_control(i, GFN(control), i * 128),
			      EVTCHN_FIFO_LINK_BITS);
		else
			check("init_control", init_control(i, GFN(control), i * 128),
			      EVTCHN_FIFO_LINK_BITS);
	}
	check("init_control: twice", init_control(0, GFN(control), 256), -XEN_EINVAL);
	check("expand_array: no RAM", expand_array(NOT_RAM / PAGE_SIZE), -XEN_EINVAL);
	for (unsigned int i = 0; i < PAGES && !got; i++)
		got = expand_array(GFN(words) + i);
	check("expand_array", got, 0);
	check_true("expand_array: brings the event that was pending", take(seen, port));
	check("set_priority: no such one", set_priority(port, 16), -XEN_EINVAL);
	check("set_priority: wild port", set_priority(0x7fffffff, 0), -XEN_EINVAL);
	check("set_priority: not open", set_priority(0, 0), -XEN_EACCES);
}

static void events(void)
{
	evtchn_port_t low = bind_ipi(0), first = bind_ipi(0), second = bind_ipi(0);
	unsigned int seen = upcalls;

	check("set_priority", set_priority(low, EVTCHN_FIFO_PRIORITY_MIN), 0);
	send(low);
	send(first);
	send(second);
	check_true("set_priority: the lowest comes last", take(seen, first));
	check_true("send: FIFO, in order", take(seen, second) && take(seen, low));
	check("send: FIFO, 2-level bits are left alone", port_pending(first), false);

	fifo_mask(&queues[0], first);
	send(first);
	check("send: FIFO, masked, no upcall", shared.vcpu_info[0].evtchn_upcall_pending, 0);
	check_true("unmask: FIFO, takes a hypercall if pending", !fifo_unmask(&queues[0], first));
	seen = upcalls;
	check("unmask: FIFO", evtchn_op(EVTCHNOP_unmask, &(struct evtchn_unmask){ first }), 0);
	check_true("unmask: FIFO, upcall", take(seen, first));

	seen = ap_upcalls;
	first = bind_ipi(1);
	((volatile struct vcpu_info *)(scratch[2] + 128))->evtchn_upcall_pending = 0;
	send(first);
	for (uint64_t until = rdtsc() + 4000000000ull; ap_upcalls == seen && rdtsc() < until;)
		__asm__ volatile("pause");
	check_true("send: FIFO, to another vCPU", ap_upcalls != seen);
	check("send: FIFO, on its own queue", fifo_take(&queues[1]), first);
}

static void many(void)
{
	evtchn_port_t port = 0, next;
	unsigned int seen = upcalls;

	while (port < EVTCHN_2L_NR_CHANNELS && (next = bind_ipi(0)))
		port = next;
	check("bind_ipi: FIFO, more ports than 2-level", port, EVTCHN_2L_NR_CHANNELS);
	send(port);
	check_true("send: FIFO, beyond the 2-level ports", take(seen, port));
}

void test_fifo(void)
{
	struct evtchn_reset r = { .dom = DOMID_SELF };
	evtchn_port_t port;

	errors();
	start();
	events();
	many();
	check("reset", evtchn_op(EVTCHNOP_reset, &r), 0);
	consume();
	port = bind_ipi(0);
	check("reset: every port is free", port, 1);
	send(port);
	check_true("reset: 2-level again", port_pending(port));
}
