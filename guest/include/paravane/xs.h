/* SPDX-License-Identifier: MIT */
/*
 * XenStore messages: <xen-public/io/xs_wire.h>. A header, then len bytes of payload.
 *
 * Building never writes past the buffer, parsing never reads past the message: the other end may
 * say anything.
 */
#ifndef PARAVANE_XS_H
#define PARAVANE_XS_H

#include <paravane/xen.h>

/* A message at its largest. */
#define PARAVANE_XS_MSG_MAX (sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX)

/**
 * struct paravane_xs_msg - a message being built
 * @hdr: header; len counts the payload so far
 * @body: payload
 * @err: first error; later additions are ignored
 */
struct paravane_xs_msg {
	struct xsd_sockmsg hdr;
	char body[XENSTORE_PAYLOAD_MAX];
	int err;
};

/**
 * paravane_xs_msg_init() - start a message
 * @msg: message
 * @type: XS_*
 * @tx_id: transaction, or 0
 */
static inline void paravane_xs_msg_init(struct paravane_xs_msg *msg, uint32_t type, uint32_t tx_id)
{
	msg->hdr = (struct xsd_sockmsg){ .type = type, .tx_id = tx_id };
	msg->err = 0;
}

/**
 * paravane_xs_msg_add() - append bytes
 * @msg: message; @msg->err becomes -E2BIG if they do not fit
 * @data: bytes
 * @len: how many
 */
static inline void paravane_xs_msg_add(struct paravane_xs_msg *msg, const void *data, size_t len)
{
	if (msg->err)
		return;
	if (len > sizeof(msg->body) - msg->hdr.len) {
		msg->err = -E2BIG;
		return;
	}
	memcpy(msg->body + msg->hdr.len, data, len);
	msg->hdr.len += len;
}

/**
 * paravane_xs_msg_string() - append a string with its NUL
 * @msg: message
 * @s: string
 */
static inline void paravane_xs_msg_string(struct paravane_xs_msg *msg, const char *s)
{
	paravane_xs_msg_add(msg, s, strlen(s) + 1);
}

/**
 * paravane_xs_msg_path() - append a path with its NUL
 * @msg: message; @msg->err becomes -ENAMETOOLONG if the path is too long for XenStore
 * @dir: directory
 * @node: node below it, or "" for the directory itself
 */
static inline void paravane_xs_msg_path(struct paravane_xs_msg *msg, const char *dir,
					const char *node)
{
	size_t max = dir[0] == '/' ? XENSTORE_ABS_PATH_MAX : XENSTORE_REL_PATH_MAX;

	if (!msg->err && strlen(dir) + 1 + strlen(node) >= max)
		msg->err = -ENAMETOOLONG;
	paravane_xs_msg_add(msg, dir, strlen(dir));
	if (node[0]) {
		if (dir[0])
			paravane_xs_msg_add(msg, "/", 1);
		paravane_xs_msg_add(msg, node, strlen(node));
	}
	paravane_xs_msg_add(msg, "", 1);
}

/**
 * paravane_xs_header_check() - judge a header that came in
 * @hdr: header
 *
 * Return: 0; -EPROTO if the stream cannot be trusted any more.
 */
static inline int paravane_xs_header_check(const struct xsd_sockmsg *hdr)
{
	return hdr->type < XS_TYPE_COUNT && hdr->len <= XENSTORE_PAYLOAD_MAX ? 0 : -EPROTO;
}

/**
 * paravane_xs_error() - translate an XS_ERROR payload
 * @body: payload
 * @len: its length
 *
 * Return: -errno; -EIO for a name we do not know, -EPROTO if it is not a string.
 */
static inline int paravane_xs_error(const char *body, unsigned int len)
{
	unsigned int i;

	if (!len || body[len - 1])
		return -EPROTO;
	for (i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++) {
		if (!strcmp(body, xsd_errors[i].errstring))
			return -xsd_errors[i].errnum;
	}
	return -EIO;
}

/**
 * paravane_xs_event() - take an XS_WATCH_EVENT payload apart
 * @body: payload: path, NUL, token, NUL
 * @len: its length
 * @path: points into @body
 * @token: points into @body
 *
 * Return: 0 or -EPROTO.
 */
static inline int paravane_xs_event(const char *body, unsigned int len, const char **path,
				    const char **token)
{
	size_t first;

	if (!len || body[len - 1])
		return -EPROTO;
	first = strlen(body) + 1;
	if (first >= len)
		return -EPROTO;
	*path = body;
	*token = body + first;
	return 0;
}

/**
 * paravane_xs_strings() - count the strings of a payload
 * @body: payload
 * @len: its length
 *
 * Return: how many, or -EPROTO if the last one does not end.
 */
static inline int paravane_xs_strings(const char *body, unsigned int len)
{
	unsigned int i;
	int count = 0;

	if (len && body[len - 1])
		return -EPROTO;
	for (i = 0; i < len; i++)
		count += !body[i];
	return count;
}

/**
 * paravane_xs_part() - take the answer to XS_DIRECTORY_PART apart
 * @body: payload: the list's generation, NUL, whole names with their NULs; an empty one ends the
 *	list
 * @len: its length
 * @names: points into @body
 * @names_len: length of the names, the empty one left out
 *
 * Return: 1 for the last part, 0 if there is more, or -EPROTO.
 */
static inline int paravane_xs_part(const char *body, unsigned int len, const char **names,
				   unsigned int *names_len)
{
	size_t skip;

	if (!len || body[len - 1])
		return -EPROTO;
	skip = strlen(body) + 1;
	if (skip >= len)
		return -EPROTO;
	*names = body + skip;
	*names_len = len - skip;
	if (*names_len > 1 && body[len - 2])
		return 0;
	--*names_len;
	return 1;
}

/**
 * paravane_xs_token() - write a watch token: 16 hexadecimal digits and a NUL
 * @token: 17 bytes
 * @id: number
 */
static inline void paravane_xs_token(char *token, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		token[i] = "0123456789abcdef"[id >> (60 - 4 * i) & 15];
	token[16] = 0;
}

#endif /* PARAVANE_XS_H */
