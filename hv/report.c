// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hv/domain.h"
#include "hv/hypercall.h"
#include "hv/log.h"
#include "hv/mem.h"
#include "hv/pio.h"
#include "hv/report_devices.h"
#include "hv/stats.h"
#include "hv/vcpu.h"
#include "hv/xen/balloon.h"
#include "hv/xenstore_service.h"

#include <xen-public/sched.h>

/** struct vmm_memory - sums over this process's mappings, bytes */
struct vmm_memory {
	uint64_t pss, rss, guest;
};

const char *report_shutdown_name(int reason)
{
	static const char *const names[] = {
		[SHUTDOWN_poweroff] = "poweroff", [SHUTDOWN_reboot] = "reboot",
		[SHUTDOWN_suspend] = "suspend",	  [SHUTDOWN_crash] = "crash",
		[SHUTDOWN_watchdog] = "watchdog", [SHUTDOWN_soft_reset] = "soft_reset",
	};

	return reason >= 0 && reason < (int)ARRAY_SIZE(names) ? names[reason] : "unknown";
}

/* Guest RAM is told apart by its address: everything else is our overhead. */
static int vmm_memory_read(const struct domain *d, struct vmm_memory *sum)
{
	uintptr_t ram = (uintptr_t)mem_range(d, 0, PAGE_SIZE), end = ram + mem_bytes(d);
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512];
	bool guest = false;

	*sum = (struct vmm_memory){ 0 };
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		uint64_t from, to, kib;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &from, &to) == 2)
			guest = from < end && to > ram;
		else if (sscanf(line, "Rss: %" SCNu64, &kib) == 1)
			*(guest ? &sum->guest : &sum->rss) += kib << 10;
		else if (sscanf(line, "Pss: %" SCNu64, &kib) == 1 && !guest)
			sum->pss += kib << 10;
	}
	fclose(f);
	return 0;
}

static void report_vmm(const struct domain *d, json_t *root)
{
	struct vmm_memory sum;

	if (vmm_memory_read(d, &sum))
		return;
	json_object_set_new(root, "vmm",
			    json_pack("{s:I, s:I, s:I}", "pss_bytes", (json_int_t)sum.pss,
				      "rss_bytes", (json_int_t)sum.rss, "guest_bytes",
				      (json_int_t)sum.guest));
}

static void report_marks(const struct domain *d, json_t *root)
{
	json_t *marks = json_array();
	const struct stats_mark *mark;
	unsigned int n = stats_marks(d, &mark);

	for (unsigned int i = 0; i < n; i++)
		json_array_append_new(marks, json_pack("{s:s, s:f, s:I, s:I}", "name", mark[i].name,
						       "ms", mark[i].ns / 1e6, "exits",
						       (json_int_t)mark[i].exits, "user_exits",
						       (json_int_t)mark[i].user_exits));
	json_object_set_new(root, "marks", marks);
}

/* Add @n to the member @name of @object; members that stay zero do not appear. */
static void report_add(json_t *object, const char *name, uint64_t n)
{
	json_int_t before = json_integer_value(json_object_get(object, name));

	if (n)
		json_object_set_new(object, name, json_integer(before + n));
}

static void report_kvm_counter(const char *name, uint64_t value, void *opaque)
{
	report_add(opaque, name, value);
}

static void report_exits(const struct domain *d, json_t *root)
{
	json_t *exits = json_object(), *kvm = json_object(), *all;
	json_t *reasons = json_object(), *ports = json_object();

	for (unsigned int i = 0; i < d->nr_vcpus; i++) {
		const struct vcpu_stats *s = &d->vcpu[i]->stats;

		for (unsigned int r = 0; r < ARRAY_SIZE(s->exits); r++)
			report_add(reasons, vcpu_exit_name(r),
				   __atomic_load_n(&s->exits[r], __ATOMIC_RELAXED));
		for (unsigned int r = 0; r < PIO_RANGES; r++)
			report_add(ports, pio_range_name(r),
				   __atomic_load_n(&s->pio[r], __ATOMIC_RELAXED));
	}
	stats_kvm(d, report_kvm_counter, kvm);
	all = json_object_get(kvm, "exits");
	if (all)
		json_object_set(exits, "all", all);
	json_object_set_new(exits, "user", json_integer(stats_user_exits(d)));
	json_object_set_new(exits, "kvm", kvm);
	json_object_set_new(exits, "by_reason", reasons);
	json_object_set_new(exits, "by_port", ports);
	json_object_set_new(root, "exits", exits);
}

static void report_hypercalls(const struct domain *d, json_t *root)
{
	json_t *calls = json_object();

	for (unsigned int nr = 0; nr < HYPERCALL_NRS; nr++) {
		const char *name = hypercall_name(nr);

		report_add(calls, name ? name : "unknown", hypercall_count(d, nr));
	}
	json_object_set_new(root, "hypercalls", calls);
}

static int report_error(const char *path)
{
	int err = -errno;

	pr_err("cannot write the report to %s: %s", path, strerror(-err));
	return err;
}

int report_check(const char *path)
{
	int fd;

	if (!strcmp(path, "-"))
		return 0;
	/* Without O_TRUNC: an older report stays until there is a new one. */
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
	/* A FIFO may get its reader later. */
	if (fd < 0 && errno != ENXIO)
		return report_error(path);
	if (fd >= 0)
		close(fd);
	return 0;
}

/* What holds of a domain at any time */
static json_t *report_domain(const struct domain *d)
{
	static const char *const profiles[] = {
		[PROFILE_KVM] = "kvm", [PROFILE_XEN] = "xen", [PROFILE_NONE] = "none"
	};
	const uint64_t out = balloon_pages(d) << PAGE_SHIFT;
	json_t *root;

	root = json_pack("{s:s, s:i, s:s, s:s, s:i, s:I, s:I, s:f}", "name", d->config->name,
			 "domid", d->domid, "profile", profiles[d->config->profile], "transport",
			 d->transport == TRANSPORT_PORT ? "port" : "intercept", "vcpus",
			 d->nr_vcpus, "memory_bytes", (json_int_t)(mem_bytes(d) - out),
			 "max_memory_bytes", (json_int_t)mem_bytes(d), "seconds",
			 stats_elapsed_ns() / 1e9);
	report_exits(d, root);
	report_hypercalls(d, root);
	return root;
}

/* What Linux says of a vCPU's thread: processor time, seconds; true if it wants a processor now */
static bool report_thread(const struct vcpu *v, double *seconds)
{
	unsigned long long user = 0, system = 0;
	char path[64], text[512] = "", state = 0, *fields;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
		 __atomic_load_n(&v->tid, __ATOMIC_ACQUIRE));
	f = fopen(path, "re");
	if (f) {
		if (!fgets(text, sizeof(text), f))
			*text = '\0';
		fclose(f);
	}
	/* proc(5): the name stands in parentheses, then come state and, as 14 and 15, the times */
	fields = strrchr(text, ')');
	if (fields)
		sscanf(fields, ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu", &state,
		       &user, &system);
	*seconds += (double)(user + system) / sysconf(_SC_CLK_TCK);
	return state == 'R';
}

static void report_activity(const struct domain *d, json_t *root)
{
	int reason = __atomic_load_n(&d->shutdown_reason, __ATOMIC_ACQUIRE);
	const char *state = "blocked";
	double seconds = 0;

	for (unsigned int i = 0; i < d->nr_vcpus; i++) {
		if (report_thread(d->vcpu[i], &seconds))
			state = "running";
	}
	if (reason >= 0)
		state = reason == SHUTDOWN_crash ? "crashed" : "shutdown";
	json_object_set_new(root, "state", json_string(state));
	json_object_set_new(root, "cpu_seconds", json_real(seconds));
}

json_t *report_live(const struct domain *d)
{
	const struct report_store store = report_store_own(xenstore_service_conn(d));
	json_t *root = report_domain(d);

	report_activity(d, root);
	json_object_set_new(root, "pid", json_integer(getpid()));
	json_object_set_new(root, "devices", report_devices(&store, d->domid));
	return root;
}

int report_write(const struct domain *d, const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "we") : stdout;
	int ret = 0;
	json_t *root;

	if (!f)
		return report_error(path);
	root = report_domain(d);
	json_object_set_new(root, "shutdown",
			    json_string(report_shutdown_name(d->shutdown_reason)));
	report_marks(d, root);
	report_vmm(d, root);
	if (!root || json_dumpf(root, f, JSON_INDENT(2)) || fputc('\n', f) == EOF || fflush(f)) {
		ret = -EIO;
		pr_err("cannot write the report to %s", path);
	}
	json_decref(root);
	if (f != stdout)
		fclose(f);
	return ret;
}
