// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * paravane top: what the guests do to the host's processors, as rates between two looks at them.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "hv/cmd.h"
#include "hv/guests.h"
#include "hv/log.h"
#include "hv/types.h"

#define DEFAULT_DELAY 3.0
#define MAX_DELAY 86400.0

static const char help[] =
	"usage: paravane top [OPTION...]\n"
	"\n"
	"Shows, again and again, what the guests did since the last time: share of a\n"
	"processor, VM exits per second and how many of them came to Paravane's process, and\n"
	"hypercalls per second; below each guest its exits per second by reason. The default\n"
	"is in parentheses.\n"
	"\n"
	"  -d, --delay SECONDS  from one time to the next (3)\n"
	"  -n, --count N        show it N times (until q or Ctrl-C)\n"
	"  -b, --batch          one after the other instead of on a screen; also where\n"
	"                       standard input or output is no terminal\n"
	"      --json           each as one line of JSON\n"
	"\n"
	"KVM counts exits by reason; an instruction that is emulated or a page fault comes\n"
	"on top of the exit that brought it. Xen counts no exits: in a domain 0 those columns\n"
	"are empty.\n"
	"\n"
	"Exit status: 0 done, 2 it cannot be done.\n";

struct top {
	double delay;
	unsigned long count; /* 0: until the user has seen enough */
	bool batch, json;
	struct termios saved;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

/* ---- rates ---- */

/* How much more per second; a guest that was booted again counts from zero */
static double rate(const json_t *before, const json_t *now, double seconds)
{
	double a = json_number_value(before), b = json_number_value(now);

	return (b >= a ? b - a : b) / seconds;
}

/* The same for each member of two objects, without zeros */
static json_t *rates(const json_t *before, json_t *now, double seconds)
{
	json_t *result = json_object(), *value;
	const char *name;

	json_object_foreach(now, name, value)
	{
		double r = rate(json_object_get(before, name), value, seconds);

		if (r > 0)
			json_object_set_new(result, name, json_real(r));
	}
	return result;
}

static double sum(json_t *counts)
{
	const char *name;
	json_t *value;
	double total = 0;

	json_object_foreach(counts, name, value) total += json_number_value(value);
	return total;
}

static void add_exits(json_t *row, const json_t *before, const json_t *now, double seconds)
{
	const json_t *exits = json_object_get(now, "exits");
	const json_t *exits_before = json_object_get(before, "exits");
	json_t *kvm =
		rates(json_object_get(exits_before, "kvm"), json_object_get(exits, "kvm"), seconds);
	json_t *hypercalls = rates(json_object_get(before, "hypercalls"),
				   json_object_get(now, "hypercalls"), seconds);

	json_object_set_new(row, "exits_per_second",
			    json_real(rate(json_object_get(exits_before, "all"),
					   json_object_get(exits, "all"), seconds)));
	json_object_set_new(row, "user_exits_per_second",
			    json_real(rate(json_object_get(exits_before, "user"),
					   json_object_get(exits, "user"), seconds)));
	json_object_set_new(row, "hypercalls_per_second", json_real(sum(hypercalls)));
	json_object_set_new(row, "by_reason", guests_exit_reasons(kvm));
	json_object_set_new(row, "user_by_reason",
			    rates(json_object_get(exits_before, "by_reason"),
				  json_object_get(exits, "by_reason"), seconds));
	json_object_set_new(row, "hypercalls", hypercalls);
	json_decref(kvm);
}

/*
 * What a guest did from @before (NULL: it is new) to @now. Its own clock is the better one, if it
 * has one: it was read together with the counters.
 */
static json_t *top_row(const json_t *before, const json_t *now, double seconds)
{
	static const char *const keys[] = { "name",  "domid",	     "state",
					    "vcpus", "memory_bytes", "cpu_seconds" };
	double age = guests_number(now, "seconds"), age_before = guests_number(before, "seconds");
	json_t *row = json_object();

	if (age > age_before)
		seconds = age - age_before;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *value = json_object_get(now, keys[i]);

		if (value)
			json_object_set(row, keys[i], value);
	}
	/* Of one that says nothing nothing is known; one that has just said something did not do it all now. */
	if (!json_object_get(now, "cpu_seconds") ||
	    (!json_object_get(before, "cpu_seconds") && !age))
		return row;
	json_object_set_new(row, "cpu_percent",
			    json_real(100 * rate(json_object_get(before, "cpu_seconds"),
						 json_object_get(now, "cpu_seconds"), seconds)));
	if (json_object_get(now, "exits"))
		add_exits(row, before, now, seconds);
	return row;
}

/* The guest of @list that is @guest: names can be given away, and so can ids */
static const json_t *same_guest(const json_t *list, const json_t *guest)
{
	static const char *const keys[] = { "domid", "name", "pid" };
	const json_t *other;
	size_t i;

	json_array_foreach(list, i, other)
	{
		bool same = true;

		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			const json_t *a = json_object_get(guest, keys[k]);
			const json_t *b = json_object_get(other, keys[k]);

			same &= a == b || json_equal(a, b);
		}
		if (same)
			return other;
	}
	return NULL;
}

static json_t *top_rows(const json_t *before, const json_t *now, double seconds)
{
	json_t *rows = json_array(), *guest;
	size_t i;

	json_array_foreach(now, i, guest)
		json_array_append_new(rows, top_row(same_guest(before, guest), guest, seconds));
	return rows;
}

/* ---- output ---- */

static void write_rate(FILE *f, const json_t *row, const char *key, int width, int digits)
{
	if (json_object_get(row, key))
		fprintf(f, " %*.*f", width, digits, guests_number(row, key));
	else
		fprintf(f, " %*s", width, "-");
}

static void write_reasons(FILE *f, const json_t *row, const char *label, const char *key)
{
	const json_t *counts = json_object_get(row, key);

	if (!json_object_size(counts))
		return;
	fprintf(f, "    %-14s", label);
	guests_print_counts(f, counts);
	fputc('\n', f);
}

static void write_row(FILE *f, const json_t *row)
{
	char letters[GUESTS_STATE_LEN];

	fprintf(f, "%-14s %4.0f %6s %5lu %5.0f", guests_text(row, "name"),
		guests_number(row, "domid"), guests_state_letters(row, letters),
		guests_mib(row, "memory_bytes"), guests_number(row, "vcpus"));
	write_rate(f, row, "cpu_seconds", 8, 1);
	write_rate(f, row, "cpu_percent", 6, 1);
	write_rate(f, row, "exits_per_second", 8, 0);
	write_rate(f, row, "user_exits_per_second", 7, 0);
	write_rate(f, row, "hypercalls_per_second", 7, 0);
	fputc('\n', f);
	write_reasons(f, row, "exits/s", "by_reason");
	write_reasons(f, row, "user/s", "user_by_reason");
	write_reasons(f, row, "hcall/s", "hypercalls");
}

/* The text of one time, which the caller frees; NULL without memory */
static char *top_text(const json_t *rows)
{
	char *text = NULL, when[32];
	size_t size, i;
	FILE *f = open_memstream(&text, &size);
	time_t now = time(NULL);
	const json_t *row;

	if (!f)
		return NULL;
	strftime(when, sizeof(when), "%H:%M:%S", localtime(&now));
	fprintf(f, "paravane top  %s  guests: %zu\n\n", when, json_array_size(rows));
	fprintf(f, "%-14s %4s %6s %5s %5s %8s %6s %8s %7s %7s\n", "Name", "ID", "State", "Mem",
		"VCPUs", "Time(s)", "CPU(%)", "exits/s", "user/s", "hcall/s");
	json_array_foreach(rows, i, row) write_row(f, row);
	return fclose(f) ? NULL : text;
}

/* As much of @text as the terminal has room for */
static void draw(const char *text)
{
	struct winsize size = { 0 };
	unsigned int lines = 0;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	printf("\033[H\033[J");
	while (*text && ++lines < size.ws_row) {
		int len = strcspn(text, "\n");

		printf("%.*s\n", len < size.ws_col ? len : size.ws_col, text);
		text += len + !!text[len];
	}
}

static void show(const struct top *top, json_t *rows)
{
	char *text;

	if (top->json) {
		json_dumpf(rows, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		text = top_text(rows);
		if (text && top->batch)
			printf("%s\n", text);
		else if (text)
			draw(text);
		free(text);
	}
	fflush(stdout);
}

/* ---- time and the terminal ---- */

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Until the delay is over; false if the user wants to leave */
static bool wait_delay(const struct top *top)
{
	double end = seconds_now() + top->delay, left;
	struct pollfd keys = { .fd = top->batch ? -1 : STDIN_FILENO, .events = POLLIN };
	char key;

	while (!interrupted && (left = end - seconds_now()) > 0) {
		if (poll(&keys, 1, left * 1000 + 1) <= 0)
			continue;
		if (read(keys.fd, &key, 1) != 1 || key == 'q')
			return false;
	}
	return !interrupted;
}

static int screen_open(struct top *top)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &top->saved))
		return -errno;
	raw = top->saved;
	raw.c_lflag &= ~(ICANON | ECHO);
	return tcsetattr(STDIN_FILENO, TCSANOW, &raw) ? -errno : 0;
}

static int top_run(const struct top *top)
{
	json_t *before = guests_list(), *now, *rows;
	double then = seconds_now(), at;
	int status = before ? EXIT_DONE : EXIT_SETUP;

	for (unsigned long n = 0; before && (!top->count || n < top->count); n++) {
		if (!wait_delay(top))
			break;
		now = guests_list();
		at = seconds_now();
		if (!now) {
			status = EXIT_SETUP;
			break;
		}
		rows = top_rows(before, now, at - then);
		show(top, rows);
		json_decref(rows);
		json_decref(before);
		before = now;
		then = at;
	}
	json_decref(before);
	return status;
}

/* ---- command line ---- */

static int parse_delay(struct top *top, const char *text)
{
	char *end;

	top->delay = strtod(text, &end);
	if (end != text && !*end && top->delay >= 0.1 && top->delay <= MAX_DELAY)
		return 0;
	pr_err("top: --delay %s: not a number of seconds from 0.1 to %.0f", text, MAX_DELAY);
	return -EINVAL;
}

static int parse_count(struct top *top, const char *text)
{
	char *end;

	errno = 0;
	top->count = strtoul(text, &end, 10);
	if (!errno && *text >= '0' && *text <= '9' && !*end && top->count)
		return 0;
	pr_err("top: --count %s: not a number from 1 on", text);
	return -EINVAL;
}

/* 0, 1 after printing the help, or -EINVAL after printing one line */
static int parse_options(int argc, char **argv, struct top *top)
{
	enum { JSON = UCHAR_MAX + 1 };
	static const char letters[] = ":d:n:bh";
	static const struct option options[] = {
		{ "delay", required_argument, NULL, 'd' },
		{ "count", required_argument, NULL, 'n' },
		{ "batch", no_argument, NULL, 'b' },
		{ "json", no_argument, NULL, JSON },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int opt, ret = 0;

	opterr = 0;
	while (!ret && (opt = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		switch (opt) {
		case 'd':
			ret = parse_delay(top, optarg);
			break;
		case 'n':
			ret = parse_count(top, optarg);
			break;
		case JSON:
			top->json = true;
			/* fall through */
		case 'b':
			top->batch = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 1;
		default:
			return cmd_bad_option("top", letters, opt, argv[optind - 1]);
		}
	}
	if (!ret && optind < argc) {
		pr_err("top: unexpected argument %s (see paravane top --help)", argv[optind]);
		ret = -EINVAL;
	}
	return ret;
}

int cmd_top(int argc, char **argv)
{
	const struct sigaction leave = { .sa_handler = on_signal };
	struct top top = { .delay = DEFAULT_DELAY };
	int status, ret = parse_options(argc, argv, &top);

	if (ret)
		return ret > 0 ? EXIT_DONE : EXIT_SETUP;
	top.batch |= !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO);
	sigaction(SIGINT, &leave, NULL);
	sigaction(SIGTERM, &leave, NULL);
	sigaction(SIGHUP, &leave, NULL);
	ret = top.batch ? 0 : screen_open(&top);
	if (ret) {
		pr_err("top: the terminal cannot be set up: %s", strerror(-ret));
		return EXIT_SETUP;
	}
	status = top_run(&top);
	if (!top.batch)
		tcsetattr(STDIN_FILENO, TCSANOW, &top.saved);
	return status;
}
