"""Readings as the show package reads them: one `Row` a number, and a `Readings` that finds rows.

A `Row` is one line of the readings frame with the metric's label and doc; absent numbers are None, absent texts "".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

import pandas as pd
from markupsafe import Markup

from ..errors import Fault, UsageError, nearest
from .html import clean, tag
from .names import has_order, heading, names_of, one_of, order, within
from .numbers import amount, known, machine, missing_mark, span

NUMBERS = ("value", "numerator", "denominator", "n", "low", "high", "target", "previous", "year_ago", "as_reported")
NAMES_METRICS = {"headline", "metric", "indicator"}  # slices whose values are ids of metrics
APART = {"matured_share"}  # slices that are another number than their metric: the label says so
TEXTS = (
    "metric",
    "family",
    "quarter",
    "slice_by",
    "slice",
    "unit",
    "currency",
    "scope",
    "counts",
    "method",
    "missing_because",
    "caveats",
    "better",
    "status",
)


class Known(Protocol):
    """What a page needs to know of a registered metric."""

    @property
    def name(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def better(self) -> str: ...
    @property
    def pillar(self) -> str: ...
    @property
    def audience(self) -> tuple[str, ...]: ...
    @property
    def core(self) -> bool: ...
    @property
    def parts_in_money(self) -> bool: ...
    @property
    def additive(self) -> bool: ...
    @property
    def by(self) -> tuple[str, ...]: ...
    @property
    def of(self) -> tuple[str, ...]: ...
    @property
    def version(self) -> int: ...
    @property
    def doc(self) -> str: ...
    @property
    def formula(self) -> Any: ...


@dataclass(frozen=True)
class Row:
    """One reading with its label; `value` is None exactly when `missing_because` says why."""

    metric: str
    label: str
    family: str
    version: str
    quarter: str
    slice_by: str
    slice: str
    unit: str
    currency: str
    scope: str
    counts: str
    method: str
    missing_because: str
    caveats: str
    better: str
    status: str
    period_start: Any
    period_end: Any
    as_of: Any
    value: float | None
    numerator: float | None
    denominator: float | None
    n: float | None
    low: float | None
    high: float | None
    target: float | None
    previous: float | None
    year_ago: float | None
    as_reported: float | None
    parts_currency: str = ""
    called: str = ""
    elsewhere: Callable[[str], Row | None] | None = field(default=None, compare=False, repr=False)

    def in_quarter(self, quarter: str) -> Row | None:
        """The same reading of another quarter, with the range that it had; None where there is none."""
        return self.elsewhere(quarter) if self.elsewhere else None

    @property
    def last_day(self) -> pd.Timestamp:
        """The last day of the period: `period_end` is the first day after it."""
        return pd.Timestamp(self.period_end) - pd.Timedelta(days=1)

    @property
    def ranged(self) -> bool:
        return self.low is not None and self.high is not None

    @property
    def name(self) -> str:
        """What the row is called beside others of its metric: the slice as words (Tier 1), or "All"."""
        if self.called or not self.slice_by:
            return self.called or "All"
        return ", ".join(self.names)

    @property
    def names(self) -> list[str]:
        """Each part of the slice as words: tier 1 of a grid by tier and stage is Tier 1."""
        return names_of(self.slice_by, self.slice)

    @property
    def caveat_list(self) -> list[str]:
        return [part.strip() for part in self.caveats.split("; ") if part.strip()]

    def text(self, field: str = "value") -> str:
        """A field as plain text: the value with its unit, or the mark of the reason why there is none."""
        number = getattr(self, field)
        if number is None:
            return missing_mark(self.missing_because) if field == "value" else "none"
        return amount(number, *self._form(field))

    @property
    def has_parts(self) -> bool:
        """Whether the value is one amount over another that a reader can count: no score, difference or mean of fractions."""
        if self.numerator is None or not self.denominator or self.unit in ("score", "points"):
            return False
        return bool(self.parts_currency) or self.unit != "share" or self.numerator.is_integer()

    @property
    def made_of(self) -> str:
        """k of n where the value is one over the other, else how many units stand behind it."""
        if self.unit == "share" and self.has_parts:
            return f"{self.text('numerator')} of {self.text('denominator')}"
        told = self.counts == "money" or (self.unit == "count" and self.n == self.value)
        return f"{self.text('n')} {self.counted}" if self.n is not None and not told else ""

    @property
    def counted(self) -> str:
        """What n counts, one or many: accounts, 1 account."""
        noun = clean(self.counts)
        return one_of(noun) if self.n == 1 else noun

    @property
    def substituted(self) -> str:
        """The value with its parts put in: 40.0M ÷ 10.0M = 4.0x; the value alone where it has no two parts."""
        is_quotient = self.numerator is not None and self.denominator and self.unit != "score"
        if self.value is None or not is_quotient or self.method.startswith("Newcombe"):
            return self.text()
        return f"{self.text('numerator')} ÷ {self.text('denominator')} = {self.text()}"

    def told(self, name: str = "") -> str:
        """What a mark says when pointed at: the value, what it is made of, its likely range, target and the one before."""
        lines = [f"{clean(name or self.name)}: {self.text()}", self.made_of]
        if self.low is not None and self.high is not None:
            lines.append("likely " + span(self.low, self.high, self.unit, self.currency, self.n))
        lines += [f"target {self.text('target')}"] if self.target is not None else []
        lines += [f"quarter before {self.text('previous')}"] if self.previous is not None else []
        return "\n".join(filter(None, lines))

    @property
    def trace(self) -> dict[str, str]:
        """The attributes that lead from an element to this reading; a part that is left out is empty."""
        names = {"data_metric": self.metric, "data_quarter": self.quarter}
        return names | ({"data_slice_by": self.slice_by, "data_slice": self.slice} if self.slice_by else {})

    def data(self, field: str = "value", text: object = None, inside: bool = False) -> Markup:
        """A field as a `data` element that leads back to this reading; `inside` an element that carries the trace."""
        number = getattr(self, field)
        if number is None:
            return tag("span", self.text(field), class_="missing", **({} if inside else self.trace))
        shown = self.text(field) if text is None else text
        which = field if field != "value" else None
        return tag("data", shown, value=machine(number), **({} if inside else self.trace), data_field=which)

    def _form(self, field: str) -> tuple[str, str, float | None]:
        """The unit, currency and n by which a field is written: a mean amount is money over a count."""
        if field == "n" or (field == "denominator" and self.unit in ("money", "money_per_day")):
            return "count", "", None
        if field in ("numerator", "denominator"):
            return ("money", self.parts_currency, None) if self.parts_currency else ("count", "", None)
        return self.unit, self.currency, self.n


class Readings:
    """The readings frame of one edition, found by metric, quarter and slice."""

    def __init__(self, frame: pd.DataFrame, register: Mapping[str, Known], quarter: str) -> None:
        self.frame, self.register, self.quarter = frame, register, quarter
        currencies = [c for c in frame["currency"].dropna().unique() if c]
        self._currency = currencies[0] if currencies else ""
        self.quarters = sorted(q for q in frame["quarter"].unique() if q <= quarter)
        # A page shows a few of the metrics, so rows are made when they are asked for.
        self._columns = {str(name): frame[name].tolist() for name in frame.columns}
        self._places = frame.groupby(["metric", "quarter"], sort=False).indices
        self._rows: dict[tuple[str, str], list[Row]] = {}

    @property
    def asked(self) -> list[str]:
        """The metrics that were looked up."""
        return sorted({metric for metric, _ in self._rows})

    def whole(self, metric: str, quarter: str = "") -> Row | None:
        """The reading of the whole in a quarter (the edition's by default); None where there is no such row."""
        return next((row for row in self._of(metric, quarter) if not row.slice_by), None)

    def slices(self, metric: str, dimension: str, quarter: str = "") -> list[Row]:
        """The readings of every slice of a dimension, in the order of the frame; bands and stages in their own."""
        found = [row for row in self._of(metric, quarter) if row.slice_by == dimension]
        found.sort(key=lambda row: order(row.slice_by, row.slice))
        names = Counter(row.name.casefold() for row in found)
        # Two sources that differ by a capital letter are two.
        return [replace(row, called=clean(row.slice)) if names[row.name.casefold()] > 1 else row for row in found]

    def history(self, metric: str, slice_by: str = "", slice_: str = "") -> list[Row | None]:
        """The same reading in the last eight quarters, oldest first; None for a quarter without a row."""
        return [self._one(metric, slice_by, slice_, quarter) for quarter in self.quarters[-8:]]

    def has(self, metric: str) -> bool:
        return bool(self._of(metric, ""))

    def must(self, metric: str) -> str:
        """The metric's id. Raises UsageError naming the nearest id where none is called so."""
        if metric not in self.register:
            raise UsageError(_unknown("metric", metric, nearest(metric, self.register)))
        return metric

    def must_slice(self, metric: str, dimension: str, quarter: str = "") -> list[Row]:
        """The slices of a dimension, none where nothing was read. Raises UsageError for one that is not declared."""
        known_here = self.register[self.must(metric)].by or ("none",)
        rows = self.slices(metric, dimension, quarter)
        if not rows and dimension not in known_here:
            where, hint = f"{metric} by {dimension}", nearest(dimension, known_here)
            raise UsageError(_unknown("dimension", dimension, hint, where))
        return rows

    def rows(self, metric: str, quarter: str = "") -> list[Row]:
        """Every reading of a metric in a quarter, the edition's by default."""
        return self._of(metric, quarter)

    def _one(self, metric: str, slice_by: str, slice_: str, quarter: str) -> Row | None:
        """The reading of one slice in a quarter; None where there is no such row."""
        return next((row for row in self._of(metric, quarter) if (row.slice_by, row.slice) == (slice_by, slice_)), None)

    def _of(self, metric: str, quarter: str) -> list[Row]:
        key = (metric, quarter or self.quarter)
        if key not in self._rows:
            asked = metric in self.register and key[1] <= self.quarter
            self._rows[key] = [self._row(place) for place in self._places.get(key, ())] if asked else []
        return self._rows[key]

    def _row(self, place: int) -> Row:
        record = {name: column[place] for name, column in self._columns.items()}
        metric = self.register[record["metric"]]
        currency = self._currency if counts_money(metric) else ""
        row = _row(record, metric.label, currency, self._one)
        if row.unit == "times" and not counts_money(metric):  # contacts per account are no multiple of anything
            row = replace(row, unit="mean")
        if row.slice_by in APART:
            row = replace(row, label=f"{row.label}, {within(heading(row.slice_by))}")
        named = row.slice_by in NAMES_METRICS and row.slice in self.register
        return replace(row, called=self.register[row.slice].label) if named else row


def weightiest_first(rows: Sequence[Row]) -> list[Row]:
    """The rows by what stands behind each, so that those beyond a cut are the least; bands, stages and times as they are.

    A total by itself, a rate by what it is a part of: the highest rates are often those of very few. Parts of one whole have
    the same behind them: the largest come first.
    """
    if not rows or has_order(rows[0].slice_by, [row.slice for row in rows]):
        return list(rows)
    return sorted(rows, key=lambda row: (row.value is None, -_weight(row), -abs(row.value or 0.0), row.slice))


def _weight(row: Row) -> float:
    own = row.value if row.unit in ("count", "money") and not row.denominator else row.denominator or row.n
    return abs(own or 0.0)


def counts_money(metric: Known) -> bool:
    """Whether a metric's numerator is an amount of money, as in a share of pipeline: its unit does not say so."""
    if metric.unit in ("money", "money_per_day"):
        return True
    if metric.of:
        return metric.parts_in_money
    return metric.formula is not None and any(term.how == "money" for term in metric.formula.numerator.terms)


def _row(record: Mapping[Any, Any], label: str, parts_currency: str, one: Callable[..., Row | None]) -> Row:
    numbers = {name: float(record[name]) if known(record.get(name)) else None for name in NUMBERS}
    texts = {name: "" if pd.isna(record[name]) else str(record[name]) for name in TEXTS}
    days = {name: record[name] for name in ("period_start", "period_end", "as_of")}
    fields: dict[str, Any] = {**days, **texts, **numbers}
    if texts["method"].startswith("Wilson"):
        parts_currency = ""  # k of n counts units, whatever its metric adds up elsewhere
    elsewhere = partial(one, texts["metric"], texts["slice_by"], texts["slice"])
    return Row(
        label=label, version=str(record["version"]), parts_currency=parts_currency, elsewhere=elsewhere, **fields
    )


def _unknown(kind: str, name: str, hint: str, where: str = "notebook") -> Fault:
    return Fault(f"unknown_{kind}", f"unknown {kind}", where, name, f"a {kind} that the report has", hint)
