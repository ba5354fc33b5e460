# SPDX-License-Identifier: GPL-2.0-or-later
"""One cell of the table: a workload in a column, all its repetitions."""
import statistics


def median(values):
    return statistics.median(values) if values else None


class Cell:
    """All repetitions of one workload in one column."""

    def __init__(self, workload, column):
        self.workload, self.column, self.error = workload, column, None
        self.values, self.ops, self.exits, self.guest_cpu, self.vmm_cpu = [], [], [], [], []
        self.reasons = []

    def add(self, value, ops, sample, empty=None):
        exits, reasons = sample.exits, sample.reasons
        if empty and exits is not None:
            exits -= empty.exits
            reasons = {name: count - empty.reasons.get(name, 0) for name, count in reasons.items()}
        self.values.append(value)
        self.ops.append(ops)
        self.guest_cpu.append(round(sample.cpu[True], 4))
        self.vmm_cpu.append(round(sample.cpu[False], 4))
        if exits is not None:
            self.exits.append(max(0, exits) / ops)
            self.reasons.append({name: max(0, count) / ops for name, count in reasons.items() if count > 0})

    def by_reason(self):
        names = {name for reasons in self.reasons for name in reasons}
        found = {name: median([reasons.get(name, 0) for reasons in self.reasons]) for name in names}
        return {name: found[name] for name in sorted(found, key=found.get, reverse=True) if found[name]}

    def json(self):
        exits = None
        if self.exits:
            exits = {"values": self.exits, "median": median(self.exits), "by_reason": self.by_reason()}
        error = self.error if self.error or self.values else "it was not reached"
        return {"workload": self.workload, "column": self.column, "error": error, "values": self.values,
                "median": median(self.values), "min": min(self.values, default=None),
                "max": max(self.values, default=None), "ops": self.ops or None, "exits_per_op": exits,
                "guest_cpu_s": self.guest_cpu or None, "vmm_cpu_s": self.vmm_cpu or None}
