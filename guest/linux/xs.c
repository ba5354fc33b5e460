// SPDX-License-Identifier: GPL-2.0-only
/*
 * XenStore connection: one ring page to the store, many callers.
 *
 * A caller puts its message into the ring under xs_write_lock and waits. The thread "paravane-xs"
 * takes messages out: an answer goes to the caller with its request id, a watch event to
 * xs_watch.c, anything else (an answer nobody waits for any more) is dropped. A stream that makes
 * no sense ends the connection: every operation then fails with -EIO until the module is reloaded.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <paravane/xs.h>

#include "guest/linux/evtchn.h"
#include "guest/linux/hypercall.h"
#include "guest/linux/internal.h"
#include "guest/linux/xs.h"
#include "ring/stream.h"

/* Unloading must come to an end within half a minute, with this in it once. */
static unsigned int timeout = 20;
module_param_named(xs_timeout, timeout, uint, 0644);
MODULE_PARM_DESC(xs_timeout, "Seconds to wait for XenStore (default 20)");

/* The same when the machine restarts. */
#define SHUTDOWN_TIMEOUT (2 * HZ)

/* What is left of it once the store has let one operation time out. */
#define STALLED_TIMEOUT (HZ / 10)

/* How long the machine waits with being suspended until nobody waits for an answer. */
#define SUSPEND_PATIENCE (5 * HZ)

/**
 * struct waiter - somebody waiting for an answer
 * @list: in waiters
 * @req_id: request id
 * @done: completed when the answer, or an error, is here
 * @type: XS_* of the answer
 * @body: its payload, NUL added; NULL on error
 * @len: its length
 * @err: -errno
 */
struct waiter {
	struct list_head list;
	u32 req_id;
	struct completion done;
	u32 type;
	char *body;
	unsigned int len;
	int err;
};

static struct xenstore_domain_interface *intf;
static u64 intf_gfn;
static struct paravane_evtchn *channel;
static struct task_struct *thread;
static DECLARE_WAIT_QUEUE_HEAD(ring_wait);

static DEFINE_MUTEX(xs_write_lock);
static struct stream_writer out;
static char *in_body;

/* What the thread takes messages out of; another store begins with a new message. */
static DEFINE_MUTEX(xs_read_lock);
static struct stream_reader in;
static bool renewed;
static u32 last_req_id;

static DEFINE_SPINLOCK(xs_lists_lock);
static LIST_HEAD(waiters);
static bool dead;
static bool stalled;

/* Bytes have gone through the ring since the last event. */
static bool moved;

/*
 * Only wakes, so what it returns is the truth about the time before: a store that sends events
 * without reading or writing is found out one event later.
 */
static bool xs_event(void *data)
{
	wake_up_all(&ring_wait);
	return xchg(&moved, false);
}

static void waiter_finish(struct waiter *w, int err)
{
	list_del_init(&w->list);
	w->err = err;
	complete(&w->done);
}

/* The connection is of no use any more; everybody learns it now. @why: NULL if all is well */
static void xs_die(const char *why)
{
	struct waiter *w, *next;

	spin_lock_irq(&xs_lists_lock);
	if (!dead && why)
		pr_err("XenStore connection given up: %s\n", why);
	WRITE_ONCE(dead, true);
	list_for_each_entry_safe(w, next, &waiters, list)
		waiter_finish(w, -EIO);
	spin_unlock_irq(&xs_lists_lock);
	wake_up_all(&ring_wait);
}

/* The store says itself that it has closed the connection. */
static bool xs_closed(void)
{
	return READ_ONCE(intf->server_features) & XENSTORE_SERVER_FEATURE_ERROR &&
	       READ_ONCE(intf->error) != XENSTORE_ERROR_NONE;
}

static long xs_patience(void)
{
	if (READ_ONCE(stalled))
		return STALLED_TIMEOUT;
	return system_state == SYSTEM_RESTART ? SHUTDOWN_TIMEOUT : (long)max(timeout, 1U) * HZ;
}

/**
 * paravane_xs_is_silent() - has the store stopped answering, as the log says by then?
 */
bool paravane_xs_is_silent(void)
{
	return READ_ONCE(stalled) || READ_ONCE(dead);
}

/* Room for a message as a whole, or for all the ring can hold; or for nothing but an error. */
static bool xs_has_room(size_t len)
{
	int room = stream_writable(&out);

	return room < 0 || room >= min(len, sizeof(intf->req)) || READ_ONCE(dead);
}

/*
 * Put @len bytes into the ring; under xs_write_lock. *@left is the time left, in jiffies. Returns
 * -ETIMEDOUT if none was put in time, -EPIPE if only the rest was not.
 */
static int xs_put(const void *data, size_t len, long *left)
{
	bool begun = false;

	while (len) {
		int done;

		if (!xs_has_room(len)) {
			paravane_evtchn_notify(channel);
			*left = wait_event_timeout(ring_wait, xs_has_room(len), *left);
			if (!*left)
				return begun ? -EPIPE : -ETIMEDOUT;
		}
		if (READ_ONCE(dead))
			return -EIO;
		done = stream_write(&out, data, len);
		if (done < 0)
			return done;
		begun = true;
		WRITE_ONCE(moved, true);
		data += done;
		len -= done;
	}
	return 0;
}

static int xs_send(struct paravane_xs_msg *msg, struct waiter *w, long *left)
{
	int err;

	mutex_lock(&xs_write_lock);
	*left = xs_patience();
	w->req_id = ++last_req_id;
	msg->hdr.req_id = w->req_id;

	spin_lock_irq(&xs_lists_lock);
	err = dead ? -EIO : 0;
	if (!err)
		list_add_tail(&w->list, &waiters);
	spin_unlock_irq(&xs_lists_lock);

	/* The body follows the header in memory as well. */
	if (!err)
		err = xs_put(msg, sizeof(msg->hdr) + msg->hdr.len, left);
	if (!err) {
		paravane_evtchn_notify(channel);
	} else if (err == -EPIPE) {
		/* Nothing that follows half a message would be understood. */
		xs_die("the store does not read");
		err = -EIO;
	} else if (err == -EPROTO) {
		xs_die("impossible ring indices");
	}
	mutex_unlock(&xs_write_lock);
	return err;
}

/* Take a waiter off the list, unless its answer came at the last moment. */
static void xs_give_up(struct waiter *w, int err)
{
	spin_lock_irq(&xs_lists_lock);
	list_del_init(&w->list);
	if (!w->body && !w->err)
		w->err = err;
	spin_unlock_irq(&xs_lists_lock);
}

static char *xs_judge(const struct paravane_xs_msg *msg, struct waiter *w)
{
	int err = w->err;

	if (!err && w->type == XS_ERROR)
		err = paravane_xs_error(w->body, w->len);
	else if (!err && w->type != msg->hdr.type)
		err = -EPROTO;
	if (!err)
		return w->body;
	kfree(w->body);
	return ERR_PTR(err);
}

/**
 * paravane_xs_talk() - send a message and wait for its answer
 * @msg: message, complete but for the request id
 * @len: if not NULL, receives the length of the answer
 *
 * Return: the payload of the answer, NUL added, to be kfree()d, or an ERR_PTR.
 */
char *paravane_xs_talk(struct paravane_xs_msg *msg, unsigned int *len)
{
	struct waiter w = { .list = LIST_HEAD_INIT(w.list) };
	int err = msg->err;
	long left;

	if (err)
		return ERR_PTR(err);
	init_completion(&w.done);
	err = xs_send(msg, &w, &left);
	if (!err && !wait_for_completion_timeout(&w.done, left))
		err = -ETIMEDOUT;
	if (err == -ETIMEDOUT && !xchg(&stalled, true))
		pr_err("XenStore does not answer: what needs it fails\n");
	if (err)
		xs_give_up(&w, err);
	if (len)
		*len = w.len;
	return xs_judge(msg, &w);
}

/* Deliver an answer; its body is in in_body. */
static void xs_answer(const struct xsd_sockmsg *hdr)
{
	char *body = kmemdup_nul(in_body, hdr->len, GFP_KERNEL);
	struct waiter *w;

	if (xchg(&stalled, false))
		pr_info("XenStore answers again\n");
	spin_lock_irq(&xs_lists_lock);
	list_for_each_entry(w, &waiters, list) {
		if (w->req_id != hdr->req_id)
			continue;
		w->type = hdr->type;
		w->len = hdr->len;
		swap(w->body, body);
		waiter_finish(w, w->body ? 0 : -ENOMEM);
		break;
	}
	spin_unlock_irq(&xs_lists_lock);
	kfree(body);
}

static bool xs_reader_wakes(void)
{
	return kthread_should_stop() || READ_ONCE(dead) || READ_ONCE(renewed) || xs_closed() ||
	       stream_readable(&in);
}

/* Under the lock throughout: with another store there is another channel as well. */
static int xs_read(void *data, size_t len)
{
	int done;

	mutex_lock(&xs_read_lock);
	if (READ_ONCE(dead))
		done = -EINTR;
	else
		done = renewed ? -ESTALE : stream_read(&in, data, len);
	/* The store may be waiting for the room we made. */
	if (!done)
		paravane_evtchn_notify(channel);
	mutex_unlock(&xs_read_lock);
	return done;
}

/*
 * Take @len bytes out of the ring; 0, -EINTR when the thread shall stop, -ESTALE when it is another
 * ring, -EPROTO, -ECONNRESET.
 */
static int xs_take(void *data, size_t len)
{
	while (len) {
		int done = xs_read(data, len);

		if (done < 0)
			return done;
		if (!done) {
			wait_event_interruptible(ring_wait, xs_reader_wakes());
			if (kthread_should_stop() || READ_ONCE(dead))
				return -EINTR;
			if (xs_closed())
				return -ECONNRESET;
		} else {
			WRITE_ONCE(moved, true);
		}
		data += done;
		len -= done;
	}
	return 0;
}

static int xs_receive(void)
{
	struct xsd_sockmsg hdr;
	int err = xs_take(&hdr, sizeof(hdr));

	if (!err)
		err = paravane_xs_header_check(&hdr);
	if (!err)
		err = xs_take(in_body, hdr.len);
	if (err == -ESTALE) {
		WRITE_ONCE(renewed, false);
		return 0;
	}
	if (err)
		return err;
	if (hdr.type == XS_WATCH_EVENT)
		paravane_xs_watch_event(in_body, hdr.len);
	else
		xs_answer(&hdr);
	return 0;
}

static int xs_thread(void *unused)
{
	int err;

	/* The disk that memory is to be written to may be waiting for an answer. */
	memalloc_noio_save();
	do {
		err = xs_receive();
	} while (!err);
	if (err != -EINTR)
		xs_die(err == -ECONNRESET ? "closed by the store" : "the store sent nonsense");
	wait_event_interruptible(ring_wait, kthread_should_stop());
	return 0;
}

/*
 * Whoever used the connection before (a module, another kernel) may have left it in the middle of a
 * message. Stores that can do so start over then.
 */
static int xs_start_over(void)
{
	if (!(intf->server_features & XENSTORE_SERVER_FEATURE_RECONNECTION))
		return 0;
	if (!xs_closed() && intf->req_prod == intf->req_cons && intf->rsp_prod == intf->rsp_cons &&
	    READ_ONCE(intf->connection) == XENSTORE_CONNECTED)
		return 0;
	WRITE_ONCE(intf->connection, XENSTORE_RECONNECT);
	paravane_evtchn_notify(channel);
	if (!wait_event_timeout(ring_wait, READ_ONCE(intf->connection) == XENSTORE_CONNECTED,
				xs_patience()))
		return -ETIMEDOUT;
	return 0;
}

static int xs_attach(void)
{
	int err = stream_writer_attach(&out, intf->req, sizeof(intf->req), &intf->req_cons,
				       &intf->req_prod);

	if (err)
		return err;
	return stream_reader_attach(&in, intf->rsp, sizeof(intf->rsp), &intf->rsp_cons,
				    &intf->rsp_prod);
}

static int xs_find(u64 *gfn, u64 *port)
{
	if (!paravane_hvm_get_param(HVM_PARAM_STORE_PFN, gfn) &&
	    !paravane_hvm_get_param(HVM_PARAM_STORE_EVTCHN, port) && *gfn && *port &&
	    !(*gfn >> (boot_cpu_data.x86_phys_bits - PAGE_SHIFT)))
		return 0;
	pr_err("the hypervisor has no XenStore for this guest\n");
	return -ENODEV;
}

/* Use the ring that is mapped. */
static int xs_connect(evtchn_port_t port)
{
	int err;

	channel = paravane_evtchn_adopt(port, 0, 0, xs_event, NULL);
	err = PTR_ERR_OR_ZERO(channel);
	if (!err)
		err = xs_start_over();
	if (!err)
		err = xs_attach();
	if (!err)
		return 0;
	if (!IS_ERR(channel))
		paravane_evtchn_close(channel);
	channel = NULL;
	pr_err("cannot use the XenStore ring (%d)%s\n", err,
	       err == -ETIMEDOUT ? ": XenStore does not answer" : "");
	return err;
}

static int xs_map(void)
{
	u64 port;
	int err = xs_find(&intf_gfn, &port);

	if (err)
		return err;
	intf = memremap(intf_gfn << PAGE_SHIFT, PAGE_SIZE, MEMREMAP_WB);
	if (!intf) {
		pr_err("cannot map the XenStore ring, page %llx\n", intf_gfn);
		return -ENOMEM;
	}
	err = xs_connect(port);
	if (err)
		memunmap(intf);
	return err;
}

/**
 * paravane_xs_init() - connect to XenStore
 *
 * Return: 0 or -errno.
 */
int paravane_xs_init(void)
{
	int err;

	dead = false;
	stalled = false;
	/* Not those of an earlier load, whose answers may yet come. */
	last_req_id = get_random_u32();
	in_body = kmalloc(XENSTORE_PAYLOAD_MAX, GFP_KERNEL);
	if (!in_body)
		return -ENOMEM;
	err = xs_map();
	if (err)
		goto free;
	err = paravane_xs_watch_init();
	if (err)
		goto unmap;
	thread = kthread_run(xs_thread, NULL, "paravane-xs");
	if (IS_ERR(thread)) {
		err = PTR_ERR(thread);
		goto watch;
	}
	err = paravane_xs_hello();
	if (err)
		goto stop;
	return 0;

stop:
	kthread_stop(thread);
watch:
	paravane_xs_watch_exit();
unmap:
	paravane_evtchn_close(channel);
	memunmap(intf);
free:
	kfree(in_body);
	return err;
}

/**
 * paravane_xs_shutdown() - the machine restarts: leave the ring as it is
 *
 * Operations that come later fail at once. A message that is being put is finished first, or times
 * out.
 */
void paravane_xs_shutdown(void)
{
	/* Not in the middle of a message: not every store can start over with the next kernel. */
	mutex_lock(&xs_write_lock);
	xs_die(NULL);
	mutex_unlock(&xs_write_lock);
	if (channel)
		paravane_evtchn_mask(channel);
}

static bool xs_is_idle(void)
{
	bool idle;

	spin_lock_irq(&xs_lists_lock);
	idle = list_empty(&waiters);
	spin_unlock_irq(&xs_lists_lock);
	return idle && !paravane_xs_tx_is_open();
}

/**
 * paravane_xs_suspend() - the machine is going to stop, and perhaps to meet another store
 *
 * Operations that are under way and transactions are finished first; later ones wait, without
 * limit, for paravane_xs_resume().
 *
 * Return: 0; -EBUSY if they do not end, and everything stays as it is.
 */
int paravane_xs_suspend(void)
{
	unsigned long end = jiffies + SUSPEND_PATIENCE;

	mutex_lock(&xs_write_lock);
	while (!xs_is_idle()) {
		mutex_unlock(&xs_write_lock);
		if (time_after(jiffies, end)) {
			pr_err("cannot suspend: XenStore does not answer\n");
			return -EBUSY;
		}
		msleep(20);
		mutex_lock(&xs_write_lock);
	}
	mutex_lock(&xs_read_lock);
	return 0;
}

/* Both locks are held. Toolstacks leave the page where it was, in a ring that is empty. */
static int xs_renew(void)
{
	u64 gfn, port;
	int err = xs_find(&gfn, &port);

	if (!err && gfn != intf_gfn) {
		pr_err("the XenStore ring has moved from page %llx to %llx\n", intf_gfn, gfn);
		err = -ENXIO;
	}
	if (err)
		return err;
	paravane_evtchn_close(channel);
	WRITE_ONCE(renewed, true);
	WRITE_ONCE(stalled, false);
	return xs_connect(port);
}

/**
 * paravane_xs_resume() - go on after paravane_xs_suspend()
 * @moved: with the store of another domain
 */
void paravane_xs_resume(bool moved)
{
	int err = 0;

	if (moved && !dead)
		err = xs_renew();
	if (err)
		xs_die("no way to that of the new domain");
	mutex_unlock(&xs_read_lock);
	mutex_unlock(&xs_write_lock);
	wake_up_all(&ring_wait);
	if (moved && !err)
		paravane_xs_watch_resume();
}

/**
 * paravane_xs_exit() - disconnect, after everybody has stopped using XenStore
 */
void paravane_xs_exit(void)
{
	kthread_stop(thread);
	paravane_xs_watch_exit();
	paravane_evtchn_close(channel);
	memunmap(intf);
	kfree(in_body);
}
