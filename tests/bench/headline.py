# SPDX-License-Identifier: GPL-2.0-or-later
"""The short answer: Paravane beside full virtualization and virtio, workload by workload."""
from formats import number, times
from results import OURS, speedup

BESIDE = ("native", "qemu-full-tsc", "qemu-virtio")
# Differences below it are not called any
NOISE = 0.05


class Row:
    """@ours: the cell of Paravane. @beside: {column: (cell, times as good, verdict)}, the verdict good, bad or ""."""

    def __init__(self, results, ours):
        self.workload, self.ours, self.beside = ours.workload, ours, {}
        for column in BESIDE:
            other = results.cell(ours.workload["id"], column)
            if other and other.values:
                ratio = speedup(ours, other)
                self.beside[column] = (other, ratio, verdict(ours, other, ratio))


def verdict(ours, other, ratio):
    overlap = ours.low <= other.high and other.low <= ours.high
    once = min(len(ours.values), len(other.values)) == 1  # so nobody knows how noisy it is
    if ratio is None or once or overlap or abs(ratio - 1) < NOISE:
        return ""
    return "good" if ratio > 1 else "bad"


def rows(results):
    found = (results.ours(workload) for workload in results.workloads)
    return [Row(results, cell) for cell in found if cell]


def cell_text(cell):
    """The figure, and exits where they were counted."""
    exits = "" if cell.exits is None else f", {number(cell.exits)} exits"
    return f"{number(cell.median)}{exits}"


def ours_text(row):
    """Paravane's figure, with its column where that is another than one expects."""
    return cell_text(row.ours) + (f" ({row.ours.column})" if row.ours.column != OURS[0] else "")


def ratio_text(beside):
    return times(beside[1]) if beside else "-"
