// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A transaction works on a snapshot that shares its nodes with the live tree. It notes what it
 * depended on and logs its edits. At commit, if the live tree moved on, the notes are compared with
 * it and the edits are made again on top of it; if it did not, the snapshot becomes the live tree.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore/internal.h"

struct note {
	struct xst_hlink hlink;
	struct note *next;
	unsigned int what; /* XST_NOTE_* */
	char path[];
};

struct edit {
	struct edit *prev; /* the log is kept last first and turned round for the replay */
	enum xst_edit type;
	struct xst_value *value;
	struct xst_perms *perms;
	size_t cost;
	char path[];
};

/**
 * struct xst_tx - an open transaction
 * @base: the live tree's root when it began
 * @view: the snapshot with its own changes, and by how much they change the accounts
 * @changes: struct xst_change to fire when it commits
 * @memory: bytes charged to the domain
 * @doomed: must not commit edits any more
 */
struct xst_tx {
	struct xst_list link;
	uint32_t id;
	bool doomed;
	struct xst_node *base;
	struct xst_view view;
	struct xst_hash notes;
	struct note *all_notes;
	struct edit *log;
	struct xst_list changes;
	size_t memory;
};

struct xst_view *xst_tx_view(struct xst_tx *tx)
{
	return &tx->view;
}

struct xst_list *xst_tx_changes(struct xst_tx *tx)
{
	return &tx->changes;
}

struct xst_tx *xst_tx_find(const struct xst_conn *conn, uint32_t id)
{
	struct xst_list *pos, *tmp;

	xst_list_for_each(pos, tmp, &conn->transactions)
	{
		struct xst_tx *tx = xst_entry(pos, struct xst_tx, link);

		if (tx->id == id)
			return tx;
	}
	return NULL;
}

int xst_tx_start(struct xst_conn *conn, uint32_t *id)
{
	struct xst_store *store = conn->store;
	struct xst_tx *tx;

	if (!xst_privileged(conn) && conn->domain->transactions >= store->limits.transactions)
		return -ENOSPC;
	tx = calloc(1, sizeof(*tx));
	if (!tx)
		return -ENOMEM;
	do
		tx->id = ++store->last_tx;
	while (!tx->id || xst_tx_find(conn, tx->id));
	tx->base = store->live.root;
	tx->view.root = store->live.root;
	tx->base->refs += 2;
	xst_list_init(&tx->changes);
	xst_list_append(&conn->transactions, &tx->link);
	conn->domain->transactions++;
	*id = tx->id;
	return 0;
}

static void edit_free(struct edit *edit)
{
	xst_value_put(edit->value);
	xst_perms_put(edit->perms);
	free(edit);
}

static void tx_free(struct xst_conn *conn, struct xst_tx *tx)
{
	struct note *note;
	struct edit *edit;

	conn->domain->transactions--;
	conn->domain->usage.memory -= tx->memory;
	xst_list_remove(&tx->link);
	while ((note = tx->all_notes)) {
		tx->all_notes = note->next;
		free(note);
	}
	while ((edit = tx->log)) {
		tx->log = edit->prev;
		edit_free(edit);
	}
	xst_hash_free(&tx->notes);
	xst_changes_free(&tx->changes);
	xst_usage_free(&tx->view);
	xst_node_put(tx->view.root);
	xst_node_put(tx->base);
	free(tx);
}

void xst_tx_clear(struct xst_conn *conn)
{
	while (!xst_list_empty(&conn->transactions))
		tx_free(conn, xst_entry(conn->transactions.next, struct xst_tx, link));
}

void xst_tx_doom(struct xst_store *store)
{
	struct xst_list *pos, *tmp, *pos2, *tmp2;

	xst_list_for_each(pos, tmp, &store->conns)
	{
		struct xst_conn *conn = xst_entry(pos, struct xst_conn, link);

		xst_list_for_each(pos2, tmp2, &conn->transactions)
			xst_entry(pos2, struct xst_tx, link)
				->doomed = true;
	}
}

/* ---- what happens inside ---- */

static int charge(const struct xst_op *op, size_t bytes)
{
	struct xst_domain *domain = op->conn->domain;

	if (!xst_privileged(op->conn) &&
	    domain->usage.memory + (int64_t)bytes > (int64_t)op->store->limits.memory)
		return -ENOSPC;
	domain->usage.memory += bytes;
	op->tx->memory += bytes;
	return 0;
}

int xst_tx_note(const struct xst_op *op, const char *path, unsigned int what)
{
	struct xst_tx *tx = op->tx;
	struct xst_hlink *link;
	struct note *note;
	size_t len = strlen(path);
	uint32_t hash;
	int ret;

	if (!tx)
		return 0;
	hash = xst_hash_bytes(path, len, op->store->seed);
	for (link = xst_hash_first(&tx->notes, hash); link; link = xst_hash_next(link)) {
		note = xst_entry(link, struct note, hlink);
		if (!strcmp(note->path, path)) {
			note->what |= what;
			return 0;
		}
	}
	if (!xst_privileged(op->conn) && tx->notes.count >= op->store->limits.accessed)
		return -ENOSPC;
	note = malloc(sizeof(*note) + len + 1);
	if (!note)
		return -ENOMEM;
	ret = charge(op, sizeof(*note) + len + 1);
	if (ret) {
		free(note);
		return ret;
	}
	note->what = what;
	strcpy(note->path, path);
	note->next = tx->all_notes;
	tx->all_notes = note;
	xst_hash_insert(&tx->notes, &note->hlink, hash);
	return 0;
}

int xst_tx_log(const struct xst_op *op, enum xst_edit type, const char *path,
	       struct xst_value *value, struct xst_perms *perms)
{
	size_t len = strlen(path) + 1, size = sizeof(struct edit) + len;
	struct edit *edit;
	int ret;

	if (!op->tx)
		return 0;
	edit = calloc(1, size);
	if (!edit)
		return -ENOMEM;
	/* The change to fire is kept as long, and about as large. */
	edit->cost = 2 * size + (value ? value->len : 0);
	ret = charge(op, edit->cost);
	if (ret) {
		free(edit);
		return ret;
	}
	edit->type = type;
	edit->value = value;
	edit->perms = perms ? xst_perms_get(perms) : NULL;
	if (value)
		value->refs++;
	memcpy(edit->path, path, len);
	edit->prev = op->tx->log;
	op->tx->log = edit;
	return 0;
}

void xst_tx_unlog(const struct xst_op *op)
{
	struct xst_tx *tx = op->tx;
	struct edit *edit;

	if (!tx)
		return;
	edit = tx->log;
	tx->log = edit->prev;
	tx->memory -= edit->cost;
	op->conn->domain->usage.memory -= edit->cost;
	edit_free(edit);
}

/* ---- commit ---- */

static bool conflicts(const struct xst_tx *tx, const struct note *note, struct xst_node *live)
{
	const struct xst_node *then = xst_tree_get(tx->base, note->path);
	const struct xst_node *now = xst_tree_get(live, note->path);

	if (then == now)
		return false;
	if (!then || !now)
		return true;
	/* Different nodes: something in or below this one was changed. */
	return note->what & XST_NOTE_ALL || (note->what & XST_NOTE_SELF && then->gen != now->gen) ||
	       (note->what & XST_NOTE_LIST && then->list_gen != now->list_gen);
}

static int replay_edit(const struct xst_op *op, const struct edit *edit)
{
	switch (edit->type) {
	case XST_EDIT_WRITE:
		return xst_op_write(op, edit->path, edit->value ? edit->value->data : NULL,
				    edit->value ? edit->value->len : 0);
	case XST_EDIT_MKDIR:
		return xst_op_mkdir(op, edit->path);
	case XST_EDIT_RM:
		return xst_op_rm(op, edit->path);
	case XST_EDIT_SET_PERMS:
		return xst_op_set_perms(op, edit->path, edit->perms);
	}
	return -EINVAL;
}

/* Turn the log, which is last first, round. */
static void log_reverse(struct xst_tx *tx)
{
	struct edit *edit = tx->log, *prev, *done = NULL;

	while (edit) {
		prev = edit->prev;
		edit->prev = done;
		done = edit;
		edit = prev;
	}
	tx->log = done;
}

/*
 * Make the edits again, on a new snapshot of the live tree, which replaces the transaction's own.
 * An edit that is not possible any more (permissions, limits) is a conflict too.
 */
static int replay(struct xst_conn *conn, struct xst_tx *tx)
{
	struct xst_store *store = conn->store;
	struct xst_op op = {
		.store = store,
		.conn = conn,
		.view = &tx->view,
		.changes = &tx->changes,
	};
	const struct edit *edit;
	int ret = 0;

	xst_changes_free(&tx->changes);
	xst_usage_free(&tx->view);
	xst_node_put(tx->view.root);
	tx->view.root = store->live.root;
	tx->view.root->refs++;
	log_reverse(tx);
	for (edit = tx->log; edit && !ret; edit = edit->prev)
		ret = replay_edit(&op, edit);
	return ret == -ENOMEM ? ret : ret ? -EAGAIN : 0;
}

/* Make the transaction's tree the live one. */
static int adopt(struct xst_store *store, struct xst_tx *tx)
{
	struct xst_usage *delta, *usage;
	struct xst_node *old = store->live.root;

	for (delta = tx->view.usage; delta; delta = delta->next) {
		if (!xst_usage_get(&store->live, delta->domid))
			return -ENOMEM;
	}
	for (delta = tx->view.usage; delta; delta = delta->next) {
		usage = xst_usage_get(&store->live, delta->domid);
		usage->nodes += delta->nodes;
		usage->memory += delta->memory;
	}
	store->live.root = tx->view.root;
	tx->view.root = old;
	return 0;
}

static int commit(struct xst_conn *conn, struct xst_tx *tx)
{
	struct xst_store *store = conn->store;
	const struct note *note;
	int ret;

	/* Having only looked at one state of the tree, it may as well have done so at its start. */
	if (!tx->log)
		return 0;
	if (tx->doomed)
		return -EAGAIN;
	if (store->live.root != tx->base) {
		for (note = tx->all_notes; note; note = note->next) {
			if (conflicts(tx, note, store->live.root))
				return -EAGAIN;
		}
		ret = replay(conn, tx);
		if (ret)
			return ret;
	}
	return adopt(store, tx);
}

int xst_tx_end(struct xst_conn *conn, struct xst_tx *tx, bool keep, struct xst_list *changes)
{
	int ret = keep ? commit(conn, tx) : 0;

	if (keep && !ret)
		xst_list_splice(changes, &tx->changes);
	tx_free(conn, tx);
	return ret;
}
