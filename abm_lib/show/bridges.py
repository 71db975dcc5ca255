"""Bridges: how one stock became the next, or a number told became the one known now, each flow between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .drawing import Canvas, Records, Room, drawings
from .fragment import Figure
from .names import MOVEMENTS, within, words
from .numbers import MINUS, day, in_scale, quarter_name, unit_name
from .rows import Row
from .tables import Column, table
from .theme import ink
from .verdict import verdict

STOCKS = ("opening", "closing")
TINTS = {"won": "good", "lost": "bad"}
HEIGHT = 250
WIDEST = 80  # of a column, in units of the drawing


@dataclass(frozen=True)
class Words:
    """What is said of one bridge: its message, what it says where nothing moved, its days, what n is, what its ends are called."""

    message: str
    same: str
    days: str
    about: str
    unit: str
    ends: dict[str, str]


WORDS = {
    "pipeline_movement": Words(
        "Open pipeline went from {start} to {end}", ", as at the start", "{first} to {last}", "Movements of open pipeline",
        "deal", {"opening": "Open at start", "closing": "Open at end"},
    ),
    "revenue_restatement": Words(
        "Revenue of the four quarters before: {start} as reported, {end} by today's records", ", nothing restated",
        "won in the four quarters before {quarter}", "Revenue of the four quarters before, as reported and as known now",
        "deal", {"opening": "Reported", "closing": "Known now"},
    ),
    "retained_revenue": Words(
        "Recurring revenue of the quarter's first customers: {start} at its start, {end} at its end", ", as at the start",
        "a year, {first} to {last}", "Movements of recurring revenue", "customer", {"opening": "At start", "closing": "At end"},
    ),
}  # fmt: skip


def bridge(rows: Sequence[Row], whole: Row | None = None) -> Figure:
    """Opening, each movement that is not zero, closing, or the `whole`. Inflows solid, outflows outlined; won and lost tinted."""
    by_move = {_code(row): row for row in (*rows, *([whole] if whole else [])) if row.value is not None}
    moves = [by_move[code] for code in MOVEMENTS if code in by_move and (code in STOCKS or by_move[code].value)]
    largest = max((abs(row.value or 0) for row in moves), default=0.0)
    any_row = rows[0]
    start, end = by_move.get("opening"), by_move.get("closing")
    title = _message(start, end, largest) if start and end else f"{any_row.label}: no stock on record"

    def draw(room: Room) -> dict[str, Any]:
        return _down(room, moves, largest) if room.narrow else _across(room, moves, largest)

    alternative = "Movements: " + ", ".join(f"{_name(r).lower()} {_signed(r, largest)}" for r in moves)
    first, last = day(any_row.period_start, year=False), day(any_row.last_day)
    days = WORDS[any_row.metric].days.format(first=first, last=last, quarter=quarter_name(any_row.quarter))
    subtitle = f"{unit_name(any_row.unit, any_row.currency)}, {days}. Solid: in; outlined: out"
    notes = _notes(moves, by_move, largest)
    return Figure(
        title,
        subtitle,
        alternative,
        drawings(draw, "wide", "narrow"),
        _numbers(by_move, largest),
        [any_row.metric],
        notes,
        wide=True,
    )


def _code(row: Row) -> str:
    return row.slice or "closing"


def _name(row: Row) -> str:
    return WORDS[row.metric].ends.get(_code(row)) or row.name


def _message(start: Row, end: Row, largest: float) -> str:
    words, moved = WORDS[end.metric], (end.value or 0) - (start.value or 0)
    direction = (
        f", {'up' if moved > 0 else 'down'} {in_scale(abs(moved), largest, end.currency)}" if moved else words.same
    )
    return words.message.format(start=_signed(start, largest), end=_signed(end, largest)) + direction


def _signed(row: Row, largest: float) -> str:
    """A stock as it is, a flow with its sign, all in one unit so that the sum can be followed."""
    text = in_scale(row.value or 0, largest, row.currency)
    return text if _code(row) in STOCKS or (row.value or 0) <= 0 else "+" + text


def _notes(moves: Sequence[Row], by_move: dict[str, Row], largest: float) -> list[object]:
    """The sum written out with its residual, and the movements that were zero."""
    start, end, rest = by_move.get("opening"), by_move.get("closing"), by_move.get("residual")
    flows = [row for row in moves if _code(row) not in STOCKS]
    notes: list[object] = []
    if start and end:
        terms = "".join(
            f" {MINUS if (r.value or 0) < 0 else '+'} {in_scale(abs(r.value or 0), largest, r.currency)}" for r in flows
        )
        left = f" Residual {in_scale(rest.value or 0, largest, rest.currency)}." if rest else ""
        notes.append(f"{_signed(start, largest)}{terms} = {_signed(end, largest)}.{left}")
    zeros = [
        within(words(code)) for code in MOVEMENTS if code in by_move and not by_move[code].value and code not in STOCKS
    ]
    return notes + ([f"Zero: {', '.join(zeros)}."] if zeros else [])


def _numbers(by_move: dict[str, Row], largest: float) -> Any:
    listed = [by_move[code] for code in (*MOVEMENTS, "residual") if code in by_move]
    columns = [Column("Movement", [_name(row) for row in listed], number=False)]
    columns.append(Column("Value", [row.data("value", _signed(row, largest)) for row in listed]))
    if any(row.n is not None for row in listed):
        unit = WORDS[listed[0].metric].unit.capitalize() + "s"
        columns.append(Column(unit, [row.data("n") if row.n is not None and row.slice else "" for row in listed]))
    metric, closing = listed[0].metric, [i for i, row in enumerate(listed) if _code(row) == "closing"]
    return table(f"{metric}-bridge", WORDS[metric].about, columns, total=closing)


def _steps(moves: Sequence[Row]) -> list[tuple[Row, float, float]]:
    """Each movement with the levels it runs between."""
    level, steps = 0.0, []
    for row in moves:
        before = 0.0 if _code(row) in STOCKS else level
        level = before + (row.value or 0.0)
        steps.append((row, before, level))
    return steps


def _paint(row: Row) -> dict[str, str]:
    """Won is tinted good and lost bad unless the reading itself was judged otherwise."""
    hue = TINTS.get(row.slice) if verdict(row).tone == "grey" else None
    fill = ink(f"{hue}-tint") if hue else ink("paper") if (row.value or 0) < 0 else ink("bar")
    return {"colour": fill, "edge": ink(hue) if hue else ink("bar")}


def _across(room: Room, moves: Sequence[Row], largest: float) -> dict[str, Any]:
    """From left to right: columns that hang where the one before ended."""
    steps = _steps(moves)
    top = max([level for _, a, b in steps for level in (a, b)] + [0]) or 1
    canvas = Canvas(room, HEIGHT, (0, max(len(steps), 1)), top=24, bottom=56)

    def down(level: float) -> float:
        return (HEIGHT - 4) * (1 - level / top) + 4

    half = min(0.3, round(WIDEST / 2 * len(steps) / room.width, 2))  # a place no one takes for a share of something
    bars: Records = []
    for i, (row, a, b) in enumerate(steps):
        high, low = down(max(a, b)), down(min(a, b))
        place = {"x": i + 0.5 - half, "x2": i + 0.5 + half, "y": high, "y1": high, "y2": max(low, high + 1.5)}
        bars.append({**place, **_paint(row), "tip": row.told(_name(row))})
    links = [{"x": i + 0.5 + half, "x2": i + 1.5 - half, "y": down(b)} for i, (_, _, b) in enumerate(steps[:-1])]
    values = [
        {"x": i + 0.5, "y": down(max(a, b)) - 12, "text": _signed(row, largest), "colour": _ink(row)}
        for i, (row, a, b) in enumerate(steps)
    ]
    lines = [_name(row).split(" ", 1) if room.width / max(len(steps), 1) < 100 else [_name(row)] for row, _, _ in steps]
    under = HEIGHT + 16 + 15 * max(len(line) for line in lines) if lines else 0
    names = [
        {"x": i + 0.5, "y": HEIGHT + 16 + 15 * n, "text": word}
        for i, line in enumerate(lines)
        for n, word in enumerate(line)
    ]
    counts = [{"x": i + 0.5, "y": under, "text": _units(row)} for i, (row, _, _) in enumerate(steps)]
    layers = [
        canvas.rules(links, ink("strong")),
        canvas.bars(bars, 0, outline=True),
        canvas.rules([{"x": 0, "x2": len(steps), "y": HEIGHT}], ink("ink3")),
        canvas.text(values, "center", bold=True),
        canvas.text(names, "center", bold=True),
        canvas.text(counts, "center", colour="ink3"),
    ]
    return canvas.spec(layers)


def _down(room: Room, moves: Sequence[Row], largest: float) -> dict[str, Any]:
    """From top to bottom, for a phone: name and value over a bar."""
    steps = _steps(moves)
    top = max([level for _, a, b in steps for level in (a, b)] + [0]) or 1
    canvas = Canvas(room, 44 * max(len(steps), 1), (0, top), bottom=8, left=2, right=2)
    bars = [
        {"x": min(a, b), "x2": max(a, b, min(a, b) + top / 200), "y": 44 * i + 30, **_paint(row)}
        for i, (row, a, b) in enumerate(steps)
    ]
    names = [{"y": 44 * i + 12, "text": _name(row)} for i, (row, _, _) in enumerate(steps)]
    values = [
        {"y": 44 * i + 12, "text": _signed(row, largest), "colour": _ink(row)} for i, (row, _, _) in enumerate(steps)
    ]
    layers = [
        canvas.bars(bars, 12, outline=True),
        canvas.text(names, at=0),
        canvas.text(values, "right", at=canvas.width, bold=True),
    ]
    return canvas.spec(layers)


def _ink(row: Row) -> str:
    return ink(TINTS.get(row.slice, "ink"))


def _units(row: Row) -> str:
    """How many are behind it; of a whole also those who left on the way, so it is not said."""
    return f"{row.text('n')} {WORDS[row.metric].unit}{'' if row.n == 1 else 's'}" if row.n and row.slice else ""
