// SPDX-License-Identifier: GPL-2.0-only
/*
 * XenStore watches: who wants to know what, and the thread that tells them.
 *
 * The connection's thread must never wait for a callback (which may itself be waiting for an
 * answer), so events are queued here and delivered by the thread "paravane-watch".
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <paravane/xs.h>

#include "guest/linux/internal.h"
#include "guest/linux/xs.h"

/* Events for the same watch and path are merged, so only a store gone mad gets here. */
#define EVENTS_MAX 1024

struct event {
	struct list_head list;
	struct paravane_xs_watch *watch;
	char path[];
};

static DEFINE_SPINLOCK(lock);
static LIST_HEAD(watches);
static LIST_HEAD(events);
static unsigned int nr_events;
static u64 last_id;
static struct task_struct *thread;
static DECLARE_WAIT_QUEUE_HEAD(event_wait);
static DECLARE_WAIT_QUEUE_HEAD(idle_wait);

/* Both under the lock. */
static struct paravane_xs_watch *watch_by_token(const char *token)
{
	struct paravane_xs_watch *watch;
	char name[17];

	list_for_each_entry(watch, &watches, list) {
		paravane_xs_token(name, watch->id);
		if (!strcmp(name, token))
			return watch;
	}
	return NULL;
}

static bool is_queued(const struct paravane_xs_watch *watch, const char *path)
{
	struct event *event;

	list_for_each_entry(event, &events, list) {
		if (event->watch == watch && !strcmp(event->path, path))
			return true;
	}
	return false;
}

/**
 * paravane_xs_watch_event() - an event came in
 * @body: payload of the message
 * @len: its length
 *
 * Connection's thread. An event for nobody, or one that makes no sense, is dropped.
 */
void paravane_xs_watch_event(const char *body, unsigned int len)
{
	const char *path, *token;
	struct event *event;
	bool full;

	if (paravane_xs_event(body, len, &path, &token))
		return;
	event = kmalloc(sizeof(*event) + strlen(path) + 1, GFP_KERNEL);
	if (!event)
		return;
	strcpy(event->path, path);

	spin_lock(&lock);
	event->watch = watch_by_token(token);
	full = nr_events >= EVENTS_MAX;
	if (event->watch && !full && !is_queued(event->watch, path)) {
		list_add_tail(&event->list, &events);
		nr_events++;
		event = NULL;
	}
	spin_unlock(&lock);
	if (full)
		pr_warn_ratelimited("too many XenStore watch events, some are lost\n");
	if (!event)
		wake_up(&event_wait);
	kfree(event);
}

static struct event *event_next(void)
{
	struct event *event;

	spin_lock(&lock);
	event = list_first_entry_or_null(&events, struct event, list);
	if (event) {
		list_del(&event->list);
		nr_events--;
		event->watch->running = true;
	}
	spin_unlock(&lock);
	return event;
}

static int watch_thread(void *unused)
{
	struct event *event;

	/* The disk that memory is to be written to may be waiting for an event. */
	memalloc_noio_save();
	while (!kthread_should_stop()) {
		wait_event_interruptible(event_wait,
					 kthread_should_stop() || !list_empty_careful(&events));
		while ((event = event_next())) {
			event->watch->fn(event->watch, event->path);
			spin_lock(&lock);
			event->watch->running = false;
			spin_unlock(&lock);
			wake_up_all(&idle_wait);
			kfree(event);
		}
	}
	return 0;
}

static int watch_talk(u32 type, const struct paravane_xs_watch *watch)
{
	struct paravane_xs_msg *msg = kmalloc(sizeof(*msg), GFP_KERNEL);
	char token[17];
	char *answer;

	if (!msg)
		return -ENOMEM;
	paravane_xs_token(token, watch->id);
	paravane_xs_msg_init(msg, type, 0);
	paravane_xs_msg_path(msg, watch->path, "");
	paravane_xs_msg_string(msg, token);
	answer = paravane_xs_talk(msg, NULL);
	kfree(msg);
	if (IS_ERR(answer))
		return PTR_ERR(answer);
	kfree(answer);
	return 0;
}

/* Take a watch and its events off the lists; nothing new comes for it afterwards. */
static void watch_forget(struct paravane_xs_watch *watch)
{
	struct event *event, *next;
	LIST_HEAD(gone);

	spin_lock(&lock);
	list_del(&watch->list);
	list_for_each_entry_safe(event, next, &events, list) {
		if (event->watch == watch) {
			list_move(&event->list, &gone);
			nr_events--;
		}
	}
	spin_unlock(&lock);
	list_for_each_entry_safe(event, next, &gone, list)
		kfree(event);
}

static bool watch_is_idle(const struct paravane_xs_watch *watch)
{
	bool idle;

	spin_lock(&lock);
	idle = !watch->running;
	spin_unlock(&lock);
	return idle;
}

int paravane_xs_watch_register(struct paravane_xs_watch *watch)
{
	int err;

	/* Listed first: the store may send the first event before its answer. */
	spin_lock(&lock);
	watch->id = ++last_id;
	watch->running = false;
	list_add_tail(&watch->list, &watches);
	spin_unlock(&lock);

	err = watch_talk(XS_WATCH, watch);
	if (err) {
		watch_forget(watch);
		wait_event(idle_wait, watch_is_idle(watch));
	}
	return err;
}
EXPORT_SYMBOL_GPL(paravane_xs_watch_register);

void paravane_xs_watch_unregister(struct paravane_xs_watch *watch)
{
	int err = watch_talk(XS_UNWATCH, watch);

	if (err && !paravane_xs_is_silent())
		pr_warn("cannot remove the watch on %s (%d)\n", watch->path, err);
	watch_forget(watch);
	wait_event(idle_wait, watch_is_idle(watch));
}
EXPORT_SYMBOL_GPL(paravane_xs_watch_unregister);

/* The first watch after one with this id, copied: its owner may unregister it any time. */
static bool watch_after(u64 id, struct paravane_xs_watch *copy)
{
	struct paravane_xs_watch *watch;
	bool found = false;

	spin_lock(&lock);
	list_for_each_entry(watch, &watches, list) {
		if (watch->id <= id)
			continue;
		found = true;
		copy->id = watch->id;
		copy->path = kstrdup(watch->path, GFP_ATOMIC);
		break;
	}
	spin_unlock(&lock);
	return found;
}

/**
 * paravane_xs_watch_resume() - another store: tell it what we watch
 *
 * Each watch fires, so nobody misses what has happened meanwhile. One that is unregistered at the
 * same time may stay behind in the store, with a token that nobody uses again.
 */
void paravane_xs_watch_resume(void)
{
	struct paravane_xs_watch copy = {};
	int err;

	while (watch_after(copy.id, &copy)) {
		err = copy.path ? watch_talk(XS_WATCH, &copy) : -ENOMEM;
		if (err && err != -EEXIST)
			pr_err("watch %llx is lost (%d)\n", copy.id, err);
		kfree(copy.path);
	}
}

/**
 * paravane_xs_watch_init() - start the thread that delivers events
 *
 * Return: 0 or -errno.
 */
int paravane_xs_watch_init(void)
{
	thread = kthread_run(watch_thread, NULL, "paravane-watch");
	return PTR_ERR_OR_ZERO(thread);
}

/**
 * paravane_xs_watch_exit() - stop it, after all watches are unregistered
 */
void paravane_xs_watch_exit(void)
{
	kthread_stop(thread);
}
