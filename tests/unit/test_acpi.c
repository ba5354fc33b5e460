// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv/acpi.h"

#define GPA 0xe0000
#define SIZE 0x4000

static uint8_t tables[SIZE];

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len--)
		s += *p++;
	return s;
}

static uint64_t number(size_t offset, size_t len)
{
	uint64_t n = 0;

	memcpy(&n, tables + offset, len);
	return n;
}

/* Offset of the table at guest address @gpa, which has to be @signature and to add up. */
static size_t table(uint64_t gpa, const char *signature)
{
	size_t at = gpa - GPA;

	assert_true(gpa >= GPA && gpa < GPA + SIZE);
	assert_memory_equal(tables + at, signature, 4);
	assert_int_equal(sum(tables + at, number(at + 4, 4)), 0);
	return at;
}

static size_t write_tables(unsigned int nr_vcpus, bool uart, bool rtc)
{
	const struct acpi_request req = { GPA, nr_vcpus, uart, rtc };
	size_t rsdp;

	memset(tables, 0, sizeof(tables));
	assert_true(acpi_write(&req, tables, sizeof(tables), &rsdp) > 0);
	assert_memory_equal(tables + rsdp, "RSD PTR ", 8);
	assert_int_equal(sum(tables + rsdp, 20), 0);
	assert_int_equal(sum(tables + rsdp, 36), 0);
	return table(number(rsdp + 24, 8), "XSDT");
}

static void test_tables_add_up(void **state)
{
	(void)state;
	for (unsigned int n = 1; n <= MAX_VCPUS; n++) {
		size_t xsdt = write_tables(n, n & 1, false);
		size_t fadt = table(number(xsdt + 36, 8), "FACP");
		size_t madt = table(number(xsdt + 44, 8), "APIC");

		table(number(fadt + 140, 8), "DSDT");
		assert_int_equal(number(fadt + 40, 4), number(fadt + 140, 8));
		assert_int_equal(number(madt + 4, 4), 44 + 8 * n);
		for (unsigned int i = 0; i < n; i++) {
			assert_int_equal(number(madt + 44 + 8 * i + 2, 1), i); /* processor id */
			assert_int_equal(number(madt + 44 + 8 * i + 3, 1), i); /* LAPIC id */
			assert_int_equal(number(madt + 44 + 8 * i + 4, 4), 1);
		}
	}
}

/* "No clock" and "no VGA" together would make Linux with nopv panic. */
static void test_boot_flags(void **state)
{
	size_t xsdt = write_tables(1, true, false);

	(void)state;
	assert_int_equal(number(table(number(xsdt + 36, 8), "FACP") + 109, 2), 1 << 5);
	xsdt = write_tables(1, true, true);
	assert_int_equal(number(table(number(xsdt + 36, 8), "FACP") + 109, 2), 0);
}

static void test_no_room(void **state)
{
	const struct acpi_request req = { GPA, 1, true, false };
	size_t rsdp;

	(void)state;
	for (size_t size = 0; size < 500; size += 20)
		assert_true(acpi_write(&req, tables, size, &rsdp) < 0);
}

/* iasl's opinion of the table at @at: it disassembles without complaint */
static void disassemble(const char *dir, const char *name, size_t at)
{
	char file[128], command[512];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s.dat", dir, name);
	f = fopen(file, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(tables + at, number(at + 4, 4), 1, f), 1);
	fclose(f);
	snprintf(command, sizeof(command),
		 "cd %s && iasl -d %s.dat >%s.log 2>&1 && ! grep -iE 'error|invalid|exception|"
		 "incorrect' %s.log && [ -s %s.dsl ]",
		 dir, name, name, name, name);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "cd %s && iasl %s.dsl >%s.log 2>&1", dir, name, name);
	assert_int_equal(system(command), 0);
}

static void test_iasl_accepts_them(void **state)
{
	char dir[] = "/tmp/acpi.XXXXXX", command[64];
	size_t xsdt, fadt;

	(void)state;
	if (system("command -v iasl >/dev/null 2>&1"))
		skip();
	assert_non_null(mkdtemp(dir));
	for (int uart = 0; uart < 2; uart++) {
		xsdt = write_tables(2, uart, false);
		fadt = table(number(xsdt + 36, 8), "FACP");
		disassemble(dir, "xsdt", xsdt);
		disassemble(dir, "facp", fadt);
		disassemble(dir, "apic", table(number(xsdt + 44, 8), "APIC"));
		disassemble(dir, "dsdt", table(number(fadt + 140, 8), "DSDT"));
	}
	snprintf(command, sizeof(command), "grep -q PNP0501 %s/dsdt.dsl", dir);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables_add_up),
		cmocka_unit_test(test_boot_flags),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_iasl_accepts_them),
	};

	return cmocka_run_group_tests_name("acpi", tests, NULL, NULL);
}
