#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""boot.py OUT.json REPEATS -- NAME COMMAND... [-- NAME COMMAND...]

Measures each COMMAND REPEATS times, interleaved: from the start of the process to the moment the guest's
init marks itself on the debug port, with the VM exits KVM counted until then (debugfs, the same source for
every hypervisor), and how many of them the host's own interrupts were. "{run}" in a COMMAND is replaced by the
number of the repetition. Writes {NAME: {"ms": [...], "exits": [...], "irq_exits": [...], "command": [...]}}.
"""
import glob
import json
import os
import select
import subprocess
import sys
import time

MARK = b"paravane-mark: init"
LIMIT = 120
DEBUGFS = "/sys/kernel/debug"


def vm_count(pid, name):
    """KVM's counter for all vCPUs of the VM that process pid, or one it started, owns; 0 if that has gone."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            pids = [pid, *f.read().split()]
        return sum(int(open(f).read()) for p in pids for f in glob.glob(f"{DEBUGFS}/kvm/{p}-*/{name}"))
    except OSError:
        return 0


def stop(child):
    """The guest powers itself off after the mark; what does not is ended."""
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def measure(command):
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    seen = b""
    try:
        while MARK not in seen:
            # Asleep meanwhile: looking again and again would cost the guest's CPU more than its exits do.
            ready, _, _ = select.select([child.stdout], [], [], max(0, start + LIMIT - time.monotonic()))
            data = os.read(child.stdout.fileno(), 65536) if ready else b""
            if not data or time.monotonic() - start > LIMIT:
                sys.exit(f"boot.py: no init mark from {command[0]}:\n{seen.decode(errors='replace')}")
            seen += data
        ms = (time.monotonic() - start) * 1000
        return ms, vm_count(child.pid, "irq_exits"), vm_count(child.pid, "exits")
    finally:
        stop(child)


def split(args):
    """The commands, each after its own "--", as (name, command) pairs."""
    groups = []
    for arg in args:
        if arg == "--":
            groups.append([])
        else:
            groups[-1].append(arg)
    return [(g[0], g[1:]) for g in groups]


out, repeats = sys.argv[1], int(sys.argv[2])
commands = split(sys.argv[3:])
if not os.path.isdir(f"{DEBUGFS}/kvm"):
    subprocess.run(["mount", "-t", "debugfs", "debugfs", DEBUGFS], check=True)
results = {name: {"ms": [], "exits": [], "irq_exits": [], "command": command} for name, command in commands}
for run in range(repeats):
    for name, command in commands:
        exits = 0
        while not exits:  # the guest had gone before its counters were read
            ms, irqs, exits = measure([word.replace("{run}", str(run)) for word in command])
        results[name]["ms"].append(round(ms))
        results[name]["exits"].append(exits)
        results[name]["irq_exits"].append(irqs)
with open(out, "w") as f:
    json.dump(results, f, indent=1)
