// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring/ in kernel context: the kernel's barriers and copies instead of the program's.
 */
#include "tests/kunit/case.h"

#include <paravane/xen.h>
#include <xen-public/io/blkif.h>

#include "ring/ring.h"
#include "ring/stream.h"

static union {
	char bytes[4096];
	unsigned long align;
} page;
static struct xenstore_domain_interface intf;

CASE(requests_and_responses_go_round)
{
	struct ring_front front;
	struct ring_back back;
	blkif_request_t req;
	blkif_response_t rsp;
	unsigned int i;

	memset(&req, 0, sizeof(req));
	memset(&rsp, 0, sizeof(rsp));
	CHECK_EQ(ring_front_init(&front, page.bytes, sizeof(page.bytes), RING_FORMAT(blkif)), 0);
	CHECK_EQ(ring_back_attach(&back, page.bytes, sizeof(page.bytes), RING_FORMAT(blkif), 0), 0);
	for (i = 0; i < 1000; i++) {
		req.id = i;
		CHECK_EQ(ring_put_request(&front, &req), 0);
		CHECK(ring_push_requests(&front));
		CHECK_EQ(ring_copy_request(&back, &req), 0);
		CHECK(!ring_final_check_requests(&back));
		rsp.id = req.id;
		CHECK_EQ(ring_put_response(&back, &rsp), 0);
		CHECK(ring_push_responses(&back));
		CHECK_EQ(ring_copy_response(&front, &rsp), 0);
		CHECK_EQ(rsp.id, i);
		CHECK(!ring_final_check_responses(&front));
	}
}

CASE(impossible_index_breaks_the_ring)
{
	struct ring_shared *shared = (struct ring_shared *)page.bytes;
	struct ring_front front;
	blkif_response_t rsp;

	CHECK_EQ(ring_front_init(&front, page.bytes, sizeof(page.bytes), RING_FORMAT(blkif)), 0);
	shared->rsp_prod = 1;
	CHECK_EQ(ring_copy_response(&front, &rsp), -EPROTO);
	CHECK(ring_front_broken(&front));
}

CASE(bytes_go_through)
{
	struct stream_writer writer;
	struct stream_reader reader;
	char in[128], out[100];
	unsigned int i, sent = 0, got = 0;

	memset(&intf, 0, sizeof(intf));
	intf.req_prod = ~0u - 50;
	intf.req_cons = intf.req_prod;
	CHECK_EQ(stream_writer_attach(&writer, intf.req, sizeof(intf.req), &intf.req_cons,
				      &intf.req_prod),
		 0);
	CHECK_EQ(stream_reader_attach(&reader, intf.req, sizeof(intf.req), &intf.req_cons,
				      &intf.req_prod),
		 0);
	for (i = 0; i < 200; i++) {
		int n;

		memset(out, i, sizeof(out));
		n = stream_write(&writer, out, sizeof(out));
		CHECK(n >= 0);
		sent += n;
		n = stream_read(&reader, in, sizeof(in));
		CHECK(n >= 0);
		got += n;
	}
	CHECK_EQ(sent, got);
	CHECK_EQ(stream_readable(&reader), 0);
}

CASE(impossible_index_breaks_the_stream)
{
	struct stream_reader reader;
	char in[8];

	memset(&intf, 0, sizeof(intf));
	CHECK_EQ(stream_reader_attach(&reader, intf.rsp, sizeof(intf.rsp), &intf.rsp_cons,
				      &intf.rsp_prod),
		 0);
	intf.rsp_prod = sizeof(intf.rsp) + 1;
	CHECK_EQ(stream_read(&reader, in, sizeof(in)), -EPROTO);
	intf.rsp_prod = 0;
	CHECK_EQ(stream_read(&reader, in, sizeof(in)), -EPROTO);
}

#define CASES(X)                            \
	X(requests_and_responses_go_round)  \
	X(impossible_index_breaks_the_ring) \
	X(bytes_go_through)                 \
	X(impossible_index_breaks_the_stream)

SUITE(guest_ring, CASES);
