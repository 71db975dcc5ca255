"""Sentences written from readings: the page's message, its standfirst and prose with numbers in it.

Nothing here says why. "Clearly" stands only where the likely range says so; otherwise it is "no clear change".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from ..errors import Fault, UsageError, nearest
from .html import join, tag
from .numbers import quarter_name
from .rows import Readings, Row
from .tables import behind, likely
from .tiles import Tile
from .verdict import moved, verdict

FIELD = re.compile(r"\{([a-z_0-9]+)(?::([a-z_]+))?\}")
MOST_NAMED = 3
# The cards of the executive page, in the order in which its standfirst speaks of them.
SUMMARY = (
    "closed_won_revenue", "new_customers", "marketing_sourced_revenue", "pipeline_coverage", "pipeline_coverage_next_quarter",
    "marketing_sourced_pipeline_share", "win_rate_closed", "average_contract_value", "net_revenue_retention", "accounts_progressed_rate",
    "mqa_meeting_rate", "buying_group_penetration", "readiness",
)  # fmt: skip
# What a page's message speaks of; the first two with a reading are taken.
LEADS = {
    "summary": ("revenue_target_attainment", "pipeline_coverage_next_quarter", "closed_won_revenue"),
    "ads": ("ad_target_reach_rate", "ad_click_rate", "ad_target_engagement_rate"),
    "pipeline": ("open_pipeline", "pipeline_coverage_next_quarter", "pipeline_created"),
    "revenue": ("revenue_target_attainment", "win_rate_closed", "closed_won_revenue"),
}


def headline(readings: Readings, family: str, metrics: Sequence[str]) -> str:
    """The page's message: one sentence on its two leading metrics, result first."""
    wanted = [*LEADS.get(family, ()), *metrics]
    rows = [row for name in dict.fromkeys(wanted) if (row := readings.whole(name)) and row.value is not None][:2]
    if not rows:
        return f"No reading for {quarter_name(readings.quarter)} yet"
    first, *more = [_clause(row, readings) for row in rows]
    return first[0].upper() + first[1:] + "".join(f", and {text}" for text in more)


def standfirst(readings: Readings, metrics: Sequence[str]) -> Markup:
    """At most three sentences: what is clearly worse, what is clearly better, what did not clearly change."""
    rows = [row for name in metrics if (row := readings.whole(name)) and row.value is not None]
    judged = [(row, verdict(row, needed(readings, row.metric))) for row in rows]
    tones = {tone: [row for row, v in judged if v.tone == tone] for tone in ("bad", "good")}
    same = [row for row, v in judged if v.words.startswith("No clear")]
    said = [
        _group("Worse than target or last year:", tones["bad"]),
        _group("Better than target or last year:", tones["good"]),
        _group("No clear change:", same),
    ]
    return Markup(" ").join(sentence for sentence in said if sentence)


def tally(tiles: Sequence[Tile]) -> tuple[Markup, str]:
    """Of so many numbers: how many are short, how many better, how many show no clear change, how many are not printed."""
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
    """Prose with `{metric}` and `{metric:field}` replaced from the readings, as HTML and as plain text."""
    html, plain, end = [], [], 0
    for found in FIELD.finditer(text):
        html += [escape(text[end : found.start()]), _field(readings, found[1], found[2] or "value")]
        plain += [text[end : found.start()], str(Markup(html[-1]).striptags())]
        end = found.end()
    return join([*html, escape(text[end:])]), "".join([*plain, text[end:]])


def needed(readings: Readings, metric: str) -> Row | None:
    horizon = {
        "pipeline_coverage": "current",
        "pipeline_coverage_next_quarter": "next",
        "pipeline_coverage_in_two_quarters": "in_two",
    }.get(metric)
    if horizon is None or "required_pipeline_coverage" not in readings.register:
        return None
    of_horizon = [row for row in readings.slices("required_pipeline_coverage", "horizon") if row.slice == horizon]
    found = of_horizon[0] if of_horizon else readings.whole("required_pipeline_coverage")
    return found if found and found.value is not None else None


def _clause(row: Row, readings: Readings) -> str:
    """A part of the message that can stand alone."""
    when = quarter_name(row.quarter, year=False)
    if row.metric == "revenue_target_attainment" and row.value is not None:
        gap = abs(row.value - 1)
        return (
            f"{when} closed on target"
            if round(gap, 2) == 0
            else f"{when} closed {gap:.0%} {'under' if row.value < 1 else 'over'} target"
        )
    if required := needed(readings, row.metric):
        return f"coverage for {_covers(row)} is {row.text()} where our own record needs {required.text()}"
    words = verdict(row, needed(readings, row.metric)).words
    words = words[0].lower() + words[1:] if words else ""
    name = row.label[0].lower() + row.label[1:]
    if row.metric == "open_pipeline" and row.previous:
        return f"open pipeline stands at {row.text()}, {moved(row)}"
    return f"{name} was {row.text()}" + (f", {words}" if words and "no earlier" not in words else "")


def _covers(row: Row) -> str:
    """The quarter that a coverage metric looks at."""
    ahead = {"pipeline_coverage_next_quarter": 1, "pipeline_coverage_in_two_quarters": 2}.get(row.metric, 0)
    return ahead_of(row.quarter, ahead)


def ahead_of(quarter: str, ahead: int) -> str:
    year, index = divmod(int(quarter[:4]) * 4 + int(quarter[5]) - 1 + ahead, 4)
    return f"Q{index + 1} {year}"


def _group(opening: str, rows: Sequence[Row]) -> Markup | None:
    if not rows:
        return None
    named = [
        tag("span", row.label[0].lower() + row.label[1:], " ", row.data(), class_="item") for row in rows[:MOST_NAMED]
    ]
    more = f" and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    return escape(opening) + " " + Markup(", ").join(named) + more + "."


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
    return escape(moved(row))


def _verdict(row: Row, readings: Readings) -> Markup:
    judged = verdict(row, needed(readings, row.metric))
    return tag(
        "span", judged.words[0].lower() + judged.words[1:] if judged.words else "", class_=f"verdict {judged.tone}"
    )


FIELDS: dict[str, Callable[[Row, Readings], Markup]] = {
    "change": _change,
    "verdict": _verdict,
    "of": lambda row, readings: behind(row),
    "likely": lambda row, readings: likely(row) or escape("no range"),
    "label": lambda row, readings: escape(row.label),
}
