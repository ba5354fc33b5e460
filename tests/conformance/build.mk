# SPDX-License-Identifier: GPL-2.0-or-later
# The conformance guest: a PVH kernel of our own that makes every hypercall.

CONFORMANCE	 := $(B)/conformance/guest
CONFORMANCE_SRCS := $(wildcard tests/conformance/*.c)
CONFORMANCE_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-pie -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fcf-protection=none -I. -Iguest/include -isystem $(B)/include $(WARNINGS)

$(CONFORMANCE): tests/conformance/start.S tests/conformance/guest.lds tests/conformance/guest.h tests/lib/fifo_guest.h \
		$(CONFORMANCE_SRCS) guest/include/paravane/cpuid.h $(FLAGS_FILE) | $(XEN_PUBLIC)
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) $(CONFORMANCE_CFLAGS) -static -nostdlib -Wl,--build-id=none,-z,noexecstack \
		-Wl,--no-warn-rwx-segments -T tests/conformance/guest.lds -o $@ \
		tests/conformance/start.S $(CONFORMANCE_SRCS)

ALL += $(CONFORMANCE)
