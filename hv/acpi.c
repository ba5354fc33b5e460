// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hardware-reduced ACPI: the processors, how to power off and to reset, and the UART. No PCI, no
 * interrupt controller but the local APICs.
 */
#include "hv/acpi.h"

#include <errno.h>
#include <string.h>

#include "hv/boot.h"
#include "hv/domain.h"
#include "hv/mem.h"
#include "hv/pio.h"

#define LAPIC_ADDRESS 0xfee00000U
#define MADT_LAPIC_ENABLED 1
#define FADT_WBINVD (1 << 0)
#define FADT_RESET_REGISTER (1 << 10)
#define FADT_HW_REDUCED (1 << 20)
/*
 * "No CMOS clock" and "no VGA" together make a Linux booted with nopv take itself for a PVH guest and
 * panic; only the clock's absence saves exits.
 */
#define FADT_BOOT_NO_RTC (1 << 5)
#define GAS_IO 1
#define GAS_BYTE 1

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem_id[6], oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct acpi_gas {
	uint8_t space, bits, offset, access;
	uint64_t address;
} __attribute__((packed));

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t checksum_all, reserved[3];
} __attribute__((packed));

struct acpi_xsdt {
	struct acpi_header header;
	uint64_t table[2];
} __attribute__((packed));

struct acpi_fadt {
	struct acpi_header header;
	uint32_t facs, dsdt;
	uint8_t unused1, profile;
	uint8_t unused2[63]; /* fixed hardware: there is none */
	uint16_t boot_flags;
	uint8_t unused3;
	uint32_t flags;
	struct acpi_gas reset_register;
	uint8_t reset_value;
	uint16_t arm_flags;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct acpi_gas unused4[8];
	struct acpi_gas sleep_control, sleep_status;
	uint64_t hypervisor;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_fadt) == 276, "FADT of ACPI 6.0");
_Static_assert(offsetof(struct acpi_fadt, boot_flags) == 109, "FADT boot flags");
_Static_assert(offsetof(struct acpi_fadt, sleep_control) == 244, "FADT sleep control");

struct acpi_madt {
	struct acpi_header header;
	uint32_t lapic_address, flags;
	struct acpi_madt_lapic {
		uint8_t type, length, processor, apic_id;
		uint32_t flags;
	} __attribute__((packed)) lapic[MAX_VCPUS];
} __attribute__((packed));

/* AML as strings: names stay legible. What follows an escape sequence must not be a hexadecimal digit. */

/* Name (\_S5, Package () { ACPI_S5_SLEEP_TYPE, ACPI_S5_SLEEP_TYPE, 0, 0 }) */
static const char aml_s5[] = "\x08\\_S5_\x12\x08\x04\x0a\x05\x0a\x05\x00";
_Static_assert(ACPI_S5_SLEEP_TYPE == 5, "the type in aml_s5");

/*
 * Scope (\_SB) { Device (COM1) { Name (_HID, EisaId ("PNP0501")) Name (_UID, Zero)
 *   Name (_CRS, ResourceTemplate () { IO (Decode16, 0x3f8, 0x3f8, 1, 8) }) } }
 * No interrupt: a driver polls.
 */
static const char aml_uart[] = "\x10\x30\\_SB_\x5b\x82\x28"
			       "COM1"
			       "\x08_HID\x0c\x41\xd0\x05\x01"
			       "\x08_UID\x00"
			       "\x08_CRS\x11\x0d\x0a\x0a\x47\x01\xf8\x03\xf8\x03\x01\x08\x79";
_Static_assert(UART_PORT == 0x3f8 && UART_PORTS == 8, "the ports in aml_uart");

/** struct acpi_area - memory being filled */
struct acpi_area {
	uint8_t *buf;
	size_t size, used;
	gpa_t gpa;
};

static uint8_t acpi_checksum(const void *p, size_t len)
{
	const uint8_t *byte = p;
	uint8_t sum = 0;

	while (len--)
		sum -= *byte++;
	return sum;
}

static struct acpi_header acpi_header(const char *signature, unsigned int revision, size_t length)
{
	struct acpi_header h = {
		.length = length, .revision = revision, .oem_revision = 1, .creator_revision = 1
	};

	memcpy(h.signature, signature, sizeof(h.signature));
	memcpy(h.oem_id, "PARAVN", sizeof(h.oem_id));
	memcpy(h.oem_table_id, "PARAVANE", sizeof(h.oem_table_id));
	memcpy(h.creator_id, "PRVN", sizeof(h.creator_id));
	return h;
}

/* Append @len bytes at an aligned place; their guest address, or 0 if there is no room. */
static gpa_t acpi_append(struct acpi_area *area, const void *p, size_t len)
{
	size_t at = (area->used + 15) & ~(size_t)15;

	if (at > area->size || len > area->size - at)
		return 0;
	memcpy(area->buf + at, p, len);
	area->used = at + len;
	return area->gpa + at;
}

/* The same for a table: its checksum is filled in. */
static gpa_t acpi_append_table(struct acpi_area *area, void *table, size_t len)
{
	struct acpi_header *h = table;

	h->checksum = 0;
	h->checksum = acpi_checksum(table, len);
	return acpi_append(area, table, len);
}

static gpa_t acpi_dsdt(struct acpi_area *area, const struct acpi_request *req)
{
	uint8_t dsdt[sizeof(struct acpi_header) + sizeof(aml_s5) + sizeof(aml_uart)];
	size_t len = sizeof(struct acpi_header);
	struct acpi_header header;

	memcpy(dsdt + len, aml_s5, sizeof(aml_s5));
	len += sizeof(aml_s5);
	if (req->uart) {
		memcpy(dsdt + len, aml_uart, sizeof(aml_uart));
		len += sizeof(aml_uart);
	}
	header = acpi_header("DSDT", 2, len);
	memcpy(dsdt, &header, sizeof(header));
	return acpi_append_table(area, dsdt, len);
}

static struct acpi_gas acpi_port(uint16_t port)
{
	return (struct acpi_gas){ .space = GAS_IO, .bits = 8, .access = GAS_BYTE, .address = port };
}

static gpa_t acpi_fadt(struct acpi_area *area, const struct acpi_request *req, gpa_t dsdt)
{
	struct acpi_fadt fadt = {
		.header = acpi_header("FACP", 6, sizeof(fadt)),
		.dsdt = dsdt,
		.x_dsdt = dsdt,
		.boot_flags = req->rtc ? 0 : FADT_BOOT_NO_RTC,
		.flags = FADT_WBINVD | FADT_RESET_REGISTER | FADT_HW_REDUCED,
		.reset_register = acpi_port(ACPI_RESET_PORT),
		.reset_value = ACPI_RESET_VALUE,
		.sleep_control = acpi_port(ACPI_SLEEP_CONTROL_PORT),
		.sleep_status = acpi_port(ACPI_SLEEP_STATUS_PORT),
	};

	return acpi_append_table(area, &fadt, sizeof(fadt));
}

/* The ACPI processor id is the vCPU id: that is how Linux finds the latter. */
static gpa_t acpi_madt(struct acpi_area *area, const struct acpi_request *req)
{
	size_t len = offsetof(struct acpi_madt, lapic[req->nr_vcpus]);
	struct acpi_madt madt = {
		.header = acpi_header("APIC", 4, len),
		.lapic_address = LAPIC_ADDRESS,
	};

	for (unsigned int i = 0; i < req->nr_vcpus; i++)
		madt.lapic[i] = (struct acpi_madt_lapic){ 0, sizeof(madt.lapic[0]), i, i,
							  MADT_LAPIC_ENABLED };
	return acpi_append_table(area, &madt, len);
}

long acpi_write(const struct acpi_request *req, void *buf, size_t size, size_t *rsdp)
{
	struct acpi_area area = { .buf = buf, .size = size, .gpa = req->gpa };
	struct acpi_xsdt xsdt = { .header = acpi_header("XSDT", 1, sizeof(xsdt)) };
	struct acpi_rsdp root = { .revision = 2, .length = sizeof(root) };
	gpa_t dsdt = acpi_dsdt(&area, req), at;

	xsdt.table[0] = acpi_fadt(&area, req, dsdt);
	xsdt.table[1] = acpi_madt(&area, req);
	memcpy(root.signature, "RSD PTR ", sizeof(root.signature));
	memcpy(root.oem_id, "PARAVN", sizeof(root.oem_id));
	root.xsdt = acpi_append_table(&area, &xsdt, sizeof(xsdt));
	root.checksum = acpi_checksum(&root, offsetof(struct acpi_rsdp, length));
	root.checksum_all = acpi_checksum(&root, sizeof(root));
	at = acpi_append(&area, &root, sizeof(root));
	if (!dsdt || !xsdt.table[0] || !xsdt.table[1] || !root.xsdt || !at)
		return -ENOSPC;
	*rsdp = at - area.gpa;
	return area.used;
}

int acpi_build(struct domain *d, gpa_t *rsdp)
{
	const struct acpi_request req = {
		.gpa = BOOT_ACPI_GPA,
		.nr_vcpus = d->nr_vcpus,
		.uart = d->uart,
		.rtc = d->config->profile == PROFILE_NONE,
	};
	size_t size = BOOT_ACPI_END - BOOT_ACPI_GPA, offset;
	void *va = mem_range(d, BOOT_ACPI_GPA, size);
	long ret = va ? acpi_write(&req, va, size, &offset) : -EFAULT;

	if (ret < 0)
		return ret;
	*rsdp = BOOT_ACPI_GPA + offset;
	return 0;
}
