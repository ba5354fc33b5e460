// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/console_uart.h"

#include <linux/serial_reg.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "hv/console.h"

#define UART_INPUT 1024

/**
 * struct uart - see hv/console_uart.h
 * @lock: protects all of it
 * @input: typed bytes the guest has not read, a ring from @head, @used of them
 */
struct uart {
	struct console *con;
	pthread_mutex_t lock;
	uint8_t ier, lcr, mcr, scr, dll, dlm;
	bool fifo;
	uint8_t input[UART_INPUT];
	size_t head, used;
};

static size_t uart_input(void *opaque, const void *buf, size_t n)
{
	struct uart *uart = opaque;
	const uint8_t *p = buf;
	size_t i;

	pthread_mutex_lock(&uart->lock);
	for (i = 0; i < n && uart->used < UART_INPUT; i++)
		uart->input[(uart->head + uart->used++) % UART_INPUT] = p[i];
	pthread_mutex_unlock(&uart->lock);
	return i;
}

struct uart *uart_create(struct console *con)
{
	struct uart *uart = calloc(1, sizeof(*uart));

	if (!uart)
		return NULL;
	pthread_mutex_init(&uart->lock, NULL);
	uart->con = con;
	uart->dll = 1; /* 115200 */
	console_set_uart(con, uart_input, uart);
	return uart;
}

void uart_destroy(struct uart *uart)
{
	if (!uart)
		return;
	console_set_uart(uart->con, NULL, NULL);
	pthread_mutex_destroy(&uart->lock);
	free(uart);
}

static uint8_t uart_take_input(struct uart *uart)
{
	uint8_t c = 0;

	if (uart->used) {
		c = uart->input[uart->head];
		uart->head = (uart->head + 1) % UART_INPUT;
		uart->used--;
	}
	return c;
}

/* In loop-back mode the modem control outputs come back as inputs; drivers test for that. */
static uint8_t uart_msr(const struct uart *uart)
{
	uint8_t msr = 0;

	if (!(uart->mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	msr |= uart->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0;
	msr |= uart->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0;
	msr |= uart->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0;
	msr |= uart->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0;
	return msr;
}

static uint8_t uart_iir(const struct uart *uart)
{
	uint8_t iir = uart->fifo ? 0xc0 : 0;

	if ((uart->ier & UART_IER_RDI) && uart->used)
		return iir | UART_IIR_RDI;
	if (uart->ier & UART_IER_THRI)
		return iir | UART_IIR_THRI;
	return iir | UART_IIR_NO_INT;
}

static uint8_t uart_read_locked(struct uart *uart, unsigned int reg)
{
	bool dlab = uart->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_RX:
		return dlab ? uart->dll : uart_take_input(uart);
	case UART_IER:
		return dlab ? uart->dlm : uart->ier;
	case UART_IIR:
		return uart_iir(uart);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		return UART_LSR_THRE | UART_LSR_TEMT | (uart->used ? UART_LSR_DR : 0);
	case UART_MSR:
		return uart_msr(uart);
	default:
		return uart->scr;
	}
}

uint8_t uart_read(struct uart *uart, unsigned int reg)
{
	uint8_t value;

	pthread_mutex_lock(&uart->lock);
	value = uart_read_locked(uart, reg);
	pthread_mutex_unlock(&uart->lock);
	return value;
}

/* Return: true if @value is a byte to send. */
static bool uart_write_locked(struct uart *uart, unsigned int reg, uint8_t value)
{
	bool dlab = uart->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_TX:
		if (!dlab)
			return true;
		uart->dll = value;
		break;
	case UART_IER:
		if (dlab)
			uart->dlm = value;
		else
			uart->ier = value & 0x0f;
		break;
	case UART_FCR:
		uart->fifo = value & UART_FCR_ENABLE_FIFO;
		if (value & UART_FCR_CLEAR_RCVR)
			uart->used = 0;
		break;
	case UART_LCR:
		uart->lcr = value;
		break;
	case UART_MCR:
		uart->mcr = value & 0x1f;
		break;
	case UART_SCR:
		uart->scr = value;
		break;
	}
	return false;
}

void uart_write(struct uart *uart, unsigned int reg, uint8_t value)
{
	bool send, loop;

	pthread_mutex_lock(&uart->lock);
	send = uart_write_locked(uart, reg, value);
	loop = uart->mcr & UART_MCR_LOOP;
	pthread_mutex_unlock(&uart->lock);
	if (send && loop)
		uart_input(uart, &value, 1);
	else if (send)
		console_write(uart->con, &value, 1);
}
