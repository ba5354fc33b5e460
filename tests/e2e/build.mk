# SPDX-License-Identifier: GPL-2.0-or-later

## See it work (as root; they install what is missing first):
.PHONY: run shell debian
run: ## boot a stock kernel, load our modules, do real work, report: 2 to 4 minutes
	@tests/setup
	@$(MAKE) all
	@tests/e2e/first_light

shell: ## an interactive shell in such a guest
	@tests/setup
	@$(MAKE) all
	@tests/guest/shell

# $(1) as one word of a shell command
shell_word = '$(subst ','\'',$(1))'
debian: ## boot a real Debian, made in 3 minutes at first (PROFILE=xen PORT=... CMD=...)
	@tests/setup
	@$(MAKE) all
	@tests/guest/debian $(if $(PROFILE),--profile $(call shell_word,$(PROFILE))) \
		$(if $(PORT),--port $(call shell_word,$(PORT))) $(if $(CMD),$(call shell_word,$(CMD)))
