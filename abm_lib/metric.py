"""The register of metrics.

A metric is a function from facts to a formula; its name is its id, its body the definition:

    @metric(facts="ad_days", label="Ad click-through rate", unit="share", better="higher", by=("channel",))
    def ad_click_rate(ads):
        \"\"\"Clicks for each impression served in the quarter. …\"\"\"
        return ratio(ads.total("clicks"), ads.total("impressions"), nothing="no impressions")

The same function serves the whole, every slice, every quarter and both engines, and an analyst's own frame:
`abm.ad_click_rate(frame)`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from .config import Config
from .errors import Fault, UsageError, nearest
from .facts import FACTS
from .formula import Columns, Formula
from .reading import Reading

Unit = Literal["share", "count", "money", "money_per_day", "days", "months", "times", "points", "score", "seconds"]
Better = Literal["higher", "lower", "neither"]
Kind = Literal["leading", "funnel", "return", "quality"]
Pillar = Literal["reputation", "relationships", "revenue"]


class Look(Protocol):
    """How a worked metric asks for another's reading of the same quarter, and for what the company has set."""

    config: Config

    def __call__(self, metric: str, slice_by: str = "", value: str = "") -> Reading: ...

    def values(self, metric: str, slice_by: str) -> list[str]:
        """The slices that the other metric has."""
        ...

    def rows(self, fact: str) -> list[dict[str, Any]]:
        """The rows of a fact that the metric `looks_up`."""
        ...

    def delivers(self, column: str) -> bool:
        """Whether a source delivers `table.column`."""
        ...


@dataclass(frozen=True)
class Metric:
    """A registered metric: its definition, and all that a page needs to print it.

    `of` names the metrics that a worked one reads, `looks_up` the facts whose rows it takes one by one.
    `needs`: columns without which its facts cannot tell it, as `table.column`, alternatives joined by `|`.
    `window` is the kind of time span counted in; `also_window` a second one, published as the slice `window`.
    `parts_in_money` says so of a worked metric; of a formula the terms say it.
    `smallest_cell`: slices counting fewer stand together as one row, "under N".
    """

    name: str
    family: str
    function: Callable[..., Any]
    label: str
    unit: Unit
    better: Better
    kind: Kind
    pillar: Pillar
    counts: str
    facts: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    looks_up: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    window: str = "quarter"
    also_window: str = ""
    scope: Literal["new", "all"] = "all"
    additive: bool = False
    has_whole: bool = True
    activity: Literal["activity", "outcome"] = "outcome"
    audience: tuple[str, ...] = ("marketing",)
    core: bool = False
    parts_in_money: bool = False
    smallest_cell: int = 0
    version: int = 1

    @property
    def doc(self) -> str:
        return inspect.cleandoc(self.function.__doc__ or "")

    @property
    def formula(self) -> Formula:
        """The definition over its facts. Only metrics that are not worked out from others have one."""
        built: Formula = self.function(*(Columns(fact) for fact in self.facts))
        return built


REGISTER: dict[str, Metric] = {}


def family(name: str, **defaults: Any) -> Callable[..., Callable[[Callable[..., Any]], Metric]]:
    """The `metric` decorator of one family module, with what its metrics share declared once."""

    def metric(**given: Any) -> Callable[[Callable[..., Any]], Metric]:
        settings = defaults | given
        for plural in ("facts", "of", "looks_up", "needs", "by", "audience"):
            if isinstance(settings.get(plural), str):
                settings[plural] = (settings[plural],)

        if settings.get("also_window"):
            settings["by"] = (*settings.get("by", ()), "window")

        def register(function: Callable[..., Any]) -> Metric:
            if function.__name__ in REGISTER:
                raise ValueError(f"two metrics are called {function.__name__}")
            made = Metric(name=function.__name__, family=name, function=function, **settings)
            REGISTER[made.name] = made
            return made

        return register

    return metric


def find(name: str) -> Metric:
    """The metric of that id. Raises UsageError naming the nearest one."""
    if name not in REGISTER:
        raise UsageError(
            Fault("C01", "unknown-metric", f"metric {name}", name, nearest(name, REGISTER), "correct the id")
        )
    return REGISTER[name]


def with_those_needed(metrics: Iterable[Metric]) -> Iterator[Metric]:
    """The metrics, and first those that the worked ones read from; each once."""
    found: dict[str, Metric] = {}
    for metric in metrics:
        for needed in with_those_needed(REGISTER[name] for name in metric.of):
            found.setdefault(needed.name, needed)
        found.setdefault(metric.name, metric)
    return iter(found.values())


def tables_of(metric: Metric) -> list[str]:
    """The tables that its facts cannot do without; alternatives are joined by `|`."""
    return sorted({table for fact in (*metric.facts, *metric.looks_up) for table in FACTS[fact].needs})
