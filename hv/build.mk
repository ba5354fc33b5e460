# SPDX-License-Identifier: GPL-2.0-or-later
# The hypervisor: every C file of this directory, and the libraries they use.

HV_SRCS := $(sort $(wildcard hv/*.c))
HV_LIBS := -lurcu-bp -lurcu-common -llzma -lzstd -llz4 -lz -luring -lslirp -ljansson
