"""Time until something comes, with those who still wait: curves, medians, and what comes where two ends compete.

Kaplan–Meier, its log-log band and the log-rank test are SciPy's. Aalen–Johansen is our own: won and lost compete, and one
minus a Kaplan–Meier curve that takes the lost for waiting says too much. Days are whole or not; a wait is over where
`happened`, and still goes on elsewhere after so many days. A missing value raises ValueError.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .intervals import Z

NAN = float("nan")
# Products such as 3/4 x 2/3 may miss one half by a rounding.
HAIR = 1e-12
Numbers = NDArray[Any]  # of doubles


@dataclass(frozen=True)
class Curve:
    """A share at each day on which something happened, with its 95 % band; nan where the band is not known.

    Of Kaplan and Meier the share that still waits, of Aalen and Johansen the share to which it has come.
    """

    days: Numbers
    share: Numbers
    low: Numbers
    high: Numbers

    def at(self, day: float) -> tuple[float, float, float]:
        """The share by that day with its band, of an incidence; 0 without a band before the first."""
        place = int(np.searchsorted(self.days, day, side="right")) - 1
        if place < 0:
            return 0.0, NAN, NAN
        return float(self.share[place]), float(self.low[place]), float(self.high[place])


def kaplan_meier(days: ArrayLike, happened: ArrayLike) -> Curve:
    """The share that still waits after each day. Kaplan and Meier 1958, band by Greenwood's variance of log(-log)."""
    # SciPy's statistics take seconds to import: not for those who ask for no curve.
    from scipy.stats import CensoredData, ecdf

    waits, over = _complete(days), np.asarray(happened, bool)
    if len(waits) == 0:
        return Curve(*(np.zeros(0) for _ in range(4)))
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the band is unknown where the curve is 0 or 1, and stays nan
        still = ecdf(CensoredData.right_censored(waits, ~over)).sf
        band = still.confidence_interval(0.95, method="log-log")
    return Curve(still.quantiles, still.probabilities, band.low.probabilities, band.high.probabilities)


def median_wait(days: ArrayLike, happened: ArrayLike) -> tuple[float, float, float]:
    """The median wait with its range: the first day on which the curve, or a side of its band, is at or under one half.

    Each is nan where its curve does not come down so far.
    """
    curve = kaplan_meier(days, happened)
    median, low, high = (_first(curve.days, side <= 0.5 + HAIR) for side in (curve.share, curve.low, curve.high))
    return median, low, high


def log_rank(
    days: ArrayLike, happened: ArrayLike, others: ArrayLike, others_happened: ArrayLike
) -> tuple[float, float]:
    """The log-rank test of two groups: chi-squared with one degree of freedom, and p. Mantel 1966, by SciPy."""
    from scipy.stats import CensoredData, logrank

    one, other = (
        CensoredData.right_censored(_complete(waits), ~np.asarray(over, bool))
        for waits, over in ((days, happened), (others, others_happened))
    )
    found = logrank(one, other)
    return float(found.statistic) ** 2, float(found.pvalue)


def aalen_johansen(days: ArrayLike, happened: ArrayLike, instead: ArrayLike) -> Curve:
    """The share to which it has come by each day, where something else may come `instead`; the others still wait.

    Aalen and Johansen 1978. The variance is that of Marubini and Valsecchi (1995, section 10.3), the band on log(-log).
    """
    waits, won = _complete(days), np.asarray(happened, bool)
    ended = won | np.asarray(instead, bool)
    ends, place = np.unique(waits, return_inverse=True)
    left, won_then, ended_then = (np.bincount(place, each, len(ends)) for each in (None, won, ended))
    at_risk = len(waits) - np.cumsum(left) + left
    waiting = (
        np.concatenate([[1.0], np.cumprod(1 - ended_then / np.maximum(at_risk, 1))[:-1]]) if len(ends) else np.zeros(0)
    )
    share = np.cumsum(waiting * won_then / np.maximum(at_risk, 1))
    low, high = _band(share, _variance(share, waiting, won_then, ended_then, at_risk))
    came = ended_then > 0
    return Curve(ends[came], share[came], low[came], high[came])


def _variance(share: Numbers, waiting: Numbers, won: Numbers, ended: Numbers, at_risk: Numbers) -> Numbers:
    # The sums over earlier days of (share now - share then)^2 x a, and so on, multiplied out, so that each is one running sum.
    rest = at_risk - ended
    a = np.divide(ended, at_risk * rest, out=np.zeros_like(share), where=rest > 0)
    b = waiting**2 * (at_risk - won) * won / at_risk**3
    c = waiting * won / at_risk**2
    first = share**2 * np.cumsum(a) - 2 * share * np.cumsum(a * share) + np.cumsum(a * share**2)
    return np.maximum(first + np.cumsum(b) - 2 * (share * np.cumsum(c) - np.cumsum(c * share)), 0.0)


def _band(share: Numbers, variance: Numbers) -> tuple[Numbers, Numbers]:
    """The log-log band of a share; nan where the share is 0 or 1."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        half = Z * np.sqrt(variance) / np.abs(share * np.log(share))
        low, high = share ** np.exp(half), share ** np.exp(-half)
    known = (share > 0) & (share < 1)
    return np.where(known, low, NAN), np.where(known, high, NAN)


def median_of_those_to_come(days: ArrayLike, happened: ArrayLike, instead: ArrayLike) -> tuple[float, float, float]:
    """The median wait of those to whom it comes, with its range: when half of all that will come has come.

    All that will come is the incidence at its last day, so the longest wait seen must be long enough. nan where nothing came.
    """
    curve = aalen_johansen(days, happened, instead)
    if len(curve.share) == 0 or curve.share[-1] == 0:
        return NAN, NAN, NAN
    half = curve.share[-1] / 2 - HAIR
    median, low, high = (_first(curve.days, side >= half) for side in (curve.share, curve.high, curve.low))
    return median, low, high


def day_of_most_to_come(days: ArrayLike, happened: ArrayLike, instead: ArrayLike, part: float) -> float:
    """The day by which that part of all that will come has come; nan where nothing came."""
    curve = aalen_johansen(days, happened, instead)
    if len(curve.share) == 0 or curve.share[-1] == 0:
        return NAN
    return _first(curve.days, curve.share >= curve.share[-1] * part - HAIR)


def mean_of_those_to_come(days: ArrayLike, happened: ArrayLike, instead: ArrayLike) -> float:
    """The mean wait of those to whom it comes, open waits included; nan where nothing came."""
    curve = aalen_johansen(days, happened, instead)
    if len(curve.share) == 0 or curve.share[-1] == 0:
        return NAN
    return float(curve.days @ np.diff(curve.share, prepend=0.0) / curve.share[-1])


def _first(days: Numbers, reached: NDArray[np.bool_]) -> float:
    places = np.flatnonzero(reached)
    return float(days[places[0]]) if len(places) else NAN


def _complete(values: ArrayLike) -> Numbers:
    array = np.asarray(values, float)
    if np.isnan(array).any():
        raise ValueError("a missing value has no place in a curve: leave its unit out first")
    return array
