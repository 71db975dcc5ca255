"""Actual less target, quarter by quarter: a bar to the side of a line, coloured only where the gap is clear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .drawing import Canvas, Records, Room, aside, drawings, ticks
from .fragment import Figure, Fragment
from .html import clean, listed, plain, said
from .numbers import change, day, quarter_name, span, tick, unit_name
from .rows import Row
from .tables import Column, likely, table
from .theme import ink, tone
from .trends import HEIGHT, Plot, Remark, grid, met, placed, remarked, under
from .verdict import Verdict, against_target

HUES = (("blue", "better", "good"), ("orange", "worse", "bad"))
AIR = 0.14  # of the plot's height, over and under the bars, for their signs


def variance(rows: Sequence[Row | None], remarks: Sequence[Remark] = ()) -> Figure:
    """A bar for each quarter with a value and a target, oldest first; at least one quarter must have both.

    Solid and coloured where a total misses or passes its target or a likely range clears it; else outlined, with its range.
    """
    there = [row for row in rows if gap(row) is not None and row is not None]
    now, last = there[-1], next(row for row in reversed(rows) if row)
    ends = " to ".join(dict.fromkeys(quarter_name(there[i].quarter) for i in (0, -1)))
    subtitle = f"{_unit_name(now)} above or below target, {ends}. {_key(there)}"
    alternative = f"{now.label} less target by quarter: "
    alternative += listed([f"{quarter_name(row.quarter)} {_said(row)}" for row in there], 8)
    marked = placed(rows, remarks)
    notes: list[object] = [f"{day(remark.on)}: {clean(remark.text)}." for _, remark in marked]
    if last is not now:
        notes.append(f"Not drawn: {quarter_name(last.quarter)}, {_why_not(last)}.")

    def draw(room: Room) -> dict[str, Any]:
        return _draw(room, rows, marked)

    return Figure(_message(there), subtitle, alternative, drawings(draw), _numbers(there), [now.metric], notes)


def _message(there: Sequence[Row]) -> str:
    """The newest gap, and how many quarters reached the target."""
    now, reached = there[-1], sum(met(row) is True for row in there)
    first = f"{now.label}: {_judged(now).inline} in {quarter_name(now.quarter, year=False)}"
    if len(there) == 1 or met(now) is None:
        return first
    return f"{first}; {reached} of {len(there)} quarters reached it"


def _draw(room: Room, rows: Sequence[Row | None], remarks: Sequence[tuple[float, Remark]]) -> dict[str, Any]:
    plot, labels, steps = _plot(room, rows, 8 + 16 * len(remarks))
    canvas, zero = plot.canvas, plot.down(0)
    bars, signs, ranges = [], [], []
    for x, row in plot.there:
        less, judged, (low, high) = gap(row) or 0.0, _judged(row), _ends(row)
        ends = sorted((plot.down(less), zero))
        colour = {"edge": tone(judged.tone), "colour": tone(judged.tone) if judged.tone != "grey" else ink("paper")}
        place = {"x": x - 0.3, "x2": x + 0.3, "y": ends[0], "y1": ends[0], "y2": max(ends[1], ends[0] + 1.5)}
        bars.append({**place, **colour, "tip": f"{row.told(quarter_name(row.quarter))}\n{_said(row)}"})
        ranges += [{"x": x, "y": plot.down(high), "y2": plot.down(low)}] if row.ranged else []
        beyond = plot.down(high) - 9 if less >= 0 else plot.down(low) + 9
        signs.append({"x": x, "y": beyond, "text": judged.sign, "colour": tone(judged.tone)})
    layers = [
        *grid(canvas, [plot.down(step) for step in steps], labels),
        canvas.bars(bars, 0, outline=True),
        canvas.rules(ranges, ink("ink"), 1.5, upright=True),
        canvas.text(signs, "center"),
        *_beside(plot),
        *under(plot, ""),
        *remarked(canvas, remarks),
    ]
    return canvas.spec(layers)


def _plot(room: Room, rows: Sequence[Row | None], above: int) -> tuple[Plot, list[str], list[float]]:
    """The plot with the labels and values of its grid: the line of no gap first."""
    there = [(float(i), row) for i, row in enumerate(rows) if row and gap(row) is not None]
    ends = [end for _, row in there for end in (gap(row) or 0.0, *_ends(row))]
    top, low = max([*ends, 0.0]), min([*ends, 0.0])
    air, newest = (top - low or 1.0) * AIR, there[-1][1]
    most = ticks(max(top, -low), 2)[1:]
    steps = [0.0, *(s for s in most if s <= top), *(-s for s in most if -s >= low)]
    labels = ["0", *(_tick(step, newest) for step in steps[1:])]
    left, right = max(len(text) for text in labels) * 7 + 13, aside([_change(newest)])
    across = (-0.5, max(len(rows) - 1, 1) + 0.5)
    canvas = Canvas(room, HEIGHT, across, left=left, right=right, top=above, bottom=40)
    # Where every quarter met its target to the digit there is a plot all the same.
    top, low = top + (air if top or not low else 0.0), low - (air if low else 0.0)
    return Plot(canvas, there, there[-1][0], top, low), labels, steps


def _beside(plot: Plot) -> list[Any]:
    """The newest gap in words at the right edge, whichever quarter it is."""
    row, canvas = plot.there[-1][1], plot.canvas
    place: Records = [{"y": plot.down((gap(row) or 0.0) / 2), "text": _change(row)}]
    return [canvas.text(place, at=canvas.width + 8, bold=True)]


def _numbers(there: Sequence[Row]) -> Fragment:
    columns = [
        Column("Quarter", [quarter_name(row.quarter) for row in there], number=False),
        Column("Value", [row.text() for row in there]),
        Column("Target", [row.text("target") for row in there]),
        Column("Value less target", [_change(row) for row in there]),
    ]
    if any(row.ranged for row in there):
        columns.insert(2, Column("Likely", [plain(likely(row)) for row in there]))
        columns.append(Column("Verdict", [said(_judged(row).text) for row in there], number=False))
    return table(f"{there[-1].metric}-variance", "", columns, traced=there)


def gap(row: Row | None) -> float | None:
    """Value less target, in the unit of the reading; None where one of the two is missing."""
    return None if row is None or row.value is None or row.target is None else row.value - row.target


def _ends(row: Row) -> tuple[float, float]:
    """The likely range of the gap: the target is known, so it is that of the value, moved; else the gap itself."""
    less, target = gap(row) or 0.0, row.target or 0.0
    return (
        (row.low - target, row.high - target)
        if row.low is not None and row.high is not None
        else (min(less, 0.0), max(less, 0.0))
    )


def _judged(row: Row) -> Verdict:
    return against_target(row, row.target or 0.0)


def _change(row: Row) -> str:
    return change(gap(row) or 0.0, row.unit, row.currency, row.n)


def _said(row: Row) -> str:
    """The gap with its likely range, in words that can be listened to."""
    low, high = _ends(row)
    unit = "points" if row.unit == "share" else row.unit
    return _change(row) + (f", likely {span(low, high, unit, row.currency, row.n)}" if row.ranged else "")


def _unit_name(row: Row) -> str:
    return unit_name("points" if row.unit == "share" else row.unit, row.currency)


def _tick(step: float, row: Row) -> str:
    text = tick(step, "points" if row.unit == "share" else row.unit, row.currency)
    return text if step < 0 else "+" + text


def _why_not(row: Row) -> str:
    return row.text() if row.value is None else "without a target"


def _key(there: Sequence[Row]) -> str:
    """How to read the marks that are there."""
    tones = {_judged(row).tone for row in there}
    key = [f"{hue}: {word} than target" for hue, word, each in HUES if each in tones]
    key += ["outlined: no clear gap"] if "grey" in tones else []
    key += ["line: likely range"] if any(row.ranged for row in there) else []
    words = "; ".join(key)
    return words[:1].upper() + words[1:]
