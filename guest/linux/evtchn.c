// SPDX-License-Identifier: GPL-2.0-only
/*
 * Event channels: ports, their handlers, and what happens when one fires.
 */
#include <linux/bitops.h>
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <paravane/evtchn.h>

#include "guest/linux/evtchn.h"
#include "guest/linux/hypercall.h"
#include "guest/linux/internal.h"

/* Reasons for a port to be masked; it is unmasked when none is left. */
enum {
	HOLD_OWNER = BIT(0), /* paravane_evtchn_mask() */
	HOLD_THROTTLE = BIT(1), /* too many events without work */
	HOLD_MOVE = BIT(2), /* being set up, moved, or without a CPU */
	HOLD_CLOSED = BIT(3),
};

/* Events without work in a row before a port is throttled, and how long at most (2^n jiffies). */
#define SPURIOUS_MAX 64
#define THROTTLE_SHIFT_MAX 5

enum evtchn_kind { KIND_UNBOUND, KIND_ADOPTED, KIND_LOST };

static const char *const kind_names[] = {
	[KIND_UNBOUND] = "unbound",
	[KIND_ADOPTED] = "adopted",
	[KIND_LOST] = "lost",
};

/**
 * struct paravane_evtchn - an event channel
 * @port: port number; 0, which is never valid, once lost
 * @kind: what it is; lost is a channel of the domain this machine was in before it moved
 * @doorbell: notify by the doorbell
 * @cpu: CPU it is bound to; evtchn_lock
 * @fn: handler
 * @data: its argument
 * @lock: guards @held, which says why the port is masked
 * @held: HOLD_*
 * @spurious: events without work in a row; only the handler's CPU
 * @shift: how hard it is throttled; only the handler's CPU
 * @events: events so far
 * @wasted: of these, without work
 * @throttle: ends a throttling
 */
struct paravane_evtchn {
	evtchn_port_t port;
	enum evtchn_kind kind;
	bool doorbell;
	unsigned int cpu;
	paravane_evtchn_fn fn;
	void *data;
	spinlock_t lock; /* guards held */
	unsigned int held;
	unsigned int spurious;
	unsigned int shift;
	unsigned long events;
	unsigned long wasted;
	struct delayed_work throttle;
};

/* Guards binding, moving and closing; readers of the table are the upcalls, under RCU. */
static DEFINE_MUTEX(evtchn_lock);
static struct paravane_evtchn __rcu **channels;
static struct dentry *evtchn_debugfs;

static void evtchn_hold(struct paravane_evtchn *ch, unsigned int reason)
{
	unsigned long flags;

	spin_lock_irqsave(&ch->lock, flags);
	ch->held |= reason;
	paravane_evtchn_mask_port(paravane_shared_info(), ch->port);
	spin_unlock_irqrestore(&ch->lock, flags);
}

static void evtchn_release(struct paravane_evtchn *ch, unsigned int reason)
{
	unsigned long flags;

	spin_lock_irqsave(&ch->lock, flags);
	ch->held &= ~reason;
	if (!ch->held && paravane_evtchn_unmask_port(paravane_shared_info(), ch->port))
		paravane_evtchn_op_unmask(ch->port);
	spin_unlock_irqrestore(&ch->lock, flags);
}

static void evtchn_throttle_end(struct work_struct *work)
{
	evtchn_release(container_of(work, struct paravane_evtchn, throttle.work), HOLD_THROTTLE);
}

static void evtchn_wasted(struct paravane_evtchn *ch)
{
	ch->wasted++;
	if (++ch->spurious < SPURIOUS_MAX)
		return;
	evtchn_hold(ch, HOLD_THROTTLE);
	queue_delayed_work(system_wq, &ch->throttle, 1UL << ch->shift);
	if (ch->shift < THROTTLE_SHIFT_MAX)
		ch->shift++;
}

/**
 * paravane_evtchn_dispatch() - one port has fired
 * @ctx: unused
 * @port: port, its pending bit already clear
 *
 * Hard interrupt context, which is an RCU read side.
 */
void paravane_evtchn_dispatch(void *ctx, evtchn_port_t port)
{
	struct paravane_evtchn *ch = rcu_dereference_sched(channels[port]);
	bool work;

	if (!ch) {
		paravane_evtchn_mask_port(paravane_shared_info(), port);
		return;
	}
	work = ch->fn(ch->data);
	trace_paravane_event(port, work);
	ch->events++;
	if (work) {
		ch->spurious = 0;
		ch->shift = 0;
	} else {
		evtchn_wasted(ch);
	}
}

/* A CPU that receives events, but not @cpu; under cpus_read_lock(). */
static int evtchn_other_cpu(unsigned int cpu)
{
	unsigned int other;

	for_each_online_cpu(other) {
		if (other != cpu && paravane_upcall_vcpu(other) >= 0)
			return other;
	}
	return -ENXIO;
}

/* The CPU to use when @cpu is wanted; under cpus_read_lock(). */
static int evtchn_pick_cpu(unsigned int cpu)
{
	if (cpu < nr_cpu_ids && paravane_upcall_vcpu(cpu) >= 0)
		return cpu;
	return evtchn_other_cpu(cpu);
}

/* Tell the hypervisor and the scan which CPU a port belongs to; the port is masked meanwhile. */
static int evtchn_assign(struct paravane_evtchn *ch, unsigned int cpu)
{
	long err = paravane_evtchn_op_bind_vcpu(ch->port, paravane_upcall_vcpu(cpu));

	if (err)
		return err;
	ch->cpu = cpu;
	paravane_evtchn_set_bit(paravane_upcall_cpu(cpu)->ports, ch->port);
	return 0;
}

static void evtchn_unassign(struct paravane_evtchn *ch)
{
	paravane_evtchn_clear_bit(paravane_upcall_cpu(ch->cpu)->ports, ch->port);
	/* The handler runs with interrupts off: now it has finished. */
	synchronize_rcu();
}

/**
 * struct evtchn_spec - what is to be made
 * @kind: kind
 * @remote: domain at the other end
 * @port: adopted port
 * @cpu: wanted CPU
 * @fn: handler
 * @data: its argument
 */
struct evtchn_spec {
	enum evtchn_kind kind;
	domid_t remote;
	evtchn_port_t port;
	unsigned int cpu;
	paravane_evtchn_fn fn;
	void *data;
};

/* Ask the hypervisor for a port: the port, or -errno. */
static long evtchn_bind_port(const struct evtchn_spec *spec)
{
	struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = spec->remote };
	long err;

	if (spec->kind == KIND_ADOPTED)
		return spec->port;
	err = paravane_evtchn_op(EVTCHNOP_alloc_unbound, &op);
	return err ? err : op.port;
}

/* Under cpus_read_lock() and evtchn_lock. */
static int evtchn_bind_locked(struct paravane_evtchn *ch, const struct evtchn_spec *spec)
{
	int cpu = evtchn_pick_cpu(spec->cpu);
	long port;
	int err;

	if (cpu < 0)
		return cpu;
	port = evtchn_bind_port(spec);
	if (port < 0)
		return port;
	if (port >= PARAVANE_EVTCHN_PORTS) {
		if (spec->kind != KIND_ADOPTED)
			paravane_evtchn_op_close(port);
		return -EPROTO;
	}
	/* Not closed: it is the port of somebody else, whatever the hypervisor says. */
	if (rcu_access_pointer(channels[port]))
		return -EPROTO;
	ch->port = port;
	evtchn_hold(ch, HOLD_MOVE);
	rcu_assign_pointer(channels[port], ch);
	err = evtchn_assign(ch, cpu);
	if (err) {
		RCU_INIT_POINTER(channels[port], NULL);
		if (spec->kind != KIND_ADOPTED)
			paravane_evtchn_op_close(port);
		return err;
	}
	evtchn_release(ch, HOLD_MOVE);
	return 0;
}

static struct paravane_evtchn *evtchn_bind(const struct evtchn_spec *spec)
{
	struct paravane_evtchn *ch = kzalloc(sizeof(*ch), GFP_KERNEL);
	int err;

	if (!ch)
		return ERR_PTR(-ENOMEM);
	ch->kind = spec->kind;
	ch->fn = spec->fn;
	ch->data = spec->data;
	ch->doorbell = paravane_platform.doorbell && spec->remote == 0;
	spin_lock_init(&ch->lock);
	INIT_DELAYED_WORK(&ch->throttle, evtchn_throttle_end);

	cpus_read_lock();
	mutex_lock(&evtchn_lock);
	err = evtchn_bind_locked(ch, spec);
	mutex_unlock(&evtchn_lock);
	cpus_read_unlock();
	if (err) {
		kfree(ch);
		return ERR_PTR(err);
	}
	return ch;
}

struct paravane_evtchn *paravane_evtchn_alloc_unbound(domid_t remote, unsigned int cpu,
						      paravane_evtchn_fn fn, void *data)
{
	const struct evtchn_spec spec = {
		.kind = KIND_UNBOUND,
		.remote = remote,
		.cpu = cpu,
		.fn = fn,
		.data = data,
	};

	return evtchn_bind(&spec);
}
EXPORT_SYMBOL_GPL(paravane_evtchn_alloc_unbound);

struct paravane_evtchn *paravane_evtchn_adopt(evtchn_port_t port, domid_t remote, unsigned int cpu,
					      paravane_evtchn_fn fn, void *data)
{
	const struct evtchn_spec spec = {
		.kind = KIND_ADOPTED,
		.remote = remote,
		.port = port,
		.cpu = cpu,
		.fn = fn,
		.data = data,
	};

	return evtchn_bind(&spec);
}
EXPORT_SYMBOL_GPL(paravane_evtchn_adopt);

static void evtchn_close_port(struct paravane_evtchn *ch)
{
	if (ch->kind != KIND_UNBOUND)
		return;
	paravane_evtchn_op_close(ch->port);
	paravane_evtchn_clear_port(paravane_shared_info(), ch->port);
}

void paravane_evtchn_close(struct paravane_evtchn *ch)
{
	if (!ch)
		return;
	mutex_lock(&evtchn_lock);
	evtchn_hold(ch, HOLD_CLOSED);
	RCU_INIT_POINTER(channels[ch->port], NULL);
	evtchn_unassign(ch);
	evtchn_close_port(ch);
	mutex_unlock(&evtchn_lock);
	cancel_delayed_work_sync(&ch->throttle);
	kfree(ch);
}
EXPORT_SYMBOL_GPL(paravane_evtchn_close);

void paravane_evtchn_notify(struct paravane_evtchn *ch)
{
	trace_paravane_notify(ch->port, ch->doorbell);
	if (ch->doorbell)
		outl(ch->port, paravane_platform.doorbell);
	else
		paravane_evtchn_send(ch->port);
}
EXPORT_SYMBOL_GPL(paravane_evtchn_notify);

void paravane_evtchn_mask(struct paravane_evtchn *ch)
{
	evtchn_hold(ch, HOLD_OWNER);
}
EXPORT_SYMBOL_GPL(paravane_evtchn_mask);

void paravane_evtchn_unmask(struct paravane_evtchn *ch)
{
	evtchn_release(ch, HOLD_OWNER);
}
EXPORT_SYMBOL_GPL(paravane_evtchn_unmask);

evtchn_port_t paravane_evtchn_port(const struct paravane_evtchn *ch)
{
	return ch->port;
}
EXPORT_SYMBOL_GPL(paravane_evtchn_port);

/* Under evtchn_lock, with the CPUs held still. */
static int evtchn_move(struct paravane_evtchn *ch, unsigned int cpu)
{
	int err;

	evtchn_hold(ch, HOLD_MOVE);
	evtchn_unassign(ch);
	err = evtchn_assign(ch, cpu);
	if (!err)
		evtchn_release(ch, HOLD_MOVE);
	return err;
}

/**
 * paravane_evtchn_leave_cpu() - a CPU goes offline: move its channels elsewhere
 * @cpu: the CPU, still running
 */
void paravane_evtchn_leave_cpu(unsigned int cpu)
{
	struct paravane_evtchn *ch;
	unsigned int port;
	int other;

	mutex_lock(&evtchn_lock);
	other = evtchn_other_cpu(cpu);
	for (port = 0; port < PARAVANE_EVTCHN_PORTS; port++) {
		ch = rcu_dereference_protected(channels[port], lockdep_is_held(&evtchn_lock));
		if (!ch || ch->cpu != cpu)
			continue;
		if (other < 0 || evtchn_move(ch, other))
			evtchn_hold(ch, HOLD_MOVE);
	}
	mutex_unlock(&evtchn_lock);
}

/**
 * paravane_evtchn_shutdown() - the machine restarts: close what is open
 *
 * An adopted port is only masked. The channels themselves stay, for whoever did not end in time.
 */
void paravane_evtchn_shutdown(void)
{
	struct paravane_evtchn *ch;
	unsigned int port;

	mutex_lock(&evtchn_lock);
	for (port = 0; port < PARAVANE_EVTCHN_PORTS; port++) {
		ch = rcu_dereference_protected(channels[port], lockdep_is_held(&evtchn_lock));
		if (!ch)
			continue;
		evtchn_hold(ch, HOLD_CLOSED);
		evtchn_close_port(ch);
	}
	mutex_unlock(&evtchn_lock);
}

/**
 * paravane_evtchn_lose() - the machine is in another domain, where no port is what it was
 *
 * All CPUs are stopped, in places where none of the locks is held by an interrupt handler, and
 * nobody makes or closes a channel. The channels can only be closed after this; events sent by them
 * go nowhere.
 */
void paravane_evtchn_lose(void)
{
	struct paravane_evtchn *ch;
	unsigned int port, cpu;

	for (port = 0; port < PARAVANE_EVTCHN_PORTS; port++) {
		ch = rcu_dereference_raw(channels[port]);
		if (!ch)
			continue;
		RCU_INIT_POINTER(channels[port], NULL);
		ch->kind = KIND_LOST;
		ch->held |= HOLD_CLOSED;
		ch->port = 0;
	}
	for_each_possible_cpu(cpu)
		memset(paravane_upcall_cpu(cpu)->ports, 0, sizeof(paravane_upcall_cpu(cpu)->ports));
}

static int evtchn_show(struct seq_file *m, void *unused)
{
	struct paravane_evtchn *ch;
	unsigned int port;

	seq_puts(m, "port kind        cpu     events     wasted held doorbell\n");
	mutex_lock(&evtchn_lock);
	for (port = 0; port < PARAVANE_EVTCHN_PORTS; port++) {
		ch = rcu_dereference_protected(channels[port], lockdep_is_held(&evtchn_lock));
		if (ch)
			seq_printf(m, "%4u %-11s %3u %10lu %10lu %4x %d\n", port,
				   kind_names[ch->kind], ch->cpu, READ_ONCE(ch->events),
				   READ_ONCE(ch->wasted), READ_ONCE(ch->held), ch->doorbell);
	}
	mutex_unlock(&evtchn_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(evtchn);

/**
 * paravane_evtchn_init() - get ready for upcalls
 *
 * Return: 0 or -ENOMEM.
 */
int paravane_evtchn_init(void)
{
	channels = kvcalloc(PARAVANE_EVTCHN_PORTS, sizeof(*channels), GFP_KERNEL);
	if (!channels)
		return -ENOMEM;
	evtchn_debugfs = debugfs_create_dir("paravane", NULL);
	debugfs_create_file("evtchn", 0400, evtchn_debugfs, NULL, &evtchn_fops);
	return 0;
}

/**
 * paravane_evtchn_exit() - after all channels are closed and upcalls have ended
 */
void paravane_evtchn_exit(void)
{
	debugfs_remove_recursive(evtchn_debugfs);
	kvfree(channels);
}
