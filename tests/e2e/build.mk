# SPDX-License-Identifier: GPL-2.0-or-later

## See it work (as root; they install what is missing first):
.PHONY: run shell
run: ## boot a stock Debian kernel, load our modules, do real work, print a report
	@tests/setup
	@$(MAKE) all
	@tests/e2e/first_light

shell: ## an interactive shell in such a guest
	@tests/setup
	@$(MAKE) all
	@tests/guest/shell
