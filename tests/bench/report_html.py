# SPDX-License-Identifier: GPL-2.0-or-later
"""A run's results as one HTML page: no scripts, nothing from the network, also well-formed XML."""
import os
import shlex

import headline
import model
import report_colours
import report_svg
import results
from formats import duration, number, times
from markup import Markup, join, line, tag, void

GROUPS = {"cpu": "Processor", "block": "Disk", "net": "Network", "boot": "Boot", "memory": "Memory", "density": "Density"}


class Page:
    """What all parts of the page share."""

    def __init__(self, found):
        self.results, self.price = found, found.raw["exit_price_ns"]
        self.columns, columns = report_colours.columns(found)
        self.reasons, reasons = report_colours.reasons(found)
        self.style = report_colours.style(columns + reasons)

    def label(self, column):
        return tag("td", tag("span", class_="swatch " + self.columns[column]), column,
                   title=self.results.columns[column]["title"])


def row_of(names, **attributes):
    return tag("thead", tag("tr", *(tag("th", name, class_="n" if numeric else None) for name, numeric in names),
                            **attributes))


def micro(seconds):
    return "-" if seconds is None else duration(seconds * 1e9)


def cell_row(page, cell, scale, most):
    label = page.label(cell.column)
    ours = "ours" if cell.column.startswith("paravane") else None
    why = ("Partly not measured: " if cell.values else "Not measured: ") + cell.error if cell.error else None
    if not cell.values:
        return line(tag("tr", label, tag("td", why, colspan=7, class_="why"), class_=ours))
    ratio = page.results.ratios(cell).get("qemu-full-tsc")
    bar = report_svg.exits_bar(cell, most, page.reasons) if cell.exits and most else None
    cells = [tag("td", report_svg.strip(cell, scale, page.columns[cell.column])),
             tag("td", number(cell.median), class_="n"),
             tag("td", cell.range, " (noisy)" if cell.noisy else None, class_="soft"),
             tag("td", times(ratio), class_="n"), tag("td", number(cell.exits), class_="n"), tag("td", bar),
             tag("td", f"{micro(cell.cpu['guest'])} / {micro(cell.cpu['vmm'])}", class_="n")]
    remark = line(tag("tr", tag("td"), tag("td", why, colspan=7, class_="why"))) if why else None
    return join(line(tag("tr", label, *cells, class_=ours)), remark)


def workload_table(page, cells):
    scale = report_svg.strip_scale(cells)
    most = max((cell.exits for cell in cells if cell.exits is not None), default=0)
    heads = [("", False), ("logarithmic" if scale and scale.log else "", False), ("median", True), ("range", False),
             ("x full-tsc", True), ("exits", True), ("by reason", False), ("CPU, guest / VMM", True)]
    rows = [cell_row(page, cell, scale, most) for cell in cells]
    if scale:
        axis = tag("td", report_svg.strip_axis(scale), colspan=7)
        rows.append(line(tag("tr", tag("td"), axis, class_="axisrow")))
    return tag("table", row_of(heads), tag("tbody", Markup("\n"), *rows))


def model_part(page, workload, cells):
    models = {cell.column: found for cell in cells if (found := model.of(cell, page.price))}
    if not any(found.exits for found in models.values()):
        return None
    heads = [("", False), ("without exits", True)] + [(f"{us} us an exit", True) for us in model.PRICES_US]
    rows = [line(tag("tr", page.label(column),
                     tag("td", "~0" if found.overlap else duration(found.rest_ns), class_="n"),
                     *(tag("td", duration(found.at(us * 1000)), class_="n") for us in model.PRICES_US)))
            for column, found in models.items()]
    return tag("details", tag("summary", f"Expected time of one {workload['op']} where exits cost something else"),
               report_svg.model_chart(models, page.price, page.columns),
               tag("table", row_of(heads), tag("tbody", *rows)))


def legend(page, cells):
    seen = dict.fromkeys(reason for cell in cells for reason, _ in cell.ordered_reasons())
    known = [reason for reason in seen if reason in page.reasons]
    if not seen:
        return None
    items = [(page.reasons[reason], reason) for reason in known]
    items += [("r-other", "other")] if len(known) < len(seen) else []
    return tag("div", *(tag("span", tag("span", class_="swatch " + class_), name) for class_, name in items),
               class_="legend")


def workload_card(page, workload):
    cells = page.results.row(workload["id"])
    about = tag("p", f"{workload['unit']}, {workload['better']} is better; exits and CPU per {workload['op']}", class_="sub")
    return line(tag("section", tag("h3", workload["title"]), about, workload_table(page, cells), legend(page, cells),
                    model_part(page, workload, cells), class_="card", id=workload["id"]))


def headline_part(page):
    rows = headline.rows(page.results)
    if not rows:
        return None
    beside = [name for name in headline.BESIDE if any(name in row.beside for row in rows)]
    heads = [("", False), ("Paravane", True)]
    for name in beside:
        heads += [(name, True), ("Paravane is", True)]
    body = []
    for row in rows:
        cells = [tag("td", tag("a", row.workload["title"], href="#" + row.workload["id"]),
                     tag("span", ", " + row.workload["unit"], class_="soft")),
                 tag("td", headline.ours_text(row), class_="n")]
        for name in beside:
            found = row.beside.get(name)
            # The machine itself is the ceiling, not a competitor
            colour = "n " + found[2] if found and name != "native" else "n"
            cells += [tag("td", headline.cell_text(found[0]) if found else "-", class_="n soft"),
                      tag("td", headline.ratio_text(found), class_=colour)]
        body.append(line(tag("tr", *cells)))
    return tag("section", tag("h2", "In short"), tag("div", tag("table", row_of(heads), tag("tbody", *body)), tag(
        "p", "Medians and exits per operation; how many times as good Paravane is, in colour where that is more than"
        f" noise. Paravane is {results.OURS[0]}, where that was not measured the column that is named.", class_="soft"),
        class_="card"))


def notes(page):
    raw = page.results.raw
    price = duration(page.price) if page.price else "a time that could not be measured"
    said = [f"One exit costs {price} here. Exits per operation carry over to other machines, times less so."]
    said += ["The run was interrupted; what is missing says so."] if raw.get("interrupted") else []
    return tag("div", tag("strong", "What to keep in mind"),
               tag("ul", *(tag("li", sentence) for sentence in said + raw["distortions"])), class_="card note")


def how(page):
    parts = []
    for column in page.results.columns.values():
        about = ", ".join(f"{name} {version}" for name, version in column["versions"].items())
        parts.append(join(tag("h3", f"{column['id']}: {column['title']}"),
                          tag("p", about, class_="soft") if about else None,
                          tag("p", "Not measured: " + column["error"]) if column["error"] else None,
                          tag("pre", shlex.join(column["command"])) if column["command"] else None))
    return tag("section", tag("h2", "How each was started"), tag("div", *parts, class_="card"), id="how")


def head(page):
    with open(os.path.join(os.path.dirname(os.path.realpath(__file__)), "report.css"), encoding="utf-8") as file:
        sheet = file.read()
    title = f"Paravane bench, {page.results.raw['date']}"
    return tag("head", void("meta", charset="utf-8"), tag("title", title),
               void("meta", name="viewport", content="width=device-width, initial-scale=1"),
               # Style sheets are not escaped in HTML, and must not look like markup in XML
               tag("style", Markup("\n" + sheet + page.style)))


def text(found):
    """The page."""
    page = Page(found)
    groups = found.groups()
    links = [(group, GROUPS[group]) for group in groups] + [("how", "How each was started")]
    parts = [tag("h1", "What paravirtualization buys here"), tag("p", found.about(), class_="soft"),
             tag("nav", *(tag("a", name, href="#" + target) for target, name in links)), headline_part(page), notes(page)]
    for group, workloads in groups.items():
        cards = [workload_card(page, workload) for workload in workloads]
        parts.append(tag("section", tag("h2", GROUPS[group]), *cards, id=group))
    body = tag("body", tag("main", *map(line, parts), how(page)))
    return "<!DOCTYPE html>\n" + tag("html", head(page), body, lang="en") + "\n"
