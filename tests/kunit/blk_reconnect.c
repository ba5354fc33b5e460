// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block front end when its back end goes, and another comes, or none.
 */
#include "tests/kunit/blk_back.c"

/* A request that is not waited for. */
struct pending {
	struct bio *bio;
	struct completion done;
};

static void begin(struct kunit *test, struct pending *p, u8 *page, unsigned int nr)
{
	struct vbd_disk *disk = dev_get_drvdata(&back.dev.dev);
	blk_opf_t op = REQ_OP_WRITE | (page ? REQ_NOMERGE : REQ_PREFLUSH);

	p->bio = bio_alloc(disk->gd->part0, !!page, op, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p->bio);
	init_completion(&p->done);
	p->bio->bi_private = &p->done;
	p->bio->bi_end_io = end_io;
	p->bio->bi_iter.bi_sector = nr * PAGE_SECTORS;
	if (page)
		__bio_add_page(p->bio, virt_to_page(page), PAGE_SIZE, 0);
	submit_bio(p->bio);
}

static blk_status_t ended(struct kunit *test, struct pending *p)
{
	blk_status_t status;

	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&p->done, 5 * HZ), 0);
	status = p->bio->bi_status;
	bio_put(p->bio);
	return status;
}

#define MANY 40u

static struct pending pending[MANY + 2];
static u8 *pages;

/* Many writes and a flush, and a back end that has taken them, but leaves them unanswered. */
static void begin_many(struct kunit *test, bool is_trusted)
{
	unsigned int i, tries = 0;

	attach(test, is_trusted);
	/* The partition table was read. */
	back.requests = 0;
	back.sin = SILENCE;
	pages = (void *)__get_free_pages(GFP_KERNEL | __GFP_COMP, 6);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	for (i = 0; i < MANY; i++) {
		memset(pages + i * PAGE_SIZE, 'a' + i, PAGE_SIZE);
		begin(test, &pending[i], pages + i * PAGE_SIZE, i);
	}
	begin(test, &pending[MANY], NULL, 0);
	while (READ_ONCE(back.requests) <= MANY && tries++ < 100)
		msleep(20);
	KUNIT_ASSERT_EQ(test, back.requests, MANY + 1);
}

static void lose_back_end(struct kunit *test)
{
	unsigned int i;

	back.drv->hold(&back.dev, 0);
	back.drv->disconnect(&back.dev);
	for (i = 0; i < MAX_GRANTS; i++)
		if (back.granted[i])
			break;
	KUNIT_EXPECT_EQ(test, i, MAX_GRANTS);
	for (i = 0; i <= MANY; i++)
		KUNIT_EXPECT_FALSE(test, completion_done(&pending[i].done));
}

static int find_back_end(void)
{
	int err;

	back.sin = NONE;
	back.requests = 0;
	err = back.drv->connect(&back.dev);
	if (!err)
		err = back.drv->publish(&back.dev, &paravane_xs_no_tx);
	if (!err)
		err = back.drv->connected(&back.dev);
	return err;
}

static void end_many(struct kunit *test)
{
	detach(test);
	free_pages((unsigned long)pages, 6);
}

/*
 * A back end that comes back gets each request again, also through a ring in which they do not all
 * have room, and with it what was asked meanwhile.
 */
static void survives(struct kunit *test, bool is_trusted, unsigned int order)
{
	unsigned int i;

	begin_many(test, is_trusted);
	lose_back_end(test);
	begin(test, &pending[MANY + 1], pages, MANY + 1);
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&pending[MANY + 1].done, HZ / 10), 0);
	back.order = order;
	KUNIT_ASSERT_EQ(test, find_back_end(), 0);
	for (i = 0; i < MANY + 2; i++)
		KUNIT_EXPECT_EQ(test, ended(test, &pending[i]), BLK_STS_OK);
	KUNIT_EXPECT_EQ(test, back.requests, MANY + 2);
	KUNIT_EXPECT_EQ(test, memcmp(back.disk, pages, MANY * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, memcmp(back.disk + (MANY + 1) * PAGE_SIZE, pages, PAGE_SIZE), 0);
	KUNIT_EXPECT_FALSE(test, back.dead);
	end_many(test);
}

static void requests_survive_the_back_end(struct kunit *test)
{
	survives(test, true, 1);
	survives(test, false, 1);
	survives(test, true, 0);
}

static bool deaf(void *data)
{
	return false;
}

/* A request whose answer nobody has looked at, then another back end; returns what that is asked. */
static unsigned int answered(struct kunit *test, bool lost)
{
	struct pending write;
	unsigned int tries = 0;
	unsigned int again;

	attach(test, true);
	pages = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	back.requests = 0;
	back.fn = deaf;
	begin(test, &write, pages, 1);
	while (!READ_ONCE(back.requests) && tries++ < 100)
		msleep(20);
	flush_work(&back.work);
	KUNIT_EXPECT_EQ(test, back.requests, 1);
	KUNIT_EXPECT_FALSE(test, completion_done(&write.done));
	back.lost = lost;
	back.drv->hold(&back.dev, 0);
	back.drv->disconnect(&back.dev);
	back.lost = false;
	KUNIT_ASSERT_EQ(test, find_back_end(), 0);
	KUNIT_EXPECT_EQ(test, ended(test, &write), BLK_STS_OK);
	again = back.requests;
	detach(test);
	free_page((unsigned long)pages);
	return again;
}

/* What it has answered before it went is not asked again. */
static void answered_requests_are_done(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, answered(test, false), 0);
}

/* Unless it is the machine that went: the answer may have come with it, and the data not. */
static void answers_of_another_domain(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, answered(test, true), 1);
}

/* With nothing coming after it the disk ends, and all that was waiting. */
static void dropped(struct kunit *test)
{
	unsigned int i;

	begin_many(test, true);
	lose_back_end(test);
	back.drv->drop(&back.dev);
	for (i = 0; i <= MANY; i++)
		KUNIT_EXPECT_EQ(test, ended(test, &pending[i]), BLK_STS_IOERR);
	end_many(test);
}

static void lesser_back_end(struct kunit *test)
{
	unsigned int i;

	begin_many(test, true);
	lose_back_end(test);
	back.segs = 0;
	KUNIT_EXPECT_EQ(test, find_back_end(), -EOPNOTSUPP);
	back.segs = 32;
	KUNIT_EXPECT_EQ(test, find_back_end(), 0);
	for (i = 0; i <= MANY; i++)
		KUNIT_EXPECT_EQ(test, ended(test, &pending[i]), BLK_STS_OK);
	end_many(test);
}

/* A connection that lasts after all: what is under way ends, what comes later waits. */
static void hold_with_patience(struct kunit *test)
{
	struct vbd_disk *disk = attach(test, true);
	struct pending write;
	unsigned int tries = 0;

	pages = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	back.requests = 0;
	begin(test, &write, pages, 1);
	/* A scheduler may take its time. */
	while (!READ_ONCE(back.requests) && tries++ < 100)
		msleep(20);
	back.drv->hold(&back.dev, 5 * HZ);
	KUNIT_EXPECT_FALSE(test, vbd_is_busy(disk));
	KUNIT_EXPECT_EQ(test, ended(test, &write), BLK_STS_OK);
	begin(test, &write, pages, 1);
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&write.done, HZ / 10), 0);
	KUNIT_EXPECT_EQ(test, back.drv->connected(&back.dev), 0);
	KUNIT_EXPECT_EQ(test, ended(test, &write), BLK_STS_OK);
	detach(test);
	free_page((unsigned long)pages);
}

/* A disk in use is closed when the last file is, but only for the back end that asked for it. */
static void close_that_was_put_off(struct kunit *test)
{
	struct vbd_disk *disk = attach(test, true);
	struct block_device *bdev;
	unsigned int again;

	for (again = 0; again < 2; again++) {
		bdev = blkdev_get_by_dev(disk_devt(disk->gd), FMODE_READ, NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(bdev));
		KUNIT_EXPECT_EQ(test, back.drv->closing(&back.dev, false), -EBUSY);
		if (!again) {
			back.drv->hold(&back.dev, 0);
			back.drv->disconnect(&back.dev);
			KUNIT_ASSERT_EQ(test, find_back_end(), 0);
		}
		blkdev_put(bdev, FMODE_READ);
		KUNIT_EXPECT_EQ(test, back.closes, again);
	}
	detach(test);
}

/* Limits are left alone while requests are held, but for a cache that is new. */
static void limits_of_another_back_end(struct kunit *test)
{
	static const struct {
		bool cache;
		unsigned int risks;
	} others[] = { { true, 0 }, { false, 0 }, { false, 0 }, { true, 1 } };
	struct vbd_disk *disk = attach(test, true);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		back.drv->hold(&back.dev, 0);
		back.drv->disconnect(&back.dev);
		back.odd = "feature-flush-cache";
		back.odd_value = others[i].cache;
		risks = 0;
		KUNIT_ASSERT_EQ(test, find_back_end(), 0);
		flush_work(&disk->limits_work);
		KUNIT_EXPECT_EQ(test, risks, others[i].risks);
		KUNIT_EXPECT_EQ(test, compat_disk_has_write_cache(disk->gd), others[i].cache);
	}
	detach(test);
}

/* A store that does not answer costs no data: the back end works all the same. */
static void close_with_a_slow_store(struct kunit *test)
{
	struct vbd_disk *disk = attach(test, true);
	struct block_device *bdev = blkdev_get_by_dev(disk_devt(disk->gd), FMODE_READ, NULL);

	KUNIT_ASSERT_FALSE(test, IS_ERR(bdev));
	back.slow_store = true;
	KUNIT_EXPECT_EQ(test, back.drv->closing(&back.dev, false), -EBUSY);
	KUNIT_EXPECT_TRUE(test, disk_live(disk->gd));
	blkdev_put(bdev, FMODE_READ);
	detach(test);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(requests_survive_the_back_end),
	KUNIT_CASE(answered_requests_are_done),
	KUNIT_CASE(answers_of_another_domain),
	KUNIT_CASE(dropped),
	KUNIT_CASE(lesser_back_end),
	KUNIT_CASE(hold_with_patience),
	KUNIT_CASE(close_that_was_put_off),
	KUNIT_CASE(limits_of_another_back_end),
	KUNIT_CASE(close_with_a_slow_store),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_blk_reconnect",
	.test_cases = cases,
};

kunit_test_suite(suite);
