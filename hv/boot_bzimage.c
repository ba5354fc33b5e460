// SPDX-License-Identifier: GPL-2.0-or-later
#include <asm/bootparam.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hv/boot.h"
#include "hv/decompress.h"
#include "hv/log.h"

#define BOOT_FLAG 0xaa55
#define HEADER_MAGIC 0x53726448 /* "HdrS" */
#define PROTOCOL_MIN 0x020c /* first with xloadflags */
#define SECTOR 512
#define KERNEL_SIZE_MAX (1ULL << 30)

static int bzimage_bad(const char *path, const char *why)
{
	pr_err("kernel %s: %s", path, why);
	return -ENOEXEC;
}

/* Unpack @payload, whose last four bytes are the size of the result. */
static int bzimage_inflate(const char *path, struct kernel *kernel, const uint8_t *payload,
			   uint32_t len)
{
	const char *format;
	uint32_t size;
	int ret;

	memcpy(&size, payload + len - sizeof(size), sizeof(size));
	if (size < sizeof(Elf64_Ehdr) || size > KERNEL_SIZE_MAX)
		size = sizeof(Elf64_Ehdr); /* Nonsense; what the format is still gets told. */
	kernel->data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (kernel->data == MAP_FAILED) {
		kernel->data = NULL;
		pr_err("kernel %s: no memory to unpack %u bytes", path, size);
		return -ENOMEM;
	}
	madvise(kernel->data, size, MADV_HUGEPAGE);
	kernel->size = size;
	ret = decompress(payload, len, kernel->data, size, &format);
	if (ret == -ENOTSUP && format)
		pr_err("kernel %s: compressed with %s, which is not supported (%s are)", path,
		       format, decompress_formats());
	else if (ret == -ENOTSUP)
		pr_err("kernel %s: unknown compression (%s are supported)", path,
		       decompress_formats());
	else if (ret == -ENOMEM)
		pr_err("kernel %s: no memory to unpack it", path);
	else if (ret)
		pr_err("kernel %s: corrupt %s data", path, format);
	return ret;
}

int bzimage_unpack(const char *path, struct kernel *kernel)
{
	struct setup_header hdr;
	uint64_t start;
	uint8_t *payload;
	int ret;

	if (kernel_read(kernel, offsetof(struct boot_params, hdr), &hdr, sizeof(hdr)) ||
	    hdr.boot_flag != BOOT_FLAG || hdr.header != HEADER_MAGIC)
		return 1;
	if (hdr.version < PROTOCOL_MIN)
		return bzimage_bad(path, "a bzImage of a boot protocol before 2.12");
	if (!(hdr.xloadflags & XLF_KERNEL_64))
		return bzimage_bad(path, "a 32-bit kernel; 64-bit x86 is needed");
	start = ((hdr.setup_sects ? hdr.setup_sects : 4) + 1ULL) * SECTOR + hdr.payload_offset;
	if (hdr.payload_length <= sizeof(uint32_t) || start > kernel->size ||
	    hdr.payload_length > kernel->size - start)
		return bzimage_bad(path, "a truncated bzImage: its payload ends beyond the file");
	payload = malloc(hdr.payload_length);
	if (!payload) {
		pr_err("kernel %s: no memory for its payload", path);
		return -ENOMEM;
	}
	ret = kernel_read(kernel, start, payload, hdr.payload_length);
	if (ret)
		pr_err("kernel %s: cannot read its payload: %s", path, strerror(-ret));
	else
		ret = bzimage_inflate(path, kernel, payload, hdr.payload_length);
	free(payload);
	return ret;
}
