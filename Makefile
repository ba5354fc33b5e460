# SPDX-License-Identifier: GPL-2.0-or-later
#
# Paravane. `make help` lists the targets.
#
# This file holds the rules. What is built is said by the fragments: each directory's build.mk and
# tests/unit/*.mk set variables (HV_SRCS, XENSTORE_SRCS, UNIT_TESTS, ...) and add their special rules.
#
# `make help` prints what stands behind ## here and in the fragments: sections in the order in which
# they are first named, which is this one.

## See it work (as root; they install what is missing first):
## Tests:
## Building (no root, no network):
## The rest:

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

ifeq ($(origin CC),default)
CC := gcc
endif

B	?= build
KDIR	?= $(lastword $(shell ls -dv /usr/src/linux-headers-*-amd64 2>/dev/null))

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
CPPFLAGS := -D_GNU_SOURCE -I. -Iguest/include -isystem $(B)/include
CFLAGS	 := -std=gnu11 -O2 -g -pthread $(WARNINGS) $(EXTRA_CFLAGS)
ASAN	 := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
TSAN	 := -O1 -fsanitize=thread -fno-omit-frame-pointer

# For the fragments' own rules: what compiling with Xen's headers, and with these flags, depends on
XEN_PUBLIC := $(B)/include/xen-public
FLAGS_FILE := $(B)/flags

# What the fragments add to
ALL		:=
CLEAN		:=
HV_SRCS		:=
HV_LIBS		:=
XENSTORE_SRCS	:=
UNIT_TESTS	:=
TSAN_TESTS	:=

MISSING_BUILD	:= $(shell tests/setup --missing build)
MISSING_MODULES	:= $(shell tests/setup --missing modules)
MISSING_TEST	:= $(shell tests/setup --missing test)
MISSING_MODULES	:= $(strip $(filter gcc libxen-dev,$(MISSING_BUILD)) \
		     $(if $(filter file,$(origin KDIR)),$(MISSING_MODULES), \
		       $(filter-out linux-headers-%,$(MISSING_MODULES))))

include $(wildcard */build.mk guest/linux/build.mk tests/*/build.mk tests/unit/*.mk)

PARAVANE_OBJS := $(patsubst %.c,$(B)/%.o,$(HV_SRCS) $(XENSTORE_SRCS))
ifneq ($(HV_SRCS),)
ALL += $(B)/paravane
endif

# What cannot be built is said instead
ifneq ($(MISSING_MODULES),)
ALL := $(filter-out $(GUEST_STAMP),$(ALL)) say-missing-modules
endif
ifneq ($(MISSING_BUILD),)
ALL := need-build
endif
ifneq ($(BAD_KDIR),)
ALL := say-bad-kdir
endif

## Building (no root, no network):
.PHONY: all
all: ## everything that can be built with what is installed
all: $(ALL)
	@:

# What is missing: a remark where the rest can go on, an error where nothing can
INSTALL_HINT := (make setup installs them, as root)
.PHONY: say-missing-modules say-bad-kdir need-build need-modules need-tests
say-missing-modules:
	@echo "the guest modules are not built, missing packages: $(MISSING_MODULES) $(INSTALL_HINT)"
need-build:
	@echo "error: nothing is built, missing packages:" \
	     "$(sort $(MISSING_BUILD) $(MISSING_MODULES)) $(INSTALL_HINT)" >&2; exit 1
need-modules:
	@echo "error: the guest modules need packages: $(MISSING_MODULES) $(INSTALL_HINT)" >&2; exit 1
need-tests:
	@echo "error: the tests need packages: $(strip $(MISSING_BUILD) $(MISSING_TEST)) $(INSTALL_HINT)" >&2; exit 1
say-bad-kdir:
	@echo "error: KDIR=$(KDIR) has no headers of a configured kernel" \
	     "(no include/generated/utsrelease.h)" >&2; exit 1

# Xen's public headers under a name that never collides with Linux's own <xen/...>
$(XEN_PUBLIC):
	@mkdir -p $(@D)
	@ln -sfn /usr/include/xen $@

# Objects depend on the flags they were compiled with
FLAGS_NOW  := $(CC) $(CPPFLAGS) $(CFLAGS) $(ASAN) $(TSAN)
ifneq ($(FLAGS_NOW),$(if $(wildcard $(FLAGS_FILE)),$(file <$(FLAGS_FILE))))
.PHONY: $(FLAGS_FILE)
endif
$(FLAGS_FILE):
	@mkdir -p $(@D)
	@printf '%s\n' '$(FLAGS_NOW)' >$@

compile = @mkdir -p $(@D) && echo "  CC    $@" && \
	  $(CC) $(CPPFLAGS) $(CFLAGS) $(1) -MMD -MP -c -o $@ $<
link	= @mkdir -p $(@D) && echo "  LINK  $@" && $(CC) $(CFLAGS) $(1) -o $@ $(filter %.o,$^) $(2)

$(B)/asan/%.o: %.c $(FLAGS_FILE) | $(XEN_PUBLIC)
	$(call compile,$(ASAN))

$(B)/tsan/%.o: %.c $(FLAGS_FILE) | $(XEN_PUBLIC)
	$(call compile,$(TSAN))

$(B)/%.o: %.c $(FLAGS_FILE) | $(XEN_PUBLIC)
	$(call compile,)

$(B)/paravane: $(PARAVANE_OBJS)
	$(call link,-rdynamic,$(HV_LIBS))

## Tests:
# $(1) name, $(2) directory, $(3) sanitizer flags, $(4) object directory. A test with flags of its
# own gets objects of its own.
define test_program
$(1)_objs := $$(patsubst %.c,$$(B)/$(4)$$(if $$($(1)_CFLAGS),/own-$(1))/%.o,$$($(1)_SRCS))
$$(B)/$(2)/test_$(1): $$($(1)_objs)
	$$(call link,$(3),$$($(1)_LIBS) $(5))
$$(B)/$(4)/own-$(1)/%.o: %.c $$(FLAGS_FILE) | $$(XEN_PUBLIC)
	$$(call compile,$(3) $$($(1)_CFLAGS))
TEST_OBJS += $$($(1)_objs)
endef

UNIT_PROGRAMS := $(UNIT_TESTS:%=$(B)/unit/test_%)
TSAN_PROGRAMS := $(TSAN_TESTS:%=$(B)/tsan-tests/test_%)
$(foreach t,$(UNIT_TESTS),$(eval $(call test_program,$(t),unit,$$(ASAN),asan,-lcmocka)))
$(foreach t,$(TSAN_TESTS),$(eval $(call test_program,$(t),tsan-tests,$$(TSAN),tsan,)))

# For tests/run: name, program, time limit in seconds
.PHONY: list-tests
list-tests:
	@$(foreach t,$(UNIT_TESTS),echo unit/$(t) $(B)/unit/test_$(t) $(or $($(t)_TIMEOUT),120);)
	@$(foreach t,$(TSAN_TESTS),echo tsan/$(t) $(B)/tsan-tests/test_$(t) $(or $($(t)_TIMEOUT),120);)

.PHONY: test
test: ## all tests, half an hour; as root installs what is missing (PATTERN=...: some)
	@tests/setup
	@tests/run $(PATTERN)

.PHONY: test-xen
test-xen: ## those of them in which the modules run on real Xen, in an emulated machine
	@tests/setup
	@tests/run 'xen/*'

.PHONY: check
check: ## unit tests and style, 3 minutes; need no root and no virtual machine
check: $(if $(MISSING_BUILD)$(MISSING_TEST),need-tests)
	@tests/run --host $(PATTERN)

.PHONY: tests
tests: ## build the test programs, run nothing
tests: $(if $(MISSING_BUILD)$(MISSING_TEST),need-tests,$(UNIT_PROGRAMS) $(TSAN_PROGRAMS))
	@:

.PHONY: style
style: ## formatting, include direction, headers, checkpatch, sparse, file budgets
style: $(if $(filter python3,$(MISSING_TEST)),need-tests)
	@tests/style/style.test

.PHONY: loc
loc: ## lines of code against their budgets
loc: $(if $(filter python3,$(MISSING_TEST)),need-tests)
	@tests/style/loc

## The rest:
.PHONY: setup
setup: ## install the Debian packages that are missing (as root)
	@tests/setup

.PHONY: clean distclean
clean: ## remove what was built, keep what was downloaded
	rm -rf $(filter-out $(B)/cache,$(wildcard $(B)/*)) $(CLEAN)
distclean: ## remove all output
	rm -rf $(B) $(CLEAN)

.PHONY: help
help: ## this text
	@awk -F ':.*## ' ' \
		/^## / { section = substr($$0, 4); if (!seen[section]++) order[n++] = section } \
		/^[a-z][a-z-]*:.*## / { text[section] = text[section] sprintf("  make %-15s %s\n", $$1, $$2) } \
		END { for (i = 0; i < n; i++) printf("%s%s\n%s", i ? "\n" : "", order[i], text[order[i]]) } \
		' $(MAKEFILE_LIST)

-include $(patsubst %.o,%.d,$(sort $(PARAVANE_OBJS) $(TEST_OBJS)))
