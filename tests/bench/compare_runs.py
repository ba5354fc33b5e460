# SPDX-License-Identifier: GPL-2.0-or-later
"""Two runs side by side: what became worse beyond noise.

A difference is noise where the ranges of the repetitions overlap, where the medians are less than 5 % apart, and,
of exits per operation, where it is below 0.01. Times of different machines are not compared, only exits.
"""
from formats import number

NOISE = 0.05
NOISE_EXITS = 0.01


def worse_or_better(old, new, lower, floor=0):
    """1 if @new is worse beyond noise, -1 if better, 0 otherwise; each a list of values with their median."""
    (old_values, old_median), (new_values, new_median) = old, new
    if min(old_values) <= max(new_values) and min(new_values) <= max(old_values):
        return 0
    change = new_median - old_median
    if abs(change) < max(NOISE * abs(old_median), floor):
        return 0
    return 1 if (change > 0) == lower else -1


def change(old, new):
    return f"{(new - old) / old * 100:+.0f} %" if old else f"{number(old)} to {number(new)}"


def same_machine(old, new):
    return all(old.raw["host"][name] == new.raw["host"][name] for name in ("cpu", "cpus", "virtualization"))


def cell_changes(old, new, times):
    """(verdict, text) of each figure of a cell."""
    if not new.values and old.values:
        yield 1, f"was {number(old.median)} {old.workload['unit']}, now not measured: {new.error}"
        return
    if not old.values or not new.values:
        return
    if times:
        verdict = worse_or_better((old.values, old.median), (new.values, new.median),
                                  new.workload["better"] == "lower")
        yield verdict, (f"{number(old.median)} ({old.range}) to {number(new.median)}"
                        f" ({new.range}) {new.workload['unit']}, {change(old.median, new.median)}")
    if old.exits is not None and new.exits is not None:
        verdict = worse_or_better((old.exits_values, old.exits), (new.exits_values, new.exits), True, NOISE_EXITS)
        yield verdict, (f"{number(old.exits)} to {number(new.exits)} exits/{new.workload['op']},"
                        f" {change(old.exits, new.exits)}")


def compare(old, new):
    """(text, exit status) for two Results: 0 nothing worse, 3 something is, 2 nothing to compare."""
    times = same_machine(old, new)
    lines = [f"Compared with {old.about()}"]
    if not times:
        lines.append("The machines differ: only exits per operation are compared, not times.")
    if min(old.raw["repeats"], new.raw["repeats"]) == 1:
        lines.append("One of the runs measured everything only once: how noisy it is nobody knows.")
    found = {1: [], 0: [], -1: []}
    for (workload, column), cell in new.cells.items():
        before = old.cell(workload, column)
        if not before:
            continue
        if before.workload["unit"] != cell.workload["unit"] or before.workload["op"] != cell.workload["op"]:
            lines.append(f"{workload}: measured in another unit then, not compared")
            continue
        for verdict, text in cell_changes(before, cell, times):
            found[verdict].append(f"{workload}, {column}: {text}")
    if not any(found.values()):
        return "\n".join(lines + ["Nothing was measured in both runs."]), 2
    lines += [f"WORSE   {text}" for text in found[1]] + [f"better  {text}" for text in found[-1]]
    lines.append(f"{len(found[1])} worse, {len(found[-1])} better, {len(found[0])} the same within noise")
    return "\n".join(lines), 3 if found[1] else 0
