"""A few totals by quarter, counted plainly: what targets are set on and finance ties to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from .rates import Rates
from .shape import Row, Shape, Tables


class Figures:
    """Won and newly qualified deals of finished tables."""

    def __init__(self, shape: Shape, rates: Rates, tables: Tables) -> None:
        self.shape, self.rates, self.tables = shape, rates, tables
        self.owner = {row["opportunity_id"]: row["owner"] for row in tables["opportunity_sources"]}
        self.deal = {row["opportunity_id"]: row for row in tables["opportunities"]}
        self.segment = {row["account_id"]: row["segment"] for row in tables["accounts"]}
        last = {row["opportunity_id"]: row for row in tables["opportunity_changes"]}
        self.won = [row for row in last.values() if row["stage"] == "won"]
        self.created = self._created()

    def _created(self) -> list[Row]:
        """New business by the quarter it was qualified in, with its amount then."""
        first: dict[str, Row] = {}
        for row in self.tables["opportunity_changes"]:
            deal = self.deal[row["opportunity_id"]]
            if deal["business_type"] == "new" and row["changed_at"] == deal["qualified_at"]:
                first[row["opportunity_id"]] = row
        return list(first.values())

    def money(self, row: Row, day: date) -> float:
        return float(row["amount"] or 0) * self.rates.rate(row["currency"], day)

    def by_quarter(
        self, day: Callable[[Row], date], rows: list[Row], value: Callable[[Row], float]
    ) -> dict[str, float]:
        found = dict.fromkeys([quarter.label for quarter in self.shape.quarters], 0.0)
        for row in rows:
            label = self.shape.calendar.quarter_of(day(row)).label
            if label in found:
                found[label] += value(row)
        return found

    def booked(self, keep: Callable[[Row], bool] = lambda row: True) -> dict[str, float]:
        rows = [row for row in self.won if keep(self.deal[row["opportunity_id"]])]
        return self.by_quarter(lambda row: row["close_on"], rows, lambda row: self.money(row, row["close_on"]))

    def pipeline(self, keep: Callable[[Row], bool] = lambda row: True, count: bool = False) -> dict[str, float]:
        rows = [row for row in self.created if keep(row)]
        worth = (lambda row: 1.0) if count else (lambda row: self.money(row, row["changed_at"].date()))
        return self.by_quarter(lambda row: row["changed_at"].date(), rows, worth)
