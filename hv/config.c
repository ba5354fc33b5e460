// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/config.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hv/cmd.h"
#include "hv/log.h"

#define DEFAULT_MEMORY (512ULL << 20)
#define NAME_MAX_LEN 63
/* The major number Xen's block devices have in Linux, and the form for disks beyond the 16 it has room for */
#define XVD_MAJOR 202
#define VDEV_EXTENDED (1u << 28)
/* First three bytes of a MAC address for Xen guests */
static const uint8_t xen_oui[3] = { 0x00, 0x16, 0x3e };

unsigned int config_vdev(const char *name)
{
	unsigned int n = 0;

	if (strncmp(name, "xvd", 3) || !name[3] || strlen(name) > 5)
		return 0;
	for (name += 3; *name; name++) {
		if (*name < 'a' || *name > 'z')
			return 0;
		n = n * 26 + (*name - 'a' + 1);
	}
	n--;
	return n < 16 ? XVD_MAJOR << 8 | n << 4 : VDEV_EXTENDED | n << 8;
}

int config_number(const char *text, unsigned long long *value, const char **end)
{
	char *stop;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &stop, 10);
	*end = stop;
	return errno ? -EINVAL : 0;
}

static int set_string(char **field, const char *value)
{
	free(*field);
	*field = strdup(value);
	return *field ? 0 : -ENOMEM;
}

static int parse_name(struct config *c, const char *value)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t len = strlen(value);

	if (!len || len > NAME_MAX_LEN || strspn(value, allowed) != len || *value == '.' ||
	    *value == '-') {
		pr_err("--name %s: a name has 1 to %d letters, digits, '_', '-' and '.', "
		       "the first a letter, digit or '_'",
		       value, NAME_MAX_LEN);
		return -EINVAL;
	}
	return set_string(&c->name, value);
}

static int parse_kernel(struct config *c, const char *value)
{
	return set_string(&c->kernel, value);
}

static int parse_initrd(struct config *c, const char *value)
{
	return set_string(&c->initrd, value);
}

static int parse_append(struct config *c, const char *value)
{
	return set_string(&c->append, value);
}

static int parse_report(struct config *c, const char *value)
{
	return set_string(&c->report, value);
}

static int parse_json(struct config *c, const char *value)
{
	(void)value;
	return set_string(&c->report, "-");
}

static int parse_verbose(struct config *c, const char *value)
{
	(void)value;
	c->verbose = true;
	return 0;
}

static int parse_memory(struct config *c, const char *value)
{
	unsigned long long n;
	const char *end;
	int shift;

	if (config_number(value, &n, &end))
		goto bad;
	switch (*end) {
	case 'k':
	case 'K':
		shift = 10;
		break;
	case 'm':
	case 'M':
	case '\0':
		shift = 20;
		break;
	case 'g':
	case 'G':
		shift = 30;
		break;
	default:
		goto bad;
	}
	if ((*end && end[1]) || n > UINT64_MAX >> 8 >> shift || (n << shift) % PAGE_SIZE ||
	    !(n << shift))
		goto bad;
	c->memory = n << shift;
	return 0;
bad:
	pr_err("--memory %s: not a size (like 512M or 2G; a plain number is MiB)", value);
	return -EINVAL;
}

static int parse_vcpus(struct config *c, const char *value)
{
	unsigned long long n;
	const char *end;

	if (config_number(value, &n, &end) || *end || n < 1 || n > MAX_VCPUS) {
		pr_err("--vcpus %s: a domain has 1 to %d vCPUs", value, MAX_VCPUS);
		return -EINVAL;
	}
	c->vcpus = n;
	return 0;
}

static int parse_profile(struct config *c, const char *value)
{
	static const char *const names[] = {
		[PROFILE_KVM] = "kvm",
		[PROFILE_XEN] = "xen",
		[PROFILE_NONE] = "none",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(value, names[i])) {
			c->profile = i;
			return 0;
		}
	}
	pr_err("--profile %s: unknown profile (kvm, xen or none)", value);
	return -EINVAL;
}

static int parse_console(struct config *c, const char *value)
{
	static const struct {
		const char *name;
		enum console_type type;
	} names[] = {
		{ "stdio", CONSOLE_STDIO },
		{ "pty", CONSOLE_PTY },
		{ "none", CONSOLE_NONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(value, names[i].name)) {
			c->console = names[i].type;
			return 0;
		}
	}
	if (!strncmp(value, "file=", 5) && value[5]) {
		c->console = CONSOLE_FILE;
		return set_string(&c->console_path, value + 5);
	}
	pr_err("--console %s: unknown console (stdio, pty, file=PATH or none)", value);
	return -EINVAL;
}

static bool vdev_taken(const struct config *c, unsigned int vdev)
{
	for (unsigned int i = 0; i < c->nr_disks; i++) {
		if (c->disk[i].vdev == vdev)
			return true;
	}
	return false;
}

static int parse_disk_option(struct disk_config *disk, const char *value, const char *option)
{
	if (!strcmp(option, "ro")) {
		disk->readonly = true;
		return 0;
	}
	if (!strcmp(option, "rw")) {
		disk->readonly = false;
		return 0;
	}
	if (!strcmp(option, "format=raw")) {
		disk->raw = true;
		return 0;
	}
	if (!strncmp(option, "vdev=", 5)) {
		disk->vdev = config_vdev(option + 5);
		if (disk->vdev) {
			snprintf(disk->vdev_name, sizeof(disk->vdev_name), "%s", option + 5);
			return 0;
		}
		pr_err("--disk %s: vdev must be a whole disk, xvda to xvdzz", value);
		return -EINVAL;
	}
	pr_err("--disk %s: unknown option %s (ro, rw, vdev=xvdX or format=raw)", value, option);
	return -EINVAL;
}

/* The first free name from xvda on; there are more names than disks */
static void choose_vdev(const struct config *c, struct disk_config *disk)
{
	for (char letter = 'a'; !disk->vdev; letter++) {
		snprintf(disk->vdev_name, sizeof(disk->vdev_name), "xvd%c", letter);
		if (!vdev_taken(c, config_vdev(disk->vdev_name)))
			disk->vdev = config_vdev(disk->vdev_name);
	}
}

static int parse_disk(struct config *c, const char *value)
{
	struct disk_config *disk = &c->disk[c->nr_disks];
	char *copy, *rest, *option;
	int ret = 0;

	if (c->nr_disks == CONFIG_MAX_DISKS) {
		pr_err("--disk %s: a domain has at most %d disks", value, CONFIG_MAX_DISKS);
		return -EINVAL;
	}
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	rest = copy;
	ret = set_string(&disk->path, strsep(&rest, ","));
	while (!ret && (option = strsep(&rest, ",")))
		ret = parse_disk_option(disk, value, option);
	free(copy);
	if (ret)
		goto err;
	if (!*disk->path) {
		pr_err("--disk %s: no file", value);
		ret = -EINVAL;
	} else if (vdev_taken(c, disk->vdev)) {
		pr_err("--disk %s: %s is taken by an earlier disk", value, disk->vdev_name);
		ret = -EINVAL;
	}
	if (ret)
		goto err;
	choose_vdev(c, disk);
	c->nr_disks++;
	return 0;
err:
	free(disk->path);
	*disk = (struct disk_config){ 0 };
	return ret;
}

static int parse_net(struct config *c, const char *value)
{
	struct nic_config *nic = &c->nic[c->nr_nics];

	if (!strcmp(value, "none"))
		return 0;
	if (c->nr_nics == CONFIG_MAX_NICS) {
		pr_err("--net %s: a domain has at most %d network interfaces", value,
		       CONFIG_MAX_NICS);
		return -EINVAL;
	}
	if (config_parse_nic(nic, value))
		return -EINVAL;
	c->nr_nics++;
	return 0;
}

static const struct run_option {
	const char *name;
	const char *arg; /* NULL: takes none */
	int (*parse)(struct config *c, const char *value);
	const char *help;
} run_options[] = {
	{ "name", "NAME", parse_name, "the domain's name (domain-PID)" },
	{ "kernel", "FILE", parse_kernel, "bzImage or ELF vmlinux (needed)" },
	{ "initrd", "FILE", parse_initrd, "initial RAM file system" },
	{ "append", "STRING", parse_append, "kernel command line" },
	{ "memory", "SIZE", parse_memory, "guest memory, like 2G; a plain number is MiB (512M)" },
	{ "vcpus", "N", parse_vcpus, "virtual CPUs, 1 to 8 (1)" },
	{ "disk", "FILE[,ro][,vdev=xvdX][,format=raw]", parse_disk,
	  "a file or block device as a PV disk; ro: read-only, vdev:\n"
	  "its name (the next free one); may be repeated" },
	{ "net", "user[,hostfwd=...]|tap=IFACE[,create]|none", parse_net,
	  "user: a network of its own, with DHCP and DNS, which\n"
	  "needs no privilege; hostfwd=tcp:127.0.0.1:2222-:22: port\n"
	  "2222 there leads to the guest's 22, ...=[tcp|udp]:[HOST]:\n"
	  "PORT-[GUEST]:PORT, may be repeated; tap: an interface of\n"
	  "the host, made beforehand (ip tuntap add IFACE mode tap)\n"
	  "or, with create, now and for this run only (none); may be\n"
	  "repeated" },
	{ "console", "stdio|pty|file=PATH|none", parse_console,
	  "where the console goes (stdio, where Ctrl-] asks the\n"
	  "guest to shut down)" },
	{ "profile", "kvm|xen|none", parse_profile,
	  "CPUID leaves: KVM's beside Xen's, Xen's alone, or none\n"
	  "(kvm)" },
	{ "report", "FILE", parse_report, "write counters and times there as JSON at the end" },
	{ "json", NULL, parse_json, "the same on standard output" },
	{ "verbose", NULL, parse_verbose, "say more" },
	{ "help", NULL, NULL, "this text (also -h)" },
};

/* What getopt_long() returns for run_options[i] is OPTION_FIRST + i */
#define OPTION_FIRST 256
#define HELP_COLUMN 22

static void print_help(void)
{
	printf("usage: paravane run --kernel FILE [OPTION...]\n\n"
	       "Boots a guest and stays until it ends. The default is in parentheses.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(run_options); i++) {
		const struct run_option *o = &run_options[i];
		const char *line = o->help;
		int column = printf("  --%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");

		if (column >= HELP_COLUMN) {
			putchar('\n');
			column = 0;
		}
		while (*line) {
			size_t len = strcspn(line, "\n");

			printf("%*s%.*s\n", HELP_COLUMN - column, "", (int)len, line);
			line += len + !!line[len];
			column = 0;
		}
	}
	printf("\nSIGTERM, SIGINT and SIGHUP ask the guest to shut down; a second one ends it.\n"
	       "A guest that reboots is started again.\n\n"
	       "Exit status: 0 the guest powered itself off, 1 it crashed or was ended, 2 it\n"
	       "could not be started.\n");
}

static int parse_options(int argc, char **argv, struct config *c)
{
	static const char letters[] = ":h";
	struct option longs[ARRAY_SIZE(run_options) + 1] = { 0 };
	const struct run_option *o;
	int opt, ret;

	for (size_t i = 0; i < ARRAY_SIZE(run_options); i++)
		longs[i] = (struct option){ run_options[i].name,
					    run_options[i].arg ? required_argument : no_argument,
					    NULL, OPTION_FIRST + i };
	opterr = 0;
	optind = 1;
	while ((opt = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (opt == ':' || opt == '?')
			return cmd_bad_option("run", letters, opt, argv[optind - 1]);
		o = opt >= OPTION_FIRST ? &run_options[opt - OPTION_FIRST] : NULL;
		if (!o || !o->parse) {
			print_help();
			return 1;
		}
		if (o->arg && !*optarg && o->parse != parse_append) {
			pr_err("--%s: the value is empty", o->name);
			return -EINVAL;
		}
		ret = o->parse(c, optarg);
		if (ret)
			return ret;
	}
	if (optind < argc) {
		pr_err("unexpected argument %s (see paravane run --help)", argv[optind]);
		return -EINVAL;
	}
	return 0;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += len) {
		if ((at == text || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	}
	return false;
}

/* The same name gives the same addresses, so that a guest finds its interfaces again. */
static void choose_macs(struct config *c)
{
	uint32_t hash = 2166136261u;

	for (const char *p = c->name; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	for (unsigned int i = 0; i < c->nr_nics; i++) {
		uint8_t *mac = c->nic[i].mac;

		memcpy(mac, xen_oui, sizeof(xen_oui));
		mac[3] = (hash >> 16) & 0x7f;
		mac[4] = hash >> 8;
		mac[5] = hash + i;
	}
}

int config_parse(int argc, char **argv, struct config *c)
{
	char name[32];
	int ret;

	*c = (struct config){ .memory = DEFAULT_MEMORY, .vcpus = 1, .console = CONSOLE_STDIO };
	ret = parse_options(argc, argv, c);
	if (ret)
		return ret;
	if (!c->kernel) {
		pr_err("no --kernel given (see paravane run --help)");
		return -EINVAL;
	}
	if (!c->name) {
		snprintf(name, sizeof(name), "domain-%d", getpid());
		ret = set_string(&c->name, name);
	}
	if (!ret && !c->append)
		ret = set_string(&c->append, "");
	if (ret)
		return ret;
	c->nopv = has_word(c->append, "nopv");
	choose_macs(c);
	return 0;
}

void config_free(struct config *c)
{
	for (unsigned int i = 0; i < c->nr_disks; i++)
		free(c->disk[i].path);
	free(c->name);
	free(c->kernel);
	free(c->initrd);
	free(c->append);
	free(c->console_path);
	free(c->report);
	*c = (struct config){ 0 };
}
