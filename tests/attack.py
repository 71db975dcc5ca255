"""The attack of S4: all that can be worked out from published readings about the numbers that they hide.

The attacker knows every rule of the report and, more than any reader could, which published sums really hold: wherever the
exact numbers add up or run in step, that is used as an equation. What is published is a range, what is hidden is unknown,
and each hidden number is bounded by linear programmes over all equations that touch it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array

from abm_lib.disclosure import PROFILES, ROLLED_UP, _is_account_money, _parts_of_people

KEY = ["metric", "slice_by", "slice", "quarter"]
Found = tuple[tuple[Any, ...], float]  # metric, part, slice_by, slice, quarter; and its true value
Equation = tuple[Sequence[int], Sequence[float]]
Cells = dict[str, tuple[int, float]]  # a slice's variable and its true value
SHARED = PROFILES["shared"]


def cells(exact: pd.DataFrame, published: pd.DataFrame, kind: str) -> pd.DataFrame:
    """One row for each part that counts people (or is account money): `true`, and the range `low` to `high` that is published."""
    both = exact.merge(published, on=KEY, suffixes=("", "_published"), how="inner", validate="one_to_one")
    if kind == "people":
        of = _parts_of_people(both)
    else:
        money = _is_account_money(both)
        of = pd.DataFrame({part: money & (both[part].abs() >= 1000) for part in ("value", "numerator", "denominator")})
    found = []
    for part in of:
        twice = (both[part] == both["numerator"]) | (both[part] == both["denominator"]) if part == "n" else False
        chosen = both[of[part] & both[part].notna() & ~pd.Series(twice, index=both.index)]
        true, told = chosen[part].astype(float), chosen[f"{part}_published"].astype(float)
        if kind == "people":
            low, high = np.maximum(told - SHARED.base // 2, np.minimum(told, SHARED.people)), told + SHARED.base // 2
            high = high.where(told > 0, told)
        else:
            half = 10.0 ** (np.floor(np.log10(told.abs().where(told.abs() > 0, 1))) - 2) / 2
            low, high = told - half, told + half
        found.append(chosen[KEY].assign(part=part, true=true, low=low, high=high, hidden=told.isna()))
    return pd.concat(found, ignore_index=True)


def recovered(editions: Sequence[pd.DataFrame], tolerance: float = 0.999) -> list[Found]:
    """The hidden numbers above zero that all editions together give away: their least and greatest value are `tolerance` apart."""
    table = pd.concat([cells.assign(edition=i) for i, cells in enumerate(editions)], ignore_index=True)
    table["variable"] = _variables(table)
    # The reader knows what cannot be negative: bookings cannot, their change can.
    negative = table["true"].groupby([table["metric"], table["part"]]).transform("min") < 0
    table["low"] = table["low"].fillna(negative.map({True: -1e12, False: 0.0}))
    numbers = table.groupby("variable")
    low, high = numbers["low"].max(), numbers["high"].min()
    true, hidden = numbers["true"].first(), numbers["hidden"].any()
    exact = (low == high) & hidden & (true > 0)  # hidden in one place, told in another
    found = set(exact.index[exact])
    wanted = set(hidden.index[hidden & (true > 0)]) - found
    for part in _components(_equations(table)):
        found.update(_pinned(part, wanted, low, high, tolerance))
    names = table.drop_duplicates("variable").set_index("variable")[["metric", "part", "slice_by", "slice", "quarter"]]
    return [(tuple(names.loc[v]), float(true[v])) for v in sorted(found)]


class _Union:
    """Things that are one and the same."""

    def __init__(self) -> None:
        self.parent: dict[Any, Any] = {}

    def root(self, x: Any) -> Any:
        while self.parent.setdefault(x, x) != x:
            self.parent[x] = x = self.parent[self.parent[x]]
        return x

    def join(self, x: Any, y: Any) -> None:
        self.parent[self.root(x)] = self.root(y)


def _variables(table: pd.DataFrame) -> list[int]:
    """One variable for each number: the same cell in several editions while it is unchanged, and series that run in step."""
    same = _Union()
    series: dict[Any, list[tuple[str, float]]] = defaultdict(list)
    rows = list(
        table[["metric", "part", "slice_by", "slice", "quarter", "true", "edition"]].itertuples(index=False, name=None)
    )
    for metric, part, by, label, quarter, true, edition in rows:
        series[metric, part, by, label, edition].append((quarter, true))
    for metric, part, by, label, quarter, true, edition in rows:
        steps = series[metric, part, by, label, edition]
        if len(steps) >= 6 and len({value for _, value in steps}) >= 3:
            same.join((metric, part, by, label, quarter, true), ("step", tuple(sorted(steps)), quarter))
    place: dict[Any, int] = {}
    return [place.setdefault(same.root(row[:6]), len(place)) for row in rows]


def _equations(table: pd.DataFrame) -> Iterator[Equation]:
    """Variables that add up to zero with these factors, wherever that is true."""
    groups: dict[Any, dict[tuple[str, str], Cells]] = defaultdict(lambda: defaultdict(dict))
    for edition, metric, part, by, label, quarter, variable, true in table[
        ["edition", "metric", "part", "slice_by", "slice", "quarter", "variable", "true"]
    ].itertuples(index=False, name=None):
        groups[edition, metric, part][by, quarter][label] = (variable, true)
    for tables in groups.values():
        for (by, quarter), cells_here in tables.items():
            if by in ROLLED_UP or not by:
                yield from _over_time(tables, by, quarter)
                continue
            yield from _adds_up(tables.get(("", quarter), {}).get(""), cells_here.values())
            for place, dimension in enumerate(by.split("/") if "/" in by else []):
                for label, whole in tables.get((dimension, quarter), {}).items():
                    yield from _adds_up(whole, [c for name, c in cells_here.items() if name.split("/")[place] == label])


def _adds_up(whole: tuple[int, float] | None, parts: Iterable[tuple[int, float]]) -> Iterator[Equation]:
    parts = list(parts)
    if (
        whole
        and parts
        and abs(sum(true for _, true in parts) - whole[1]) < 1e-6
        and [whole[0]] != [v for v, _ in parts]
    ):
        yield [whole[0], *(variable for variable, _ in parts)], [-1.0, *[1.0] * len(parts)]


def _over_time(tables: dict[tuple[str, str], Cells], by: str, quarter: str) -> Iterator[Equation]:
    """Years, trailing windows and wholes as sums of the quarters told as wholes or as slices."""
    for whole in tables[by, quarter].values():
        for single in ("", "quarter"):
            told = {q: next(iter(cells_of.values())) for (b, q), cells_of in tables.items() if b == single}
            until = sorted(q for q in told if q <= quarter)
            for span in (until[-1:], until[-4:], [q for q in until if q[:4] == quarter[:4]]):
                yield from _adds_up(whole, [told[q] for q in span])


def _components(equations: Iterable[Equation]) -> list[list[Equation]]:
    """Equations that share variables, together."""
    kept, same = (
        list({tuple(sorted(zip(*equation, strict=True))): equation for equation in equations}.values()),
        _Union(),
    )
    for variables, _ in kept:
        for other in variables[1:]:
            same.join(other, variables[0])
    parts: dict[Any, list[Equation]] = defaultdict(list)
    for equation in kept:
        parts[same.root(equation[0][0])].append(equation)
    return list(parts.values())


def _pinned(part: list[Equation], wanted: set[int], low: pd.Series, high: pd.Series, tolerance: float) -> list[int]:
    """The wanted variables of a component whose least and greatest value leave no room between them."""
    place = {v: i for i, v in enumerate(sorted({v for variables, _ in part for v in variables}))}
    left = [v for v in place if v in wanted]
    if not left:
        return []
    entries = [(row, place[v], f) for row, (vs, fs) in enumerate(part) for v, f in zip(vs, fs, strict=True)]
    rows, columns, factors = zip(*entries, strict=True)
    matrix = csr_array((factors, (rows, columns)), shape=(len(part), len(place)))
    bounds = [(low[v], 1e12 if np.isnan(high[v]) else high[v]) for v in place]

    def room(cost: np.ndarray) -> np.ndarray:
        ends = []
        for sign in (1, -1):
            solved = linprog(sign * cost, A_eq=matrix, b_eq=np.zeros(len(part)), bounds=bounds, method="highs")
            assert solved.status == 0, solved.message
            ends.append(solved.x)
        return np.abs(ends[1] - ends[0])

    pinned = []
    while left:
        v = left.pop()
        apart = room(np.bincount([place[v]], minlength=len(place)).astype(float))
        if apart[place[v]] <= tolerance:
            pinned.append(v)
        # Two answers that differ elsewhere show room there too.
        left = [other for other in left if apart[place[other]] <= tolerance]
    return pinned
