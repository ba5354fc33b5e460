// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/blk/request.c: how the data of a request becomes segments, that a copy through bounce
 * pages loses nothing and shows nothing else, and how long a request may take.
 */
#include <kunit/test.h>

#include "guest/linux/blk/proto.c"
#include "guest/linux/blk/request.c"

#define MAX_SEGS 32

/* The kit and the rest of the driver are not part of this test. */
void paravane_evtchn_notify(struct paravane_evtchn *ch)
{
}

void paravane_gnttab_grant(grant_ref_t ref, domid_t domid, struct page *page, bool readonly)
{
}

bool vbd_slot_revoke(struct vbd_queue *q, struct vbd_slot *slot)
{
	return true;
}

static unsigned int fails;
static bool closing;

void vbd_disk_fail(struct vbd_disk *disk, const char *why)
{
	fails++;
}

bool paravane_front_is_closing(const struct paravane_front_dev *dev)
{
	return closing;
}

struct fixture {
	struct vbd_disk disk;
	struct vbd_queue q;
	struct vbd_slot slot;
	struct vbd_seg segs[MAX_SEGS];
	struct request rq;
	u8 *data;
};

static struct fixture *fixture(struct kunit *test, bool trusted)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->data = kunit_kzalloc(test, MAX_SEGS * PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->data);
	KUNIT_ASSERT_EQ(test, mempool_init_page_pool(&f->q.bounce, 1, 0), 0);
	f->disk.trusted = trusted;
	f->disk.max_segs = MAX_SEGS;
	f->q.disk = &f->disk;
	f->slot.segs = f->segs;
	return f;
}

static void fixture_end(struct fixture *f)
{
	if (f->rq.bio)
		bio_put(f->rq.bio);
	mempool_exit(&f->q.bounce);
}

/* A request for @count runs of @len bytes, each @stride bytes after the one before. */
static void request(struct kunit *test, struct fixture *f, enum req_op op, unsigned int start,
		    unsigned int count, unsigned int len, unsigned int stride)
{
	struct bio *bio = bio_alloc(NULL, count, op, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, bio);
	for (i = 0; i < count; i++) {
		u8 *at = f->data + start + i * stride;

		__bio_add_page(bio, virt_to_page(at), len, offset_in_page(at));
	}
	f->rq.cmd_flags = op;
	f->rq.bio = bio;
	f->rq.__data_len = bio->bi_iter.bi_size;
}

static void fill(struct fixture *f)
{
	unsigned int i;

	for (i = 0; i < MAX_SEGS * PAGE_SIZE; i++)
		f->data[i] = i * 167 + (i >> 8);
}

static void whole_pages(struct kunit *test)
{
	struct fixture *f = fixture(test, true);
	unsigned int i;

	request(test, f, REQ_OP_WRITE, 0, MAX_SEGS, PAGE_SIZE, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, vbd_map(&f->q, &f->slot, &f->rq), BLK_STS_OK);
	KUNIT_EXPECT_FALSE(test, f->slot.bounced);
	KUNIT_ASSERT_EQ(test, f->slot.nr_segs, MAX_SEGS);
	for (i = 0; i < MAX_SEGS; i++) {
		KUNIT_EXPECT_PTR_EQ(test, f->segs[i].page, virt_to_page(f->data + i * PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, f->segs[i].first, 0);
		KUNIT_EXPECT_EQ(test, f->segs[i].last, 7);
	}
	fixture_end(f);
}

/* Runs of one sector that follow each other are one segment per page. */
static void sectors_merge(struct kunit *test)
{
	struct fixture *f = fixture(test, true);

	request(test, f, REQ_OP_READ, 512, 15, 512, 512);
	KUNIT_ASSERT_EQ(test, vbd_map(&f->q, &f->slot, &f->rq), BLK_STS_OK);
	KUNIT_EXPECT_FALSE(test, f->slot.bounced);
	KUNIT_ASSERT_EQ(test, f->slot.nr_segs, 2);
	KUNIT_EXPECT_EQ(test, f->segs[0].first, 1);
	KUNIT_EXPECT_EQ(test, f->segs[0].last, 7);
	KUNIT_EXPECT_EQ(test, f->segs[1].first, 0);
	KUNIT_EXPECT_EQ(test, f->segs[1].last, 7);
	fixture_end(f);
}

static void check_bounce(struct kunit *test, struct fixture *f, unsigned int start,
			 unsigned int count, unsigned int len, unsigned int stride)
{
	unsigned int pos = 0;
	unsigned int i, j;

	for (i = 0; i < count; i++) {
		for (j = 0; j < len; j++, pos++) {
			const u8 *page = page_address(f->segs[pos / PAGE_SIZE].page);

			KUNIT_ASSERT_EQ(test, page[pos % PAGE_SIZE],
					f->data[start + i * stride + j]);
		}
	}
	/* The rest of the last page shows nothing. */
	for (; pos % PAGE_SIZE; pos++) {
		const u8 *page = page_address(f->segs[pos / PAGE_SIZE].page);

		KUNIT_ASSERT_EQ(test, page[pos % PAGE_SIZE], 0);
	}
}

/* Data that does not start with a sector is copied, in as few pages as possible. */
static void unaligned_write(struct kunit *test)
{
	struct fixture *f = fixture(test, true);

	fill(f);
	request(test, f, REQ_OP_WRITE, 100, 9, 1024, 2048);
	KUNIT_ASSERT_EQ(test, vbd_map(&f->q, &f->slot, &f->rq), BLK_STS_OK);
	KUNIT_ASSERT_TRUE(test, f->slot.bounced);
	KUNIT_ASSERT_EQ(test, f->slot.nr_segs, 3);
	KUNIT_EXPECT_EQ(test, f->segs[2].last, 1);
	check_bounce(test, f, 100, 9, 1024, 2048);
	vbd_bounce_free(&f->q, &f->slot);
	fixture_end(f);
}

/* An untrusted back end reads its data into cleared pages, from where it is copied back. */
static void untrusted_read(struct kunit *test)
{
	struct fixture *f = fixture(test, false);
	unsigned int i, j;

	fill(f);
	request(test, f, REQ_OP_READ, 512, 5, 1536, 4096);
	KUNIT_ASSERT_EQ(test, vbd_map(&f->q, &f->slot, &f->rq), BLK_STS_OK);
	KUNIT_ASSERT_TRUE(test, f->slot.bounced);
	KUNIT_ASSERT_EQ(test, f->slot.nr_segs, 2);
	for (i = 0; i < 2; i++) {
		u8 *page = page_address(f->segs[i].page);

		for (j = 0; j < PAGE_SIZE; j++)
			KUNIT_ASSERT_EQ(test, page[j], 0);
		memset(page, 0xa0 + i, PAGE_SIZE);
	}
	vbd_bounce_copy(&f->slot, &f->rq, false);
	for (i = 0; i < 5 * 1536; i++) {
		u8 got = f->data[512 + i / 1536 * 4096 + i % 1536];

		KUNIT_ASSERT_EQ(test, got, 0xa0 + i / PAGE_SIZE);
	}
	/* Neighbours are what they were. */
	KUNIT_EXPECT_EQ(test, f->data[511], (u8)(511 * 167 + 1));
	KUNIT_EXPECT_EQ(test, f->data[512 + 1536], (u8)(2048 * 167 + 8));
	vbd_bounce_free(&f->q, &f->slot);
	fixture_end(f);
}

/* A piece of a slab page is not granted: its neighbours are somebody else's. */
static void slab_memory(struct kunit *test)
{
	struct fixture *f = fixture(test, true);
	u8 *large = f->data;
	u8 *small = kunit_kzalloc(test, 2048, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, small);
	KUNIT_ASSERT_TRUE(test, PageSlab(virt_to_page(small)));
	f->data = small;
	memset(small, 0x5a, 2048);
	request(test, f, REQ_OP_WRITE, 512, 1, 1024, 0);
	KUNIT_ASSERT_EQ(test, vbd_map(&f->q, &f->slot, &f->rq), BLK_STS_OK);
	KUNIT_ASSERT_TRUE(test, f->slot.bounced);
	KUNIT_ASSERT_EQ(test, f->slot.nr_segs, 1);
	KUNIT_EXPECT_PTR_NE(test, f->segs[0].page, virt_to_page(small));
	KUNIT_EXPECT_EQ(test, f->segs[0].last, 1);
	check_bounce(test, f, 512, 1, 1024, 0);
	vbd_bounce_free(&f->q, &f->slot);
	bio_put(f->rq.bio);

	/* One such piece, and all of the request is copied. */
	f->data = large;
	request(test, f, REQ_OP_READ, 0, 2, PAGE_SIZE, PAGE_SIZE);
	f->rq.bio->bi_io_vec[1].bv_page = virt_to_page(small);
	f->rq.bio->bi_io_vec[1].bv_offset = offset_in_page(small);
	f->rq.bio->bi_io_vec[1].bv_len = 2048;
	f->rq.bio->bi_iter.bi_size -= 2048;
	f->rq.__data_len -= 2048;
	KUNIT_ASSERT_EQ(test, vbd_map(&f->q, &f->slot, &f->rq), BLK_STS_OK);
	KUNIT_EXPECT_TRUE(test, f->slot.bounced);
	vbd_bounce_free(&f->q, &f->slot);
	fixture_end(f);
}

/* The second page of an allocation that is not compound has no reference count. */
static void uncounted_page(struct kunit *test)
{
	struct fixture *f = fixture(test, true);
	u8 *data = f->data;

	f->data = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 1);
	KUNIT_ASSERT_NOT_NULL(test, f->data);
	request(test, f, REQ_OP_WRITE, 0, 1, PAGE_SIZE, 0);
	KUNIT_ASSERT_EQ(test, vbd_map(&f->q, &f->slot, &f->rq), BLK_STS_OK);
	KUNIT_EXPECT_FALSE(test, f->slot.bounced);
	bio_put(f->rq.bio);
	request(test, f, REQ_OP_WRITE, PAGE_SIZE, 1, PAGE_SIZE, 0);
	KUNIT_ASSERT_EQ(test, vbd_map(&f->q, &f->slot, &f->rq), BLK_STS_OK);
	KUNIT_EXPECT_TRUE(test, f->slot.bounced);
	vbd_bounce_free(&f->q, &f->slot);
	free_pages((unsigned long)f->data, 1);
	f->data = data;
	fixture_end(f);
}

/* Of a disk in use it is told, and one that is added fails; one that is to go at once. */
static void requests_that_take_long(struct kunit *test)
{
	static const struct {
		bool settling, added, closing;
		unsigned int seconds;
		bool stalls, fails;
	} waits[] = {
		{ false, true, false, 10, false, false }, { false, true, false, 30, true, false },
		{ true, false, false, 19, false, false }, { true, false, false, 20, false, true },
		{ true, false, true, 10, false, true },	  { true, true, false, 10, false, true },
	};
	struct fixture *f = fixture(test, true);
	struct paravane_front_dev dev = {};
	struct blk_mq_hw_ctx hctx = { .driver_data = &f->q };
	unsigned int i;

	f->disk.dev = &dev;
	f->q.slots = &f->slot;
	f->rq.mq_hctx = &hctx;
	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		fails = 0;
		closing = waits[i].closing;
		f->disk.stalled = false;
		f->disk.settling = waits[i].settling;
		f->disk.gd = waits[i].added ? (struct gendisk *)f : NULL;
		f->slot.since = jiffies - waits[i].seconds * HZ;
		KUNIT_EXPECT_EQ(test, vbd_timeout(&f->rq), BLK_EH_RESET_TIMER);
		KUNIT_EXPECT_EQ(test, f->disk.stalled, waits[i].stalls);
		KUNIT_EXPECT_EQ(test, fails, waits[i].fails);
	}
	fixture_end(f);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(whole_pages),
	KUNIT_CASE(sectors_merge),
	KUNIT_CASE(unaligned_write),
	KUNIT_CASE(untrusted_read),
	KUNIT_CASE(slab_memory),
	KUNIT_CASE(uncounted_page),
	KUNIT_CASE(requests_that_take_long),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_blk_request",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
