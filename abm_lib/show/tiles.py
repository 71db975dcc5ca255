"""Tiles: one number with its past, its target, its likely range and a verdict in words; and rows of four of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from .fragment import Fragment
from .html import said, tag
from .numbers import amount, missing_mark, parts
from .rows import Row
from .tables import behind, likely
from .verdict import DOWN, SAME, UP, Verdict, last_quarter, last_year, moved, verdict

TICK = 62  # per cent of the width at which every target stands, so that ticks align
SPARK_WIDTH, SPARK_HEIGHT = 88, 30
MOST_CAVEATS = 2
KEY = (
    "Bar: this quarter. Tick: target. Thin line below: likely range. Curve: eight quarters, ring a year ago. "
    "Worse and better: against what is needed, else the target, else the same quarter last year."
)


@dataclass(frozen=True)
class Tile:
    """A reading, its last eight quarters (None for one without), companions and notes in small type, and what is needed."""

    row: Row
    history: Sequence[Row | None]
    companions: Sequence[Row] = ()
    band: Row | None = None
    letters: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[Markup] = ()

    @property
    def needed(self) -> tuple[float, float] | None:
        if self.band is None or self.band.low is None or self.band.high is None:
            return None
        return self.band.low, self.band.high

    @property
    def need(self) -> Row | None:
        """What is needed, where that is a range or no target was agreed."""
        return self.band if self.needed or self.row.target is None else None

    @property
    def judged(self) -> Verdict:
        return verdict(self.row, self.band)


def scorecard(title: str, tiles: Sequence[Tile]) -> Fragment:
    """A named row of tiles with a hairline above it."""
    name = tag("h3", title, class_="row-title") if title else None
    html = tag(
        "div",
        name,
        tag("div", [_tile(tile, "h4" if title else "h3") for tile in tiles], class_="tiles"),
        class_="scorecard",
    )
    return Fragment("scorecard", html, "; ".join(f"{t.row.label} {t.row.text()}: {t.judged.text}" for t in tiles))


def _tile(tile: Tile, heading: str) -> Markup:
    row = tile.row
    caveats = [_caveat(caveat, tile.letters) for caveat in _caveats(tile)]
    label = tag(heading, row.label, *[_letter(c, tile.letters) for c in row.caveat_list], class_="label")
    return tag(
        "article", label, tag("div", _value(row), _sparkline(tile.history), class_="value"), _bullet(tile), _past(tile),
        tag("p", tile.judged.html(), class_="judged"), _evidence(tile),
        tag("div", caveats, class_="caveats") if caveats else None, class_="tile", **row.trace,
    )  # fmt: skip


def _value(row: Row) -> Markup:
    if row.value is None:
        return tag("span", missing_mark(row.missing_because).capitalize(), class_="absent")
    number, unit = parts(row.value, row.unit, row.currency, row.n)
    return row.data(
        "value", tag("span", number, class_="big") + (tag("span", unit, class_="unit") if unit else ""), inside=True
    )


def _past(tile: Tile) -> Markup:
    """Target (or what is needed), last quarter and the same quarter last year."""
    row, need = tile.row, tile.need
    first = ("Needed", need.data()) if need and need.value is not None else ("Target", _or_none(row, "target"))
    pairs = [first, (last_quarter(row), _or_none(row, "previous")), (last_year(row), _or_none(row, "year_ago"))]
    return tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs], class_="past")


def _or_none(row: Row, name: str) -> Markup:
    return row.data(name, inside=True) if getattr(row, name) is not None else tag("span", "none", class_="missing")


def _evidence(tile: Tile) -> Markup:
    """k of n or money ÷ money with the likely range, then one line for each companion and note."""
    row = tile.row
    made_of = _made_of(row)
    lines = [tag("p", made_of) if made_of else None, _moved(row)]
    for other in tile.companions:
        made = ", " + behind(other) if other.value is not None and other.denominator else ""
        label = other.label.removeprefix(
            f"{row.label}, "
        )  # a slice of the tile's own metric needs no more than its name
        lines.append(tag("p", label[:1].upper() + label[1:], " ", other.data(), made))
    return tag("div", [*lines, *(tag("p", note) for note in tile.notes)], class_="made-of")


def _moved(row: Row) -> Markup | None:
    """The change on the quarter before, with its arrow and its word; print has the two values beside one another."""
    if row.value is None or row.previous is None:
        return None
    words = moved(row)
    arrow = {"up": UP, "down": DOWN}.get(words.split()[0], SAME)
    return tag("p", tag("span", arrow, aria_hidden="true"), f" {words[0].upper()}{words[1:]}", class_="moved")


def _made_of(row: Row) -> Markup:
    pieces: list[Markup] = []
    if row.has_parts and row.value is not None and row.numerator != row.value:
        pieces.append(behind(row, inside=True))
    elif row.n is not None and row.unit != "count" and row.counts != "money":
        pieces.append(row.data("n", inside=True) + f" {row.counted}")
    if row.unit == "money" and row.value is not None and row.target:
        pieces.append(Markup(amount(row.value / row.target, "share")) + " of target")
    if row.ranged:
        pieces.append(Markup("likely ") + likely(row, inside=True))
    return Markup("; ").join(pieces)


def _bullet(tile: Tile) -> Markup:
    """Track, bar, target tick or band, and the likely range as a capped line under the bar; widths are per cent."""
    row, scale = tile.row, _scale(tile)
    if row.unit == "points":  # a difference fills no bar
        return tag("div", class_="bullet none", aria_hidden="true")
    if row.value is None or not scale:
        tick = tag("span", class_="tick", style=f"left:{TICK}%") if row.target else None
        return tag("div", tick, class_="bullet empty", aria_hidden="true")
    bar = tag("span", class_=f"bar {tile.judged.tone}", style=f"width:{_percent(row.value, scale)}%")
    need = tile.need.value if tile.need else row.target
    tick = tag("span", class_="tick", style=f"left:{_percent(need, scale)}%") if need else None
    return tag(
        "div",
        _between("band", tile.needed, scale),
        bar,
        tick,
        _between("range", (row.low, row.high), scale),
        class_="bullet",
        aria_hidden="true",
    )


def _between(name: str, ends: tuple[float | None, float | None] | None, scale: float) -> Markup | None:
    if ends is None or ends[0] is None or ends[1] is None:
        return None
    left, right = _percent(ends[0], scale), _percent(ends[1], scale)
    return tag("span", class_=name, style=f"left:{left}%;width:{max(right - left, 0):.1f}%")


def _scale(tile: Tile) -> float:
    """The value at the track's right end. The target stands at its tick; without one it is the largest quarter."""
    need = tile.need.value if tile.need else tile.row.target
    if need and need > 0:
        return need * 100 / TICK
    largest = max((past.value for past in tile.history if past and past.value is not None), default=0.0)
    return 1.0 if tile.row.unit == "share" and largest <= 1 else largest


def _percent(value: float, scale: float) -> float:
    return round(min(max(value / scale * 100, 0), 100), 1)


def _caveats(tile: Tile) -> list[str]:
    return tile.row.caveat_list if tile.row.value is not None else tile.row.caveat_list[1:]


def _letter(caveat: str, letters: Mapping[str, str]) -> Markup | None:
    return (
        tag(
            "a",
            letters[caveat],
            class_="letter",
            href=f"#caveat-{letters[caveat]}",
            aria_label=f"caveat {letters[caveat]}",
        )
        if caveat in letters
        else None
    )


def _caveat(caveat: str, letters: Mapping[str, str]) -> Markup:
    return tag(
        "p",
        tag("span", letters.get(caveat, "!"), class_="letter", aria_hidden="true"),
        tag("span", said(caveat)),
        class_="caveat",
    )


def _sparkline(history: Sequence[Row | None]) -> Markup | None:
    """Eight quarters as a small curve: ring a year ago, dot now, a gap where a value is missing, ? when it is now."""
    values = [row.value if row else None for row in history]
    there = [value for value in values if value is not None]
    if len(there) < 2:
        return None
    lowest, highest = min(there), max(there)
    step, room = (SPARK_WIDTH - 12) / max(len(values) - 1, 1), SPARK_HEIGHT - 10
    places = [
        None if v is None else (5 + i * step, 5 + room * (1 - (v - lowest) / ((highest - lowest) or 1)))
        for i, v in enumerate(values)
    ]
    if highest == lowest:
        places = [None if p is None else (p[0], SPARK_HEIGHT / 2) for p in places]
    marks = [tag("path", d=_path(places), class_="curve")]
    if len(places) > 4 and (ago := places[-5]):
        marks.append(tag("circle", cx=f"{ago[0]:.0f}", cy=f"{ago[1]:.0f}", r="2.5", class_="ring"))
    if now := places[-1]:
        marks.append(tag("circle", cx=f"{now[0]:.0f}", cy=f"{now[1]:.0f}", r="3.5", class_="dot"))
    else:
        marks.append(tag("text", "?", x=SPARK_WIDTH - 8, y=SPARK_HEIGHT - 8))
    said_so = "Eight quarters: " + ", ".join(row.text() if row else "no reading" for row in history)
    return tag(
        "svg",
        marks,
        class_="spark",
        viewBox=f"0 0 {SPARK_WIDTH} {SPARK_HEIGHT}",
        width=SPARK_WIDTH,
        height=SPARK_HEIGHT,
        role="img",
        aria_label=said_so,
    )


def _path(places: Sequence[tuple[float, float] | None]) -> str:
    """The curve's path, begun anew after each gap."""
    pieces, pen = [], "M"
    for place in places:
        if place is None:
            pen = "M"
            continue
        pieces.append(f"{pen}{place[0]:.0f} {place[1]:.0f}")
        pen = "L"
    return "".join(pieces)
