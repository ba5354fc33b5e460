// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/xenbus.c: which directories are devices, and what is said of those that are not. This
 * file plays the store and the kit.
 */
#include "tests/kunit/core.c"
#include "tests/kunit/lines.c"

#include "guest/linux/internal.h"

/* The kernel need not be one that can hibernate. */
static bool has_moved;

#define paravane_suspend_moved() has_moved

#include "guest/linux/xenbus.c"

#define NODES 8

static struct {
	const char *path, *value;
} nodes[NODES];

static bool silent; /* the store */
static unsigned int moves;
static int move_refuses; /* what the kit answers */

const struct paravane_xs_tx paravane_xs_no_tx;

static void set(const char *path, const char *value)
{
	unsigned int i = 0;

	while (nodes[i].path && strcmp(nodes[i].path, path))
		i++;
	nodes[i].path = path;
	nodes[i].value = value;
}

char *paravane_xs_read(const struct paravane_xs_tx *tx, const char *dir, const char *node,
		       unsigned int *len)
{
	char path[64];
	unsigned int i;

	if (silent)
		return ERR_PTR(-ETIMEDOUT);
	snprintf(path, sizeof(path), "%s%s%s", dir, *node ? "/" : "", node);
	for (i = 0; i < NODES && nodes[i].path; i++) {
		if (!strcmp(nodes[i].path, path))
			return kstrdup(nodes[i].value, GFP_KERNEL);
		if (strstarts(nodes[i].path, path) && nodes[i].path[strlen(path)] == '/')
			return kstrdup("", GFP_KERNEL);
	}
	return ERR_PTR(-ENOENT);
}

int paravane_xs_read_u64(const struct paravane_xs_tx *tx, const char *dir, const char *node,
			 u64 *value)
{
	char *text = paravane_xs_read(tx, dir, node, NULL);
	int err;

	if (IS_ERR(text))
		return PTR_ERR(text);
	err = kstrtou64(text, 10, value);
	kfree(text);
	return err;
}

/* Each node has a type and a name of its own here, so there is one child at a time. */
char **paravane_xs_directory(const struct paravane_xs_tx *tx, const char *dir, const char *node,
			     unsigned int *count)
{
	char path[64];
	size_t len = snprintf(path, sizeof(path), "%s/%s%s", dir, node, *node ? "/" : "");
	char **names = kzalloc(sizeof(*names) + sizeof(path), GFP_KERNEL);

	if (!names)
		return ERR_PTR(-ENOMEM);
	names[0] = (char *)(names + 1);
	*count = 0;
	if (nodes[0].path && strstarts(nodes[0].path, path)) {
		strscpy(names[0], nodes[0].path + len, sizeof(path));
		*strchrnul(names[0], '/') = 0;
		*count = 1;
	}
	return names;
}

int paravane_xs_watch_register(struct paravane_xs_watch *watch)
{
	return 0;
}

void paravane_xs_watch_unregister(struct paravane_xs_watch *watch)
{
}

bool paravane_xs_is_silent(void)
{
	return silent;
}

int paravane_front_probe(struct paravane_front_dev *dev)
{
	return 0;
}

void paravane_front_remove(struct paravane_front_dev *dev)
{
}

void paravane_front_shutdown(struct paravane_front_dev *dev)
{
}

void paravane_front_suspend(struct paravane_front_dev *dev)
{
}

void paravane_front_resume(struct paravane_front_dev *dev)
{
}

int paravane_front_moved(struct paravane_front_dev *dev, const char *peer_path, domid_t peer)
{
	kfree(dev->peer_path);
	dev->peer_path = peer_path;
	dev->peer = peer;
	moves++;
	return move_refuses;
}

const char *paravane_front_state(struct paravane_front_dev *dev)
{
	return "unbound";
}

/* A toolstack writes something somewhere. */
static void scan(void)
{
	rescan_now();
	flush_delayed_work(&rescan_work);
}

static void scan_later(void)
{
	struct odd *odd;

	list_for_each_entry(odd, &odd_ones, list)
		odd->since -= INCOMPLETE_PATIENCE;
	scan();
}

static void start(struct kunit *test, const char *path, const char *value)
{
	memset(nodes, 0, sizeof(nodes));
	said = 0;
	set(path, value);
	KUNIT_ASSERT_EQ(test, paravane_xenbus_init(), 0);
}

static void end(struct kunit *test)
{
	paravane_xenbus_exit();
	KUNIT_EXPECT_TRUE(test, list_empty(&odd_ones));
	KUNIT_EXPECT_EQ(test, said, 0);
}

/* What is wrong is told at once, and once; what is missing may come yet. */
static void wrong_keys(struct kunit *test)
{
	static const struct {
		const char *key, *value, *other_key, *other, *words;
	} devices[] = {
		{ "device/vbd/1/backend-id", "none", "device/vbd/1/backend", "/back/1",
		  "device/vbd/1 is not used: its key \"backend-id\" is wrong (-22)" },
		{ "device/vbd/2/backend-id", "32753", "device/vbd/2/backend", "/back/2",
		  "device/vbd/2 is not used: its key \"backend-id\" is wrong (-22)" },
		{ "device/vbd/3/backend-id", "0", "device/vbd/3/backend", "",
		  "device/vbd/3 is not used: its key \"backend\" is wrong (-22)" },
		{ "device/vbd/x4/backend-id", "0", "device/vbd/x4/backend", "/back/4",
		  "device/vbd/x4 is not used (-22)" },
		{ "device/vbd/05/backend-id", "0", "device/vbd/05/backend", "/back/5",
		  "device/vbd/05 is not used (-22)" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		start(test, devices[i].key, devices[i].value);
		set(devices[i].other_key, devices[i].other);
		scan();
		EXPECT_ONE_LINE(test, devices[i].words);
		scan();
		scan_later();
		end(test);
	}
}

static void missing_keys(struct kunit *test)
{
	start(test, "device/vbd/6/backend-id", "0");
	KUNIT_EXPECT_EQ(test, said, 0);
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&rescan_work));
	scan_later();
	EXPECT_ONE_LINE(test, "device/vbd/6 is not used: its key \"backend\" is missing (-2)");
	scan_later();
	KUNIT_EXPECT_EQ(test, said, 0);
	/* It comes late. */
	set("device/vbd/6/backend", "/back/6");
	scan();
	KUNIT_EXPECT_TRUE(test, device_exists("device/vbd/6"));
	KUNIT_EXPECT_TRUE(test, list_empty(&odd_ones));
	/* It goes, and comes again half made. */
	memset(nodes, 0, sizeof(nodes));
	scan();
	KUNIT_EXPECT_FALSE(test, device_exists("device/vbd/6"));
	set("device/vbd/6/backend", "/back/6");
	scan();
	scan_later();
	EXPECT_ONE_LINE(test, "device/vbd/6 is not used: its key \"backend-id\" is missing (-2)");
	end(test);
}

/* Where toolstacks keep other things. */
static void no_devices(struct kunit *test)
{
	start(test, "device/suspend/event-channel", "");
	scan_later();
	end(test);
	start(test, "device/vbd/x/state", "1");
	scan_later();
	end(test);
}

static void move(struct kunit *test, struct paravane_front_dev *fdev)
{
	moves = 0;
	has_moved = true;
	device_lock(&fdev->dev);
	KUNIT_EXPECT_EQ(test, bus_thaw(&fdev->dev), 0);
	device_unlock(&fdev->dev);
	has_moved = false;
}

/* The back end is where the new domain's store says, be it that it does so late. */
static void move_with_a_slow_store(struct kunit *test)
{
	struct paravane_front_dev *fdev;
	struct device *dev;

	start(test, "device/vbd/7/backend-id", "0");
	set("device/vbd/7/backend", "/back/7");
	scan();
	dev = bus_find_device(&paravane_bus, NULL, "device/vbd/7", match_path);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	fdev = to_paravane_front_dev(dev);
	set("device/vbd/7/backend-id", "3");
	set("device/vbd/7/backend", "/elsewhere/7");
	silent = true;
	move(test, fdev);
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&rescan_work));
	KUNIT_EXPECT_EQ(test, moves, 1);
	KUNIT_EXPECT_STREQ(test, fdev->peer_path, "/back/7");
	scan();
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&rescan_work));
	KUNIT_EXPECT_EQ(test, moves, 1);
	silent = false;
	scan();
	KUNIT_EXPECT_EQ(test, moves, 2);
	KUNIT_EXPECT_STREQ(test, fdev->peer_path, "/elsewhere/7");
	KUNIT_EXPECT_EQ(test, fdev->peer, 3);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&rescan_work));
	scan();
	KUNIT_EXPECT_EQ(test, moves, 2);

	/* It has said where, and is then too slow for the watch. */
	move_refuses = -ETIMEDOUT;
	move(test, fdev);
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&rescan_work));
	move_refuses = 0;
	scan();
	KUNIT_EXPECT_EQ(test, moves, 2);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&rescan_work));
	put_device(dev);
	end(test);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(wrong_keys),
	KUNIT_CASE(missing_keys),
	KUNIT_CASE(no_devices),
	KUNIT_CASE(move_with_a_slow_store),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_bus",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
