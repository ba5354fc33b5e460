# SPDX-License-Identifier: GPL-2.0-or-later
"""What a session says in bench.json (docs/BENCH.md has it field by field)."""
import collections
import os
import platform
import re
import time

import counters

DISTORTIONS = {
    "tcg-lab": "The host is emulated instruction by instruction: an exit costs 10 to 20 times what hardware takes and a "
               "process switch about as long, which makes exits dear and the native column's switches slow.",
    "kvm": "The host's frequency scaling and other load are not held still.",
}
AVIC = "No AVIC or APICv: hardware that has it saves exits for interrupts in every column."
BY_REASON = "A histogram in the kernel counts the exits by reason; it makes each a little dearer, in every column alike."


def distortions(place, reasons):
    return [DISTORTIONS[place], AVIC, reasons.problem or BY_REASON]


def about_host(place):
    info = counters.read("/proc/cpuinfo")
    model = re.search(r"^model name\s*: (.*)", info, re.M)
    memory = int(re.search(r"MemTotal:\s*(\d+)", counters.read("/proc/meminfo"))[1]) // 1024
    return {"kernel": platform.release(), "cpu": model[1] if model else "unknown", "cpus": os.cpu_count(),
            "memory_mib": memory, "virtualization": place}


def why_missing(session, column):
    if column.name == "native" or column.name in session.commands:
        return session.errors.get(column.name)
    return session.errors.get(column.name, "it was not reached")


def result(session):
    there = {c.name: {} if c.missing() else c.versions() for c in session.columns}
    versions = collections.ChainMap(*there.values())
    return {
        "version": 1, "date": time.strftime("%Y-%m-%d"), "paravane": versions.get("paravane", "not built"),
        "quick": session.args.quick, "repeats": session.args.repeats, "host": about_host(session.args.place),
        "exit_price_ns": session.price, "distortions": session.distortions,
        "seconds": round(time.monotonic() - session.start), "interrupted": session.interrupted,
        "columns": [{"id": c.name, "title": c.title, "versions": there[c.name],
                     "command": session.commands.get(c.name, []), "error": why_missing(session, c)}
                    for c in session.columns],
        "workloads": [{"id": w.name, "group": w.group, "title": w.title, "unit": w.unit, "better": w.better,
                       "op": w.per, "cpus": w.cpus} for w in session.workloads],
        "cells": [cell.json() for cell in session.cells.values()]}
