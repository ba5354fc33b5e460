/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port I/O: the few ports of the platform, in one table. Everything else reads all ones.
 */
#ifndef HV_PIO_H
#define HV_PIO_H

#include "hv/types.h"

/* ACPI registers; one byte each */
#define ACPI_SLEEP_CONTROL_PORT 0x0b00
#define ACPI_SLEEP_STATUS_PORT 0x0b01
#define ACPI_RESET_PORT 0x0b02
#define ACPI_RESET_VALUE 1
/* SLP_TYP of \_S5: soft off */
#define ACPI_S5_SLEEP_TYPE 5

#define UART_PORT 0x3f8
#define UART_PORTS 8

/** PIO_RANGES - rows of the table, and one for ports that are in none */
#define PIO_RANGES 12

/**
 * pio_exit - serve a port access
 * @data: @count values of @size bytes, to write or to fill
 *
 * vCPU thread. Return: a shutdown reason (SHUTDOWN_*), or -1 to go on.
 */
int pio_exit(struct vcpu *v, uint16_t port, bool out, unsigned int size, unsigned int count,
	     uint8_t *data);

/** pio_range_name - for reports; NULL for a row that is not used */
const char *pio_range_name(unsigned int range);

/** struct pio - state of the platform's ports */
struct pio;
int pio_create(struct domain *d);
void pio_destroy(struct domain *d);

#endif /* HV_PIO_H */
