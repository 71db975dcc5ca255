"""Pipeline coverage: pipeline due over target, quarter by quarter, against the range that our own record requires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .drawing import Canvas, Records, Room, drawings, ticks
from .fragment import Figure
from .numbers import span, tick
from .rows import Row
from .tables import Column, table
from .theme import ink, tone
from .verdict import Verdict, verdict


@dataclass(frozen=True)
class Horizon:
    """A quarter to cover: its coverage, what our own record needs and the gap in money; `name` and `when` in words.

    `yardstick` is that of `[coverage]` for the quarter (S0-66).
    """

    name: str
    when: str
    covered: Row
    needed: Row | None
    gap: Row | None
    yardstick: float

    @property
    def band(self) -> tuple[float, float] | None:
        if self.needed is None or self.needed.low is None or self.needed.high is None:
            return None
        return self.needed.low, self.needed.high

    @property
    def judged(self) -> Verdict:
        return verdict(self.covered, self.needed)

    @property
    def short(self) -> str:
        if self.gap is None or self.gap.value is None:
            return ""
        return f"{self.gap.text()} short" if self.gap.value else "no gap"

    @property
    def needs(self) -> str:
        return f"needs {self.needed.text()}" if self.needed and self.needed.value is not None else ""


def coverage(horizons: Sequence[Horizon]) -> Figure:
    """A bar for each quarter, a band and a tick for what is needed, the yardstick dotted, the gap at the right."""
    there = [h for h in horizons if h.covered.value is not None]

    def draw(room: Room) -> dict[str, Any]:
        return _draw(room, there)

    alternative = "Pipeline coverage: " + "; ".join(
        ", ".join(filter(None, [f"{h.name} {h.covered.text()}", h.needs, h.short])) for h in horizons
    )
    metrics = list(dict.fromkeys(row.metric for h in horizons for row in (h.covered, h.needed, h.gap) if row))
    subtitle = "Open pipeline due in the quarter ÷ that quarter’s target. Band and tick: what our own record needs"
    return Figure(
        _message(there), subtitle, alternative, drawings(draw, "wide", "narrow"), _numbers(horizons), metrics, wide=True
    )


def _message(there: Sequence[Horizon]) -> str:
    """The next quarter's gap in money; without one, its coverage."""
    ahead = there[1] if len(there) > 1 else there[0] if there else None
    if ahead is None:
        return "Pipeline coverage: no reading"
    if ahead.gap and ahead.gap.value:
        return f"{ahead.gap.text()} more pipeline is needed for {ahead.name}"
    return f"Pipeline coverage for {ahead.name} is {ahead.covered.text()}" + (
        f"; it {ahead.needs}" if ahead.needs else ""
    )


def _numbers(horizons: Sequence[Horizon]) -> Any:
    def ends(row: Row | None) -> str:
        return span(row.low, row.high, row.unit) if row and row.low is not None and row.high is not None else ""

    columns = [
        Column("Quarter", [h.name for h in horizons], number=False),
        Column("Pipeline coverage", [h.covered.data() for h in horizons]),
        Column("Needed", [h.needed.data() if h.needed else "" for h in horizons]),
        Column("Likely need", [ends(h.needed) for h in horizons]),
        Column("Missing", [h.gap.data() if h.gap else "" for h in horizons]),
    ]
    return table("coverage", "Pipeline coverage by quarter", columns)


def _draw(room: Room, horizons: Sequence[Horizon]) -> dict[str, Any]:
    step = 62 if room.narrow else 56
    ends = [
        v
        for h in horizons
        for v in (h.covered.value, h.needed.value if h.needed else None, *(h.band or ()))
        if v is not None
    ]
    left, right = (2, 8) if room.narrow else (120, 132)
    canvas = Canvas(
        room,
        step * max(len(horizons), 1),
        (0, max([*ends, *(h.yardstick for h in horizons)]) * 1.05),
        left=left,
        right=right,
        top=26,
        bottom=26,
    )
    rows = [(step * i + (40 if room.narrow else step / 2), h) for i, h in enumerate(horizons)]
    bars = [
        {"x": 0, "x2": h.covered.value, "y": y, "colour": tone(h.judged.tone), "tip": h.covered.told(h.name)}
        for y, h in rows
    ]
    bands = [{"x": h.band[0], "x2": h.band[1], "y": y} for y, h in rows if h.band]
    points = [
        {"x": h.needed.value, "y": y - 14, "y2": y + 14} for y, h in rows if h.needed and h.needed.value is not None
    ]
    layers = [
        *_grid(canvas, rows), canvas.bars(bands, 28, fill=ink("track")), canvas.bars(bars, 16), *_thumb(canvas, rows),
        canvas.rules(points, ink("ink"), 2, upright=True), *_values(canvas, rows),
        *(_names_over(canvas, rows) if room.narrow else _names_beside(canvas, rows)),
    ]  # fmt: skip
    return canvas.spec(layers)


def _grid(canvas: Canvas, rows: Sequence[tuple[float, Horizon]]) -> list[Any]:
    """Round steps of whole multiples; on a phone the lines stand beside the bars only, not behind the names."""
    end = canvas.across[1]
    whole = [x for x in ticks(max(end, 6), 6) if x <= end]
    spans = [(y - 16, y + 16) for y, _ in rows] if canvas.room.narrow else [(0, canvas.height)]
    lines = [{"x": x, "y": a, "y2": b} for x in whole for a, b in spans]
    texts = [{"x": x, "y": canvas.height + 15, "text": tick(x, "times")} for x in whole]
    base = canvas.rules([line for line in lines if line["x"] == 0], ink("ink3"), upright=True)
    return [
        canvas.rules([line for line in lines if line["x"]], ink("hairline"), upright=True),
        base,
        canvas.text(texts, "center", colour="ink3"),
    ]


def _thumb(canvas: Canvas, rows: Sequence[tuple[float, Horizon]]) -> list[Any]:
    lines = [{"x": h.yardstick, "y": y - 20, "y2": y + 20} for y, h in rows]
    name = [{"x": h.yardstick, "y": -13, "text": f"{h.yardstick:g}x yardstick"} for _, h in rows[:1]]
    return [canvas.rules(lines, ink("ink3"), 1.5, (2, 3), upright=True), canvas.text(name, "center", colour="ink3")]


def _values(canvas: Canvas, rows: Sequence[tuple[float, Horizon]]) -> list[Any]:
    """The value inside its bar, or beside one too short for it."""
    places: Records = [{"x": h.covered.value, "y": y, "text": h.covered.text()} for y, h in rows]
    inside = [{**p, "colour": ink("paper")} for p in places if canvas.pixels(p["x"] or 0) >= 48]
    beside = [p for p in places if canvas.pixels(p["x"] or 0) < 48]
    return [canvas.text(inside, "right", dx=-8, bold=True), canvas.text(beside, dx=8, bold=True)]


def _gaps(rows: Sequence[tuple[float, Horizon]], rise: float) -> Records:
    return [
        {"y": y - rise, "text": h.short, "colour": ink("bad") if h.judged.tone == "bad" else ink("ink")}
        for y, h in rows
    ]


def _names_over(canvas: Canvas, rows: Sequence[tuple[float, Horizon]]) -> list[Any]:
    names = [{"y": y - 26, "text": h.name} for y, h in rows]
    return [canvas.text(names, at=0, bold=True), canvas.text(_gaps(rows, 26), "right", at=canvas.width + 8, bold=True)]


def _names_beside(canvas: Canvas, rows: Sequence[tuple[float, Horizon]]) -> list[Any]:
    edge = canvas.width + canvas.right
    return [
        canvas.text([{"y": y - 8, "text": h.name} for y, h in rows], at=-canvas.left, bold=True),
        canvas.text([{"y": y + 8, "text": h.when} for y, h in rows], at=-canvas.left, colour="ink3"),
        canvas.text(_gaps(rows, 8), "right", at=edge, bold=True),
        canvas.text([{"y": y + 8, "text": h.needs} for y, h in rows], "right", at=edge, colour="ink3"),
    ]
