#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Shows the results of a run of tests/bench/bench (docs/BENCH.md).

    report.py BENCH.json [--out DIR] [--compare OLD.json] [--markdown FILE.md]

Prints the table and writes bench.csv and bench.html to DIR (beside BENCH.json). --compare says what became worse
or better since OLD.json; the exit status is 3 if something is worse beyond noise. --markdown makes the part
between the marks of FILE.md anew and does nothing else. The exit status is 2 if a file cannot be used.
"""
import argparse
import os
import shutil
import sys

import compare_runs
import report_csv
import report_html
import report_markdown
import report_text
import results

WIDE = 100


def take(source):
    """Results of a path or of the parsed file."""
    return results.load(source) if isinstance(source, (str, os.PathLike)) else results.checked(source)


def write(source, out_dir):
    """Writes bench.csv and bench.html to @out_dir and returns the text for the terminal. BadResults if @source, a
    path or the parsed file, is not as it must be; OSError if the files cannot be written."""
    found = take(source)
    for name, text in (("bench.csv", report_csv.text(found)), ("bench.html", report_html.text(found))):
        with open(os.path.join(out_dir, name), "w", encoding="utf-8", newline="") as file:
            file.write(text)
    return report_text.text(found, max(60, shutil.get_terminal_size((WIDE, 24)).columns - 1))


def compare(old, new):
    """(text, exit status) of two runs, each a path or the parsed file; BadResults as write()."""
    return compare_runs.compare(take(old), take(new))


def markdown(source, path):
    """Makes the part of a document anew that shows a run."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise results.BadResults(f"{path}: {error.strerror}") from None
    text = report_markdown.replace(text, take(source), path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser(prog="report.py", description=__doc__.split("\n", 1)[0])
    parser.add_argument("bench", metavar="BENCH.json")
    parser.add_argument("--out", metavar="DIR", help="of bench.csv and bench.html (beside BENCH.json)")
    parser.add_argument("--compare", metavar="OLD.json", help="say what became worse since that run")
    parser.add_argument("--markdown", metavar="FILE.md", help="only renew the part of this document that shows a run")
    options = parser.parse_args()
    status = 0
    try:
        if options.markdown:
            markdown(options.bench, options.markdown)
            return 0
        # Before anything is written: a wrong OLD.json is said at once
        said, status = compare(options.compare, options.bench) if options.compare else ("", 0)
        print(write(options.bench, options.out or os.path.dirname(os.path.abspath(options.bench))) + said)
    except results.BadResults as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"report.py: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
