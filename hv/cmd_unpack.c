// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * paravane unpack: the ELF kernel inside a bzImage, for debuggers and for loaders that want an ELF.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hv/boot.h"
#include "hv/cmd.h"
#include "hv/log.h"

#define CHUNK (1 << 20)

static int unpack_to(const struct kernel *kernel, int fd)
{
	uint8_t *buf = malloc(CHUNK);
	uint64_t at = 0;
	int ret = buf ? 0 : -ENOMEM;

	while (!ret && at < kernel->size) {
		size_t len = kernel->size - at < CHUNK ? kernel->size - at : CHUNK;
		ssize_t n;

		ret = kernel_read(kernel, at, buf, len);
		if (ret)
			break;
		n = write(fd, buf, len);
		if (n < 0)
			ret = -errno;
		else
			at += n;
	}
	free(buf);
	/* Not before: the file may be the kernel itself. What is no file cannot be cut. */
	if (!ret && ftruncate(fd, at) && errno != EINVAL)
		ret = -errno;
	return ret;
}

int cmd_unpack(int argc, char **argv)
{
	struct kernel kernel;
	int fd, ret;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		printf("usage: paravane unpack KERNEL OUT\n\n"
		       "Writes the ELF kernel inside the bzImage KERNEL to the file OUT.\n\n"
		       "Exit status: 0 done, 2 it cannot be done.\n");
		return EXIT_DONE;
	}
	if (argc > 1 && *argv[1] == '-') {
		pr_err("unpack: unknown option %s (see paravane unpack --help)", argv[1]);
		return EXIT_SETUP;
	}
	if (argc > 3) {
		pr_err("unpack: unexpected argument %s (see paravane unpack --help)", argv[3]);
		return EXIT_SETUP;
	}
	if (argc < 3) {
		pr_err("unpack needs a kernel and a file to write: paravane unpack KERNEL OUT");
		return EXIT_SETUP;
	}
	if (kernel_open(argv[1], &kernel))
		return EXIT_SETUP;
	fd = open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ret = fd < 0 ? -errno : unpack_to(&kernel, fd);
	if (fd >= 0 && close(fd) && !ret)
		ret = -errno;
	if (ret)
		pr_err("cannot write %s: %s", argv[2], strerror(-ret));
	kernel_close(&kernel);
	return ret ? EXIT_SETUP : EXIT_DONE;
}
