/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the command line, each in a file of its own: cmd_<verb>.c.
 */
#ifndef HV_CMD_H
#define HV_CMD_H

/* Exit statuses of the program */
enum {
	EXIT_DONE = 0, /* the guest powered itself off; the command did what was asked */
	EXIT_GUEST = 1, /* the guest crashed or had to be ended */
	EXIT_SETUP = 2, /* what was asked cannot be done; one line said why */
};

/** cmd_run, ... - @argv starts with the verb; the exit status */
int cmd_run(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_unpack(int argc, char **argv);

#endif /* HV_CMD_H */
