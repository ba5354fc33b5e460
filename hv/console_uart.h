/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 16550A on the console: for messages before the PV console works, and for guests that have none.
 * It has no interrupt line; a driver that is told so polls.
 */
#ifndef HV_CONSOLE_UART_H
#define HV_CONSOLE_UART_H

#include "hv/types.h"

struct console;
struct uart;

/** uart_create - a UART whose output goes to @con, or NULL; also takes @con's typed input */
struct uart *uart_create(struct console *con);
void uart_destroy(struct uart *uart);

/** uart_write, uart_read - access register @reg (0-7); any thread */
void uart_write(struct uart *uart, unsigned int reg, uint8_t value);
uint8_t uart_read(struct uart *uart, unsigned int reg);

#endif /* HV_CONSOLE_UART_H */
