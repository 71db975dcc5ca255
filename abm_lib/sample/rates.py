"""Daily exchange rates to the reporting currency, on business days only, and the rate in force on any day."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from .shape import Row, Shape

# What one unit is worth in EUR at the beginning; a currency not listed starts at par.
IN_EUR = {"EUR": 1.0, "USD": 0.93, "GBP": 1.16, "CHF": 1.03, "SEK": 0.088, "NOK": 0.086, "PLN": 0.23, "JPY": 0.0062}
DEALT = ("EUR", "USD", "GBP")


class Rates:
    def __init__(self, shape: Shape) -> None:
        rng = shape.rng("rates")
        span = (shape.known - shape.begin).days + 1
        self.days = [shape.begin + timedelta(days=n) for n in range(span)]
        self.reporting = shape.currency
        self.in_eur: dict[str, np.ndarray] = {}
        for currency in dict.fromkeys((*DEALT, shape.currency)):
            walk = np.cumsum(rng.normal(0, 0.0035, size=span))
            drift = 1.0 if currency == "EUR" else np.exp(walk - walk.mean())
            self.in_eur[currency] = IN_EUR.get(currency, 1.0) * drift * np.ones(span)

    def rate(self, currency: str, day: date) -> float:
        """The rate of the nearest business day at or before `day`, as `fx.csv` gives it."""
        number = min(max((day - self.days[0]).days, 0), len(self.days) - 1)
        number -= max(0, self.days[number].weekday() - 4)
        number = max(number, 0)
        return round(float(self.in_eur[currency][number] / self.in_eur[self.reporting][number]), 6)

    def from_eur(self, amount: float, currency: str | None = None) -> float:
        """An amount of the plan, which is drawn up in EUR, at the rate of the beginning."""
        return amount / IN_EUR.get(currency or self.reporting, 1.0)

    def rows(self) -> list[Row]:
        return [
            {"currency": currency, "day": day, "rate": self.rate(currency, day), "source": "central bank reference"}
            for currency in sorted(self.in_eur)
            for day in self.days
            if day.weekday() < 5
        ]
