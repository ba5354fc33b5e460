# SPDX-License-Identifier: GPL-2.0-only
#
# KUnit suites, as modules for a kernel with CONFIG_KUNIT (Debian's has none). Some of the sources are
# host programs under sanitizers as well, see tests/unit/guest_*.mk; the others include sources of the
# modules and run in a kernel only. tests/kunit/suites.test runs them all.

KUNIT_KDIR  ?= $(B)/cache/testkernel/current
KUNIT_STAGE := $(abspath $(B))/kunit

## Tests:
.PHONY: kunit
kunit: ## build the KUnit suites for the kernel in KUNIT_KDIR, run nothing
kunit: $(if $(filter-out linux-headers-%,$(MISSING_MODULES)),need-modules)
	@guest/linux/stage $(KUNIT_STAGE) tests/kunit
	$(MAKE) -C $(KUNIT_KDIR) M=$(KUNIT_STAGE)/tests/kunit W=1 modules
