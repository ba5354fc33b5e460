// SPDX-License-Identifier: GPL-2.0-or-later
/* The real block back end, in front of it a front end that does anything it likes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hv/back_blk.h"
#include "tests/unit/fake_guest.h"

#define VDEV 51712
#define RING_REF 1
#define PORT 2
#define DATA 16 /* first of the data pages */
#define DATA_PAGES 64 /* 8 for each of 8 requests */
#define READ_ONLY (DATA + DATA_PAGES)
#define NOT_GRANTED (READ_ONLY + 1)

#define SECTORS 4096u

static char image[] = "/tmp/paravane-blk-XXXXXX";
static struct backend_bus *bus;
static struct ring_front front;
static uint8_t expected[SECTORS * BLK_SECTOR];

static void fill(void *buf, size_t n, unsigned int seed)
{
	uint8_t *p = buf;

	while (n--) {
		seed = seed * 1103515245 + 12345;
		*p++ = seed >> 16;
	}
}

static int group_setup(void **state)
{
	int fd = mkstemp(image);

	(void)state;
	return fd < 0 || chdir("/tmp") ? -1 : close(fd);
}

static int group_teardown(void **state)
{
	(void)state;
	return unlink(image);
}

static void write_image(void)
{
	int fd = open(image, O_WRONLY | O_TRUNC);

	fill(expected, sizeof(expected), 1);
	assert_int_equal(write(fd, expected, sizeof(expected)), sizeof(expected));
	close(fd);
}

static int setup_as(void **state, bool readonly)
{
	unsigned int i;

	if (fake_setup(state))
		return -1;
	write_image();
	fake->config.disk[0] = (struct disk_config){ .path = image + strlen("/tmp/"),
						     .readonly = readonly,
						     .vdev = VDEV,
						     .vdev_name = "xvda" };
	fake->config.nr_disks = 1;
	fake->grant[RING_REF] = GRANT_WRITE;
	for (i = 0; i < DATA_PAGES; i++)
		fake->grant[DATA + i] = GRANT_WRITE;
	fake->grant[READ_ONLY] = GRANT_READ;
	assert_int_equal(backends_open(&fake->config, &bus), 0);
	return backends_start(&fake->domain, bus);
}

static int setup(void **state)
{
	return setup_as(state, false);
}

static int setup_readonly(void **state)
{
	return setup_as(state, true);
}

static int teardown(void **state)
{
	backends_destroy(bus);
	return fake_teardown(state);
}

static void connect_disk(void)
{
	fake_wait_back("vbd", VDEV, 2);
	ring_front_init(&front, fake->page[RING_REF], PAGE_SIZE, RING_FORMAT(blkif));
	fake_write("vbd", VDEV, "ring-ref", "%u", RING_REF);
	fake_write("vbd", VDEV, "event-channel", "%u", PORT);
	fake_write("vbd", VDEV, "protocol", "x86_64-abi");
	fake_state("vbd", VDEV, 3);
	fake_wait_back("vbd", VDEV, 4);
	fake_state("vbd", VDEV, 4);
}

static bool answered(void *arg)
{
	(void)arg;
	return ring_unconsumed_responses(&front) != 0;
}

static void put(const void *req)
{
	assert_int_equal(ring_front_put(&front, req, sizeof(struct blkif_request)), 0);
}

static void push(void)
{
	if (ring_push_requests(&front))
		fake_send(PORT);
}

static struct blkif_response get(void)
{
	struct blkif_response rsp;

	if (ring_final_check_responses(&front) == 0)
		fake_wait(answered, NULL, "response");
	assert_int_equal(ring_copy_response(&front, &rsp), 0);
	return rsp;
}

/* One request: its answer must carry its id and operation and say @status. */
static void expect(const struct blkif_request *req, uint64_t id, int status)
{
	struct blkif_response rsp;
	static const uint8_t zero[sizeof(rsp)];

	put(req);
	push();
	rsp = get();
	assert_int_equal(rsp.id, id);
	/* An indirect request is answered with the operation inside, as Linux's front end expects. */
	assert_int_equal(rsp.operation,
			 req->operation == BLKIF_OP_INDIRECT ? req->nr_segments : req->operation);
	assert_int_equal(rsp.status, status);
	/* Nothing of ours may leak through the padding. */
	assert_memory_equal((char *)&rsp + 9, zero, offsetof(struct blkif_response, status) - 9);
	assert_memory_equal((char *)&rsp + offsetof(struct blkif_response, status) + 2, zero,
			    sizeof(rsp) - offsetof(struct blkif_response, status) - 2);
}

static struct blkif_request rw(uint8_t op, uint64_t id, uint64_t sector, unsigned int nr)
{
	struct blkif_request req;
	unsigned int i;

	memset(&req, 0xa5, sizeof(req));
	req.operation = op;
	req.nr_segments = nr;
	req.handle = VDEV;
	req.id = id;
	req.sector_number = sector;
	for (i = 0; i < nr && i < BLKIF_MAX_SEGMENTS_PER_REQUEST; i++)
		req.seg[i] = (struct blkif_request_segment){ DATA + i, 0, 7 };
	return req;
}

static void check_image(void)
{
	static uint8_t found[sizeof(expected)];
	int fd = open(image, O_RDONLY);

	assert_int_equal(pread(fd, found, sizeof(found), 0), sizeof(found));
	close(fd);
	assert_memory_equal(found, expected, sizeof(expected));
}

static void test_properties(void **state)
{
	char *params, path[] = "/local/domain/0/backend/vbd/1/51712/params";

	(void)state;
	connect_disk();
	assert_int_equal(xst_read(fake->conn, XST_NO_TX, path, &params, NULL), 0);
	assert_string_equal(params, image);
	free(params);
	assert_int_equal(fake_back_read("vbd", VDEV, "sectors"), SECTORS);
	assert_int_equal(fake_back_read("vbd", VDEV, "sector-size"), 512);
	assert_int_equal(fake_back_read("vbd", VDEV, "info"), 0);
	assert_int_equal(fake_back_read("vbd", VDEV, "feature-flush-cache"), 1);
	assert_int_equal(fake_back_read("vbd", VDEV, "virtual-device"), VDEV);
	assert_int_equal(fake_back_read("vbd", VDEV, "max-ring-page-order"), -1);
}

static void test_read(void **state)
{
	struct blkif_request req = rw(BLKIF_OP_READ, 77, 100, 11);

	(void)state;
	connect_disk();
	expect(&req, 77, BLKIF_RSP_OKAY);
	assert_memory_equal(fake->page[DATA], expected + 100 * 512, 11 * PAGE_SIZE);

	/* Parts of pages, backwards, one page twice. */
	req = rw(BLKIF_OP_READ, 78, SECTORS - 8, 4);
	req.seg[0] = (struct blkif_request_segment){ DATA + 3, 5, 7 };
	req.seg[1] = (struct blkif_request_segment){ DATA + 2, 0, 0 };
	req.seg[2] = (struct blkif_request_segment){ DATA + 3, 0, 2 };
	req.seg[3] = (struct blkif_request_segment){ DATA + 1, 7, 7 };
	expect(&req, 78, BLKIF_RSP_OKAY);
	assert_memory_equal(fake->page[DATA + 3] + 5 * 512, expected + (SECTORS - 8) * 512,
			    3 * 512);
	assert_memory_equal(fake->page[DATA + 2], expected + (SECTORS - 5) * 512, 512);
	assert_memory_equal(fake->page[DATA + 3], expected + (SECTORS - 4) * 512, 3 * 512);
	assert_memory_equal(fake->page[DATA + 1] + 7 * 512, expected + (SECTORS - 1) * 512, 512);
	assert_int_equal(fake_in_use(), 2); /* ring and port */
}

static void test_write_flush(void **state)
{
	struct blkif_request req = rw(BLKIF_OP_WRITE, 1, 0, 8);

	(void)state;
	connect_disk();
	fill(fake->page[DATA], 8 * PAGE_SIZE, 99);
	memcpy(expected, fake->page[DATA], 8 * PAGE_SIZE);
	expect(&req, 1, BLKIF_RSP_OKAY);
	/* To be written a page may be granted for reading only. */
	req = rw(BLKIF_OP_WRITE, 2, 100, 1);
	req.seg[0].gref = READ_ONLY;
	fill(fake->page[READ_ONLY], PAGE_SIZE, 98);
	memcpy(expected + 100 * 512, fake->page[READ_ONLY], PAGE_SIZE);
	expect(&req, 2, BLKIF_RSP_OKAY);
	req = rw(BLKIF_OP_FLUSH_DISKCACHE, 3, 0, 0);
	expect(&req, 3, BLKIF_RSP_OKAY);
	/* A flush that carries data. */
	req = rw(BLKIF_OP_FLUSH_DISKCACHE, 4, 64, 2);
	memcpy(expected + 64 * 512, fake->page[DATA], 2 * PAGE_SIZE);
	expect(&req, 4, BLKIF_RSP_OKAY);
	check_image();
}

static void test_discard(void **state)
{
	struct blkif_request_discard d = {
		.operation = BLKIF_OP_DISCARD, .id = 5, .sector_number = 800, .nr_sectors = 80
	};
	struct blkif_request req = { 0 };

	(void)state;
	connect_disk();
	if (fake_back_read("vbd", VDEV, "feature-discard") != 1)
		skip();
	memcpy(&req, &d, sizeof(d));
	expect(&req, 5, BLKIF_RSP_OKAY);
	memset(expected + 800 * 512, 0, 80 * 512);
	check_image();
}

static struct blkif_request indirect(uint64_t id, uint8_t op, uint64_t sector, unsigned int nr,
				     grant_ref_t table)
{
	struct blkif_request_indirect ind = { .operation = BLKIF_OP_INDIRECT,
					      .indirect_op = op,
					      .nr_segments = nr,
					      .id = id,
					      .sector_number = sector,
					      .indirect_grefs[0] = table };
	struct blkif_request req = { 0 };

	memcpy(&req, &ind, sizeof(ind));
	return req;
}

static void test_indirect(void **state)
{
	const grant_ref_t table = DATA + DATA_PAGES - 1;
	struct blkif_request_segment *seg = (void *)fake->page[table];
	struct blkif_request req;
	unsigned int i;

	(void)state;
	connect_disk();
	assert_int_equal(fake_back_read("vbd", VDEV, "feature-max-indirect-segments"), 32);
	for (i = 0; i < 32; i++)
		seg[i] = (struct blkif_request_segment){ DATA + 31 - i, 0, 7 };
	req = indirect(0x123456789abcdef0, BLKIF_OP_READ, 512, 32, table);
	expect(&req, 0x123456789abcdef0, BLKIF_RSP_OKAY);
	for (i = 0; i < 32; i++)
		assert_memory_equal(fake->page[DATA + 31 - i], expected + 512 * 512 + i * PAGE_SIZE,
				    PAGE_SIZE);
	req = indirect(9, BLKIF_OP_WRITE, 0, 32, table);
	expect(&req, 9, BLKIF_RSP_OKAY);
	memmove(expected, expected + 512 * 512, 32 * PAGE_SIZE);
	check_image();

	req = indirect(10, BLKIF_OP_READ, 0, 33, table);
	expect(&req, 10, BLKIF_RSP_ERROR);
	req = indirect(11, BLKIF_OP_READ, 0, 0, table);
	expect(&req, 11, BLKIF_RSP_ERROR);
	req = indirect(12, BLKIF_OP_READ, 0, 65535, table);
	expect(&req, 12, BLKIF_RSP_ERROR);
	req = indirect(13, BLKIF_OP_READ, 0, 1, NOT_GRANTED);
	expect(&req, 13, BLKIF_RSP_ERROR);
	req = indirect(14, BLKIF_OP_FLUSH_DISKCACHE, 0, 1, table);
	expect(&req, 14, BLKIF_RSP_EOPNOTSUPP);
	req = indirect(15, BLKIF_OP_INDIRECT, 0, 1, table);
	expect(&req, 15, BLKIF_RSP_EOPNOTSUPP);
	req = indirect(16, BLKIF_OP_READ, SECTORS - 255, 32, table);
	expect(&req, 16, BLKIF_RSP_ERROR);
	seg[31].last_sect = 8;
	req = indirect(17, BLKIF_OP_READ, 0, 32, table);
	expect(&req, 17, BLKIF_RSP_ERROR);
	assert_int_equal(fake_in_use(), 2);
}

/* Each wrong in one way; the disk must not change and the next request must work. */
static const struct {
	const char *what;
	uint8_t op;
	unsigned int nr;
	uint64_t sector;
	struct blkif_request_segment last;
	int status;
} malformed[] = {
	{ "no segments", BLKIF_OP_READ, 0, 0, { DATA, 0, 7 }, BLKIF_RSP_ERROR },
	{ "no segments", BLKIF_OP_WRITE, 0, 0, { DATA, 0, 7 }, BLKIF_RSP_ERROR },
	{ "12 segments", BLKIF_OP_READ, 12, 0, { DATA, 0, 7 }, BLKIF_RSP_ERROR },
	{ "255 segments", BLKIF_OP_WRITE, 255, 0, { DATA, 0, 7 }, BLKIF_RSP_ERROR },
	{ "12 in a flush", BLKIF_OP_FLUSH_DISKCACHE, 12, 0, { DATA, 0, 7 }, BLKIF_RSP_ERROR },
	{ "last sector 8", BLKIF_OP_WRITE, 1, 0, { DATA, 0, 8 }, BLKIF_RSP_ERROR },
	{ "last sector 255", BLKIF_OP_READ, 1, 0, { DATA, 0, 255 }, BLKIF_RSP_ERROR },
	{ "both beyond", BLKIF_OP_READ, 1, 0, { DATA, 200, 250 }, BLKIF_RSP_ERROR },
	{ "first after last", BLKIF_OP_WRITE, 2, 0, { DATA, 5, 4 }, BLKIF_RSP_ERROR },
	{ "behind the end", BLKIF_OP_READ, 1, SECTORS, { DATA, 0, 0 }, BLKIF_RSP_ERROR },
	{ "over the end", BLKIF_OP_WRITE, 1, SECTORS - 7, { DATA, 0, 7 }, BLKIF_RSP_ERROR },
	{ "over the end", BLKIF_OP_WRITE, 11, SECTORS - 81, { DATA, 0, 1 }, BLKIF_RSP_ERROR },
	{ "far away", BLKIF_OP_READ, 1, UINT64_MAX, { DATA, 0, 0 }, BLKIF_RSP_ERROR },
	{ "overflow", BLKIF_OP_WRITE, 1, UINT64_MAX - 6, { DATA, 0, 7 }, BLKIF_RSP_ERROR },
	{ "byte overflow", BLKIF_OP_WRITE, 1, 1ULL << 55, { DATA, 0, 7 }, BLKIF_RSP_ERROR },
	{ "not granted", BLKIF_OP_READ, 3, 0, { NOT_GRANTED, 0, 7 }, BLKIF_RSP_ERROR },
	{ "wild reference", BLKIF_OP_WRITE, 1, 0, { UINT32_MAX, 0, 7 }, BLKIF_RSP_ERROR },
	{ "read-only page", BLKIF_OP_READ, 1, 0, { READ_ONLY, 0, 7 }, BLKIF_RSP_ERROR },
	{ "barrier", BLKIF_OP_WRITE_BARRIER, 1, 0, { DATA, 0, 7 }, BLKIF_RSP_EOPNOTSUPP },
	{ "reserved", BLKIF_OP_RESERVED_1, 1, 0, { DATA, 0, 7 }, BLKIF_RSP_EOPNOTSUPP },
	{ "unknown", 7, 1, 0, { DATA, 0, 7 }, BLKIF_RSP_EOPNOTSUPP },
	{ "unknown", 255, 255, 0, { DATA, 0, 7 }, BLKIF_RSP_EOPNOTSUPP },
};

static void test_malformed(void **state)
{
	struct blkif_request good = rw(BLKIF_OP_READ, 1, 8, 1);
	unsigned int i;

	(void)state;
	connect_disk();
	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		struct blkif_request req =
			rw(malformed[i].op, ~0ULL - i, malformed[i].sector, malformed[i].nr);
		unsigned int last = malformed[i].nr - 1;

		if (last < BLKIF_MAX_SEGMENTS_PER_REQUEST)
			req.seg[last] = malformed[i].last;
		expect(&req, ~0ULL - i, malformed[i].status);
		assert_int_equal(fake_in_use(), 2);
		expect(&good, 1, BLKIF_RSP_OKAY);
	}
	check_image();
}

static void test_malformed_discard(void **state)
{
	static const struct {
		uint64_t sector, nr;
	} bad[] = {
		{ 0, 0 },	    { SECTORS, 1 },
		{ 0, SECTORS + 1 }, { UINT64_MAX, 1 },
		{ 1, UINT64_MAX },  { 8, UINT64_MAX - 7 },
		{ 1ULL << 55, 1 },  { SECTORS - 1, 1ULL << 55 },
	};
	unsigned int i;

	(void)state;
	connect_disk();
	if (fake_back_read("vbd", VDEV, "feature-discard") != 1)
		skip();
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct blkif_request_discard d = { .operation = BLKIF_OP_DISCARD,
						   .id = i,
						   .sector_number = bad[i].sector,
						   .nr_sectors = bad[i].nr };
		struct blkif_request req = { 0 };

		memcpy(&req, &d, sizeof(d));
		expect(&req, i, BLKIF_RSP_ERROR);
	}
	check_image();
}

static void test_readonly(void **state)
{
	struct blkif_request_discard d = { .operation = BLKIF_OP_DISCARD, .nr_sectors = 8 };
	struct blkif_request req = { 0 };

	(void)state;
	connect_disk();
	assert_int_equal(fake_back_read("vbd", VDEV, "info"), VDISK_READONLY);
	memcpy(&req, &d, sizeof(d));
	expect(&req, 0, BLKIF_RSP_ERROR);
	req = rw(BLKIF_OP_WRITE, 3, 0, 1);
	expect(&req, 3, BLKIF_RSP_ERROR);
	req = rw(BLKIF_OP_FLUSH_DISKCACHE, 3, 0, 1);
	expect(&req, 3, BLKIF_RSP_ERROR);
	req = rw(BLKIF_OP_FLUSH_DISKCACHE, 3, 0, 0);
	expect(&req, 3, BLKIF_RSP_OKAY);
	req = rw(BLKIF_OP_READ, 4, 0, 1);
	expect(&req, 4, BLKIF_RSP_OKAY);
	check_image();
}

/* The image became smaller under our feet. */
static void test_short_image(void **state)
{
	struct blkif_request req = rw(BLKIF_OP_READ, 1, 0, 8);

	(void)state;
	connect_disk();
	assert_int_equal(truncate(image, 3 * PAGE_SIZE + 100), 0);
	expect(&req, 1, BLKIF_RSP_ERROR);
	req = rw(BLKIF_OP_READ, 2, 16, 1);
	expect(&req, 2, BLKIF_RSP_OKAY);
}

/* Many at once: each answered exactly once, in any order. */
static void test_batch(void **state)
{
	unsigned int round, i, nr;

	(void)state;
	connect_disk();
	nr = ring_front_size(&front);
	for (round = 0; round < 50; round++) {
		uint64_t seen = 0;

		for (i = 0; i < nr; i++) {
			struct blkif_request req =
				rw(i % 3 ? BLKIF_OP_READ : BLKIF_OP_WRITE, i, i * 8, 1);

			if (i % 7 == 6)
				req.operation = 99;
			req.seg[0].gref = DATA + i;
			if (!(i % 3))
				memcpy(fake->page[DATA + i], expected + i * PAGE_SIZE, PAGE_SIZE);
			put(&req);
		}
		push();
		for (i = 0; i < nr; i++) {
			struct blkif_response rsp = get();

			assert_true(rsp.id < nr && !(seen >> rsp.id & 1));
			seen |= 1ULL << rsp.id;
			assert_int_equal(rsp.status,
					 rsp.id % 7 == 6 ? BLKIF_RSP_EOPNOTSUPP : BLKIF_RSP_OKAY);
		}
		assert_int_equal(ring_unconsumed_responses(&front), 0);
	}
	check_image();
}

static void test_producer_jump(void **state)
{
	static const uint32_t jump[] = { 33, 0x80000000, UINT32_MAX };
	struct ring_shared *shared = (void *)fake->page[RING_REF];
	struct blkif_request req = rw(BLKIF_OP_READ, 1, 8, 1);
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(jump); i++) {
		connect_disk();
		expect(&req, 1, BLKIF_RSP_OKAY);
		__atomic_fetch_add(&shared->req_prod, jump[i], __ATOMIC_RELEASE);
		fake_send(PORT);
		fake_wait_back("vbd", VDEV, 6);
		assert_true(fake_has_error("vbd", VDEV));
		assert_int_equal(fake_in_use(), 0);
		fake_state("vbd", VDEV, 6);
		fake_state("vbd", VDEV, 1);
	}
	connect_disk();
	expect(&req, 1, BLKIF_RSP_OKAY);
}

static void test_wrong_protocol(void **state)
{
	(void)state;
	fake_write("vbd", VDEV, "protocol", "x86_32-abi");
	fake_write("vbd", VDEV, "ring-ref", "%u", RING_REF);
	fake_write("vbd", VDEV, "event-channel", "%u", PORT);
	fake_state("vbd", VDEV, 3);
	fake_wait_back("vbd", VDEV, 6);
}

/* Closed with everything in flight. */
static void test_close_busy(void **state)
{
	unsigned int round, i;

	(void)state;
	for (round = 0; round < 100; round++) {
		connect_disk();
		for (i = 0; i < 32; i++) {
			const bool flush = i & 1;
			struct blkif_request req = rw(
				flush ? BLKIF_OP_FLUSH_DISKCACHE : BLKIF_OP_READ, i, i * 8, !flush);

			put(&req);
		}
		push();
		fake_state("vbd", VDEV, 5);
		fake_wait_back("vbd", VDEV, 5);
		assert_int_equal(fake_in_use(), 0);
		fake_state("vbd", VDEV, 6);
		fake_state("vbd", VDEV, 1);
	}
	check_image();
}

static int try_open(const char *path, bool readonly, struct backend_bus **other)
{
	struct config config = { .nr_disks = 1 };

	config.disk[0] = (struct disk_config){ .path = (char *)path, .readonly = readonly };
	return backends_open(&config, other);
}

static void test_lock(void **state)
{
	struct backend_bus *other;

	(void)state;
	assert_int_equal(try_open(image, false, &other), -EBUSY);
	assert_int_equal(try_open(image, true, &other), -EBUSY);
}

static void test_lock_readers(void **state)
{
	struct backend_bus *other;

	(void)state;
	assert_int_equal(try_open(image, false, &other), -EBUSY);
	assert_int_equal(try_open(image, true, &other), 0);
	backends_destroy(other);
}

static void test_bad_images(void **state)
{
	static char empty[] = "/tmp/paravane-empty-XXXXXX";
	struct backend_bus *other;
	int fd = mkstemp(empty);

	(void)state;
	close(fd);
	assert_int_equal(try_open("/nonexistent/disk", false, &other), -ENOENT);
	assert_int_equal(try_open("/tmp", false, &other), -EISDIR);
	assert_int_equal(try_open("/dev/null", false, &other), -EINVAL);
	assert_int_equal(try_open(empty, false, &other), -EINVAL);
	unlink(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_properties, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_flush, setup, teardown),
		cmocka_unit_test_setup_teardown(test_discard, setup, teardown),
		cmocka_unit_test_setup_teardown(test_indirect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed_discard, setup, teardown),
		cmocka_unit_test_setup_teardown(test_readonly, setup_readonly, teardown),
		cmocka_unit_test_setup_teardown(test_short_image, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_producer_jump, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_protocol, setup, teardown),
		cmocka_unit_test_setup_teardown(test_close_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock_readers, setup_readonly, teardown),
		cmocka_unit_test(test_bad_images),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
