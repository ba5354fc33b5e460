/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_ACPI_H
#define HV_ACPI_H

#include "hv/types.h"

/**
 * struct acpi_request - what the tables depend on
 * @gpa: where they will be in guest memory
 * @uart: there is one
 * @rtc: say that there is a real-time clock (a guest with a paravirtual clock need not look)
 */
struct acpi_request {
	gpa_t gpa;
	unsigned int nr_vcpus;
	bool uart, rtc;
};

/**
 * acpi_write - write all tables to @buf
 * @rsdp: offset of the root pointer
 *
 * Return: bytes used, or -ENOSPC.
 */
long acpi_write(const struct acpi_request *req, void *buf, size_t size, size_t *rsdp);

/** acpi_build - put the tables of @d into guest memory; 0 or -errno */
int acpi_build(struct domain *d, gpa_t *rsdp);

#endif /* HV_ACPI_H */
