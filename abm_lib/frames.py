"""A metric over an analyst's own frames."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from .errors import Fault, UsageError
from .formula import Formula
from .metric import Metric
from .reading import Reading, Rows, as_rows, by_unit, from_parts, missing, priced, work_out
from .store import DuckDB


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
    answers = [engine.collect(given[term.fact].select(sum=term.aggregate(None))) for term in formula.terms()]
    sums = [answer["sum"].fillna(0).to_numpy(dtype=float) for answer in answers]
    rows = _frame_rows(engine, formula, given[metric.facts[0]]) if formula.needs_rows else None
    parts = work_out(formula, formula.added(sums), [rows], [metric.name])
    if formula.denominator is None and not len(engine.collect(given[metric.facts[0]].head(1))):
        return missing("no_data", "the frame has no row")
    term = formula.terms()[0]
    if term.how == "money":
        has_amount = nw.when(~term.contribution(None).is_null()).then(1).otherwise(0).sum()
        counts = engine.collect(given[term.fact].select(rows=term.rows(None), priced=has_amount)).fillna(0)
        parts = priced(parts, counts["rows"].to_numpy(dtype=float), counts["priced"].to_numpy(dtype=float))
    return from_parts({name: each.tolist()[0] for name, each in parts.items()})


def _frame_rows(engine: DuckDB, formula: Formula, table: nw.LazyFrame[Any]) -> Rows:
    wanted = {"top": formula.numerator, "bottom": formula.denominator}
    columns: dict[str, nw.Expr] = {}
    for name, amount in wanted.items():
        if amount is not None:
            value = amount.terms[0].contribution(None).cast(nw.Float64)
            columns[name] = value / 100 if amount.terms[0].how == "money" else value
    columns |= formula.of_waits()
    if formula.unit not in table.collect_schema().names():  # each row of the frame then stands for itself
        return as_rows(engine.collect(table.select(**columns)))
    rows = engine.collect(table.select(**columns, unit=nw.col(formula.unit)))
    return as_rows(by_unit(rows, [], "unit", list(columns)))
