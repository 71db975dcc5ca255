"""Attribution by every model side by side, with what each gives its weight to; and indicators that earned their place or did not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from .fragment import Fragment
from .html import said, short, tag
from .names import ORDERS, within, words
from .rows import Row
from .tables import Column, behind, likely, table

SHOWN = ("first", "last_non_direct", "linear", "w", "shapley", "markov")  # as many as a page is wide
MOST = 15  # names under one another; the rest stands in readings.csv
NONE = "(none)"
TESTED = (
    "Tested are leading metrics that count what an account did or did not do in a quarter; "
    "the others have no such record here."
)


def side_by_side(
    name: str, rows: Sequence[Row], first: str, moved: Sequence[Row], weights: Mapping[str, str]
) -> Fragment:
    """One line for each channel or campaign, one column for each model, the largest by linear first; `(none)` last.

    `moved` are the channels whose rank depends on the model, with the share of pairs of models that disagree; `weights`
    says of each model what it gives its weight to; nothing of them where that is told elsewhere on the page.
    """
    told: dict[str, dict[str, Row]] = {}
    for row in rows:
        model, of = row.slice.split("/", 1)
        told.setdefault(of, {})[model] = row
    order = sorted(told, key=lambda of: (of == NONE, -_value(told[of].get("linear")), of))
    shown = [model for model in SHOWN if any(model in each for each in told.values())]
    credited = [of for of in order if not told[of].keys().isdisjoint(shown)]
    lines = [of for of in credited if of != NONE][:MOST] + [of for of in credited if of == NONE]
    columns = [Column(first, [said(words(of).replace("%25", "%")) for of in lines], number=False)]
    columns += [Column(words(model), [_cell(told[of].get(model)) for of in lines]) for model in shown]
    label = rows[0].label if rows else name
    made = table(name, f"{label} by {within(first)} and model", columns, is_grid=True)
    others = {model for each in told.values() for model in each} - {*shown}
    left = [f"{n} more {what}" for n, what in ((len(told) - len(lines), "rows"), (len(others), "models")) if n > 0]
    more = [tag("p", f"{' and '.join(left)} in readings.csv.")] if left else []
    if moved:
        names = [tag("span", said(short(row.name)), " (", row.data(), ")") for row in moved]
        more.append(
            tag(
                "p",
                "Rank depends on the model: ",
                [part for name in names for part in (name, ", ")][:-1],
                " of pairs of models.",
            )
        )
    if weights:
        more.append(_weighing(shown, weights))
    if weights and others:
        summary = tag("summary", f"What the {len(others)} other models give their weight to")
        more.append(tag("details", summary, _weighing([model for model in weights if model in others], weights)))
    html = made.html + tag("div", more, class_="notes")
    return Fragment("table", html, made.text, tables=1)


def _weighing(models: Sequence[str], weights: Mapping[str, str]) -> Markup:
    items = [tag("li", tag("strong", words(model)), f": {weights[model]}") for model in models]
    return tag("ul", items, class_="weights")


def _value(row: Row | None) -> float:
    return row.value or 0.0 if row else 0.0


def _cell(row: Row | None) -> object:
    return row.data() if row else ""


def rules(settings: Mapping[str, object]) -> Fragment:
    """The rules of `[attribution]` in force, each by its name in abm.toml."""
    columns = [
        Column("Rule in abm.toml", [f"attribution.{name}" for name in settings], number=False),
        Column("In force", [said(_word(value)) for value in settings.values()], number=False),
    ]
    return table("attribution-rules", "Rules of attribution in force", columns)


def influence(settings: Mapping[str, Mapping[str, object]]) -> Fragment:
    """What each rule of `[influence]` asks for before an opportunity counts as influenced, from strict to generous (S0-03)."""
    told = {name: settings[name] for name in ORDERS["rule"]}
    counted = ["responses" if rule["responses_only"] else "any touch but an impression" for rule in told.values()]
    columns = [
        Column("Rule", [words(name) for name in told], number=False),
        Column("Touches at least", [rule["min_touches"] for rule in told.values()]),
        Column("People at least", [rule["min_people"] or "any" for rule in told.values()]),
        Column("Days looked back", [rule["window_days"] for rule in told.values()]),
        Column("What counts", counted, number=False),
    ]
    caption = "What each rule of influence asks for before an opportunity is created"
    return table("influence-rules", caption, columns, is_grid=True)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)


def indicators(rows: Sequence[Row], clear: Mapping[str, float]) -> Fragment:
    """Leading metrics by their own record, and in the appendix those that did not go before progress, with the reason.

    `clear` are the differences that clear 0 once all indicators are allowed for.
    """
    earned = [row for row in rows if not unled(row, clear.get(row.slice, 0))]
    parts = [_listed("indicators-earned", "Went before progress in past quarters", earned)] if earned else []
    others = [row for row in rows if row not in earned]
    if others:
        why = [_reason(row, clear.get(row.slice, 0)) for row in others]
        parts.append(_listed("indicators-appendix", "Appendix: not shown to lead", others, why))
    html = tag("div", [part.html for part in parts], tag("p", TESTED, class_="notes"))
    return Fragment("table", html, "; ".join(part.text for part in parts), tables=len(parts))


def unled(row: Row, clear: float) -> str:
    """Why a leading metric is in the appendix; empty where it went before progress."""
    return "" if clear > 0 else _reason(row, clear)


def unled_line(why: str, record: str) -> Markup:
    """What its own page says of such a metric, with the place of its record."""
    return Markup("{} of accounts: {}.").format(tag("a", "Not shown to go before progress", href=record), said(why))


def _listed(name: str, caption: str, rows: Sequence[Row], why: Sequence[str] = ()) -> Fragment:
    columns = [
        Column("Leading metric", [said(row.name) for row in rows], number=False),
        Column("Difference in progress", [row.data() for row in rows]),
        Column("Likely", [likely(row) for row in rows]),
        Column("From", [behind(row) for row in rows]),
    ]
    if why:
        columns.append(Column("Why here", list(why), number=False))
    return table(name, caption, columns)


def _reason(row: Row, clear: float) -> str:
    if row.value is None:
        return str(row.caveats or "no record yet")
    if not row.ranged:
        return "too few accounts for a likely range"
    if clear < 0:
        return "accounts that showed it progressed less"
    if (row.low or 0) <= 0 <= (row.high or 0):
        return "the likely range of the difference covers 0"
    return "among so many comparisons, chance gives as much"
