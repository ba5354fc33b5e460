// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * paravane doctor: what this host offers, and what follows from each.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <jansson.h>
#include <liburing.h>

#include "hv/cmd.h"
#include "hv/doctor.h"
#include "hv/guests.h"
#include "hv/kvm.h"
#include "hv/log.h"

#define THP_FILE "/sys/kernel/mm/transparent_hugepage/enabled"
#define TUN_DEVICE "/dev/net/tun"

static const char *const verdict_names[] = {
	[VERDICT_OK] = "ok",
	[VERDICT_UNKNOWN] = "unknown",
	[VERDICT_DEGRADED] = "degraded",
	[VERDICT_UNUSABLE] = "unusable",
};

static void find_cpu(struct finding *f)
{
	bool virtualizes = kvm_cpu_virtualizes();

	snprintf(f->found, sizeof(f->found), "%s",
		 virtualizes ? "svm or vmx in /proc/cpuinfo" :
			       "neither svm nor vmx in /proc/cpuinfo");
	f->verdict = virtualizes ? VERDICT_OK : VERDICT_UNUSABLE;
	f->follows = virtualizes ? "the processor itself runs guests" :
				   "a /dev/kvm that is there would interpret them, for ever";
}

static void find_kvm(struct finding *f)
{
	const struct kvm_need *need = kvm_needs;
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), version;

	f->verdict = VERDICT_UNUSABLE;
	f->follows = "no guest can run";
	if (fd < 0) {
		snprintf(f->found, sizeof(f->found), "/dev/kvm: %s", strerror(errno));
		if (errno == EACCES)
			f->follows = "no guest can run as this user (see the group of /dev/kvm)";
		return;
	}
	while (need->name && ioctl(fd, KVM_CHECK_EXTENSION, need->cap) > 0)
		need++;
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		snprintf(f->found, sizeof(f->found), "/dev/kvm answers version %d, not KVM's %d",
			 version, KVM_API_VERSION);
	} else if (need->name) {
		snprintf(f->found, sizeof(f->found), "KVM lacks %s (%s)", need->name, need->why);
	} else {
		snprintf(f->found, sizeof(f->found), "API version %d, every capability needed",
			 KVM_API_VERSION);
		f->verdict = VERDICT_OK;
		f->follows = "KVM itself has everything a guest needs";
	}
	close(fd);
}

static void find_kvm_xen(struct finding *f)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), caps;

	if (fd < 0) {
		f->verdict = VERDICT_UNKNOWN;
		snprintf(f->found, sizeof(f->found), "/dev/kvm: %s", strerror(errno));
		f->follows = "only KVM can tell whether it has Xen support (CONFIG_KVM_XEN)";
		return;
	}
	caps = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_XEN_HVM);
	close(fd);
	if (caps > 0 && (caps & KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL)) {
		f->verdict = VERDICT_OK;
		snprintf(f->found, sizeof(f->found), "KVM_CAP_XEN_HVM 0x%x", caps);
		f->follows = "--profile xen works: hypercalls by VMCALL/VMMCALL, as on Xen";
	} else {
		f->verdict = VERDICT_DEGRADED;
		snprintf(f->found, sizeof(f->found), "no KVM_CAP_XEN_HVM (CONFIG_KVM_XEN)");
		f->follows =
			"guests work: --profile xen replaces their kernel's VMCALL and VMMCALL";
	}
}

static void find_io_uring(struct finding *f)
{
	struct io_uring ring;
	int ret = io_uring_queue_init(1, &ring, 0);

	if (!ret)
		io_uring_queue_exit(&ring);
	f->verdict = ret ? VERDICT_DEGRADED : VERDICT_OK;
	snprintf(f->found, sizeof(f->found), "%s", ret ? strerror(-ret) : "available");
	f->follows = ret ? "--disk does not work (see kernel.io_uring_disabled and seccomp)" :
			   "--disk works, on files and block devices";
}

static void find_tun(struct finding *f)
{
	int fd = open(TUN_DEVICE, O_RDWR | O_CLOEXEC);

	f->verdict = fd < 0 ? VERDICT_DEGRADED : VERDICT_OK;
	snprintf(f->found, sizeof(f->found), "%s%s%s", TUN_DEVICE, fd < 0 ? ": " : "",
		 fd < 0 ? strerror(errno) : "");
	f->follows = fd < 0 ? "--net user works, --net tap=IFACE does not" :
			      "--net tap=IFACE works, as root or on a tap of one's own";
	if (fd >= 0)
		close(fd);
}

static void find_thp(struct finding *f)
{
	char text[64] = "";
	FILE *file = fopen(THP_FILE, "re");

	if (file) {
		if (!fgets(text, sizeof(text), file))
			*text = '\0';
		text[strcspn(text, "\n")] = '\0';
		fclose(file);
	}
	if (*text && !strstr(text, "[never]")) {
		f->verdict = VERDICT_OK;
		f->follows = "guest memory in 2 MiB pages: some fifty faults in a boot";
	} else {
		f->verdict = VERDICT_DEGRADED;
		f->follows = "guest memory in 4 KiB pages: an exit for each when first used";
	}
	snprintf(f->found, sizeof(f->found), "%s", *text ? text : "no " THP_FILE);
}

static const struct check kvm_checks[] = {
	{ "processor", find_cpu },     { "kvm", find_kvm }, { "kvm_xen", find_kvm_xen },
	{ "io_uring", find_io_uring }, { "tun", find_tun }, { "huge_pages", find_thp },
};

static void print_finding(const struct check *check, const struct finding *f)
{
	printf("%-12s %-9s %s\n%-22s %s\n", check->name, verdict_names[f->verdict], f->found, "",
	       f->follows);
}

static json_t *finding_json(const struct check *check, const struct finding *f)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "check", check->name, "verdict",
			 verdict_names[f->verdict], "found", f->found, "follows", f->follows);
}

static const char help[] =
	"usage: paravane doctor [--json]\n"
	"\n"
	"Says what this host offers to guests and what follows from it, line by line:\n"
	"ok; degraded: a feature or some speed is lost; unusable: no guest can run;\n"
	"unknown: cannot be found out. In a Xen domain 0 the guests are Xen's, and it is\n"
	"about what our modules find in them.\n"
	"\n"
	"  --json  the same as JSON\n"
	"\n"
	"Exit status: 0 guests can run, 2 they cannot (something is unusable).\n";

static const char unusable[] =
	"Guests cannot run here; what is unusable is named above. Paravane's source has a\n"
	"lab, an emulated machine where they do: make run, make shell, tests/lab/lab.\n";

int cmd_doctor(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[1], "--json");
	bool dom0 = guests_are_xens();
	const struct check *checks = dom0 ? doctor_xen_checks : kvm_checks;
	size_t nr_checks = dom0 ? doctor_xen_nr_checks : ARRAY_SIZE(kvm_checks);
	enum verdict worst = VERDICT_OK;
	json_t *list;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return EXIT_DONE;
	}
	if (argc > 1 + json) {
		pr_err("doctor: unknown argument %s (see paravane doctor --help)", argv[1 + json]);
		return EXIT_SETUP;
	}
	list = json_array();
	for (size_t i = 0; i < nr_checks; i++) {
		struct finding f = { 0 };

		checks[i].find(&f);
		if (f.verdict > worst)
			worst = f.verdict;
		if (json)
			json_array_append_new(list, finding_json(&checks[i], &f));
		else
			print_finding(&checks[i], &f);
	}
	if (json) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(list);
	if (!json)
		printf("\n%s",
		       worst != VERDICT_UNUSABLE ? "Guests can run here.\n" :
		       dom0 ? "Our modules cannot run here; what is unusable is named above.\n" :
			      unusable);
	return worst == VERDICT_UNUSABLE ? EXIT_SETUP : EXIT_DONE;
}
