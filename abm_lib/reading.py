"""One number: worked out from a formula's amounts, with its parts, its interval, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import intervals, survival
from .formula import Formula

PARTS = ("value", "numerator", "denominator", "n", "low", "high", "method", "missing_because", "caveat")
NUMBERS = list(PARTS[:6])
Numbers = NDArray[np.float64]
MOST_OF_IT = 0.5  # of a total, above which one row of it is told
Parts = dict[str, NDArray[Any]]  # PARTS of many readings, each a column
Rows = Mapping[str, NDArray[Any]]  # `top`, and what else the formula has: `bottom`, `event`, `instead`, `limit`


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


def from_parts(row: Mapping[Any, Any]) -> Reading:
    """The reading in a row of a table, whose empty cells are nan."""
    parts: dict[str, Any] = {part: None if pd.isna(row[part]) else row[part] for part in PARTS}
    return Reading(**parts)


def work_out(formula: Formula, amounts: Sequence[Numbers], rows: Sequence[Rows | None], seeds: Sequence[str]) -> Parts:
    """Readings, an array for each of PARTS, from their amounts in the order of `formula.amounts()`.

    `rows` has the rows behind each reading, where the formula needs them, and `seeds` says which number each is.
    """
    given = iter(amounts)
    numerator = next(given)
    denominator = next(given) if formula.denominator is not None else None
    n = next(given) if formula.n is not None else (denominator if denominator is not None else numerator)
    have_of = (next(given), next(given)) if formula.given else None
    if formula.statistic != "ratio":
        parts = _table([_from_rows(formula, each, seed) for each, seed in zip(rows, seeds, strict=True)])
    elif formula.against is not None:
        others = [numerator, *([] if denominator is None else [denominator]), *given]
        kind = _net_score if formula.interval == "net promoter" else _difference
        parts = _table([kind(formula, *each) for each in zip(*(other.tolist() for other in others), strict=True)])
    elif denominator is None:
        parts = _columns(numerator, numerator, np.full(len(n), np.nan), n)
    else:
        parts = _quotients(formula, numerator, denominator, n, rows, seeds)
    return _withheld(formula, parts, n, *have_of) if have_of and formula.given else parts


def as_rows(table: pd.DataFrame) -> Rows:
    """Columns as arrays, as far as they are there: numbers, and what happened; an unknown event has not."""
    rows = {name: table[name].to_numpy(dtype=float) for name in ("top", "bottom", "limit") if name in table}
    events = [name for name in ("event", "instead") if name in table]
    return rows | {name: table[name].fillna(False).to_numpy(dtype=bool) for name in events}


def by_unit(rows: pd.DataFrame, keys: list[str], unit: str, columns: list[str]) -> pd.DataFrame:
    """One row for each value of `unit` within the keys, its columns added up; a row without a value stands for itself."""
    alone = rows[unit].isna()
    added = rows[~alone].groupby([*keys, unit], as_index=False, observed=True)[columns].sum(min_count=1)
    return pd.concat([added, rows[alone]], ignore_index=True)


def _table(readings: list[Reading]) -> Parts:
    columns = {part: [getattr(reading, part) for reading in readings] for part in PARTS}
    return {part: np.array(each, float if part in NUMBERS else object) for part, each in columns.items()}


def _columns(value: Numbers, numerator: Numbers, denominator: Numbers, n: Numbers, low: Numbers | float = np.nan,
             high: Numbers | float = np.nan, method: Any = "") -> Parts:  # fmt: skip
    numbers = {"value": value, "numerator": numerator, "denominator": denominator, "n": n, "low": low, "high": high}
    words = {"method": method, "missing_because": "", "caveat": ""}
    size = len(value)
    return {name: np.broadcast_to(np.asarray(each, float), size) for name, each in numbers.items()} | {
        name: np.broadcast_to(np.asarray(each, object), size) for name, each in words.items()
    }


def emptied(parts: Parts, gone: NDArray[np.bool_], code: str, why: Any, numbers: list[str] = NUMBERS) -> Parts:
    """The readings with the numbers taken out where `gone`, and the reason put in: one, or one for each that is gone."""
    if not gone.any():
        return parts
    filled = dict.fromkeys(numbers, np.nan) | {"method": "", "missing_because": code, "caveat": why}
    changed = {name: parts[name].copy() for name in filled}
    for name, value in filled.items():
        changed[name][gone] = value
    return parts | changed


def _withheld(formula: Formula, parts: Parts, n: Numbers, have: Numbers, of: Numbers) -> Parts:
    """No value where fewer rows than asked for have what it needs."""
    assert formula.given is not None
    floor, words = formula.given[2:]
    gone = have < floor * of
    why = [f"{h:.0f} of {o:.0f} {words}; {floor:.0%} are needed" for h, o in zip(have[gone], of[gone], strict=True)]
    withheld = parts | {"n": np.where(gone, n, parts["n"])}
    return emptied(withheld, gone, "withheld", why, [*NUMBERS[:3], "low", "high"])


def priced(parts: Parts, rows: Numbers, with_amount: Numbers) -> Parts:
    """Rows without an amount are counted, not priced; where none has one there is no amount, and certainly not 0."""
    none = (rows != 0) & (with_amount == 0)
    some = (with_amount < rows) & ~none & (parts["missing_because"] == "")
    if some.any():
        caveats = parts["caveat"].copy()
        lacking = zip((rows - with_amount)[some], rows[some], strict=True)
        caveats[some] = [f"{lacks:.0f} of {of:.0f} carry no amount or no exchange rate" for lacks, of in lacking]
        parts = parts | {"caveat": caveats}
    why = [f"none of {of:.0f} carries an amount" for of in rows[none]]
    return emptied(parts, none, "no_data", why, [*NUMBERS[:3], "low", "high"])


def concentrated(parts: Parts, largest: Numbers, n: Numbers) -> Parts:
    """A total of which one of its `n` opportunities is more than half says so (F135); of a single one the count says it."""
    value = parts["value"]
    share = np.divide(largest, value, out=np.zeros(len(value)), where=value > 0)
    one = (share > MOST_OF_IT) & (n > 1) & (parts["missing_because"] == "")
    if not one.any():
        return parts
    caveats = parts["caveat"].copy()
    told = [
        f"the largest of {of:.0f} opportunities is {part:.0%} of it"
        for of, part in zip(n[one], share[one], strict=True)
    ]
    caveats[one] = ["; ".join(filter(None, pair)) for pair in zip(caveats[one], told, strict=True)]
    return parts | {"caveat": caveats}


def _quotients(
    formula: Formula, top: Numbers, bottom: Numbers, n: Numbers, rows: Sequence[Rows | None], seeds: Sequence[str]
) -> Parts:
    """One amount over another where that is a number, with the interval that the formula asks for."""
    nothing = bottom <= 0
    beyond = ~nothing & (top > bottom) if formula.interval == "wilson" else np.zeros(len(top), bool)
    known = ~nothing & ~beyond
    value = np.divide(top, bottom, out=np.full(len(top), np.nan), where=known)
    low, high, method = _interval(formula, np.where(known, top, 0), np.where(known, bottom, 0), rows, seeds)
    parts = _columns(value, top, bottom, n, low, high, method)
    parts = emptied(parts, nothing, "undefined", formula.nothing, [])
    more = [f"{a:g} of {b:g}: more than there were" for a, b in zip(top[beyond], bottom[beyond], strict=True)]
    return emptied(parts, beyond, "undefined", more, [])


def _interval(
    formula: Formula, top: Numbers, bottom: Numbers, rows: Sequence[Rows | None], seeds: Sequence[str]
) -> tuple[Any, Any, Any]:
    """`low`, `high` and `method` of each quotient; none where the denominator is 0."""
    if formula.interval == "wilson":
        low, high = intervals.wilson(top, bottom)
        return low, high, np.where(bottom > 0, "Wilson, 95%", "")
    low, high = np.full(len(top), np.nan), np.full(len(top), np.nan)
    if formula.interval == "bootstrap":
        for place in np.flatnonzero(bottom > 0).tolist():
            if (units := rows[place]) is not None:
                has = ~np.isnan(units["bottom"])
                tops, bottoms = units["top"][has], units["bottom"][has]
                drawn = intervals.bootstrap(np.where(np.isnan(tops), 0.0, tops), bottoms, seed_text=seeds[place])
                low[place], high[place] = drawn
    return low, high, np.where(np.isnan(low), "", "bootstrap, 95%")


def _difference(formula: Formula, k1: float, n1: float, k2: float, n2: float, *_: float) -> Reading:
    if n1 <= 0 or n2 <= 0:
        return missing("undefined", formula.nothing, n=n1 + n2)
    low, high = intervals.newcombe(k1, n1, k2, n2)
    value = k1 / n1 - k2 / n2
    method = f"Newcombe, 95%, against {round(k2, 1):g} of {round(n2, 1):g}"
    return Reading(value, k1, n1, n1 + n2, float(low), float(high), method)


def _net_score(formula: Formula, promoters: float, answers: float, detractors: float, *_: float) -> Reading:
    if answers <= 0:
        return missing("undefined", formula.nothing, n=answers)
    low, high = intervals.net_promoter(promoters, detractors, answers)
    net, hundreds = promoters - detractors, answers / 100
    score = net / hundreds
    # Where all of a few answers say the same, the adjusted range ends short of the score itself.
    return Reading(score, net, hundreds, answers, min(low, score), max(high, score), "adjusted Wald, 95%")


def _from_rows(formula: Formula, rows: Rows | None, seed: str) -> Reading:
    """A statistic of the rows that have a value; waits that still go on count as such."""
    has = ~np.isnan(rows["top"]) if rows is not None else np.zeros(0, bool)
    if rows is None or not has.any():
        return missing("undefined", formula.nothing, n=0.0)
    own = {name: column[has] for name, column in rows.items()}
    (value, low, high), method, why = OF_ROWS[formula.statistic](own, seed)
    if math.isnan(value):
        return missing("undefined", why, n=float(has.sum()))
    ends = [None if math.isnan(end) else float(end) for end in (low, high)]
    return Reading(value, None, None, float(has.sum()), ends[0], ends[1], method if ends != [None, None] else "")


Told = tuple[tuple[float, float, float], str, str]  # value, low, high; the method; why there may be no value


def _median(rows: Rows, seed: str) -> Told:
    low, high = intervals.median_interval(rows["top"])
    return (float(np.median(rows["top"])), low, high), "order statistics, 95%", ""


def _median_wait(rows: Rows, seed: str) -> Told:
    found = survival.median_wait(rows["top"], rows["event"])
    return found, "Kaplan–Meier, log-log band, 95%", "fewer than half have come so far"


def _median_to_come(rows: Rows, seed: str) -> Told:
    found = survival.median_of_those_to_come(rows["top"], rows["event"], rows["instead"])
    return found, "Aalen–Johansen, log-log band, 95%", "none has come so far"


def _mean_to_come(rows: Rows, seed: str) -> Told:
    low, high = intervals.resampled(rows, _mean_of, seed_text=seed)
    return (_mean_of(rows), low, high), "Aalen–Johansen, bootstrap, 95%", "none has come so far"


def _mean_of(rows: Rows) -> float:
    return survival.mean_of_those_to_come(rows["top"], rows["event"], rows["instead"])


def _share_within(rows: Rows, seed: str) -> Told:
    limit = float(rows["limit"][0])
    if rows["top"].max() < limit and not (rows["event"] | rows["instead"]).all():
        return (math.nan, math.nan, math.nan), "", f"none has been seen for {limit:g} days"
    curve = survival.aalen_johansen(rows["top"], rows["event"], rows["instead"])
    return curve.at(limit), "Aalen–Johansen, log-log band, 95%", ""


OF_ROWS: dict[str, Callable[[Rows, str], Told]] = {
    "median": _median,
    "survival": _median_wait,
    "to come": _median_to_come,
    "mean to come": _mean_to_come,
    "within": _share_within,
}
