// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine is saved, and goes on in another domain, on this host or another; or, if the
 * toolstack thinks better of it, where it was.
 *
 * What a module can have of the kernel's power management is one exported function that stops
 * processes and devices as for hibernation, calls back, and has them go on. Below that all CPUs are
 * stopped, timekeeping and interrupt controllers are told, and the hypervisor is. If the machine
 * has moved nothing of the hypervisor's is where it was: shared_info, vectors, ports and grant
 * frames are put back before any CPU goes on, XenStore before any device, and the devices connect
 * again as they are thawed.
 */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/stop_machine.h>
#include <linux/suspend.h>
#include <linux/syscore_ops.h>
#include <linux/workqueue.h>

#include "guest/linux/hypercall.h"
#include "guest/linux/internal.h"

/* What the hypervisor's answer means */
#define SUSPEND_MOVED 0
#define SUSPEND_CANCELLED 1

/* True from the moment the machine has moved until its devices know */
static bool moved;

/* Who has the devices frozen, if it is us */
static struct task_struct *freezer;

/**
 * paravane_suspend_moved() - does the machine go on in another domain?
 *
 * For devices that are thawed.
 */
bool paravane_suspend_moved(void)
{
	return moved;
}

/**
 * paravane_suspend_under_way() - is it for us that the machine stops?
 *
 * For devices that are frozen, by whoever freezes them. Otherwise it hibernates: the hypervisor
 * would know nothing of a machine that comes from a disk.
 */
bool paravane_suspend_under_way(void)
{
	return freezer == current;
}

/* All CPUs are stopped: the first one is here, with interrupts off, the others wait for it. */
static int suspend_stopped(void *data)
{
	struct sched_shutdown op = { .reason = SHUTDOWN_suspend };
	long *answer = data;
	int err = syscore_suspend();

	if (err)
		return err;
	*answer = paravane_sched_op(SCHEDOP_shutdown, &op);
	if (*answer == SUSPEND_MOVED) {
		moved = true;
		paravane_evtchn_lose();
		paravane_upcall_resume();
		paravane_gnttab_resume();
	}
	syscore_resume();
	return 0;
}

/* Processes and devices are frozen. */
static int suspend_quiet(void *data)
{
	int err = paravane_xs_suspend();

	if (err)
		return err;
	/* Toolstacks tell the outcome to the first vCPU only. */
	err = stop_machine(suspend_stopped, data, cpumask_of(0));
	if (moved)
		paravane_unplug_again();
	paravane_xs_resume(moved);
	return err;
}

static void suspend_machine(struct work_struct *work)
{
	long answer = -EINTR;
	unsigned int noio;
	int err;

	/* Disks that memory is to be written to wait for us. */
	noio = memalloc_noio_save();
	freezer = current;
	err = hibernate_quiet_exec(suspend_quiet, &answer);
	freezer = NULL;
	memalloc_noio_restore(noio);
	if (moved)
		paravane_power_moved();
	moved = false;
	if (err)
		pr_err("cannot suspend: the kernel does not stop (%d)\n", err);
	else if (answer < 0)
		pr_err("cannot suspend: the hypervisor refuses (%ld)\n", answer);
	else
		pr_info("%s\n", answer == SUSPEND_CANCELLED ? "not suspended: cancelled" :
							      "resumed in a new domain");
}

static DECLARE_WORK(suspend_work, suspend_machine);

/**
 * paravane_suspend_possible() - can this machine be saved?
 *
 * Not if events come by an interrupt line: it would stop.
 */
bool paravane_suspend_possible(void)
{
	return !paravane_upcall_stops();
}

/**
 * paravane_suspend() - have the machine saved
 *
 * Any context. Returns at once.
 */
void paravane_suspend(void)
{
	/* Not the queue that drivers flush when they are frozen. */
	queue_work(system_unbound_wq, &suspend_work);
}

/**
 * paravane_suspend_exit() - after the last paravane_suspend()
 */
void paravane_suspend_exit(void)
{
	cancel_work_sync(&suspend_work);
}
