"""A reading through time: eight quarters, or the months, weeks or days of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .drawing import Canvas, Records, Room, drawings, ticks
from .fragment import Figure
from .html import clean, short
from .numbers import quarter_name, tick, unit_name
from .rows import Row
from .tables import of_quarters
from .theme import ink
from .verdict import verdict

HEIGHT = 168


def trend(rows: Sequence[Row | None], dimension: str = "") -> Figure:
    """A line with a dot for each time, oldest first; a time without a value leaves a gap.

    Dots are filled where the target was met and hollow where it was missed; only the newest may take a verdict's colour.
    """
    there = [row for row in rows if row is not None]
    now = there[-1]
    first = (dimension or "Quarter").replace("_", " ").capitalize()
    alternative = f"{now.label} by {first.lower()}: " + ", ".join(f"{_when(r)} {r.text()}" for r in there)
    between = f"{_when(there[0])} to {_when(now)}" if len(there) > 1 else _when(now)
    subtitle = ". ".join([f"{unit_name(now.unit, now.currency)}, {between}", *_key(there)])

    def draw(room: Room) -> dict[str, Any]:
        return _draw(room, rows, dimension)

    table = of_quarters(f"{now.metric}-{_id(dimension) or 'quarter'}", there, first)
    return Figure(_message(there, dimension), subtitle, alternative, drawings(draw, wide=False), table, [now.metric])


def _message(there: Sequence[Row], dimension: str) -> str:
    """What the newest value says against its target or last year; of other times, where the line began and ended."""
    now, judged = there[-1], verdict(there[-1])
    if dimension:
        known = [row for row in there if row.value is not None]
        return (
            f"{now.label}: {known[0].text()} at first, {known[-1].text()} at last"
            if known
            else f"{now.label}: no reading"
        )
    when = quarter_name(now.quarter, year=False)
    words = judged.words[:1].lower() + judged.words[1:]
    if now.value is None:
        return f"{now.label}: {now.text()} in {when}"
    return f"{now.label}: {now.text()} in {when}" + (f", {words}" if "no earlier" not in words else "")


def _draw(room: Room, rows: Sequence[Row | None], dimension: str) -> dict[str, Any]:
    there = [(i, r) for i, r in enumerate(rows) if r is not None]
    top = max([v for _, r in there for v in (r.value, r.high, r.target) if v is not None] + [0.0]) or 1.0
    low = min([v for _, r in there for v in (r.value, r.low) if v is not None] + [0.0])
    newest, last = there[-1][1], len(rows) - 1
    steps = ticks(top)
    labels = [tick(step, newest.unit, newest.currency) for step in steps]
    canvas = Canvas(
        room, HEIGHT, (-0.4, max(last, 1) + 0.3), left=max(len(t) for t in labels) * 7 + 8, right=100, bottom=40
    )

    def down(value: float) -> float:
        return (HEIGHT - 8) * (1 - (value - low) / (top - low)) + 4

    points = [
        {"x": i, "y": down(r.value), "met": met(r), "colour": ink("ink")} for i, r in there if r.value is not None
    ]
    past = [p for p in points if p["x"] != last]
    joined = [
        {**a, "x2": b["x"], "y2": b["y"]} for a, b in zip(points, points[1:], strict=False) if b["x"] == a["x"] + 1
    ]
    band = [
        {"x": i, "y": down(r.high), "y2": down(r.low)} for i, r in there if r.high is not None and r.low is not None
    ]
    aims = [{"x": i - 0.32, "x2": i + 0.32, "y": down(r.target)} for i, r in there if r.target is not None]
    layers = [
        *_grid(canvas, [down(step) for step in steps], labels),
        canvas.rules(band, ink("track"), 12, upright=True), canvas.rules(aims, ink("ink3"), 1.5, (3, 2)), canvas.slopes(joined),
        canvas.dots([p for p in past if p["met"] is False], hollow=True), canvas.dots([p for p in past if p["met"] is not False], 36),
        *_newest(canvas, newest, points, last, down), *_names(canvas, rows, dimension),
    ]  # fmt: skip
    return canvas.spec(layers, "")


def _grid(canvas: Canvas, places: Sequence[float], labels: Sequence[str]) -> list[Any]:
    lines = [{"x": canvas.across[0], "x2": canvas.across[1], "y": y} for y in places]
    texts = [{"y": y, "text": label} for y, label in zip(places, labels, strict=True)]
    base, rest = canvas.rules(lines[:1], ink("ink3")), canvas.rules(lines[1:], ink("hairline"))
    return [rest, base, canvas.text(texts, "right", at=-8, colour="ink3")]


def _newest(canvas: Canvas, row: Row, points: Records, last: int, down: Callable[[float], float]) -> list[Any]:
    """The newest point with its value beside it, and the target's name where it does not touch that."""
    if row.value is None:
        return [canvas.text([{"x": last, "y": down(0) - 14, "text": "?"}], "center", colour="ink3")]
    colour = {"good": "good", "bad": "bad"}.get(verdict(row).tone, "ink")
    place = {**points[-1], "colour": ink(colour)}
    layers = [canvas.dots([place], 80), canvas.text([{**place, "text": row.text()}], dx=22, bold=True)]
    if row.target is not None:
        aim, gap = down(row.target), 15
        y = aim if abs(aim - place["y"]) >= gap else place["y"] + (gap if aim >= place["y"] else -gap)
        layers.append(
            canvas.text(
                [{"x": last, "y": y, "text": f"target {tick(row.target, row.unit, row.currency)}"}],
                dx=22,
                colour="ink3",
            )
        )
    return layers


def _names(canvas: Canvas, rows: Sequence[Row | None], dimension: str) -> list[Any]:
    """The quarters under the plot with the year where it begins; of other times, as many as have room."""
    last = len(rows) - 1
    every = max(1, -(-len(rows) * 56 // canvas.width)) if dimension else 1
    shown = [(i, row) for i, row in enumerate(rows) if row is not None and (last - i) % every == 0]
    names = [
        {"x": i, "y": canvas.height + 14, "text": short(row.slice, 10) if dimension else row.quarter[4:]}
        for i, row in shown
    ]
    starts = [i for i, row in shown if row.quarter.endswith("Q1")]
    first = [0] if not starts or canvas.pixels(starts[0]) - canvas.pixels(0) >= 34 else []
    years = [
        {"x": i, "y": canvas.height + 29, "text": row.quarter[:4]}
        for i, row in shown
        if i in starts + first and not dimension
    ]
    plain, bold = [n for n in names if n["x"] != last], [n for n in names if n["x"] == last]
    return [
        canvas.text(plain, "center", colour="ink3"),
        canvas.text(bold, "center", bold=True),
        canvas.text(years, "center", colour="ink3"),
    ]


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
    return clean(row.slice) if row.slice_by else quarter_name(row.quarter)


def _id(dimension: str) -> str:
    return dimension.replace("/", "-").replace("_", "-")
