# SPDX-License-Identifier: GPL-2.0-or-later
"""The results of a run (bench.json, docs/BENCH.md) and what follows from them by arithmetic."""
import json
import statistics

import check_json
from formats import spread

# What a figure is divided by, as far as it was measured
REFERENCES = ("native", "qemu-full-tsc", "qemu-virtio")
# What the user asks about: with the guest's modules, or else without
OURS = ("paravane-pv", "paravane-xen", "paravane")
# Repetitions further apart than this are marked as noisy
NOISY = 0.25


class BadResults(Exception):
    """The file cannot be used; the text says which and why."""


class Cell:
    """One workload in one column. @error and @values exclude each other unless some repetitions failed."""

    def __init__(self, workload, raw):
        self.workload = workload
        self.column, self.error, self.values = raw["column"], raw["error"], raw["values"]
        self.median, self.low, self.high = raw["median"], raw["min"], raw["max"]
        self.ops = raw.get("ops")
        exits = raw.get("exits_per_op")
        self.exits_values = exits["values"] if exits else []
        self.exits = exits["median"] if exits else None
        self.reasons = dict(exits.get("by_reason") or {}) if exits else {}
        self.cpu = {who: self.per_op(raw.get(who + "_cpu_s")) for who in ("guest", "vmm")}

    def per_op(self, seconds):
        """The median of processor seconds per operation."""
        if not seconds or not self.ops:
            return None
        found = [s / n for s, n in zip(seconds, self.ops) if n]
        return statistics.median(found) if found else None

    @property
    def noisy(self):
        return bool(self.values) and self.high - self.low > NOISY * abs(self.median)

    @property
    def range(self):
        """The least and the greatest, for people."""
        return "once" if len(self.values) == 1 else spread(self.low, self.high)

    def ordered_reasons(self):
        """(reason, exits per operation), the most frequent first; what no reason is known of is "other"."""
        found = [(reason, exits) for reason, exits in self.reasons.items() if exits > 0]
        rest = (self.exits or 0) - sum(n for _, n in found)
        # Medians of the reasons need not add up to the median of all
        if found and rest > 0.05 * self.exits:
            found.append(("other", rest))
        return sorted(found, key=lambda pair: -pair[1])


def speedup(cell, reference):
    """How many times as good @cell is as @reference; None where that cannot be said."""
    if not cell or not reference or cell.median is None or reference.median is None:
        return None
    good, bad = cell.median, reference.median
    if cell.workload["better"] == "lower":
        good, bad = bad, good
    return good / bad if bad > 0 else None


class Results:
    """All of a run. @raw: what was read; it has been checked."""

    def __init__(self, raw):
        self.raw = raw
        self.columns = {column["id"]: column for column in raw["columns"]}
        self.workloads = {workload["id"]: workload for workload in raw["workloads"]}
        self.cells = {(c["workload"], c["column"]): Cell(self.workloads[c["workload"]], c)
                      for c in raw["cells"]}

    def cell(self, workload, column):
        return self.cells.get((workload, column))

    def row(self, workload):
        """The cells of a workload, in the columns' order."""
        return [self.cells[workload, column] for column in self.columns]

    def groups(self):
        """{group: its workloads}, in the order of the file."""
        found = {}
        for workload in self.workloads.values():
            found.setdefault(workload["group"], []).append(workload)
        return found

    def ratios(self, cell):
        """{reference: how many times as good}, without the cell itself and what was not measured."""
        found = {name: speedup(cell, self.cell(cell.workload["id"], name))
                 for name in REFERENCES if name != cell.column}
        return {name: ratio for name, ratio in found.items() if ratio is not None}

    def ours(self, workload):
        """The cell to look at first: Paravane's best equipped one that was measured."""
        found = (self.cell(workload, column) for column in OURS)
        return next((cell for cell in found if cell and cell.values), None)

    def about(self):
        """One line: when, where, how."""
        host, raw = self.raw["host"], self.raw
        return (f"{raw['date']}, {host['cpu']}, {host['cpus']} CPUs, {host['memory_mib']} MiB, Linux {host['kernel']}"
                f" ({host['virtualization']}), Paravane {raw['paravane']}, {'quick' if raw['quick'] else 'full'},"
                f" repetitions: {raw['repeats']}")


def checked(raw, name="these results"):
    """Results of a parsed file; BadResults if it is not as docs/BENCH.md says."""
    problems = check_json.problems(raw)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise BadResults(f"{name}: {problems[0]}{more}")
    return Results(raw)


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return checked(json.load(file), path)
    except OSError as error:
        raise BadResults(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise BadResults(f"{path}: not JSON: {error}") from None
