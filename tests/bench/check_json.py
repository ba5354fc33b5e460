#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_json.py BENCH.json [BENCH.csv]

Checks that a run's results are as docs/BENCH.md says and that their arithmetic holds: medians, least and
greatest, one cell for each workload and column; with the CSV also its rows and ratios. Never how large a
figure is. Prints one line per problem; the exit status is 1 if there are any, 2 if a file cannot be read.
"""
import csv
import json
import math
import re
import statistics
import sys

VERSION = 1
GROUPS = ("cpu", "block", "net", "boot", "memory", "density")
# Writers may round
CLOSE = 1e-3


def is_text(value):
    return isinstance(value, str) and value.strip() != ""


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def is_list(check):
    return lambda value: isinstance(value, list) and all(map(check, value))


def is_table(check):
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


def or_null(check):
    return lambda value: value is None or check(value)


def is_amount(value):
    return is_number(value) and value >= 0


TEXT = (is_text, "a text")
COUNT = (is_count, "a whole number above 0")
NUMBER_OR_NULL = (or_null(is_number), "a number or null")
ERROR = (or_null(is_text), "null or the reason")
AMOUNTS_OR_NULL = (or_null(is_list(is_amount)), "null or a list of numbers not below 0")
OBJECTS = (is_list(lambda value: isinstance(value, dict)), "a list of objects")

TOP = {
    "version": (lambda value: value == VERSION and is_count(value), f"{VERSION}"),
    "date": (lambda value: is_text(value) and re.match(r"\d{4}-\d\d-\d\d", value), "YYYY-MM-DD"),
    "paravane": TEXT,
    "quick": (lambda value: isinstance(value, bool), "true or false"),
    "repeats": COUNT,
    "host": (lambda value: isinstance(value, dict), "an object"),
    "exit_price_ns": (or_null(lambda value: is_number(value) and value > 0), "a number above 0 or null"),
    "distortions": (is_list(is_text), "a list of texts"),
    "columns": OBJECTS,
    "workloads": OBJECTS,
    "cells": OBJECTS,
}
HOST = {"kernel": TEXT, "cpu": TEXT, "cpus": COUNT, "memory_mib": COUNT, "virtualization": TEXT}
COLUMN = {"id": TEXT, "title": TEXT, "versions": (is_table(is_text), "an object of texts"),
          "command": (is_list(is_text), "a list of texts"), "error": ERROR}
WORKLOAD = {
    "id": TEXT, "title": TEXT, "unit": TEXT, "op": TEXT,
    "group": (lambda value: value in GROUPS, "one of " + ", ".join(GROUPS)),
    "better": (lambda value: value in ("higher", "lower"), "higher or lower"),
}
CELL = {
    "workload": TEXT, "column": TEXT, "error": ERROR,
    "values": (is_list(is_number), "a list of numbers"),
    "median": NUMBER_OR_NULL, "min": NUMBER_OR_NULL, "max": NUMBER_OR_NULL,
    "ops": AMOUNTS_OR_NULL, "guest_cpu_s": AMOUNTS_OR_NULL, "vmm_cpu_s": AMOUNTS_OR_NULL,
    "exits_per_op": (or_null(lambda value: isinstance(value, dict)), "null or an object"),
}
EXITS = {
    "values": (is_list(is_amount), "a list of numbers not below 0"),
    "median": (is_amount, "a number not below 0"),
    "by_reason": (is_table(is_amount), "an object of numbers not below 0"),
}


def fields(thing, wanted, where):
    """What is missing in an object or not of its kind."""
    for name, (good, what) in wanted.items():
        if name not in thing:
            yield f"{where}: no \"{name}\""
        elif not good(thing[name]):
            yield f"{where}: \"{name}\" is {json.dumps(thing[name])[:60]}, must be {what}"


def close(one, other):
    return math.isclose(one, other, rel_tol=CLOSE, abs_tol=1e-9)


def figures(values, shown, where):
    """@shown: {name: (what is in the file, how it follows from @values)}."""
    for name, (found, rule) in shown.items():
        right = rule(values)
        if found is None or not close(found, right):
            yield f"{where}: {name} is {json.dumps(found)}, of its values it is {right:g}"


def check_exits(exits, ops, count, where):
    wrong = list(fields(exits, EXITS, where))
    yield from wrong
    if wrong:
        return
    if len(exits["values"]) != count:
        yield f"{where}: {len(exits['values'])} values beside {count} of the workload"
        return
    if count:
        yield from figures(exits["values"], {"median": (exits["median"], statistics.median)}, where)
        # Of up to two repetitions medians are means, which add up; of more they exceed it less than twice. All and
        # each reason are counted one after the other, with some exits between.
        most = max(exits["values"]) * (1.05 if count <= 2 else 2) + 0.01 + 50 / (min(ops or [0]) or math.inf)
        total = sum(exits["by_reason"].values())
        if total > most:
            yield f"{where}: the reasons add up to {total:g}, more than there are exits"


def check_cell(cell, repeats, where):
    values = cell["values"]
    shown = {"median": (cell["median"], statistics.median), "min": (cell["min"], min), "max": (cell["max"], max)}
    if values:
        yield from figures(values, shown, where)
    else:
        if cell["error"] is None:
            yield f"{where}: neither values nor an error"
        yield from (f"{where}: {name} without values" for name, (found, _) in shown.items() if found is not None)
    if len(values) > repeats:
        yield f"{where}: {len(values)} values of {repeats} repetitions"
    for name in ("ops", "guest_cpu_s", "vmm_cpu_s"):
        if cell[name] is not None and len(cell[name]) != len(values):
            yield f"{where}: {len(cell[name])} {name} beside {len(values)} values"
    if cell["exits_per_op"] is not None:
        yield from check_exits(cell["exits_per_op"], cell["ops"], len(values), where + ": exits_per_op")


def objects(found, wanted, kind):
    """Problems of a list of objects with ids, and the ids."""
    problems = []
    for number, thing in enumerate(found):
        problems += fields(thing, wanted, f"{kind} {thing.get('id', number)}")
    ids = [thing["id"] for thing in found if is_text(thing.get("id"))]
    problems += [f"{kind} {name} is there twice" for name in dict.fromkeys(ids) if ids.count(name) > 1]
    return problems, ids


def problems(raw):
    """Everything that is wrong with a parsed bench.json, one line each."""
    if not isinstance(raw, dict):
        return ["not an object"]
    found = list(fields(raw, TOP, "results"))
    if found:
        return found
    found += fields(raw["host"], HOST, "host")
    wrong, columns = objects(raw["columns"], COLUMN, "column")
    found += wrong
    wrong, workloads = objects(raw["workloads"], WORKLOAD, "workload")
    found += wrong
    found += (f"column {c['id']}: neither a command nor an error" for c in raw["columns"]
              if c.get("id") != "native" and not c.get("command") and not c.get("error"))
    seen = []
    for number, cell in enumerate(raw["cells"]):
        where = f"cell {cell.get('workload', number)}, {cell.get('column', '?')}"
        wrong = list(fields(cell, CELL, where))
        found += wrong
        if wrong:
            continue
        seen.append((cell["workload"], cell["column"]))
        if cell["workload"] not in workloads or cell["column"] not in columns:
            found.append(f"{where}: no such workload or column")
        found += check_cell(cell, raw["repeats"], where)
    pairs = [(w, c) for w in workloads for c in columns]
    found += (f"cell {w}, {c}: is missing" for w, c in pairs if (w, c) not in seen)
    found += (f"cell {w}, {c}: is there twice" for w, c in dict.fromkeys(seen) if seen.count((w, c)) > 1)
    return found


def csv_problems(raw, rows):
    """What a report's CSV says otherwise than the results it was made of."""
    cells = {(c["workload"], c["column"]): c for c in raw["cells"]}
    better = {w["id"]: w["better"] for w in raw["workloads"]}
    if [(row["workload"], row["column"]) for row in rows] != [(w["id"], c["id"]) for w in raw["workloads"]
                                                              for c in raw["columns"]]:
        return ["CSV: not one row for each workload and column"]
    found = []
    for row in rows:
        cell, where = cells[row["workload"], row["column"]], f"CSV: {row['workload']}, {row['column']}"
        wanted = {name: cell[name] for name in ("median", "min", "max")}
        wanted["exits_per_op"] = (cell["exits_per_op"] or {}).get("median")
        for name in (name for name in row if name.startswith("times_")):
            other = cells.get((row["workload"], name[len("times_"):]))
            good, bad = cell["median"], other and other["median"]
            if better[row["workload"]] == "lower":
                good, bad = bad, good
            wanted[name] = good / bad if other is not cell and good is not None and bad else None
        for name, right in wanted.items():
            if (row[name] == "") != (right is None) or row[name] and not close(float(row[name]), right):
                found.append(f"{where}: {name} is \"{row[name]}\", should be {right}")
        if row["error"] != (cell["error"] or ""):
            found.append(f"{where}: another error")
    return found


def main(paths):
    if len(paths) not in (1, 2):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    path = paths[0]
    try:
        with open(path, encoding="utf-8") as file:
            raw = json.load(file)
        found = problems(raw)
        if not found and len(paths) == 2:
            path = paths[1]
            with open(path, encoding="utf-8", newline="") as file:
                found = csv_problems(raw, list(csv.DictReader(file)))
    except (OSError, ValueError, KeyError) as error:
        print(f"check_json.py: {path}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        return 2
    for problem in found:
        print(f"{paths[0]}: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
