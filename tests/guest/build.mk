# SPDX-License-Identifier: GPL-2.0-or-later
# The static program in every test guest's initramfs.

PVGUEST := $(B)/guest/pvguest

$(PVGUEST): tests/guest/pvguest.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) -D_GNU_SOURCE $(CFLAGS) -static -o $@ $<

ALL += $(PVGUEST)
