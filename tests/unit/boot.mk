# SPDX-License-Identifier: GPL-2.0-or-later
# The machine's pure parts: loaders, tables, guest memory, CPUID, command line, event loop.

UNIT_TESTS += boot acpi mem cpuid config loop

BOOT_SRCS := $(wildcard hv/boot*.c hv/xen/boot*.c) hv/decompress.c hv/acpi.c hv/mem.c hv/pagewalk.c hv/log.c
boot_SRCS := tests/unit/test_boot.c $(BOOT_SRCS)
boot_LIBS := -Wl,--wrap=ioctl -lurcu-bp -lurcu-common -llzma -lzstd -llz4 -lz
UNIT_TESTS += boot_elf32
boot_elf32_SRCS := tests/unit/test_boot_elf32.c $(BOOT_SRCS)
boot_elf32_LIBS := $(boot_LIBS)

# What profile xen does to a kernel
UNIT_TESTS += boot_stubs
boot_stubs_SRCS := tests/unit/test_boot_stubs.c hv/xen/boot_stubs.c hv/mem.c hv/pagewalk.c
boot_stubs_LIBS := -lurcu-bp -lurcu-common

acpi_SRCS := tests/unit/test_acpi.c hv/acpi.c hv/mem.c hv/pagewalk.c
acpi_LIBS := -lurcu-bp -lurcu-common

mem_SRCS := tests/unit/test_mem.c hv/mem.c hv/pagewalk.c
mem_LIBS := -lurcu-bp -lurcu-common

cpuid_SRCS := tests/unit/test_cpuid.c hv/cpuid.c
config_SRCS := tests/unit/test_config.c hv/config.c hv/config_net.c hv/cmd.c hv/log.c
loop_SRCS := tests/unit/test_loop.c hv/loop.c

# Lines, and nobody who reads them
UNIT_TESTS += log
log_SRCS := tests/unit/test_log.c

# How a run ends
UNIT_TESTS += cmd_run
cmd_run_SRCS := tests/unit/test_cmd_run.c hv/loop.c hv/log.c

# A vCPU's thread; with TSan, too, for what it does without a lock
UNIT_TESTS += vcpu
vcpu_SRCS := tests/unit/test_vcpu.c hv/log.c
vcpu_LIBS := -Wl,--wrap=ioctl
TSAN_TESTS += vcpu_race
vcpu_race_SRCS := $(vcpu_SRCS)
vcpu_race_LIBS := $(vcpu_LIBS) -lcmocka
