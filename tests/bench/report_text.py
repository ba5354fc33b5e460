# SPDX-License-Identifier: GPL-2.0-or-later
"""A run's results for a terminal: every cell with its reason or its exits, then the overview."""
import textwrap

import model
from formats import duration, number, times

LABEL = 16
REASONS = 4


def exits_text(cell):
    if cell.exits is None:
        return ""
    reasons = ", ".join(f"{reason} {number(exits)}" for reason, exits in cell.ordered_reasons()[:REASONS])
    return f"{number(cell.exits)} exits/{cell.workload['op']}" + (f": {reasons}" if reasons else "")


def cell_lines(results, cell, width):
    """One line, more where the reason of an error needs them."""
    label = f"  {cell.column:{LABEL}}"
    lines = []
    if cell.values:
        ratios = results.ratios(cell)
        beside = times(ratios["qemu-full-tsc"]) if "qemu-full-tsc" in ratios else ""
        noisy = "~" if cell.noisy else " "
        figure = f"{label}{number(cell.median):>8}{noisy} {'(' + cell.range + ')':<16}{beside:>8}  "
        lines = textwrap.wrap(exits_text(cell), max(30, width - len(figure))) or [""]
        lines = [(figure + lines[0]).rstrip()] + [" " * len(figure) + more for more in lines[1:]]
    if cell.error:
        what = "partly not measured: " if cell.values else "not measured: "
        lines += textwrap.wrap(what + cell.error, width, initial_indent=label, subsequent_indent=" " * len(label))
    return lines


def model_lines(cells, op, price_ns):
    """Expected times, where exits play a part."""
    found = [(cell.column, model.of(cell, price_ns)) for cell in cells]
    found = [(column, m) for column, m in found if m and m.exits]
    if not found:
        return
    yield f"  expected time of one {op} without exits, and where one costs"
    yield " " * (LABEL + 12) + "".join(f"{f'{us} us':>10}" for us in model.PRICES_US)
    for column, m in found:
        rest = "~0" if m.overlap else duration(m.rest_ns)
        yield f"  {column:{LABEL}}{rest:>10}" + "".join(f"{duration(m.at(us * 1000)):>10}" for us in model.PRICES_US)


def workload_lines(results, workload, width):
    cells = results.row(workload["id"])
    yield f"{workload['title']} [{workload['unit']}, {workload['better']} is better]"
    for cell in cells:
        yield from cell_lines(results, cell, width)
    yield from model_lines(cells, workload["op"], results.raw["exit_price_ns"])
    yield ""


def overview(results, width):
    """Rows of medians and exits, as many columns side by side as fit."""
    name_width = max([len(w) for w in results.workloads] + [8]) + 2
    widths = {column: max(len(column), 13) + 2 for column in results.columns}
    left = list(results.columns)
    while left:
        part, used = [], name_width
        while left and (not part or used + widths[left[0]] <= width):
            used += widths[left[0]]
            part.append(left.pop(0))
        yield " " * name_width + "".join(f"{column:>{widths[column]}}" for column in part)
        for workload in results.workloads:
            cells = (results.cell(workload, column) for column in part)
            yield f"{workload:{name_width}}" + "".join(f"{short(cell):>{widths[cell.column]}}" for cell in cells)
        yield ""


def short(cell):
    if not cell.values:
        return "error"
    return number(cell.median) + (f" | {number(cell.exits)}" if cell.exits is not None else "")


def text(results, width=100):
    """Everything, as lines of about @width characters."""
    raw = results.raw
    lines = textwrap.wrap(results.about(), width)
    if raw["exit_price_ns"]:
        lines.append(f"One exit costs {duration(raw['exit_price_ns'])} here.")
    if raw.get("interrupted"):
        lines.append("The run was interrupted; what is missing says so.")
    for group, workloads in results.groups().items():
        lines += ["", f"== {group} ==", ""]
        for workload in workloads:
            lines += workload_lines(results, workload, width)
    lines += ["Median (least-greatest of the repetitions, ~ if far apart), times as good as qemu-full-tsc, exits per"
              " operation.", "", "Overview: median | exits per operation", ""]
    lines += overview(results, width)
    for column in results.columns.values():
        if column["error"]:
            lines += textwrap.wrap(f"{column['id']}: {column['error']}", width, subsequent_indent="  ")
    if raw["distortions"]:
        lines.append("What this machine distorts:")
    for sentence in raw["distortions"]:
        lines += textwrap.wrap(sentence, width, initial_indent="* ", subsequent_indent="  ")
    return "\n".join(lines) + "\n"
