/* SPDX-License-Identifier: MIT */
/*
 * stream.h - one direction of a byte stream through a shared page.
 *
 * XenStore (struct xenstore_domain_interface) and the console (struct xencons_interface) carry
 * bytes, not entries: a power-of-two buffer, a producer index that the writer owns and a consumer
 * index that the reader owns, both running freely and masked only for addressing.
 *
 *	struct stream_writer out;
 *	struct stream_reader in;
 *
 *	err = stream_writer_attach(&out, intf->req, sizeof(intf->req),
 *				   &intf->req_cons, &intf->req_prod);
 *	err = stream_reader_attach(&in, intf->rsp, sizeof(intf->rsp),
 *				   &intf->rsp_cons, &intf->rsp_prod);
 *
 * As in ring.h an end's own index is private, the peer's is checked each time it is read, and an
 * impossible one breaks the stream for good: every later call says -EPROTO.
 *
 * These protocols have no notification thresholds: after a call that moved bytes in either
 * direction the caller notifies the peer, which may wait for data or for room. That is also why
 * no full barrier is needed here: nobody decides from an index not to notify.
 *
 * Locking: none here; a reader and a writer each need their caller's lock. No function sleeps.
 */
#ifndef RING_STREAM_H
#define RING_STREAM_H

#include "ring/env.h"

/* What a reader and a writer have in common. */
struct stream_end {
	char *buf;
	unsigned int size;
	unsigned int pos;
	bool broken;
};

/**
 * struct stream_reader - the end of a stream that takes bytes out
 * @end: for stream.h only
 * @cons: our index in the shared page
 * @prod: the peer's
 */
struct stream_reader {
	struct stream_end end;
	unsigned int *cons;
	const unsigned int *prod;
};

/**
 * struct stream_writer - the end of a stream that puts bytes in
 * @end: for stream.h only
 * @cons: the peer's index in the shared page
 * @prod: ours
 */
struct stream_writer {
	struct stream_end end;
	const unsigned int *cons;
	unsigned int *prod;
};

static inline int stream_end_init(struct stream_end *end, const void *buf, size_t size,
				  unsigned int pos)
{
	/* Byte counts are returned as int. */
	if (!size || size & (size - 1) || size > (1UL << 30))
		return -EINVAL;
	end->buf = (char *)buf;
	end->size = size;
	end->pos = pos;
	end->broken = false;
	return 0;
}

/* The bytes between producer and consumer, unless there can't be that many. */
static inline int stream_end_used(struct stream_end *end, unsigned int used)
{
	if (used > end->size)
		end->broken = true;
	return end->broken ? -EPROTO : (int)used;
}

/* Bytes up to the buffer's end from @pos on, at most @len. */
static inline size_t stream_end_run(const struct stream_end *end, unsigned int pos, size_t len)
{
	size_t run = end->size - (pos & (end->size - 1));

	return run < len ? run : len;
}

static inline char *stream_end_at(const struct stream_end *end, unsigned int pos)
{
	return end->buf + (pos & (end->size - 1));
}

/**
 * stream_readable() - bytes that can be read now
 * @reader: an attached reader
 *
 * Return: 0 to the buffer's size, or -EPROTO.
 */
static inline int stream_readable(struct stream_reader *reader)
{
	/* Pairs with the release of prod in the peer's stream_write(): bytes after their index. */
	unsigned int prod = env_load_acquire(reader->prod);

	return stream_end_used(&reader->end, prod - reader->end.pos);
}

/**
 * stream_writable() - bytes that can be written now
 * @writer: an attached writer
 *
 * Return: 0 to the buffer's size, or -EPROTO.
 */
static inline int stream_writable(struct stream_writer *writer)
{
	/* Pairs with the release of cons in the peer's stream_read(): it is done with that room. */
	unsigned int cons = env_load_acquire(writer->cons);
	int used = stream_end_used(&writer->end, writer->end.pos - cons);

	return used < 0 ? used : (int)writer->end.size - used;
}

/**
 * stream_reader_attach() - take up the reading end where the shared page says it is
 * @reader: to be filled in
 * @buf: the shared buffer; stays the caller's
 * @size: its bytes, a power of two
 * @cons: our index in the shared page; read here, afterwards only written
 * @prod: the peer's
 *
 * A stream may be under way already: firmware, an earlier kernel or an earlier load of the same
 * module used it. Two fresh ends start at zero.
 *
 * Return: 0, -EINVAL for a bad size, -EPROTO if the indices contradict each other.
 */
static inline int stream_reader_attach(struct stream_reader *reader, const void *buf, size_t size,
				       unsigned int *cons, const unsigned int *prod)
{
	int err = stream_end_init(&reader->end, buf, size, env_load(cons));

	if (err)
		return err;
	reader->cons = cons;
	reader->prod = prod;
	return stream_readable(reader) < 0 ? -EPROTO : 0;
}

/**
 * stream_writer_attach() - take up the writing end where the shared page says it is
 * @writer: to be filled in
 * @buf: the shared buffer; stays the caller's
 * @size: its bytes, a power of two
 * @cons: the peer's index in the shared page
 * @prod: ours; read here, afterwards only written
 *
 * Return: 0, -EINVAL for a bad size, -EPROTO if the indices contradict each other.
 */
static inline int stream_writer_attach(struct stream_writer *writer, void *buf, size_t size,
				       const unsigned int *cons, unsigned int *prod)
{
	int err = stream_end_init(&writer->end, buf, size, env_load(prod));

	if (err)
		return err;
	writer->cons = cons;
	writer->prod = prod;
	return stream_writable(writer) < 0 ? -EPROTO : 0;
}

/**
 * stream_read() - take out what is there
 * @reader: an attached reader
 * @data: where to
 * @len: bytes at most
 *
 * Return: bytes read, 0 if there are none, or -EPROTO. If not 0, the caller notifies the peer.
 */
static inline int stream_read(struct stream_reader *reader, void *data, size_t len)
{
	struct stream_end *end = &reader->end;
	int avail = stream_readable(reader);
	size_t run;

	if (avail <= 0)
		return avail;
	if (len > (size_t)avail)
		len = avail;
	run = stream_end_run(end, end->pos, len);
	env_copy_in(data, stream_end_at(end, end->pos), run);
	env_copy_in((char *)data + run, end->buf, len - run);
	end->pos += len;
	/* Pairs with the peer's acquire in stream_writable(): copied before it is given back. */
	env_store_release(reader->cons, end->pos);
	return len;
}

/**
 * stream_write() - put in what there is room for
 * @writer: an attached writer
 * @data: where from
 * @len: bytes at most
 *
 * Return: bytes written, 0 if there is no room, or -EPROTO. If not 0, the caller notifies the peer.
 */
static inline int stream_write(struct stream_writer *writer, const void *data, size_t len)
{
	struct stream_end *end = &writer->end;
	int room = stream_writable(writer);
	size_t run;

	if (room <= 0)
		return room;
	if (len > (size_t)room)
		len = room;
	run = stream_end_run(end, end->pos, len);
	env_copy_out(stream_end_at(end, end->pos), data, run);
	env_copy_out(end->buf, (const char *)data + run, len - run);
	end->pos += len;
	/* Pairs with the peer's acquire in stream_readable(): bytes before the index. */
	env_store_release(writer->prod, end->pos);
	return len;
}

#endif /* RING_STREAM_H */
