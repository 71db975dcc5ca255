"""What stands out: slices of a rate that differ clearly from the rest, and differences that clear zero.

A finding says that, never why. All slices that are compared on a page share its 5 % (Bonferroni), so that a company in
which nothing differs is told of a difference once in twenty pages. Where deals are counted, up to eight quarters stand
behind the comparison; else the quarter alone, since the same accounts come back in the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

from markupsafe import Markup

from .. import intervals
from .rows import Readings, Row

LEVEL = 0.05
FEWEST = 10  # deals or accounts in the slice, and as many in the rest
STEPS = {"quarter": 1, "canonical": 4}  # quarters from one window to the next that shares no day with it
NEVER = {
    "month",
    "week",
    "quarter",
    "year",
    "window",
    "statistic",
    "owner",
    "account",
    "department",
    "table",
}  # no groups, or groups of people
# What stands for a blank. That blanks differ says how the records are kept, not what happened.
BLANKS = {"unknown", "not stated", "none named", "none measured", "no campaign", "no programme", "no promotion"}


@dataclass(frozen=True)
class Finding:
    """A slice with its whole (none for a difference), and by how many widths of its interval it clears the rest."""

    row: Row
    whole: Row | None
    difference: float
    clearance: float

    def sentence(self, label: str = "") -> Markup:
        """The finding in words, the metric by its `label`, which may be a link; its numbers are readings of the quarter."""
        metric, name, value = label or self.row.label, self.row.name, self.row.data()
        side = "above" if self.difference > 0 else "below"
        if self.whole is None:
            return Markup("{}, {}: {}, clearly {} 0.").format(metric, name, value, side)
        said = Markup("{}: {} for {}, clearly {} the rest (all: {}).")
        return said.format(metric, value, name, side, self.whole.data())


def findings(readings: Readings, families: Iterable[str]) -> list[Finding]:
    """The clear differences of these families, one for each metric, the clearest first."""
    best: dict[str, Finding] = {}
    for found in sorted(clear_differences(readings, families), key=lambda found: -found.clearance):
        best.setdefault(found.row.metric, found)
    return list(best.values())


def clear_differences(readings: Readings, families: Iterable[str]) -> list[Finding]:
    """All that clears the interval widened for everything that these families compare."""
    wanted = set(families)
    return clear_of(readings, [name for name, metric in readings.register.items() if metric.family in wanted])


def clear_of(readings: Readings, metrics: Iterable[str]) -> list[Finding]:
    """All that clears the interval widened for everything that these metrics compare."""
    compared = [each for name in metrics for each in _compared(readings, name)]
    widen = widened(len(compared))
    return [found for each in compared if (found := judged(*each, widen))]


def widened(compared: int) -> float:
    """By how much the half-width of a 95 % interval grows when so many comparisons share its 5 % (Bonferroni)."""
    return NormalDist().inv_cdf(1 - LEVEL / 2 / max(compared, 1)) / intervals.Z


def _compared(readings: Readings, metric: str) -> Iterator[tuple[Row, Row | None, tuple[float, float, float]]]:
    """Each slice that may be compared: its row, the whole's, and its difference from the rest with the ends of its interval."""
    known, whole = readings.register[metric], readings.whole(metric)
    for dimension in (by for by in known.by if by not in NEVER):
        rows = [row for row in readings.slices(metric, dimension) if row.value is not None]
        if known.unit == "points":
            ranged = [row for row in rows if row.low is not None and row.high is not None]
            yield from ((row, None, (row.value or 0.0, row.low or 0.0, row.high or 0.0)) for row in ranged)
        elif whole and known.unit == "share" and known.better != "neither":
            yield from _against_the_rest(readings, rows, whole)


def _against_the_rest(
    readings: Readings, rows: list[Row], whole: Row
) -> Iterator[tuple[Row, Row | None, tuple[float, float, float]]]:
    if not rows or not _adds_up(rows, whole):
        return
    # Of two groups either is the other's rest: one comparison, not two.
    for row in [row for row in rows if row.slice not in BLANKS][: 1 if len(rows) == 2 else None]:
        (k, n), (all_k, all_n) = _counted(readings, row), _counted(readings, whole)
        if min(n, all_n - n) >= FEWEST and 0 <= all_k - k <= all_n - n:
            low, high = intervals.newcombe(k, n, all_k - k, all_n - n)
            yield row, whole, (k / n - (all_k - k) / (all_n - n), float(low), float(high))


def _adds_up(rows: list[Row], whole: Row) -> bool:
    """Whether the slices part the whole: each unit is in one of them, as in a rate with Wilson's interval."""
    if whole.method != "Wilson, 95%" or whole.denominator is None:
        return False
    return sum(row.denominator or 0 for row in rows) == whole.denominator


def _counted(readings: Readings, row: Row) -> tuple[float, float]:
    """k and n of a slice: of windows without a common day over eight quarters where deals are counted, else of this one."""
    window = getattr(readings.register[row.metric], "window", "")
    past = [row]
    if row.counts == "opportunities" and window in STEPS:
        past = [r for r in readings.history(row.metric, row.slice_by, row.slice)[:: -STEPS[window]] if r]
    return sum(r.numerator or 0.0 for r in past), sum(r.denominator or 0.0 for r in past)


def judged(row: Row, whole: Row | None, told: tuple[float, float, float], widen: float) -> Finding | None:
    """A finding where the widened interval leaves 0 out; `told` is a difference with the ends of its 95 % interval."""
    difference, low, high = told
    reach = ((difference - low) if difference > 0 else (high - difference)) * widen
    if abs(difference) <= reach or row.status == "small_n":
        return None
    return Finding(row, whole, difference, abs(difference) / reach if reach else float("inf"))
