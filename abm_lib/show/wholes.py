"""Slices that add up: ranked bars of a total, and one bar cut into parts of a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from .drawing import Canvas, Records, Room, aside, drawings
from .fragment import Figure
from .html import listed, short
from .names import has_order, heading, identifier, within
from .numbers import amount, quarter_name, unit_name
from .rows import Row
from .tables import beyond, left_out, of_slices
from .theme import ink

MOST_BARS = 6
LONGEST_BESIDE = 12  # longer names stand over their bar
UNKNOWN = {"", "unknown", "not stated", "none named", "blank"}
NOBODY = {*UNKNOWN, "other", "no campaign", "no promotion", "no programme"}  # cannot lead
REASONS = ("loss_reason", "win_reason")
History = Callable[
    [str, str, str], list[Row | None]
]  # metric, slice_by, slice: its rows of the last quarters, oldest first
Bar = tuple[str, float, str, str]  # name, value, value as text, part of the sum as text


def ranked(rows: Sequence[Row], whole: Row | None, dimension: str) -> Figure:
    """Bars of a total by a slice, largest first or in their own order, all grey; beyond six the rest is one, so that they add up."""
    known = [r for r in rows if r.value is not None]
    is_ordered = has_order(dimension, [row.slice for row in rows])
    if not is_ordered:
        known.sort(key=lambda r: (-(r.value or 0), r.slice))
    # Of many times those in which something is.
    there = [r for r in known if r.value] if is_ordered and len(known) > MOST_BARS + 1 else known
    total, one, by = sum(r.value or 0 for r in there), rows[0], heading(dimension)
    bars = _bars(there, total)
    title = f"{one.label}: none by {within(by)}"
    if any(bar[1] for bar in bars):
        title = f"{one.label}: {_leader(there, bars)} of {amount(total, one.unit, one.currency)}"

    def draw(room: Room) -> dict[str, Any]:
        return _draw_ranked(room, bars)

    alternative = f"{one.label} by {within(by)}: " + listed([f"{bar[0]} {bar[2]}" for bar in bars])
    listed_rows = [*known, *(row for row in rows if row.value is None)]
    table = of_slices(f"{one.metric}-{identifier(dimension)}", listed_rows, whole, by)
    subtitle = f"{unit_name(one.unit, one.currency)}, {quarter_name(one.quarter)}. Right: part of the sum"
    return Figure(
        title, subtitle, alternative, drawings(draw), table, [one.metric], left_out(rows, 0), beside=beyond(listed_rows)
    )


def shares(rows: Sequence[Row], dimension: str, history: History | None = None) -> Figure:
    """One bar cut into parts that sum to a whole, largest first; what is unknown comes last, dashed and kept.

    With their `history`, reasons that keep coming back are named.
    """
    parts, one = sorted((r for r in rows if r.value), key=lambda r: (_unknown(r), -(r.value or 0), r.slice)), rows[0]
    total = sum(r.value or 0 for r in parts)
    said = [f"{short(r.name)} {_part(r, total)}" for r in parts]

    def draw(room: Room) -> dict[str, Any]:
        return _draw_shares(room, parts, total)

    by = heading(dimension)
    listed_rows = [*parts, *(r for r in rows if not r.value)]
    table = of_slices(f"{one.metric}-parts", listed_rows, None, by)
    notes: list[object] = [", ".join(said) + "."] if parts else []
    notes += recurring(rows, history) if history and dimension in REASONS else []
    title = f"{one.label}: " + (", ".join(said[:3]) or "no reading")
    subtitle = f"{quarter_name(one.quarter)}. Parts of one whole; what is unknown is dashed and kept"
    alternative = f"{one.label} by {within(by)}: " + listed(said)
    notes += left_out(rows, 0)
    return Figure(
        title,
        subtitle,
        alternative,
        drawings(draw, "wide", "narrow"),
        table,
        [one.metric],
        notes,
        wide=True,
        beside=beyond(listed_rows),
    )


def recurring(rows: Sequence[Row], history: History) -> list[str]:
    """The reasons among the three most frequent of a quarter in at least three of the last four; none of a shorter record."""
    past = {row.slice: history(row.metric, row.slice_by, row.slice)[-4:] for row in rows if not _unknown(row)}
    found: Counter[str] = Counter()
    for quarter in zip(*past.values(), strict=True):
        there = sorted((row for row in quarter if row and row.value), key=lambda row: (-(row.value or 0), row.slice))
        found.update(row.name for row in there if len(there) < 4 or (row.value or 0) >= (there[2].value or 0))
    back = [name for name, times in found.items() if times >= 3]
    return (
        [f"Keeps coming back, among the first three in at least three of the last four quarters: {listed(back)}."]
        if back
        else []
    )


def _bars(there: Sequence[Row], total: float) -> list[Bar]:
    shown, rest = (there, []) if len(there) <= MOST_BARS + 1 else (there[:MOST_BARS], there[MOST_BARS:])
    bars = [(short(r.name, 40), r.value or 0.0, r.text(), _of(r.value or 0, total)) for r in shown]
    if left := sum(r.value or 0 for r in rest):
        bars.append((f"Other ({len(rest)})", left, amount(left, rest[0].unit, rest[0].currency), _of(left, total)))
    return bars


def _leader(there: Sequence[Row], bars: Sequence[Bar]) -> str:
    """Who leads with how much; what nobody named cannot lead."""
    order = sorted(range(min(len(there), len(bars))), key=lambda i: -(there[i].value or 0))
    named = (n for n, i in enumerate(order) if there[i].value and there[i].slice.lower() not in NOBODY)
    first = next(named, 0)
    name, _, text, part = bars[order[first]]
    return f"{short(name)} leads{' those named' * bool(first)} with {text}, {part}"


def _of(value: float, total: float) -> str:
    return amount(value / total, "share") if total > 0 else ""


def _part(row: Row, total: float) -> str:
    return row.text() if row.unit == "share" else f"{_of(row.value or 0, total)} ({row.text()})"


def _unknown(row: Row) -> bool:
    return row.slice.lower() in UNKNOWN


def _draw_ranked(room: Room, bars: Sequence[Bar]) -> dict[str, Any]:
    longest = max((len(bar[0]) for bar in bars), default=0)
    over, right = longest > LONGEST_BESIDE, 108
    step, thick, left = (44, 12, 0) if over else (32, 14, aside("x" * longest))
    largest = max([bar[1] for bar in bars] + [0]) or 1
    canvas = Canvas(room, step * max(len(bars), 1), (0, largest), left=left, right=right, bottom=8)
    places = [step * i + (30 if over else step / 2) for i in range(len(bars))]
    rows = list(zip(places, bars, strict=True))
    names = [{"y": y - 16 if over else y, "text": bar[0]} for y, bar in rows]
    axis = [{"x": 0, "y": y - thick, "y2": y + thick} for y in places]
    layers = [
        canvas.bars(
            [
                {"y": y, "x": 0, "x2": max(bar[1], 0), "tip": f"{bar[0]}: {bar[2]}\n{bar[3]} of the sum"}
                for y, bar in rows
            ],
            thick,
        ),
        canvas.rules(axis, ink("ink3"), upright=True),
        canvas.text(names, at=-left),
        canvas.text([{"y": y, "x": max(bar[1], 0), "text": bar[2]} for y, bar in rows], dx=8, bold=True),
        canvas.text([{"y": y, "text": bar[3]} for y, bar in rows], "right", at=canvas.width + right, colour="ink3"),
    ]
    return canvas.spec(layers)


def _draw_shares(room: Room, parts: Sequence[Row], total: float) -> dict[str, Any]:
    """Greys from dark to pale; a part too narrow for its name or its value is named in the note under the bar."""
    canvas = Canvas(room, 62, (0, total or 1), left=1, right=1, top=4, bottom=4)
    shades = [ink("ink"), ink("bar"), ink("strong"), ink("pale"), ink("track")]
    left = 0.0
    known: Records = []
    unknown: Records = []
    names: Records = []
    values: Records = []
    for i, row in enumerate(parts):
        value, name, text = row.value or 0.0, short(row.name), _part(row, total)
        place = {"x": left, "x2": left + value, "y": 34}
        if _unknown(row):
            unknown.append({**place, "colour": ink("paper"), "edge": ink("ink3")})
        else:
            known.append({**place, "colour": shades[min(i, 4)], "edge": ink("paper")})
        for texts, line, y in ((names, name, 12), (values, text, 54)):
            if canvas.pixels(value) > 7.4 * len(line) + 8:
                texts.append({"x": left, "y": y, "text": line})
        left += value
    bars = canvas.bars(known, 16, outline=True), canvas.bars(unknown, 15, outline=True, dash=(3, 2))
    return canvas.spec([*bars, canvas.text(names, bold=True), canvas.text(values, colour="ink3")])
