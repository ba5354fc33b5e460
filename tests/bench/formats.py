# SPDX-License-Identifier: GPL-2.0-or-later
"""How figures are written for people."""

SCALES = ((1e9, "G"), (1e6, "M"), (1e4, "k"))
TIMES = ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1, "ns"))


def number(value):
    """About three digits: 0.012, 3.46, 457, 20.4k."""
    if value is None:
        return "-"
    size = abs(value)
    for least, letter in SCALES:
        if size >= least:
            scaled = value / (1e3 if letter == "k" else least)
            return f"{scaled:.0f}{letter}" if abs(scaled) >= 99.95 else f"{scaled:.3g}{letter}"
    if size >= 99.95:
        return f"{value:.0f}"
    if 0 < size < 0.0005:
        return "<0.001" if value > 0 else ">-0.001"
    return f"{value:.3g}" if size >= 0.1 else f"{value:.3f}".rstrip("0").rstrip(".")


def spread(low, high):
    """The range of the repetitions."""
    low, high = number(low), number(high)
    return low if low == high else f"{low}-{high}"


def times(ratio):
    """How many times as good as what it stands beside."""
    if ratio is None:
        return "-"
    return f"{ratio:.2f}x" if 0.095 <= ratio < 9.995 else f"{number(ratio)}x"


def duration(ns):
    """A time in the unit that suits it."""
    for least, unit in TIMES:
        if ns >= least:
            return f"{number(ns / least)} {unit}"
    return f"{number(ns)} ns"
