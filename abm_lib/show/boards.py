"""Lists over many metrics: the questions with where they are answered, promises scored, and metrics read from one side."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from markupsafe import Markup

from ..questions import Question
from .fragment import Fragment
from .html import plain, said, tag
from .numbers import exact, quarter_name
from .rows import Row
from .tables import Column, behind, likely, table
from .verdict import verdict

QUARTER = re.compile(r"\b\d{4}Q[1-4]\b")
FATES = {
    "read": "Read",
    "accepted": "Accepted",
    "repeated": "Repeated",
    "set_aside": "Set aside",
    "left_out": "Left out by a rule",
}


def questions(rows: Sequence[Row], asked: Sequence[Question]) -> Fragment:
    """Every question, the open ones first: the page that answers it, or the input that would."""
    told = {row.slice: row for row in rows}
    ordered = sorted((q for q in asked if q.name in told), key=lambda q: told[q.name].value or 0.0)
    links = [
        tag("a", q.page.capitalize(), href="index.html" if q.page == "summary" else f"{q.page}.html") for q in ordered
    ]
    columns = [
        Column("Question", [q.ask for q in ordered], number=False),
        Column(
            "Answered", [told[q.name].data(text="yes" if told[q.name].value else "no") for q in ordered], number=False
        ),
        Column("On page", links, number=False),
    ]
    if any(told[q.name].caveats for q in ordered):
        columns.append(Column("What would answer it", [said(told[q.name].caveats) for q in ordered], number=False))
    return table("questions", "The questions, and where each is answered", columns)


def deliveries(counts: Mapping[str, Mapping[str, int]], moved: Mapping[str, int]) -> Fragment:
    """What became of the rows of each table, and how many records the rules of who is who moved, the roll-up's too."""
    if not counts:
        html = tag("p", "How many rows each table had is not said in an edition that travels.", class_="note")
        return Fragment("deliveries", html, "deliveries")
    total = {fate: sum(told[fate] for told in counts.values()) for fate in FATES}
    lines = [*counts.values(), total]
    names = [tag("code", name) for name in counts]
    columns = [Column("Table", [*names, "All"], number=False)]
    columns += [Column(heading, [exact(line[fate]) for line in lines]) for fate, heading in FATES.items()]
    done = [f"{exact(count)} {what}" for what, count in moved.items()]
    more = tag("p", f"Who is who: {'; '.join(done).replace('`', '')}.", class_="note reads") if done else Markup("")
    shown = table("deliveries", "Read = accepted + repeated + set aside + left out by a rule", columns, [len(counts)])
    return replace(shown, html=shown.html + more)


def promises(rows: Sequence[Row]) -> Fragment:
    """What was promised for the quarter, and whether it came true."""
    words = {1.0: "kept", 0.0: "missed"}
    columns = [
        Column("Promise", [said(QUARTER.sub(lambda found: quarter_name(found[0]), row.caveats)) for row in rows], number=False),
        Column("Came true", [row.data(text=words[row.value]) if row.value is not None else row.data() for row in rows],
               number=False),
    ]  # fmt: skip
    return table("promises", "Promises that fell due in the quarter", columns)


def overview(name: str, rows: Sequence[Row]) -> Fragment:
    """Metrics under one another: value, what it is made of, likely range, target, and what may be said of it."""
    columns = [
        Column("Number", [row.label for row in rows], number=False),
        Column("Value", [row.data(inside=True) for row in rows]),
        Column("From", [plain(behind(row)) for row in rows]),
        Column("Likely", [plain(likely(row)) for row in rows]),
        Column("Target", [row.text("target") if row.target is not None else "" for row in rows]),
        Column("Quarter before", [row.text("previous") if row.previous is not None else "" for row in rows]),
        Column("Verdict", [verdict(row).html() for row in rows], number=False),
    ]
    return table(f"overview-{name}", f"Numbers: {name}", columns, traced=rows)


def at_earlier_rates(pairs: Sequence[tuple[Row, Row]]) -> Fragment:
    """Amounts as they are, the same at the exchange rates of the year before, and what was told then; a line where no rate moved any."""
    known = [(whole, row) for whole, row in pairs if whole.value is not None]
    if all(row.value == whole.value for whole, row in known):
        said_so = "No exchange rate has moved any of these amounts since the year before."
        return Fragment("prose", tag("p", said_so), said_so)
    columns = [
        Column("Amount", [whole.label for whole, _ in known], number=False),
        Column("Value", [whole.data(inside=True) for whole, _ in known]),
        Column("At last year's rates", [row.data() for _, row in known]),
        Column("Year before", [whole.text("year_ago") if whole.year_ago is not None else "" for whole, _ in known]),
    ]
    if any(row.caveats for _, row in known):
        columns.append(Column("Read with care", [said(row.caveats) for _, row in known], number=False))
    return table("at-earlier-rates", "At last year's exchange rates", columns, traced=[whole for whole, _ in known])
