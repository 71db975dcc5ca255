"""Facts: canonical tables cut to the quarter, or frozen as of a day. Metrics read nothing else.

A fact is a function of a `Cut` that returns one lazy frame with the columns `quarter` (the quarter it is reported in) and
`window` (the quarter itself, or the month, week or year inside it), so that one query counts every quarter at once. Each
fact promises its key; a test counts it.

    calendar.py        the windows, and the day on which each was known
    accounts.py        accounts as they stood at a quarter's edge
    opportunities.py   opportunities as known at a moment; those qualified, closed, open
    due.py             pipeline due in a quarter, and its targets
    cohorts.py         opportunities and accounts by the quarter they began in
    restated.py        what earlier quarters reported as won, and what is known of them by now
    movement.py        how open pipeline got from one quarter's edge to the next
    influence.py       what was done towards an account before its opportunity
    leads.py           people and accounts on their way to sales
    meetings.py        meetings, demos and calls, and what came of them
    spend.py           budgets, costs, and what ads brought
    ads.py             ad delivery by day, by company, by title, by experiment
    visits.py          sessions, landing pages and how far they were read, target accounts that came
    content.py         what was viewed, downloaded and watched, and whether accounts moved on after it
    mail.py            mailings: sent, delivered, opened, clicked, replied to
    forms.py           calls to action and their forms; social and offline acts
    voice.py           answers to "how did you hear of us?", coded notes
    target_list.py     the target list at both ends of a quarter: who is on it, who joined, left, changed tier
    engagement.py      who acted, and which accounts are engaged
    people.py          people at accounts, their roles in the buying group, champions and blockers
    conversations.py   meetings and calls in which the other side had its say
    market.py          what the addressable accounts are worth, who of them is a customer, who is engaged
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals as nw
import pandas as pd

from ..company import Company
from ..period import Quarter
from .calendar import Windows

Frame = nw.LazyFrame[Any]
HISTORY = (
    10  # quarters before the oldest one shown: eight to learn from, and two in which the first of them was read ahead
)


@dataclass(frozen=True)
class Fact:
    """A registered fact: its function, the columns that identify a row, and the tables it cannot do without.

    `needs` are tables, alternatives joined by `|`.
    `is_held`: its rows are computed once and held for the queries of every slice; not for the tables that grow without bound.
    `by_day`: not held either, but read once and added up by day and slice, and then given names; its rows know the quarter by
    their `day` alone.
    The first of `needs` dates it: where that table does not reach into a quarter, there is no data and not zero.
    """

    name: str
    cut: Callable[[Cut], Frame]
    one_row_per: tuple[str, ...]
    needs: tuple[str, ...]
    doc: str
    is_held: bool = True
    by_day: ByDay | None = None


@dataclass(frozen=True)
class ByDay:
    """The rows of a fact before `names` adds the columns that it looks up by `key`: on few rows rather than on millions."""

    key: str
    names: Callable[[Base, Frame], Frame]
    rows: Callable[[Cut], Frame]


FACTS: dict[str, Fact] = {}


def fact(
    *,
    one_row_per: tuple[str, ...],
    needs: tuple[str, ...],
    is_held: bool = True,
    by_day: tuple[str, Callable[[Base, Frame], Frame]] | None = None,
) -> Callable[[Callable[[Cut], Frame]], Callable[[Cut], Frame]]:
    """Register a function as a fact. `quarter` and `window` belong to every key and need not be named.

    `by_day`: the column by which names are looked up, and the function that adds them to rows, added up or not.
    """

    def register(function: Callable[[Cut], Frame]) -> Callable[[Cut], Frame]:
        key, name, cut, added = ("quarter", "window", *one_row_per), function.__name__, function, None
        if by_day:
            added = ByDay(*by_day, function)
            cut = functools.wraps(function)(lambda cut: added.names(cut.base, function(cut)))
        FACTS[name] = Fact(name, cut, key, needs, function.__doc__ or "", is_held and not by_day, added)
        return cut

    return register


class Base:
    """What several facts of one run share, each computed once: account states, opportunity states, touches before deals."""

    def __init__(self, company: Company, last: Quarter, as_of: date | None, shown: int) -> None:
        self.company, self.config, self.tables = company, company.config, company.tables
        self.windows = Windows(company, last, as_of, shown + HISTORY)
        self.quarters = self.windows.quarters
        self.shown = self.quarters[-shown:]
        self._kept: dict[str, tuple[Frame, set[str]]] = {}
        self.read: dict[str, set[str]] = defaultdict(set)  # by fact: what it was made of

    @property
    def is_shown(self) -> nw.Expr:
        """The condition that a row's quarter is one of those shown, and not only read for them."""
        return nw.col("quarter").is_in([quarter.label for quarter in self.shown])

    def once(self, name: str, build: Callable[[], Frame]) -> Frame:
        """The frame of that name, built and held at its first use; whoever uses it has read what it was made of."""
        if name not in self._kept:
            with self.tables.noted() as read:
                self._kept[name] = self.tables.engine.keep(build()), read
        frame, read = self._kept[name]
        self.tables.note(read)
        return frame

    @contextmanager
    def noting(self, fact: str) -> Iterator[None]:
        """What is read meanwhile is what the fact was made of."""
        with self.tables.noted() as read:
            yield
        self.read[fact] |= read

    def priced(self, frame: Frame, amount: str, day: str, into: str = "", *, earlier: bool = False) -> Frame:
        """`amount` in the reporting currency, to the cent, by its currency's rate on `day`; null where no rate is known.

        `earlier`: also `at_earlier_rates`, by the rate of the same day a year before, and `exchange_rates`, the slice that has it.
        """
        rates = self.tables.fx_days.select("currency", nw.col("day").alias(day), _rate="rate", _earlier="earlier_rate")
        frame = frame.join(rates if earlier else rates.drop("_earlier"), on=["currency", day], how="left")
        own = nw.when(nw.col("currency") == self.config.company.currency).then(nw.lit(1.0))
        named = {into or amount: "_rate"} | ({"at_earlier_rates": "_earlier"} if earlier else {})
        values = {
            name: to_the_cent(nw.col(amount).cast(nw.Float64) * own.otherwise(nw.col(rate)))
            for name, rate in named.items()
        }
        frame = frame.with_columns(**values).drop(*named.values())
        return frame.with_columns(exchange_rates=nw.lit("of the year before")) if earlier else frame

    def of_others(self, rows: Frame) -> Frame:
        """The rows that are not of our own people; a row without a `person_id` stays."""
        ours = self.tables.people.filter(nw.col("is_internal")).select("person_id")
        return rows.join(ours, on="person_id", how="anti")


@dataclass(frozen=True)
class Cut:
    """One way of cutting time: the shared base, and the windows of kind `kind` (`quarter`, `month`, `trailing_4_quarters` …)."""

    base: Base
    kind: str

    @property
    def tables(self) -> Any:
        return self.base.tables

    @property
    def config(self) -> Any:
        return self.base.config

    @property
    def windows(self) -> Frame:
        """quarter, window, start_on, end_on: one row per window of every quarter."""
        return self.base.windows.frame(self.kind)

    @property
    def days(self) -> Frame:
        """day, quarter, window: one row per day of every window; a day of overlapping windows is there for each."""
        return self.base.windows.days(self.kind)


class AnalystFacts:
    """The facts of a quarter as pandas frames, by name: `page.facts.ad_days`."""

    def __init__(self, company: Company, quarter: Quarter) -> None:
        self._base = Base(company, quarter, None, 1)
        self._label = quarter.label

    def __dir__(self) -> list[str]:
        return list(FACTS)

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name not in FACTS:
            raise AttributeError(f"no fact {name!r}; there are {', '.join(FACTS)}")
        kind = "cohort" if name.endswith("cohorts") else "quarter"
        frame = FACTS[name].cut(Cut(self._base, kind))
        return self._base.tables.engine.collect(frame.filter(nw.col("quarter") == self._label))


def to_the_cent(amount: nw.Expr) -> nw.Expr:
    """Money rounded as decimals are: half a cent goes away from zero, though its double may lie a hair below the half."""
    cents = amount * 100
    return (cents + nw.when(cents < 0).then(-1e-6).otherwise(1e-6)).round() / 100


def day_number(day: str) -> nw.Expr:
    """Days since 0000-03-01 of a date column, by plain arithmetic: neither engine's date difference serves both."""
    year, month, dom = (getattr(nw.col(day).dt, part)().cast(nw.Int64) for part in ("year", "month", "day"))
    late = nw.when(month <= 2).then(1).otherwise(0)
    year, month = year - late, month + late * 12 - 3
    return year * 365 + year // 4 - year // 100 + year // 400 + (month * 153 + 2) // 5 + dom - 1


def within(day: str) -> nw.Expr:
    """The condition that a date column lies in the row's window, [start_on, end_on)."""
    return (nw.col(day) >= nw.col("start_on")) & (nw.col(day) < nw.col("end_on"))


from . import (  # noqa: E402,F401  (each registers its facts)
    accounts,
    ads,
    cohorts,
    comparisons,
    content,
    conversations,
    costs,
    credit,
    customers,
    demos,
    due,
    engagement,
    forms,
    indicators,
    influence,
    leads,
    mail,
    market,
    meetings,
    movement,
    opportunities,
    people,
    quality,
    restated,
    spend,
    stages,
    surveys,
    target_list,
    visits,
    voice,
)
