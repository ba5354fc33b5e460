// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * paravane bench: runs tests/bench/bench, which lies beside the program in the source tree, or where the program
 * has been installed.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hv/cmd.h"
#include "hv/log.h"
#include "hv/types.h"

static const char *const places[] = { "../tests/bench/bench",
				      "../share/paravane/tests/bench/bench" };

int cmd_bench(int argc, char **argv)
{
	char program[PATH_MAX] = "", path[PATH_MAX + 64];

	(void)argc;
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) > 0)
		*strrchr(program, '/') = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), "%s/%s", program, places[i]);
		execv(path, argv);
		if (errno != ENOENT)
			break;
	}
	pr_err("bench: %s: %s (it belongs to the source tree)", path, strerror(errno));
	return EXIT_SETUP;
}
