/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * XenStore client: <xen-public/io/xs_wire.h>.
 *
 * Every function here may sleep, for 20 seconds at most: then the operation fails with -ETIMEDOUT.
 * After that, and until the store answers something again, operations wait for a tenth of a second.
 * Paths are relative to the guest's home (/local/domain/<domid>) unless they start with a slash.
 */
#ifndef PARAVANE_LINUX_XS_H
#define PARAVANE_LINUX_XS_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue.h>

/**
 * struct paravane_xs_tx - a transaction, or part of none
 * @id: transaction id, 0 for none
 */
struct paravane_xs_tx {
	u32 id;
};

/* "Not part of a transaction". */
extern const struct paravane_xs_tx paravane_xs_no_tx;

/**
 * paravane_xs_read() - read a node
 * @tx: transaction
 * @dir: directory
 * @node: node below @dir, or "" for @dir itself
 * @len: if not NULL, receives the length without the NUL that is always appended
 *
 * Return: the value, to be kfree()d, or an ERR_PTR (-ENOENT, -EACCES, -ETIMEDOUT, ...).
 */
char *paravane_xs_read(const struct paravane_xs_tx *tx, const char *dir, const char *node,
		       unsigned int *len);

/**
 * paravane_xs_read_u64() - read a node that holds a decimal number
 * @tx: transaction
 * @dir: directory
 * @node: node
 * @value: result, untouched on error
 *
 * Return: 0, or -errno; -EINVAL if it is not a number.
 */
int paravane_xs_read_u64(const struct paravane_xs_tx *tx, const char *dir, const char *node,
			 u64 *value);

/**
 * paravane_xs_write() - write a node, creating it and its parents
 * @tx: transaction
 * @dir: directory
 * @node: node
 * @fmt: value
 *
 * Return: 0 or -errno.
 */
__printf(4, 5) int paravane_xs_write(const struct paravane_xs_tx *tx, const char *dir,
				     const char *node, const char *fmt, ...);

/**
 * paravane_xs_rm() - remove a node and all below it
 * @tx: transaction
 * @dir: directory
 * @node: node
 *
 * Return: 0 or -errno.
 */
int paravane_xs_rm(const struct paravane_xs_tx *tx, const char *dir, const char *node);

/**
 * paravane_xs_directory() - list children
 * @tx: transaction
 * @dir: directory
 * @node: node
 * @count: number of children
 *
 * A directory larger than a message is read in parts, and again from the start when it changes
 * meanwhile.
 *
 * Return: array of @count names in one allocation, to be kfree()d, or an ERR_PTR: -E2BIG if there
 * are more than 64 KiB of names, or the store cannot list more than a message holds; -EAGAIN if the
 * directory never stops changing.
 */
char **paravane_xs_directory(const struct paravane_xs_tx *tx, const char *dir, const char *node,
			     unsigned int *count);

/**
 * paravane_xs_tx_run() - do something in a transaction, again if it conflicts with somebody else's
 * @fn: does it; called up to 100 times, so it must cope with its earlier calls. 0 commits, -EAGAIN
 *	has it called again, any other -errno gives up
 * @data: passed to @fn
 *
 * Return: 0, or -errno and nothing was written; -EAGAIN if there was no end of conflicts.
 */
int paravane_xs_tx_run(int (*fn)(const struct paravane_xs_tx *tx, void *data), void *data);

/**
 * struct paravane_xs_watch - a watch
 * @path: node to watch, with all below it; must stay valid while registered
 * @fn: called in the watch thread, which may sleep and call anything in this header except
 *	paravane_xs_watch_unregister(); @path is the node that changed
 * @list: private
 * @id: private
 * @running: private
 *
 * Events that arrive for a watch that already has one queued for the same path are merged.
 */
struct paravane_xs_watch {
	const char *path;
	void (*fn)(struct paravane_xs_watch *watch, const char *path);
	struct list_head list;
	u64 id;
	bool running;
};

/**
 * paravane_xs_watch_register() - start watching; fires once at once
 * @watch: with @path and @fn set
 *
 * Return: 0 or -errno.
 */
int paravane_xs_watch_register(struct paravane_xs_watch *watch);

/**
 * paravane_xs_watch_unregister() - stop watching
 * @watch: a registered watch
 *
 * When it returns @fn is not running and never runs again.
 */
void paravane_xs_watch_unregister(struct paravane_xs_watch *watch);

#endif /* PARAVANE_LINUX_XS_H */
