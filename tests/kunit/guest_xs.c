// SPDX-License-Identifier: GPL-2.0-only
/*
 * <paravane/xs.h>: building messages, and taking apart what anybody may have sent.
 */
#include "tests/kunit/case.h"

#include <paravane/xs.h>

static struct paravane_xs_msg msg;
static char big[XENSTORE_PAYLOAD_MAX + 1];

CASE(path_and_value)
{
	paravane_xs_msg_init(&msg, XS_WRITE, 42);
	paravane_xs_msg_path(&msg, "device/vbd/51712", "state");
	paravane_xs_msg_add(&msg, "4", 1);
	CHECK_EQ(msg.err, 0);
	CHECK_EQ(msg.hdr.type, XS_WRITE);
	CHECK_EQ(msg.hdr.tx_id, 42);
	CHECK_EQ(msg.hdr.len, sizeof("device/vbd/51712/state") + 1);
	CHECK_STR(msg.body, "device/vbd/51712/state");
	CHECK_EQ(msg.body[msg.hdr.len - 1], '4');
}

CASE(path_without_node)
{
	paravane_xs_msg_init(&msg, XS_DIRECTORY, 0);
	paravane_xs_msg_path(&msg, "device", "");
	CHECK_STR(msg.body, "device");
	CHECK_EQ(msg.hdr.len, sizeof("device"));

	paravane_xs_msg_init(&msg, XS_TRANSACTION_START, 0);
	paravane_xs_msg_path(&msg, "", "");
	CHECK_EQ(msg.hdr.len, 1);
	CHECK_EQ(msg.body[0], 0);
}

CASE(full_message_and_one_byte_more)
{
	memset(big, 'x', sizeof(big));
	paravane_xs_msg_init(&msg, XS_WRITE, 0);
	paravane_xs_msg_add(&msg, big, XENSTORE_PAYLOAD_MAX);
	CHECK_EQ(msg.err, 0);
	paravane_xs_msg_add(&msg, big, 1);
	CHECK_EQ(msg.err, -E2BIG);
	CHECK_EQ(msg.hdr.len, XENSTORE_PAYLOAD_MAX);
	paravane_xs_msg_init(&msg, XS_WRITE, 0);
	paravane_xs_msg_add(&msg, big, sizeof(big));
	CHECK_EQ(msg.err, -E2BIG);
	CHECK_EQ(msg.hdr.len, 0);
}

CASE(long_paths)
{
	memset(big, 'x', sizeof(big));
	big[XENSTORE_REL_PATH_MAX] = 0;
	paravane_xs_msg_init(&msg, XS_READ, 0);
	paravane_xs_msg_path(&msg, big, "y");
	CHECK_EQ(msg.err, -ENAMETOOLONG);
	big[0] = '/';
	paravane_xs_msg_init(&msg, XS_READ, 0);
	paravane_xs_msg_path(&msg, big, "y");
	CHECK_EQ(msg.err, 0);
}

CASE(headers)
{
	struct xsd_sockmsg hdr = { .type = XS_READ, .len = XENSTORE_PAYLOAD_MAX };

	CHECK_EQ(paravane_xs_header_check(&hdr), 0);
	hdr.len++;
	CHECK_EQ(paravane_xs_header_check(&hdr), -EPROTO);
	hdr.len = 0;
	hdr.type = XS_TYPE_COUNT;
	CHECK_EQ(paravane_xs_header_check(&hdr), -EPROTO);
}

CASE(errors)
{
	CHECK_EQ(paravane_xs_error("ENOENT", 7), -ENOENT);
	CHECK_EQ(paravane_xs_error("EAGAIN", 7), -EAGAIN);
	CHECK_EQ(paravane_xs_error("EQUOTA", 7), -EIO);
	CHECK_EQ(paravane_xs_error("ENOENT", 6), -EPROTO);
	CHECK_EQ(paravane_xs_error("", 0), -EPROTO);
	CHECK_EQ(paravane_xs_error("", 1), -EIO);
}

CASE(events)
{
	const char *path, *token;

	CHECK_EQ(paravane_xs_event("a/b\0t", 6, &path, &token), 0);
	CHECK_STR(path, "a/b");
	CHECK_STR(token, "t");
	CHECK_EQ(paravane_xs_event("a\0", 3, &path, &token), 0);
	CHECK_STR(token, "");
	CHECK_EQ(paravane_xs_event("a/b", 4, &path, &token), -EPROTO);
	CHECK_EQ(paravane_xs_event("a/b\0t", 5, &path, &token), -EPROTO);
	CHECK_EQ(paravane_xs_event("", 0, &path, &token), -EPROTO);
}

CASE(lists)
{
	CHECK_EQ(paravane_xs_strings("", 0), 0);
	CHECK_EQ(paravane_xs_strings("a\0b", 4), 2);
	CHECK_EQ(paravane_xs_strings("a\0b", 3), -EPROTO);
}

CASE(parts_of_a_directory)
{
	const char *names;
	unsigned int len;

	CHECK_EQ(paravane_xs_part("17\0a\0bc", 8, &names, &len), 0);
	CHECK_EQ(len, 5);
	CHECK_STR(names, "a");
	CHECK_EQ(paravane_xs_part("17\0a\0", 6, &names, &len), 1);
	CHECK_EQ(len, 2);
	CHECK_EQ(paravane_xs_part("17\0", 4, &names, &len), 1);
	CHECK_EQ(len, 0);
	/* neither a name nor the end: one could ask for ever */
	CHECK_EQ(paravane_xs_part("17", 3, &names, &len), -EPROTO);
	CHECK_EQ(paravane_xs_part("17\0a", 4, &names, &len), -EPROTO);
	CHECK_EQ(paravane_xs_part("", 0, &names, &len), -EPROTO);
}

CASE(tokens)
{
	char token[17];

	paravane_xs_token(token, 0);
	CHECK_STR(token, "0000000000000000");
	paravane_xs_token(token, 0x0123456789abcdefULL);
	CHECK_STR(token, "0123456789abcdef");
}

#define CASES(X)                          \
	X(path_and_value)                 \
	X(path_without_node)              \
	X(full_message_and_one_byte_more) \
	X(long_paths)                     \
	X(headers)                        \
	X(errors)                         \
	X(events)                         \
	X(lists)                          \
	X(parts_of_a_directory)           \
	X(tokens)

SUITE(guest_xs, CASES);
