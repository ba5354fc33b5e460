# SPDX-License-Identifier: GPL-2.0-only
#
# The guest modules, built outside the kernel tree. Kbuild litters the directory it builds, so it
# gets a copy of the sources, one for each kernel: $(B)/guest/<release>/. The modules end in
# $(B)/modules/<release>/.

GUEST_RELEASE := $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
		   $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
GUEST_STAGE   := $(abspath $(B))/guest/$(GUEST_RELEASE)
GUEST_SOURCES := Kbuild $(shell find guest ring -name '*.[ch]' -o -name Kbuild) guest/linux/stage
GUEST_STAMP   := $(B)/modules/$(GUEST_RELEASE)/.stamp
GUEST_W	      ?= 1

# Not empty: the KDIR given is no use
BAD_KDIR := $(if $(GUEST_RELEASE),,$(filter-out file,$(origin KDIR)))

ifneq ($(GUEST_RELEASE),)
ALL += $(GUEST_STAMP)
endif

## Building (no root, no network):
.PHONY: modules
modules: ## the guest modules, for the kernel whose headers are in KDIR
modules: $(if $(BAD_KDIR),say-bad-kdir,$(if $(MISSING_MODULES),need-modules,$(GUEST_STAMP)))
	@:

# Debian's headers come without the vmlinux that type information would be made from.
guest_kbuild = @+$(MAKE) -C $(KDIR) M=$(GUEST_STAGE) W=$(GUEST_W) CONFIG_DEBUG_INFO_BTF_MODULES=

$(GUEST_STAMP): $(GUEST_SOURCES)
	@guest/linux/stage $(GUEST_STAGE)
	$(guest_kbuild) modules
	@mkdir -p $(@D)
	@find $(GUEST_STAGE) -name '*.ko' -exec cp -t $(@D) {} +
	@touch $@

.PHONY: modules-install
modules-install: ## install them below DESTDIR (/) with a hook for initramfs-tools (as root)
modules-install: modules
	@guest/linux/install-modules $(dir $(GUEST_STAMP)) $(GUEST_RELEASE) $(DESTDIR)

.PHONY: modules-check
modules-check: ## sparse over the guest modules
modules-check: $(if $(BAD_KDIR),say-bad-kdir,$(if $(MISSING_MODULES),need-modules))
	@guest/linux/stage $(GUEST_STAGE)
	$(guest_kbuild) C=2 CF=-Wsparse-error modules
