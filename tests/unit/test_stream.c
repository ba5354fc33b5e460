// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ring/stream.h: every length at every offset, both roles of both shared pages it is made for, and
 * a peer that lies about its index.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <xen-public/io/console.h>
#include <xen-public/io/xs_wire.h>

#include "ring/stream.h"

static_assert(sizeof(struct xenstore_domain_interface) == 2076, "xenstore page");
static_assert(offsetof(struct xenstore_domain_interface, req_cons) == 2048, "xenstore indices");
static_assert(sizeof(struct xencons_interface) == 3088, "console page");
static_assert(offsetof(struct xencons_interface, in_cons) == 3072, "console indices");

/* A buffer on the heap: the address sanitizer guards both ends. */
struct pipe {
	char *buf;
	unsigned int cons;
	unsigned int prod;
	struct stream_reader reader;
	struct stream_writer writer;
};

static void pipe_make(struct pipe *pipe, size_t size, unsigned int index)
{
	pipe->buf = malloc(size);
	assert_non_null(pipe->buf);
	memset(pipe->buf, 0, size);
	pipe->cons = index;
	pipe->prod = index;
	assert_int_equal(
		stream_writer_attach(&pipe->writer, pipe->buf, size, &pipe->cons, &pipe->prod), 0);
	assert_int_equal(
		stream_reader_attach(&pipe->reader, pipe->buf, size, &pipe->cons, &pipe->prod), 0);
}

static void pattern(unsigned char *data, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (seed + i) * 167 + 13;
}

static void every_offset_and_length(void **state)
{
	enum { SIZE = 64 };
	unsigned char in[SIZE + 16], out[SIZE + 16];

	(void)state;
	for (unsigned int offset = 0; offset < SIZE; offset++) {
		for (unsigned int len = 0; len <= SIZE + 8; len++) {
			unsigned int fits = len < SIZE ? len : SIZE;
			struct pipe pipe;

			/* The index itself runs over in half of the cases. */
			pipe_make(&pipe, SIZE, offset - SIZE / 2);
			pattern(in, sizeof(in), offset * len);
			memset(out, 0xcc, sizeof(out));
			assert_int_equal(stream_writable(&pipe.writer), SIZE);
			assert_int_equal(stream_write(&pipe.writer, in, len), fits);
			assert_int_equal(stream_writable(&pipe.writer), SIZE - fits);
			assert_int_equal(pipe.prod, offset - SIZE / 2 + fits);
			assert_int_equal(stream_readable(&pipe.reader), fits);
			assert_int_equal(stream_read(&pipe.reader, out, sizeof(out)), fits);
			assert_int_equal(pipe.cons, pipe.prod);
			assert_memory_equal(out, in, fits);
			for (size_t i = fits; i < sizeof(out); i++)
				assert_int_equal(out[i], 0xcc);
			assert_int_equal(stream_read(&pipe.reader, out, sizeof(out)), 0);
			free(pipe.buf);
		}
	}
}

/* Private memory of any alignment: the copy is done in words where the shared side allows. */
static void every_alignment(void **state)
{
	unsigned char in[128], out[128];
	struct pipe pipe;

	(void)state;
	pipe_make(&pipe, 1024, 1000);
	for (unsigned int i = 0; i < 8 * 8 * 40; i++) {
		unsigned int from = i % 8, to = i / 8 % 8, len = 1 + i % 97;

		pattern(in, sizeof(in), i);
		assert_int_equal(stream_write(&pipe.writer, in + from, len), len);
		assert_int_equal(stream_read(&pipe.reader, out + to, len), len);
		assert_memory_equal(out + to, in + from, len);
	}
	free(pipe.buf);
}

/* More than fits: what went in comes out, in order, a part at a time. */
static void partial_transfers(void **state)
{
	static const unsigned int chunks[] = { 1, 7, 16, 500, 1023, 1024, 1025, 4096 };
	enum { TOTAL = 50000 };
	unsigned char *in = malloc(TOTAL), *out = malloc(TOTAL);

	(void)state;
	pattern(in, TOTAL, 1);
	for (size_t c = 0; c < sizeof(chunks) / sizeof(chunks[0]); c++) {
		unsigned int written = 0, taken = 0;
		struct pipe pipe;

		pipe_make(&pipe, 1024, -777u);
		while (taken < TOTAL) {
			unsigned int len = TOTAL - written;
			int n;

			n = stream_write(&pipe.writer, in + written, len < 900 ? len : 900);
			assert_true(n >= 0);
			written += n;
			len = TOTAL - taken;
			n = stream_read(&pipe.reader, out + taken,
					len < chunks[c] ? len : chunks[c]);
			assert_true(n > 0);
			taken += n;
		}
		assert_memory_equal(in, out, TOTAL);
		free(pipe.buf);
	}
	free(in);
	free(out);
}

static void full_stream(void **state)
{
	char data[1024] = { 1 };
	struct pipe pipe;

	(void)state;
	pipe_make(&pipe, 1024, 0);
	assert_int_equal(stream_write(&pipe.writer, data, 1024), 1024);
	assert_int_equal(stream_writable(&pipe.writer), 0);
	assert_int_equal(stream_write(&pipe.writer, data, 1), 0);
	assert_int_equal(pipe.prod, 1024);
	assert_int_equal(stream_read(&pipe.reader, data, 1), 1);
	assert_int_equal(stream_write(&pipe.writer, data, 1024), 1);
	assert_int_equal(stream_readable(&pipe.reader), 1024);
	free(pipe.buf);
}

/* Both ends of both directions of both pages, as guest and hypervisor hold them. */
#define BOTH_WAYS(page, to, to_cons, to_prod, from, from_cons, from_prod)                          \
	do {                                                                                       \
		struct stream_writer ask, answer;                                                  \
		struct stream_reader asked, answered;                                              \
		char data[8];                                                                      \
                                                                                                   \
		assert_int_equal(stream_writer_attach(&ask, (page)->to, sizeof((page)->to),        \
						      &(page)->to_cons, &(page)->to_prod),         \
				 0);                                                               \
		assert_int_equal(stream_reader_attach(&asked, (page)->to, sizeof((page)->to),      \
						      &(page)->to_cons, &(page)->to_prod),         \
				 0);                                                               \
		assert_int_equal(stream_writer_attach(&answer, (page)->from, sizeof((page)->from), \
						      &(page)->from_cons, &(page)->from_prod),     \
				 0);                                                               \
		assert_int_equal(stream_reader_attach(&answered, (page)->from,                     \
						      sizeof((page)->from), &(page)->from_cons,    \
						      &(page)->from_prod),                         \
				 0);                                                               \
		assert_int_equal(stream_write(&ask, "ping", 4), 4);                                \
		assert_int_equal(stream_write(&answer, "pong!", 5), 5);                            \
		assert_memory_equal((page)->to, "ping", 4);                                        \
		assert_memory_equal((page)->from, "pong!", 5);                                     \
		assert_int_equal((page)->to_prod, 4);                                              \
		assert_int_equal((page)->from_prod, 5);                                            \
		assert_int_equal(stream_read(&asked, data, sizeof(data)), 4);                      \
		assert_int_equal(stream_read(&answered, data, sizeof(data)), 5);                   \
		assert_int_equal((page)->to_cons, 4);                                              \
		assert_int_equal((page)->from_cons, 5);                                            \
	} while (0)

static void xenstore_page(void **state)
{
	struct xenstore_domain_interface *page = calloc(1, sizeof(*page));

	(void)state;
	BOTH_WAYS(page, req, req_cons, req_prod, rsp, rsp_cons, rsp_prod);
	free(page);
}

static void console_page(void **state)
{
	struct xencons_interface *page = calloc(1, sizeof(*page));

	(void)state;
	BOTH_WAYS(page, out, out_cons, out_prod, in, in_cons, in_prod);
	free(page);
}

/* A module loaded a second time finds the stream where the first load left it. */
static void taken_up_midway(void **state)
{
	struct stream_reader second;
	char data[16];
	struct pipe pipe;

	(void)state;
	pipe_make(&pipe, 1024, -4u);
	stream_write(&pipe.writer, "firstsecond", 11);
	assert_int_equal(stream_read(&pipe.reader, data, 5), 5);
	assert_int_equal(stream_reader_attach(&second, pipe.buf, 1024, &pipe.cons, &pipe.prod), 0);
	assert_int_equal(stream_read(&second, data, sizeof(data)), 6);
	assert_memory_equal(data, "second", 6);
	free(pipe.buf);
}

static void bad_sizes(void **state)
{
	static const size_t sizes[] = { 0, 3, 1000, 1023, 1025, 1ul << 31, SIZE_MAX };
	struct stream_reader reader;
	struct stream_writer writer;
	unsigned int cons = 0, prod = 0;
	char buf[1];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(stream_reader_attach(&reader, buf, sizes[i], &cons, &prod),
				 -EINVAL);
		assert_int_equal(stream_writer_attach(&writer, buf, sizes[i], &cons, &prod),
				 -EINVAL);
	}
}

static void hostile_writer(void **state)
{
	static const unsigned int jumps[] = { 1025, 4096, 0x7fffffff, 0x80000000, -1u, -1024u };
	char data[2048];
	struct pipe pipe;

	(void)state;
	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		struct stream_reader fresh;

		pipe_make(&pipe, 1024, -100u);
		pipe.prod += jumps[i];
		assert_int_equal(stream_reader_attach(&fresh, pipe.buf, 1024, &pipe.cons,
						      &pipe.prod),
				 -EPROTO);
		assert_int_equal(stream_read(&pipe.reader, data, sizeof(data)), -EPROTO);
		assert_int_equal(pipe.cons, -100u);
		/* Repenting does not help. */
		pipe.prod = pipe.cons;
		assert_int_equal(stream_readable(&pipe.reader), -EPROTO);
		assert_int_equal(stream_read(&pipe.reader, data, sizeof(data)), -EPROTO);
		free(pipe.buf);
	}
}

static void hostile_reader(void **state)
{
	static const unsigned int jumps[] = { 11, 12, 0x7fffffff, 0x80000000, -1015u, -2000u };
	char data[2048] = { 0 };
	struct pipe pipe;

	(void)state;
	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		struct stream_writer fresh;

		/* Ten bytes are written: the reader can be at most that far. */
		pipe_make(&pipe, 1024, -5u);
		assert_int_equal(stream_write(&pipe.writer, data, 10), 10);
		pipe.cons += jumps[i];
		assert_int_equal(stream_writer_attach(&fresh, pipe.buf, 1024, &pipe.cons,
						      &pipe.prod),
				 -EPROTO);
		assert_int_equal(stream_write(&pipe.writer, data, sizeof(data)), -EPROTO);
		assert_int_equal(pipe.prod, 5);
		pipe.cons = pipe.prod;
		assert_int_equal(stream_writable(&pipe.writer), -EPROTO);
		assert_int_equal(stream_write(&pipe.writer, data, 1), -EPROTO);
		free(pipe.buf);
	}
}

/* Our own index is private: what the peer writes there is never believed, and is overwritten. */
static void own_index_is_private(void **state)
{
	char data[16];
	struct pipe pipe;

	(void)state;
	pipe_make(&pipe, 1024, 0);
	assert_int_equal(stream_write(&pipe.writer, "abcdef", 6), 6);
	pipe.cons = 0xdeadbeef;
	assert_int_equal(stream_read(&pipe.reader, data, 3), 3);
	assert_memory_equal(data, "abc", 3);
	assert_int_equal(pipe.cons, 3);
	pipe.prod = 0xdeadbeef;
	assert_int_equal(stream_write(&pipe.writer, "g", 1), 1);
	assert_int_equal(pipe.prod, 7);
	assert_int_equal(stream_read(&pipe.reader, data, 16), 4);
	assert_memory_equal(data, "defg", 4);
	free(pipe.buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_offset_and_length), cmocka_unit_test(every_alignment),
		cmocka_unit_test(partial_transfers),	   cmocka_unit_test(full_stream),
		cmocka_unit_test(xenstore_page),	   cmocka_unit_test(console_page),
		cmocka_unit_test(taken_up_midway),	   cmocka_unit_test(bad_sizes),
		cmocka_unit_test(hostile_writer),	   cmocka_unit_test(hostile_reader),
		cmocka_unit_test(own_index_is_private),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
