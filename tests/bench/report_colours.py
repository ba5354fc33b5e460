# SPDX-License-Identifier: GPL-2.0-or-later
"""Colours of the HTML report: columns of a kind are of a hue, reasons of exits have their own."""

# (on light, on dark)
COLUMNS = {
    "native": ("#6b7280", "#a3acb9"),
    "qemu-full-hpet": ("#d79a3c", "#f0bd7a"),
    "qemu-full-tsc": ("#c8601a", "#f28b4b"),
    "qemu-virtio": ("#2f6bc9", "#6aa0f5"),
    "qemu-microvm": ("#6a99dd", "#a4c4f7"),
    "paravane": ("#45a98a", "#9ae0c8"),
    "paravane-pv": ("#08734f", "#2fc795"),
    "paravane-xen": ("#7748b5", "#b08af0"),
}
MORE_COLUMNS = (("#b03070", "#f082b4"), ("#7d6f1e", "#d3c25e"), ("#3d7f8c", "#7fc9d6"))
REASONS = (("#3f6fb5", "#6f9fe6"), ("#d98a2b", "#f2b263"), ("#3c9a78", "#62cfa6"), ("#a8557f", "#e08db6"),
           ("#8f86c9", "#b7b0ef"), ("#c25a48", "#f08f7d"), ("#7d8a2e", "#bccb62"))
OTHER = ("#a4a9af", "#6b7379")


def columns(results):
    """{column: class}, and the (class, colours) behind it."""
    more = iter(MORE_COLUMNS * len(results.columns))
    found = {column: COLUMNS.get(column) or next(more) for column in results.columns}
    classes = {column: f"k-{number}" for number, column in enumerate(found)}
    return classes, [(classes[column], pair) for column, pair in found.items()]


def reasons(results):
    """{reason: class} for the most frequent ones, by the share of their cells' exits; the others share one."""
    shares = {}
    for cell in results.cells.values():
        for reason, exits in cell.ordered_reasons():
            shares[reason] = shares.get(reason, 0) + exits / (cell.exits or 1)
    shares.pop("other", None)
    known = sorted(shares, key=lambda reason: -shares[reason])[:len(REASONS)]
    classes = {reason: f"r-{number}" for number, reason in enumerate(known)}
    return classes, [(classes[reason], pair) for reason, pair in zip(known, REASONS)] + [("r-other", OTHER)]


def style(pairs):
    """CSS of the classes, for both schemes."""
    def rules(scheme):
        return "".join(f".{name} {{ --c: {pair[scheme]}; }}\n" for name, pair in pairs)
    return rules(0) + "@media (prefers-color-scheme: dark) {\n" + rules(1) + "}\n"
