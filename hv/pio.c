// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/pio.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <paravane/cpuid.h>
#include <xen-public/sched.h>

#include "hv/console_uart.h"
#include "hv/domain.h"
#include "hv/evtchn.h"
#include "hv/guest_line.h"
#include "hv/hypercall.h"
#include "hv/log.h"
#include "hv/stats.h"
#include "hv/vcpu.h"

#define CMOS_PORT 0x70
#define DEBUG_PORT 0xe9
#define I8042_COMMAND_PORT 0x64
#define I8042_PULSE_RESET 0xfe
#define SLEEP_ENABLE (1 << 5)
#define SLEEP_TYPE(v) ((v) >> 2 & 7)

static const char mark_prefix[] = "paravane-mark: ";

/**
 * struct pio - see hv/pio.h
 * @lock: protects all of it
 * @cmos_index: register selected in the clock
 * @line: what was written to the debug port since the last line end
 * @line_start: counters when the first byte of what may be a mark came; saying something costs an
 *		exit per byte
 */
struct pio {
	pthread_mutex_t lock;
	uint8_t cmos_index;
	struct guest_line line;
	struct stats_mark line_start;
};

/** struct pio_access - one value of an access; @data has @size bytes */
struct pio_access {
	uint16_t port;
	bool out;
	unsigned int size;
	uint8_t *data;
};

int pio_create(struct domain *d)
{
	d->pio = calloc(1, sizeof(*d->pio));
	if (!d->pio)
		return -ENOMEM;
	pthread_mutex_init(&d->pio->lock, NULL);
	return 0;
}

void pio_destroy(struct domain *d)
{
	if (!d->pio)
		return;
	pthread_mutex_destroy(&d->pio->lock);
	free(d->pio);
	d->pio = NULL;
}

static int pio_hypercall(struct vcpu *v, const struct pio_access *a)
{
	struct kvm_regs *r = &v->run->s.regs.regs;
	struct hypercall_args call;

	if (!a->out)
		return -1;
	if (vcpu_long_mode(v))
		call = (struct hypercall_args){ r->rax, { r->rdi, r->rsi, r->rdx, r->r10, r->r8 } };
	else
		call = (struct hypercall_args){ (uint32_t)r->rax,
						{ (uint32_t)r->rbx, (uint32_t)r->rcx,
						  (uint32_t)r->rdx, (uint32_t)r->rsi,
						  (uint32_t)r->rdi } };
	r->rax = hypercall_dispatch(v, &call);
	v->run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
	return -1;
}

/* A port nobody in user space bound an eventfd to; those that are bound never get here. */
static int pio_doorbell(struct vcpu *v, const struct pio_access *a)
{
	uint32_t port;

	if (a->out && a->size == sizeof(port)) {
		memcpy(&port, a->data, sizeof(port));
		evtchn_guest_send(v->domain, port);
	}
	return -1;
}

static int pio_uart(struct vcpu *v, const struct pio_access *a)
{
	struct uart *uart = v->domain->uart;

	if (!uart || a->size != 1)
		return -1;
	if (a->out)
		uart_write(uart, a->port - UART_PORT, *a->data);
	else
		*a->data = uart_read(uart, a->port - UART_PORT);
	return -1;
}

/* True for a mark, of which there are not many; other lines are the guest's to write without end */
static bool debug_mark(struct domain *d, struct pio *pio)
{
	struct stats_mark *mark = &pio->line_start;
	const char *text = pio->line.text;

	if (strncmp(text, mark_prefix, sizeof(mark_prefix) - 1))
		return false;
	snprintf(mark->name, sizeof(mark->name), "%s", text + sizeof(mark_prefix) - 1);
	return stats_add_mark(d, mark);
}

/* Lines, not bytes, are logged; the lock makes a line of two vCPUs' writes whole. */
static void debug_byte(struct domain *d, char c)
{
	struct pio *pio = d->pio;

	if (!pio->line.len && c == mark_prefix[0])
		stats_sample(d, &pio->line_start);
	if (!guest_line_put(&pio->line, c))
		return;
	if (debug_mark(d, pio))
		pr_info("%s", pio->line.text);
	else
		guest_log_line(d, "", pio->line.text);
}

static int pio_debug(struct vcpu *v, const struct pio_access *a)
{
	/* Reading the port's number back is how a guest finds out that it is there. */
	if (!a->out) {
		memset(a->data, DEBUG_PORT, 1);
		return -1;
	}
	pthread_mutex_lock(&v->domain->pio->lock);
	debug_byte(v->domain, *a->data);
	pthread_mutex_unlock(&v->domain->pio->lock);
	return -1;
}

static uint8_t bcd(int n)
{
	return n / 10 % 10 << 4 | n % 10;
}

static uint8_t cmos_read(uint8_t index)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	switch (index) {
	case 0x00:
		return bcd(tm.tm_sec);
	case 0x02:
		return bcd(tm.tm_min);
	case 0x04:
		return bcd(tm.tm_hour);
	case 0x06:
		return bcd(tm.tm_wday + 1);
	case 0x07:
		return bcd(tm.tm_mday);
	case 0x08:
		return bcd(tm.tm_mon + 1);
	case 0x09:
		return bcd(tm.tm_year);
	case 0x0a: /* 32768 Hz, no update in progress */
		return 0x26;
	case 0x0b: /* 24 hours, BCD */
		return 0x02;
	case 0x0d: /* the battery is good */
		return 0x80;
	case 0x32:
		return bcd(19 + tm.tm_year / 100);
	default:
		return 0;
	}
}

/* The clock; starting another processor also writes here. */
static int pio_cmos(struct vcpu *v, const struct pio_access *a)
{
	struct pio *pio = v->domain->pio;

	pthread_mutex_lock(&pio->lock);
	if (a->out && a->port == CMOS_PORT)
		pio->cmos_index = *a->data & 0x7f;
	else if (!a->out)
		*a->data = a->port == CMOS_PORT ? pio->cmos_index : cmos_read(pio->cmos_index);
	pthread_mutex_unlock(&pio->lock);
	return -1;
}

/* A guest that looks for a timer here must see one that does not count. */
static int pio_zero(struct vcpu *v, const struct pio_access *a)
{
	(void)v;
	if (!a->out)
		memset(a->data, 0, a->size);
	return -1;
}

static int pio_ones(struct vcpu *v, const struct pio_access *a)
{
	(void)v;
	(void)a; /* Reads give all ones unless somebody writes to @a->data. */
	return -1;
}

static int pio_i8042(struct vcpu *v, const struct pio_access *a)
{
	(void)v;
	return a->out && a->port == I8042_COMMAND_PORT && *a->data == I8042_PULSE_RESET ?
		       SHUTDOWN_reboot :
		       -1;
}

static int pio_acpi(struct vcpu *v, const struct pio_access *a)
{
	(void)v;
	if (!a->out) {
		memset(a->data, 0, a->size);
		return -1;
	}
	if (a->port == ACPI_RESET_PORT && *a->data == ACPI_RESET_VALUE)
		return SHUTDOWN_reboot;
	if (a->port == ACPI_SLEEP_CONTROL_PORT && (*a->data & SLEEP_ENABLE) &&
	    SLEEP_TYPE(*a->data) == ACPI_S5_SLEEP_TYPE)
		return SHUTDOWN_poweroff;
	return -1;
}

/* The most frequent first */
static const struct pio_range {
	const char *name;
	uint16_t first, last;
	int (*fn)(struct vcpu *v, const struct pio_access *a);
} ranges[PIO_RANGES] = {
	{ "hypercall", PARAVANE_HYPERCALL_PORT, PARAVANE_HYPERCALL_PORT, pio_hypercall },
	{ "doorbell", PARAVANE_DOORBELL_PORT, PARAVANE_DOORBELL_PORT + 3, pio_doorbell },
	{ "uart", UART_PORT, UART_PORT + UART_PORTS - 1, pio_uart },
	{ "debug", DEBUG_PORT, DEBUG_PORT, pio_debug },
	{ "cmos", CMOS_PORT, CMOS_PORT + 1, pio_cmos },
	{ "pit", 0x40, 0x43, pio_zero },
	{ "i8042", 0x60, 0x60, pio_ones },
	{ "nmi", 0x61, 0x61, pio_zero },
	{ "i8042", I8042_COMMAND_PORT, I8042_COMMAND_PORT, pio_i8042 },
	{ "pci", 0xcf8, 0xcff, pio_ones },
	{ "acpi", ACPI_SLEEP_CONTROL_PORT, ACPI_RESET_PORT, pio_acpi },
	{ "other", 0, UINT16_MAX, pio_ones },
};

const char *pio_range_name(unsigned int range)
{
	return range < ARRAY_SIZE(ranges) ? ranges[range].name : NULL;
}

int pio_exit(struct vcpu *v, uint16_t port, bool out, unsigned int size, unsigned int count,
	     uint8_t *data)
{
	struct pio_access a = { .port = port, .out = out, .size = size };
	const struct pio_range *range = ranges;
	int shutdown = -1;

	while (port < range->first || port > range->last)
		range++;
	counter_inc(&v->stats.pio[range - ranges]);
	if (range == &ranges[PIO_RANGES - 1])
		pr_debug("port %#x: %s, %u bytes: nothing is there", port, out ? "out" : "in",
			 size);
	if (!out)
		memset(data, 0xff, (size_t)size * count);
	for (unsigned int i = 0; i < count && shutdown < 0; i++) {
		a.data = data + (size_t)i * size;
		shutdown = range->fn(v, &a);
	}
	return shutdown;
}
