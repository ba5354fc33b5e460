/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XenStore as a library: the tree, its permissions, transactions and watches, and Xen's wire
 * protocol (<xen-public/io/xs_wire.h>). It does no I/O, has no globals and starts no threads;
 * the rims (a guest's ring page, a Unix socket, callers in this process) move the bytes.
 *
 * Locking: none inside. All calls on one store, and on its connections, come from one thread or
 * are serialised by the caller.
 *
 * Re-entrancy: callbacks that may call the library (watch callbacks, xst_conn_ops.output) run only
 * inside xst_store_dispatch(). Inside every other call the library calls nothing but
 * xst_store_ops, whose functions must not call back, except where their comment says so.
 *
 * Errors: functions return 0 (or a count) or -errno, with the error Xen's store gives:
 * -EINVAL bad path or argument, -ENOENT, -EACCES, -EPERM, -EEXIST, -ENOSPC or -E2BIG (a limit of
 * struct xst_limits), -EAGAIN (transaction conflict), -EBUSY, -ENOSYS, -ENOMEM.
 *
 * Paths: absolute, or relative to the home of the connection's domain, /local/domain/<domid>.
 */
#ifndef XENSTORE_XENSTORE_H
#define XENSTORE_XENSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen-public/xen.h>
#include <xen-public/event_channel.h>
#include <xen-public/io/xs_wire.h>

struct xst_store;
struct xst_conn;
struct xst_watch;

/** No transaction: the operation acts on the tree itself. */
#define XST_NO_TX 0u

/* ---- the store ---- */

/**
 * struct xst_store_ops - what the embedding process supplies; every member may be NULL
 * @work: xst_store_dispatch() has something to do; schedule it. Called at most once between two
 *	dispatches, from inside any call on the store. Must not call the library.
 * @introduce: XS_INTRODUCE from a privileged client: connect to the ring at @gfn of @domid,
 *	notified through @port. May call xst_conn_new(). NULL: the request fails with ENOSYS.
 * @release: XS_RELEASE from a privileged client: disconnect @domid's ring. May free that
 *	connection unless it is the caller's. NULL: the request fails with ENOSYS.
 * @print: text from XS_CONTROL "print". NULL: the text is dropped.
 */
struct xst_store_ops {
	void (*work)(void *opaque);
	int (*introduce)(void *opaque, domid_t domid, uint64_t gfn, evtchn_port_t port);
	int (*release)(void *opaque, domid_t domid);
	void (*print)(void *opaque, const char *text);
};

/**
 * struct xst_limits - what one domain may use; domain 0 is held only to @events_dom0
 * @nodes: nodes it owns
 * @watches: watches on all its connections
 * @transactions: open transactions on all its connections
 * @node_size: bytes in one node it writes: value, permissions and children's names
 * @perms: permission entries on one node
 * @accessed: nodes touched in one transaction
 * @path: bytes in a path, not counting the domain's home
 * @memory: bytes its nodes, watches and open transactions occupy
 * @events: watch events queued on one connection; further ones are merged, see xst_watch_fn
 * @events_dom0: the same for a connection of domain 0
 * @output: bytes of unread replies on one connection before its requests are no longer read
 */
struct xst_limits {
	unsigned int nodes;
	unsigned int watches;
	unsigned int transactions;
	unsigned int node_size;
	unsigned int perms;
	unsigned int accessed;
	unsigned int path;
	size_t memory;
	unsigned int events;
	unsigned int events_dom0;
	size_t output;
};

/** The defaults of Xen 4.17's C xenstored, where it has such a limit. */
extern const struct xst_limits xst_limits_default;

/**
 * xst_store_new() - a store holding only "/", "/tool" and "/tool/xenstored", owned by domain 0
 * @ops: may be NULL; must outlive the store
 * @opaque: handed to @ops
 * @limits: copied; NULL means xst_limits_default
 *
 * Return: the store, or NULL when out of memory.
 */
struct xst_store *xst_store_new(const struct xst_store_ops *ops, void *opaque,
				const struct xst_limits *limits);

/** xst_store_free() - free the store and every connection, watch and transaction on it. */
void xst_store_free(struct xst_store *store);

/**
 * xst_store_dispatch() - run the callbacks that became due
 *
 * Calls watch callbacks of in-process connections and xst_conn_ops.output of those with unread
 * output. Work that the callbacks themselves cause is left for the next dispatch (@work is called
 * again), so this always returns. Calling it with nothing to do is cheap; calling it from
 * a callback does nothing.
 */
void xst_store_dispatch(struct xst_store *store);

/** xst_store_check() - verify the store's invariants; 0, or -EIO with *why set (static text). */
int xst_store_check(struct xst_store *store, const char **why);

/* ---- connections ---- */

/**
 * struct xst_conn_ops - a rim's callbacks
 * @output: the connection has output to fetch with xst_conn_peek(). Runs inside
 *	xst_store_dispatch(); may call anything, also xst_conn_free() on its connection. Called
 *	for new output only: a rim that could not deliver all keeps track of that itself.
 */
struct xst_conn_ops {
	void (*output)(struct xst_conn *conn, void *opaque);
};

/**
 * xst_conn_new() - connect a client
 * @domid: who the client is; 0 is privileged (tools on a Unix socket, back ends in this process)
 * @ops: NULL for callers in this process, which use the functions below and no wire protocol
 *
 * Return: the connection, owned by the store until xst_conn_free(); NULL when out of memory.
 */
struct xst_conn *xst_conn_new(struct xst_store *store, domid_t domid,
			      const struct xst_conn_ops *ops, void *opaque);

/** xst_conn_free() - drop the connection with its watches and transactions. NULL is allowed. */
void xst_conn_free(struct xst_conn *conn);

domid_t xst_conn_domid(const struct xst_conn *conn);

/**
 * xst_conn_wants_input() - how many bytes the rim may read from the client now
 *
 * At most to the end of a header or a request, so that the rim never holds bytes the library does
 * not take. 0 while the client leaves its replies unread, which is what bounds their memory: the
 * rim looks again after xst_conn_consume().
 */
size_t xst_conn_wants_input(const struct xst_conn *conn);

/**
 * xst_conn_input() - feed bytes the client sent, split anywhere
 *
 * Complete requests are carried out and answered at once.
 *
 * Return: the number of bytes taken, less than @len only if more than xst_conn_wants_input() were
 * offered; -EPROTO when the client announced an over-long payload, or -ENOMEM when its answer could
 * not be queued. After an error the stream has lost its framing: the rim must free the connection
 * (or xst_conn_reset() it).
 */
ptrdiff_t xst_conn_input(struct xst_conn *conn, const void *buf, size_t len);

/**
 * xst_conn_peek() - the next bytes for the client
 * @data: set to them; valid until the next call on this connection
 *
 * Return: how many there are; 0 when there is no output. More may follow after consuming these.
 */
size_t xst_conn_peek(struct xst_conn *conn, const void **data);

/** xst_conn_consume() - the first @len bytes that xst_conn_peek() showed were delivered. */
void xst_conn_consume(struct xst_conn *conn, size_t len);

/**
 * xst_conn_reset() - the client starts afresh (ring reconnection, kexec)
 *
 * Drops watches, transactions, the partial request and all output, and clears an input error.
 */
void xst_conn_reset(struct xst_conn *conn);

/* ---- operations for callers in this process; @tx is XST_NO_TX or an open transaction ---- */

/**
 * struct xst_perm - one entry of a permission list
 * @domid: the owner (first entry) or the domain the entry is for (the others)
 * @access: XST_PERM_*; the first entry's is the default for domains without an entry
 */
struct xst_perm {
	domid_t domid;
	uint8_t access;
};

#define XST_PERM_NONE 0u
#define XST_PERM_READ 1u
#define XST_PERM_WRITE 2u
#define XST_PERM_BOTH (XST_PERM_READ | XST_PERM_WRITE)

/**
 * xst_read() - read a node's value
 * @value: set to a copy the caller frees, with a NUL byte appended that @len does not count
 * @len: may be NULL
 */
int xst_read(struct xst_conn *conn, uint32_t tx, const char *path, char **value, size_t *len);

/** xst_write() - set a node's value, creating the node and missing parents. */
int xst_write(struct xst_conn *conn, uint32_t tx, const char *path, const void *value, size_t len);

/** xst_mkdir() - make sure a node exists; an existing one stays as it is. */
int xst_mkdir(struct xst_conn *conn, uint32_t tx, const char *path);

/** xst_rm() - remove a node and all below it; a missing node is fine, a missing parent -ENOENT. */
int xst_rm(struct xst_conn *conn, uint32_t tx, const char *path);

/**
 * xst_directory() - names of a node's children, in byte order
 * @names: set to one allocation the caller frees: an array of @count pointers and the strings
 */
int xst_directory(struct xst_conn *conn, uint32_t tx, const char *path, char ***names,
		  size_t *count);

/** xst_exists() - 1 if the node exists and is readable, 0 if it does not exist, or -errno. */
int xst_exists(struct xst_conn *conn, uint32_t tx, const char *path);

/** xst_get_perms() - a copy of the permission list, which the caller frees. */
int xst_get_perms(struct xst_conn *conn, uint32_t tx, const char *path, struct xst_perm **perms,
		  size_t *count);

/** xst_set_perms() - replace the permission list; only domain 0 may name another owner. */
int xst_set_perms(struct xst_conn *conn, uint32_t tx, const char *path,
		  const struct xst_perm *perms, size_t count);

/* The same with the path in two parts, @dir "/" @key; a NULL @key means @dir alone. */

/** xst_printf() - write a formatted value (at most XENSTORE_PAYLOAD_MAX bytes, else -E2BIG). */
int xst_printf(struct xst_conn *conn, uint32_t tx, const char *dir, const char *key,
	       const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/** xst_read_str() - read a value as a string the caller frees; -EINVAL if it holds a NUL byte. */
int xst_read_str(struct xst_conn *conn, uint32_t tx, const char *dir, const char *key,
		 char **value);

/** xst_read_u64() - read a decimal number; -EINVAL when the value is anything else or too large. */
int xst_read_u64(struct xst_conn *conn, uint32_t tx, const char *dir, const char *key,
		 uint64_t *value);

/** xst_rm_key() - xst_rm() of @dir "/" @key. */
int xst_rm_key(struct xst_conn *conn, uint32_t tx, const char *dir, const char *key);

/* ---- transactions ---- */

/** xst_transaction_start() - open a snapshot; *tx is then passed to the operations above. */
int xst_transaction_start(struct xst_conn *conn, uint32_t *tx);

/**
 * xst_transaction_end() - close a transaction; with @commit its changes take effect at once
 *
 * Return: 0; -EAGAIN when a path it read or wrote was changed meanwhile (nothing was done; start
 * again); -ENOENT for an unknown transaction. One that wrote nothing always commits.
 */
int xst_transaction_end(struct xst_conn *conn, uint32_t tx, bool commit);

/* ---- watches ---- */

/**
 * xst_watch_fn - something at or below a watched path changed
 * @path: what changed, relative if the watch was. Events that were merged because too many were
 *	queued come as one event whose path is the watched path itself: look at everything again.
 *
 * Runs inside xst_store_dispatch(); may call anything, also xst_unwatch() and xst_conn_free().
 */
typedef void (*xst_watch_fn)(void *opaque, const char *path);

/**
 * xst_watch() - watch a path (it need not exist) and all below it, "@introduceDomain" or
 *		 "@releaseDomain"
 * @watch: set to the handle for xst_unwatch(); may be NULL
 *
 * The callback comes once at the next dispatch in any case, then after each change. In-process
 * connections only (those without xst_conn_ops).
 */
int xst_watch(struct xst_conn *conn, const char *path, xst_watch_fn fn, void *opaque,
	      struct xst_watch **watch);

/** xst_unwatch() - remove a watch; its callback does not run again. NULL is allowed. */
void xst_unwatch(struct xst_watch *watch);

/* ---- domains ---- */

/**
 * xst_domain_introduce() - @domid can now talk to the store; fires @introduceDomain
 *
 * Return: 0 (also when it was introduced already, without an event), -EINVAL for domain 0 or
 * a reserved id.
 */
int xst_domain_introduce(struct xst_store *store, domid_t domid);

/**
 * xst_domain_shutdown() - @domid crashed or shut down; fires @releaseDomain, once until
 *			   xst_domain_resume()
 */
int xst_domain_shutdown(struct xst_store *store, domid_t domid);

/** xst_domain_resume() - @domid runs again after a shutdown that was a suspend. */
int xst_domain_resume(struct xst_store *store, domid_t domid);

/** xst_domain_release() - @domid no longer talks to the store; fires @releaseDomain. */
int xst_domain_release(struct xst_store *store, domid_t domid);

/**
 * xst_domain_destroy() - @domid is gone for good
 *
 * Removes the nodes it owns with all below them (firing their watches), strikes it from every other
 * permission list, then does what xst_domain_release() does. Its id can then be used again. Nodes
 * about the domain that domain 0 owns are the toolstack's to remove.
 *
 * Return: 0; -EBUSY while it has connections (the rims free them first); -EINVAL for domain 0;
 * -ENOMEM (try again).
 */
int xst_domain_destroy(struct xst_store *store, domid_t domid);

/** xst_domain_set_target() - give @domid all of @target's rights. */
int xst_domain_set_target(struct xst_store *store, domid_t domid, domid_t target);

bool xst_domain_introduced(const struct xst_store *store, domid_t domid);

/** XST_HOME_MAX: room for "/local/domain/65535" and its NUL byte. */
#define XST_HOME_MAX 20

/** xst_domain_home() - write the domain's home path to @buf; returns @buf. */
char *xst_domain_home(domid_t domid, char buf[XST_HOME_MAX]);

#endif /* XENSTORE_XENSTORE_H */
