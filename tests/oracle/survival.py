"""The Kaplan–Meier median, written out: at each day somebody was won, the share of those still waiting that was won."""

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
