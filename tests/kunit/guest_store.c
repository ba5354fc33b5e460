// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest/linux/xs_ops.c: directories larger than a message, and transactions. This file plays the
 * store, which may change the list meanwhile, not know parts, see conflicts, or send nonsense.
 */
#include "tests/kunit/core.c"

#include "guest/linux/xs_ops.c"

#define CHILDREN 1000
#define NAME_LEN sizeof("node0000")

static struct {
	unsigned int children;
	unsigned int changes; /* how often the list changes, each time between two parts */
	unsigned int generation;
	unsigned int parts;
	bool knows_parts;
	bool endless;
	unsigned int conflicts; /* how many transactions are to be repeated */
	unsigned int started, committed, aborted;
} store;

bool paravane_xs_is_silent(void)
{
	return false;
}

static char *part(unsigned int from, unsigned int *len)
{
	char *body = kzalloc(XENSTORE_PAYLOAD_MAX, GFP_KERNEL);
	unsigned int i;

	if (!body)
		return ERR_PTR(-ENOMEM);
	store.parts++;
	if (from && store.changes) {
		store.changes--;
		store.generation++;
	}
	*len = sprintf(body, "%u", store.generation) + 1;
	for (i = from / NAME_LEN; i < store.children || store.endless; i++) {
		if (*len + NAME_LEN + 1 > XENSTORE_PAYLOAD_MAX)
			return body;
		*len += sprintf(body + *len, "node%04u", i % 10000) + 1;
	}
	++*len;
	return body;
}

char *paravane_xs_talk(struct paravane_xs_msg *msg, unsigned int *len)
{
	unsigned int from;

	switch (msg->hdr.type) {
	case XS_DIRECTORY:
		if (!strcmp(msg->body, "device/none"))
			return ERR_PTR(-ENOENT);
		return ERR_PTR(-E2BIG);
	case XS_DIRECTORY_PART:
		if (!store.knows_parts)
			return ERR_PTR(-ENOSYS);
		if (paravane_xs_strings(msg->body, msg->hdr.len) != 2 ||
		    kstrtouint(msg->body + strlen(msg->body) + 1, 10, &from))
			return ERR_PTR(-EINVAL);
		return part(from, len);
	case XS_TRANSACTION_START:
		return kasprintf(GFP_KERNEL, "%u", ++store.started);
	case XS_TRANSACTION_END:
		if (msg->hdr.tx_id != store.started)
			return ERR_PTR(-ENOENT);
		if (!strcmp(msg->body, "F")) {
			store.aborted++;
		} else if (store.conflicts) {
			store.conflicts--;
			return ERR_PTR(-EAGAIN);
		} else {
			store.committed++;
		}
		return kstrdup("OK", GFP_KERNEL);
	default:
		return ERR_PTR(-ENOSYS);
	}
}

static char **list(const char *node, unsigned int *count)
{
	return paravane_xs_directory(&paravane_xs_no_tx, "device", node, count);
}

static void start(void)
{
	memset(&store, 0, sizeof(store));
	store.children = CHILDREN;
	store.knows_parts = true;
}

static void check_list(struct kunit *test)
{
	unsigned int count, i;
	char **names = list("vif", &count);
	char name[16];

	KUNIT_ASSERT_FALSE(test, IS_ERR(names));
	KUNIT_EXPECT_EQ(test, count, store.children);
	for (i = 0; i < count; i++) {
		sprintf(name, "node%04u", i);
		KUNIT_EXPECT_STREQ(test, names[i], name);
	}
	kfree(names);
}

static void in_parts(struct kunit *test)
{
	start();
	check_list(test);
	KUNIT_EXPECT_EQ(test, store.parts, 3);
	/* emptied between the two operations */
	store.children = 0;
	check_list(test);
}

static void a_list_that_changes(struct kunit *test)
{
	unsigned int count;

	start();
	store.changes = 3;
	check_list(test);
	KUNIT_EXPECT_EQ(test, store.changes, 0);
	KUNIT_EXPECT_EQ(test, store.parts, 3 * 2 + 3);
	store.changes = UINT_MAX;
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(list("vif", &count)), -EAGAIN);
}

static void stores_that_cannot(struct kunit *test)
{
	unsigned int count;

	start();
	store.knows_parts = false;
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(list("vif", &count)), -E2BIG);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(list("none", &count)), -ENOENT);
	start();
	store.endless = true;
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(list("vif", &count)), -E2BIG);
}

static int transact(const struct paravane_xs_tx *tx, void *data)
{
	return tx->id == store.started ? *(int *)data : -EINVAL;
}

static void transactions(struct kunit *test)
{
	int result = 0;

	start();
	store.conflicts = 3;
	KUNIT_EXPECT_EQ(test, paravane_xs_tx_run(transact, &result), 0);
	KUNIT_EXPECT_EQ(test, store.started, 4);
	KUNIT_EXPECT_EQ(test, store.committed, 1);
	/* no end of conflicts */
	store.conflicts = UINT_MAX;
	KUNIT_EXPECT_EQ(test, paravane_xs_tx_run(transact, &result), -EAGAIN);
	KUNIT_EXPECT_EQ(test, store.started, 4 + TX_TRIES);
	/* what does not want to be committed */
	result = -ENOENT;
	KUNIT_EXPECT_EQ(test, paravane_xs_tx_run(transact, &result), -ENOENT);
	KUNIT_EXPECT_EQ(test, store.aborted, 1);
	KUNIT_EXPECT_EQ(test, store.committed, 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(in_parts),
	KUNIT_CASE(a_list_that_changes),
	KUNIT_CASE(stores_that_cannot),
	KUNIT_CASE(transactions),
	{},
};

static struct kunit_suite suite = {
	.name = "paravane_guest_store",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
