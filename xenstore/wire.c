// SPDX-License-Identifier: GPL-2.0-or-later
/* The wire protocol: <xen-public/io/xs_wire.h>. Error names exist only here. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore/internal.h"

/**
 * struct request - a request being carried out
 * @op: whose and where; its changes are fired after the answer was queued
 * @body: @len bytes, followed by a NUL byte
 * @reply: @reply_len bytes to answer with, if @replied, otherwise "OK"
 * @watch: a new watch, whose first event follows the answer
 */
struct request {
	struct xst_op op;
	struct xst_list changes;
	const char *body;
	size_t len;
	bool replied;
	size_t reply_len;
	char reply[XENSTORE_PAYLOAD_MAX];
	struct xst_watch *watch;
};

static int answer(struct request *req, const void *data, size_t len)
{
	if (len > sizeof(req->reply) - req->reply_len)
		return -E2BIG;
	memcpy(req->reply + req->reply_len, data, len);
	req->reply_len += len;
	req->replied = true;
	return 0;
}

static int answer_string(struct request *req, const char *text)
{
	return answer(req, text, strlen(text) + 1);
}

/* The first @max NUL-terminated strings of the body; returns how many there are of them. */
static unsigned int split(const struct request *req, const char **strings, unsigned int max)
{
	const char *at = req->body, *end = req->body + req->len;
	unsigned int count = 0;

	while (count < max && at < end) {
		size_t len = strlen(at);

		if (at + len == end)
			break;
		strings[count++] = at;
		at += len + 1;
	}
	return count;
}

/* The body as one string, NULL if it is not exactly that. */
static const char *only_string(const struct request *req)
{
	return req->len && strlen(req->body) + 1 == req->len ? req->body : NULL;
}

static int parse_domid(const char *text, domid_t *domid)
{
	uint64_t value;

	if (!text || xst_parse_u64(text, UINT16_MAX, &value))
		return -EINVAL;
	*domid = value;
	return 0;
}

/* ---- nodes ---- */

static int do_read(struct request *req)
{
	const char *path = only_string(req);
	struct xst_node *node;
	int ret;

	if (!path)
		return -EINVAL;
	ret = xst_op_find(&req->op, path, XST_PERM_READ, XST_NOTE_SELF, &node);
	if (ret)
		return ret;
	return answer(req, node->value ? node->value->data : "", xst_node_len(node));
}

static int find_list(struct request *req, const char *path, struct xst_node **node)
{
	return xst_op_find(&req->op, path, XST_PERM_READ, XST_NOTE_SELF | XST_NOTE_LIST, node);
}

static int do_directory(struct request *req)
{
	const char *path = only_string(req);
	struct xst_node *node;
	uint32_t i;
	int ret;

	ret = path ? find_list(req, path, &node) : -EINVAL;
	if (ret)
		return ret;
	if (node->names > sizeof(req->reply))
		return -E2BIG;
	req->replied = true;
	for (i = 0; i < node->count; i++)
		answer_string(req, node->child[i]->name);
	return 0;
}

/* "<generation>|<names from this offset on>|", and one more NUL byte behind the last name. */
static int do_directory_part(struct request *req)
{
	const char *arg[2];
	struct xst_node *node;
	uint64_t offset, at = 0;
	char gen[24];
	uint32_t i;
	int ret;

	if (split(req, arg, 2) != 2 || xst_parse_u64(arg[1], UINT32_MAX, &offset))
		return -EINVAL;
	ret = find_list(req, arg[0], &node);
	if (ret)
		return ret;
	snprintf(gen, sizeof(gen), "%" PRIu64,
		 node->gen > node->list_gen ? node->gen : node->list_gen);
	answer_string(req, gen);
	for (i = 0; i < node->count; i++) {
		const char *name = node->child[i]->name;
		size_t len = strlen(name) + 1, skip = 0;

		if (at < offset)
			skip = offset - at < len ? offset - at : len;
		/* Room stays for the byte that marks the end. */
		if (len - skip > sizeof(req->reply) - 1 - req->reply_len)
			return 0;
		answer(req, name + skip, len - skip);
		at += len;
	}
	return answer(req, "", 1);
}

static int do_write(struct request *req)
{
	const char *path;
	size_t skip;

	if (!split(req, &path, 1))
		return -EINVAL;
	skip = strlen(path) + 1;
	return xst_op_write(&req->op, path, path + skip, req->len - skip);
}

static int do_mkdir(struct request *req)
{
	const char *path = only_string(req);

	return path ? xst_op_mkdir(&req->op, path) : -EINVAL;
}

static int do_rm(struct request *req)
{
	const char *path = only_string(req);

	return path ? xst_op_rm(&req->op, path) : -EINVAL;
}

static int do_get_perms(struct request *req)
{
	const char *path = only_string(req);
	struct xst_perms *perms;
	char text[XST_PERM_TEXT];
	unsigned int i;
	int ret;

	ret = path ? xst_op_perms(&req->op, path, &perms) : -EINVAL;
	for (i = 0; !ret && i < perms->count; i++) {
		xst_perm_format(&perms->entry[i], text);
		ret = answer_string(req, text);
	}
	return ret;
}

/* A permission takes at least three bytes of the payload. */
#define PERMS_MAX (XENSTORE_PAYLOAD_MAX / 3)

static int do_set_perms(struct request *req)
{
	const char *arg[1 + PERMS_MAX];
	struct xst_perm entry[PERMS_MAX];
	unsigned int count = split(req, arg, 1 + PERMS_MAX), i;
	struct xst_perms *perms;
	int ret;

	if (count < 2)
		return -EINVAL;
	for (i = 1; i < count; i++) {
		if (xst_perm_parse(arg[i], &entry[i - 1]))
			return -EINVAL;
	}
	perms = xst_perms_new(entry, count - 1);
	if (!perms)
		return -ENOMEM;
	ret = xst_op_set_perms(&req->op, arg[0], perms);
	xst_perms_put(perms);
	return ret;
}

/* ---- watches and transactions ---- */

static int do_watch(struct request *req)
{
	const char *arg[2];

	if (split(req, arg, 2) != 2)
		return -EINVAL;
	return xst_watch_add(req->op.conn, arg[0], arg[1], NULL, NULL, &req->watch);
}

static int do_unwatch(struct request *req)
{
	const char *arg[2];

	if (split(req, arg, 2) != 2)
		return -EINVAL;
	return xst_watch_remove(req->op.conn, arg[0], arg[1]);
}

/* The transaction the request came in is gone. */
static void leave_transaction(struct request *req)
{
	req->op.tx = NULL;
	req->op.view = &req->op.store->live;
	req->op.changes = &req->changes;
}

static int do_reset_watches(struct request *req)
{
	leave_transaction(req);
	xst_tx_clear(req->op.conn);
	xst_watch_clear(req->op.conn);
	return 0;
}

static int do_transaction_start(struct request *req)
{
	char text[12];
	uint32_t id;
	int ret;

	if (req->op.tx)
		return -EBUSY;
	ret = xst_tx_start(req->op.conn, &id);
	if (ret)
		return ret;
	snprintf(text, sizeof(text), "%" PRIu32, id);
	return answer_string(req, text);
}

static int do_transaction_end(struct request *req)
{
	const char *arg = only_string(req);
	struct xst_tx *tx = req->op.tx;

	if (!arg || (strcmp(arg, "T") && strcmp(arg, "F")))
		return -EINVAL;
	if (!tx)
		return -ENOENT;
	leave_transaction(req);
	return xst_tx_end(req->op.conn, tx, *arg == 'T', req->op.changes);
}

/* ---- domains ---- */

static int do_introduce(struct request *req)
{
	struct xst_store *store = req->op.store;
	uint64_t port, gfn;
	const char *arg[3];
	domid_t domid;
	bool minus;
	int ret;

	if (split(req, arg, 3) != 3 || parse_domid(arg[0], &domid) ||
	    xst_parse_u64(arg[2], UINT32_MAX, &port))
		return -EINVAL;
	/* The page number is signed. */
	minus = *arg[1] == '-';
	if (xst_parse_u64(arg[1] + minus, INT64_MAX, &gfn))
		return -EINVAL;
	if (!domid || domid >= DOMID_FIRST_RESERVED)
		return -EINVAL;
	if (!store->ops->introduce)
		return -ENOSYS;
	ret = store->ops->introduce(store->opaque, domid, minus ? -gfn : gfn, port);
	return ret ? ret : xst_domain_introduce(store, domid);
}

static int do_release(struct request *req)
{
	struct xst_store *store = req->op.store;
	domid_t domid;
	int ret;

	if (parse_domid(only_string(req), &domid) || !domid)
		return -EINVAL;
	if (!xst_domain_introduced(store, domid))
		return -ENOENT;
	if (!store->ops->release)
		return -ENOSYS;
	ret = store->ops->release(store->opaque, domid);
	return ret ? ret : xst_domain_release(store, domid);
}

static int do_resume(struct request *req)
{
	domid_t domid;

	if (parse_domid(only_string(req), &domid) || !domid)
		return -EINVAL;
	return xst_domain_resume(req->op.store, domid);
}

static int do_set_target(struct request *req)
{
	const char *arg[2];
	domid_t domid, target;

	if (split(req, arg, 2) != 2 || parse_domid(arg[0], &domid) || parse_domid(arg[1], &target))
		return -EINVAL;
	return xst_domain_set_target(req->op.store, domid, target);
}

static int do_get_domain_path(struct request *req)
{
	char home[XST_HOME_MAX];
	domid_t domid;

	if (parse_domid(only_string(req), &domid))
		return -EINVAL;
	return answer_string(req, xst_domain_home(domid, home));
}

static int do_is_domain_introduced(struct request *req)
{
	domid_t domid;

	if (parse_domid(only_string(req), &domid))
		return -EINVAL;
	return answer_string(
		req,
		domid == DOMID_SELF || xst_domain_introduced(req->op.store, domid) ? "T" : "F");
}

/* ---- control ---- */

static int control_check(struct request *req, const char *arg)
{
	const char *why;
	int ret = xst_store_check(req->op.store, &why);

	(void)arg;
	return ret == -EIO ? answer_string(req, why) : ret;
}

static int control_print(struct request *req, const char *arg)
{
	const struct xst_store *store = req->op.store;

	if (!arg)
		return -EINVAL;
	if (store->ops->print)
		store->ops->print(store->opaque, arg);
	return 0;
}

/* What a domain uses, with its limits. */
static int control_quota(struct request *req, const char *arg)
{
	const struct xst_limits *limits = &req->op.store->limits;
	const struct xst_domain *domain;
	domid_t domid;
	char text[256];

	if (parse_domid(arg, &domid))
		return -EINVAL;
	domain = xst_domain_find(req->op.store, domid);
	if (!domain)
		return -ENOENT;
	snprintf(text, sizeof(text),
		 "nodes %" PRId64 " of %u\nwatches %u of %u\ntransactions %u of %u\n"
		 "memory %" PRId64 " of %zu\n",
		 domain->usage.nodes, limits->nodes, domain->watches, limits->watches,
		 domain->transactions, limits->transactions, domain->usage.memory, limits->memory);
	return answer_string(req, text);
}

static int control_help(struct request *req, const char *arg);

static const struct {
	const char *name, *help;
	int (*fn)(struct request *req, const char *arg);
} controls[] = {
	{ "help", "help", control_help },
	{ "check", "check", control_check },
	{ "print", "print <string>", control_print },
	{ "quota", "quota <domid>", control_quota },
};

#define NR_CONTROLS (sizeof(controls) / sizeof(controls[0]))

static int control_help(struct request *req, const char *arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < NR_CONTROLS; i++) {
		answer(req, controls[i].help, strlen(controls[i].help));
		answer(req, "\n", 1);
	}
	return answer(req, "", 1);
}

static int do_control(struct request *req)
{
	const char *arg[2];
	unsigned int count = split(req, arg, 2);
	size_t i;

	for (i = 0; count && i < NR_CONTROLS; i++) {
		if (!strcmp(controls[i].name, arg[0]))
			return controls[i].fn(req, count > 1 ? arg[1] : NULL);
	}
	return -EINVAL;
}

/* ---- dispatch ---- */

#define NO_TX 1u /* the request's transaction id is ignored */
#define PRIVILEGED 2u

static const struct {
	int (*fn)(struct request *req);
	unsigned int flags;
} handlers[XS_TYPE_COUNT] = {
	[XS_CONTROL] = { do_control, PRIVILEGED | NO_TX },
	[XS_DIRECTORY] = { do_directory, 0 },
	[XS_READ] = { do_read, 0 },
	[XS_GET_PERMS] = { do_get_perms, 0 },
	[XS_WATCH] = { do_watch, NO_TX },
	[XS_UNWATCH] = { do_unwatch, NO_TX },
	[XS_TRANSACTION_START] = { do_transaction_start, 0 },
	[XS_TRANSACTION_END] = { do_transaction_end, 0 },
	[XS_INTRODUCE] = { do_introduce, PRIVILEGED },
	[XS_RELEASE] = { do_release, PRIVILEGED },
	[XS_GET_DOMAIN_PATH] = { do_get_domain_path, 0 },
	[XS_WRITE] = { do_write, 0 },
	[XS_MKDIR] = { do_mkdir, 0 },
	[XS_RM] = { do_rm, 0 },
	[XS_SET_PERMS] = { do_set_perms, 0 },
	[XS_IS_DOMAIN_INTRODUCED] = { do_is_domain_introduced, PRIVILEGED },
	[XS_RESUME] = { do_resume, PRIVILEGED },
	[XS_SET_TARGET] = { do_set_target, PRIVILEGED },
	[XS_RESET_WATCHES] = { do_reset_watches, 0 },
	[XS_DIRECTORY_PART] = { do_directory_part, 0 },
};

static int carry_out(struct xst_conn *conn, struct request *req)
{
	const struct xsd_sockmsg *hdr = &conn->in->hdr;
	unsigned int flags;
	int ret;

	xst_list_init(&req->changes);
	if (hdr->type >= XS_TYPE_COUNT || !handlers[hdr->type].fn)
		return -ENOSYS;
	flags = handlers[hdr->type].flags;
	if (flags & PRIVILEGED && !xst_privileged(conn))
		return -EACCES;
	ret = xst_op_init(&req->op, conn, flags & NO_TX ? XST_NO_TX : hdr->tx_id, &req->changes);
	return ret ? ret : handlers[hdr->type].fn(req);
}

static const char *error_name(int error)
{
	size_t i;

	for (i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++) {
		if (xsd_errors[i].errnum == error)
			return xsd_errors[i].errstring;
	}
	return "EINVAL";
}

void xst_wire_request(struct xst_conn *conn)
{
	struct xst_input *in = conn->in;
	struct request req = { .body = in->body, .len = in->hdr.len };
	int ret;

	in->body[in->hdr.len] = '\0';
	in->have = 0;
	ret = carry_out(conn, &req);
	if (ret)
		xst_conn_reply(conn, &in->hdr, XS_ERROR, error_name(-ret),
			       strlen(error_name(-ret)) + 1);
	else if (req.replied)
		xst_conn_reply(conn, &in->hdr, in->hdr.type, req.reply, req.reply_len);
	else
		xst_conn_reply(conn, &in->hdr, in->hdr.type, "OK", sizeof("OK"));
	if (req.watch)
		xst_watch_queue(req.watch);
	xst_changes_fire(conn->store, &req.changes);
}
