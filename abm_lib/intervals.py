"""95 % intervals for shares, differences of shares, net scores, medians, means and ratios of sums.

Thin over NumPy; nothing here knows a metric. An interval is a pair (low, high), nan where the data are too few to give
one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z = 1.959963984540054
TAIL = 0.025
UNKNOWN = (float("nan"), float("nan"))
FEWEST_UNITS = 5
DRAWS_AT_ONCE = 1_000_000


def wilson(k: ArrayLike, n: ArrayLike) -> tuple[Any, Any]:
    """The Wilson score interval of k of n: floats, or arrays where arrays are given; nan where n is 0.

    Wilson 1927, as method 3 of Newcombe, Statist. Med. 17 (1998) 857-872. Raises ValueError unless 0 <= k <= n.
    """
    hits, all_ = np.asarray(k, float), np.asarray(n, float)
    if np.any((hits < 0) | (hits > all_)):
        raise ValueError("a share is k of n, with k from 0 to n")
    with np.errstate(divide="ignore", invalid="ignore"):
        share = hits / all_
        centre = share + Z**2 / (2 * all_)
        half = Z * np.sqrt(share * (1 - share) / all_ + (Z / (2 * all_)) ** 2)
        low, high = (centre - half) / (1 + Z**2 / all_), (centre + half) / (1 + Z**2 / all_)
    # Rounding leaves 1e-17 where the interval touches 0 or 1.
    low = np.where((hits == 0) & (all_ > 0), 0.0, low)
    high = np.where((hits == all_) & (all_ > 0), 1.0, high)
    return low[()], high[()]


def newcombe(k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike) -> tuple[Any, Any]:
    """The hybrid score interval of the difference k1/n1 - k2/n2: floats or arrays; nan where n1 or n2 is 0.

    Method 10 of Newcombe, Statist. Med. 17 (1998) 873-890. Raises ValueError unless 0 <= k <= n.
    """
    (low1, high1), (low2, high2) = wilson(k1, n1), wilson(k2, n2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share1, share2 = np.divide(k1, n1), np.divide(k2, n2)
    difference = share1 - share2
    low = difference - np.hypot(share1 - low1, high2 - share2)
    high = difference + np.hypot(high1 - share1, share2 - low2)
    return low, high


def sample_ratio(control: float, everybody: float, planned: float) -> float:
    """The chance of a split at least as far from the planned one, where everybody was drawn by lot: chi-squared, one degree.

    nan where there is nobody. Raises ValueError unless 0 < planned < 1.
    """
    if not 0 < planned < 1:
        raise ValueError("a planned split gives something to both sides")
    if everybody <= 0:
        return float("nan")
    apart = (control - planned * everybody) ** 2 / (everybody * planned * (1 - planned))
    return math.erfc(math.sqrt(apart / 2))


def net_promoter(promoters: float, detractors: float, answers: float) -> tuple[float, float]:
    """The adjusted Wald interval of promoters less detractors for each hundred answers, within -100 and 100.

    Three answers are added, of which three quarters of one promote and as many detract: Rocks, American Statistician 70
    (2016) 365-372. nan without an answer. Raises ValueError when there are more promoters and detractors than answers.
    """
    if min(promoters, detractors) < 0 or promoters + detractors > answers:
        raise ValueError("promoters and detractors are parts of the answers")
    if answers == 0:
        return UNKNOWN
    size = answers + 3
    above, below = (promoters + 0.75) / size, (detractors + 0.75) / size
    half = Z * float(np.sqrt((above + below - (above - below) ** 2) / size))
    return max(-100.0, 100 * (above - below - half)), min(100.0, 100 * (above - below + half))


def median_interval(values: ArrayLike) -> tuple[float, float]:
    """The order-statistic interval of a median: two of the values themselves, in their unit; nan below 6 values.

    Exact: each side is the innermost value that the median passes with a chance of at most 2.5 %, whatever the
    distribution. Raises ValueError when a value is missing.
    """
    ordered = np.sort(_complete(values))
    size = len(ordered)
    below = np.arange(1, size // 2)
    # In logarithms, since 2 ** -size is no double from 1,075 values on.
    ways = np.concatenate([[0.0], np.cumsum(np.log((size - below + 1) / below))])
    passed = int(np.sum(np.cumsum(np.exp(ways - size * np.log(2))) <= TAIL)) if size > 1 else 0
    return UNKNOWN if passed == 0 else (float(ordered[passed - 1]), float(ordered[size - passed]))


def bootstrap(
    numerators: ArrayLike, denominators: ArrayLike | None = None, *, seed_text: str, resamples: int = 1999
) -> tuple[float, float]:
    """The percentile bootstrap interval of a mean, or of a ratio of sums, over units such as accounts.

    `numerators` and `denominators` have one value for each unit, sorted by the unit's key: the draw depends on the
    order. `seed_text` says which number this is (metric id, quarter, slice): the same number always gets the same draw.
    nan below 5 units whose denominator is not 0; a resample whose denominators sum to 0 is left out.
    Raises ValueError when a value is missing or the two differ in length.
    """
    above = _complete(numerators)
    below = np.ones(above.shape) if denominators is None else _complete(denominators)
    if above.shape != below.shape:
        raise ValueError("each unit has a numerator and a denominator")
    if np.count_nonzero(below) < FEWEST_UNITS:
        return UNKNOWN
    tops, bottoms = _resampled_sums(above, below, seed_text, resamples)
    drawn = tops[bottoms != 0] / bottoms[bottoms != 0]
    # (resamples + 1) x 2.5 % is a whole number at 1999, and this method then takes that very resample.
    low, high = np.quantile(drawn, [TAIL, 1 - TAIL], method="weibull")
    return float(low), float(high)


def resampled(
    rows: Mapping[str, NDArray[Any]],
    statistic: Callable[[dict[str, NDArray[Any]]], float],
    *,
    seed_text: str,
    resamples: int = 399,
) -> tuple[float, float]:
    """The percentile bootstrap interval of any statistic of rows, given as columns of equal length; seeded as `bootstrap`.

    nan below 5 rows, or where most resamples have no value.
    """
    size = len(next(iter(rows.values())))
    if size < FEWEST_UNITS:
        return UNKNOWN
    random = _seeded(seed_text)
    drawn = np.empty(resamples)
    for number in range(resamples):
        picked = random.integers(0, size, size)
        drawn[number] = statistic({name: column[picked] for name, column in rows.items()})
    drawn = drawn[~np.isnan(drawn)]
    if len(drawn) < resamples / 2:
        return UNKNOWN
    low, high = np.quantile(drawn, [TAIL, 1 - TAIL], method="weibull")
    return float(low), float(high)


def _seeded(seed_text: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(seed_text.encode()).digest(), "big"))


def _resampled_sums(
    above: NDArray[np.float64], below: NDArray[np.float64], seed_text: str, resamples: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums over units drawn with replacement, one for each resample; drawn in blocks to bound the memory."""
    size = len(above)
    random = _seeded(seed_text)
    tops, bottoms = np.empty(resamples), np.empty(resamples)
    rows = max(1, DRAWS_AT_ONCE // size)
    for start in range(0, resamples, rows):
        end = min(start + rows, resamples)
        picked = random.integers(0, size, (end - start, size))
        tops[start:end], bottoms[start:end] = above.take(picked).sum(axis=1), below.take(picked).sum(axis=1)
    return tops, bottoms


def _complete(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, float)
    if np.isnan(array).any():
        raise ValueError("a missing value has no place in an interval: leave its unit out first")
    return array
