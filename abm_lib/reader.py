"""From formulas to readings: one query per fact and slice set, and one tidy row for every number of the product.

Medians, survival and resampled intervals need the rows themselves; they share one pull of the fact and are exempt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from .facts import FACTS, Base, ByDay, Cut
from .facts.accounts import UNKNOWN
from .formula import Formula, Term
from .metric import Metric
from .reading import Numbers, Parts, Rows, as_rows, by_unit, concentrated, priced, work_out
from .settings import OwnSlice
from .slices import MOST_VALUES, ONE_QUARTER, SliceSet, own_column, slice_sets, slice_values
from .tables import tables

Place = tuple[str, str]  # fact, kind of windows


Key = tuple[Any, ...]  # quarter, window, and the values of the slice's columns


@dataclass(frozen=True)
class Answer:
    """The aggregates of one query: where each key lies in the sums, which end with a 0 for keys that no row has."""

    places: dict[Key, int]
    sums: dict[str, Numbers]

    def at(self, keys: list[Key], name: str) -> Numbers:
        return self.sums[name][[self.places.get(key, -1) for key in keys]]


class Reader:
    """Reads formulas over one company's facts. All metrics are planned first, so that each query runs once."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.queries = 0
        self._frames: dict[Place, nw.LazyFrame[Any]] = {}
        self._schemas: dict[Place, list[str]] = {}
        self._planned: dict[tuple[str, str, tuple[str, ...]], dict[str, nw.Expr]] = defaultdict(dict)
        self._answers: dict[tuple[str, str, tuple[str, ...]], Answer] = {}
        self._row_columns: dict[Place, dict[str, nw.Expr]] = defaultdict(dict)
        self._rows: dict[Place, pd.DataFrame] = {}
        self._days: dict[str, tuple[dict[str, str], nw.LazyFrame[Any]]] = {}

    def plan(self, metrics: Iterable[Metric]) -> None:
        """Note every aggregate and every row column that the metrics will ask for."""
        for metric in metrics:
            for chosen in self.slice_sets(metric):
                formula = metric.formula.in_slice(chosen.name)
                for term in formula.terms():
                    self._plan_term(term, metric.scope, chosen)
                if formula.needs_rows:
                    self._plan_rows(metric, chosen, formula)

    def slice_sets(self, metric: Metric) -> list[SliceSet]:
        """The whole, each slice that the metric declares, and those of the company's own that all its facts know."""
        own = self.base.config.slices if metric.has_whole else {}
        known = [
            name for name, asked in own.items() if all(self._knows(fact, metric.window, asked) for fact in metric.facts)
        ]
        return [*slice_sets(metric), *(SliceSet(name, metric.window, (own_column(name),)) for name in known)]

    def _knows(self, fact: str, kind: str, asked: OwnSlice) -> bool:
        if FACTS[fact].by_day:  # added up by day before anything is joined
            return False
        self.frame(fact, kind)
        return tables()[asked.table].key[0] in self._schemas[fact, kind]

    def _plan_term(self, term: Term, scope: str, chosen: SliceSet) -> None:
        limit = self._scope(term.fact, chosen.kind, scope, chosen.columns)
        columns = () if term.whole else chosen.columns
        planned, name = self._planned[term.fact, chosen.kind, columns], _name(term, limit)
        planned[name] = term.aggregate(limit)
        if term.how == "money":
            planned[f"rows of {name}"] = term.rows(limit)
            planned[f"priced of {name}"] = nw.when(~term.contribution(limit).is_null()).then(1).otherwise(0).sum()
            if self._has_largest(term.fact, chosen):
                planned[f"largest of {name}"] = term.contribution(limit).max()

    @staticmethod
    def _has_largest(fact: str, chosen: SliceSet) -> bool:
        """Whether the largest amount is asked for: of wholes of opportunities, each of which is one row."""
        alone = FACTS[fact].one_row_per == ("quarter", "window", "opportunity_id")
        return alone and not chosen.name and not chosen.is_cohort and not FACTS[fact].by_day

    def _plan_rows(self, metric: Metric, chosen: SliceSet, formula: Formula) -> None:
        fact = formula.numerator.terms[0].fact
        limit = self._scope(fact, chosen.kind, metric.scope, chosen.columns)
        columns = self._row_columns[fact, chosen.kind]
        for part, amount in (("top", formula.numerator), ("bottom", formula.denominator)):
            if amount is not None:
                (term,) = amount.terms
                value = term.contribution(limit).cast(nw.Float64)
                columns[f"{metric.name}:{chosen.name}:{part}"] = value / 100 if term.how == "money" else value
        for part, expression in formula.of_waits().items():
            columns[f"{metric.name}:{chosen.name}:{part}"] = expression
        units = (formula.unit,) if formula.unit else ()
        columns |= {column: nw.col(column) for column in (*chosen.columns, *units)}

    def frame(self, fact: str, kind: str) -> nw.LazyFrame[Any]:
        if (fact, kind) not in self._frames:
            with self.base.noting(fact):
                frame = self._with_own(FACTS[fact].cut(Cut(self.base, kind)).filter(self.base.is_shown))
            self._frames[fact, kind] = self.base.tables.engine.keep(frame) if FACTS[fact].is_held else frame
            self._schemas[fact, kind] = self._frames[fact, kind].collect_schema().names()
        return self._frames[fact, kind]

    def _with_own(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """The frame with the company's own slices of the records that it names; unknown where they have none."""
        columns = frame.collect_schema().names() if self.base.config.slices else []
        for name, asked in self.base.config.slices.items():
            if (key := tables()[asked.table].key[0]) in columns:
                values = self.base.tables.slice_values.filter(nw.col("name") == name)
                values = values.select(nw.col("record_id").alias(key), nw.col("value").alias(own_column(name)))
                frame = frame.join(values, on=key, how="left")
                frame = frame.with_columns(nw.col(own_column(name)).fill_null(UNKNOWN))
        return frame

    def _scope(self, fact: str, kind: str, scope: str, columns: tuple[str, ...]) -> nw.Expr | None:
        """New business only, where the metric says so and the slice does not tell business types apart itself."""
        if scope == "all" or "business_type" in columns:
            return None
        self.frame(fact, kind)
        return nw.col("business_type") == "new" if "business_type" in self._schemas[fact, kind] else None

    def answer(self, fact: str, kind: str, columns: tuple[str, ...]) -> Answer:
        """Every planned aggregate of one fact and slice set, in one query."""
        place = (fact, kind, columns)
        if place not in self._answers:
            self.queries += 1
            keys = ["quarter", "window", *columns]
            frame, planned = self._source(place)
            query = frame.group_by(*keys).agg(**{f"a{i}": expression for i, expression in enumerate(planned)})
            table = self.base.tables.engine.collect(query)
            if kind == "cohort":
                table = table.assign(window=table["quarter"]).groupby(keys, as_index=False).sum()
            found = list(zip(*(table[key].tolist() for key in keys), strict=True))
            # A row that a slice does not concern has no value for it: the target of the whole has no segment.
            known = [i for i, key in enumerate(found) if not any(part is None or part != part for part in key)]
            places = {found[i]: i for i in known}
            sums = {name: table[f"a{i}"].to_numpy(dtype=float) for i, name in enumerate(self._planned[place])}
            self._answers[place] = Answer(
                places, {name: np.append(steady(np.nan_to_num(each)), 0) for name, each in sums.items()}
            )
        return self._answers[place]

    def _source(self, place: tuple[str, str, tuple[str, ...]]) -> tuple[nw.LazyFrame[Any], list[nw.Expr]]:
        """What a query groups, and its aggregates in the order planned: rows of the fact, or sums of its days."""
        fact, kind, _ = place
        planned = self._planned[place]
        added = FACTS[fact].by_day
        if added is None or any(name.startswith("distinct") for name in planned):
            return self.frame(fact, kind), list(planned.values())
        if fact not in self._days:
            self._days[fact] = self._added_up(fact, added)
        places, days = self._days[fact]
        windows = self.base.windows.days(kind)
        return days.join(windows, on="day").filter(self.base.is_shown), [nw.col(places[name]).sum() for name in planned]

    def _added_up(self, fact: str, added: ByDay) -> tuple[dict[str, str], nw.LazyFrame[Any]]:
        """A fact added up by day and by every column it is sliced by, for all windows at once; and the column of each sum."""
        every = {place: planned for place, planned in self._planned.items() if place[0] == fact}
        columns = sorted({column for place in every for column in place[2]})
        sums = {name: e for planned in every.values() for name, e in planned.items() if not name.startswith("distinct")}
        with self.base.noting(fact):
            rows = added.rows(Cut(self.base, "day"))
            own = {added.key, *columns}.intersection(rows.collect_schema().names())
            days = rows.group_by("day", *sorted(own)).agg(**{f"s{i}": sum_ for i, sum_ in enumerate(sums.values())})
            days = self.base.tables.engine.keep(added.names(self.base, days))
        return {name: f"s{i}" for i, name in enumerate(sums)}, days

    def rows(self, fact: str, kind: str) -> pd.DataFrame:
        """The rows of a fact with the planned columns, in the order that a draw meets again."""
        if (fact, kind) not in self._rows:
            self.queries += 1
            key = FACTS[fact].one_row_per
            wanted = {c: nw.col(c) for c in key} | self._row_columns[fact, kind]
            table = in_order(self.base, self.frame(fact, kind).select(**wanted), key)
            sliced = {c: "category" for c in table.columns if ":" not in c}  # rows are grouped by them again and again
            self._rows[fact, kind] = table.astype(sliced)
        return self._rows[fact, kind]

    def read(self, metric: Metric, chosen: SliceSet) -> Parts:
        """One reading for every quarter and every value that the slice has: `quarter`, `window`, `slice` and its parts."""
        formula = metric.formula.in_slice(chosen.name)
        keys, sums = self._sums(metric.scope, chosen, formula.terms())
        amounts = formula.added(sums[str(i)] for i in range(len(formula.terms())))
        groups = self._row_groups(metric, chosen, formula)
        seeds = [f"{metric.name} {quarter}" for quarter, *_ in keys]
        parts = work_out(formula, amounts, [groups.get(key) for key in keys], seeds)
        if "rows" in sums:
            parts = priced(parts, sums["rows"], sums["priced"])
        is_total = formula.denominator is None and len(formula.numerator.terms) == 1
        if "largest" in sums and is_total and metric.unit == "money":
            parts = concentrated(parts, sums["largest"] / 100, sums["rows"])
        places = {
            "quarter": [key[0] for key in keys],
            "window": [key[1] for key in keys],
            "slice": slice_values(keys, chosen),
        }
        return parts | {name: np.array(each, dtype=object) for name, each in places.items()}

    def _sums(self, scope: str, chosen: SliceSet, terms: list[Term]) -> tuple[list[Key], dict[str, Numbers]]:
        """The keys, and a sum of each term, by its number, for each key; of money the `rows` and those `priced` too."""
        wanted = {str(i): (term, "") for i, term in enumerate(terms)}
        if terms[0].how == "money":
            more = ("largest",) if self._has_largest(terms[0].fact, chosen) else ()
            wanted |= {part: (terms[0], f"{part} of ") for part in ("rows", "priced", *more)}
        names = {name: part + self._name(term, scope, chosen) for name, (term, part) in wanted.items()}
        whole = {name for name, (term, _) in wanted.items() if term.whole}
        answers = {
            name: self.answer(term.fact, chosen.kind, () if term.whole else chosen.columns)
            for name, (term, _) in wanted.items()
        }
        parts = [(answers[name], names[name]) for name in wanted if name not in whole]
        keys = self._every_key(parts, chosen)
        outer = [key[:2] for key in keys]
        return keys, {name: each.at(outer if name in whole else keys, names[name]) for name, each in answers.items()}

    def _name(self, term: Term, scope: str, chosen: SliceSet) -> str:
        return _name(term, self._scope(term.fact, chosen.kind, scope, chosen.columns))

    def _every_key(self, parts: list[tuple[Answer, str]], chosen: SliceSet) -> list[Key]:
        """A key for every window, and for every value the slice has in any of them: a segment without wins reads 0 of n."""
        shown = self.base.shown
        found = sorted({key for answer, _ in parts for key in answer.places})
        if chosen.is_cohort and chosen.columns:
            return found
        spans = [(q, q if chosen.is_cohort else w) for q, w in self.base.windows.spans(chosen.kind) if q in shown]
        windows = list(dict.fromkeys((q.label, w.label) for q, w in spans))
        if not chosen.columns:
            return windows
        values = sorted({key[2:] for key in found})
        if len(values) > MOST_VALUES or ONE_QUARTER & set(chosen.columns):
            newest = [key for key in found if key[0] == shown[-1].label]
            some = np.any([answer.at(newest, name) for answer, name in parts], axis=0)
            return [key for key, is_some in zip(newest, some, strict=True) if is_some]
        return [(*window, *value) for window in windows for value in values]

    def _row_groups(self, metric: Metric, chosen: SliceSet, formula: Formula) -> dict[Any, Rows]:
        """The rows behind each reading, by its key."""
        if not formula.needs_rows:
            return {}
        rows = self.rows(formula.numerator.terms[0].fact, chosen.kind)
        prefix = f"{metric.name}:{chosen.name}:"
        wanted = {name: name.removeprefix(prefix) for name in rows.columns if name.startswith(prefix)}
        keys = ["quarter", "window", *chosen.columns]
        if formula.unit:
            rows = by_unit(rows, keys, formula.unit, list(wanted))
        rows = rows[[*keys, *wanted]].rename(columns=wanted)
        rows = rows[rows["bottom" if "bottom" in rows else "top"].notna()].dropna(subset=keys)
        behind = as_rows(rows)
        places = rows.groupby(keys, sort=False, observed=True).indices
        return {key: {name: column[place] for name, column in behind.items()} for key, place in places.items()}


def _name(term: Term, limit: nw.Expr | None) -> str:
    """What makes two aggregates the same: metrics that share one share its column of the query."""
    return f"{term.how} {term.column!r} {term.where!r} {limit!r}"


def in_order(base: Base, frame: nw.LazyFrame[Any], key: Sequence[str]) -> pd.DataFrame:
    """The rows sorted by their key, their fractions steadied, so that whatever is added up of them comes out the same again."""
    rows = base.tables.engine.collect(frame.sort(*key))
    fractions = rows.select_dtypes("float").columns
    return rows.assign(**{name: steady(rows[name].to_numpy()) for name in fractions})


def steady(sums: Numbers) -> Numbers:
    """The sums without the last digits of fractions, which depend on the order in which threads have added."""
    sums, broken = sums.copy(), (sums != np.floor(sums)) & (np.abs(sums) > 1e-280)
    scale = 10.0 ** (11 - np.floor(np.log10(np.abs(sums[broken]))))
    sums[broken] = np.rint(sums[broken] * scale) / scale
    return sums
