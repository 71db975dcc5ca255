"""When the invented company lives and how large it is: its dates, its seeds and the draws that every table shares."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.random import Generator

from ..period import Calendar, Quarter

Row = dict[str, Any]
Tables = dict[str, list[Row]]
T = TypeVar("T")

SEASON = (0.9, 1.0, 1.15, 0.95, 1.0, 1.05, 0.85, 0.7, 1.15, 1.15, 1.1, 0.85)
SETTLE_DAYS = 10
QUARTERS = 12
# Enterprise deals take nine months, so the first shown quarter needs opportunities created well before it.
WARM_UP = 5


@dataclass(frozen=True)
class Shape:
    """The arguments of `write`, and the dates that follow from them."""

    seed: int
    scale: float
    currency: str
    first_month: int
    last_quarter: str

    @cached_property
    def calendar(self) -> Calendar:
        return Calendar(self.first_month)

    @cached_property
    def history(self) -> list[Quarter]:
        """The quarters with opportunities: the warm-up, then the twelve that are shown."""
        return self.calendar.quarters(self.last_quarter, QUARTERS + WARM_UP)

    @cached_property
    def quarters(self) -> list[Quarter]:
        return self.history[WARM_UP:]

    @cached_property
    def ahead(self) -> list[Quarter]:
        """The running quarter and the one after it, which have targets and open deals but hardly any data."""
        running = self.calendar.quarter_of(self.end)
        return [running, self.calendar.quarter_of(running.end)]

    @cached_property
    def begin(self) -> date:
        """First day of the opportunity history."""
        return self.history[0].start

    @cached_property
    def start(self) -> date:
        """First day of ads, page views, e-mails, meetings and touches."""
        return self.quarters[0].start

    @cached_property
    def end(self) -> date:
        return self.quarters[-1].end

    @cached_property
    def known(self) -> date:
        """The last day the files know of: the twelfth of the running quarter."""
        return self.end + timedelta(days=11)

    @cached_property
    def cut(self) -> datetime:
        """Nothing is recorded after this moment of the last known day."""
        return datetime.combine(self.known, time(20))

    def rng(self, name: str) -> Generator:
        """A generator of its own for each part, so that a change in one part leaves the others' draws alone."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def size(self, full: float, least: int = 0) -> int:
        return max(least, round(full * self.scale))

    def progress(self, day: date) -> float:
        """0 on the first shown day, 1 at the end; held between the two."""
        return min(1.0, max(0.0, (day - self.start).days / (self.end - self.start).days))

    def spread(self, rng: Generator, count: int, first: date, last: date, growth: float = 0.0) -> list[date]:
        """`count` working days in [first, last), in order, following the season and a yearly growth."""
        days = [first + timedelta(days=number) for number in range((last - first).days)]
        days = [day for day in days if day.weekday() < 5] or [first]
        weights = np.array([SEASON[day.month - 1] * (1 + growth) ** ((day - first).days / 365) for day in days])
        drawn = rng.choice(len(days), size=count, p=weights / weights.sum())
        return [days[number] for number in sorted(drawn)]


def pick(rng: Generator, weights: Mapping[T, float]) -> T:
    """One key, by weight."""
    point = rng.random() * sum(weights.values())
    for choice, weight in weights.items():
        point -= weight
        if point < 0:
            return choice
    return list(weights)[-1]


def one(rng: Generator, choices: Sequence[T]) -> T:
    return choices[int(rng.integers(len(choices)))]


def chance(rng: Generator, share: float) -> bool:
    return bool(rng.random() < share)


def between(rng: Generator, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return int(rng.integers(low, high + 1))


def around(rng: Generator, median: float, sigma: float) -> float:
    """A long-tailed positive number (log-normal)."""
    return float(median * np.exp(rng.normal(0, sigma)))


def moment(rng: Generator, day: date) -> datetime:
    """A second of the working day; in UTC and in Berlin it is the same date."""
    return datetime.combine(day, time(7)) + timedelta(seconds=int(rng.integers(9 * 3600)))


def working(day: date) -> date:
    """The day itself, or the Monday after a week-end."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def shift(day: date, days: float) -> date:
    return day + timedelta(days=round(days))
