// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv/evtchn.h"
#include "tests/unit/fake_domain.h"

#include <xen-public/hvm/hvm_op.h>

static void mask(evtchn_port_t port)
{
	fake_shared_info()->evtchn_mask[port / 64] |= 1UL << port % 64;
}

/* What a guest does on an upcall */
static void consume(unsigned int vcpu)
{
	fake_shared_info()->vcpu_info[vcpu].evtchn_upcall_pending = 0;
	fake_shared_info()->vcpu_info[vcpu].evtchn_pending_sel = 0;
	memset(fake_shared_info()->evtchn_pending, 0, sizeof(fake_shared_info()->evtchn_pending));
}

static struct evtchn_status status(evtchn_port_t port)
{
	struct evtchn_status s = { .dom = DOMID_SELF, .port = port };

	assert_int_equal(EVTCHN_OP(status, &s), 0);
	return s;
}

static void test_alloc_unbound(void **state)
{
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = 3 };

	(void)state;
	assert_int_equal(EVTCHN_OP(alloc_unbound, &a), 0);
	assert_int_equal(a.port, 1);
	assert_int_equal(status(1).status, EVTCHNSTAT_unbound);
	assert_int_equal(status(1).u.unbound.dom, 3);
	assert_int_equal(fake_send(1), 0);
	assert_false(fake_pending(1));

	a.dom = FAKE_DOMID;
	a.remote_dom = DOMID_SELF;
	assert_int_equal(EVTCHN_OP(alloc_unbound, &a), 0);
	assert_int_equal(a.port, 2);
	assert_int_equal(status(2).u.unbound.dom, FAKE_DOMID);
}

static void test_wrong_domain(void **state)
{
	struct evtchn_alloc_unbound a = { .dom = 0, .remote_dom = 0 };
	struct evtchn_bind_interdomain b = { .remote_dom = 9, .remote_port = 1 };
	struct evtchn_status s = { .dom = 0, .port = 1 };
	struct evtchn_reset r = { .dom = 0 };

	(void)state;
	assert_int_equal(EVTCHN_OP(alloc_unbound, &a), -EPERM);
	a.dom = 9;
	assert_int_equal(EVTCHN_OP(alloc_unbound, &a), -ESRCH);
	assert_int_equal(EVTCHN_OP(bind_interdomain, &b), -ESRCH);
	b.remote_dom = 0;
	assert_int_equal(EVTCHN_OP(bind_interdomain, &b), -EINVAL);
	assert_int_equal(EVTCHN_OP(status, &s), -EPERM);
	s.dom = 9;
	assert_int_equal(EVTCHN_OP(status, &s), -ESRCH);
	assert_int_equal(EVTCHN_OP(reset, &r), -EPERM);
	r.dom = 9;
	assert_int_equal(EVTCHN_OP(reset, &r), -ESRCH);
}

static void test_wild_ports(void **state)
{
	static const evtchn_port_t wild[] = { 64,	  4095,	      4096,	 4097,
					      0x7fffffff, 0x80000000, 0xffffffff };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(wild); i++) {
		struct evtchn_status s = { .dom = DOMID_SELF, .port = wild[i] };
		struct evtchn_unmask u = { .port = wild[i] };
		struct evtchn_bind_vcpu b = { .port = wild[i] };
		struct evtchn_bind_interdomain d = { .remote_dom = DOMID_SELF,
						     .remote_port = wild[i] };

		assert_int_equal(fake_close(wild[i]), -EINVAL);
		assert_int_equal(fake_send(wild[i]), -EINVAL);
		assert_int_equal(EVTCHN_OP(status, &s), -EINVAL);
		assert_int_equal(EVTCHN_OP(unmask, &u), -EINVAL);
		assert_int_equal(EVTCHN_OP(bind_vcpu, &b), -EINVAL);
		assert_int_equal(EVTCHN_OP(bind_interdomain, &d), -EINVAL);
	}
	/* Port 0 and a free one exist, but nobody can use them */
	for (evtchn_port_t port = 0; port < 2; port++) {
		assert_int_equal(fake_close(port), -EINVAL);
		assert_int_equal(fake_send(port), -EINVAL);
		assert_int_equal(status(port).status, EVTCHNSTAT_closed);
	}
}

static void test_virq(void **state)
{
	struct evtchn_bind_virq b = { .virq = VIRQ_TIMER, .vcpu = 1 };

	(void)state;
	assert_int_equal(EVTCHN_OP(bind_virq, &b), 0);
	assert_int_equal(status(b.port).status, EVTCHNSTAT_virq);
	assert_int_equal(status(b.port).vcpu, 1);
	assert_int_equal(EVTCHN_OP(bind_virq, &b), -EEXIST);
	assert_int_equal(fake_send(b.port), -EINVAL);

	evtchn_send_virq(&fake->vcpu[0], VIRQ_TIMER);
	assert_false(fake_pending(b.port));
	evtchn_send_virq(&fake->vcpu[1], VIRQ_TIMER);
	assert_true(fake_pending(b.port));
	assert_int_equal(fake_shared_info()->vcpu_info[1].evtchn_upcall_pending, 1);
	assert_int_equal(fake_shared_info()->vcpu_info[0].evtchn_upcall_pending, 0);

	assert_int_equal(fake_close(b.port), 0);
	assert_false(fake_pending(b.port));
	assert_int_equal(EVTCHN_OP(bind_virq, &b), 0);

	b = (struct evtchn_bind_virq){ .virq = NR_VIRQS };
	assert_int_equal(EVTCHN_OP(bind_virq, &b), -EINVAL);
	b = (struct evtchn_bind_virq){ .virq = VIRQ_TIMER, .vcpu = FAKE_VCPUS };
	assert_int_equal(EVTCHN_OP(bind_virq, &b), -ENOENT);
	b = (struct evtchn_bind_virq){ .virq = VIRQ_CONSOLE, .vcpu = 1 };
	assert_int_equal(EVTCHN_OP(bind_virq, &b), -EINVAL);
}

static void test_global_virq_moves(void **state)
{
	struct evtchn_bind_virq b = { .virq = VIRQ_ARGO };
	struct evtchn_bind_vcpu move;

	(void)state;
	assert_int_equal(EVTCHN_OP(bind_virq, &b), 0);
	move = (struct evtchn_bind_vcpu){ .port = b.port, .vcpu = 1 };
	assert_int_equal(EVTCHN_OP(bind_vcpu, &move), 0);
	evtchn_send_virq(&fake->vcpu[1], VIRQ_ARGO);
	assert_true(fake_pending(b.port));
	assert_int_equal(fake_shared_info()->vcpu_info[1].evtchn_upcall_pending, 1);
	/* Closing must free the virq of vCPU 0, where it was bound */
	assert_int_equal(fake_close(b.port), 0);
	assert_int_equal(EVTCHN_OP(bind_virq, &b), 0);
}

static void test_ipi_and_bind_vcpu(void **state)
{
	struct evtchn_bind_ipi bad = { .vcpu = FAKE_VCPUS };
	evtchn_port_t port = fake_new_ipi(1);
	struct evtchn_bind_vcpu move = { .port = port, .vcpu = 0 };

	(void)state;
	assert_int_equal(EVTCHN_OP(bind_ipi, &bad), -ENOENT);
	assert_int_equal(EVTCHN_OP(bind_vcpu, &move), -EINVAL);
	move.vcpu = FAKE_VCPUS;
	assert_int_equal(EVTCHN_OP(bind_vcpu, &move), -ENOENT);
	assert_int_equal(fake_send(port), 0);
	assert_true(fake_pending(port));
	assert_int_equal(fake_shared_info()->vcpu_info[1].evtchn_pending_sel, 1);
}

static void test_loopback(void **state)
{
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_bind_interdomain b = { .remote_dom = DOMID_SELF };

	(void)state;
	assert_int_equal(EVTCHN_OP(alloc_unbound, &a), 0);
	b.remote_port = a.port;
	assert_int_equal(EVTCHN_OP(bind_interdomain, &b), 0);
	assert_true(fake_pending(b.local_port)); /* events may have been lost before */
	assert_int_equal(status(a.port).status, EVTCHNSTAT_interdomain);
	assert_int_equal(status(a.port).u.interdomain.port, b.local_port);
	assert_int_equal(EVTCHN_OP(bind_interdomain, &b), -EINVAL);

	consume(0);
	assert_int_equal(fake_send(a.port), 0);
	assert_true(fake_pending(b.local_port));
	assert_false(fake_pending(a.port));
	assert_int_equal(fake_send(b.local_port), 0);
	assert_true(fake_pending(a.port));

	assert_int_equal(fake_close(b.local_port), 0);
	assert_int_equal(status(a.port).status, EVTCHNSTAT_unbound);
	assert_int_equal(fake_send(a.port), 0);
}

static void test_peer(void **state)
{
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = 0 };
	int fd = eventfd(0, EFD_NONBLOCK);
	struct evtchn_peer *peer, *other;
	eventfd_t count;

	(void)state;
	assert_int_equal(evtchn_peer_bind(&fake->d, 4096, fd, &peer), -EINVAL);
	assert_int_equal(evtchn_peer_bind(&fake->d, 5, fd, &peer), -ENOENT);
	assert_int_equal(evtchn_peer_bind(&fake->d, fake_new_ipi(0), fd, &peer), -EINVAL);
	assert_int_equal(EVTCHN_OP(alloc_unbound, &a), 0);
	assert_int_equal(evtchn_peer_bind(&fake->d, a.port, fd, &peer), 0);
	assert_int_equal(fake->doorbells, 1);
	assert_int_equal(evtchn_peer_bind(&fake->d, a.port, fd, &other), -EINVAL);
	assert_int_equal(status(a.port).u.interdomain.dom, 0);

	assert_int_equal(fake_send(a.port), 0);
	assert_int_equal(eventfd_read(fd, &count), 0);
	assert_int_equal(count, 1);
	evtchn_peer_notify(peer);
	assert_true(fake_pending(a.port));

	/* The guest closes; our end stays harmless, even when the port has a new owner */
	assert_int_equal(fake_close(a.port), 0);
	assert_int_equal(fake->doorbells, 0);
	assert_int_equal(fake_new_ipi(0), a.port);
	evtchn_peer_notify(peer);
	assert_false(fake_pending(a.port));
	evtchn_peer_unbind(peer);
	assert_int_equal(status(a.port).status, EVTCHNSTAT_ipi);

	/* We let go; the guest's end is unbound again and can be bound once more */
	assert_int_equal(EVTCHN_OP(alloc_unbound, &a), 0);
	assert_int_equal(evtchn_peer_bind(&fake->d, a.port, fd, &peer), 0);
	evtchn_peer_unbind(peer);
	assert_int_equal(fake->doorbells, 0);
	assert_int_equal(status(a.port).status, EVTCHNSTAT_unbound);
	assert_int_equal(evtchn_peer_bind(&fake->d, a.port, fd, &peer), 0);
	evtchn_peer_unbind(peer);
	close(fd);
}

static void test_peer_of_others(void **state)
{
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = 3 };
	struct evtchn_peer *peer;

	(void)state;
	assert_int_equal(EVTCHN_OP(alloc_unbound, &a), 0);
	assert_int_equal(evtchn_peer_bind(&fake->d, a.port, -1, &peer), -EINVAL);
}

static void test_mask_and_upcall(void **state)
{
	evtchn_port_t port = fake_new_ipi(0);
	struct evtchn_unmask u = { .port = port };

	(void)state;
	fake_set_vectors();
	mask(port);
	assert_int_equal(fake_send(port), 0);
	assert_true(fake_pending(port));
	assert_int_equal(fake_shared_info()->vcpu_info[0].evtchn_upcall_pending, 0);
	assert_int_equal(fake->upcalls[0], 0);

	assert_int_equal(EVTCHN_OP(unmask, &u), 0);
	assert_int_equal(fake_shared_info()->vcpu_info[0].evtchn_upcall_pending, 1);
	assert_int_equal(fake->upcalls[0], 1);
	assert_int_equal(fake->vector[0], FAKE_VECTOR);

	/* Not again while the guest has not looked, neither for this port nor for another */
	assert_int_equal(EVTCHN_OP(unmask, &u), 0);
	assert_int_equal(fake_send(port), 0);
	assert_int_equal(fake_send(fake_new_ipi(0)), 0);
	assert_int_equal(fake->upcalls[0], 1);

	consume(0);
	assert_int_equal(fake_send(port), 0);
	assert_int_equal(fake->upcalls[0], 2);
	assert_int_equal(fake->upcalls[1], 0);
}

static void test_upcall_owed(void **state)
{
	evtchn_port_t port = fake_new_ipi(0);

	(void)state;
	fake_set_vectors();
	fake->lapic_refuses = true;
	assert_int_equal(fake_send(port), 0);
	assert_int_equal(fake->upcalls[0], 0);
	fake->lapic_refuses = false;
	evtchn_upcall_retry(&fake->vcpu[0]);
	assert_int_equal(fake->upcalls[0], 1);
	evtchn_upcall_retry(&fake->vcpu[0]);
	assert_int_equal(fake->upcalls[0], 1);
}

static void test_vector_errors(void **state)
{
	struct xen_hvm_evtchn_upcall_vector v = { .vcpu = 0, .vector = 0xf };

	(void)state;
	assert_int_equal(fake_op(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &v,
				 sizeof(v)),
			 -EINVAL);
	v = (struct xen_hvm_evtchn_upcall_vector){ .vcpu = FAKE_VCPUS, .vector = 0x20 };
	assert_int_equal(fake_op(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &v,
				 sizeof(v)),
			 -ENOENT);
}

static void test_all_ports(void **state)
{
	struct evtchn_bind_ipi bind = { .vcpu = 0 };
	struct evtchn_reset r = { .dom = DOMID_SELF };

	(void)state;
	for (unsigned int i = 1; i < EVTCHN_2L_NR_CHANNELS; i++)
		assert_int_equal(fake_new_ipi(i % FAKE_VCPUS), i);
	assert_int_equal(EVTCHN_OP(bind_ipi, &bind), -ENOSPC);
	assert_int_equal(fake_send(4095), 0);
	assert_true(fake_pending(4095));
	assert_int_equal(fake_shared_info()->vcpu_info[1].evtchn_pending_sel, 1UL << 63);
	assert_int_equal(EVTCHN_OP(reset, &r), 0);
	assert_false(fake_pending(4095));
	assert_int_equal(fake_new_ipi(0), 1);
}

#define T(n) cmocka_unit_test_setup_teardown(test_##n, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(alloc_unbound),     T(wrong_domain),	    T(wild_ports),  T(virq),
		T(global_virq_moves), T(ipi_and_bind_vcpu), T(loopback),    T(peer),
		T(peer_of_others),    T(mask_and_upcall),   T(upcall_owed), T(vector_errors),
		T(all_ports),
	};

	return cmocka_run_group_tests_name("evtchn", tests, NULL, NULL);
}
