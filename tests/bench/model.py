# SPDX-License-Identifier: GPL-2.0-or-later
"""What a workload would take where an exit costs more or less than here.

An operation's time is taken apart: its exits, each at the price measured on this machine, and the rest, which is
left as it is. What exits would cost elsewhere is put in the first part's place. The rest stays this machine's:
the model is about exits only, and one price stands for the cheap and the dear ones.
"""
PRICES_US = (1, 2, 10, 30)
TIME_NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def time_per_op(workload, value):
    """Nanoseconds per operation behind a figure, or None where its unit does not say."""
    unit, op = workload["unit"], workload["op"]
    if workload["better"] == "lower":
        return value * TIME_NS[unit] if unit in TIME_NS and value >= 0 else None
    rate = unit == "IOPS" or unit in (op + "/s", op + "s/s")
    return 1e9 / value if rate and value > 0 else None


class Model:
    """One cell's operation: @rest_ns without exits, @exits of them. @overlap: the exits alone would take longer
    than the operation did, since they are cheaper than most or run beside it; the rest is then 0."""

    def __init__(self, time_ns, exits, price_ns):
        self.exits = exits
        self.overlap = exits * price_ns > time_ns
        self.rest_ns = max(0, time_ns - exits * price_ns)

    def at(self, price_ns):
        """Expected nanoseconds per operation."""
        return self.rest_ns + self.exits * price_ns


def of(cell, price_ns):
    """The model of a cell, None where something for it was not measured; native has no exits."""
    time_ns = cell.median is not None and time_per_op(cell.workload, cell.median)
    exits = 0 if cell.column == "native" else cell.exits
    if not time_ns or exits is None or not price_ns:
        return None
    return Model(time_ns, exits, price_ns)
