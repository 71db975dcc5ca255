"""Rates and means of slices beside one another: dots with their likely ranges, and what may be said of the extremes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from .drawing import Canvas, Room, aside, drawings, ticks
from .findings import widened
from .fragment import Figure
from .html import clean, listed, short
from .names import are_steps, has_order, heading, identifier, within
from .numbers import quarter_name, tick, unit_name
from .rows import Row, weightiest_first
from .tables import beyond, left_out, of_slices
from .theme import ink
from .verdict import differs, too_few

MOST_RATES = 6
MOST_ORDERED = 8  # of times and stages, the last ones
RANK_FROM = 6  # so many slices and more are put in order of their value
LONGEST_BESIDE = 12  # longer names stand over their line
LETTER = 6.9  # pixels across


def rates(rows: Sequence[Row], whole: Row | None, dimension: str, between: bool = False) -> Figure:
    """A dot for each slice, its likely range, a hollow dot for the quarter before and a tick for the target.

    `between` is for one number under several rules: the message is the range and never one of them.
    """
    rows, shared = _apart_by(rows)
    known, one, by = [r for r in rows if r.value is not None], rows[0], heading(dimension)
    # Of many rates those with most behind them: the highest are often of very few. A difference is what is looked for.
    is_ordered = has_order(dimension, [row.slice for row in rows])
    known = sorted(known, key=_rank) if one.unit == "points" and not is_ordered else weightiest_first(known)
    there = known[-MOST_ORDERED:] if is_ordered else known[:MOST_RATES]
    rest = known[:-MOST_ORDERED] if is_ordered else known[MOST_RATES:]
    if len(known) >= RANK_FROM and not is_ordered:
        there = sorted(there, key=_rank)
    title = f"{one.label}: no reading by {within(by)}"
    if there:
        title = f"{one.label}: {_between(there, by) if between else _apart(there, len(known))}"

    def draw(room: Room) -> dict[str, Any]:
        return _draw(room, there)

    alternative = f"{one.label} by {within(by)}: " + listed([f"{clean(r.name)} {r.text()}" for r in there])
    measured = ", ".join([unit_name(one.unit, one.currency), *map(within, shared), quarter_name(one.quarter)])
    subtitle = ". ".join([measured, *_key(there)])
    ordered = [*(known if is_ordered else [*there, *rest]), *(row for row in rows if row.value is None)]
    table = of_slices(f"{one.metric}-{identifier(dimension)}", ordered, whole, by)
    most = "The last are drawn; " if is_ordered else "The largest are drawn; " if one.unit != "points" else ""
    notes = left_out(rows, len(rest), most)
    return Figure(
        title,
        subtitle,
        alternative,
        drawings(draw),
        table,
        [one.metric],
        notes,
        beside=[r for r in beyond(ordered) if r in there],
    )


def _rank(row: Row) -> float:
    return -(row.value or 0)


def _apart_by(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """The rows of a grid called by what sets them apart, and what they share; the subtitle says that once."""
    names = [row.names for row in rows]
    same = [i for i in range(min(map(len, names))) if len({each[i] for each in names}) == 1]
    if len(rows) < 2 or not same or len(names[0]) < 2:
        return list(rows), []
    apart = [", ".join(name for i, name in enumerate(each) if i not in same) for each in names]
    return [replace(row, called=name) for row, name in zip(rows, apart, strict=True)], [names[0][i] for i in same]


def _draw(room: Room, rows: Sequence[Row]) -> dict[str, Any]:
    longest = max((len(r.name) for r in rows), default=0)
    over, right = longest > LONGEST_BESIDE, aside([text for r in rows for text in (r.text(), r.made_of)])
    # Half of the first label of the axis stands to the left of the plot.
    first = max([12, *(math.ceil(len(tick(0, r.unit, r.currency)) * LETTER / 2) + 4 for r in rows[:1])])
    beside = aside("x" * longest) + 8  # names are bold, and a dot may stand at the edge
    step, left = (58, first) if over else (44, beside)
    top = max([v for r in rows for v in (r.value, r.high, r.target, r.previous) if v is not None] + [0]) or 1
    low = min([v for r in rows for v in (r.value, r.low, r.previous) if v is not None] + [0])
    canvas = Canvas(room, step * max(len(rows), 1), (low, top), left=left, right=right, bottom=28)
    places = [(step * i + (38 if over else step / 2), r) for i, r in enumerate(rows)]
    before = [{"x": r.previous, "y": y, "colour": ink("ink3")} for y, r in places if r.previous is not None]
    aims = [{"x": r.target, "y": y - 9, "y2": y + 9} for y, r in places if r.target is not None]
    names = [{"y": y - 22 if over else y, "text": short(r.name, 40)} for y, r in places]
    edge = canvas.width + right
    layers = [
        *_grid(canvas, rows, top, [y for y, _ in places] if over else []),
        canvas.rules([{"x": r.low, "x2": r.high, "y": y} for y, r in places if r.ranged], ink("bar"), 2),
        canvas.rules(
            [{"x": r.low, "x2": top, "y": y} for y, r in places if r.low is not None and r.high is None],
            ink("bar"),
            2,
            (4, 3),
        ),
        canvas.rules(aims, ink("ink"), 2, upright=True),
        canvas.dots(before, 44, hollow=True),
        canvas.dots([{"x": r.value, "y": y, "tip": r.told()} for y, r in places], 90),
        canvas.text(names, at=-left, bold=True),
        canvas.text([{"y": y - 8, "text": r.text()} for y, r in places], "right", at=edge, bold=True),
        canvas.text([{"y": y + 8, "text": r.made_of} for y, r in places], "right", at=edge, colour="ink3"),
    ]
    return canvas.spec(layers)


def _grid(canvas: Canvas, rows: Sequence[Row], top: float, beside: Sequence[float]) -> list[Any]:
    """Upright lines at round steps; where names stand over the lines, the grid keeps beside the dots."""
    spans = [(y - 14, y + 14) for y in beside] or [(0, canvas.height)]
    labels = next(found for most in (3, 2, 1) if _fits(canvas, found := _labels(rows, top, most)) or most == 1)
    lines = [{"x": s, "y": a, "y2": b} for s in labels for a, b in spans]
    texts = [{"x": s, "y": canvas.height + 15, "text": text} for s, text in labels.items()]
    base = canvas.rules([line for line in lines if line["x"] == 0], ink("ink3"), upright=True)
    rest = canvas.rules([line for line in lines if line["x"] != 0], ink("hairline"), upright=True)
    return [rest, base, canvas.text(texts, "center", colour="ink3")]


def _labels(rows: Sequence[Row], top: float, most: int) -> dict[float, str]:
    return {step: tick(step, row.unit, row.currency) for step in ticks(top, most) for row in rows[:1]}


def _fits(canvas: Canvas, labels: Mapping[float, str]) -> bool:
    """Whether there is air between the labels of an axis, on the narrowest page too."""
    return all(
        canvas.pixels(b) - canvas.pixels(a) >= (len(labels[a]) + len(labels[b])) / 2 * LETTER + 10
        for a, b in pairwise(labels)
    )


def _apart(rows: Sequence[Row], known: int) -> str:
    """What the extremes say: clearly apart only where their difference is clear for the widest of all pairs of the known."""
    ordered = sorted(rows, key=lambda r: r.value or 0)
    least, most = ordered[0], ordered[-1]
    if least is most:
        return _named(most)
    if least.value == most.value:
        return f"{most.text()} everywhere"
    pair = f"{_named(most)}, {_named(least)}"
    if are_steps(most.slice_by, [row.slice for row in rows]):
        return pair
    if too_few(least) or too_few(most):
        return pair + "; too few to tell apart"
    if least.high is None or most.low is None:
        return pair
    clear = differs(most, least, widened(known * (known - 1) // 2))
    return pair + ("; clearly apart" if clear else "; no clear difference")


def _named(row: Row) -> str:
    """Name and value, kept on one line where both are short."""
    text = f"{short(row.name)} {row.text()}"
    return text.replace(" ", "\N{NO-BREAK SPACE}") if len(text) <= 16 else text


def _between(rows: Sequence[Row], by: str) -> str:
    least, most = (pick(rows, key=lambda r: r.value or 0) for pick in (min, max))
    if least.text() == most.text():
        return f"{most.text()} whatever the {within(by)}"
    return f"between {least.text()} and {most.text()}, depending on the {within(by)}"


def _key(rows: Sequence[Row]) -> list[str]:
    key = ["Line: likely range"] if any(r.ranged for r in rows) else []
    key += (
        ["Dashed: no end yet, cases are still open"] if any(r.low is not None and r.high is None for r in rows) else []
    )
    key += ["Hollow: quarter before"] if any(r.previous is not None for r in rows) else []
    return key + (["Tick: target"] if any(r.target is not None for r in rows) else [])
