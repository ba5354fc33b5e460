# SPDX-License-Identifier: GPL-2.0-or-later

## Tests:
.PHONY: bench figures
bench: ## measure Paravane, QEMU and the host itself (ARGS=... for tests/bench/bench)
	@tests/setup
	@$(MAKE) all
	@tests/bench/bench $(ARGS)

figures: ## measure Paravane beside real Xen (ARGS=... for tests/bench/figures)
	@tests/setup
	@$(MAKE) all
	@tests/bench/figures $(ARGS)

# What single operations cost: static, since it runs in guests
PVBENCH	     := $(B)/bench/pvbench
PVBENCH_OBJS := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/bench/pvbench/*.c)))
TEST_OBJS    += $(PVBENCH_OBJS)

$(PVBENCH): $(PVBENCH_OBJS)
	@mkdir -p $(@D)
	$(call link,-static,)

ALL += $(PVBENCH)
