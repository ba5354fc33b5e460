// SPDX-License-Identifier: GPL-2.0-or-later
/* hv/xs_ring.c: a guest's page that is honest, slow, starts anywhere, lies, and starts again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <cmocka.h>

#include "hv/domain.h"
#include "hv/evtchn.h"
#include "hv/loop.h"
#include "hv/xs_ring.h"
#include "ring/stream.h"

#define GFN 5
#define PORT 3

/* ---- what the ring needs of the hypervisor ---- */

static struct {
	int kick_fd;
	unsigned int notified;
} channel;

static struct xenstore_domain_interface *page;

void *mem_range(const struct domain *d, gpa_t gpa, size_t len)
{
	(void)d;
	return gpa == GFN << PAGE_SHIFT && len == PAGE_SIZE ? page : NULL;
}

int evtchn_peer_bind(struct domain *d, evtchn_port_t port, int kick_fd, struct evtchn_peer **peer)
{
	(void)d;
	if (port != PORT)
		return -ENOENT;
	channel.kick_fd = kick_fd;
	channel.notified = 0;
	*peer = (struct evtchn_peer *)&channel;
	return 0;
}

void evtchn_peer_notify(struct evtchn_peer *peer)
{
	assert_ptr_equal(peer, &channel);
	channel.notified++;
}

void evtchn_peer_unbind(struct evtchn_peer *peer)
{
	assert_ptr_equal(peer, &channel);
	channel.kick_fd = -1;
}

/* ---- the guest ---- */

struct fixture {
	struct domain domain;
	struct xst_store *store;
	struct xst_conn *dom0;
	struct xs_ring *ring;
	struct stream_writer req;
	struct stream_reader rsp;
	struct loop_call work, spin;
	unsigned int spins;
};

static void dispatch(struct loop_call *call)
{
	xst_store_dispatch(container_of(call, struct fixture, work)->store);
}

static void work(void *opaque)
{
	struct fixture *f = opaque;

	loop_post(f->domain.loop, &f->work);
}

/* Go round the loop a few times, then leave it. */
static void spin(struct loop_call *call)
{
	struct fixture *f = container_of(call, struct fixture, spin);

	if (f->spins--)
		loop_post(f->domain.loop, call);
	else
		loop_stop(f->domain.loop);
}

/* Let the loop do what there is to do. */
static void run(struct fixture *f)
{
	f->spins = 5;
	loop_post(f->domain.loop, &f->spin);
	loop_run(f->domain.loop);
}

static void kick(struct fixture *f)
{
	eventfd_write(channel.kick_fd, 1);
	run(f);
}

static void guest_attach(struct fixture *f)
{
	assert_int_equal(stream_writer_attach(&f->req, page->req, sizeof(page->req),
					      &page->req_cons, &page->req_prod),
			 0);
	assert_int_equal(stream_reader_attach(&f->rsp, page->rsp, sizeof(page->rsp),
					      &page->rsp_cons, &page->rsp_prod),
			 0);
}

static int setup_at(void **state, unsigned int index)
{
	static const struct xst_store_ops ops = { .work = work };
	struct fixture *f = calloc(1, sizeof(*f));
	struct xst_perm owner = { 1, XST_PERM_NONE };

	assert_non_null(f);
	page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	assert_non_null(page);
	memset(page, 0, PAGE_SIZE);
	page->req_cons = page->req_prod = index;
	page->rsp_cons = page->rsp_prod = index / 3;
	f->domain.domid = 1;
	f->domain.loop = loop_new();
	f->work.fn = dispatch;
	f->spin.fn = spin;
	f->domain.store_gfn = GFN;
	f->domain.store_port = PORT;
	f->store = xst_store_new(&ops, f, NULL);
	f->dom0 = xst_conn_new(f->store, 0, NULL, NULL);
	assert_int_equal(xst_mkdir(f->dom0, 0, "/local/domain/1"), 0);
	assert_int_equal(xst_set_perms(f->dom0, 0, "/local/domain/1", &owner, 1), 0);
	assert_int_equal(xs_ring_create(&f->domain, f->store, &f->ring), 0);
	guest_attach(f);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_at(state, 0);
}

static int setup_late(void **state)
{
	return setup_at(state, 0xfffffff0);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	const char *why;

	assert_int_equal(xst_store_check(f->store, &why), 0);
	xs_ring_destroy(f->ring);
	assert_int_equal(channel.kick_fd, -1);
	xst_store_free(f->store);
	loop_free(f->domain.loop);
	free(page);
	free(f);
	return 0;
}

static void put(struct fixture *f, const void *data, size_t len)
{
	while (len) {
		int n = stream_write(&f->req, data, len);

		assert_in_range(n, 1, 1024);
		data = (const char *)data + n;
		len -= n;
		kick(f);
	}
}

static void request(struct fixture *f, uint32_t type, const void *body, size_t len)
{
	struct xsd_sockmsg hdr = { type, 9, 0, len };

	put(f, &hdr, sizeof(hdr));
	put(f, body, len);
}

static void take(struct fixture *f, void *data, size_t len)
{
	while (len) {
		int n = stream_read(&f->rsp, data, len);

		assert_in_range(n, 1, 1024);
		data = (char *)data + n;
		len -= n;
		kick(f);
	}
}

static void answer(struct fixture *f, uint32_t type, const void *body, size_t len)
{
	struct xsd_sockmsg hdr;
	char data[XENSTORE_PAYLOAD_MAX];

	take(f, &hdr, sizeof(hdr));
	assert_int_equal(hdr.type, type);
	assert_int_equal(hdr.len, len);
	take(f, data, len);
	assert_memory_equal(data, body, len);
}

static void honest(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(page->server_features, 3);
	request(f, XS_WRITE, "x\0value", 7);
	assert_true(channel.notified > 0);
	answer(f, XS_WRITE, "OK", 3);
	request(f, XS_READ, "x", 2);
	answer(f, XS_READ, "value", 5);
	request(f, XS_WATCH, "x\0token", 8);
	answer(f, XS_WATCH, "OK", 3);
	answer(f, XS_WATCH_EVENT, "x\0token", 8);
	channel.notified = 0;
	assert_int_equal(xst_write(f->dom0, 0, "/local/domain/1/x", "y", 1), 0);
	run(f);
	assert_int_equal(channel.notified, 1);
	answer(f, XS_WATCH_EVENT, "x\0token", 8);
	assert_int_equal(stream_readable(&f->rsp), 0);
	/* Nothing moved: nobody is disturbed. */
	channel.notified = 0;
	kick(f);
	assert_int_equal(channel.notified, 0);
}

/* Messages larger than the ring, both ways, whose rings wrap round */
static void large_messages(void **state)
{
	struct fixture *f = *state;
	char body[XENSTORE_PAYLOAD_MAX] = "/local/domain/1/big";
	char *value = body + sizeof("/local/domain/1/big");
	size_t len;

	for (len = 0; len < 2000; len++)
		value[len] = 'a' + len % 26;
	for (unsigned int i = 0; i < 20; i++) {
		request(f, XS_WRITE, body, value + len - body);
		answer(f, XS_WRITE, "OK", 3);
		request(f, XS_READ, "big", 4);
		answer(f, XS_READ, value, len);
	}
}

/* A guest that sends without reading: requests wait in the ring, not in our memory. */
static void slow_reader(void **state)
{
	struct {
		struct xsd_sockmsg hdr;
		char body[2];
	} req = { { XS_READ, 9, 0, 2 }, "x" };
	struct fixture *f = *state;
	char value[1000] = "";
	unsigned int sent = 0;

	assert_int_equal(xst_write(f->dom0, 0, "/local/domain/1/x", value, 1000), 0);
	while (stream_writable(&f->req) >= 18) {
		assert_int_equal(stream_write(&f->req, &req, 18), 18);
		kick(f);
		assert_in_range(++sent, 0, 200);
	}
	for (; sent; sent--)
		answer(f, XS_READ, value, 1000);
	assert_int_equal(stream_readable(&f->rsp), 0);
}

static void closed_with(struct fixture *f, uint32_t error)
{
	unsigned int index = page->rsp_prod;

	assert_int_equal(page->error, error);
	/* Closed: nothing more happens, whatever the guest does. */
	page->req_prod = page->req_cons + 16;
	kick(f);
	assert_int_equal(xst_write(f->dom0, 0, "/local/domain/1/x", "", 0), 0);
	run(f);
	assert_int_equal(page->rsp_prod, index);
	/* Until it starts again. */
	channel.notified = 0;
	page->connection = XENSTORE_RECONNECT;
	kick(f);
	assert_int_equal(channel.notified, 1);
	assert_int_equal(page->connection, XENSTORE_CONNECTED);
	assert_int_equal(page->error, XENSTORE_ERROR_NONE);
	assert_int_equal(page->req_prod | page->req_cons | page->rsp_prod | page->rsp_cons, 0);
	guest_attach(f);
	request(f, XS_READ, "x", 2);
	answer(f, XS_READ, "", 0);
}

static void watch_x(struct fixture *f)
{
	request(f, XS_WATCH, "x\0token", 8);
	answer(f, XS_WATCH, "OK", 3);
	answer(f, XS_WATCH_EVENT, "x\0token", 8);
}

static void wild_request_index(void **state)
{
	static const unsigned int jumps[] = { 1025, 0x80000000, 0xffffffff };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		watch_x(f);
		page->req_prod = page->req_cons + jumps[i];
		kick(f);
		closed_with(f, XENSTORE_ERROR_RINGIDX);
	}
}

static void wild_response_index(void **state)
{
	static const unsigned int jumps[] = { 1, 1025, 0x80000000 };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		watch_x(f);
		page->rsp_cons = page->rsp_prod + jumps[i];
		assert_int_equal(xst_write(f->dom0, 0, "/local/domain/1/x", "", 0), 0);
		run(f);
		closed_with(f, XENSTORE_ERROR_RINGIDX);
	}
}

static void over_long_message(void **state)
{
	struct xsd_sockmsg hdr = { XS_READ, 9, 0, XENSTORE_PAYLOAD_MAX + 1 };
	struct fixture *f = *state;

	watch_x(f);
	put(f, &hdr, sizeof(hdr));
	closed_with(f, XENSTORE_ERROR_PROTO);
}

/* In the middle of a message, with unread output, a watch and a transaction */
static void reconnection(void **state)
{
	struct fixture *f = *state;

	watch_x(f);
	request(f, XS_TRANSACTION_START, "", 1);
	put(f, "half a header", 13);
	page->connection = XENSTORE_RECONNECT;
	kick(f);
	assert_int_equal(page->connection, XENSTORE_CONNECTED);
	guest_attach(f);
	assert_int_equal(xst_write(f->dom0, 0, "/local/domain/1/x", "v", 1), 0);
	run(f);
	request(f, XS_READ, "x", 2);
	answer(f, XS_READ, "v", 1);
	assert_int_equal(stream_readable(&f->rsp), 0);
}

static void cannot_create(void **state)
{
	struct fixture *f = *state;
	struct xs_ring *ring;

	f->domain.store_gfn = 6;
	assert_int_equal(xs_ring_create(&f->domain, f->store, &ring), -EFAULT);
	f->domain.store_gfn = GFN_NONE;
	assert_int_equal(xs_ring_create(&f->domain, f->store, &ring), -EFAULT);
	f->domain.store_gfn = GFN;
	f->domain.store_port = 99;
	assert_int_equal(xs_ring_create(&f->domain, f->store, &ring), -ENOENT);
	xs_ring_destroy(NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(honest),
		CASE(large_messages),
		CASE(slow_reader),
		CASE(wild_request_index),
		CASE(wild_response_index),
		CASE(over_long_message),
		CASE(reconnection),
		CASE(cannot_create),
		{ "honest, indices about to wrap", honest, setup_late, teardown, NULL },
		{ "large_messages, indices about to wrap", large_messages, setup_late, teardown,
		  NULL },
	};

	return cmocka_run_group_tests_name("xs_ring", tests, NULL, NULL);
}
