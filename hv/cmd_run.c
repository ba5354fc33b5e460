// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * paravane run: one guest, in the foreground.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "hv/backend.h"
#include "hv/boot.h"
#include "hv/cmd.h"
#include "hv/config.h"
#include "hv/console.h"
#include "hv/domain.h"
#include "hv/log.h"
#include "hv/loop.h"
#include "hv/report.h"
#include "hv/report_socket.h"
#include "hv/rundir.h"
#include "hv/stats.h"
#include "hv/vcpu.h"
#include "hv/xenstore_service.h"

#include <xen-public/sched.h>

/* What a guest that does not listen to shutdown requests is left after the first signal */
#define GRACE_SECONDS 5
/* What the disks are left to finish in when a signal has ended the guest */
#define DRAIN_SECONDS 1
/* A guest that reboots that often without ever living so long is not rebooted any more: it panics, say */
#define QUICK_LIVES 4
#define QUICK_SECONDS 60

/**
 * struct run - everything of one run
 * @signals: SIGTERM and its like
 * @grace: timer of a guest that was asked to shut down but cannot hear it
 * @asked: a signal came already
 * @killed: we ended the guest, not the guest itself
 * @draining: the guest has ended, its I/O may not have
 * @quick_lives: how many of its last lives were shorter than QUICK_SECONDS
 */
struct run {
	struct config config;
	struct boot boot;
	struct backend_bus *bus;
	struct console *console;
	struct rundir dir;
	struct domain domain;
	struct loop_source signals, grace;
	struct report_socket report;
	bool asked, killed, draining;
	unsigned int quick_lives;
};

static void run_kill(struct run *run, const char *why)
{
	pr_warn("ending the guest: %s", why);
	run->killed = true;
	domain_shutdown(&run->domain, SHUTDOWN_crash);
	loop_stop(run->domain.loop);
}

/* The guest's kernel says in its home that it heeds control/shutdown. */
static bool run_guest_listens(struct run *run)
{
	char path[96], *value = NULL;
	bool listens;

	snprintf(path, sizeof(path), "/local/domain/%u/control/feature-poweroff",
		 run->domain.domid);
	if (xst_read(xenstore_service_conn(&run->domain), XST_NO_TX, path, &value, NULL))
		return false;
	listens = !strcmp(value, "1");
	free(value);
	return listens;
}

static void run_signalled(struct loop_source *s, uint32_t events)
{
	struct run *run = container_of(s, struct run, signals);
	const struct itimerspec grace = { .it_value.tv_sec = GRACE_SECONDS };
	struct signalfd_siginfo info;

	(void)events;
	if (read(s->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (run->asked) {
		run_kill(run, "second signal");
		return;
	}
	run->asked = true;
	if (run->draining) {
		pr_info("waiting for the disks; a second signal ends that");
		return;
	}
	domain_request_shutdown(&run->domain, "poweroff");
	if (run_guest_listens(run)) {
		pr_info("asked the guest to power off; a second signal ends it at once");
		return;
	}
	pr_info("the guest does not listen to shutdown requests; it is ended in %d s",
		GRACE_SECONDS);
	timerfd_settime(run->grace.fd, 0, &grace, NULL);
}

static void run_grace_over(struct loop_source *s, uint32_t events)
{
	struct run *run = container_of(s, struct run, grace);

	(void)events;
	run_kill(run, run->draining ? "its disks do not answer" :
				      "it does not listen to shutdown requests");
}

/* Before any thread exists: threads inherit the mask. */
static int run_block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	return sigprocmask(SIG_BLOCK, set, NULL) ? -errno : vcpu_process_init();
}

static int run_watch_signals(struct run *run, const sigset_t *set)
{
	struct loop *loop = run->domain.loop;
	int ret = 0;

	run->signals = (struct loop_source){ signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK),
					     run_signalled };
	run->grace =
		(struct loop_source){ timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
				      run_grace_over };
	if (run->signals.fd < 0 || run->grace.fd < 0)
		ret = -errno;
	if (!ret)
		ret = loop_add(loop, &run->signals, EPOLLIN);
	if (!ret)
		ret = loop_add(loop, &run->grace, EPOLLIN);
	return ret;
}

static void run_unwatch_signals(struct run *run)
{
	if (run->signals.fd >= 0)
		close(run->signals.fd);
	if (run->grace.fd >= 0)
		close(run->grace.fd);
}

static int run_status(const struct run *run)
{
	int reason = run->domain.shutdown_reason;

	if (reason == SHUTDOWN_poweroff)
		return EXIT_DONE;
	if (!run->killed && reason != SHUTDOWN_reboot)
		pr_err("the guest ended: %s", report_shutdown_name(reason));
	return EXIT_GUEST;
}

/*
 * Until no I/O of the guest is in flight. Storage that stalls may keep a guest that has ended by
 * itself, but not a user who wants an end: then the process goes as it is, as its threads cannot
 * be waited for.
 */
static void run_drain(struct run *run)
{
	const struct itimerspec limit = { .it_value.tv_sec = run->killed ? DRAIN_SECONDS : 0 };

	run->draining = true;
	run->killed = false;
	timerfd_settime(run->grace.fd, 0, &limit, NULL);
	while (!backends_quiesce(run->bus)) {
		if (!loop_run(run->domain.loop) && !run->killed)
			continue;
		pr_warn("I/O in flight is left to the host");
		console_close(run->console);
		rundir_remove(&run->dir);
		_exit(EXIT_GUEST);
	}
	run->draining = false;
}

/* One life of the guest, from its first instruction to a shutdown; the exit status */
static int run_life(struct run *run)
{
	struct domain *d = &run->domain;
	uint64_t start = stats_elapsed_ns();
	int status = EXIT_SETUP;

	if (domain_create(d, &run->boot, run->bus, run->console))
		return status;
	boot_close(&run->boot);
	if (!domain_run(d))
		status = run_status(run);
	run_drain(run);
	if (run->config.report && report_write(d, run->config.report))
		status = EXIT_SETUP;
	domain_destroy(d);
	if (stats_elapsed_ns() - start < QUICK_SECONDS * 1000000000ULL)
		run->quick_lives++;
	else
		run->quick_lives = 0;
	return status;
}

/* True if the guest wants another life and gets it. */
static bool run_again(struct run *run)
{
	if (run->domain.shutdown_reason != SHUTDOWN_reboot || run->asked)
		return false;
	if (run->quick_lives >= QUICK_LIVES) {
		pr_err("the guest reboots again and again, %d times within %d s each", QUICK_LIVES,
		       QUICK_SECONDS);
		return false;
	}
	pr_info("the guest reboots");
	return !boot_open(&run->config, &run->boot);
}

/* The user-mode network takes a descriptor for each of the guest's connections. */
static void run_raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

/* All lives of the guest, from the first thing that exists because of it to the last */
static int run_domain(struct run *run)
{
	struct domain *d = &run->domain;
	int ret, status = EXIT_SETUP;
	sigset_t set;

	if (run_block_signals(&set))
		return status;
	if (rundir_create(&run->dir, run->config.name, &d->domid))
		return status;
	snprintf(d->run_dir, sizeof(d->run_dir), "%s", run->dir.path);
	d->loop = loop_new();
	if (!d->loop || run_watch_signals(run, &set)) {
		pr_err("cannot create the event loop: %s", strerror(errno));
		goto out;
	}
	ret = report_socket_open(&run->report, d);
	if (ret) {
		pr_err("%s/report.sock: %s", d->run_dir, strerror(-ret));
		goto out;
	}
	if (console_pty(run->console))
		pr_info("console on %s", console_pty(run->console));
	do {
		status = run_life(run);
	} while (run_again(run));
out:
	report_socket_close(&run->report);
	run_unwatch_signals(run);
	loop_free(d->loop);
	rundir_remove(&run->dir);
	return status;
}

int cmd_run(int argc, char **argv)
{
	static struct run run;
	int status = EXIT_SETUP;
	int ret = config_parse(argc, argv, &run.config);

	if (ret) {
		config_free(&run.config);
		return ret > 0 ? EXIT_DONE : EXIT_SETUP;
	}
	run.domain.config = &run.config;
	run.signals.fd = run.grace.fd = run.report.listen.fd = -1;
	log_set_level(run.config.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	log_set_domain(run.config.name);
	run_raise_limits();
	/*
	 * What the user named comes before what the host lacks, and first what is quick to check:
	 * unpacking a kernel takes a while.
	 */
	if (backends_open(&run.config, &run.bus))
		goto out_config;
	if (console_open(&run.config, &run.console))
		goto out_backends;
	if (run.config.report && report_check(run.config.report))
		goto out_console;
	if (boot_open(&run.config, &run.boot))
		goto out_console;
	if (!kvm_open(&run.domain.kvm)) {
		status = run_domain(&run);
		kvm_close(&run.domain.kvm);
	}
	boot_close(&run.boot);
out_console:
	console_close(run.console);
out_backends:
	backends_destroy(run.bus);
out_config:
	config_free(&run.config);
	return status;
}
