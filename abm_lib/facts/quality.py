"""What the numbers rest on: rows read and set aside, rows without an account or a source, how old each table is, promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import narwhals as nw
import pandas as pd

from ..tables import tables as canonical_tables
from . import Cut, Frame, day_number, fact
from .accounts import UNKNOWN
from .opportunities import open_opportunities, opportunities_closed, opportunities_qualified

# Tables whose rows each belong to an account. Others may well have none, or reach it by way of a person.
OF_ACCOUNTS = (
    "ad_account_days",
    "cta_events",
    "meetings",
    "opportunities",
    "page_views",
    "people",
    "surveys",
    "touches",
)
MACHINES = {"page_views": "is_bot", "email_events": "is_machine", "cta_events": "is_machine"}
NO_EVENTS = {"fx", "loads", "events_log", "targets"}  # tables about the data, or about what is to come


@fact(one_row_per=("table",), needs=())
def deliveries(cut: Cut) -> Frame:
    """Rows of each table as they were read, and how many of them were set aside; of the delivery, whatever the quarter."""
    counts = [
        (q.label, w.label, name, told["read"], told["set_aside"])
        for q, w in cut.base.windows.spans(cut.kind)
        for name, told in cut.base.company.notes["tables"].items()
    ]
    types = {"quarter": "VARCHAR", "window": "VARCHAR", "table": "VARCHAR", "rows": "BIGINT", "set_aside": "BIGINT"}
    return cut.tables.engine.frame(pd.DataFrame(counts, columns=list(types)), types)


@fact(one_row_per=("table",), needs=())
def account_matches(cut: Cut) -> Frame:
    """Rows of the window that should name an account, and those that do: not of bots, our own meetings and our own people."""
    return _by_table(cut, OF_ACCOUNTS, lambda name: ~nw.col("account_id").is_null(), "matched")


@fact(one_row_per=("table",), needs=())
def machine_rows(cut: Cut) -> Frame:
    """Web and mail events of the window, and those that the source flags as made by machines."""
    return _by_table(cut, MACHINES, lambda name: nw.col(MACHINES[name]).fill_null(False), "by_machines")


def _by_table(cut: Cut, names: Iterable[str], condition: Callable[[str], nw.Expr], into: str) -> Frame:
    """Rows of each delivered table by window, and how many of them hold the condition, counted by day first."""
    found = []
    for name in (name for name in names if name in cut.tables.delivered):
        rows = getattr(cut.tables, name)
        if into == "matched" and name in MACHINES:
            rows = rows.filter(~nw.col(MACHINES[name]).fill_null(False))
        if into == "matched" and "is_internal" in canonical_tables()[name].columns:
            rows = rows.filter(~nw.col("is_internal").fill_null(False))
        day = canonical_tables()[name].day
        by_day = rows.select(day=nw.col(day), _held=nw.when(condition(name)).then(1).otherwise(0)).group_by("day")
        by_day = by_day.agg(rows=nw.len(), **{into: nw.col("_held").sum()}).join(cut.days, on="day")
        totals = by_day.group_by("quarter", "window").agg(rows=nw.col("rows").sum(), **{into: nw.col(into).sum()})
        found.append(totals.with_columns(table=nw.lit(name)))
    return nw.concat(found)


@fact(one_row_per=("table", "key"), needs=("opportunities", "opportunity_changes"))
def sources_told(cut: Cut) -> Frame:
    """Opportunities qualified and people created in the window, and whether their source maps to a channel."""
    deals = opportunities_qualified(cut).select(
        "quarter", "window", "business_type", key="opportunity_id", table=nw.lit("opportunities"),
        is_known=nw.col("source_owner").fill_null(UNKNOWN) != UNKNOWN,
    )  # fmt: skip
    people = cut.tables.people.filter(~nw.col("is_internal").fill_null(False)).select(
        "person_id", day=nw.col("created_on"), is_known=~nw.col("channel").is_null()
    )
    people = people.join(cut.days, on="day").select(
        "quarter", "window", business_type=nw.lit("new"), key="person_id", table=nw.lit("people"), is_known="is_known"
    )
    return nw.concat([deals, people])


@fact(one_row_per=("state", "opportunity_id"), needs=("opportunity_changes", "opportunities"))
def amounts_told(cut: Cut) -> Frame:
    """Opportunities open at the end of the window's quarter, or won or lost in the window, and whether they carry an amount."""
    closed = opportunities_closed(cut).with_columns(
        state=nw.when(nw.col("is_won")).then(nw.lit("won")).otherwise(nw.lit("lost"))
    )
    opened = open_opportunities(cut).with_columns(state=nw.lit("open"))
    columns = ("quarter", "window", "opportunity_id", "business_type", "state", "amount")
    rows = nw.concat([closed.select(*columns), opened.select(*columns)])
    return rows.with_columns(has_amount=(nw.col("amount") > 0).fill_null(False))


@fact(one_row_per=("table",), needs=())
def table_ages(cut: Cut) -> Frame:
    """Days from the newest row of each dated table to the day as of which the quarter is told; the load date is apart."""
    moments, names = _told_on(cut), set(cut.base.company.notes["tables"]) - NO_EVENTS
    dated = [_dated_rows(cut, name) for name in sorted(names) if canonical_tables()[name].dated not in ("", "month")]
    newest = nw.concat(dated).join(moments, how="cross").filter(nw.col("day") <= nw.col("as_of"))
    age = (day_number("as_of") - day_number("day")).cast(nw.Float64)
    newest = newest.with_columns(days=age).group_by("quarter", "window", "table").agg(days=nw.col("days").min())
    loads = cut.tables.loads.group_by("table").agg(source=nw.col("source").max())
    newest = newest.join(loads, on="table", how="left").with_columns(source=nw.col("source").fill_null("not stated"))
    oldest = {"is_oldest": ("quarter", "window"), "is_oldest_of_source": ("quarter", "window", "source")}
    return newest.with_columns(
        **{name: nw.col("days") == nw.col("days").max().over(*keys) for name, keys in oldest.items()}
    )


def _told_on(cut: Cut) -> Frame:
    """quarter, window, as_of: the last day whose records count, or the last one known."""
    windows, known = cut.base.windows, cut.base.company.known_until
    told = [(q.label, w.label, min(windows.as_of(q.end), known)) for q, w in windows.spans(cut.kind)]
    types = {"quarter": "VARCHAR", "window": "VARCHAR", "as_of": "DATE"}
    return cut.tables.engine.frame(pd.DataFrame(told, columns=list(types), dtype=object), types)


def _dated_rows(cut: Cut, name: str) -> Frame:
    """The days on which a table has rows."""
    day = canonical_tables()[name].day
    return getattr(cut.tables, name).select(day=nw.col(day)).unique().with_columns(table=nw.lit(name))


@fact(one_row_per=("promise_id",), needs=("promises",))
def promises_due(cut: Cut) -> Frame:
    """Promises whose quarter is the one reported, as they were made."""
    quarters = cut.windows.select("quarter", "window", due_in="quarter")
    return cut.tables.promises.join(quarters, on="due_in").with_columns(
        slice_by=nw.col("slice_by").fill_null(""), slice=nw.col("slice").fill_null(""),
        owner_role=nw.col("owner_role").fill_null("not stated"),
    )  # fmt: skip


@fact(one_row_per=("metric",), needs=("control_totals",))
def totals_of_finance(cut: Cut) -> Frame:
    """What finance states for the quarter, by metric, in the reporting currency."""
    quarters = cut.windows.select("quarter", "window", period="quarter")
    stated = cut.tables.control_totals.join(quarters, on="period")
    return stated.filter(nw.col("currency").fill_null(cut.config.company.currency) == cut.config.company.currency)
