// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/string.h>

#define CREATE_TRACE_POINTS
#include "guest/linux/trace.h"
