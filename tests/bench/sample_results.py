# SPDX-License-Identifier: GPL-2.0-or-later
"""For the tests of what is made of results: a small made-up run, and how their cases are run."""
import json
import os
import subprocess
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
REASON = "no disk before <insmod> & that's that"


def cell(workload, column, values, exits=None, by_reason=None, error=None):
    """A cell of the @values; @exits per operation, of each."""
    def middle(found):
        found = sorted(found)
        return (found[(len(found) - 1) // 2] + found[len(found) // 2]) / 2
    made = {"workload": workload, "column": column, "error": error, "values": values, "median": None, "min": None,
            "max": None, "ops": [1000] * len(values), "exits_per_op": None,
            "guest_cpu_s": [0.5] * len(values), "vmm_cpu_s": [0.25] * len(values)}
    if values:
        made.update(median=middle(values), min=min(values), max=max(values))
    if exits:
        made["exits_per_op"] = {"values": exits, "median": middle(exits), "by_reason": by_reason or {}}
    return made


def sample():
    """Two workloads in four columns, one of which cannot run and one has an error."""
    columns = [("native", None), ("qemu-full-tsc", None), ("paravane-pv", None), ("qemu-virtio", "no QEMU here")]
    return {
        "version": 1, "date": "2026-11-22", "paravane": "1.0", "quick": True, "repeats": 3,
        "host": {"kernel": "6.1.0", "cpu": "A <CPU>", "cpus": 2, "memory_mib": 4096, "virtualization": "none"},
        "exit_price_ns": 20000, "distortions": ["Nothing is as it seems."],
        "columns": [{"id": name, "title": f"{name} & Co", "versions": {"qemu": "7.2"}, "command": ["qemu", "-append", "a b"],
                     "error": error} for name, error in columns],
        "workloads": [
            {"id": "read", "group": "block", "title": "4 KiB read", "unit": "IOPS", "better": "higher", "op": "read"},
            {"id": "call", "group": "cpu", "title": "system call", "unit": "ns", "better": "lower", "op": "call"}],
        "cells": [
            cell("read", "native", [10000, 12000, 11000]),
            cell("read", "qemu-full-tsc", [400, 420, 500], [30, 31, 32], {"io": 26, "hlt": 4}),
            cell("read", "paravane-pv", [1000, 1000, 1000], [10, 10, 10], {"hlt": 6, "msr": 4}),
            cell("read", "qemu-virtio", [], error=REASON),
            cell("call", "native", [400, 410]),
            cell("call", "qemu-full-tsc", [500, 520], [0, 0]),
            cell("call", "paravane-pv", [404], [0.001], error="repetition 2: no answer"),
            cell("call", "qemu-virtio", [], error=REASON)],
    }


def find(raw, workload, column):
    return next(c for c in raw["cells"] if (c["workload"], c["column"]) == (workload, column))


def expect(found, wanted):
    if found != wanted:
        raise AssertionError(f"{found!r}, should be {wanted!r}")


def has(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError(f"{part!r} is not in {text[:3000]!r}")


def program(run_dir, *args):
    """(exit status, stdout, stderr) of report.py or check_json.py."""
    done = subprocess.run([sys.executable, "-B", os.path.join(HERE, args[0]), *args[1:]], cwd=run_dir, timeout=30,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def save(run_dir, name, raw):
    with open(os.path.join(run_dir, name), "w", encoding="utf-8") as file:
        file.write(raw if isinstance(raw, str) else json.dumps(raw))


def load(run_dir, name):
    with open(os.path.join(run_dir, name), encoding="utf-8") as file:
        return file.read()


def run(cases):
    """One verdict for each case, {name: function of a directory of its own}."""
    failed = False
    with tempfile.TemporaryDirectory() as run_dir:
        for name, case in cases.items():
            try:
                case(run_dir)
            except Exception as error:  # a crash is one verdict, too
                traceback.print_exc(file=sys.stdout)
                print(f"FAIL {name}: {type(error).__name__}: {str(error)[:600]}".replace("\n", " "))
                failed = True
            else:
                print(f"PASS {name}")
    return 1 if failed else 0
