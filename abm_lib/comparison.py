"""What a reading is held against: the quarter before, the year before, the target; and the verdict."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .company import Company
from .facts import Base
from .reader import TIME


def compared(base: Base, rows: pd.DataFrame) -> pd.DataFrame:
    """`previous` and `year_ago`: the same metric and slice one quarter and four quarters before; months look back by months."""
    step = {
        q.label: (base.company.calendar.step(q, -1).label, base.company.calendar.step(q, -4).label)
        for q in base.quarters
    }
    value = {
        (m, by, s, q): v for m, by, s, q, v in rows[["metric", "slice_by", "slice", "quarter", "value"]].to_numpy()
    }
    in_order = {kind: [w.label for q, w in base.windows.spans(kind)] for kind in ("month", "week")}
    place = {kind: {label: i for i, label in enumerate(labels)} for kind, labels in in_order.items()}
    by_label = {(m, by, s): v for (m, by, s, _), v in value.items()}
    before: list[Any] = []
    for m, by, s, q in rows[["metric", "slice_by", "slice", "quarter"]].to_numpy():
        if by in place:
            here = place[by][s]
            back = (here - 1, here - (12 if by == "month" else 52))
            before.append([by_label.get((m, by, in_order[by][i])) if i >= 0 else None for i in back])
        elif by in TIME:
            labels = step[q] if by == "quarter" else ("", str(int(s) - 1))
            before.append([value.get((m, by, label, step[q][i])) for i, label in enumerate(labels)])
        else:
            before.append([value.get((m, by, s, label)) for label in step[q]])
    return rows.assign(previous=[b[0] for b in before], year_ago=[b[1] for b in before])


def targeted(company: Company, rows: pd.DataFrame) -> pd.DataFrame:
    """The target agreed for the same metric, period and slice; the budget for ad spend; the yardstick for coverage if agreed."""
    agreed = _targets(company)
    coverage = company.config.coverage
    found = []
    for m, by, s, q in rows[["metric", "slice_by", "slice", "quarter"]].to_numpy():
        target = agreed.get((m, s, "", "")) if by in TIME else agreed.get((m, q, by, s))
        if target is None and m == "pipeline_coverage" and not by and coverage.agreed_by:
            target = coverage.yardstick_by_quarter.get(q, coverage.yardstick)
        found.append(target)
    return rows.assign(target=found)


def _targets(company: Company) -> dict[tuple[str, str, str, str], float]:
    """(metric, period, slice_by, slice) -> value, in the reporting currency. Benchmarks never count as targets (C21)."""
    currency, collect = company.config.company.currency, company.tables.engine.collect
    table = collect(company.tables.targets)
    table = table[(table["kind"].fillna("target") == "target") & (table["currency"].fillna(currency) == currency)]
    found = {(r["metric"], r["period"], r["slice_by"] or "", r["slice"] or ""): r["value"]
             for r in table.fillna({"slice_by": "", "slice": ""}).to_dict("records")}  # fmt: skip
    budgets = collect(company.tables.budgets)
    budgets = budgets[budgets["currency"] == currency].assign(amount=lambda b: b["amount"].astype(float))
    for period, amount in budgets.groupby("period")["amount"].sum().items():
        found.setdefault(("ad_spend", str(period), "", ""), float(amount))
    for (period, channel), amount in budgets.groupby(["period", "channel"])["amount"].sum().items():
        found.setdefault(("ad_spend", str(period), "channel", str(channel)), float(amount))
    return found


def status(row: dict[str, Any], floor: int) -> str:
    """good or bad where the range, or a known total, clears the target; unclear where it does not; else why there is no verdict."""
    value, target = row["value"], row["target"]
    if pd.isna(value) or row["better"] == "neither":
        return "none"
    if pd.isna(target) or target is None:
        return "no_target"
    if row["_floor"] and row["n"] < floor:
        return "small_n"
    sign = 1 if row["better"] == "higher" else -1
    low, high = (value, value) if pd.isna(row["low"]) or pd.isna(row["high"]) else (row["low"], row["high"])
    worst, best = sorted((sign * low, sign * high))
    if worst >= sign * target:
        return "good"
    return "bad" if best < sign * target else "unclear"
