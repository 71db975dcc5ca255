"""From formulas to readings: one query per fact and slice set, and one tidy row for every number of the product.

Medians, survival and resampled intervals need the rows themselves; they share one pull of the fact and are exempt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, cast

import narwhals as nw
import numpy as np
import pandas as pd

from .errors import Fault, UsageError
from .facts import FACTS, Base, Cut
from .formula import Formula, Term
from .metric import Metric
from .reading import Reading, missing, work_out
from .store import DuckDB

STATISTIC = "statistic"
Place = tuple[str, str]  # fact, kind of windows
PARTS = ("value", "numerator", "denominator", "n", "low", "high", "method", "missing_because", "caveat")
# Slices read for the quarter reported only.
ONE_QUARTER = {"account", "campaign", "asset", "email", "landing_page", "next_page", "faulty", "owner"}
MOST_VALUES = 50  # as is every slice with more values than this
TIME = {"month": "month", "week": "week", "quarter": "quarter", "year": "year"}


@dataclass(frozen=True)
class SliceSet:
    """One way of slicing: the name a reading carries, the windows it needs, and the columns it groups by.

    `statistic` is no column: it names a slice that holds another statistic of the same rows.
    """

    name: str
    kind: str
    columns: tuple[str, ...] = ()

    @property
    def is_time(self) -> bool:
        return self.name in TIME

    @property
    def is_cohort(self) -> bool:
        return self.kind == "cohort"


def slice_sets(metric: Metric) -> list[SliceSet]:
    """The whole, then each slice that the metric declares."""
    sets = [SliceSet("", metric.window)]
    for name in metric.by:
        is_column = name not in TIME and name != "window"
        columns = tuple(part for part in name.split("/") if part != STATISTIC) if is_column else ()
        kind = metric.also_window if name == "window" else TIME.get(name, metric.window)
        sets.append(SliceSet(name, kind, columns))
    return sets


class Reader:
    """Reads formulas over one company's facts. All metrics are planned first, so that each query runs once."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.queries = 0
        self._frames: dict[Place, nw.LazyFrame[Any]] = {}
        self._schemas: dict[Place, list[str]] = {}
        self._planned: dict[tuple[str, str, tuple[str, ...]], dict[str, nw.Expr]] = defaultdict(dict)
        self._answers: dict[tuple[str, str, tuple[str, ...]], pd.DataFrame] = {}
        self._row_columns: dict[Place, dict[str, nw.Expr]] = defaultdict(dict)
        self._rows: dict[Place, pd.DataFrame] = {}
        self._days: dict[str, tuple[dict[str, str], nw.LazyFrame[Any]]] = {}

    def plan(self, metrics: Iterable[Metric]) -> None:
        """Note every aggregate and every row column that the metrics will ask for."""
        for metric in metrics:
            for chosen in slice_sets(metric):
                formula = metric.formula.in_slice(chosen.name)
                for term in _terms(formula):
                    self._plan_term(term, metric.scope, chosen)
                if _needs_rows(formula):
                    self._plan_rows(metric, chosen, formula)

    def _plan_term(self, term: Term, scope: str, chosen: SliceSet) -> None:
        limit = self._scope(term.fact, chosen.kind, scope, chosen.columns)
        columns = () if term.whole else chosen.columns
        planned, name = self._planned[term.fact, chosen.kind, columns], _name(term, limit)
        planned[name] = term.aggregate(limit)
        if term.how == "money":
            planned[f"rows of {name}"] = term.rows(limit)
            planned[f"priced of {name}"] = nw.when(~term.contribution(limit).is_null()).then(1).otherwise(0).sum()

    def _plan_rows(self, metric: Metric, chosen: SliceSet, formula: Formula) -> None:
        fact = formula.numerator.terms[0].fact
        limit = self._scope(fact, chosen.kind, metric.scope, chosen.columns)
        columns = self._row_columns[fact, chosen.kind]
        for part, amount in (("top", formula.numerator), ("bottom", formula.denominator)):
            if amount is not None:
                (term,) = amount.terms
                value = term.contribution(limit).cast(nw.Float64)
                columns[f"{metric.name}:{chosen.name}:{part}"] = value / 100 if term.how == "money" else value
        if formula.event is not None:
            columns[f"{metric.name}:{chosen.name}:event"] = formula.event
        columns |= {column: nw.col(column) for column in chosen.columns}

    def frame(self, fact: str, kind: str) -> nw.LazyFrame[Any]:
        if (fact, kind) not in self._frames:
            frame = FACTS[fact].cut(Cut(self.base, kind)).filter(self.base.is_shown)
            self._frames[fact, kind] = self.base.tables.engine.keep(frame) if FACTS[fact].is_held else frame
            self._schemas[fact, kind] = self._frames[fact, kind].collect_schema().names()
        return self._frames[fact, kind]

    def _scope(self, fact: str, kind: str, scope: str, columns: tuple[str, ...]) -> nw.Expr | None:
        """New business only, where the metric says so and the slice does not tell business types apart itself."""
        if scope == "all" or "business_type" in columns:
            return None
        self.frame(fact, kind)
        return nw.col("business_type") == "new" if "business_type" in self._schemas[fact, kind] else None

    def answer(self, fact: str, kind: str, columns: tuple[str, ...]) -> pd.DataFrame:
        """Every planned aggregate of one fact and slice set, in one query, indexed by quarter, window and slice values."""
        place = (fact, kind, columns)
        if place not in self._answers:
            self.queries += 1
            keys = ["quarter", "window", *columns]
            frame, planned = self._source(place)
            query = frame.group_by(*keys).agg(**{f"a{i}": expression for i, expression in enumerate(planned)})
            # A row that a slice does not concern has no value for it: the target of the whole has no segment.
            table = (
                self.base.tables.engine.collect(query)
                .dropna(subset=keys)
                .set_index(keys)
                .sort_index()
                .astype("float64")
            )
            self._answers[place] = table.set_axis(list(self._planned[place]), axis=1)
        return self._answers[place]

    def _source(self, place: tuple[str, str, tuple[str, ...]]) -> tuple[nw.LazyFrame[Any], list[nw.Expr]]:
        """What a query groups, and its aggregates in the order planned: rows of the fact, or sums of its days."""
        fact, kind, _ = place
        planned = self._planned[place]
        if not FACTS[fact].by_day or any(name.startswith("distinct") for name in planned):
            return self.frame(fact, kind), list(planned.values())
        if fact not in self._days:
            self._days[fact] = self._added_up(fact)
        places, days = self._days[fact]
        windows = self.base.windows.days(kind)
        return days.join(windows, on="day").filter(self.base.is_shown), [nw.col(places[name]).sum() for name in planned]

    def _added_up(self, fact: str) -> tuple[dict[str, str], nw.LazyFrame[Any]]:
        """A fact added up by day and by every column it is sliced by, for all windows at once; and the column of each sum."""
        every = {place: planned for place, planned in self._planned.items() if place[0] == fact}
        columns = sorted({column for place in every for column in place[2]})
        sums = {name: e for planned in every.values() for name, e in planned.items() if not name.startswith("distinct")}
        rows = FACTS[fact].cut(Cut(self.base, "day"))
        days = rows.group_by("day", *columns).agg(**{f"s{i}": sum_ for i, sum_ in enumerate(sums.values())})
        return {name: f"s{i}" for i, name in enumerate(sums)}, self.base.tables.engine.keep(days)

    def rows(self, fact: str, kind: str) -> pd.DataFrame:
        """The rows of a fact with the planned columns, sorted by its key so that a draw always meets the same order."""
        if (fact, kind) not in self._rows:
            self.queries += 1
            key = list(FACTS[fact].one_row_per)
            wanted = {c: nw.col(c) for c in key} | self._row_columns[fact, kind]
            table = self.base.tables.engine.collect(self.frame(fact, kind).select(**wanted))
            self._rows[fact, kind] = table.sort_values(key, kind="stable").reset_index(drop=True)
        return self._rows[fact, kind]

    def read(self, metric: Metric, chosen: SliceSet) -> pd.DataFrame:
        """One reading for every quarter and every value that the slice has: `quarter`, `window`, `slice` and its parts."""
        formula = metric.formula.in_slice(chosen.name)
        terms = _terms(formula)
        columns = {str(i): self._column(term, metric.scope, chosen) for i, term in enumerate(terms)}
        if terms[0].how == "money":
            columns |= {part: self._column(terms[0], metric.scope, chosen, part) for part in ("rows of", "priced of")}
        whole = {str(i) for i, term in enumerate(terms) if term.whole}
        table = self._every_value(pd.DataFrame({name: c for name, c in columns.items() if name not in whole}), chosen)
        outer = table.index.droplevel(cast(Any, list(chosen.columns))) if chosen.columns else table.index
        table = table.assign(**{name: columns[name].reindex(outer).to_numpy() for name in whole}).fillna(0.0)
        for i, term in enumerate(terms):
            table[str(i)] *= term.factor / (100 if term.how == "money" else 1)
        rows = self._row_groups(metric, chosen, formula)
        keys = [key if isinstance(key, tuple) else (key,) for key in table.index]
        readings = [
            work_out(formula, amounts, rows.get(key), f"{metric.name} {key[0]}")
            for key, amounts in zip(keys, _amounts(table, formula), strict=True)
        ]
        if terms[0].how == "money":
            priced = zip(readings, table["rows of"].tolist(), table["priced of"].tolist(), strict=True)
            readings = [_priced(*each) for each in priced]
        place = table.index.to_frame(index=False)
        if chosen.is_cohort:
            place["window"] = place["quarter"]
        # A slice may be called as a part of a reading is: `denominator`.
        out = pd.DataFrame([vars(r) for r in readings], columns=list(PARTS))
        return out.assign(quarter=place["quarter"], window=place["window"], slice=_slice_values(place, chosen))

    def _column(self, term: Term, scope: str, chosen: SliceSet, part: str = "") -> pd.Series:
        """One planned aggregate by quarter, window and slice; that of the whole window where the term asks for it."""
        name = _name(term, self._scope(term.fact, chosen.kind, scope, chosen.columns))
        answer = self.answer(term.fact, chosen.kind, () if term.whole else chosen.columns)
        column = answer[f"{part} {name}" if part else name]
        if chosen.is_cohort:
            column = column.groupby(level=["quarter", *(() if term.whole else chosen.columns)]).sum()
        return column

    def _every_value(self, table: pd.DataFrame, chosen: SliceSet) -> pd.DataFrame:
        """A row for every window, and for every value the slice has in any of them: a segment without wins reads 0 of n."""
        shown = self.base.shown
        windows = [(q.label, w.label) for q, w in self.base.windows.spans(chosen.kind) if q in shown]
        if chosen.is_cohort:
            return table.reindex([q.label for q in shown]) if not chosen.columns else table
        names = ["quarter", "window", *chosen.columns]
        if not chosen.columns:
            return table.reindex(pd.MultiIndex.from_tuples(windows, names=names))
        values = [v if isinstance(v, tuple) else (v,) for v in table.index.droplevel(cast(Any, [0, 1])).unique()]
        if len(values) > MOST_VALUES or ONE_QUARTER & set(chosen.columns):
            newest = table.index.get_level_values("quarter") == shown[-1].label
            return table[newest & (table.fillna(0) != 0).any(axis=1)]
        return table.reindex(pd.MultiIndex.from_tuples([(*w, *v) for w in windows for v in values], names=names))

    def _row_groups(self, metric: Metric, chosen: SliceSet, formula: Formula) -> dict[tuple[str, ...], pd.DataFrame]:
        if not _needs_rows(formula):
            return {}
        rows = self.rows(formula.numerator.terms[0].fact, chosen.kind)
        prefix = f"{metric.name}:{chosen.name}:"
        wanted = {name: name.removeprefix(prefix) for name in rows.columns if name.startswith(prefix)}
        keys = ["quarter", "window", *chosen.columns]
        if formula.unit:
            rows = rows.groupby([*keys, formula.unit], as_index=False)[list(wanted)].sum(min_count=1)
        rows = rows[[*keys, *wanted]].rename(columns=wanted)
        rows = rows[rows["bottom" if "bottom" in rows else "top"].notna()]
        return {cast(tuple[str, ...], key): group for key, group in rows.groupby(keys, sort=False)}


def _name(term: Term, limit: nw.Expr | None) -> str:
    """What makes two aggregates the same: metrics that share one share its column of the query."""
    return f"{term.how} {term.column!r} {term.where!r} {limit!r}"


def _amounts(table: pd.DataFrame, formula: Formula) -> list[list[float]]:
    """Per row, the formula's amounts in the order of `formula.amounts()`."""
    places = np.cumsum([0, *(len(amount.terms) for amount in formula.amounts())]).tolist()
    spans = pairwise(places)
    sums = [table[[str(i) for i in range(a, b)]].sum(axis=1).to_numpy() for a, b in spans]
    return [[float(v) for v in row] for row in zip(*sums, strict=True)]


def _priced(reading: Reading, rows: float, priced: float) -> Reading:
    """Rows without an amount are counted, not priced; where none has one there is no amount, and certainly not 0."""
    if rows and not priced:
        return missing("no_data", f"none of {rows:.0f} carries an amount", n=reading.n)
    if priced < rows and not reading.missing_because:
        return replace(reading, caveat=f"{rows - priced:.0f} of {rows:.0f} carry no amount or no exchange rate")
    return reading


def _slice_values(table: pd.DataFrame, chosen: SliceSet) -> pd.Series | str:
    """Slice values joined by `/`; a `/` inside a value is percent-encoded."""
    if chosen.is_time:
        return table["window"]
    if chosen.name == "window":
        return chosen.kind
    parts = [
        table[c].astype(str) if c != STATISTIC else pd.Series("median", table.index)
        for c in chosen.name.split("/")
        if c
    ]
    escaped = [part.str.replace("%", "%25").str.replace("/", "%2F") for part in parts] if len(parts) > 1 else parts
    return escaped[0].str.cat(cast(Any, escaped[1:]), sep="/") if len(escaped) > 1 else (escaped[0] if escaped else "")


def _terms(formula: Formula) -> list[Term]:
    return [term for amount in formula.amounts() for term in amount.terms]


def _needs_rows(formula: Formula) -> bool:
    return formula.statistic != "ratio" or formula.interval == "bootstrap"


def read_frames(metric: Metric, *frames: Any) -> Reading:
    """A metric over an analyst's own pandas, Polars or DuckDB frames, one for each of its facts, taken as one whole.

    DuckDB reads them in place. Raises UsageError when a frame is lacking.
    """
    if len(frames) != len(metric.facts):
        raise UsageError(
            Fault("C12", "frames", metric.name, f"{len(frames)} frames", f"one for each of {', '.join(metric.facts)}",
                  "give the frames in that order")
        )  # fmt: skip
    engine, formula = DuckDB(), metric.formula
    given = {fact: nw.from_native(engine.scan(frame)).lazy() for fact, frame in zip(metric.facts, frames, strict=True)}
    sums = {}
    for place, term in enumerate(_terms(formula)):
        answer = engine.collect(given[term.fact].select(term.aggregate(None).alias("sum")))
        sums[str(place)] = float(answer["sum"].fillna(0).iloc[0]) * term.factor / (100 if term.how == "money" else 1)
    rows = _frame_rows(engine, formula, given[metric.facts[0]]) if _needs_rows(formula) else None
    reading = work_out(formula, _amounts(pd.DataFrame([sums]), formula)[0], rows, metric.name)
    if formula.denominator is None and not len(engine.collect(given[metric.facts[0]].head(1))):
        return missing("no_data", "the frame has no row")
    term = _terms(formula)[0]
    if term.how != "money":
        return reading
    priced = nw.when(~term.contribution(None).is_null()).then(1).otherwise(0).sum()
    counts = engine.collect(given[term.fact].select(rows=term.rows(None), priced=priced)).fillna(0)
    return _priced(reading, counts["rows"][0], counts["priced"][0])


def _frame_rows(engine: DuckDB, formula: Formula, table: nw.LazyFrame[Any]) -> pd.DataFrame:
    wanted = {"top": formula.numerator, "bottom": formula.denominator}
    columns = {}
    for name, amount in wanted.items():
        if amount is not None:
            value = amount.terms[0].contribution(None).cast(nw.Float64)
            columns[name] = value / 100 if amount.terms[0].how == "money" else value
    if formula.event is not None:
        columns["event"] = formula.event
    return engine.collect(table.select(**columns))
