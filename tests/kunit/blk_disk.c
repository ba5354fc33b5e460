// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block front end and one back end.
 */
#include "tests/kunit/blk_back.c"

/* Move @len bytes at @sector, in pieces of @step bytes. */
static int transfer(struct kunit *test, enum req_op op, u8 *data, sector_t sector, size_t len,
		    size_t step)
{
	struct vbd_disk *disk = dev_get_drvdata(&back.dev.dev);
	struct bio *bio = bio_alloc(disk->gd->part0, DIV_ROUND_UP(len, step) ?: 1, op, GFP_KERNEL);
	size_t done;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, bio);
	bio->bi_iter.bi_sector = sector;
	for (done = 0; done < len; done += step)
		__bio_add_page(bio, virt_to_page(data + done), min(step, len - done),
			       offset_in_page(data + done));
	err = submit_bio_wait(bio);
	bio_put(bio);
	return err;
}

static void write_and_read(struct kunit *test, u8 *out, u8 *in, size_t len, size_t step)
{
	size_t i;

	for (i = 0; i < len; i++)
		out[i] = i * 167 + (i >> 8) + len;
	KUNIT_ASSERT_EQ(test, transfer(test, REQ_OP_WRITE, out, 64, len, step), 0);
	KUNIT_EXPECT_EQ(test, memcmp(back.disk + (64 << SECTOR_SHIFT), out, len), 0);
	memset(in, 0, len);
	KUNIT_ASSERT_EQ(test, transfer(test, REQ_OP_READ, in, 64, len, step), 0);
	KUNIT_EXPECT_EQ(test, memcmp(in, out, len), 0);
}

/* Direct and indirect requests, requests that are split, and memory at odd places. */
static void moves_data(struct kunit *test, bool is_trusted)
{
	static const size_t lens[] = { 512, 4096, 11 * 4096, 12 * 4096, 32 * 4096, 100 * 4096 };
	size_t size = 101 * PAGE_SIZE;
	u8 *out = kunit_kzalloc(test, size, GFP_KERNEL);
	u8 *in = kunit_kzalloc(test, size, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, out && in);
	attach(test, is_trusted);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		write_and_read(test, out, in, lens[i], PAGE_SIZE);
		/* a bio has 256 pieces at most */
		write_and_read(test, out + 512, in + 1024, lens[i], i < 5 ? 512 : 2048);
		write_and_read(test, out + 4, in + 20, lens[i], i < 5 ? 512 : 2048);
	}
	KUNIT_EXPECT_EQ(test, transfer(test, REQ_OP_WRITE | REQ_PREFLUSH, NULL, 0, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, transfer(test, REQ_OP_WRITE | REQ_FUA, out, 0, 512, 512), 0);
	KUNIT_EXPECT_FALSE(test, back.dead);
	detach(test);
}

static void trusted_back_end(struct kunit *test)
{
	moves_data(test, true);
}

static void untrusted_back_end(struct kunit *test)
{
	moves_data(test, false);
}

/* Each broken rule costs the disk: requests fail, the rest of the kernel does not notice. */
static void broken_rules(struct kunit *test)
{
	u8 *data = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	enum sin sin;

	KUNIT_ASSERT_NOT_NULL(test, data);
	for (sin = WRONG_ID; sin < SINS; sin++) {
		attach(test, true);
		back.sin = sin;
		/* "twice" answers the first one well */
		if (transfer(test, REQ_OP_READ, data, 0, PAGE_SIZE, PAGE_SIZE) == 0)
			KUNIT_EXPECT_EQ(test, sin, TWICE);
		KUNIT_EXPECT_EQ(test, transfer(test, REQ_OP_READ, data, 0, 512, 512), -EIO);
		KUNIT_EXPECT_TRUE(test, back.dead);
		KUNIT_EXPECT_EQ(test, back.deferred, sin == KEEPS_PAGES);
		detach(test);
	}
}

static void errors_are_errors(struct kunit *test)
{
	u8 *data = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, data);
	attach(test, true);
	back.sin = ERROR;
	KUNIT_EXPECT_EQ(test, transfer(test, REQ_OP_READ, data, 0, PAGE_SIZE, PAGE_SIZE), -EIO);
	back.sin = NONE;
	KUNIT_EXPECT_EQ(test, transfer(test, REQ_OP_READ, data, 0, PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_FALSE(test, back.dead);
	detach(test);
}

/* A back end that cannot flush after all is not asked again. */
static void flush_refused(struct kunit *test)
{
	struct vbd_disk *disk = attach(test, true);
	unsigned int before;

	back.sin = NO_FLUSH;
	KUNIT_EXPECT_EQ(test, transfer(test, REQ_OP_WRITE | REQ_PREFLUSH, NULL, 0, 0, 1), 0);
	flush_work(&disk->limits_work);
	before = back.requests;
	KUNIT_EXPECT_EQ(test, transfer(test, REQ_OP_WRITE | REQ_PREFLUSH, NULL, 0, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, back.requests, before);
	detach(test);
}

/* A back end that has gone silent does not keep the disk from being removed. */
static void removal_from_silence(struct kunit *test)
{
	struct vbd_disk *disk = attach(test, true);
	u8 *data = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	struct bio *bio = bio_alloc(disk->gd->part0, 1, REQ_OP_READ, GFP_KERNEL);
	DECLARE_COMPLETION_ONSTACK(done);

	KUNIT_ASSERT_TRUE(test, data && bio);
	back.sin = SILENCE;
	__bio_add_page(bio, virt_to_page(data), 512, offset_in_page(data));
	bio->bi_private = &done;
	bio->bi_end_io = end_io;
	submit_bio(bio);
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&done, HZ / 5), 0);
	/* as the kit does when the back end's node has gone */
	back.dead = true;
	detach(test);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&done, HZ), 0);
	KUNIT_EXPECT_NE(test, bio->bi_status, BLK_STS_OK);
	bio_put(bio);
}

/* A ring that is broken before there are other queues is found out when there are. */
static void broken_before_all_queues(struct kunit *test)
{
	unsigned int queues = max_queues;

	memset(&back, 0, sizeof(back));
	INIT_WORK(&back.work, back_work);
	back.granted = vzalloc(array_size(MAX_GRANTS, sizeof(*back.granted)));
	KUNIT_ASSERT_NOT_NULL(test, back.granted);
	max_queues = 2;
	back.queues = 2;
	back.early = true;
	back.dev.id = 51712;
	KUNIT_ASSERT_EQ(test, start(), 0);
	KUNIT_ASSERT_EQ(test, back.drv->connect(&back.dev), 0);
	KUNIT_EXPECT_EQ(test, ((struct vbd_disk *)dev_get_drvdata(&back.dev.dev))->nr_queues, 2);
	KUNIT_EXPECT_FALSE(test, back.dead);
	local_irq_disable();
	back.fn(back.data);
	local_irq_enable();
	KUNIT_EXPECT_TRUE(test, back.dead);
	back.drv->disconnect(&back.dev);
	stop();
	vfree(back.granted);
	max_queues = queues;
}

/* What a back end offers is taken as far as it makes sense. */
static void absurd_offers(struct kunit *test)
{
	static const struct {
		const char *key;
		u64 value;
		bool text;
		unsigned int queues, pages, segs;
	} offers[] = {
		{ "multi-queue-max-queues", 0, false, 1, 2, 32 },
		{ "multi-queue-max-queues", U32_MAX, false, 2, 2, 32 },
		{ "multi-queue-max-queues", 0, true, 1, 2, 32 },
		{ "max-ring-page-order", U64_MAX, false, 1, 4, 32 },
		{ "max-ring-page-order", 0, true, 1, 1, 32 },
		{ "feature-max-indirect-segments", U64_MAX, false, 1, 2, 64 },
		{ "feature-max-indirect-segments", 1, false, 1, 2, 11 },
	};
	struct vbd_disk *disk;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offers); i++) {
		arrive(test, true);
		back.queues = 1;
		back.odd = offers[i].key;
		back.odd_value = offers[i].value;
		back.odd_text = offers[i].text;
		disk = vbd_negotiate(&back.dev);
		KUNIT_ASSERT_FALSE(test, IS_ERR(disk));
		KUNIT_EXPECT_EQ(test, disk->nr_queues, offers[i].queues);
		KUNIT_EXPECT_EQ(test, disk->ring_pages, offers[i].pages);
		KUNIT_EXPECT_EQ(test, disk->max_segs, offers[i].segs);
		kfree(disk);
		leave();
	}
}

/* A disk whose size nobody knows is given up, with a word about what is wrong. */
static void unusable_disks(struct kunit *test)
{
	static const struct {
		const char *key;
		u64 value;
		bool text;
		const char *words;
	} disks[] = {
		{ "sectors", U64_MAX, false, "xvda: no valid size in the key \"sectors\"" },
		{ "sector-size", 0, false, "xvda: sector size 0 is not supported" },
		{ "sector-size", 520, false, "xvda: sector size 520 is not supported" },
		{ "sector-size", 8192, false, "xvda: sector size 8192 is not supported" },
		{ "sector-size", 0, true, "xvda: no number in the key \"sector-size\"" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(disks); i++) {
		arrive(test, true);
		back.odd = disks[i].key;
		back.odd_value = disks[i].value;
		back.odd_text = disks[i].text;
		KUNIT_ASSERT_EQ(test, back.drv->connect(&back.dev), 0);
		KUNIT_EXPECT_EQ(test, back.drv->connected(&back.dev), -EINVAL);
		KUNIT_EXPECT_STREQ(test, back.complaint, disks[i].words);
		detach(test);
	}
	arrive(test, true);
	back.dev.id = 1;
	KUNIT_EXPECT_EQ(test, back.drv->connect(&back.dev), -EINVAL);
	KUNIT_EXPECT_STREQ(test, back.complaint, "virtual device number 0x1 names no disk");
	leave();
}

static int users;

static void want_to_unload(struct work_struct *work)
{
	users = module_refcount(THIS_MODULE);
	WRITE_ONCE(back.closing, true);
}

/* Nobody has the module in use while the first answer is waited for, and whoever unloads it does not wait. */
static void silence_from_the_start(struct kunit *test)
{
	struct delayed_work unload;
	unsigned long begin;
	int before = module_refcount(THIS_MODULE);

	arrive(test, true);
	back.sin = SILENCE;
	KUNIT_ASSERT_EQ(test, back.drv->connect(&back.dev), 0);
	KUNIT_ASSERT_EQ(test, back.drv->publish(&back.dev, &paravane_xs_no_tx), 0);
	INIT_DELAYED_WORK_ONSTACK(&unload, want_to_unload);
	schedule_delayed_work(&unload, HZ);
	begin = jiffies;
	KUNIT_EXPECT_EQ(test, back.drv->connected(&back.dev), -EIO);
	KUNIT_EXPECT_GE(test, jiffies - begin, HZ);
	KUNIT_EXPECT_LT(test, jiffies - begin, 5 * HZ);
	flush_delayed_work(&unload);
	destroy_delayed_work_on_stack(&unload);
	KUNIT_EXPECT_EQ(test, users, before);
	KUNIT_EXPECT_EQ(test, back.requests, 1);
	KUNIT_EXPECT_STREQ(test, back.complaint, "xvda: the back end does not answer");
	detach(test);
}

static int unload(void *data)
{
	stop();
	complete(data);
	return 0;
}

/* The module outlives a disk that somebody has not let go of, although its file is closed. */
static void unload_waits_for_disks(struct kunit *test)
{
	struct device *held = disk_to_dev(attach(test, true)->gd);
	DECLARE_COMPLETION_ONSTACK(unloaded);
	struct task_struct *thread;

	get_device(held);
	KUNIT_EXPECT_EQ(test, back.drv->closing(&back.dev, true), 0);
	back.drv->disconnect(&back.dev);
	thread = kthread_run(unload, &unloaded, "kunit-unload");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&unloaded, HZ / 2), 0);
	put_device(held);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&unloaded, 30 * HZ), 0);
	device_unregister(&back.dev.dev);
	vfree(back.granted);
	vfree(back.disk);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(trusted_back_end),
	KUNIT_CASE(untrusted_back_end),
	KUNIT_CASE(broken_rules),
	KUNIT_CASE(errors_are_errors),
	KUNIT_CASE(flush_refused),
	KUNIT_CASE(removal_from_silence),
	KUNIT_CASE(broken_before_all_queues),
	KUNIT_CASE(absurd_offers),
	KUNIT_CASE(unusable_disks),
	KUNIT_CASE(silence_from_the_start),
	KUNIT_CASE(unload_waits_for_disks),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_blk_disk",
	.test_cases = cases,
};

kunit_test_suite(suite);
