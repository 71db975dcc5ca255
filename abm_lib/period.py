"""Fiscal calendars: the only date arithmetic of the project.

Every span is half open, [start, end), in whole local days. `Calendar` cuts the days into fiscal years, quarters, months
and weeks so that each day is in exactly one of each; `instant` turns the edge of a day into an instant of UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from .errors import Fault, UsageError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST_YEAR, LAST_YEAR = 1900, 2199


@dataclass(frozen=True)
class Period:
    """A labelled span of whole days, [start, end)."""

    label: str
    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def holds(self, day: date) -> bool:
        return self.start <= day < self.end


class Quarter(Period):
    """A fiscal quarter; its label is the fiscal year and Q1 to Q4, such as 2026Q3."""

    @property
    def year(self) -> int:
        return int(self.label[:4])

    @property
    def number(self) -> int:
        return int(self.label[5])


@dataclass(frozen=True)
class Calendar:
    """A company's fiscal years and what they are made of.

    `months`: years of twelve calendar months from `first_month`. `445`, `454`, `544`: years of 52 or 53 whole weeks,
    each quarter of so many weeks a month; a year ends on the last `weekday` of the month before `first_month`, or on
    the one `nearest` that month's end, and week 53 belongs to the last month of Q4. A year that does not begin in
    January is named by the calendar year in which it ends or starts; for week patterns the nominal year from
    `first_month` decides, not the few days by which the real one is off.
    """

    first_month: int = 1
    pattern: Literal["months", "445", "454", "544"] = "months"
    named_by: Literal["end", "start"] = "end"
    weekday: str = "saturday"
    year_end: Literal["last", "nearest"] = "last"

    def quarter(self, label: str) -> Quarter:
        """The quarter of a label such as 2026Q3. Raises UsageError for any other form."""
        parts = re.fullmatch(r"([0-9]{4})Q([1-4])", label)
        if not parts:
            raise _not_a_quarter(label)
        return self._quarter(int(parts[1]), int(parts[2]))

    def quarter_of(self, day: date) -> Quarter:
        """The one quarter that holds a day."""
        year = day.year + 1
        while self._year_start(year) > day:
            year -= 1
        return next(quarter for n in (1, 2, 3, 4) if (quarter := self._quarter(year, n)).holds(day))

    def current(self, day: date) -> Quarter:
        """The quarter that is running on a day."""
        return self.quarter_of(day)

    def last_complete(self, day: date) -> Quarter:
        """The last quarter that was over when a day began."""
        return self.step(self.quarter_of(day), -1)

    def step(self, quarter: Quarter, n: int) -> Quarter:
        """The quarter n after this one; before it where n is negative."""
        year, index = divmod(quarter.year * 4 + quarter.number - 1 + n, 4)
        return self._quarter(year, index + 1)

    def quarters(self, last: Quarter | str, count: int) -> list[Quarter]:
        """`count` quarters in a row, oldest first, ending with `last`."""
        newest = self.quarter(last) if isinstance(last, str) else last
        return [self.step(newest, n) for n in range(1 - count, 1)]

    def months(self, quarter: Quarter) -> list[Period]:
        """The three fiscal months of a quarter: 2026-07, or 2026-P07 where weeks make months with no calendar name."""
        first = quarter.number * 3 - 2
        edges = [self._month_start(quarter.year, first + n) for n in (0, 1, 2, 3)]
        named = [f"{edge:%Y-%m}" for edge in edges]
        labels = named if self.pattern == "months" else [f"{quarter.year}-P{first + n:02}" for n in (0, 1, 2)]
        return [Period(*month) for month in zip(labels, edges, edges[1:], strict=False)]

    def weeks(self, quarter: Quarter) -> list[Period]:
        """The ISO weeks (Monday to Sunday, 2026-W31) of a quarter, oldest first, cut to its edges.

        A week that straddles two quarters is in both under one label, each with its own days.
        """
        weeks, start = [], quarter.start
        while start < quarter.end:
            end = min(start + timedelta(days=7 - start.weekday()), quarter.end)
            weeks.append(Period("{}-W{:02}".format(*start.isocalendar()), start, end))
            start = end
        return weeks

    def year(self, quarter: Quarter) -> Period:
        """The whole fiscal year that holds a quarter."""
        return Period(str(quarter.year), self._year_start(quarter.year), self._year_start(quarter.year + 1))

    def year_to_date(self, quarter: Quarter) -> Period:
        """From the start of the fiscal year to the quarter's end, under the quarter's label."""
        return Period(quarter.label, self._year_start(quarter.year), quarter.end)

    def trailing(self, quarter: Quarter, count: int = 4) -> Period:
        """`count` whole quarters up to and with this one, under its label."""
        return Period(quarter.label, self.step(quarter, 1 - count).start, quarter.end)

    def _quarter(self, year: int, number: int) -> Quarter:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise _not_a_quarter(f"{year}Q{number}")
        first = number * 3 - 2
        return Quarter(f"{year}Q{number}", self._month_start(year, first), self._month_start(year, first + 3))

    def _month_start(self, year: int, number: int) -> date:
        """The first day of fiscal month 1 to 13; the thirteenth is the next year's first."""
        start = self._year_start(year)
        if number == 13:
            return self._year_start(year + 1)
        if self.pattern == "months":
            return _first_of_month(start.year, start.month + number - 1)
        whole, rest = divmod(number - 1, 3)
        return start + timedelta(weeks=13 * whole + sum(int(weeks) for weeks in self.pattern[:rest]))

    def _year_start(self, year: int) -> date:
        # The outermost years need their neighbours' edges; farther off lie placeholders such as 9999-12-31.
        if not FIRST_YEAR - 1 <= year <= LAST_YEAR + 2:
            raise _not_a_quarter(str(year))
        named_by_end = self.named_by == "end" and self.first_month > 1
        nominal = _first_of_month(year - named_by_end, self.first_month)
        if self.pattern == "months":
            return nominal
        late = (nominal.weekday() - 1 - WEEKDAYS.index(self.weekday)) % 7
        if self.year_end == "nearest" and late > 3:
            late -= 7
        return nominal - timedelta(days=late)


def instant(day: date, zone: ZoneInfo) -> datetime:
    """The naive UTC instant at which a local day begins.

    Where the clock skips midnight it is the first instant after the gap; where midnight comes twice, the first of them.
    A day that a zone left out (Samoa, 2011-12-30) begins when the next one does and so holds nothing.
    """
    return datetime.combine(day, time.min, zone).astimezone(UTC).replace(tzinfo=None)


def _first_of_month(year: int, month: int) -> date:
    """Months beyond 12 run on into the next year."""
    years, index = divmod(month - 1, 12)
    return date(year + years, index + 1, 1)


def _not_a_quarter(found: str) -> UsageError:
    expected = f"YYYYQn, such as 2026Q3, from {FIRST_YEAR} to {LAST_YEAR}"
    return UsageError(
        Fault("C45", "quarter-form", "quarter", found, expected, "name a fiscal year and one of Q1 to Q4")
    )
