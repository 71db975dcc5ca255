"""The head of a page: its message, standfirst and edition line; and the line that stands where a number is absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from .definitions import place
from .findings import findings
from .fragment import Fragment
from .html import clean, said, tag
from .names import heading, within
from .numbers import change, day, missing_words, quarter_name
from .rows import Known, Readings, Row
from .sentences import HORIZONS, ahead_of, needed
from .verdict import verdict

MOST_NAMED = 3
OUTCOMES = (
    "demand",
    "journey",
    "pipeline",
    "revenue",
    "customers",
)  # what the executive page looks through
# What a page's message speaks of; the first two with a reading are taken.
LEADS = {
    "summary": ("revenue_target_attainment", "pipeline_coverage_next_quarter", "closed_won_revenue"),
    "ads": ("ad_target_reach_rate", "ad_click_rate", "ad_target_engagement_rate"),
    "website": ("target_accounts_visiting", "engaged_visit_rate"),
    "content": ("content_engagement_rate", "email_click_rate"),
    "accounts": ("engaged_target_account_rate", "buying_group_penetration"),
    "demand": ("meetings_booked", "marketing_qualified_accounts"),
    "journey": ("accounts_progressed_rate", "accounts_regressed_rate"),
    "customers": ("net_revenue_retention", "customer_retention_rate"),
    "voice": ("self_reported_agreement",),
    "quality": ("readiness", "questions_answered"),
    "for-marketing": ("marketing_sourced_pipeline_share", "marketing_sourced_revenue"),
    "for-sales": ("pipeline_coverage_next_quarter", "win_rate_closed", "closed_won_revenue"),
    "for-content": ("content_engagement_rate", "top_theme_share"),
    "for-finance": ("revenue_target_attainment", "customer_acquisition_cost", "closed_won_revenue"),
    "pipeline": ("open_pipeline", "pipeline_coverage_next_quarter", "pipeline_created"),
    "revenue": ("revenue_target_attainment", "win_rate_closed", "closed_won_revenue"),
}
# How a sentence says some numbers; others are said by their label.
CLAUSES = {
    "ad_target_reach_rate": "ads reached {} of target accounts",
    "ad_target_engagement_rate": "{} of those reached reacted",
    "ad_click_rate": "{} of impressions were clicked",
    "win_rate_closed": "{} of closed deals were won",
    "closed_won_revenue": "{} was won",
    "pipeline_created": "{} of pipeline was created",
    "target_accounts_visiting": "{} target accounts visited in sixty days",
    "engaged_visit_rate": "{} of visits stayed",
    "content_engagement_rate": "{} of target accounts took in content",
    "email_click_rate": "{} of delivered mails were clicked",
    "engaged_target_account_rate": "{} of target accounts are engaged",
    "buying_group_penetration": "{} of the buying teams acted",
    "meetings_booked": "{} meetings were booked",
    "marketing_qualified_accounts": "{} accounts were qualified",
    "accounts_progressed_rate": "{} of target accounts progressed in thirty days",
    "accounts_regressed_rate": "{} fell back",
    "net_revenue_retention": "{} of recurring revenue was retained, growth included",
    "customer_retention_rate": "{} of customers were kept for the year",
    "self_reported_agreement": "{} of answers with a first touch named its channel",
    "readiness": "{} of the headline numbers rest on enough",
    "questions_answered": "{} of the questions are answered",
}


def header(readings: Readings, family: str, metrics: Sequence[str], edition: Mapping[str, Any]) -> Fragment:
    """The message as h1, at most three sentences, and the edition's line for readers in JupyterLab."""
    message, lead = headline(readings, family, metrics), standfirst(readings, family, metrics)
    parts = [tag("h1", message), tag("p", lead, class_="standfirst")]
    if "state" in edition:  # a run puts it into the page's head
        state = str(edition["state"]).replace("_", " ").capitalize()
        name = f"{clean(edition['company'])}, {quarter_name(edition['quarter'])}"
        line = f"{name}. {state} edition, data as of {day(edition['as_of'])}."
        parts.append(tag("p", line, class_="edition-line"))
    short = _short(edition["min_n"]) if edition.get("is_short") else ""
    if short:
        parts.append(tag("p", short, class_="record"))
    return Fragment(
        "header", tag("div", parts, class_="message"), f"{message.striptags()}. {lead.striptags()} {short}".strip()
    )


def _short(least: Mapping[str, int]) -> str:
    return (
        f"The record is shorter than {least['quarters']} quarters or {least['deals']} closed deals: "
        "numbers are told, and none is called better or worse."
    )


def headline(readings: Readings, family: str, metrics: Sequence[str]) -> Markup:
    """The page's message: one sentence on its two leading metrics, result first."""
    wanted = dict.fromkeys([*LEADS.get(family, ()), *metrics])
    rows = [row for name in wanted if (row := readings.whole(name)) and row.value is not None][:2]
    if not rows:
        return escape(f"No reading for {quarter_name(readings.quarter)} yet")
    told = [_clause(row, readings) for row in rows]
    texts = [text[0].upper() + text[1:] if i == 0 else text for i, (text, _) in enumerate(told)]
    return Markup(", and ").join(_named(text, about) for text, (_, about) in zip(texts, told, strict=True))


def standfirst(readings: Readings, family: str, metrics: Sequence[str]) -> Markup:
    """At most three sentences: what is worse, what is better, what stands out; what did not clearly change, if there is room."""
    rows = [row for name in metrics if (row := readings.whole(name)) and row.value is not None]
    judged = [(row, verdict(row, needed(readings, row.metric))) for row in rows]
    groups = (
        ("Worse than target or last year:", [row for row, v in judged if v.tone == "bad"]),
        ("Better than target or last year:", [row for row, v in judged if v.tone == "good"]),
        ("No clear change:", [row for row, v in judged if v.words.startswith("No clear")]),
    )
    said = [_group(opening, group, readings, family) for opening, group in groups if group]
    found = findings(readings, OUTCOMES if family == "summary" else (family,))[:1]
    clearest = [each.sentence(_linked(each.row.label, each.row, readings, family)) for each in found]
    last = said[len(said) - 1 :] if groups[2][1] else []
    sentences = [*said[: len(said) - len(last)], *clearest, *last][:3]
    return Markup(" ").join(tag("span", sentence) for sentence in sentences)


def absent(metric: Known, row: Row | None, dimension: str, otherwise: str = "") -> Fragment:
    """The line that stands in the place of a figure: what is not there, and why; `otherwise` for a reading that has a value."""
    code, why = (row.missing_because, row.caveats) if row and row.value is None else ("no_data", "")
    words = otherwise if otherwise and row and row.value is not None else missing_words(code)
    name = f"{metric.label} by {within(heading(dimension))}" if dimension else metric.label
    reason = said(f"{words}. {'' if code in ('switched_off', 'suppressed') else why}".strip())
    html = tag("div", tag("p", tag("b", name)), tag("p", reason, class_="missing"), class_="absent-figure")
    return Fragment("prose", html, f"{name}: {words}")


def _named(text: str, about: Sequence[Row]) -> Markup:
    """A text that leads back to the readings that it is made of."""
    html = escape(text)
    for row in about:
        html = tag("span", html, **row.trace)
    return html


def _clause(row: Row, readings: Readings) -> tuple[str, list[Row]]:
    """A part of the message that can stand alone, and the readings that it is made of."""
    when, value = quarter_name(row.quarter, year=False), row.value or 0.0
    if row.metric == "revenue_target_attainment":
        gap = f"{abs(value - 1):.0%}"
        side = "under" if value < 1 else "over"
        return f"{when} closed {'on' if gap == '0%' else f'{gap} {side}'} target", [row]
    if required := needed(readings, row.metric):
        ahead = list(HORIZONS).index(row.metric)
        text = f"pipeline coverage for {ahead_of(row.quarter, ahead)} is {row.text()} where our own record needs {required.text()}"
        return text, [row, required]
    if row.metric == "open_pipeline":
        by, ends = _moved_by(readings)
        return f"open pipeline stands at {row.text()}{by}", [row, *ends]
    name = CLAUSES.get(row.metric, within(row.label) + ": {}").format(row.text())
    if readings.register[row.metric].family == "quality":  # of the report, which is no better or worse for a quarter
        return name, [row]
    judged = verdict(row, None)
    return name + (f", {judged.inline}" if judged.words and "no earlier" not in judged.words else ""), [row]


def _moved_by(readings: Readings) -> tuple[str, list[Row]]:
    """What the movement bridge says of the quarter, with its ends: both at the same rates, unlike two quarters read apart."""
    ends = {row.slice: row for row in readings.slices("pipeline_movement", "movement") if row.value is not None}
    if "opening" not in ends or "closing" not in ends:
        return "", []
    start, end = ends["opening"], ends["closing"]
    by = change((end.value or 0) - (start.value or 0), "money", end.currency)
    words = f"{by[1:]} {'more' if by[0] == '+' else 'less'} than" if by != "–" else "as"
    return f", {words} at the start", [start, end]


def _linked(text: str, row: Row, readings: Readings, family: str) -> Markup:
    """A number's name, one click from its evidence: its definition and charts stand on the page of its family."""
    known = readings.register[row.metric]
    return tag("a", text, href=place(known, here=family == known.family))


def _group(opening: str, rows: Sequence[Row], readings: Readings, family: str) -> Markup:
    named = [
        tag("span", _linked(within(row.label), row, readings, family), " ", row.data(), class_="item")
        for row in rows[:MOST_NAMED]
    ]
    more = f" and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    return escape(opening) + " " + Markup(", ").join(named) + more + "."
