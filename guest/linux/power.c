// SPDX-License-Identifier: GPL-2.0-only
/*
 * Switching off: the toolstack asks through control/shutdown, the guest tells the hypervisor with
 * SCHEDOP_shutdown.
 */
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/reboot.h>
#include <linux/slab.h>

#include "guest/linux/hypercall.h"
#include "guest/linux/internal.h"
#include "guest/linux/xs.h"

#define CONTROL "control"

static void power_off(void)
{
	orderly_poweroff(true);
}

static void reboot(void)
{
	orderly_reboot();
}

/**
 * struct request - what a toolstack may write to control/shutdown
 * @name: the word
 * @feature: key that announces that we understand it
 * @act: what to do
 * @possible: can it be done here? Without it: always
 */
struct request {
	const char *name;
	const char *feature;
	void (*act)(void);
	bool (*possible)(void);
};

static const struct request requests[] = {
	{ "poweroff", "feature-poweroff", power_off },
	{ "halt", NULL, power_off },
	{ "reboot", "feature-reboot", reboot },
	{ "suspend", "feature-suspend", paravane_suspend, paravane_suspend_possible },
};

static bool is_possible(const struct request *req)
{
	return !req->possible || req->possible();
}

static const struct request *find_request(const char *word)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		if (!strcmp(word, requests[i].name) && is_possible(&requests[i]))
			return &requests[i];
	}
	return NULL;
}

/*
 * Take the word and acknowledge it by emptying the node. One that we do not know or cannot do stays
 * there: its absence would tell the toolstack that we are about to do it.
 */
static int take_request(const struct paravane_xs_tx *tx, void *data)
{
	const struct request **req = data;
	char *word = paravane_xs_read(tx, CONTROL, "shutdown", NULL);

	if (IS_ERR(word))
		return PTR_ERR(word);
	*req = find_request(word);
	/* If that is not allowed the toolstack has to do without. */
	if (*req)
		paravane_xs_write(tx, CONTROL, "shutdown", "%s", "");
	else if (*word)
		pr_warn("the toolstack asks for \"%s\", which this guest cannot do\n", word);
	kfree(word);
	return *req ? 0 : -ENOENT;
}

static void shutdown_event(struct paravane_xs_watch *watch, const char *path)
{
	const struct request *req;

	if (paravane_xs_tx_run(take_request, &req))
		return;
	pr_info("the toolstack asks for: %s\n", req->name);
	req->act();
}

static struct paravane_xs_watch shutdown_watch = {
	.path = CONTROL "/shutdown",
	.fn = shutdown_event,
};

/* Returns only if the hypervisor refuses; it may let us run for a moment when it agrees. */
static void hypervisor_shutdown(unsigned int reason)
{
	struct sched_shutdown op = { .reason = reason };

	if (paravane_sched_op(SCHEDOP_shutdown, &op))
		return;
	local_irq_disable();
	for (;;)
		halt();
}

static int on_power_off(struct sys_off_data *data)
{
	hypervisor_shutdown(SHUTDOWN_poweroff);
	return NOTIFY_DONE;
}

static int on_restart(struct sys_off_data *data)
{
	hypervisor_shutdown(SHUTDOWN_reboot);
	return NOTIFY_DONE;
}

static struct sys_off_handler *off_handler, *restart_handler;

static void announce(bool yes)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		/*
		 * Only for the toolstack's information: it may have kept the node to itself. Never
		 * removed, for the guest may write the nodes there are and make none.
		 */
		if (requests[i].feature && is_possible(&requests[i]))
			paravane_xs_write(&paravane_xs_no_tx, CONTROL, requests[i].feature, "%d",
					  yes);
	}
}

/**
 * paravane_power_init() - listen to the toolstack, and tell the hypervisor when we go
 *
 * Restart handlers proper are never called on x86, so a restart is told in the last preparation
 * step, when devices are shut down.
 *
 * Return: 0 or -errno.
 */
int paravane_power_init(void)
{
	int err;

	off_handler = register_sys_off_handler(SYS_OFF_MODE_POWER_OFF, SYS_OFF_PRIO_FIRMWARE + 1,
					       on_power_off, NULL);
	if (IS_ERR(off_handler))
		return PTR_ERR(off_handler);
	restart_handler = register_sys_off_handler(SYS_OFF_MODE_RESTART_PREPARE, SYS_OFF_PRIO_LOW,
						   on_restart, NULL);
	if (IS_ERR(restart_handler)) {
		err = PTR_ERR(restart_handler);
		goto off;
	}
	err = paravane_xs_watch_register(&shutdown_watch);
	if (err) {
		if (!paravane_xs_is_silent())
			pr_err("cannot watch for shutdown requests (%d)\n", err);
		goto restart;
	}
	announce(true);
	return 0;

restart:
	unregister_sys_off_handler(restart_handler);
off:
	unregister_sys_off_handler(off_handler);
	return err;
}

/**
 * paravane_power_moved() - the machine is in another domain, whose toolstack knows nothing of it
 */
void paravane_power_moved(void)
{
	announce(true);
}

/**
 * paravane_power_shutdown() - listen to the toolstack no more
 *
 * The hypervisor is still told when we go.
 */
void paravane_power_shutdown(void)
{
	announce(false);
	paravane_xs_watch_unregister(&shutdown_watch);
}

/**
 * paravane_power_exit() - the opposite of paravane_power_init()
 */
void paravane_power_exit(void)
{
	paravane_power_shutdown();
	paravane_suspend_exit();
	unregister_sys_off_handler(restart_handler);
	unregister_sys_off_handler(off_handler);
}
