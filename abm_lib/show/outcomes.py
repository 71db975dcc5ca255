"""What became of deals by the days since they qualified: won from below, lost from above, between them those still open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .drawing import Canvas, Records, Room, aside, drawings
from .fragment import Figure
from .html import listed
from .numbers import quarter_name, tick
from .rows import Row
from .tables import Column, likely, table
from .theme import ink
from .trends import grid

HEIGHT, GAP = 190, 16  # pixels of the plot, and from one name beside it to the next
BETWEEN_DAYS = 40  # pixels from one day's name to the next
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)

Outcome = tuple[int, Row, Row]  # after so many days the share won, and the share lost


def outcomes(won: Sequence[Row], lost: Sequence[Row], headline: str) -> Figure:
    """Areas over the days that both shares are known for, at least one; the slices are days, `headline` that of the message.

    What is neither won nor lost is still open: open deals are in both shares for as long as they have been seen.
    """
    there = both(won, lost)
    told = next((each for each in there if each[1].slice == headline), there[-1])
    days, one, other = told
    title = f"{one.text()} of deals won and {other.text()} lost within {days} days, the others still open"
    subtitle = f"Deals by days since they qualified, {one.made_of}, eight quarters to {quarter_name(one.quarter)}"
    alternative = "Deals by days since they qualified: "
    alternative += listed([f"within {days} days {w.text()} won, {lo.text()} lost" for days, w, lo in there], len(there))
    notes: list[object] = [
        "An open deal counts for as long as it has been seen (Aalen and Johansen). Lines: likely ranges."
    ]

    def draw(room: Room) -> dict[str, Any]:
        return _draw(room, there)

    columns = [
        Column("Within", [f"{days} days" for days, *_ in there], number=False),
        Column("Won", [row.text() for _, row, _ in there]),
        Column("Likely won", [likely(row) for _, row, _ in there]),
        Column("Lost", [row.data() for *_, row in there]),
        Column("Likely lost", [likely(row) for *_, row in there]),
    ]
    numbers = table(f"{one.metric}-outcomes", "", columns, traced=[row for _, row, _ in there])
    return Figure(title, subtitle, alternative, drawings(draw), numbers, [one.metric, other.metric], notes)


def both(won: Sequence[Row], lost: Sequence[Row]) -> list[Outcome]:
    """The days, in order, for which both shares have a value."""
    other = {row.slice: row for row in lost if row.value is not None}
    known = [(int(row.slice), row, other[row.slice]) for row in won if row.value is not None and row.slice in other]
    return sorted(known, key=lambda each: each[0])


def _draw(room: Room, there: Sequence[Outcome]) -> dict[str, Any]:
    last, won, lost = there[-1]
    steps = [tick(step, "share", "") for step in STEPS]
    beside = [f"{won.text()} won", "still open", f"{lost.text()} lost"]
    canvas = Canvas(room, HEIGHT, (0.0, float(last)), left=aside(steps) + 4, right=aside(beside), top=12, bottom=32)
    from_below: Records = [{"x": 0.0, "share": 0.0}, *(_point(days, row, row.value) for days, row, _ in there)]
    from_above: Records = [
        {"x": 0.0, "share": 1.0},
        *(_point(days, row, 1 - (row.value or 0)) for days, _, row in there),
    ]
    dots: Records = [{**p, "y": _down(p["share"])} for p in (*from_below[1:], *from_above[1:])]
    ranges = [(days, row.low, row.high) for days, row, _ in there if row.low is not None and row.high is not None]
    ranges += [
        (days, 1 - row.high, 1 - row.low) for days, _, row in there if row.low is not None and row.high is not None
    ]
    layers = [
        canvas.area([{"x": p["x"], "y": _down(0), "y2": _down(p["share"])} for p in from_below], ink("bar")),
        canvas.area([{"x": p["x"], "y": _down(1), "y2": _down(p["share"])} for p in from_above], ink("pale")),
        *grid(canvas, [_down(step) for step in STEPS], steps),
        canvas.rules([{"x": x, "y": _down(b), "y2": _down(a)} for x, a, b in ranges], ink("ink3"), 1.5, upright=True),
        canvas.dots(dots, 30),
        *_beside(canvas, won.value or 0.0, lost.value or 0.0, beside),
        _under(canvas, there),
    ]
    return canvas.spec(layers)


def _down(share: float) -> float:
    return HEIGHT * (1 - share)


def _point(days: int, row: Row, share: float | None) -> dict[str, Any]:
    return {"x": float(days), "share": share or 0.0, "tip": row.told(f"{row.label.split()[0]} within {days} days")}


def _beside(canvas: Canvas, won: float, lost: float, names: Sequence[str]) -> list[Any]:
    """Each area named at its right end, kept apart from the next."""
    low, high = _down(won / 2), _down(1 - lost / 2)
    middle = min(max(_down((1 + won - lost) / 2), high + GAP), HEIGHT - GAP)
    places = zip((max(low, middle + GAP), middle, min(high, middle - GAP)), names, strict=True)
    (won_at, still, lost_at) = [{"y": y, "text": name} for y, name in places]
    at = canvas.width + 10
    return [canvas.text([won_at, lost_at], at=at, bold=True), canvas.text([still], at=at, colour="ink3")]


def _under(canvas: Canvas, there: Sequence[Outcome]) -> Any:
    """The days under the plot, the last first: as many as have room."""
    shown = list[float]()
    for days in (*(float(days) for days, *_ in reversed(there)), 0.0):
        if not shown or canvas.pixels(shown[-1]) - canvas.pixels(days) >= BETWEEN_DAYS:
            shown.append(days)
    return canvas.text([{"x": x, "y": HEIGHT + 14, "text": f"{x:.0f}"} for x in shown], "center", colour="ink3")
