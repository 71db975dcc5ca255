"""Sentences written from readings: the page's message, its standfirst and prose with numbers in it.

Nothing here says why. "Clearly" stands only where the likely range says so; otherwise it is "no clear change".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from ..errors import Fault, UsageError, nearest
from ..questions import HEADLINES
from .html import join, tag
from .numbers import quarter_name
from .published import TYPED, typed
from .rows import Readings, Row
from .tables import behind, likely
from .tiles import Tile
from .verdict import moved, verdict

FIELD = re.compile(r"\{([a-z_0-9]+)(?::([a-z_]+))?\}")
# The coverage metrics in order, and the horizon whose need stands against each.
HORIZONS = {
    "pipeline_coverage": "current",
    "pipeline_coverage_next_quarter": "next",
    "pipeline_coverage_in_two_quarters": "in_two",
}
# The cards of the executive page, in the order in which its standfirst speaks of them.
SUMMARY = (*(metric for metric, _, _ in HEADLINES), "readiness")


def tally(tiles: Sequence[Tile]) -> tuple[Markup, str]:
    """Of so many numbers: how many are worse, better, without a clear change, not printed."""
    judged = [tile.judged for tile in tiles]
    missing = sum(tile.row.value is None for tile in tiles)
    counts = {tone: sum(v.tone == tone for v in judged) for tone in ("bad", "good")}
    clear = sum(v.words.startswith("No clear") or v.words.startswith("Inside") for v in judged)
    other = len(tiles) - missing - sum(counts.values()) - clear
    parts = [
        (counts["bad"], "bad", "▼ {} worse"),
        (counts["good"], "good", "▲ {} better"),
        (clear, "grey", "≈ {} with no clear change"),
    ]
    parts += [(other, "grey", "{} not judged"), (missing, "grey", "○ {} not printed")]
    said = [(tone, form.format(n)) for n, tone, form in parts if n]
    html = Markup(", ").join(tag("span", text, class_=f"verdict {tone}") for tone, text in said)
    return Markup("Of {} numbers: ").format(len(tiles)) + html + ".", f"Of {len(tiles)} numbers: " + ", ".join(
        text for _, text in said
    ) + "."


def fill(text: str, readings: Readings) -> tuple[Markup, str]:
    """Prose with `{metric}` and `{metric:field}` replaced from the readings, as HTML and as plain text.

    A sentence with a hole says nothing: where a value is missing, the reason stands in its place.
    """
    if numbers := TYPED.findall(FIELD.sub("", text)):
        raise UsageError(typed(number, "notebook") for number in numbers)
    if lacking := _first_missing(text, readings):
        return escape(lacking), lacking
    html, plain, end = [], [], 0
    for found in FIELD.finditer(text):
        html += [escape(text[end : found.start()]), _field(readings, found[1], found[2] or "value")]
        plain += [text[end : found.start()], str(Markup(html[-1]).striptags())]
        end = found.end()
    return join([*html, escape(text[end:])]), "".join([*plain, text[end:]])


def _first_missing(text: str, readings: Readings) -> str:
    """Why the first of a sentence's values cannot be given; empty where all can."""
    for found in FIELD.finditer(text):
        row = readings.whole(found[1]) if found[1] in readings.register else None
        if row is not None and row.value is None:
            why = row.caveat_list[0] if row.caveat_list else row.text()
            return f"{row.label} cannot be given: {why}"
    return ""


def needed(readings: Readings, metric: str) -> Row | None:
    """What our own record requires of a coverage metric; None for any other."""
    if metric not in HORIZONS or "required_pipeline_coverage" not in readings.register:
        return None
    slices = readings.slices("required_pipeline_coverage", "horizon")
    of_horizon = [row for row in slices if row.slice == HORIZONS[metric]]
    found = of_horizon[0] if of_horizon else readings.whole("required_pipeline_coverage")
    return found if found and found.value is not None else None


def ahead_of(quarter: str, ahead: int) -> str:
    """The quarter so many after a label, in words: Q1 2027."""
    year, index = divmod(int(quarter[:4]) * 4 + int(quarter[5]) - 1 + ahead, 4)
    return f"Q{index + 1} {year}"


def _field(readings: Readings, name: str, field: str) -> Markup:
    if name == "quarter":
        return escape(quarter_name(readings.quarter))
    if name == "next_quarter":
        return escape(ahead_of(readings.quarter, 1))
    row = readings.whole(readings.must(name))
    if row is None:
        return tag("span", "no reading", class_="missing")
    if field in (
        "value",
        "target",
        "previous",
        "year_ago",
        "numerator",
        "denominator",
        "n",
        "low",
        "high",
        "as_reported",
    ):
        return row.data(field)
    if field not in FIELDS:
        raise UsageError(
            Fault(
                "unknown_field",
                "unknown field of a reading",
                f"{{{name}:{field}}}",
                field,
                "a field",
                nearest(field, FIELDS),
            )
        )
    return FIELDS[field](row, readings)


def _change(row: Row, readings: Readings) -> Markup:
    if row.value is None or row.previous is None:
        return escape("without an earlier value")
    return tag("span", moved(row), **row.trace)


def _verdict(row: Row, readings: Readings) -> Markup:
    judged = verdict(row, needed(readings, row.metric))
    return tag(
        "span",
        judged.words[0].lower() + judged.words[1:] if judged.words else "",
        class_=f"verdict {judged.tone}",
        **row.trace,
    )


FIELDS: dict[str, Callable[[Row, Readings], Markup]] = {
    "change": _change,
    "verdict": _verdict,
    "of": lambda row, readings: behind(row),
    "likely": lambda row, readings: likely(row) or escape("no range"),
    "label": lambda row, readings: escape(row.label),
}
