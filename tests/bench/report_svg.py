# SPDX-License-Identifier: GPL-2.0-or-later
"""The plots of the HTML report. Colours are classes of its style sheet."""
import math

import model
from formats import duration, number
from markup import join, tag, void

STRIP, BAR, HEIGHT = 280, 170, 22
EDGE = 8
# The widest range that is shown on a linear scale
LINEAR = 8
CHART_WIDTH, CHART_HEIGHT, LEFT, BOTTOM, RIGHT = 640, 250, 70, 34, 130
# Prices of an exit, with room for this machine's
CHART_PRICES_US = (0.3, 60)


def short(x):
    return f"{x:.1f}"


class Scale:
    """Values to pixels; logarithmic where the values are far apart, otherwise from 0."""

    def __init__(self, values, start, end, log=None):
        self.start, self.end = start, end
        low, high = min(values), max(values)
        self.log = log if log is not None else low > 0 and high / low > LINEAR
        if self.log:
            self.low, self.high = math.log10(low), math.log10(high)
            room = max(0.04 * (self.high - self.low), 0.03)
            self.low, self.high = self.low - room, self.high + room
        else:
            self.low, self.high = min(0, low), (max(0, high) or 1) * 1.04

    def __call__(self, value):
        if self.log:
            value = math.log10(value) if value > 0 else self.low
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self):
        if self.log:
            decades = range(math.floor(self.low), math.ceil(self.high) + 1)
            steps = (1,) if self.high - self.low > 2 else (1, 3) if self.high - self.low > 1 else (1, 2, 5)
            every = 2 if self.high - self.low > 5 else 1
            found = [step * 10.0 ** d for d in decades if d % every == 0 for step in steps]
            return [v for v in found if self.low <= math.log10(v) <= self.high]
        step = 10.0 ** math.floor(math.log10(self.high / 2))
        step *= next(m for m in (5, 2, 1) if self.high / (step * m) >= 2)
        return [step * i for i in range(math.ceil(self.low / step), int(self.high / step) + 1)]


def svg(width, height, *children, title=None):
    return tag("svg", tag("title", title) if title else None, *children, width=width, height=height,
               viewBox=f"0 0 {width} {height}", role="img", aria_label=title)


def rule(x1, y1, x2, y2, class_):
    return void("line", x1=short(x1), y1=short(y1), x2=short(x2), y2=short(y2), class_=class_)


def strip_scale(cells):
    values = [value for cell in cells for value in cell.values]
    return Scale(values, EDGE, STRIP - EDGE) if values else None


def strip(cell, scale, colour):
    """Every repetition a dot, their range a bar, the median a stroke."""
    middle = HEIGHT / 2
    grid = [rule(scale(tick), 0, scale(tick), HEIGHT, "grid") for tick in scale.ticks()]
    low, high, median = scale(cell.low), scale(cell.high), scale(cell.median)
    body = [void("rect", x=short(low - 2), y=middle - 4, width=short(high - low + 4), height=8, rx=4,
                 class_="range"),
            rule(median, 3, median, HEIGHT - 3, "median")]
    body += [void("circle", cx=short(scale(value)), cy=middle, r="3.4", class_="dot") for value in cell.values]
    values = ", ".join(number(value) for value in cell.values)
    return svg(STRIP, HEIGHT, *grid, tag("g", *body, class_=colour),
               title=f"{cell.column}: {values} {cell.workload['unit']}")


def strip_axis(scale):
    marks = []
    for tick in scale.ticks():
        x = scale(tick)
        anchor = "start" if x < 20 else "end" if x > STRIP - 20 else "middle"
        marks.append(tag("text", number(tick), x=short(x), y=12, text_anchor=anchor))
    return svg(STRIP, 16, tag("g", *marks, class_="axis"))


def exits_bar(cell, most, colours):
    """Exits per operation, stacked by reason; @most is the longest bar of the table."""
    parts, x = [], 0.0
    for reason, exits in cell.ordered_reasons() or [("not told apart", cell.exits)]:
        width = exits / most * BAR
        parts.append(tag("rect", tag("title", f"{reason}: {number(exits)} per {cell.workload['op']}"),
                         x=short(x), y=4, width=short(width), height=HEIGHT - 8,
                         class_=colours.get(reason, "r-other")))
        x += width
    # Medians of the reasons may add up to a little more than the median of all
    return tag("svg", *parts, width=BAR, height=HEIGHT, viewBox=f"0 0 {short(max(BAR, x))} {HEIGHT}", role="img",
               preserveAspectRatio="none", aria_label=f"{cell.column}: {number(cell.exits)} exits per {cell.workload['op']}")


def spread_labels(wanted, least):
    """Heights of labels so that none covers another: @wanted in any order, @least apart."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed, floor = [0.0] * len(wanted), 0.0
    for i in order:
        placed[i] = max(wanted[i], floor)
        floor = placed[i] + least
    ceiling = CHART_HEIGHT - BOTTOM
    for i in reversed(order):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - least
    return placed


def model_chart(models, price_ns, colours):
    """Expected time per operation over the price of an exit: @models {column: Model}."""
    here = price_ns / 1000
    low, high = CHART_PRICES_US[0], max(CHART_PRICES_US[1], here * 1.5)
    prices = [low * 1000 * (high / low) ** (i / 40) for i in range(41)]
    x = Scale((low, high), LEFT, CHART_WIDTH - RIGHT, log=True)
    all_times = [m.at(price) for m in models.values() for price in prices]
    y = Scale([t for t in all_times if t > 0] or [1], CHART_HEIGHT - BOTTOM, 8, log=True)
    parts = []
    for us in (0.5, *model.PRICES_US):
        parts += [rule(x(us), 8, x(us), CHART_HEIGHT - BOTTOM, "grid"),
                  tag("text", f"{us:g} us", x=short(x(us)), y=CHART_HEIGHT - BOTTOM + 15, text_anchor="middle")]
    for tick in y.ticks():
        parts += [rule(LEFT, y(tick), CHART_WIDTH - RIGHT, y(tick), "grid"),
                  tag("text", duration(tick), x=LEFT - 6, y=short(y(tick) + 4), text_anchor="end")]
    if here >= low:
        parts += [rule(x(here), 8, x(here), CHART_HEIGHT - BOTTOM, "here"),
                  tag("text", "here", x=short(x(here)), y=CHART_HEIGHT - 4, text_anchor="middle", class_="strong")]
    ends = spread_labels([y(m.at(prices[-1])) + 4 for m in models.values()], 14)
    for (column, found), label in zip(models.items(), ends):
        points = " ".join(f"{short(x(price / 1000))},{short(y(found.at(price)))}" for price in prices)
        parts.append(tag("g", void("polyline", points=points, class_="curve"),
                         tag("text", column, x=CHART_WIDTH - RIGHT + 8, y=short(label)), class_=colours[column]))
    return svg(CHART_WIDTH, CHART_HEIGHT, tag("g", join(*parts), class_="axis"),
               title="Expected time per operation over the price of an exit")
