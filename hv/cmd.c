// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "hv/log.h"

int cmd_bad_option(const char *verb, const char *letters, int opt, const char *word)
{
	if (opt == ':')
		pr_err("%s: %s needs a value (see paravane %s --help)", verb, word, verb);
	else if (!optopt)
		pr_err("%s: unknown option %s (see paravane %s --help)", verb, word, verb);
	/* A letter that is known is a long option's. */
	else if (optopt > UCHAR_MAX || strchr(letters, optopt))
		pr_err("%s: %.*s takes no value (see paravane %s --help)", verb,
		       (int)strcspn(word, "="), word, verb);
	else
		pr_err("%s: unknown option -%c (see paravane %s --help)", verb, optopt, verb);
	return -EINVAL;
}

int cmd_guest_arguments(int argc, char **argv, const char *help, bool *json, const char **guest)
{
	enum { JSON = UCHAR_MAX + 1 };
	static const char letters[] = ":h";
	static const struct option options[] = {
		{ "json", no_argument, NULL, JSON },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int opt;

	*json = false;
	*guest = NULL;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		if (opt == 'h') {
			fputs(help, stdout);
			return 1;
		}
		if (opt != JSON)
			return cmd_bad_option(argv[0], letters, opt, argv[optind - 1]);
		*json = true;
	}
	if (optind < argc)
		*guest = argv[optind++];
	if (optind < argc) {
		pr_err("%s: unexpected argument %s (see paravane %s --help)", argv[0], argv[optind],
		       argv[0]);
		return -EINVAL;
	}
	return 0;
}
