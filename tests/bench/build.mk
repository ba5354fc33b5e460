# SPDX-License-Identifier: GPL-2.0-or-later

## Tests:
.PHONY: figures
figures: ## measure Paravane beside real Xen (ARGS=... for tests/bench/figures)
	@tests/setup
	@$(MAKE) all
	@tests/bench/figures $(ARGS)
