"""The ways in which a metric is sliced: their names, the windows and columns they need, and the values of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .config import Config
from .errors import Fault, UsageError
from .metric import REGISTER, Metric

STATISTIC = "statistic"
# Slices read for the quarter reported only.
ONE_QUARTER = {"account", "campaign", "asset", "email", "landing_page", "next_page", "faulty", "owner",
                "restated_quarter"}  # fmt: skip
MOST_VALUES = 50  # as is every slice with more values than this
TIME = {"month": "month", "week": "week", "quarter": "quarter", "year": "year"}


@dataclass(frozen=True)
class SliceSet:
    """One way of slicing: the name a reading carries, the windows it needs, and the columns it groups by.

    `statistic` is no column: it names a slice that holds another statistic of the same rows.
    """

    name: str
    kind: str
    columns: tuple[str, ...] = ()

    @property
    def is_time(self) -> bool:
        return self.name in TIME

    @property
    def is_cohort(self) -> bool:
        return self.kind == "cohort"


def slice_sets(metric: Metric) -> list[SliceSet]:
    """The whole, then each slice that the metric declares."""
    sets = [SliceSet("", metric.window)]
    for name in metric.by:
        is_column = name not in TIME and name != "window"
        columns = tuple(part for part in name.split("/") if part != STATISTIC) if is_column else ()
        kind = metric.also_window if name == "window" else TIME.get(name, metric.window)
        sets.append(SliceSet(name, kind, columns))
    return sets


def own_column(name: str) -> str:
    """The column in which a fact has a company's own slice; no other column is called so."""
    return f"own {name}"


def check_own(config: Config) -> None:
    """Raises UsageError for each of the company's own slices that is called as one which metrics have already."""
    parts = {part for metric in REGISTER.values() for name in metric.by for part in name.split("/")}
    taken = [name for name in config.slices if name in parts | TIME.keys() | {STATISTIC, "window"}]
    expected, fix = "a name that no metric is sliced by yet", "choose another name"
    if taken:
        raise UsageError([Fault("C11", "slice-twice", "abm.toml  [slices]", name, expected, fix) for name in taken])


def slice_values(keys: list[tuple[Any, ...]], chosen: SliceSet) -> list[str]:
    """The slice of each key (quarter, window, values): its values joined by `/`; a `/` inside one is percent-encoded."""
    if chosen.is_time:
        return [key[1] for key in keys]
    if chosen.name == "window":
        return [chosen.kind] * len(keys)
    if not chosen.name:
        return [""] * len(keys)
    parts = chosen.name.split("/")
    if len(parts) == 1:
        return ["median" if chosen.name == STATISTIC else str(key[2]) for key in keys]
    places = [chosen.columns.index(part) + 2 if part != STATISTIC else None for part in parts]
    return ["/".join("median" if at is None else _escaped(str(key[at])) for at in places) for key in keys]


def _escaped(value: str) -> str:
    return value.replace("%", "%25").replace("/", "%2F")
