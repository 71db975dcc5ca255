"""What is said beside numbers: of the inputs that they read, of long quarters, of quarters that run."""

from __future__ import annotations

import pandas as pd

from .facts import Base
from .metric import REGISTER, tables_of, with_those_needed
from .sources import caveats as of_sources


def beside(base: Base, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, with what their inputs and their quarters make one read with care in `caveats`."""
    return _long_quarters(base, _doubted(base, _as_now(base, rows)))


GOAL = "marketing_sourced_revenue"


def without_goal(rows: pd.DataFrame) -> pd.DataFrame:
    """Revenue that marketing sourced says so where no target was set for it: who is held to no goal is not judged by it (S0-76)."""
    meant = (rows["metric"] == GOAL) & (rows["slice_by"] == "") & rows["value"].notna() & rows["target"].isna()
    return rows.assign(
        caveats=_and_said(rows["caveats"], meant, "no target was set: marketing is held to no goal of revenue")
    )


def so_far(base: Base, rows: pd.DataFrame) -> pd.DataFrame:
    """What still adds up while its window runs says so, and is held neither against a whole window nor against its target.

    Totals, and how many of a set of accounts: in the third week, either is less than it will be.
    """
    if not base.windows.is_running:
        return rows
    grows = {m.name for m in REGISTER.values() if m.counts == "accounts" or (m.facts and m.formula.is_total)}
    running = rows["period_end"] > base.windows.until(base.shown[-1].end).isoformat()
    partial = running & rows["metric"].isin(grows) & rows["value"].notna()
    compared = {name: rows[name].mask(partial) for name in ("target", "previous", "year_ago")}
    return rows.assign(**compared, caveats=_and_said(rows["caveats"], partial, "quarter to date"))


def _as_now(base: Base, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of metrics that read a table without history say so: past days are told as they are now."""
    for table, sentence in base.company.notes.get("as_now", {}).items():
        rows["caveats"] = _and_said(rows["caveats"], _wholes_of(table, rows), sentence)
    if not base.company.delivers("email_events.is_machine"):
        meant = (rows["metric"] == "email_open_rate") & rows["value"].notna()
        rows["caveats"] = _and_said(rows["caveats"], meant, "opens of machines are in: no source flags them")
    for name in base.config.slices:
        meant = (rows["slice_by"] == name) & rows["value"].notna()
        rows["caveats"] = _and_said(rows["caveats"], meant, f"by {name} as it is now")
    return rows


def _doubted(base: Base, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of metrics that read a table of which a doubt was told say it (R12)."""
    for table, sentences in of_sources.of_tables(base.company.notes).items():
        rows["caveats"] = _and_said(rows["caveats"], _wholes_of(table, rows), "; ".join(sentences))
    return rows


def _wholes_of(table: str, rows: pd.DataFrame) -> pd.Series:
    """Which rows are whole numbers that a table is read for, by the metric itself or by one it is worked out from."""
    read = {
        m.name
        for m in REGISTER.values()
        if any(table in need.split("|") for each in with_those_needed([m]) for need in tables_of(each))
    }
    return rows["metric"].isin(read) & (rows["slice_by"] == "") & rows["value"].notna()


def _long_quarters(base: Base, rows: pd.DataFrame) -> pd.DataFrame:
    """Totals of a quarter of 14 weeks say so, and so do those that are held against one (F040)."""
    if base.config.fiscal.pattern == "months":
        return rows
    long = {quarter.label for quarter in base.quarters if (quarter.end - quarter.start).days > 13 * 7}
    totals = {m.name for m in REGISTER.values() if m.unit in ("count", "money") and m.window == "quarter"}
    for quarter in base.shown:
        before = {"the quarter before": -1, "the same quarter last year": -4}
        said = ["of 14 weeks"] if quarter.label in long else []
        said += [
            f"{word} had 14 weeks" for word, n in before.items() if base.company.calendar.step(quarter, n).label in long
        ]
        meant = rows["metric"].isin(totals) & (rows["quarter"] == quarter.label) & (rows["slice_by"] == "")
        for sentence in said:
            rows["caveats"] = _and_said(rows["caveats"], meant & rows["value"].notna(), sentence)
    return rows


def _and_said(caveats: pd.Series, meant: pd.Series, sentence: str) -> pd.Series:
    caveats = caveats.fillna("")
    return caveats.where(~meant, (caveats + "; " + sentence).str.removeprefix("; "))
