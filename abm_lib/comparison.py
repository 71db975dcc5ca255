"""What a reading is held against: the quarter before, the year before, the target; and the verdict."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd

from .company import Company
from .facts import FACTS, Base, Cut
from .slices import TIME
from .tables import ABOUT_DATA

RATES = ("share", "points", "score")
STEPS = {"month": (1, 12), "week": (1, 52)}


def compared(base: Base, rows: pd.DataFrame) -> pd.DataFrame:
    """`previous` and `year_ago`: the same metric and slice one quarter and four before; a month or week looks back by its own."""
    value = {tuple(key): v for *key, v in rows[["metric", "slice_by", "slice", "quarter", "value"]].to_numpy()}
    labels = {kind: [w.label for _, w in base.windows.spans(kind)] for kind in STEPS}
    places = {kind: {label: place for place, label in enumerate(named)} for kind, named in labels.items()}
    timed = {(metric, by, label): v for (metric, by, label, _), v in value.items() if by in STEPS}
    back = {q.label: [base.company.calendar.step(q, -n).label for n in (1, 4)] for q in base.quarters}

    def before(metric: str, by: str, label: str, quarter: str) -> list[Any]:
        if by in STEPS:
            here = places[by][label]
            return [timed.get((metric, by, labels[by][here - n])) if here >= n else None for n in STEPS[by]]
        if by == "quarter":
            return [value.get((metric, by, earlier, earlier)) for earlier in back[quarter]]
        if by == "year":
            return [None, value.get((metric, by, str(int(label) - 1), back[quarter][1]))]
        return [value.get((metric, by, label, earlier)) for earlier in back[quarter]]

    found = [before(*key) for key in rows[["metric", "slice_by", "slice", "quarter"]].to_numpy()]
    return rows.assign(previous=[f[0] for f in found], year_ago=[f[1] for f in found])


def targeted(company: Company, rows: pd.DataFrame) -> pd.DataFrame:
    """The target agreed for the same metric, period and slice; the budget for spend; the yardstick for coverage if agreed."""
    agreed = _targets(company)
    coverage = company.config.coverage

    def target(metric: str, by: str, label: str, quarter: str) -> float | None:
        found = agreed.get((metric, label, "", "")) if by in TIME else agreed.get((metric, quarter, by, label))
        if found is None and metric == "pipeline_coverage" and not by and coverage.agreed_by:
            return coverage.yardstick_by_quarter.get(quarter, coverage.yardstick)
        return found

    found = [target(*key) for key in rows[["metric", "slice_by", "slice", "quarter"]].to_numpy()]
    return rows.assign(target=pd.Series(found, index=rows.index, dtype="float64"))


def agreements(company: Company, quarter: str) -> dict[str, dict[str, str]]:
    """Who agreed the target of each whole metric for a quarter, when, and when it was changed afterwards (S0-58)."""
    table, names = _target_rows(company), ["agreed_by", "agreed_on", "amended_on"]
    whole = table[(table["period"] == quarter) & (table["slice_by"] == "")]
    told = {metric: rows for metric, *rows in whole[["metric", *names]].to_numpy()}
    coverage = company.config.coverage
    if coverage.agreed_by:
        told.setdefault("pipeline_coverage", [coverage.agreed_by])
    return {
        metric: {name: str(cell)[:10] if name.endswith("_on") else str(cell)
                 for name, cell in zip(names, cells, strict=False) if not pd.isna(cell)}
        for metric, cells in sorted(told.items())
    }  # fmt: skip


def _target_rows(company: Company) -> pd.DataFrame:
    """The targets in the reporting currency. Benchmarks never count as targets (C21)."""
    currency = company.config.company.currency
    table = company.tables.engine.collect(company.tables.targets).fillna(
        {"slice_by": "", "slice": "", "kind": "target", "currency": currency}
    )
    return table[(table["kind"] == "target") & (table["currency"] == currency)]


def _targets(company: Company) -> dict[tuple[str, ...], float]:
    """(metric, period, slice_by, slice) -> value, in the reporting currency."""
    currency, collect = company.config.company.currency, company.tables.engine.collect
    table = _target_rows(company)
    keys = ["metric", "period", "slice_by", "slice"]
    found = {tuple(key): float(value) for *key, value in table[[*keys, "value"]].to_numpy()}
    budgets = collect(company.tables.budgets)
    budgets = budgets[budgets["currency"] == currency].astype({"amount": "float64"})
    for by, named in ((["period"], ""), (["period", "channel"], "channel")):
        for key, amount in budgets.groupby(by)["amount"].sum().items():
            period, *rest = key if isinstance(key, tuple) else (key,)
            found.setdefault(("ad_spend", period, named, *(rest or [""])), float(amount))
    return found


def is_short(base: Base) -> bool:
    """Whether the company is known for too few quarters, or closed too few deals, for anything to be called better or worse."""
    least, last = base.config.min_n, base.shown[-1]
    dated = [first for name, (first, _) in base.company.spans.items() if name not in ABOUT_DATA]
    known = [quarter for quarter in base.quarters if quarter.start >= min(dated, default=last.end)]
    if len(known) < least.quarters:
        return True
    closed = FACTS["opportunities_closed"]
    if not base.company.tables.delivered.issuperset(closed.needs):
        return False  # what else it shows is not counted in deals
    deals = closed.cut(Cut(base, "trailing_8_quarters")).filter(nw.col("quarter") == last.label).select(deals=nw.len())
    return int(base.tables.engine.collect(deals)["deals"].iloc[0]) < least.deals


def status(row: dict[str, Any], floor: int, short: bool = False) -> str:
    """Good or bad where the range, or a known total, clears the target; unclear where it does not; else why there is none."""
    value, target = row["value"], row["target"]
    if pd.isna(value) or row["better"] == "neither":
        return "none"
    if short:
        return "small_n"
    if pd.isna(target):
        return "no_target"
    if row["unit"] in RATES and row["n"] < floor:
        return "small_n"
    sign = 1 if row["better"] == "higher" else -1
    unknown = pd.isna(row["low"]) or pd.isna(row["high"])
    worst, best = sorted(sign * end for end in ((value, value) if unknown else (row["low"], row["high"])))
    if worst >= sign * target:
        return "good"
    return "bad" if best < sign * target else "unclear"
