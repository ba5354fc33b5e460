// SPDX-License-Identifier: GPL-2.0-only
/*
 * XenStore operations: reading, writing, listing, transactions.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <paravane/xs.h>

#include "guest/linux/internal.h"
#include "guest/linux/xs.h"

/* The largest directory we list, and how often it may change under our hands. */
#define LIST_MAX SZ_64K
#define LIST_TRIES 10

/* A transaction that keeps conflicting is given up after so many tries. */
#define TX_TRIES 100

const struct paravane_xs_tx paravane_xs_no_tx;
EXPORT_SYMBOL_GPL(paravane_xs_no_tx);

static struct paravane_xs_msg *msg_new(u32 type, const struct paravane_xs_tx *tx)
{
	struct paravane_xs_msg *msg = kmalloc(sizeof(*msg), GFP_KERNEL);

	if (msg)
		paravane_xs_msg_init(msg, type, tx->id);
	return msg;
}

/* Send a message that consists of a path, @extra bytes of @data after it. */
static char *path_op(u32 type, const struct paravane_xs_tx *tx, const char *dir, const char *node,
		     const void *data, size_t extra, unsigned int *len)
{
	struct paravane_xs_msg *msg = msg_new(type, tx);
	char *answer;

	if (!msg)
		return ERR_PTR(-ENOMEM);
	paravane_xs_msg_path(msg, dir, node);
	paravane_xs_msg_add(msg, data, extra);
	answer = paravane_xs_talk(msg, len);
	kfree(msg);
	return answer;
}

/* For operations whose answer says nothing but "OK". */
static int done(char *answer)
{
	if (IS_ERR(answer))
		return PTR_ERR(answer);
	kfree(answer);
	return 0;
}

/**
 * paravane_xs_hello() - have the store forget the watches of whoever was here before
 *
 * Old stores do not know the request.
 *
 * Return: 0, or -errno if there is no answer.
 */
int paravane_xs_hello(void)
{
	int err = done(path_op(XS_RESET_WATCHES, &paravane_xs_no_tx, "", "", "", 0, NULL));

	return paravane_xs_is_silent() ? err : 0;
}

char *paravane_xs_read(const struct paravane_xs_tx *tx, const char *dir, const char *node,
		       unsigned int *len)
{
	return path_op(XS_READ, tx, dir, node, "", 0, len);
}
EXPORT_SYMBOL_GPL(paravane_xs_read);

int paravane_xs_read_u64(const struct paravane_xs_tx *tx, const char *dir, const char *node,
			 u64 *value)
{
	char *s = paravane_xs_read(tx, dir, node, NULL);
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = kstrtou64(s, 10, value);
	kfree(s);
	return err;
}
EXPORT_SYMBOL_GPL(paravane_xs_read_u64);

int paravane_xs_write(const struct paravane_xs_tx *tx, const char *dir, const char *node,
		      const char *fmt, ...)
{
	va_list ap;
	char *value;
	int err;

	va_start(ap, fmt);
	value = kvasprintf(GFP_KERNEL, fmt, ap);
	va_end(ap);
	if (!value)
		return -ENOMEM;
	err = done(path_op(XS_WRITE, tx, dir, node, value, strlen(value), NULL));
	kfree(value);
	return err;
}
EXPORT_SYMBOL_GPL(paravane_xs_write);

int paravane_xs_rm(const struct paravane_xs_tx *tx, const char *dir, const char *node)
{
	return done(path_op(XS_RM, tx, dir, node, "", 0, NULL));
}
EXPORT_SYMBOL_GPL(paravane_xs_rm);

/**
 * struct xs_listing - a directory that is read in parts
 * @names: its names so far
 * @len: their length
 * @gen: the first part's payload, which begins with the list's generation
 */
struct xs_listing {
	char *names;
	unsigned int len;
	char *gen;
};

static void xs_listing_forget(struct xs_listing *list)
{
	kfree(list->names);
	kfree(list->gen);
	*list = (struct xs_listing){};
}

/* Append what a payload holds: 1 at the end of the list, -ESTALE if it is another list by now. */
static int xs_listing_append(struct xs_listing *list, const char *body, unsigned int len)
{
	const char *names;
	char *longer;
	int last = paravane_xs_part(body, len, &names, &len);

	if (last < 0)
		return last;
	if (list->gen && strcmp(list->gen, body))
		return -ESTALE;
	if (len > LIST_MAX - list->len)
		return -E2BIG;
	longer = krealloc(list->names, max(list->len + len, 1U), GFP_KERNEL);
	if (!longer)
		return -ENOMEM;
	memcpy(longer + list->len, names, len);
	list->names = longer;
	list->len += len;
	return last;
}

/* Ask for the next part; returns as xs_listing_append(). */
static int xs_listing_continue(struct xs_listing *list, const struct paravane_xs_tx *tx,
			       const char *dir, const char *node)
{
	unsigned int len;
	char from[12];
	char *body;
	int ret;

	snprintf(from, sizeof(from), "%u", list->len);
	body = path_op(XS_DIRECTORY_PART, tx, dir, node, from, strlen(from) + 1, &len);
	if (IS_ERR(body))
		return PTR_ERR(body);
	ret = xs_listing_append(list, body, len);
	if (ret < 0 || list->gen)
		kfree(body);
	else
		list->gen = body;
	return ret;
}

/* A directory that is too large for one message. */
static char *xs_listing_read(const struct paravane_xs_tx *tx, const char *dir, const char *node,
			     unsigned int *len)
{
	unsigned int tries = 0;
	struct xs_listing list = {};
	int ret;

	do {
		ret = xs_listing_continue(&list, tx, dir, node);
		if (ret == -ESTALE)
			xs_listing_forget(&list);
	} while (!ret || (ret == -ESTALE && ++tries < LIST_TRIES));
	kfree(list.gen);
	if (ret > 0) {
		*len = list.len;
		return list.names;
	}
	kfree(list.names);
	if (ret == -ESTALE)
		return ERR_PTR(-EAGAIN);
	if (ret != -ENOSYS && ret != -EINVAL)
		return ERR_PTR(ret);
	pr_warn("%s/%s is larger than a message, and this XenStore cannot list it in parts\n", dir,
		node);
	return ERR_PTR(-E2BIG);
}

char **paravane_xs_directory(const struct paravane_xs_tx *tx, const char *dir, const char *node,
			     unsigned int *count)
{
	unsigned int len, i;
	char *body, *s;
	char **names;
	int n;

	body = path_op(XS_DIRECTORY, tx, dir, node, "", 0, &len);
	if (body == ERR_PTR(-E2BIG))
		body = xs_listing_read(tx, dir, node, &len);
	if (IS_ERR(body))
		return ERR_CAST(body);
	n = paravane_xs_strings(body, len);
	if (n < 0) {
		kfree(body);
		return ERR_PTR(n);
	}
	/* One allocation for pointers and strings, at least one pointer long. */
	names = kmalloc(max(n, 1) * sizeof(*names) + len, GFP_KERNEL);
	if (!names) {
		kfree(body);
		return ERR_PTR(-ENOMEM);
	}
	s = (char *)(names + max(n, 1));
	memcpy(s, body, len);
	kfree(body);
	for (i = 0; i < n; i++) {
		names[i] = s;
		s += strlen(s) + 1;
	}
	*count = n;
	return names;
}
EXPORT_SYMBOL_GPL(paravane_xs_directory);

static atomic_t tx_open;

/**
 * paravane_xs_tx_is_open() - is somebody in the middle of a transaction?
 */
bool paravane_xs_tx_is_open(void)
{
	return atomic_read(&tx_open);
}

static int tx_ask(struct paravane_xs_tx *tx)
{
	char *answer = path_op(XS_TRANSACTION_START, &paravane_xs_no_tx, "", "", "", 0, NULL);
	int err;

	if (IS_ERR(answer))
		return PTR_ERR(answer);
	err = kstrtou32(answer, 10, &tx->id);
	kfree(answer);
	return err ? -EPROTO : 0;
}

static int tx_start(struct paravane_xs_tx *tx)
{
	int err;

	atomic_inc(&tx_open);
	err = tx_ask(tx);
	if (err)
		atomic_dec(&tx_open);
	return err;
}

/* -EAGAIN if it must be repeated from the start. */
static int tx_tell(struct paravane_xs_tx *tx, bool commit)
{
	struct paravane_xs_msg *msg = msg_new(XS_TRANSACTION_END, tx);
	char *answer;

	tx->id = 0;
	if (!msg)
		return -ENOMEM;
	paravane_xs_msg_string(msg, commit ? "T" : "F");
	answer = paravane_xs_talk(msg, NULL);
	kfree(msg);
	return done(answer);
}

static int tx_end(struct paravane_xs_tx *tx, bool commit)
{
	int err = tx_tell(tx, commit);

	atomic_dec(&tx_open);
	return err;
}

int paravane_xs_tx_run(int (*fn)(const struct paravane_xs_tx *tx, void *data), void *data)
{
	struct paravane_xs_tx tx;
	unsigned int tries = 0;
	int err;

	do {
		err = tx_start(&tx);
		if (err)
			break;
		err = fn(&tx, data);
		if (err)
			tx_end(&tx, false);
		else
			err = tx_end(&tx, true);
	} while (err == -EAGAIN && ++tries < TX_TRIES);
	return err;
}
EXPORT_SYMBOL_GPL(paravane_xs_tx_run);
