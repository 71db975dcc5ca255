"""What a notebook holds in its hand: `page = abm.page("ads", quarter, company)`, then one method a cell.

Inside `abm run` the readings are those of the run, in the folder that the environment variable ABM_EDITION names;
elsewhere they are computed with the defaults.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from .errors import Fault, UsageError, nearest
from .show import rates, sentences, tables, trends, wholes
from .show import definitions as counted
from .show.bridges import bridge
from .show.coverages import Horizon, coverage
from .show.fragment import Figure, Fragment
from .show.html import clean, tag
from .show.numbers import day, quarter_name
from .show.rows import Known, Readings, Row
from .show.tiles import KEY, Tile, scorecard

EDITION_FOLDER = "ABM_EDITION"
FAMILIES = tuple("summary ads website content accounts demand journey pipeline revenue customers voice quality".split())
# In small type on the same card: a number that may not be read without its neighbour.
COMPANIONS = {
    "win_rate_closed": ("win_rate_cohort",),
    "mqa_meeting_rate": ("meeting_to_opportunity_rate",),
    "marketing_sourced_revenue": ("marketing_sourced_revenue_share",),
}
PEOPLE = {"owner", "owner_id", "person", "person_id", "email"}
SCOPES = {"leading": "Progress so far", "funnel": "Revenue potential, not a return", "return": "Return"}


class Page:
    """One page of an edition. `readings` is the whole tidy frame; `folder` is the company's, for the analyst's frames."""

    def __init__(
        self,
        family: str,
        readings: pd.DataFrame,
        edition: Mapping[str, Any],
        register: Mapping[str, Known],
        folder: str = "",
    ) -> None:
        if family not in FAMILIES:
            raise _unknown("page", family, FAMILIES)
        if edition["quarter"] not in set(readings["quarter"]):
            raise _unknown("quarter", edition["quarter"], set(readings["quarter"]))
        self.family, self.edition, self.readings = family, dict(edition), readings
        self._folder = folder
        self._read = Readings(readings, register, edition["quarter"])
        self._used: list[str] = []
        self._letters = self._letter_caveats()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.header()._repr_mimebundle_()

    @cached_property
    def facts(self) -> Any:
        """The frames that the metrics count, by name: `page.facts.ad_days`."""
        return _facts(self.edition["quarter"], self._folder)

    def header(self) -> Fragment:
        """The message, at most three sentences and the edition's line."""
        message = sentences.headline(self._read, self.family, self._metrics())
        lead = sentences.standfirst(self._read, self._metrics())
        e = self.edition
        line = f"{clean(e['company'])}, {quarter_name(e['quarter'])}. {e['state'].replace('_', ' ').capitalize()} edition, data as of {day(e['as_of'])}."
        html = tag(
            "div",
            tag("h1", message),
            tag("p", lead, class_="standfirst"),
            tag("p", line, class_="edition-line"),
            class_="message",
        )
        return Fragment("header", html, f"{message}. {lead.striptags()}")

    def scorecard(self, *metrics: str, title: str = "") -> Fragment:
        """A row of tiles, four across."""
        return scorecard(title, [self._tile(metric) for metric in metrics])

    def tally(self, *metrics: str) -> Fragment:
        """The answer over a board: how many numbers are clearly worse, better, unchanged or not printed."""
        html, text = sentences.tally([self._tile(metric) for metric in metrics])
        return Fragment("answer", html + tag("span", KEY, class_="key"), text)

    def trend(self, metric: str, dimension: str = "") -> Figure:
        """A metric through eight quarters, or through the months, weeks or days of the quarter."""
        if not dimension:
            return trends.trend(self._history(metric))
        rows = sorted(self._slices(metric, dimension), key=lambda row: (len(row.slice), row.slice))
        return trends.trend(rows, dimension) if rows else trends.trend(self._history(metric))

    def by(self, metric: str, dimension: str) -> Figure:
        """A total by a slice, largest first; what is not a total is drawn as rates."""
        rows = self._slices(metric, dimension)
        if rows[0].unit not in ("count", "money") or not self._register(metric).additive:
            return self.rates(metric, dimension)
        return wholes.ranked(rows, self._read.whole(metric), dimension)

    def rates(self, metric: str, dimension: str) -> Figure:
        """A rate by a slice: dot, likely range, k of n."""
        return rates.rates(self._slices(metric, dimension), self._read.whole(metric), dimension)

    def shares(self, metric: str, dimension: str) -> Figure:
        """Parts of one whole as one bar."""
        return wholes.shares(self._slices(metric, dimension), dimension)

    def bridge(self, metric: str = "pipeline_movement", dimension: str = "movement") -> Figure:
        """How the opening stock became the closing one."""
        return bridge(self._slices(metric, dimension))

    def coverage(self) -> Figure:
        """This quarter, the next and the one after: coverage, what our own record requires, and the gap."""
        names = {
            "current": "pipeline_coverage",
            "next": "pipeline_coverage_next_quarter",
            "in_two": "pipeline_coverage_in_two_quarters",
        }
        gaps = {row.slice: row for row in self._slices("pipeline_gap", "horizon")}
        horizons = []
        for ahead, (horizon, metric) in enumerate(names.items()):
            if covered := self._read.whole(self._use(metric)):
                when = "on day five" if ahead == 0 else f"as of {day(covered.last_day, year=False)}"
                needed = sentences.needed(self._read, metric)
                horizons.append(
                    Horizon(sentences.ahead_of(covered.quarter, ahead), when, covered, needed, gaps.get(horizon))
                )
        return coverage(horizons)

    def table(self, metric: str, dimension: str = "") -> Fragment:
        """A metric by quarter, or by a slice, as a table alone."""
        if not dimension:
            return tables.of_quarters(f"{metric}-alone", [row for row in self._history(metric) if row], "Quarter")
        rows = self._slices(metric, dimension)
        return tables.of_slices(
            f"{metric}-{dimension}-alone", rows, self._read.whole(metric), dimension.replace("_", " ").capitalize()
        )

    def answer(self, text: str) -> Fragment:
        """The section's heading: what the readings answer to its question."""
        html, plain = sentences.fill(text, self._read)
        return Fragment("answer", html, plain)

    def say(self, text: str) -> Fragment:
        """Prose with `{metric}` and `{metric:change}` written from the readings."""
        html, plain = sentences.fill(text, self._read)
        return Fragment("prose", tag("p", html), plain)

    def caveats(self) -> Fragment:
        """Every caveat of this page with its letter."""
        touched = {
            text: sorted({row.label for row in self._all_rows() if text in row.caveat_list}) for text in self._letters
        }
        return counted.caveats(self._letters, touched)

    def definitions(self) -> Fragment:
        """How each number of this page is counted: those it has shown, in that order, then the rest of its family."""
        wanted = dict.fromkeys([*self._used, *([] if self.family == "summary" else self._metrics())])
        return counted.definitions([(self._register(name), self._read.whole(name)) for name in wanted])

    def scope(self) -> Fragment:
        """What kind of numbers these are: progress, potential or return (S2-16)."""
        kinds: dict[str, list[str]] = {}
        for name in dict.fromkeys(self._used):
            kinds.setdefault(self._register(name).kind, []).append(self._register(name).label)
        rows = [
            tag("p", tag("b", f"{SCOPES.get(kind, kind)}: "), ", ".join(labels) + ".") for kind, labels in kinds.items()
        ]
        return Fragment("prose", tag("div", rows), "Scope of the numbers on this page")

    def _metrics(self) -> list[str]:
        if self.family == "summary":
            return [name for name in sentences.SUMMARY if name in self._read.register and self._read.has(name)]
        return [name for name, metric in self._read.register.items() if metric.family == self.family]

    def _register(self, metric: str) -> Known:
        return self._read.register[self._read.must(metric)]

    def _use(self, metric: str) -> str:
        self._used.append(self._read.must(metric))
        return metric

    def _slices(self, metric: str, dimension: str) -> list[Row]:
        if dimension.lower() in PEOPLE:
            raise UsageError(
                Fault(
                    "names_of_people",
                    "a page never names people",
                    f"{metric} by {dimension}",
                    dimension,
                    "a dimension without people",
                    "use another dimension",
                )
            )
        return self._read.must_slice(self._use(metric), dimension)

    def _history(self, metric: str) -> list[Row | None]:
        rows = self._read.history(self._use(metric))
        if not any(rows):
            raise UsageError(
                Fault(
                    "no_whole",
                    "no reading of the whole",
                    metric,
                    "only slices",
                    "a metric with a reading of the whole",
                    "name a dimension",
                )
            )
        return rows

    def _tile(self, metric: str) -> Tile:
        history = self._history(metric)
        row = next(r for r in reversed(history) if r)
        others = [
            found
            for name in COMPANIONS.get(metric, ())
            if name in self._read.register and (found := self._read.whole(name))
        ]
        return Tile(row, history, others, sentences.needed(self._read, metric), self._letters)

    def _all_rows(self) -> list[Row]:
        return [row for name in self._metrics() for row in self._read.rows(name)]

    def _letter_caveats(self) -> dict[str, str]:
        """Each caveat of this page's metrics with its letter, in the order of the register."""
        texts = dict.fromkeys(text for row in self._all_rows() for text in row.caveat_list)
        return {text: _letter(i) for i, text in enumerate(texts)}


def page(family: str, quarter: str, company: str) -> Page:
    """The page of a family for a quarter of a company folder. Raises UsageError for an unknown family or quarter."""
    from . import metrics  # noqa: F401  (fills the register)
    from .metric import REGISTER

    folder = os.environ.get(EDITION_FOLDER)
    readings, edition = _stored(Path(folder), quarter) if folder else _compute(quarter, company)
    return Page(family, readings, edition, REGISTER, folder=company)


def _stored(folder: Path, quarter: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The readings and the facts of an edition from a run's folder."""
    import duckdb

    edition = json.loads((folder / "edition.json").read_text("utf-8"))
    with duckdb.connect() as connection:
        readings = connection.read_parquet(str(folder / "readings.parquet")).df()
    if quarter != edition["quarter"]:
        raise _unknown("quarter", quarter, [edition["quarter"]])
    return readings, edition


def _compute(quarter: str, company: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The readings and edition of a company folder, computed with the defaults."""
    from . import edition, readings
    from .company import open_company

    opened = open_company(company)
    asked = opened.quarter(quarter)
    table = readings.read(opened, asked)
    return table, edition.describe(opened, asked, table)


def _facts(quarter: str, company: str) -> Any:
    """The analyst's frames of a company folder."""
    from .company import open_company
    from .facts import AnalystFacts

    opened = open_company(company)
    return AnalystFacts(opened, opened.quarter(quarter))


def _letter(index: int) -> str:
    """a to z, then aa, ab and so on."""
    head, tail = divmod(index, 26)
    return (_letter(head - 1) if head else "") + chr(ord("a") + tail)


def _unknown(kind: str, name: str, known: Sequence[str] | set[str] | tuple[str, ...]) -> UsageError:
    return UsageError(
        Fault(f"unknown_{kind}", f"unknown {kind}", "notebook", name, f"a {kind} of this edition", nearest(name, known))
    )
