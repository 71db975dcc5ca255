"""Fiscal quarters worked out on their own: months only, a year named by the year it ends or begins in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def month_later(year: int, month: int, months: int) -> date:
    """The first day of the month that lies so many months after another."""
    whole = year * 12 + month - 1 + months
    return date(whole // 12, whole % 12 + 1, 1)


@dataclass(frozen=True)
class Fiscal:
    """A company's calendar: the month its year begins in, what names the year, and its time zone."""

    first_month: int
    named_by: str
    zone: ZoneInfo

    def year_begins(self, label: int) -> date:
        """The first day of the fiscal year with this number."""
        straddles = self.first_month > 1 and self.named_by == "end"
        return date(label - 1 if straddles else label, self.first_month, 1)

    def quarter(self, label: str) -> tuple[date, date]:
        """First day and first day after of a quarter such as 2026Q3."""
        year, number = int(label[:4]), int(label[5])
        first = self.year_begins(year)
        begins = month_later(first.year, first.month, 3 * (number - 1))
        return begins, month_later(begins.year, begins.month, 3)

    def quarters(self) -> list[tuple[str, date, date]]:
        """Every quarter that the tests may touch."""
        labels = [f"{year}Q{number}" for year in range(2019, 2031) for number in (1, 2, 3, 4)]
        return [(label, *self.quarter(label)) for label in labels]

    def instant(self, day: date) -> datetime:
        """When this local day begins, as a UTC time without a zone, which is how the files hold it."""
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC).replace(tzinfo=None)


def earlier(label: str, quarters: int) -> str:
    """The label of the quarter so many quarters before."""
    whole = int(label[:4]) * 4 + int(label[5]) - 1 - quarters
    return f"{whole // 4}Q{whole % 4 + 1}"


def months(begins: date, ends: date) -> list[tuple[str, date, date]]:
    """The months of a span, with their labels."""
    found = []
    while begins < ends:
        after = month_later(begins.year, begins.month, 1)
        found.append((f"{begins:%Y-%m}", begins, after))
        begins = after
    return found


def days_after(day: date, days: int) -> date:
    """A local day so many days later."""
    return day + timedelta(days=days)
