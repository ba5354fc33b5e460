# SPDX-License-Identifier: GPL-2.0-or-later
"""A run's results for spreadsheets: one row for each workload and column."""
import csv
import io

from results import REFERENCES

FIELDS = (["workload", "title", "group", "unit", "better", "op", "column", "error", "repeats", "median", "min", "max",
           "exits_per_op", "exits_min", "exits_max", "guest_cpu_us_per_op", "vmm_cpu_us_per_op"] +
          ["times_" + name for name in REFERENCES] + ["reasons"])


def row(results, cell):
    micro = {who: None if seconds is None else seconds * 1e6 for who, seconds in cell.cpu.items()}
    found = {name: cell.workload[name] for name in ("title", "group", "unit", "better", "op")}
    found.update({
        "workload": cell.workload["id"], "column": cell.column, "error": cell.error, "repeats": len(cell.values),
        "median": cell.median, "min": cell.low, "max": cell.high, "exits_per_op": cell.exits,
        "exits_min": min(cell.exits_values, default=None), "exits_max": max(cell.exits_values, default=None),
        "guest_cpu_us_per_op": micro["guest"], "vmm_cpu_us_per_op": micro["vmm"],
        "reasons": "; ".join(f"{reason} {exits:g}" for reason, exits in cell.ordered_reasons()),
    })
    found.update({"times_" + name: ratio for name, ratio in results.ratios(cell).items()})
    return {name: f"{value:.6g}" if isinstance(value, float) else value for name, value in found.items()}


def text(results):
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    for workload in results.workloads:
        writer.writerows(row(results, cell) for cell in results.row(workload))
    return out.getvalue()
