/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the store share. From the bottom up: hash, list, path, perms, tree, domain
 * (accounting), watch, node (the operations), transaction, conn, wire and client.
 */
#ifndef XENSTORE_INTERNAL_H
#define XENSTORE_INTERNAL_H

#include "xenstore/hash.h"
#include "xenstore/list.h"
#include "xenstore/xenstore.h"

struct xst_tx;

/** Room for an absolute path and its NUL byte. */
#define XST_PATH_BUF (XENSTORE_ABS_PATH_MAX + 1)
/** "/a/b/...": nodes on the longest path, the root included. */
#define XST_DEPTH_MAX (XENSTORE_ABS_PATH_MAX / 2 + 1)

/* ---- path.c ---- */

/** xst_path_resolve() - make @path absolute and check it; 0 or -EINVAL. */
int xst_path_resolve(const struct xst_conn *conn, const char *path, char out[XST_PATH_BUF]);
/** xst_path_parent() - cut the last component off; "/" for those of the root. */
void xst_path_parent(char *path);
/** xst_path_next() - skip slashes at *path; the length of the component there, 0 at the end. */
size_t xst_path_next(const char **path);
/** xst_path_join() - @dir "/" @key, or @dir when @key is NULL; 0 or -EINVAL. */
int xst_path_join(const char *dir, const char *key, char out[XST_PATH_BUF]);
/** xst_parse_u64() - @text is a decimal number of at most @max and nothing else; 0 or -EINVAL. */
int xst_parse_u64(const char *text, uint64_t max, uint64_t *value);

/* ---- perms.c: permission lists; immutable and shared ---- */

struct xst_perms {
	unsigned int refs;
	unsigned int count; /* at least 1 */
	struct xst_perm entry[];
};

/** The access of an owner: everything, also changing the list. */
#define XST_PERM_OWNER 4u

struct xst_perms *xst_perms_new(const struct xst_perm *entry, size_t count);
struct xst_perms *xst_perms_get(struct xst_perms *perms);
void xst_perms_put(struct xst_perms *perms); /* NULL is allowed */
/** xst_perms_inherit() - a reference to what a node made by @conn under one with @parent gets. */
struct xst_perms *xst_perms_inherit(const struct xst_conn *conn, struct xst_perms *parent);
/** xst_perms_for() - XST_PERM_* bits @conn has by @perms. */
unsigned int xst_perms_for(const struct xst_conn *conn, const struct xst_perms *perms);
/** xst_perm_parse() - "r5" and the like; 0 or -EINVAL. */
int xst_perm_parse(const char *text, struct xst_perm *perm);
/** xst_perm_format() - the opposite; returns the length without the NUL byte. */
#define XST_PERM_TEXT 8
size_t xst_perm_format(const struct xst_perm *perm, char text[XST_PERM_TEXT]);

/* ---- tree.c: nodes, shared between trees; one with several references never changes ---- */

struct xst_value {
	unsigned int refs;
	uint32_t len;
	char data[];
};

/**
 * struct xst_node - a node, which holds a reference to each of its children
 * @gen: generation of its last change of value or permissions
 * @list_gen: generation of the last change of its list of children
 * @names: bytes of its children's names with their NUL bytes
 * @value: NULL when empty
 * @next_free: chains nodes being freed
 */
struct xst_node {
	unsigned int refs;
	uint32_t count, room;
	struct xst_node **child; /* sorted by name */
	struct xst_perms *perms;
	struct xst_value *value;
	uint64_t gen, list_gen;
	size_t names;
	struct xst_node *next_free;
	char name[];
};

/** struct xst_place - where a path ends in a tree: the last existing node, and what is missing */
struct xst_place {
	struct xst_node *node, *parent; /* parent: NULL for the root */
	const char *rest; /* into the path; "" when the node itself exists */
};

struct xst_node *xst_node_new(const char *name, size_t len, struct xst_perms *perms, uint64_t gen);
void xst_node_put(struct xst_node *node); /* NULL is allowed */

/** xst_value_new() - 0 with *value set (NULL for an empty one), or -ENOMEM. */
int xst_value_new(const void *data, size_t len, struct xst_value **value);
void xst_value_put(struct xst_value *value); /* NULL is allowed */

static inline size_t xst_node_len(const struct xst_node *node)
{
	return node->value ? node->value->len : 0;
}

/** xst_tree_find() - the place of absolute @path. */
struct xst_place xst_tree_find(struct xst_node *root, const char *path);
/** xst_tree_get() - the node at absolute @path, or NULL. */
struct xst_node *xst_tree_get(struct xst_node *root, const char *path);
/**
 * xst_tree_own() - give *root a path to the existing node at the first @len bytes of @path that
 *		    nothing else refers to, copying what is shared
 *
 * Return: the node, which may then be changed; NULL when out of memory (the tree's content is
 * unchanged in any case).
 */
struct xst_node *xst_tree_own(struct xst_node **root, const char *path, size_t len);
/** xst_node_attach() - put @child below owned @node, taking the reference; 0 or -ENOMEM. */
int xst_node_attach(struct xst_node *node, struct xst_node *child);
/** xst_node_detach() - take the child called @name out; the reference passes to the caller. */
struct xst_node *xst_node_detach(struct xst_node *node, const char *name);

/**
 * xst_tree_visit() - call @fn for @top, which is at @path, and all below it, parents first
 *
 * @fn gets the node, its parent (NULL for @top) and its path. It stops the walk by returning other
 * than 0 or XST_SKIP (do not descend here). No recursion, no allocation.
 *
 * Return: 0, or what stopped it.
 */
#define XST_SKIP 1
typedef int (*xst_visit_fn)(void *arg, struct xst_node *node, struct xst_node *parent,
			    const char *path);
int xst_tree_visit(struct xst_node *top, const char *path, xst_visit_fn fn, void *arg);

/* ---- domain.c: who there is and what they use ---- */

/** struct xst_usage - what a domain uses in a tree, or by how much a transaction changes that */
struct xst_usage {
	struct xst_usage *next;
	domid_t domid;
	int64_t nodes, memory;
};

/**
 * struct xst_domain - a domain somebody named
 * @usage: of the live tree; @usage.memory includes watches and transactions
 * @target: its rights are this domain's too; NULL if none
 * @silent: @releaseDomain was fired and the domain did not resume since
 */
struct xst_domain {
	struct xst_usage usage;
	struct xst_domain *target;
	unsigned int conns, watches, transactions;
	bool introduced, silent;
};

/** struct xst_view - a tree with its accounts: the live one, or a transaction's */
struct xst_view {
	struct xst_node *root;
	struct xst_usage *usage; /* of the live view: the domains */
	bool live;
};

struct xst_domain *xst_domain_find(const struct xst_store *store, domid_t domid);
/** xst_domain_get() - find or make; NULL when out of memory. */
struct xst_domain *xst_domain_get(struct xst_store *store, domid_t domid);
/** xst_usage_get() - @domid's account in @view, made if missing; NULL when out of memory. */
struct xst_usage *xst_usage_get(struct xst_view *view, domid_t domid);
/** xst_usage_free() - free a transaction's accounts. */
void xst_usage_free(struct xst_view *view);
/** xst_node_cost() - bytes a node is charged with. */
size_t xst_node_cost(const struct xst_node *node);

/* ---- watch.c ---- */

/**
 * struct xst_change - one change of the tree, kept until its watches are fired
 * @old: permissions before, if they were changed or the node was removed
 * @old_parent: of the removed node's parent
 * @removed: the removed subtree
 */
struct xst_change {
	struct xst_list link;
	struct xst_perms *old, *old_parent;
	struct xst_node *removed;
	char path[];
};

struct xst_change *xst_change_new(struct xst_list *list, const char *path);
void xst_change_free(struct xst_change *change);
void xst_changes_free(struct xst_list *list);

/**
 * struct xst_msg - bytes for the client, or an event for a callback
 * @refs: the queue's, the watch's (its @whole) and the dispatcher's
 * @event: an event, not a reply
 * @watch: an event's; NULL when it was removed
 * @pending: link in struct xst_conn.pending, if @merging
 * @path: where an event's path begins in @data
 */
struct xst_msg {
	struct xst_list link;
	struct xst_hlink pending;
	struct xst_watch *watch;
	unsigned int refs;
	bool event, queued, merging;
	uint32_t path;
	size_t len, sent;
	char data[];
};

/**
 * struct xst_watch - a watch
 * @whole: the event with the watched path itself, always allocated: it is the first event, and what
 *	   others are merged into when too many are queued or memory is short
 * @again: queue @whole once more when it has been sent
 * @base: length of the prefix that event paths leave out, for relative watches
 */
struct xst_watch {
	struct xst_hlink hlink; /* struct xst_store.watches, by path */
	struct xst_list link; /* struct xst_conn.watches */
	struct xst_conn *conn;
	struct xst_msg *whole;
	bool again;
	size_t base;
	xst_watch_fn fn; /* in-process connections */
	void *opaque;
	char *token; /* behind @path */
	char path[];
};

/** xst_watch_add() - add a watch; *watch is set if not NULL. xst_watch_queue() comes next. */
int xst_watch_add(struct xst_conn *conn, const char *path, const char *token, xst_watch_fn fn,
		  void *opaque, struct xst_watch **watch);
/** xst_watch_remove() - remove the watch a client set with this path and token. */
int xst_watch_remove(struct xst_conn *conn, const char *path, const char *token);
/** xst_watch_queue() - queue the event that names the watched path itself. */
void xst_watch_queue(struct xst_watch *watch);
/** xst_watch_sent() - the last byte of @watch's @whole event went out. */
void xst_watch_sent(struct xst_watch *watch);
void xst_watch_clear(struct xst_conn *conn);
/** xst_changes_fire() - queue events for the changes made to the live tree, and free them. */
void xst_changes_fire(struct xst_store *store, struct xst_list *list);

enum xst_special { XST_INTRODUCE_DOMAIN, XST_RELEASE_DOMAIN, XST_SPECIALS };
void xst_special_fire(struct xst_store *store, enum xst_special which);
/** xst_special_find() - which special node @path is, or -1. */
int xst_special_find(const char *path);

/* ---- node.c: the operations, in or out of a transaction ---- */

/** struct xst_op - whose operation it is and where it runs; @changes collects what it changed */
struct xst_op {
	struct xst_store *store;
	struct xst_conn *conn;
	struct xst_tx *tx;
	struct xst_view *view;
	struct xst_list *changes;
};

/** xst_op_find() - the node at @path (as the client wrote it) if @access is allowed. */
int xst_op_find(const struct xst_op *op, const char *path, unsigned int access, unsigned int note,
		struct xst_node **node);
int xst_op_perms(const struct xst_op *op, const char *path, struct xst_perms **perms);
int xst_op_write(const struct xst_op *op, const char *path, const void *value, size_t len);
int xst_op_mkdir(const struct xst_op *op, const char *path);
int xst_op_rm(const struct xst_op *op, const char *path);
int xst_op_set_perms(const struct xst_op *op, const char *path, struct xst_perms *perms);

/** enum xst_note - what of a path a transaction depends on */
enum xst_note {
	XST_NOTE_EXISTS = 1, /* that it is there, or not */
	XST_NOTE_SELF = 2, /* value and permissions */
	XST_NOTE_LIST = 4, /* the list of its children */
	XST_NOTE_ALL = 8, /* everything below it */
};

/* ---- transaction.c ---- */

enum xst_edit { XST_EDIT_WRITE, XST_EDIT_MKDIR, XST_EDIT_RM, XST_EDIT_SET_PERMS };

int xst_tx_start(struct xst_conn *conn, uint32_t *id);
/** xst_tx_end() - end and free @tx; what has to be fired is put into @changes. */
int xst_tx_end(struct xst_conn *conn, struct xst_tx *tx, bool commit, struct xst_list *changes);
struct xst_tx *xst_tx_find(const struct xst_conn *conn, uint32_t id);
struct xst_view *xst_tx_view(struct xst_tx *tx);
struct xst_list *xst_tx_changes(struct xst_tx *tx);
void xst_tx_clear(struct xst_conn *conn);
/** xst_tx_note() - remember that the result so far depends on @what of @path; 0 or -errno. */
int xst_tx_note(const struct xst_op *op, const char *path, unsigned int what);
/** xst_tx_log() - remember an edit that is about to be made; xst_tx_unlog() if it failed. */
int xst_tx_log(const struct xst_op *op, enum xst_edit type, const char *path,
	       struct xst_value *value, struct xst_perms *perms);
void xst_tx_unlog(const struct xst_op *op);
/** xst_tx_doom() - make every open transaction that wrote something fail with -EAGAIN. */
void xst_tx_doom(struct xst_store *store);

/* ---- conn.c ---- */

/** struct xst_input - the request being received */
struct xst_input {
	struct xsd_sockmsg hdr;
	size_t have; /* bytes of header and body */
	char body[XENSTORE_PAYLOAD_MAX + 1];
};

struct xst_conn {
	struct xst_list link; /* struct xst_store.conns */
	struct xst_list ready; /* struct xst_store.ready, when dispatch is due */
	struct xst_store *store;
	struct xst_domain *domain;
	const struct xst_conn_ops *ops;
	void *opaque;
	int error; /* no more input is taken */

	struct xst_list watches;
	struct xst_list transactions;
	struct xst_list out; /* struct xst_msg */
	struct xst_hash pending; /* events in @out that are not @whole, to merge equal ones */
	unsigned int events;
	size_t reply_bytes;
	struct xst_input *in; /* NULL for in-process connections */
};

static inline bool xst_privileged(const struct xst_conn *conn)
{
	return conn->domain->usage.domid == 0;
}

/**
 * xst_op_init() - an operation of @conn in transaction @id; 0 or -ENOENT
 * @changes: the caller's list, for operations outside a transaction
 *
 * xst_op_done() ends it.
 */
int xst_op_init(struct xst_op *op, struct xst_conn *conn, uint32_t id, struct xst_list *changes);
/** xst_op_done() - fire what the operation changed, or leave it to its transaction's end. */
void xst_op_done(const struct xst_op *op);

struct xst_msg *xst_msg_new(size_t len);
void xst_msg_put(struct xst_msg *msg);
void xst_conn_queue(struct xst_conn *conn, struct xst_msg *msg);
void xst_conn_unqueue(struct xst_conn *conn, struct xst_msg *msg);
/** xst_conn_reply() - queue a reply, or fail the connection when out of memory. */
void xst_conn_reply(struct xst_conn *conn, const struct xsd_sockmsg *req, uint32_t type,
		    const void *data, size_t len);

/* ---- wire.c ---- */

/** xst_wire_request() - carry out the complete request in conn->in and queue its answer. */
void xst_wire_request(struct xst_conn *conn);

/* ---- store.c ---- */

struct xst_store {
	const struct xst_store_ops *ops;
	void *opaque;
	struct xst_limits limits;
	uint32_t seed; /* of the hashes, so that clients cannot choose collisions */
	uint64_t gen;
	uint32_t last_tx;

	struct xst_view live;
	struct xst_perms *special[XST_SPECIALS];
	struct xst_hash watches;
	struct xst_list conns;
	struct xst_list ready;
	bool scheduled, dispatching;
	struct xst_conn *current; /* whose callback runs; NULL once it is freed */
};

/** xst_store_schedule() - dispatch is due for @conn. */
void xst_store_schedule(struct xst_conn *conn);

#endif /* XENSTORE_INTERNAL_H */
