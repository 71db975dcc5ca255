"""One number: worked out from a formula's amounts, with its parts, its interval, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pandas as pd

from . import intervals
from .formula import Formula


@dataclass(frozen=True)
class Reading:
    """One number: the value or why there is none, its parts, and its interval. `n` counts the units behind it."""

    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    n: float | None = None
    low: float | None = None
    high: float | None = None
    method: str = ""
    missing_because: str = ""
    caveat: str = ""

    def __str__(self) -> str:
        return f"{self.value:g}" if self.value is not None else f"{self.missing_because}: {self.caveat}"


def missing(code: str, why: str, **parts: Any) -> Reading:
    return Reading(None, missing_because=code, caveat=why, **parts)


@dataclass(frozen=True)
class Worked:
    """A metric worked out from readings of others: the whole, and slices by (slice_by, slice)."""

    whole: Reading
    slices: dict[tuple[str, str], Reading] = field(default_factory=dict)


def work_out(formula: Formula, amounts: list[float], rows: pd.DataFrame | None, seed: str) -> Reading:
    """One reading from its amounts, in the order of `formula.amounts()`, and the rows where the formula needs them."""
    given = iter(amounts)
    numerator = next(given)
    denominator = next(given) if formula.denominator is not None else None
    n = next(given) if formula.n is not None else (denominator if denominator is not None else numerator)
    if formula.given:
        have, of, (floor, words) = next(given), next(given), formula.given[2:]
        if have < floor * of:
            return missing("withheld", f"{have:.0f} of {of:.0f} {words}; {floor:.0%} are needed", n=n)
    if formula.statistic != "ratio":
        return _from_rows(formula, rows)
    if formula.interval == "net promoter":
        return _net_score(formula, numerator, next(given), cast(float, denominator))
    if formula.against is not None:
        return _difference(formula, numerator, cast(float, denominator), next(given), next(given))
    if denominator is None:
        return Reading(numerator, numerator, None, n)
    if denominator <= 0:
        return missing("undefined", formula.nothing, numerator=numerator, denominator=denominator, n=n)
    if formula.interval == "wilson" and numerator > denominator:
        found = f"{numerator:g} of {denominator:g}: more than there were"
        return missing("undefined", found, numerator=numerator, denominator=denominator, n=n)
    low, high, method = _interval(formula, numerator, denominator, rows, seed)
    return Reading(numerator / denominator, numerator, denominator, n, low, high, method)


def _interval(
    formula: Formula, numerator: float, denominator: float, rows: pd.DataFrame | None, seed: str
) -> tuple[float | None, float | None, str]:
    if formula.interval == "wilson":
        low, high = intervals.wilson(numerator, denominator)
        return float(low), float(high), "Wilson, 95%"
    if formula.interval == "bootstrap" and rows is not None:
        kept = rows.dropna(subset=["bottom"])
        low, high = intervals.bootstrap(kept["top"].fillna(0.0), kept["bottom"], seed_text=seed)
        return (low, high, "bootstrap, 95%") if not math.isnan(low) else (None, None, "")
    return None, None, ""


def _difference(formula: Formula, k1: float, n1: float, k2: float, n2: float) -> Reading:
    if n1 <= 0 or n2 <= 0:
        return missing("undefined", formula.nothing, n=n1 + n2)
    low, high = intervals.newcombe(k1, n1, k2, n2)
    value = k1 / n1 - k2 / n2
    method = f"Newcombe, 95%, against {round(k2, 1):g} of {round(n2, 1):g}"
    return Reading(value, k1, n1, n1 + n2, float(low), float(high), method)


def _net_score(formula: Formula, promoters: float, detractors: float, answers: float) -> Reading:
    if answers <= 0:
        return missing("undefined", formula.nothing, n=answers)
    low, high = intervals.net_promoter(promoters, detractors, answers)
    net, hundreds = promoters - detractors, answers / 100
    return Reading(net / hundreds, net, hundreds, answers, low, high, "adjusted Wald, 95%")


def _from_rows(formula: Formula, rows: pd.DataFrame | None) -> Reading:
    """A median over the rows that have a value, or a median time with the rows still waiting counted as such."""
    kept = rows.dropna(subset=["top"]) if rows is not None else pd.DataFrame({"top": [], "event": []})
    if kept.empty:
        return missing("undefined", formula.nothing, n=0.0)
    values = kept["top"].to_numpy(dtype=float)
    if formula.statistic == "median":
        low, high = intervals.median_interval(values)
        method = "order statistics, 95%"
        value, n = float(np.median(values)), float(len(values))
    else:
        value, low, high, n = intervals.kaplan_meier_median(values, kept["event"].fillna(False).to_numpy(dtype=bool))
        method = "Kaplan–Meier, log-log band, 95%"
        if math.isnan(value):
            return missing("undefined", "fewer than half have come so far", n=float(n))
    ends = [None if math.isnan(end) else float(end) for end in (low, high)]
    return Reading(value, None, None, float(n), ends[0], ends[1], method if ends != [None, None] else "")
