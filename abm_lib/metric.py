"""The words that metrics are written in, and the register of them.

A metric is a function from facts to a formula; its name is the metric's id, its body the definition:

    @metric(facts="ad_days", label="Ad click-through rate", unit="share", better="higher", by=("channel",))
    def ad_click_rate(ads):
        \"\"\"Clicks for each impression served in the quarter. …\"\"\"
        return ratio(ads.total("clicks"), ads.total("impressions"), nothing="no impressions")

The same function serves the whole, every slice, every quarter and both engines, and an analyst's own frame:
`abm.ad_click_rate(frame)`. A ratio stays a pair until the end, so no slice is ever averaged.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import narwhals as nw

from .errors import Fault, UsageError, nearest

Unit = Literal["share", "count", "money", "money_per_day", "days", "months", "times", "points", "score", "seconds"]
Better = Literal["higher", "lower", "neither"]
Kind = Literal["leading", "funnel", "return"]
Pillar = Literal["reputation", "relationships", "revenue"]
Statistic = Literal["ratio", "median", "survival"]


@dataclass(frozen=True)
class Term:
    """One aggregate of one fact: rows for which `where` holds, added, counted, or counted once per value.

    `whole` says that it is taken over the whole of the window in every slice, as the denominator of a part.
    """

    fact: str
    how: Literal["total", "money", "count", "distinct"]
    column: nw.Expr | None = None
    where: nw.Expr | None = None
    factor: float = 1
    whole: bool = False

    def contribution(self, scope: nw.Expr | None, column: nw.Expr | None = None) -> nw.Expr:
        """What one row adds to the term; null where it adds nothing. Money in whole cents, so that sums are exact."""
        conditions = [c for c in (self.where, scope) if c is not None]
        if column is None:
            column = nw.lit(1) if self.column is None else self.column
            column = (column * 100).round().cast(nw.Int64) if self.how == "money" else column
        return nw.when(*conditions).then(column) if conditions else column

    def rows(self, scope: nw.Expr | None) -> nw.Expr:
        """The number of rows that the term looks at, whether they have a value or not."""
        narrowed = self.where is not None or scope is not None
        return self.contribution(scope, nw.lit(1)).sum() if narrowed else nw.len()

    def aggregate(self, scope: nw.Expr | None) -> nw.Expr:
        if self.how == "count":
            return self.rows(scope)
        rows = self.contribution(scope)
        if self.how == "distinct":
            # n_unique counts null as a value of its own.
            return rows.n_unique() - nw.when(rows.is_null()).then(1).otherwise(0).max()
        return rows.sum()


@dataclass(frozen=True)
class Amount:
    """A sum of terms with their factors. Written by a `Columns`, joined by `-`, scaled by `/`."""

    terms: tuple[Term, ...]

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.terms + tuple(replace(term, factor=-term.factor) for term in other.terms))

    def __truediv__(self, number: float) -> Amount:
        return Amount(tuple(replace(term, factor=term.factor / number) for term in self.terms))


class Columns:
    """A fact as a metric sees it: `ads.clicks` is a column, `ads.total("clicks", where=…)` an amount over its rows."""

    def __init__(self, fact: str) -> None:
        self._fact = fact

    def __getattr__(self, name: str) -> nw.Expr:
        return nw.col(name)

    def total(self, column: str, where: nw.Expr | None = None) -> Amount:
        """The sum of a column of numbers."""
        return Amount((Term(self._fact, "total", nw.col(column), where),))

    def money(self, column: str, where: nw.Expr | None = None) -> Amount:
        """The sum of a column of money in the reporting currency, exact to the cent."""
        return Amount((Term(self._fact, "money", nw.col(column), where),))

    def count(self, where: nw.Expr | None = None) -> Amount:
        """The number of rows."""
        return Amount((Term(self._fact, "count", None, where),))

    def distinct(self, column: str, where: nw.Expr | None = None) -> Amount:
        """The number of different values of a column, blanks left out."""
        return Amount((Term(self._fact, "distinct", nw.col(column), where),))


@dataclass(frozen=True)
class Formula:
    """A definition in parts. `but` replaces it where a slice is counted in another way.

    `nothing` is the reason when the denominator is not above zero. `given` = (k, n, floor, words) withholds the value
    when fewer than `floor` of the rows have what it needs.
    """

    numerator: Amount
    denominator: Amount | None = None
    n: Amount | None = None
    nothing: str = ""
    statistic: Statistic = "ratio"
    interval: Literal["", "wilson", "bootstrap", "newcombe"] = ""
    event: nw.Expr | None = None
    given: tuple[Amount, Amount, float, str] | None = None
    against: Formula | None = None
    slices: dict[str, Formula] = field(default_factory=dict)

    def but(self, **slices: Formula) -> Formula:
        """The same metric, counted otherwise in the named slices."""
        return replace(self, slices=self.slices | slices)

    def in_slice(self, slice_by: str) -> Formula:
        return self.slices.get(slice_by, self)

    def amounts(self) -> list[Amount]:
        """Every amount that must be read to work the formula out."""
        found = [self.numerator, *(a for a in (self.denominator, self.n) if a is not None)]
        found += list(self.given[:2]) if self.given else []
        return found + (self.against.amounts() if self.against else [])


def total(amount: Amount, n: Amount | None = None) -> Formula:
    """An amount as it is: a count, a sum, money. Zero is a value where the data cover the window."""
    return Formula(amount, n=n)


def ratio(numerator: Amount, denominator: Amount, *, nothing: str, n: Amount | None = None, spread: bool = False,
          given: tuple[Amount, Amount, float, str] | None = None) -> Formula:  # fmt: skip
    """One amount over another. `spread` asks for an interval by resampling the rows."""
    return Formula(numerator, denominator, n, nothing, interval="bootstrap" if spread else "", given=given)


def share(part: Amount, whole: Amount, *, nothing: str) -> Formula:
    """k of n, with Wilson's interval."""
    return Formula(part, whole, whole, nothing, interval="wilson")


def mean(
    column: Amount, rows: Amount, *, nothing: str, given: tuple[Amount, Amount, float, str] | None = None
) -> Formula:
    """The mean over rows, with an interval by resampling them; its slices `statistic` hold the median."""
    return Formula(column, rows, rows, nothing, interval="bootstrap", given=given)


def median(column: Amount, *, nothing: str) -> Formula:
    """The median over rows that have a value, with the interval that order statistics give."""
    return Formula(column, nothing=nothing, statistic="median")


def survival_median(days: Amount, event: nw.Expr, *, nothing: str) -> Formula:
    """The median time to the event by Kaplan and Meier: rows without it count as long as they were seen."""
    return Formula(days, nothing=nothing, statistic="survival", event=event)


def difference(one: Formula, other: Formula) -> Formula:
    """One share minus another, with Newcombe's interval."""
    return replace(one, against=other, interval="newcombe")


def whole(amount: Amount) -> Amount:
    """The amount over the whole window whatever the slice: the denominator of a part."""
    return Amount(tuple(replace(term, whole=True) for term in amount.terms))


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


class Look(Protocol):
    """How a worked metric asks for another's reading of the same quarter."""

    def __call__(self, metric: str, slice_by: str = "", slice: str = "") -> Reading: ...

    def values(self, metric: str, slice_by: str) -> list[str]:
        """The slices that the other metric has."""
        ...


@dataclass(frozen=True)
class Metric:
    """A registered metric: its definition, and all that a page needs to print it."""

    name: str
    family: str
    function: Callable[..., Any]
    label: str
    unit: Unit
    better: Better
    kind: Kind
    pillar: Pillar
    counts: str
    facts: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    window: str = "quarter"
    scope: Literal["new", "all"] = "all"
    additive: bool = False
    has_whole: bool = True
    activity: Literal["activity", "outcome"] = "outcome"
    audience: tuple[str, ...] = ("marketing",)
    core: bool = False
    version: int = 1

    @property
    def doc(self) -> str:
        return inspect.cleandoc(self.function.__doc__ or "")

    @property
    def formula(self) -> Formula:
        """The definition over its facts. Only metrics that are not worked out from others have one."""
        built: Formula = self.function(*(Columns(fact) for fact in self.facts))
        return built


REGISTER: dict[str, Metric] = {}


def family(name: str, **defaults: Any) -> Callable[..., Callable[[Callable[..., Any]], Metric]]:
    """The `metric` decorator of one family module, with what its metrics share declared once."""

    def metric(**given: Any) -> Callable[[Callable[..., Any]], Metric]:
        settings = defaults | given
        for plural in ("facts", "of", "by", "audience"):
            if isinstance(settings.get(plural), str):
                settings[plural] = (settings[plural],)

        def register(function: Callable[..., Any]) -> Metric:
            if function.__name__ in REGISTER:
                raise ValueError(f"two metrics are called {function.__name__}")
            made = Metric(name=function.__name__, family=name, function=function, **settings)
            REGISTER[made.name] = made
            return made

        return register

    return metric


def find(name: str) -> Metric:
    """The metric of that id. Raises UsageError naming the nearest one."""
    if name not in REGISTER:
        raise UsageError(
            Fault("C01", "unknown-metric", f"metric {name}", name, nearest(name, REGISTER), "correct the id")
        )
    return REGISTER[name]
