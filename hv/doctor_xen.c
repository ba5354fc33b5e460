// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * paravane doctor in a Xen domain 0: what this Xen offers to guests that load our modules.
 */
#include "hv/libxen.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hv/doctor.h"

#define HYPERVISOR "/sys/hypervisor/"
#define BACK_END_DRIVERS "/sys/bus/xen-backend/drivers/"
/* The Xen our modules are tested with, and the oldest to announce upcall vectors */
#define TESTED_MAJOR 4
#define TESTED_MINOR 17

static void settle(struct finding *f, enum verdict verdict, const char *follows)
{
	f->verdict = verdict;
	f->follows = follows;
}

__attribute__((format(printf, 2, 3))) static void found(struct finding *f, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(f->found, sizeof(f->found), format, ap);
	va_end(ap);
}

/* The first line of a file below /sys/hypervisor, "" if there is none */
static const char *read_line(const char *name, char *line, int size)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), HYPERVISOR "%s", name);
	*line = '\0';
	file = fopen(path, "re");
	if (!file)
		return line;
	if (!fgets(line, size, file))
		*line = '\0';
	line[strcspn(line, "\n")] = '\0';
	fclose(file);
	return line;
}

/* 0x40011 for 4.17; 0 if Linux does not tell */
static unsigned int xen_version(void)
{
	unsigned int major = 0, minor = 0;
	char line[64];

	if (sscanf(read_line("version/major", line, sizeof(line)), "%u", &major) != 1 ||
	    sscanf(read_line("version/minor", line, sizeof(line)), "%u", &minor) != 1)
		return 0;
	return major << 16 | minor;
}

static void find_xen(struct finding *f)
{
	unsigned int version = xen_version();
	char extra[64];

	found(f, "Xen %u.%u%s", version >> 16, version & 0xffff,
	      read_line("version/extra", extra, sizeof(extra)));
	if (!version)
		settle(f, VERDICT_UNKNOWN, "Linux does not tell Xen's version (" HYPERVISOR ")");
	else if (version < (TESTED_MAJOR << 16 | TESTED_MINOR))
		settle(f, VERDICT_DEGRADED,
		       "our modules are tested with Xen 4.17, not with older ones");
	else
		settle(f, VERDICT_OK, "the interface our modules are made for");
}

static void find_capabilities(struct finding *f)
{
	char line[160];

	found(f, "%s", read_line("properties/capabilities", line, sizeof(line)));
	if (!*line) {
		found(f, "no " HYPERVISOR "properties/capabilities");
		settle(f, VERDICT_UNKNOWN, "only Xen can tell whether it runs HVM guests");
	} else if (!strstr(line, "hvm-3.0-x86_64")) {
		settle(f, VERDICT_UNUSABLE, "no HVM guests, and our modules run in nothing else");
	} else {
		settle(f, VERDICT_OK, "our modules run in HVM guests booted with nopv");
	}
}

static void find_toolstack(struct finding *f)
{
	struct libxen x;

	if (libxen_open(&x, f->found, sizeof(f->found))) {
		settle(f, VERDICT_DEGRADED, "list, info and top do not work");
		return;
	}
	if (x.xs) {
		found(f, "libxenctrl, xenstored");
		settle(f, VERDICT_OK, "list, info and top show Xen's domains");
	} else {
		found(f, "xenstored does not answer");
		settle(f, VERDICT_UNUSABLE, "no guest gets a device (is xencommons running?)");
	}
	libxen_close(&x);
}

/* Capabilities of the machine under this Xen (XEN_SYSCTL_PHYSCAP_*); false with the reason in @f */
static bool read_physcaps(struct finding *f, uint32_t *caps)
{
	xc_physinfo_t info = { 0 };
	struct libxen x;
	int ret;

	if (libxen_open(&x, f->found, sizeof(f->found))) {
		settle(f, VERDICT_UNKNOWN, "only Xen can tell");
		return false;
	}
	ret = x.xc_physinfo(x.xc, &info) ? -errno : 0;
	libxen_close(&x);
	if (ret) {
		found(f, "Xen does not tell: %s", strerror(-ret));
		settle(f, VERDICT_UNKNOWN, "only Xen can tell");
		return false;
	}
	*caps = info.capabilities;
	return true;
}

static void find_paging(struct finding *f)
{
	uint32_t caps;

	if (!read_physcaps(f, &caps))
		return;
	found(f, "%s",
	      caps & XEN_SYSCTL_PHYSCAP_hap ? "hardware-assisted (HAP)" : "shadow page tables");
	if (caps & XEN_SYSCTL_PHYSCAP_hap)
		settle(f, VERDICT_OK, "guests change their page tables without exits");
	else
		settle(f, VERDICT_DEGRADED, "guests work, each change of their page tables exits");
}

static void find_grants(struct finding *f)
{
	uint32_t caps;

	if (!read_physcaps(f, &caps))
		return;
	found(f, "grant tables%s%s", caps & XEN_SYSCTL_PHYSCAP_gnttab_v1 ? " v1" : "",
	      caps & XEN_SYSCTL_PHYSCAP_gnttab_v2 ? " v2" : "");
	if (caps & XEN_SYSCTL_PHYSCAP_gnttab_v1)
		settle(f, VERDICT_OK, "our modules use v1");
	else
		settle(f, VERDICT_UNUSABLE,
		       "our modules use v1 (see gnttab= of Xen's command line)");
}

static void find_upcalls(struct finding *f)
{
	if (xen_version() < (TESTED_MAJOR << 16 | TESTED_MINOR)) {
		found(f, "not announced by this Xen");
		settle(f, VERDICT_DEGRADED,
		       "events may have to come by the platform device's interrupt, one line for all vCPUs");
	} else {
		found(f, "a vector for each vCPU");
		settle(f, VERDICT_OK,
		       "events reach the vCPU they are for, without a shared interrupt");
	}
}

static void find_back_end(struct finding *f, const char *driver, const char *module,
			  const char *works, const char *fails)
{
	char path[96];
	bool there;

	snprintf(path, sizeof(path), BACK_END_DRIVERS "%s", driver);
	there = !access(path, F_OK);
	found(f, "%s%s", module, there ? "" : " is not loaded");
	settle(f, there ? VERDICT_OK : VERDICT_DEGRADED, there ? works : fails);
}

static void find_blkback(struct finding *f)
{
	find_back_end(f, "vbd", "xen-blkback", "paravane-blk has a back end",
		      "no disk for paravane-blk (modprobe xen-blkback)");
}

static void find_netback(struct finding *f)
{
	find_back_end(f, "vif", "xen-netback", "paravane-net has a back end",
		      "no network for paravane-net (modprobe xen-netback)");
}

static void find_extensions(struct finding *f)
{
	found(f, "no doorbell, no port transport");
	settle(f, VERDICT_DEGRADED,
	       "Xen has none of Paravane's extensions: every notification is a hypercall");
}

static void find_run(struct finding *f)
{
	found(f, "no KVM under Xen");
	settle(f, VERDICT_DEGRADED, "xl starts guests here; paravane run is for hosts with KVM");
}

const struct check doctor_xen_checks[] = {
	{ "xen", find_xen },
	{ "capabilities", find_capabilities },
	{ "toolstack", find_toolstack },
	{ "paging", find_paging },
	{ "grants", find_grants },
	{ "upcalls", find_upcalls },
	{ "block", find_blkback },
	{ "network", find_netback },
	{ "extensions", find_extensions },
	{ "run", find_run },
};
const size_t doctor_xen_nr_checks = sizeof(doctor_xen_checks) / sizeof(doctor_xen_checks[0]);
