"""Waits written out day by day: the Kaplan–Meier median, and what comes where won and lost compete (Aalen–Johansen)."""

from __future__ import annotations

import numpy as np
import pandas as pd


def median_days(ages: pd.DataFrame) -> float | None:
    """The first day by which half are won, or None when that has not come; `days` waited, `is_won` at their end."""
    days, won = ages["days"].to_numpy(float), ages["is_won"].to_numpy(bool)
    waiting = 1.0
    for day in np.unique(days[won]):
        waiting *= 1 - (won & (days == day)).sum() / (days >= day).sum()
        if waiting <= 0.5 + 1e-12:
            return float(day)
    return None


def incidence(ages: pd.DataFrame) -> list[tuple[float, float]]:
    """(day, share won by then): of those still open each day, some are won and some lost; `days`, `is_won`, `is_lost`."""
    days, won, lost = ages["days"].to_numpy(float), ages["is_won"].to_numpy(bool), ages["is_lost"].to_numpy(bool)
    open_, share, found = 1.0, 0.0, []
    for day in np.unique(days[won | lost]):
        seen = (days >= day).sum()
        share += open_ * (won & (days == day)).sum() / seen
        open_ *= 1 - ((won | lost) & (days == day)).sum() / seen
        found.append((float(day), float(share)))
    return found


def median_to_win(ages: pd.DataFrame) -> float | None:
    """The day by which half of all that will be won is won."""
    return most_to_win(ages, 0.5)


def most_to_win(ages: pd.DataFrame, part: float) -> float | None:
    """The day by which so large a part of all that will be won is won."""
    found = incidence(ages)
    whole = found[-1][1] if found else 0.0
    return next((day for day, share in found if whole and share >= whole * part - 1e-12), None)


def mean_to_win(ages: pd.DataFrame) -> float | None:
    """The mean of the days on which they are won, each weighed by the share won on it."""
    found = incidence(ages)
    before = [0.0, *(share for _, share in found)]
    won = sum(day * (share - was) for (day, share), was in zip(found, before, strict=False))
    return won / found[-1][1] if found and found[-1][1] else None


def won_within(ages: pd.DataFrame, limit: int) -> float | None:
    """The share won within so many days; None where something is open and nothing has been seen for so long."""
    over = ages["is_won"] | ages["is_lost"]
    if not len(ages) or (ages["days"].max() < limit and not over.all()):
        return None
    return max([0.0, *(share for day, share in incidence(ages) if day <= limit)])
