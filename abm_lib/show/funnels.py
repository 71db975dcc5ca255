"""The funnel: how many accounts stand at each stage, and how many of those that entered it went on in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .drawing import Canvas, Room, aside, drawings
from .fragment import Figure
from .html import clean, listed
from .numbers import change, quarter_name
from .rows import Row
from .tables import Column, behind, table
from .theme import ink
from .verdict import too_few

STEP, THICK = 52, 18


def funnel(stages: Sequence[Row], onward: Mapping[str, Row], days: Mapping[str, Row]) -> Figure:
    """A bar for each stage in order, its change on the quarter before, and between two the share that went on.

    `onward` and `days` are the conversion and the median days of a stage, by its name.
    """
    one = stages[0]
    moved = {row.slice: rate for row in stages if (rate := onward.get(row.slice)) and rate.value is not None}
    judged = [row for row in moved.values() if not too_few(row)]
    title = f"{one.label}: {_fewest(judged)}" if judged else f"{one.label}: {stages[0].text()} at the first stage"

    def draw(room: Room) -> dict[str, Any]:
        return _draw(room, stages, moved)

    alternative = f"{one.label}: " + listed(
        [f"{clean(r.name)} {r.text()}{_went_on(moved.get(r.slice))}" for r in stages], 9
    )
    columns = [
        Column("Stage", [clean(row.name) for row in stages], number=False),
        Column("Accounts", [row.text() for row in stages]),
        Column("Change", [_change(row) for row in stages]),
        Column("Went on", [moved[row.slice].data() if row.slice in moved else "" for row in stages]),
        Column("From", [behind(moved[row.slice]) if row.slice in moved else "" for row in stages]),
        Column("Half left within", [days[row.slice].data() if row.slice in days else "" for row in stages]),
    ]
    subtitle = (
        f"Accounts at the end of {quarter_name(one.quarter)}. Between bars: of those that entered, went on in time"
    )
    metrics = list(dict.fromkeys([one.metric, *(row.metric for row in (*moved.values(), *days.values()))]))
    numbers = table(f"{one.metric}-funnel", "", columns, traced=stages)
    return Figure(title, subtitle, alternative, drawings(draw), numbers, metrics)


def _fewest(moved: Sequence[Row]) -> str:
    least = min(moved, key=lambda row: row.value or 0)
    return f"fewest go on from {clean(least.name)}, {least.text()} ({least.made_of})"


def _went_on(row: Row | None) -> str:
    return f", {row.text()} went on" if row else ""


def _change(row: Row) -> str:
    if row.value is None or row.previous is None:
        return ""
    return change(row.value - row.previous, row.unit, row.currency)


def _draw(room: Room, stages: Sequence[Row], moved: Mapping[str, Row]) -> dict[str, Any]:
    largest = max([row.value or 0 for row in stages] + [1])
    left = aside([row.name for row in stages])
    canvas = Canvas(room, STEP * len(stages) - 20, (0, largest), left=left, right=84, bottom=8)
    places = [(STEP * i + 16, row) for i, row in enumerate(stages)]
    bars = [{"x": 0, "x2": row.value or 0, "y": y, "tip": row.told()} for y, row in places]
    flows = [
        {"y": y + STEP / 2, "text": f"▼ {moved[row.slice].text()} went on, {moved[row.slice].made_of}"}
        for y, row in places[:-1] if row.slice in moved
    ]  # fmt: skip
    layers = [
        canvas.bars(bars, THICK),
        canvas.rules([{"x": 0, "y": 0, "y2": canvas.height}], ink("ink3"), upright=True),
        canvas.text([{"y": y, "text": row.name} for y, row in places], at=-left),
        canvas.text([{"x": row.value or 0, "y": y, "text": row.text()} for y, row in places], dx=8, bold=True),
        canvas.text(flows, at=8, colour="ink3"),
        canvas.text(
            [{"y": y, "text": _change(row)} for y, row in places], "right", at=canvas.width + 84, colour="ink3"
        ),
    ]
    return canvas.spec(layers)
