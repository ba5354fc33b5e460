// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hv/cmd.h"
#include "hv/log.h"
#include "hv/stats.h"
#include "hv/types.h"

#define VERSION "0.1"

static int cmd_help(int argc, char **argv);

static bool has_arguments(int argc, char **argv)
{
	if (argc > 1)
		pr_err("%s: unexpected argument %s", argv[0], argv[1]);
	return argc > 1;
}

static int cmd_version(int argc, char **argv)
{
	if (has_arguments(argc, argv))
		return EXIT_SETUP;
	printf("paravane %s\n", VERSION);
	return EXIT_DONE;
}

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "run", cmd_run, "boot a kernel as a guest, in the foreground" },
	{ "list", cmd_list, "the guests that run here" },
	{ "info", cmd_info, "all that is known of one guest" },
	{ "top", cmd_top, "processor time and exits of the guests, again and again" },
	{ "doctor", cmd_doctor, "what this host offers, and what follows from it" },
	{ "bench", cmd_bench, "the same work in guests of Paravane and of QEMU, and natively" },
	{ "unpack", cmd_unpack, "write the ELF kernel inside a bzImage to a file" },
	{ "help", cmd_help, "this text (also --help, -h)" },
	{ "version", cmd_version, "the program's version (also --version)" },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	}
	pr_err("unknown %s %s (see paravane --help)", *name == '-' ? "option" : "command", name);
	return NULL;
}

/* paravane help COMMAND is COMMAND --help, where there is more to say. */
static int cmd_help(int argc, char **argv)
{
	if (argc == 2) {
		const struct command *about = find_command(argv[1]);
		char *args[] = { argv[1], "--help", NULL };

		if (!about)
			return EXIT_SETUP;
		if (about->run != cmd_help && about->run != cmd_version)
			return about->run(2, args);
	} else if (argc > 2) {
		pr_err("help: unexpected argument %s", argv[2]);
		return EXIT_SETUP;
	}
	printf("usage: paravane COMMAND [ARGUMENT...]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].help);
	printf("\nparavane help COMMAND says more about run, list, info, top,\ndoctor, bench and unpack.\n"
	       "Exit status: 0 done, 1 the guest crashed or was ended, 2 it cannot be done.\n");
	return EXIT_DONE;
}

/* The first file opened would take the place of a closed stderr: a disk, and get our messages. */
static void hold_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int run_command(const struct command *command, int argc, char **argv)
{
	int status = command->run(argc, argv);

	if (status == EXIT_DONE && (fflush(stdout) || ferror(stdout))) {
		pr_err("%s: standard output does not take all of it", command->name);
		status = EXIT_SETUP;
	}
	return status;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct command *command;

	stats_process_started();
	hold_standard_files();
	log_open();
	if (!name) {
		pr_err("no command given (see paravane --help)");
		return EXIT_SETUP;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	else if (!strcmp(name, "--version"))
		name = "version";
	command = find_command(name);
	return command ? run_command(command, argc - 1, argv + 1) : EXIT_SETUP;
}
