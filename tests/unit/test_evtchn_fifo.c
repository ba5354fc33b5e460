// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv/evtchn.h"
#include "hv/evtchn_port.h"
#include "tests/lib/fifo_guest.h"
#include "tests/unit/fake_domain.h"

#include <xen-public/sched.h>

#define WORDS (PAGE_SIZE / sizeof(event_word_t))
#define PAGES (EVTCHN_FIFO_NR_CHANNELS / WORDS)
/* Control blocks, somewhere in a page each; then the words of all ports */
#define CONTROL_GFN 0x40
#define CONTROL_OFFSET 0x48
#define ARRAY_GFN 0x80
#define SHARED_GFN 0x200

static struct fifo_guest guest[FAKE_VCPUS];

static long init_control(unsigned int vcpu, gfn_t gfn, uint32_t offset)
{
	struct evtchn_init_control op = { .control_gfn = gfn, .offset = offset, .vcpu = vcpu };
	long err = EVTCHN_OP(init_control, &op);

	if (!err)
		assert_int_equal(op.link_bits, 17);
	return err;
}

static long expand_array(gfn_t gfn)
{
	struct evtchn_expand_array op = { .array_gfn = gfn };

	return EVTCHN_OP(expand_array, &op);
}

static long set_priority(evtchn_port_t port, uint32_t priority)
{
	struct evtchn_set_priority op = { .port = port, .priority = priority };

	return EVTCHN_OP(set_priority, &op);
}

static long unmask(evtchn_port_t port)
{
	struct evtchn_unmask u = { .port = port };

	return EVTCHN_OP(unmask, &u);
}

/* An unbound port of domain 0's that the fake's eventfd is bound to: unlike an IPI it can move */
static evtchn_port_t new_peer(struct evtchn_peer **peer, int fd)
{
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = 0 };

	assert_int_equal(EVTCHN_OP(alloc_unbound, &a), 0);
	assert_int_equal(evtchn_peer_bind(&fake->d, a.port, fd, peer), 0);
	return a.port;
}

static long move(evtchn_port_t port, unsigned int vcpu)
{
	struct evtchn_bind_vcpu b = { .port = port, .vcpu = vcpu };

	return EVTCHN_OP(bind_vcpu, &b);
}

static event_word_t *word(evtchn_port_t port)
{
	return &guest[0].word[port];
}

static void set_control(unsigned int vcpu)
{
	gfn_t gfn = CONTROL_GFN + vcpu;

	guest[vcpu] = (struct fifo_guest){
		.control = fake_ram((gfn << PAGE_SHIFT) + CONTROL_OFFSET),
		.word = fake_ram(ARRAY_GFN << PAGE_SHIFT),
	};
	memset(guest[vcpu].control, 0, sizeof(*guest[vcpu].control));
	assert_int_equal(init_control(vcpu, gfn, CONTROL_OFFSET), 0);
}

/* Both vCPUs and @pages of words that nothing is masked in */
static void use_fifo(unsigned int pages)
{
	fake_set_vectors();
	for (unsigned int i = 0; i < FAKE_VCPUS; i++)
		set_control(i);
	memset(guest[0].word, 0, pages * PAGE_SIZE);
	for (unsigned int i = 0; i < pages; i++)
		assert_int_equal(expand_array(ARRAY_GFN + i), 0);
}

/* What a guest does on an upcall: all events of @vcpu must be those of @want, in that order, ended by 0 */
static void expect(unsigned int vcpu, const evtchn_port_t *want)
{
	struct fifo_guest *g = &guest[vcpu];
	evtchn_port_t port;

	assert_int_equal(fake_shared_info()->vcpu_info[vcpu].evtchn_upcall_pending, *want != 0);
	assert_int_equal(fake->upcalls[vcpu], *want != 0);
	fake_shared_info()->vcpu_info[vcpu].evtchn_upcall_pending = 0;
	fake->upcalls[vcpu] = 0;
	while ((port = fifo_take(g))) {
		if (fifo_ack(g, port))
			assert_int_equal(port, *want++);
	}
	assert_int_equal(*want, 0);
}

#define EXPECT(vcpu, ...) expect(vcpu, (const evtchn_port_t[]){ __VA_ARGS__ })

static void test_errors(void **state)
{
	static const uint32_t bad_offset[] = { 4, 1, PAGE_SIZE - 64, PAGE_SIZE, 0xfffffff8 };
	evtchn_port_t port = fake_new_ipi(0);

	(void)state;
	assert_int_equal(init_control(FAKE_VCPUS, CONTROL_GFN, 0), -ENOENT);
	assert_int_equal(init_control(0, FAKE_BAD >> PAGE_SHIFT, 0), -EINVAL);
	assert_int_equal(init_control(0, UINT64_MAX, 0), -EINVAL);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad_offset); i++)
		assert_int_equal(init_control(0, CONTROL_GFN, bad_offset[i]), -EINVAL);
	assert_int_equal(expand_array(ARRAY_GFN), -EOPNOTSUPP);
	assert_int_equal(set_priority(port, 0), -ENOSYS);
	/* None of this took the 2-level events away */
	assert_int_equal(fake_send(port), 0);
	assert_true(fake_pending(port));

	assert_int_equal(init_control(0, CONTROL_GFN, PAGE_SIZE - 72), 0);
	assert_int_equal(init_control(0, CONTROL_GFN, 0), -EINVAL);
	assert_int_equal(expand_array(FAKE_BAD >> PAGE_SHIFT), -EINVAL);
	assert_int_equal(set_priority(port, EVTCHN_FIFO_PRIORITY_MIN + 1), -EINVAL);
	assert_int_equal(set_priority(port, EVTCHN_FIFO_PRIORITY_MIN), 0);
	assert_int_equal(set_priority(EVTCHN_FIFO_NR_CHANNELS, 0), -EINVAL);
	assert_int_equal(set_priority(UINT32_MAX, 0), -EINVAL);
	for (unsigned int i = 0; i < PAGES; i++)
		assert_int_equal(expand_array(ARRAY_GFN + i), 0);
	assert_int_equal(expand_array(ARRAY_GFN), -ENOSPC);
}

static void test_order(void **state)
{
	evtchn_port_t a, b, c;

	(void)state;
	use_fifo(1);
	a = fake_new_ipi(0);
	b = fake_new_ipi(0);
	c = fake_new_ipi(1);
	fake_send(b);
	fake_send(a);
	fake_send(c);
	fake_send(b); /* is queued already */
	assert_int_equal(*word(b), FIFO_PENDING | FIFO_LINKED | a);
	assert_false(fake_pending(b));
	EXPECT(0, b, a, 0);
	EXPECT(1, c, 0);
	EXPECT(0, 0);
	/* The tail of a queue that is empty */
	fake_send(a);
	fake_send(b);
	EXPECT(0, a, b, 0);
	assert_int_equal(*word(a) | *word(b) | *word(c), 0);
}

static void test_priority(void **state)
{
	evtchn_port_t low, normal, high;

	(void)state;
	use_fifo(1);
	low = fake_new_ipi(0);
	normal = fake_new_ipi(0);
	high = fake_new_ipi(0);
	assert_int_equal(set_priority(low, EVTCHN_FIFO_PRIORITY_MIN), 0);
	assert_int_equal(set_priority(high, EVTCHN_FIFO_PRIORITY_MAX), 0);
	fake_send(low);
	fake_send(normal);
	fake_send(high);
	assert_int_equal(guest[0].control->ready,
			 1 | 1 << EVTCHN_FIFO_PRIORITY_DEFAULT | 1 << EVTCHN_FIFO_PRIORITY_MIN);
	EXPECT(0, high, normal, low, 0);
	/* The next owner starts anew */
	assert_int_equal(fake_close(high), 0);
	assert_int_equal(fake_new_ipi(0), high);
	fake_send(high);
	assert_int_equal(guest[0].control->ready, 1 << EVTCHN_FIFO_PRIORITY_DEFAULT);
	EXPECT(0, high, 0);
}

static void test_mask(void **state)
{
	evtchn_port_t port;

	(void)state;
	use_fifo(1);
	port = fake_new_ipi(0);
	fifo_mask(&guest[0], port);
	fake_send(port);
	assert_int_equal(*word(port), FIFO_PENDING | FIFO_MASKED);
	EXPECT(0, 0);
	assert_false(fifo_unmask(&guest[0], port));
	assert_int_equal(unmask(port), 0);
	EXPECT(0, port, 0);
	/* Masked while it is queued: the guest takes it off, and gets it again when it unmasks */
	fake_send(port);
	fifo_mask(&guest[0], port);
	fake->upcalls[0] = 0;
	fake_shared_info()->vcpu_info[0].evtchn_upcall_pending = 0;
	EXPECT(0, 0);
	assert_int_equal(unmask(port), 0);
	EXPECT(0, port, 0);
	assert_int_equal(unmask(port), 0);
	EXPECT(0, 0);
}

/* What came before the guest had words, 2-level bits included */
static void test_owed(void **state)
{
	struct evtchn_peer *before, *after, *closed;
	int fd = eventfd(0, EFD_NONBLOCK);
	evtchn_port_t a = new_peer(&before, fd), b = new_peer(&after, fd);
	evtchn_port_t c = new_peer(&closed, fd);

	(void)state;
	evtchn_peer_notify(before);
	fake_shared_info()->vcpu_info[0].evtchn_upcall_pending = 0;
	fake_set_vectors();
	set_control(0);
	assert_false(fake_pending(a));
	evtchn_peer_notify(after);
	evtchn_peer_notify(closed);
	assert_int_equal(fake_close(c), 0);
	assert_int_equal(fake_new_ipi(0), c);
	memset(guest[0].word, 0, PAGE_SIZE);
	assert_int_equal(expand_array(ARRAY_GFN), 0);
	EXPECT(0, a, b, 0);
	evtchn_peer_unbind(before);
	evtchn_peer_unbind(after);
	evtchn_peer_unbind(closed);
	close(fd);
}

/* A vCPU without control block: nothing to put an event on, it stays pending */
static void test_no_control(void **state)
{
	evtchn_port_t port;

	(void)state;
	fake_set_vectors();
	set_control(0);
	memset(guest[0].word, 0, PAGE_SIZE);
	assert_int_equal(expand_array(ARRAY_GFN), 0);
	port = fake_new_ipi(1);
	fake_send(port);
	assert_int_equal(*word(port), FIFO_PENDING);
	set_control(1);
	EXPECT(1, 0);
	assert_int_equal(unmask(port), 0);
	EXPECT(1, port, 0);
}

/*
 * The last event of a queue, taken off, goes to another one: what comes next must not be put behind
 * it
 */
static void test_moved_tail(void **state)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	struct evtchn_peer *pa, *pb, *pc;
	evtchn_port_t a, b, c;

	(void)state;
	use_fifo(1);
	a = new_peer(&pa, fd);
	b = new_peer(&pb, fd);
	c = new_peer(&pc, fd);
	evtchn_peer_notify(pa);
	EXPECT(0, a, 0);
	assert_int_equal(move(a, 1), 0);
	evtchn_peer_notify(pa);
	evtchn_peer_notify(pb);
	evtchn_peer_notify(pc);
	EXPECT(1, a, 0);
	EXPECT(0, b, c, 0);

	/* Still queued: it is taken there, and goes to the new place the next time */
	evtchn_peer_notify(pb);
	assert_int_equal(move(b, 1), 0);
	evtchn_peer_notify(pb);
	EXPECT(1, 0);
	EXPECT(0, b, 0);
	set_priority(b, 3);
	evtchn_peer_notify(pb);
	evtchn_peer_notify(pa);
	EXPECT(1, b, a, 0);
	evtchn_peer_unbind(pa);
	evtchn_peer_unbind(pb);
	evtchn_peer_unbind(pc);
	close(fd);
}

static void test_close(void **state)
{
	evtchn_port_t a, b;

	(void)state;
	use_fifo(1);
	a = fake_new_ipi(0);
	b = fake_new_ipi(0);
	fake_send(a);
	fake_send(b);
	assert_int_equal(fake_close(a), 0);
	/* On its queue, but no event; and nobody's until the guest has taken it off */
	assert_int_equal(*word(a), FIFO_LINKED | b);
	assert_int_equal(fake_new_ipi(0), b + 1);
	EXPECT(0, b, 0);
	assert_int_equal(fake_new_ipi(0), a);
	fake_send(a);
	EXPECT(0, a, 0);
}

/*
 * What is not open is on no queue, whatever its word says, and keeps no priority for its next owner.
 * Port 0 would be taken for the end of a queue.
 */
static void test_not_open(void **state)
{
	evtchn_port_t open, port;

	(void)state;
	use_fifo(1);
	open = fake_new_ipi(0);
	port = fake_new_ipi(0);
	assert_int_equal(fake_close(port), 0);
	*word(port) = *word(0) = FIFO_PENDING | FIFO_MASKED;
	assert_int_equal(unmask(port), 0);
	assert_int_equal(unmask(0), 0);
	assert_int_equal(*word(port), FIFO_PENDING | FIFO_MASKED);
	assert_int_equal(*word(0), FIFO_PENDING | FIFO_MASKED);
	*word(port) = *word(0) = 0;
	assert_int_equal(set_priority(port, 0), -EACCES);
	assert_int_equal(set_priority(0, 0), -EACCES);
	assert_int_equal(fake_new_ipi(0), port);
	fake_send(open);
	fake_send(port);
	EXPECT(0, open, port, 0);
}

static void test_poll(void **state)
{
	struct sched_poll p = { .nr_ports = 1 };
	evtchn_port_t port;

	(void)state;
	use_fifo(1);
	port = fake_new_ipi(1);
	fake_send(port);
	set_xen_guest_handle(p.ports, (evtchn_port_t *)0x9000);
	*(evtchn_port_t *)fake_ram(0x9000) = port;
	assert_int_equal(fake_op(__HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p)), 0);
	assert_true(evtchn_is_pending(&fake->d, port));
	assert_false(evtchn_is_pending(&fake->d, UINT32_MAX));
}

/*
 * As long as a word is busy the guest does not unmask its event: however it ends to put something
 * behind it, busy it must not stay
 */
static void test_busy(void **state)
{
	evtchn_port_t a, b;

	(void)state;
	use_fifo(1);
	a = fake_new_ipi(0);
	b = fake_new_ipi(0);
	fake_send(a);
	*word(a) |= FIFO_BUSY | 77;
	fake_send(b);
	assert_int_equal(*word(a), FIFO_PENDING | FIFO_LINKED | b);
	EXPECT(0, a, b, 0);
	*word(b) = FIFO_BUSY;
	fake_send(a);
	assert_int_equal(*word(b), 0);
	EXPECT(0, a, 0);
}

static void test_all_ports(void **state)
{
	/* shared_info, and after it what the bits of all ports would reach */
	const size_t reach = PAGE_SIZE + EVTCHN_FIFO_NR_CHANNELS / 8 + PAGE_SIZE;
	struct evtchn_bind_ipi bind = { .vcpu = 0 };
	struct evtchn_reset r = { .dom = DOMID_SELF };
	evtchn_port_t last = EVTCHN_FIFO_NR_CHANNELS - 1, few;
	uint8_t *si;

	(void)state;
	use_fifo(PAGES);
	for (evtchn_port_t i = 1; i < EVTCHN_FIFO_NR_CHANNELS; i++) {
		assert_int_equal(EVTCHN_OP(bind_ipi, &bind), 0);
		assert_int_equal(bind.port, i);
	}
	assert_int_equal(EVTCHN_OP(bind_ipi, &bind), -ENOSPC);
	fake_send(last);
	fake_send(4096);
	EXPECT(0, last, 4096, 0);
	assert_int_equal(fake_close(5000), 0);
	assert_int_equal(fake_new_ipi(0), 5000);

	/* 2-level again: the old queues are left alone, and a port that has no bit touches none */
	fake_send(last);
	assert_int_equal(EVTCHN_OP(reset, &r), 0);
	fake->upcalls[0] = 0;
	fake_shared_info()->vcpu_info[0].evtchn_upcall_pending = 0;
	memset(guest[0].control, 0xaa, sizeof(*guest[0].control));
	assert_int_equal(fake_place_shared_info(SHARED_GFN), 0);
	memset(fake_ram((SHARED_GFN + 1) << PAGE_SHIFT), 0xa5, reach - PAGE_SIZE);
	memset(fake_shared_info()->evtchn_mask, 0xff, sizeof(fake_shared_info()->evtchn_mask));
	si = malloc(reach);
	memcpy(si, fake_shared_info(), reach);
	assert_int_equal(unmask(last), 0);
	assert_int_equal(fake_send(last), -EINVAL);
	assert_false(evtchn_is_pending(&fake->d, last));
	evtchn_clear_mask(&fake->vcpu[0], last);
	evtchn_clear_pending(&fake->d, last);
	evtchn_set_pending(&fake->vcpu[0], last - 1); /* whose bit is not set in that pattern */
	assert_memory_equal(si, fake_shared_info(), reach);
	free(si);
	memset(fake_shared_info()->evtchn_mask, 0, sizeof(fake_shared_info()->evtchn_mask));
	for (few = 1; few < EVTCHN_2L_NR_CHANNELS; few++)
		assert_int_equal(fake_new_ipi(0), few);
	assert_int_equal(EVTCHN_OP(bind_ipi, &bind), -ENOSPC);
	fake_send(4095);
	assert_true(fake_pending(4095));
	assert_int_equal(guest[0].control->ready, 0xaaaaaaaa);
	assert_int_equal(init_control(0, CONTROL_GFN, 0), 0);
}

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

/*
 * A guest that writes anything anywhere into its pages: what it gets is its own business, but
 * nothing else of its memory changes, and a guest that starts over is served.
 */
static void test_hostile(void **state)
{
	const gpa_t control = CONTROL_GFN << PAGE_SHIFT, array = ARRAY_GFN << PAGE_SHIFT;
	uint32_t x = 0x9e3779b9;
	struct evtchn_reset r = { .dom = DOMID_SELF };

	(void)state;
	use_fifo(2);
	memset(fake_ram(0x20000), 0x5a, 0x20000);
	memset(fake_ram(control + FAKE_VCPUS * PAGE_SIZE), 0x5a,
	       array - control - FAKE_VCPUS * PAGE_SIZE);
	memset(fake_ram(array + 2 * PAGE_SIZE), 0x5a, 0x20000);
	for (unsigned int i = 0; i < 200; i++)
		fake_new_ipi(i % FAKE_VCPUS);
	for (unsigned int i = 0; i < 100000; i++) {
		evtchn_port_t port = next_random(&x) % 220;

		*word(next_random(&x) % 240) = next_random(&x);
		((uint32_t *)guest[i % FAKE_VCPUS].control)[next_random(&x) % 18] = next_random(&x);
		switch (next_random(&x) % 8) {
		case 0:
			unmask(port);
			break;
		case 1:
			set_priority(port, next_random(&x) % 20);
			break;
		case 2:
			fake_close(port);
			fake_new_ipi(next_random(&x) % FAKE_VCPUS);
			break;
		case 3:
			memset(guest[0].word, next_random(&x), 2 * PAGE_SIZE);
			break;
		default:
			fake_send(port);
		}
	}
	for (gpa_t i = 0; i < 0x20000; i++) {
		assert_int_equal(*(uint8_t *)fake_ram(0x20000 + i), 0x5a);
		assert_int_equal(*(uint8_t *)fake_ram(array + 2 * PAGE_SIZE + i), 0x5a);
	}
	for (gpa_t at = control + FAKE_VCPUS * PAGE_SIZE; at < array; at++)
		assert_int_equal(*(uint8_t *)fake_ram(at), 0x5a);

	assert_int_equal(EVTCHN_OP(reset, &r), 0);
	for (unsigned int i = 0; i < FAKE_VCPUS; i++)
		fake_shared_info()->vcpu_info[i].evtchn_upcall_pending = 0;
	use_fifo(1);
	assert_int_equal(fake_new_ipi(0), 1);
	fake_send(1);
	EXPECT(0, 1, 0);
}

/* Everything in one page, also the page's own words: a mess of the guest's making, and harmless */
static void test_one_page_for_all(void **state)
{
	(void)state;
	assert_int_equal(init_control(0, ARRAY_GFN, 0), 0);
	assert_int_equal(init_control(1, ARRAY_GFN, 8), 0);
	for (unsigned int i = 0; i < PAGES; i++)
		assert_int_equal(expand_array(ARRAY_GFN), 0);
	for (unsigned int i = 0; i < 3000; i++)
		fake_new_ipi(i % FAKE_VCPUS);
	for (unsigned int n = 0; n < 3; n++) {
		for (evtchn_port_t port = 1; port < 3000; port++)
			assert_int_equal(fake_send(port), 0);
		memset(fake_ram(ARRAY_GFN << PAGE_SHIFT), n, PAGE_SIZE);
	}
}

#define T(n) cmocka_unit_test_setup_teardown(test_##n, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(errors),	     T(order), T(priority), T(mask), T(owed),	   T(no_control),
		T(moved_tail),	     T(close), T(not_open), T(poll), T(all_ports), T(hostile),
		T(one_page_for_all), T(busy),
	};

	return cmocka_run_group_tests_name("evtchn_fifo", tests, NULL, NULL);
}
