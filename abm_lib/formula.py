"""The words that a definition is written in: amounts over a fact, and what is made of them.

A ratio stays a pair until the end, so no slice is ever averaged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Literal

import narwhals as nw

Statistic = Literal["ratio", "median", "survival", "to come", "mean to come", "within"]


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

    @property
    def unit(self) -> float:
        """What one of its aggregate is worth in the amount."""
        return self.factor / (100 if self.how == "money" else 1)

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

    `nothing` is the reason when the denominator is not above zero. `unit` is the column whose values are drawn anew for an
    interval, where that is not the row. `given` = (k, n, floor, words) withholds the value
    when fewer than `floor` of the rows have what it needs. Of waits, `event` says that it came, `instead` that something else
    did, and `limit` within how many days it is asked for.
    """

    numerator: Amount
    denominator: Amount | None = None
    n: Amount | None = None
    nothing: str = ""
    statistic: Statistic = "ratio"
    interval: Literal["", "wilson", "bootstrap", "newcombe", "net promoter"] = ""
    unit: str = ""
    event: nw.Expr | None = None
    instead: nw.Expr | None = None
    limit: nw.Expr | None = None
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

    def terms(self) -> list[Term]:
        """The terms of every amount, one after the other."""
        return [term for amount in self.amounts() for term in amount.terms]

    def added(self, sums: Iterable[Any]) -> list[Any]:
        """The amounts, from the aggregates of `terms()`; money from cents to units."""
        each = (one * term.unit for one, term in zip(sums, self.terms(), strict=True))
        return [sum(islice(each, len(amount.terms))) for amount in self.amounts()]

    def of_waits(self) -> dict[str, nw.Expr]:
        """What must be known of each wait, by name."""
        parts = {"event": self.event, "instead": self.instead, "limit": self.limit}
        return {name: expression for name, expression in parts.items() if expression is not None}

    @property
    def is_total(self) -> bool:
        """Whether it is an amount as it is, over nothing."""
        return self.statistic == "ratio" and self.denominator is None

    @property
    def needs_rows(self) -> bool:
        """Whether the rows themselves are needed, and not their sums alone."""
        return self.statistic != "ratio" or self.interval == "bootstrap"


def total(amount: Amount, n: Amount | None = None) -> Formula:
    """An amount as it is: a count, a sum, money. Zero is a value where the data cover the window."""
    return Formula(amount, n=n)


def ratio(numerator: Amount, denominator: Amount, *, nothing: str, n: Amount | None = None, spread: bool = False,
          unit: str = "", given: tuple[Amount, Amount, float, str] | None = None) -> Formula:  # fmt: skip
    """One amount over another. `spread` asks for an interval by resampling the rows, or the values of `unit`."""
    return Formula(numerator, denominator, n, nothing, interval="bootstrap" if spread else "", unit=unit, given=given)


def share(part: Amount, whole: Amount, *, nothing: str) -> Formula:
    """k of n, with Wilson's interval."""
    return Formula(part, whole, whole, nothing, interval="wilson")


def mean(column: Amount, rows: Amount, *, nothing: str, unit: str = "",
         given: tuple[Amount, Amount, float, str] | None = None) -> Formula:  # fmt: skip
    """The mean over rows, with an interval by resampling them or the values of `unit`; its slices `statistic` hold the median."""
    return Formula(column, rows, rows, nothing, interval="bootstrap", unit=unit, given=given)


def median(column: Amount, *, nothing: str) -> Formula:
    """The median over rows that have a value, with the interval that order statistics give."""
    return Formula(column, nothing=nothing, statistic="median")


def survival_median(days: Amount, event: nw.Expr, *, nothing: str) -> Formula:
    """The median time to the event by Kaplan and Meier: rows without it count as long as they were seen."""
    return Formula(days, nothing=nothing, statistic="survival", event=event)


def median_to_come(days: Amount, event: nw.Expr, instead: nw.Expr, *, nothing: str) -> Formula:
    """The median time of those to whom the event will come, by Aalen and Johansen: what comes `instead` ends a wait as well."""
    return Formula(days, nothing=nothing, statistic="to come", event=event, instead=instead)


def mean_to_come(days: Amount, event: nw.Expr, instead: nw.Expr, *, nothing: str) -> Formula:
    """The mean time of those to whom the event will come, in the same way, with an interval by resampling the rows."""
    return Formula(days, nothing=nothing, statistic="mean to come", event=event, instead=instead)


def share_within(days: Amount, event: nw.Expr, instead: nw.Expr, limit: nw.Expr, *, nothing: str) -> Formula:
    """The share to which the event comes within `limit` days, by Aalen and Johansen: the rows' own limit, one and the same."""
    return Formula(days, nothing=nothing, statistic="within", event=event, instead=instead, limit=limit)


def difference(one: Formula, other: Formula) -> Formula:
    """One share minus another, with Newcombe's interval."""
    return replace(one, against=other, interval="newcombe")


def net_score(promoters: Amount, detractors: Amount, answers: Amount, *, nothing: str) -> Formula:
    """Promoters less detractors for each hundred answers, with the adjusted Wald interval of a net promoter score."""
    against = Formula(detractors, answers)
    return Formula(promoters, answers, answers, nothing, interval="net promoter", against=against)


def whole(amount: Amount) -> Amount:
    """The amount over the whole window whatever the slice: the denominator of a part."""
    return Amount(tuple(replace(term, whole=True) for term in amount.terms))
