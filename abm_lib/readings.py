"""Readings: every number of the product in one tidy table, one row per metric, quarter and slice.

The only channel by which a number reaches a page. `value` is empty exactly when `missing_because` is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import pandas as pd

from .company import Company
from .comparison import compared, status, targeted
from .facts import FACTS, Base
from .metric import REGISTER, Metric
from .period import Quarter
from .reader import TIME, Reader, SliceSet, slice_sets
from .reading import Reading, Worked

COLUMNS = ("metric", "version", "family", "quarter", "period_start", "period_end", "as_of", "slice_by", "slice", "unit", "currency",
           "scope", "value", "numerator", "denominator", "n", "counts", "low", "high", "method", "missing_because", "caveats",
           "target", "previous", "year_ago", "as_reported", "better", "status")  # fmt: skip
PARTS = ("value", "numerator", "denominator", "n", "low", "high", "method", "missing_because", "caveat")
ONE_QUARTER = {"account", "campaign", "asset", "page", "owner", "landing_page", "email"}
MOST_VALUES = 50  # a slice with more values than this is kept for the quarter reported only
FLOOR = 3  # clicks in a title cell below which the platform's figures are hidden (S0-14)
SHOWN = 8


@dataclass(frozen=True)
class Question:
    """What is asked: a company, the last quarter, the knowledge to use, and the metrics."""

    company: Company
    quarter: Quarter
    as_of: date | None
    metrics: tuple[Metric, ...]


def read(
    company: Company, quarter: Quarter, *, families: Iterable[str] = (), as_of: date | None = None
) -> pd.DataFrame:
    """The readings of a quarter and the seven before it, for the families named or for all.

    `as_of` is the last day whose records count; by default each quarter's own end plus `as_of.settle_days`.
    """
    wanted = set(families)
    asked = [m for m in REGISTER.values() if not wanted or m.family in wanted]
    question = Question(company, quarter, as_of, tuple(_with_those_needed(asked)))
    base = Base(company, quarter, as_of, SHOWN)
    rows = _formulas(question, base)
    rows = pd.concat([rows, *_worked(question, base, rows)], ignore_index=True)
    rows = rows[rows["metric"].isin({m.name for m in asked})]
    return _finished(question, base, rows)


def _with_those_needed(metrics: Iterable[Metric]) -> list[Metric]:
    """The metrics, preceded by those that the worked ones read from."""
    found: dict[str, Metric] = {}
    for metric in metrics:
        for needed in _with_those_needed(REGISTER[name] for name in metric.of):
            found.setdefault(needed.name, needed)
        found.setdefault(metric.name, metric)
    return list(found.values())


def _formulas(question: Question, base: Base) -> pd.DataFrame:
    """The rows of every metric with a formula whose tables were delivered; a row with the reason for each other one."""
    config, delivered = question.company.config, base.tables.delivered
    readable, parts = [], []
    for metric in question.metrics:
        lacking = sorted({table for fact in metric.facts for table in FACTS[fact].needs} - delivered)
        if metric.name in config.switched_off:
            parts.append(_absent(base, metric, "switched_off", "switched off in abm.toml"))
        elif lacking:
            parts.append(
                _absent(base, metric, "not_collected", f"needs {', '.join(lacking)}, which no source delivers")
            )
        elif metric.facts:
            readable.append(metric)
    reader = Reader(base)
    reader.plan(readable)
    for metric in readable:
        for chosen in slice_sets(metric):
            if chosen.name or metric.has_whole:
                parts.append(_sliced(question, base, metric, chosen, reader))
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["metric", "quarter", "slice_by", "slice", *PARTS])
    )


def _sliced(question: Question, base: Base, metric: Metric, chosen: SliceSet, reader: Reader) -> pd.DataFrame:
    rows = reader.read(metric, chosen)
    rows = rows[rows["quarter"].isin([q.label for q in base.shown])]
    parts = set(chosen.name.split("/"))
    if parts & ONE_QUARTER or (rows["slice"].nunique() > MOST_VALUES and not chosen.is_time):
        rows = rows[rows["quarter"] == question.quarter.label]
        rows = rows[(rows["n"].fillna(0) != 0) | (rows["value"].fillna(0) != 0)]
    if metric.name == "ad_click_share_by_title":
        rows = _small_cells_hidden(rows)
    rows = _uncovered(base, metric, rows)
    return rows.assign(metric=metric.name, slice_by=chosen.name)


def _small_cells_hidden(rows: pd.DataFrame) -> pd.DataFrame:
    """Cells under the platform's floor together as one row, so that the shares still add up."""
    small = rows["numerator"].fillna(0) < FLOOR
    together = (
        rows[small].groupby(["quarter", "window"], as_index=False).agg(numerator=("numerator", "sum"), n=("n", "max"))
    )
    together = together.assign(slice=f"under {FLOOR}", denominator=together["n"], value=together["numerator"] / together["n"],
                               method="", missing_because="", caveat="")  # fmt: skip
    return pd.concat([rows[~small], together], ignore_index=True)


def _uncovered(base: Base, metric: Metric, rows: pd.DataFrame) -> pd.DataFrame:
    """No value where the table does not reach into the quarter: no data is not zero."""
    table = FACTS[metric.facts[0]].needs[-1 if metric.facts[0].startswith(("opp", "open")) else 0]
    span = base.company.spans.get(table)
    if span is None:
        return rows
    outside = {q.label for q in base.shown if q.end <= span[0] or q.start > span[1]}
    gone = rows["quarter"].isin(outside)
    if gone.any():
        rows = rows.copy()
        rows.loc[gone, list(PARTS[:6])] = float("nan")
        rows.loc[gone, ["method", "missing_because", "caveat"]] = [
            "",
            "no_data",
            f"{table} has no row in or after the quarter",
        ]
    return rows


def _absent(base: Base, metric: Metric, code: str, why: str) -> pd.DataFrame:
    rows = [{"quarter": q.label, "missing_because": code, "caveat": why} for q in base.shown]
    return pd.DataFrame(rows, columns=["quarter", *PARTS]).assign(metric=metric.name, slice_by="", slice="", window="")


class _Lookup:
    """How worked metrics read others: the readings of one quarter."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self._rows = {(r["metric"], r["slice_by"], r["slice"]): r for r in rows.to_dict("records")}

    def __call__(self, metric: str, slice_by: str = "", slice: str = "") -> Reading:
        row = self._rows.get((metric, slice_by, slice))
        if row is None:
            return Reading(None, missing_because="no_data", caveat=f"{metric} has no {slice_by} {slice}".strip())
        return Reading(
            **{part: None if isinstance(row[part], float) and pd.isna(row[part]) else row[part] for part in PARTS}
        )

    def values(self, metric: str, slice_by: str) -> list[str]:
        return [s for m, by, s in self._rows if (m, by) == (metric, slice_by)]


def _worked(question: Question, base: Base, rows: pd.DataFrame) -> list[pd.DataFrame]:
    """The metrics worked out from others, quarter by quarter, in the order they are registered."""
    found: list[pd.DataFrame] = []
    for quarter in base.shown:
        known = rows[rows["quarter"] == quarter.label]
        for metric in question.metrics:
            if metric.of and metric.name not in question.company.config.switched_off:
                worked: Worked = metric.function(_Lookup(known))
                readings = {("", ""): worked.whole, **worked.slices}
                made = pd.DataFrame([{**vars(r), "slice_by": by, "slice": s} for (by, s), r in readings.items()])
                made = made.assign(metric=metric.name, quarter=quarter.label, window=quarter.label)
                known = pd.concat([known, made], ignore_index=True)
                found.append(made)
    return found


def _finished(question: Question, base: Base, rows: pd.DataFrame) -> pd.DataFrame:
    """The contract's columns: what the metric says of itself, dates, comparison, target and status."""
    company, windows = question.company, base.windows
    said = pd.DataFrame([{"metric": m.name, "version": m.version, "family": m.family, "unit": m.unit, "scope": m.scope, "counts": m.counts,
                          "better": m.better, "_kind": m.window, "_floor": m.unit in ("share", "points", "score")}
                         for m in question.metrics])  # fmt: skip
    rows = rows.merge(said, on="metric").rename(columns={"caveat": "caveats"})
    rows["currency"] = (
        rows["unit"].isin(["money", "money_per_day"]).map({True: company.config.company.currency, False: ""})
    )
    spans = {
        (q.label, kind, w.label): w
        for kind in ("quarter", "canonical", "trailing_8_quarters", *TIME)
        for q, w in windows.spans(kind)
    }
    by_quarter = {q.label: q for q in base.quarters}
    keys = rows[["quarter", "slice_by", "window", "_kind"]].to_numpy()
    periods = [spans.get((q, TIME.get(by, kind), window), by_quarter[q]) for q, by, window, kind in keys]
    rows["period_start"] = [p.start.isoformat() for p in periods]
    rows["period_end"] = [p.end.isoformat() for p in periods]
    rows["as_of"] = rows["quarter"].map({q.label: windows.as_of(q.end).isoformat() for q in base.quarters})
    rows = compared(base, rows)
    rows = targeted(company, rows)
    rows["status"] = [status(row, company.config.min_n.colour) for row in rows.to_dict("records")]
    rows["as_reported"] = float("nan")
    for column in ("method", "missing_because", "caveats", "slice", "slice_by"):
        rows[column] = rows[column].fillna("").astype(str)
    order = {m.name: place for place, m in enumerate(REGISTER.values())}
    rows = rows.assign(_order=rows["metric"].map(order)).sort_values(
        ["_order", "slice_by", "slice", "quarter"], kind="stable"
    )
    numbers = ["value", "numerator", "denominator", "n", "low", "high", "target", "previous", "year_ago"]
    rows[numbers] = rows[numbers].astype("float64").replace([float("inf"), float("-inf")], float("nan"))
    return rows[list(COLUMNS)].reset_index(drop=True)
