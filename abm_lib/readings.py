"""Readings: every number of the product in one tidy table, one row per metric, quarter and slice.

The only channel by which a number reaches a page. `value` is empty exactly when `missing_because` is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, cast

import numpy as np
import pandas as pd

from . import caveats
from .company import Company
from .comparison import compared, is_short, status, targeted
from .disclosure import Profile, code_key, protected
from .facts import FACTS, Base, Cut
from .facts.calendar import LAST_DAYS, SHOWN
from .metric import REGISTER, Metric, tables_of, with_those_needed
from .period import Quarter
from .reader import Reader, in_order
from .reading import NUMBERS, PARTS, Parts, Reading, Worked, emptied, from_parts, missing
from .slices import TIME, check_own
from .tables import tables

COLUMNS = (
    "metric", "version", "family", "quarter", "period_start", "period_end", "as_of", "slice_by", "slice", "unit",
    "currency", "scope", "value", "numerator", "denominator", "n", "counts", "low", "high", "method",
    "missing_because", "caveats", "target", "previous", "year_ago", "as_reported", "better", "status",
)  # fmt: skip
TEXTS = ("metric", "quarter", "window", "slice_by", "slice", *PARTS[6:])
COMPARED = ("target", "previous", "year_ago", "as_reported")


@dataclass(frozen=True)
class Unfinished:
    """Rows as metrics gave them, before whatever looks at all of them together; and by metric what its rows were made of."""

    rows: pd.DataFrame
    read: dict[str, set[str]]


class Kept(Protocol):
    """What an earlier run left: rows of those metrics alone whose inputs are as they were."""

    def unfinished(self) -> Unfinished: ...

    def keep_unfinished(self, made: Unfinished) -> None: ...


def read(
    company: Company,
    quarter: Quarter,
    *,
    families: Iterable[str] = (),
    also: Iterable[str] = (),
    as_of: date | None = None,
    profile: Profile | None = None,
    kept: Kept | None = None,
) -> pd.DataFrame:
    """The readings of a quarter and the seven before it: of the families named and of single metrics `also`, or of all.

    `as_of` is the last day whose records count; by default each quarter's own end plus `as_of.settle_days`.
    `profile` hides what an edition or a page may not tell; without one everything is told.
    Metrics whose rows are `kept` are not worked out again.
    """
    from . import metrics  # noqa: F401  (fills the register)

    wanted, single = set(families), set(also)
    # Arrow's strings, the default where pyarrow is there, take twice as long for tables as small as these.
    with pd.option_context("mode.string_storage", "python"):
        check_own(company.config)
        asked = [m for m in REGISTER.values() if not wanted or m.family in wanted or m.name in single]
        base = Base(company, quarter, as_of, SHOWN)
        made = _unfinished(base, asked, kept.unfinished() if kept else Unfinished(pd.DataFrame(), {}))
        if kept:
            kept.keep_unfinished(made)
        rows = made.rows[made.rows["metric"].isin({m.name for m in asked})]
        rows = _not_yet(base, _dated(base, rows))
        rows = caveats.beside(base, rows.rename(columns={"caveat": "caveats"}))
        return _finished(base, rows, profile)


def _unfinished(base: Base, asked: list[Metric], kept: Unfinished) -> Unfinished:
    """The rows of the metrics and of those that they need: those kept, and the others worked out."""
    metrics = [metric for metric in with_those_needed(asked) if metric.name not in kept.read]
    rows = pd.concat([kept.rows, *_from_formulas(base, metrics)], ignore_index=True)
    rows = pd.concat([rows, *_from_others(base, metrics, rows)], ignore_index=True)
    rows = rows.astype(dict.fromkeys(NUMBERS, "float64"))
    rows[list(TEXTS)] = rows[list(TEXTS)].fillna("").astype(str)
    return Unfinished(rows, kept.read | _read_by(base, metrics, kept.read))


def _read_by(base: Base, metrics: list[Metric], known: dict[str, set[str]]) -> dict[str, set[str]]:
    """What the rows of each metric were made of: by its facts, the metrics it is worked out from, and the table that dates it."""
    found: dict[str, set[str]] = {}
    for metric in metrics:
        facts = [base.read[fact] for fact in (*metric.facts, *metric.looks_up)]
        others = [(known | found)[name] for name in metric.of]
        dated = {f"span {table}"} if (table := _dated_by(base, metric)) else set()
        found[metric.name] = dated.union(*facts, *others)
    return found


def _from_formulas(base: Base, metrics: list[Metric]) -> Iterator[pd.DataFrame]:
    """The rows of every metric with a formula; a row with the reason for each that cannot be read."""
    why = {metric.name: _why_not(base, metric) for metric in metrics}
    readable = [metric for metric in metrics if metric.facts and not why[metric.name]]
    reader = Reader(base)
    reader.plan(readable)
    if read := list(_read(reader, readable)):
        rows = pd.DataFrame({name: np.concatenate([parts[name] for parts in read]) for name in read[0]})
        yield _uncovered(base, readable, rows)
    for metric in metrics:
        if reason := why[metric.name]:
            made = [{"quarter": quarter.label, **vars(reason)} for quarter in base.shown]
            yield pd.DataFrame(made).assign(metric=metric.name, slice_by="", slice="", window="")


def _read(reader: Reader, metrics: list[Metric]) -> Iterator[Parts]:
    """The rows of every metric in every slice; small cells together."""
    for metric in metrics:
        for chosen in reader.slice_sets(metric):
            if chosen.name or metric.has_whole:
                parts = _small_cells_together(reader.read(metric, chosen), metric.smallest_cell)
                named = {"metric": metric.name, "slice_by": chosen.name}
                yield parts | {name: np.full(len(parts["value"]), each, object) for name, each in named.items()}


def _why_not(base: Base, metric: Metric) -> Reading | None:
    """Why a metric has no rows at all: switched off, or a table or column that no source delivers."""
    if metric.name in base.config.switched_off:
        return missing("switched_off", "switched off in abm.toml")
    if lacking := lacks(base.company, metric):
        return missing("not_collected", f"needs {', '.join(lacking)}, which no source delivers")
    return None


def lacks(company: Company, metric: Metric) -> list[str]:
    """The tables and columns that a metric reads itself and no source delivers, alternatives joined by `or`."""
    lacking = [need for need in tables_of(metric) if company.tables.delivered.isdisjoint(need.split("|"))]
    lacking += [need for need in metric.needs if not any(map(company.delivers, need.split("|")))]
    return [need.replace("|", " or ") for need in lacking]


def _small_cells_together(parts: Parts, smallest: int) -> Parts:
    """Slices of a whole that count fewer than `smallest`, as one row, so that the shares still add up."""
    if not smallest:
        return parts
    rows = pd.DataFrame(parts)
    small = rows["numerator"].fillna(0) < smallest
    groups = rows[small].groupby(["quarter", "window"], as_index=False)
    together = groups.agg(numerator=("numerator", "sum"), denominator=("denominator", "max"), n=("n", "max"))
    together = together.assign(
        slice=f"under {smallest}", value=together["numerator"] / together["denominator"],
        method="", missing_because="", caveat="",
    )  # fmt: skip
    rows = pd.concat([rows[~small], together[together["denominator"] > 0]], ignore_index=True)
    return {name: rows[name].to_numpy(dtype=each.dtype) for name, each in parts.items()}


def _emptied(rows: pd.DataFrame, gone: pd.Series, code: str, why: str) -> pd.DataFrame:
    parts = {name: rows[name].to_numpy(float if name in NUMBERS else object) for name in PARTS}
    return rows.assign(**emptied(parts, gone.to_numpy(), code, why)) if gone.any() else rows


def _uncovered(base: Base, metrics: list[Metric], rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, without a number where the table that dates the metric does not reach into the quarter."""
    dated: dict[str, set[str]] = defaultdict(set)
    for metric in metrics:
        dated[_dated_by(base, metric)].add(metric.name)
    for table, names in dated.items():
        if table and tables()[table].dated:
            # A table that was delivered without a row reaches nowhere.
            first, last = base.company.span(table) or (date.max, date.min)
            outside = [q.label for q in base.shown if q.end <= first or q.start > last]
            gone = rows["metric"].isin(names) & rows["quarter"].isin(outside)
            rows = _emptied(rows, gone, "no_data", f"{table} does not reach into the quarter")
    return rows


def _dated_by(base: Base, metric: Metric) -> str:
    """The table that dates a metric; empty where none that it counts is delivered."""
    needed = next((need for fact in metric.facts[:1] for need in FACTS[fact].needs[:1]), "").split("|")
    return next((name for name in needed if name in base.tables.delivered), "")


class _Lookup:
    """How worked metrics read others: the readings of one quarter, and the rows of facts looked up."""

    def __init__(self, rows: pd.DataFrame, facts: dict[str, pd.DataFrame], company: Company) -> None:
        self._facts, self.config, self.delivers = facts, company.config, company.delivers
        self._rows = {(r["metric"], r["slice_by"], r["slice"]): r for r in rows.to_dict("records")}

    def __call__(self, metric: str, slice_by: str = "", value: str = "") -> Reading:
        row = self._rows.get((metric, slice_by, value))
        if row is None:
            return missing("no_data", f"{metric} has no {slice_by} {value}".strip())
        return from_parts(row)

    def values(self, metric: str, slice_by: str) -> list[str]:
        return [value for name, by, value in self._rows if (name, by) == (metric, slice_by)]

    def rows(self, fact: str) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], self._facts[fact].to_dict("records"))


def _from_others(base: Base, metrics: list[Metric], rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The metrics worked out from others, quarter by quarter; a metric may read one worked out before it."""
    working = [m for m in metrics if m.of and not _why_not(base, m)]
    looked_up = {name: _collected(base, name) for name in {name for m in working for name in m.looks_up}}
    for quarter in base.shown:
        known = rows[rows["quarter"] == quarter.label]
        facts = {name: table[table["quarter"] == quarter.label] for name, table in looked_up.items()}
        for metric in working:
            worked: Worked = metric.function(_Lookup(known[known["metric"].isin(metric.of)], facts, base.company))
            readings = ({("", ""): worked.whole} if metric.has_whole else {}) | worked.slices
            made = pd.DataFrame([{**vars(r), "slice_by": by, "slice": value} for (by, value), r in readings.items()])
            made = made.assign(metric=metric.name, quarter=quarter.label, window=quarter.label)
            known = pd.concat([known, made], ignore_index=True)
            yield made


def _collected(base: Base, fact: str) -> pd.DataFrame:
    with base.noting(fact):
        rows = FACTS[fact].cut(Cut(base, "quarter"))
    return in_order(base, rows, FACTS[fact].one_row_per)


def _not_yet(base: Base, rows: pd.DataFrame) -> pd.DataFrame:
    """While a quarter runs, only its leading metrics have values, of the windows that have begun (S2-05, S2-08)."""
    running, known = base.shown[-1], base.company.known_until
    if not base.windows.is_running:
        return rows
    early = rows["metric"].map(lambda name: REGISTER[name].kind == "leading")
    own = rows["quarter"] == running.label
    rows = _emptied(rows, own & ~early, "not_applicable", "the quarter is not over")
    return _emptied(rows, own & early & (rows["period_start"] > known.isoformat()), "not_applicable", "has not begun")


def _finished(base: Base, rows: pd.DataFrame, profile: Profile | None) -> pd.DataFrame:
    """The contract's columns: what the metric says of itself, dates, comparison, target and status."""
    fields = ("version", "family", "unit", "scope", "counts", "better")
    for name in fields:
        rows[name] = rows["metric"].map({m.name: getattr(m, name) for m in REGISTER.values()})
    is_money = rows["unit"].isin(["money", "money_per_day"])
    rows["currency"] = is_money.map({True: base.config.company.currency, False: ""})
    known = base.company.known_until
    rows["as_of"] = rows["quarter"].map(
        {q.label: min(base.windows.as_of(q.end), known).isoformat() for q in base.quarters}
    )
    if profile:
        rows = protected(rows.reset_index(drop=True), profile, code_key(base.company.folder))
    rows = caveats.so_far(base, caveats.without_goal(targeted(base.company, compared(base, rows)))).assign(
        as_reported=float("nan")
    )
    floor, short = base.config.min_n.colour, is_short(base)
    rows["status"] = [status(cast(dict[str, Any], row), floor, short) for row in rows.to_dict("records")]
    for column in ("method", "missing_because", "caveats", "slice"):
        rows[column] = rows[column].fillna("").astype(str)
    numbers = [*NUMBERS, *COMPARED]
    rows[numbers] = rows[numbers].astype("float64").replace([float("inf"), float("-inf")], float("nan"))
    order = {name: place for place, name in enumerate(REGISTER)}
    rows = rows.sort_values(["metric", "slice_by", "slice", "quarter"], kind="stable")
    return rows.sort_values("metric", key=lambda names: names.map(order), kind="stable")[list(COLUMNS)].reset_index(
        drop=True
    )


def _dated(base: Base, rows: pd.DataFrame) -> pd.DataFrame:
    """`period_start` and `period_end`: the first day of the window and the day after its last."""
    kinds = ("quarter", "canonical", "trailing_4_quarters", "trailing_8_quarters", *LAST_DAYS, *TIME)
    spans = {(q.label, kind, w.label): w for kind in kinds for q, w in base.windows.spans(kind)}
    quarters = {q.label: q for q in base.quarters}
    periods = [
        spans.get((quarter, _kind(REGISTER[metric], by), window), quarters[quarter])
        for metric, quarter, by, window in rows[["metric", "quarter", "slice_by", "window"]].to_numpy()
    ]
    return rows.assign(
        period_start=[p.start.isoformat() for p in periods], period_end=[p.end.isoformat() for p in periods]
    )


def _kind(metric: Metric, slice_by: str) -> str:
    """The kind of window that a row of the metric is counted in."""
    return metric.also_window if slice_by == "window" else TIME.get(slice_by, metric.window)
