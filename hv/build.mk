# SPDX-License-Identifier: GPL-2.0-or-later
# The hypervisor: every C file here and in xen/ (what only profile xen needs), and the libraries they use.

HV_SRCS := $(sort $(wildcard hv/*.c hv/xen/*.c))
HV_LIBS := -lurcu-bp -lurcu-common -llzma -lzstd -llz4 -lz -luring -lslirp -ljansson

# Xen's toolstack library, which belongs to one version of Xen, is opened at run time by this name.
CPPFLAGS += -DLIBXENCTRL=$(or $(shell readlink /usr/lib/x86_64-linux-gnu/libxenctrl.so),libxenctrl.so)
