# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of docs/PERFORMANCE.md that is made from a committed run, between two marks."""
import re

import headline
from results import OURS, BadResults

BEGIN, END = "<!-- bench: made by `tests/bench/report.py --markdown`, do not edit -->", "<!-- bench: end -->"


def escaped(text):
    return str(text).replace("|", "\\|")


def table(results):
    """Lines of a table: Paravane's best equipped column beside the others, for each workload."""
    rows = headline.rows(results)
    beside = [name for name in headline.BESIDE if any(name in row.beside for row in rows)]
    yield "| workload | Paravane | " + " | ".join(beside) + " |"
    yield "| --- |" + " --- |" * (1 + len(beside))
    for row in rows:
        cells = [f"{row.workload['title']}, {row.workload['unit']}", headline.ours_text(row)]
        for name in beside:
            found = row.beside.get(name)
            cells.append(f"{headline.cell_text(found[0])}: {headline.ratio_text(found)}" if found else "-")
        yield "| " + " | ".join(map(escaped, cells)) + " |"


def section(results):
    """Everything between the marks."""
    price = results.raw["exit_price_ns"]
    lines = ["", results.about() + ".", ""]
    versions = {f"{name} {version}" for column in results.columns.values() for name, version in column["versions"].items()}
    lines += ["Versions: " + ", ".join(sorted(versions)) + ".", ""] if versions else []
    lines += [f"One exit costs {price / 1000:.3g} us here.", ""] if price else []
    lines += [f"Medians, exits per operation, and how many times as good Paravane is ({OURS[0]}, if no other column is named):", "", *table(results), ""]
    lines += [f"* {sentence}" for sentence in results.raw["distortions"]]
    missing = [f"{cell.workload['title']}, {cell.column}: {cell.error}" for cell in results.cells.values() if cell.error]
    lines += ["", "Not measured:"] + [f"* {what}" for what in missing] if missing else []
    return "\n".join(lines) + "\n"


def replace(text, results, name):
    """@text with its part between the marks made anew."""
    pattern = re.escape(BEGIN) + r"\n.*?" + re.escape(END)
    if len(re.findall(pattern, text, flags=re.S)) != 1:
        raise BadResults(f"{name}: must have the lines \"{BEGIN}\" and \"{END}\" once")
    return re.sub(pattern, lambda _: f"{BEGIN}\n{section(results)}\n{END}", text, flags=re.S)
