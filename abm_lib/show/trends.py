"""A reading through time: eight quarters, or the months, weeks or days of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import pandas as pd

from .drawing import Canvas, Records, Room, drawings, ticks
from .fragment import Figure
from .html import clean, listed, short
from .names import heading, identifier, within
from .numbers import day, quarter_name, tick, unit_name
from .rows import Row
from .tables import beyond, of_quarters
from .theme import ink
from .verdict import verdict

HEIGHT = 168


@dataclass(frozen=True)
class Remark:
    """What happened on a day (2026-08-04), in a few words: drawn where a line passes it."""

    on: str
    text: str


def trend(
    rows: Sequence[Row | None], dimension: str = "", remarks: Sequence[Remark] = (), need: Row | None = None
) -> Figure:
    """A line with a dot for each time, oldest first; a time without a value leaves a gap.

    Dots are filled where the target was met, hollow where it was missed; only the newest may take a verdict's colour.
    `need` is what it is judged by, as on its card. A week that the quarter's ends cut stands in the table alone.
    """
    told = [row for row in rows if row is not None]
    partial = [row for row in told if _is_part_of_a_week(row)]
    rows = [row for row in rows if row not in partial] if len(partial) < len(told) else rows
    there = [row for row in rows if row is not None]
    now = there[-1]
    first = heading(dimension or "quarter")
    alternative = f"{now.label} by {within(first)}: " + listed([f"{_when(r)} {r.text()}" for r in there], 8)
    first_time, last_time = (_inside(there[i]) for i in (0, -1))
    between = f"{first_time} to {last_time}" if len(there) > 1 else last_time
    between += f", {quarter_name(now.quarter)}" if dimension and dimension != "month" else ""
    subtitle = ". ".join([f"{unit_name(now.unit, now.currency)}, {between}", *_key(there)])

    marked = placed(rows, remarks)
    notes: list[object] = [f"{day(remark.on)}: {clean(remark.text)}." for _, remark in marked]
    if len(partial) < len(told):
        notes += [f"Not drawn: {_inside(r)}, of which {_days(r)} days lie in the quarter." for r in partial]

    def draw(room: Room) -> dict[str, Any]:
        return _draw(room, rows, dimension, marked, need)

    table = of_quarters(f"{now.metric}-{identifier(dimension) or 'quarter'}", told, first)
    title, beside = _message(there, dimension, need), [*([need] if need else []), *beyond(told, through_time=True)]
    return Figure(title, subtitle, alternative, drawings(draw), table, [now.metric], notes, beside=beside)


def placed(rows: Sequence[Row | None], remarks: Sequence[Remark]) -> list[tuple[float, Remark]]:
    """Where a remark stands between the times of a line: a time's own days reach half a step to both sides of it.

    Of days that two times share, such as those of trailing quarters, only the first has them for its own.
    """
    found = []
    for remark in remarks:
        on = pd.Timestamp(remark.on)
        over = pd.Timestamp.min
        for i, row in enumerate(rows):
            if row is None or row.slice.isdigit():
                continue
            begins, over = max(pd.Timestamp(row.period_start), over), pd.Timestamp(row.period_end)
            if begins <= on < over:
                found.append((i - 0.5 + (on - begins) / (over - begins), remark))
                break
    return found


def _message(there: Sequence[Row], dimension: str, need: Row | None) -> str:
    """What the newest value says against its target or last year; of other times, where the line began and ended."""
    now, judged = there[-1], verdict(there[-1], need)
    if dimension:
        known = [row for row in there if row.value is not None]
        ends = [f"{row.text()} {'on' if row.slice.isdigit() else 'in'} {_inside(row)}" for row in known]
        return f"{now.label}: {', '.join(dict.fromkeys([ends[0], ends[-1]])) if ends else 'no reading'}"
    when = quarter_name(now.quarter, year=False)
    if now.value is None:
        return f"{now.label}: {now.text()} in {when}"
    return f"{now.label}: {now.text()} in {when}" + (f", {judged.inline}" if "no earlier" not in judged.words else "")


@dataclass(frozen=True)
class Plot:
    """The canvas, the rows with their places across, and the values at the plot's top and bottom."""

    canvas: Canvas
    there: list[tuple[float, Row]]
    last: float
    top: float
    low: float

    def down(self, value: float) -> float:
        return (HEIGHT - 8) * (1 - (value - self.low) / (self.top - self.low)) + 4

    @property
    def half(self) -> float:
        """A third of the way to the neighbour: half the width of a target's dash."""
        return (self.last - self.there[0][0]) / max(len(self.there) - 1, 1) * 0.32


def _draw(
    room: Room, rows: Sequence[Row | None], dimension: str, remarks: Sequence[tuple[float, Remark]], need: Row | None
) -> dict[str, Any]:
    plot, labels, steps = _plot(room, rows, dimension, 8 + 16 * len(remarks))
    canvas, there = plot.canvas, plot.there
    points: Records = [
        {"x": x, "i": i, "y": plot.down(r.value), "met": met(r), "colour": ink("ink"), "tip": r.told(_when(r))}
        for i, (x, r) in enumerate(there)
        if r.value is not None
    ]
    past = [p for p in points if p["x"] != plot.last]
    joined = [{**a, "x2": b["x"], "y2": b["y"]} for a, b in pairwise(points) if b["i"] == a["i"] + 1]
    ranges = [(x, r.low, r.high) for x, r in there]
    band = [{"x": x, "y": plot.down(b), "y2": plot.down(a)} for x, a, b in ranges if a is not None and b is not None]
    aims = [
        {"x": x - plot.half, "x2": x + plot.half, "y": plot.down(r.target)} for x, r in there if r.target is not None
    ]
    layers = [
        *grid(canvas, [plot.down(step) for step in steps], labels),
        canvas.rules(band, ink("track"), 12, upright=True),
        canvas.rules(aims, ink("ink3"), 1.5, (3, 2)),
        canvas.slopes(joined),
        canvas.dots([p for p in past if p["met"] is False], hollow=True),
        canvas.dots([p for p in past if p["met"] is not False], 36),
        *_newest(plot, points, need),
        *under(plot, dimension),
        *remarked(canvas, remarks),
    ]
    return canvas.spec(layers)


def _plot(room: Room, rows: Sequence[Row | None], dimension: str, above: int) -> tuple[Plot, list[str], list[float]]:
    """The plot with the labels and values of its grid. Days stand at their number, other times at equal distances."""
    days = dimension and all(row is not None and row.slice.isdigit() for row in rows)
    there = [(float(row.slice) if days else float(i), row) for i, row in enumerate(rows) if row is not None]
    values = [v for _, r in there for v in (r.value, r.high, r.target) if v is not None]
    top = max([*values, 0.0]) or 1.0
    low = min([v for _, r in there for v in (r.value, r.low) if v is not None] + [0.0])
    steps, newest = ticks(top), there[-1][1]
    labels = [tick(step, newest.unit, newest.currency) for step in steps]
    first, last = (there[0][0], there[-1][0]) if days else (0.0, float(max(len(rows) - 1, 1)))
    room_each = (last - first) / max(len(rows) - 1, 1) or 1.0
    across = (first - 0.4 * room_each, last + 0.3 * room_each)
    canvas = Canvas(room, HEIGHT, across, left=max(len(t) for t in labels) * 7 + 13, right=100, top=above, bottom=40)
    return Plot(canvas, there, there[-1][0], top, low), labels, steps


def grid(canvas: Canvas, places: Sequence[float], labels: Sequence[str]) -> list[Any]:
    lines = [{"x": canvas.across[0], "x2": canvas.across[1], "y": y} for y in places]
    texts = [{"y": y, "text": label} for y, label in zip(places, labels, strict=True)]
    base, rest = canvas.rules(lines[:1], ink("ink3")), canvas.rules(lines[1:], ink("hairline"))
    return [rest, base, canvas.text(texts, "right", at=-8, colour="ink3")]


def remarked(canvas: Canvas, remarks: Sequence[tuple[float, Remark]]) -> list[Any]:
    """A dotted line on the day, named over the plot on the side that has room for it."""
    lines = [{"x": x, "y": -4, "y2": HEIGHT - 4} for x, _ in remarks]
    drawn: list[Any] = [canvas.rules(lines, ink("ink3"), 1, (1, 3), upright=True)]
    middle = sum(canvas.across) / 2
    sides: tuple[tuple[Literal["left", "right"], bool], ...] = (("left", True), ("right", False))
    for align, early in sides:
        names = [
            {"x": x, "y": -12 - 14 * i, "text": short(remark.text, 24)}  # each on a line of its own: names may be long
            for i, (x, remark) in enumerate(remarks)
            if (x < middle) == early
        ]
        drawn.append(canvas.text(names, align, colour="ink3"))
    return drawn


def _newest(plot: Plot, points: Records, need: Row | None) -> list[Any]:
    """The newest point with its value beside it, and the target's name where it does not touch that."""
    canvas, row = plot.canvas, plot.there[-1][1]
    if row.value is None:
        return [canvas.text([{"x": plot.last, "y": plot.down(0) - 14, "text": "?"}], "center", colour="ink3")]
    # A month may be judged; a week is a feeling for how it goes (S0-47).
    colour = {"good": "good", "bad": "bad"}.get(verdict(row, need).tone, "ink") if row.slice_by != "week" else "ink"
    place = {**points[-1], "colour": ink(colour)}
    # Beside the plot, not the point: a target's dash reaches further the wider the plot is drawn.
    beside = canvas.width + 8
    layers = [canvas.dots([place], 80), canvas.text([{**place, "text": row.text()}], at=beside, bold=True)]
    if row.target is not None:
        aim, gap = plot.down(row.target), 15
        y = aim if abs(aim - place["y"]) >= gap else place["y"] + (gap if aim >= place["y"] else -gap)
        name = {"x": plot.last, "y": y, "text": f"target {tick(row.target, row.unit, row.currency)}"}
        layers.append(canvas.text([name], at=beside, colour="ink3"))
    return layers


def under(plot: Plot, dimension: str) -> list[Any]:
    """The quarters under the plot with the year where it begins; of other times, as many as have room."""
    canvas = plot.canvas
    shown: list[tuple[float, Row]] = []
    for x, row in reversed(plot.there):
        if not dimension or not shown or canvas.pixels(shown[-1][0]) - canvas.pixels(x) >= 44:
            shown.append((x, row))
    names = [{"x": x, "y": HEIGHT + 14, "text": _time(r) if dimension else r.quarter[4:]} for x, r in shown]
    starts = [] if dimension else [(x, r) for x, r in shown if r.quarter.endswith("Q1")]
    if not dimension and (not starts or canvas.pixels(starts[-1][0]) - canvas.pixels(shown[-1][0]) >= 34):
        starts.append(shown[-1])
    years = [{"x": x, "y": HEIGHT + 29, "text": row.quarter[:4]} for x, row in starts]
    plain, bold = [n for n in names if n["x"] != plot.last], [n for n in names if n["x"] == plot.last]
    texts = canvas.text(plain, "center", colour="ink3"), canvas.text(bold, "center", bold=True)
    return [*texts, canvas.text(years, "center", colour="ink3")]


def _time(row: Row) -> str:
    """A week or a month by its name alone, a day by its number: the year stands in the subtitle."""
    if row.slice.isdigit():
        return str(int(row.slice))
    return row.slice.partition("-")[2] if row.slice_by == "week" else short(row.name, 10)


def _key(rows: Sequence[Row]) -> list[str]:
    """How to read the marks that are there."""
    key = ["Band: likely range"] if any(r.ranged for r in rows) else []
    if any(met(r) is not None for r in rows):
        key.append("Dashes: target; hollow dot: missed")
    elif any(r.target is not None for r in rows):
        key.append("Dashes: target")
    return key


def met(row: Row) -> bool | None:
    """Whether the value reaches its target; None where there is nothing to reach."""
    if row.target is None or row.value is None or row.better not in ("higher", "lower"):
        return None
    return row.value >= row.target if row.better == "higher" else row.value <= row.target


def _when(row: Row) -> str:
    return clean(row.name) if row.slice_by else quarter_name(row.quarter)


def _inside(row: Row) -> str:
    """When, inside a sentence: week 28, day 5, but Jul 2026."""
    return within(_when(row)) if row.slice_by == "week" or row.slice.isdigit() else _when(row)


def _days(row: Row) -> int:
    return (pd.Timestamp(row.period_end) - pd.Timestamp(row.period_start)).days


def _is_part_of_a_week(row: Row) -> bool:
    """A week that the quarter's first or last day cuts: so few days would read as a fall."""
    return row.slice_by == "week" and _days(row) < 7
