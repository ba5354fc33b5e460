// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/decompress.h"

#include <errno.h>
#include <limits.h>
#include <lz4.h>
#include <lzma.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "hv/types.h"

/* What a corrupt header may make liblzma allocate */
#define LZMA_MEMORY_LIMIT (512ULL << 20)
#define LZ4_BLOCK_MAX (8U << 20)
#define GZIP_WINDOW (15 + 16)

static int unpack_gzip(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)in, .next_out = out };
	int ret;

	if (in_len > UINT_MAX || out_len > UINT_MAX)
		return -EILSEQ;
	z.avail_in = in_len;
	z.avail_out = out_len;
	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return -ENOMEM;
	ret = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return ret == Z_STREAM_END && !z.avail_out ? 0 : -EILSEQ;
}

static int unpack_lzma_stream(lzma_stream *z, lzma_ret ret, const uint8_t *in, size_t in_len,
			      uint8_t *out, size_t out_len)
{
	if (ret != LZMA_OK)
		return -ENOMEM;
	z->next_in = in;
	z->avail_in = in_len;
	z->next_out = out;
	z->avail_out = out_len;
	ret = lzma_code(z, LZMA_FINISH);
	lzma_end(z);
	if (ret == LZMA_MEM_ERROR || ret == LZMA_MEMLIMIT_ERROR)
		return -ENOMEM;
	/* Old .lzma streams may lack an end mark: then the output being full is the end. */
	return (ret == LZMA_STREAM_END || ret == LZMA_OK) && !z->avail_out ? 0 : -EILSEQ;
}

static int unpack_xz(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len)
{
	lzma_stream z = LZMA_STREAM_INIT;

	return unpack_lzma_stream(&z, lzma_stream_decoder(&z, LZMA_MEMORY_LIMIT, 0), in, in_len,
				  out, out_len);
}

static int unpack_lzma(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len)
{
	lzma_stream z = LZMA_STREAM_INIT;

	return unpack_lzma_stream(&z, lzma_alone_decoder(&z, LZMA_MEMORY_LIMIT), in, in_len, out,
				  out_len);
}

static int unpack_zstd(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len)
{
	size_t frame = ZSTD_findFrameCompressedSize(in, in_len);
	size_t n;

	if (ZSTD_isError(frame))
		return -EILSEQ;
	n = ZSTD_decompress(out, out_len, in, frame);
	return ZSTD_isError(n) || n != out_len ? -EILSEQ : 0;
}

/* The legacy format: after the magic, blocks with their packed size before them. */
static int unpack_lz4(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len)
{
	in += sizeof(uint32_t);
	in_len -= sizeof(uint32_t);
	while (out_len) {
		size_t room = out_len < LZ4_BLOCK_MAX ? out_len : LZ4_BLOCK_MAX;
		uint32_t size;
		int n;

		if (in_len < sizeof(size))
			return -EILSEQ;
		memcpy(&size, in, sizeof(size));
		in += sizeof(size);
		in_len -= sizeof(size);
		if (size > in_len || size > INT_MAX)
			return -EILSEQ;
		n = LZ4_decompress_safe((const char *)in, (char *)out, size, room);
		if (n <= 0)
			return -EILSEQ;
		in += size;
		in_len -= size;
		out += n;
		out_len -= n;
	}
	return 0;
}

static const struct format {
	const char *name;
	const char *magic;
	size_t magic_len;
	int (*unpack)(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len);
} formats[] = {
	{ "gzip", "\x1f\x8b", 2, unpack_gzip },
	{ "xz",
	  "\xfd"
	  "7zXZ\0",
	  6, unpack_xz },
	{ "zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd },
	{ "lz4", "\x02\x21\x4c\x18", 4, unpack_lz4 },
	{ "lzma", "\x5d\0\0", 3, unpack_lzma },
	{ "bzip2", "BZh", 3, NULL },
	{ "lzo", "\x89LZO", 4, NULL },
};

const char *decompress_formats(void)
{
	return "gzip, xz, zstd, lz4, lzma";
}

int decompress(const void *in, size_t in_len, void *out, size_t out_len, const char **name)
{
	*name = NULL;
	for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++) {
		const struct format *f = &formats[i];

		if (in_len < f->magic_len || memcmp(in, f->magic, f->magic_len))
			continue;
		*name = f->name;
		return f->unpack ? f->unpack(in, in_len, out, out_len) : -ENOTSUP;
	}
	return -ENOTSUP;
}
