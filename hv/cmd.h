/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the command line, each in a file of its own: cmd_<verb>.c.
 */
#ifndef HV_CMD_H
#define HV_CMD_H

#include <stdbool.h>

/* Exit statuses of the program */
enum {
	EXIT_DONE = 0, /* the guest powered itself off; the command did what was asked */
	EXIT_GUEST = 1, /* the guest crashed or had to be ended */
	EXIT_SETUP = 2, /* what was asked cannot be done; one line said why */
};

/** cmd_run, ... - @argv starts with the verb; the exit status */
int cmd_run(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_unpack(int argc, char **argv);

/**
 * cmd_bad_option - say in one line what getopt_long() did not like
 * @letters: its short options; a long one that has none of them returns more than a char
 * @opt: what it returned, ':' or '?'
 * @word: argv[optind - 1]
 *
 * Return: -EINVAL.
 */
int cmd_bad_option(const char *verb, const char *letters, int opt, const char *word);

/**
 * cmd_guest_arguments - the arguments of list and info: [--json] [GUEST]
 * @help: printed if asked for
 * @json, @guest: set, @guest to NULL if none is named
 *
 * Return: 0; 1 after printing @help; -EINVAL after printing one line.
 */
int cmd_guest_arguments(int argc, char **argv, const char *help, bool *json, const char **guest);

#endif /* HV_CMD_H */
