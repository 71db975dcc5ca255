"""A metric's slices beside one another: ranked bars of a total, rates with their ranges, and parts of one whole.

Each takes rows of the readings and returns a `Figure` whose title is its message; every claim is read off the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .drawing import Canvas, Records, Room, drawings, ticks
from .fragment import Figure
from .html import clean, short
from .numbers import amount, quarter_name, tick, unit_name
from .rows import Row
from .tables import of_slices
from .theme import ink, tone
from .verdict import clears, too_few, verdict

MOST_BARS = 8
MOST_RATES = 12
UNKNOWN = {"", "unknown", "not stated", "none named", "blank"}
Bar = tuple[str, float, str, str, str]  # name, value, value as text, part of the sum as text, tone


def ranked(rows: Sequence[Row], whole: Row | None, dimension: str) -> Figure:
    """Bars of a total by a slice, largest first. Beyond eight the rest is one bar, "Other", so that bars sum to the whole."""
    there = sorted((r for r in rows if r.value is not None), key=lambda r: (-(r.value or 0), r.slice))
    total, any_row = sum(r.value or 0 for r in there), rows[0]
    bars = _bars(there, total)
    title = f"{any_row.label}: none by {_heading(dimension).lower()}"
    if bars and bars[0][1]:
        title = f"{any_row.label}: {bars[0][0]} leads with {bars[0][2]}, {bars[0][3]} of {amount(total, any_row.unit, any_row.currency)}"

    def draw(room: Room) -> dict[str, Any]:
        return _draw_ranked(room, bars)

    alternative = f"{any_row.label} by {_heading(dimension).lower()}: " + ", ".join(
        f"{bar[0]} {bar[2]}" for bar in bars
    )
    table = of_slices(f"{any_row.metric}-{_id(dimension)}", [*there, *_without(rows)], whole, _heading(dimension))
    subtitle = f"{unit_name(any_row.unit, any_row.currency)}, {quarter_name(any_row.quarter)}. Right: part of the sum"
    return Figure(
        title, subtitle, alternative, drawings(draw, wide=False), table, [any_row.metric], _left_out(rows, [])
    )


def rates(rows: Sequence[Row], whole: Row | None, dimension: str) -> Figure:
    """Readings side by side: a dot, its likely range, a hollow dot for the quarter before and a tick for the target."""
    known, any_row = [r for r in rows if r.value is not None], rows[0]
    there = known[:MOST_RATES]
    by = _heading(dimension).lower()
    title = f"{any_row.label}: {_apart(there)}" if there else f"{any_row.label}: no reading by {by}"

    def draw(room: Room) -> dict[str, Any]:
        return _draw_rates(room, there)

    alternative = f"{any_row.label} by {by}: " + ", ".join(f"{clean(r.name)} {r.text()} ({r.made_of})" for r in there)
    subtitle = ". ".join(
        [f"{unit_name(any_row.unit, any_row.currency)}, {quarter_name(any_row.quarter)}", *_key(there)]
    )
    table = of_slices(f"{any_row.metric}-{_id(dimension)}", rows, whole, _heading(dimension))
    return Figure(
        title,
        subtitle,
        alternative,
        drawings(draw, wide=False),
        table,
        [any_row.metric],
        _left_out(rows, known[MOST_RATES:]),
    )


def shares(rows: Sequence[Row], dimension: str) -> Figure:
    """One bar cut into parts that sum to a whole; what is unknown is dashed and kept."""
    parts, any_row = [r for r in rows if r.value], rows[0]
    total = sum(r.value or 0 for r in parts)
    said = [f"{short(r.name)} {_part(r, total)}" for r in parts]
    largest = sorted(parts, key=lambda r: (_unknown(r), -(r.value or 0)))[:3]
    title = f"{any_row.label}: " + (", ".join(f"{short(r.name)} {_part(r, total)}" for r in largest) or "no reading")

    def draw(room: Room) -> dict[str, Any]:
        return _draw_shares(room, parts, total)

    table = of_slices(f"{any_row.metric}-parts", rows, None, _heading(dimension))
    notes: list[object] = [", ".join(said) + "."] if parts else []
    alternative = f"{any_row.label} by {_heading(dimension).lower()}: " + ", ".join(said)
    subtitle = f"{quarter_name(any_row.quarter)}. Parts of one whole; what is unknown is dashed and kept"
    return Figure(
        title,
        subtitle,
        alternative,
        drawings(draw, wide=True),
        table,
        [any_row.metric],
        notes + _left_out(rows, []),
        wide=True,
    )


def _bars(there: Sequence[Row], total: float) -> list[Bar]:
    shown, rest = (there, []) if len(there) <= MOST_BARS + 1 else (there[:MOST_BARS], there[MOST_BARS:])
    bars = [(short(r.name, 24), r.value or 0.0, r.text(), _of(r.value or 0, total), verdict(r).tone) for r in shown]
    if rest:
        left = sum(r.value or 0 for r in rest)
        bars.append(
            (f"Other ({len(rest)})", left, amount(left, rest[0].unit, rest[0].currency), _of(left, total), "grey")
        )
    return bars


def _of(value: float, total: float) -> str:
    return amount(value / total, "share") if total > 0 else ""


def _draw_ranked(room: Room, bars: Sequence[Bar]) -> dict[str, Any]:
    step, thick, left, right = (46, 14, 0, 116) if room.narrow else (34, 16, 168, 116)
    canvas = Canvas(
        room, step * max(len(bars), 1), (0, max([bar[1] for bar in bars] + [0]) or 1), left=left, right=right, bottom=8
    )
    rows = [
        {"y": step * i + (32 if room.narrow else step / 2), "x": 0, "x2": max(bar[1], 0), "colour": tone(bar[4])}
        for i, bar in enumerate(bars)
    ]
    names = [{"y": r["y"] - 18 if room.narrow else r["y"], "text": bar[0]} for r, bar in zip(rows, bars, strict=True)]
    values = [{"y": r["y"], "x": r["x2"], "text": bar[2]} for r, bar in zip(rows, bars, strict=True)]
    parts = [{"y": r["y"], "text": bar[3]} for r, bar in zip(rows, bars, strict=True)]
    axis = [{"x": 0, "y": r["y"] - thick, "y2": r["y"] + thick} for r in rows]
    layers = [
        canvas.bars(rows, thick), canvas.rules(axis, ink("ink3"), upright=True), canvas.text(names, at=-left),
        canvas.text(values, dx=8, bold=True), canvas.text(parts, "right", at=canvas.width + right, colour="ink3"),
    ]  # fmt: skip
    return canvas.spec(layers, "")


def _draw_rates(room: Room, rows: Sequence[Row]) -> dict[str, Any]:
    step, left, right = (58, 4, 120) if room.narrow else (46, 132, 124)
    top = max([v for r in rows for v in (r.value, r.high, r.target, r.previous) if v is not None] + [0]) or 1
    low = min([v for r in rows for v in (r.value, r.low, r.previous) if v is not None] + [0])
    canvas = Canvas(room, step * max(len(rows), 1), (low, top), left=left, right=right, bottom=28)
    places = [(step * i + (38 if room.narrow else step / 2), r) for i, r in enumerate(rows)]
    dots = [{"x": r.value, "y": y, "colour": ink(_colour(r))} for y, r in places]
    lines = [{"x": r.low, "x2": r.high, "y": y} for y, r in places if r.ranged]
    before = [{"x": r.previous, "y": y, "colour": ink("ink3")} for y, r in places if r.previous is not None]
    aims = [{"x": r.target, "y": y - 9, "y2": y + 9} for y, r in places if r.target is not None]
    names = [{"y": y - 22 if room.narrow else y, "text": short(r.name, 34 if room.narrow else 19)} for y, r in places]
    edge = canvas.width + right
    layers = [
        *_grid(canvas, rows, ticks(top, 2 if room.narrow else 4)), canvas.rules(lines, ink("bar"), 2), canvas.rules(aims, ink("ink"), 2, upright=True),
        canvas.dots(before, 44, hollow=True), canvas.dots(dots, 90), canvas.text(names, at=-left, bold=True),
        canvas.text([{"y": y - 8, "text": r.text()} for y, r in places], "right", at=edge, bold=True),
        canvas.text([{"y": y + 8, "text": r.made_of} for y, r in places], "right", at=edge, colour="ink3"),
    ]  # fmt: skip
    return canvas.spec(layers, "")


def _grid(canvas: Canvas, rows: Sequence[Row], steps: Sequence[float]) -> list[Any]:
    lines = [{"x": s, "y": 0, "y2": canvas.height} for s in steps]
    texts = (
        [{"x": s, "y": canvas.height + 15, "text": tick(s, rows[0].unit, rows[0].currency)} for s in steps]
        if rows
        else []
    )
    base, rest = (
        canvas.rules(lines[:1], ink("ink3"), upright=True),
        canvas.rules(lines[1:], ink("hairline"), upright=True),
    )
    return [rest, base, canvas.text(texts, "center", colour="ink3")]


def _draw_shares(room: Room, parts: Sequence[Row], total: float) -> dict[str, Any]:
    """Greys from dark to pale; a part too narrow for its name or its value is named in the note under the bar."""
    canvas = Canvas(room, 62, (0, total or 1), left=1, right=1, top=4, bottom=4)
    shades = [ink("ink"), ink("bar"), ink("strong"), ink("pale"), ink("track")]
    left = 0.0
    bars: Records = []
    names: Records = []
    values: Records = []
    for i, row in enumerate(parts):
        value, name, text = row.value or 0.0, short(row.name), _part(row, total)
        bars.append(
            {
                "x": left,
                "x2": left + value,
                "y": 34,
                "colour": shades[min(i, 4)],
                "edge": ink("paper"),
                "unknown": _unknown(row),
            }
        )
        if canvas.pixels(value) > 7.4 * len(name) + 8:
            names.append({"x": left, "y": 12, "text": name})
        if canvas.pixels(value) > 7.4 * len(text) + 8:
            values.append({"x": left, "y": 54, "text": text})
        left += value
    known = [b for b in bars if not b["unknown"]]
    unknown = [{**b, "colour": ink("paper"), "edge": ink("ink3")} for b in bars if b["unknown"]]
    layers = [
        canvas.bars(known, 16, outline=True),
        canvas.bars(unknown, 15, outline=True, dash=(3, 2)),
        canvas.text(names, bold=True),
    ]
    return canvas.spec([*layers, canvas.text(values, colour="ink3")], "")


def _apart(rows: Sequence[Row]) -> str:
    """What the extremes say: clearly apart only where neither range reaches the other."""
    ordered = sorted(rows, key=lambda r: r.value or 0)
    least, most = ordered[0], ordered[-1]
    if least is most:
        return f"{short(most.name)} {most.text()}"
    if least.value == most.value:
        return f"{most.text()} everywhere"
    pair = f"{short(most.name)} {most.text()}, {short(least.name)} {least.text()}"
    if too_few(least) or too_few(most):
        return pair + "; too few to tell apart"
    if least.high is None or most.low is None:
        return pair
    return pair + ("; clearly apart" if most.low > least.high else "; no clear difference")


def _key(rows: Sequence[Row]) -> list[str]:
    key = ["Line: likely range"] if any(r.ranged for r in rows) else []
    key += ["Hollow: quarter before"] if any(r.previous is not None for r in rows) else []
    return key + (["Tick: target"] if any(r.target is not None for r in rows) else [])


def _colour(row: Row) -> str:
    judged = verdict(row).tone
    return judged if judged in ("good", "bad") and row.target is not None and clears(row, row.target) else "ink"


def _part(row: Row, total: float) -> str:
    return row.text() if row.unit == "share" else f"{_of(row.value or 0, total)} ({row.text()})"


def _unknown(row: Row) -> bool:
    return row.slice.lower() in UNKNOWN


def _without(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.value is None]


def _left_out(rows: Sequence[Row], more: Sequence[Row]) -> list[object]:
    """Notes on slices that the drawing leaves out: without a value, or beyond what fits."""
    notes: list[object] = []
    if missing := _without(rows):
        notes.append("Not drawn: " + ", ".join(f"{short(r.name)} ({r.text()})" for r in missing) + ".")
    if more:
        notes.append(f"{len(more)} more in the table.")
    return notes


def _heading(dimension: str) -> str:
    return clean(dimension).replace("_", " ").replace("/", " and ").capitalize()


def _id(dimension: str) -> str:
    return dimension.replace("/", "-").replace("_", "-")
