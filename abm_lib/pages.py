"""What a notebook holds in its hand: `page = abm.page("ads", quarter, company)`, then one method a cell.

Inside `abm run` the readings are those of the run, in the folder that the environment variable ABM_EDITION names;
elsewhere they are computed with the defaults.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from .errors import Fault, UsageError, nearest
from .questions import questions
from .show import boards, models, rates, sentences, tables, theme, trends, variances, wholes
from .show import definitions as counted
from .show.bridges import WORDS as BRIDGES
from .show.bridges import bridge
from .show.coverages import Horizon, coverage
from .show.findings import clear_of
from .show.fragment import Drawing, Figure, Fragment
from .show.funnels import funnel
from .show.heads import LEADS, absent, header
from .show.html import tag
from .show.names import STAGES, heading, identifier
from .show.numbers import day, write_as
from .show.outcomes import both, outcomes
from .show.rows import Known, Readings, Row
from .show.tiles import KEY, Tile, scorecard
from .show.verdict import judge_from

EDITION_FOLDER = "ABM_EDITION"
FAMILIES = tuple("summary ads website content accounts demand journey pipeline revenue customers voice quality".split())
ROLES = ("for-marketing", "for-sales", "for-content", "for-finance")  # the same readings in another order (S2-30)
# In small type on the same card: a number that may not be read without its neighbour.
COMPANIONS = {
    "win_rate_closed": ("win_rate_cohort",),
    "mqa_meeting_rate": ("meeting_to_opportunity_rate",),
    "marketing_sourced_revenue": ("marketing_sourced_revenue_share",),
    "average_contract_value": (
        "average_contract_value:source_owner=marketing",
        "average_contract_value:source_owner=sales",
    ),
    "accounts_progressed_rate": tuple(f"accounts_progressed_rate:tier={tier}" for tier in (1, 2, 3)),
    "closed_won_revenue": ("new_customers",),
    "net_revenue_retention": ("retained_revenue",),
    "readiness": ("questions_answered",),
}
# Under the table of every model stand the channels whose rank depends on which is taken.
DISTANCES = {
    "attributed_pipeline": "attribution_model_distance",
    "attributed_revenue": "attributed_revenue_model_distance",
}
HEADLINE_DAYS = "180"  # of the shares won and lost within so many days, the one that their labels name
LIFT = "leading_indicator_lift"
GATED = "Content is gated: a lead is somebody who filled in a form for it. It is no success of its own."
NOT_GATED = "Content is not gated: few are asked to fill in a form, so leads and form fills say little about interest."
CHOICES = ("tier", "segment")  # by which a line through time may be looked at
# What a run tells its pages of the edition: one that is kept holds as long as these do. State and day stand around it.
OF_EDITION = ("company", "quarter", "is_short", "min_n", "locale", "remarks", "attribution", "influence", "models",
              "gated_content", "yardstick", "definitions", "targets", "deliveries", "identity")  # fmt: skip
OF_DELIVERY = {"deliveries", "identity"}  # of these, what only a page that shows deliveries is made of
PEOPLE = {"owner", "owner_id", "person", "person_id"}


class Page:
    """One page of an edition. `readings` is the whole tidy frame; `folder` is the company's, for `facts`."""

    def __init__(
        self,
        family: str,
        readings: pd.DataFrame,
        edition: Mapping[str, Any],
        register: Mapping[str, Known],
        folder: str = "",
    ) -> None:
        if family not in (*FAMILIES, *ROLES):
            raise _unknown("page", family, (*FAMILIES, *ROLES))
        if edition["quarter"] not in set(readings["quarter"]):
            raise _unknown("quarter", edition["quarter"], set(readings["quarter"]))
        theme.use()
        write_as(edition.get("locale", "en"))
        judge_from(edition.get("min_n", {}))
        self.family, self.edition, self._readings, self._folder = family, dict(edition), readings, folder
        self._beyond = False
        self._read = Readings(readings, register, edition["quarter"])
        self._used: dict[str, None] = {}
        self._letters: dict[str, str] = {}
        self._unled_told: set[str] = set()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.header()._repr_mimebundle_()

    @property
    def readings(self) -> pd.DataFrame:
        """The whole tidy frame."""
        self._beyond = True
        return self._readings

    def asked(self) -> list[str] | None:
        """The metrics that this page has looked up so far; None once all readings or the facts behind them were taken."""
        return None if self._beyond else self._read.asked

    @cached_property
    def facts(self) -> Any:
        """The frames that the metrics count, by name: `page.facts.ad_days`."""
        self._beyond = True
        return _facts(self.edition["quarter"], self._folder)

    def header(self) -> Fragment:
        """The message, at most three sentences and the edition's line."""
        return header(self._read, self.family, self._metrics(), self.edition)

    def scorecard(self, *metrics: str, title: str = "") -> Fragment:
        """A row of tiles, four across."""
        return scorecard(title, [self._tile(metric) for metric in metrics])

    def tally(self, *metrics: str) -> Fragment:
        """The answer over a board: how many numbers are worse, better, without a clear change or not printed."""
        html, text = sentences.tally([self._tile(metric) for metric in metrics])
        return Fragment("answer", html + tag("span", KEY, class_="key"), text)

    def trend(self, metric: str, dimension: str = "") -> Figure | Fragment:
        """A metric through eight quarters, or through the months, weeks or days of the quarter."""
        rows = sorted(self._slices(metric, dimension), key=lambda r: (len(r.slice), r.slice)) if dimension else []
        history = rows or self._read.history(self._use(metric))
        if not any(row and row.value is not None for row in history):
            return absent(self._metric(metric), self._read.whole(metric), dimension)
        need = None if rows else sentences.needed(self._read, metric)
        drawn = trends.trend(history, dimension if rows else "", self._remarks(metric), need)
        return self._counted(drawn if rows else replace(drawn, views=self._parts_through_time(metric)))

    def variance(self, metric: str) -> Figure | Fragment:
        """A metric less its target through eight quarters, or a line saying that no target is set."""
        history = self._read.history(self._use(metric))
        if not any(variances.gap(row) is not None for row in history):
            return absent(self._metric(metric), self._read.whole(metric), "", "No target in eight quarters")
        return self._counted(variances.variance(history, self._remarks(metric)))

    def _remarks(self, metric: str) -> list[trends.Remark]:
        """The company's remarks on days that touch a metric."""
        touched = {"", metric, self._metric(metric).family}
        said = [r for r in self.edition.get("remarks", []) if touched & set(r["about"] or [""])]
        return [trends.Remark(r["on"], r["text"]) for r in said]

    def _parts_through_time(self, metric: str) -> dict[str, list[Drawing]]:
        """The same line for each tier or segment, for a reader to choose."""
        dimension = next((by for by in CHOICES if by in self._metric(metric).by), "")
        views = {}
        for row in self._read.slices(metric, dimension) if dimension else []:
            history = self._read.history(metric, dimension, row.slice)
            if history[-1] and sum(bool(each and each.value is not None) for each in history) >= 4:
                views[row.name] = trends.trend(history).drawings
        return views if len(views) > 1 else {}

    def by(self, metric: str, dimension: str) -> Figure | Fragment:
        """A total by a slice, largest first; what is not a total is drawn as rates."""
        rows, known = self._slices(metric, dimension), self._metric(metric)
        nothing = all(row.value is None for row in rows)
        if nothing or known.unit not in ("count", "money") or not known.additive:
            return self.rates(metric, dimension)
        return self._counted(wholes.ranked(rows, self._read.whole(metric), dimension))

    def rates(self, metric: str, dimension: str) -> Figure | Fragment:
        """A rate by a slice: dot, likely range, k of n."""
        return self._drawn(metric, dimension, rates.rates)

    def range(self, metric: str, dimension: str) -> Figure | Fragment:
        """One number under several rules: the message is the range between them."""
        return self._drawn(metric, dimension, partial(rates.rates, between=True))

    def shares(self, metric: str, dimension: str) -> Figure | Fragment:
        """Parts of one whole as one bar."""
        return self._drawn(metric, dimension, lambda rows, whole, by: wholes.shares(rows, by, self._read.history))

    def funnel(self) -> Figure | Fragment:
        """The stages of target accounts: how many stand at each, and how many went on."""
        stages = {row.slice: row for row in self._slices("accounts_by_stage", "stage")}
        onward = {row.slice: row for row in self._slices("stage_conversion_rate", "stage")}
        days = {row.slice: row for row in self._slices("stage_median_days", "stage")}
        ordered = [stages[name] for name in STAGES if name in stages] or list(stages.values())
        if not any(row.value is not None for row in ordered):
            return absent(self._metric("accounts_by_stage"), self._read.whole("accounts_by_stage"), "stage")
        return self._counted(funnel(ordered, onward, days))

    def outcomes(self) -> Figure | Fragment:
        """What became of deals by the days since they qualified: won, lost, and between them those still open."""
        won, lost = (self._slices(f"{came}_rate_within_days", "within_days") for came in ("win", "loss"))
        if not both(won, lost):
            return absent(self._metric("win_rate_within_days"), won[0] if won else None, "within_days")
        return self._counted(outcomes(won, lost, HEADLINE_DAYS))

    def bridge(self, metric: str = "pipeline_movement", dimension: str = "movement") -> Figure | Fragment:
        """How the opening stock became the closing one, or what was reported what is known now."""
        if metric not in BRIDGES:
            raise _unknown("bridge", metric, {*BRIDGES})
        return self._drawn(metric, dimension, lambda rows, whole, by: bridge(rows, whole))

    def coverage(self) -> Figure | Fragment:
        """This quarter, the next and the one after: pipeline coverage, what our own record requires, and the gap."""
        gaps = {row.slice: row for row in self._slices("pipeline_gap", "horizon")}
        horizons = []
        for ahead, (metric, horizon) in enumerate(sentences.HORIZONS.items()):
            if covered := self._read.whole(self._use(metric)):
                when = "on day five" if ahead == 0 else f"as of {day(covered.last_day, year=False)}"
                name, needed = sentences.ahead_of(covered.quarter, ahead), sentences.needed(self._read, metric)
                yardstick = self.edition["yardstick"][horizon]
                horizons.append(Horizon(name, when, covered, needed, gaps.get(horizon), yardstick))
        if not any(h.covered.value is not None for h in horizons):
            return absent(self._metric("pipeline_coverage"), self._read.whole("pipeline_coverage"), "")
        return self._counted(coverage(horizons))

    def table(self, metric: str, dimension: str = "") -> Fragment:
        """A metric by quarter, or by a slice, as a table alone."""
        if not dimension:
            rows = [row for row in self._read.history(self._use(metric)) if row]
            return tables.of_quarters(f"{metric}-alone", rows, "Quarter", folded=False)
        name, rows = f"{metric}-{identifier(dimension)}-alone", self._slices(metric, dimension)
        if rows and all(row.value is None for row in rows):
            return absent(self._metric(metric), rows[0], dimension)
        if dimension.count("/") == 1 and rows:
            return tables.crossed(name, rows, dimension)
        shown, whole = tables.first_shown(rows), self._read.whole(metric)
        return tables.of_slices(name, shown, whole, heading(dimension), folded=False)

    def quarters(self, metric: str, dimension: str) -> Fragment:
        """A metric by a slice, quarter after quarter: which slices lead again and again (S0-75)."""
        rows = self._slices(metric, dimension)
        if not any(row.value is not None for row in rows):
            return absent(self._metric(metric), rows[0] if rows else self._read.whole(metric), dimension)
        histories = [self._read.history(metric, dimension, row.slice) for row in tables.first_shown(rows)]
        return tables.through_quarters(f"{metric}-{identifier(dimension)}-quarters", histories, heading(dimension))

    def lowest(self, metric: str, dimension: str) -> Fragment:
        """The slices with the lowest rate as a table, of those with the same rate the largest first: what to work on."""
        rows = [row for row in self._slices(metric, dimension) if row.value is not None]
        if not rows:
            return absent(self._metric(metric), self._read.whole(metric), dimension)
        rows.sort(key=lambda row: (row.value or 0.0, -(row.denominator or 0.0), row.slice))
        name = f"{metric}-{identifier(dimension)}-lowest"
        return tables.of_slices(name, rows, None, heading(dimension), folded=False)

    def models(self, metric: str, dimension: str = "model/channel") -> Fragment:
        """Attribution by every model side by side; under that by channel the weights, and the channels whose rank depends on them."""
        rows, known = self._slices(metric, dimension), self._metric(metric)
        if not any(row.value is not None for row in rows):
            return absent(known, self._read.whole(metric), dimension)
        first, moved, weights = heading(dimension.removeprefix("model/")), [], {}
        if dimension == "model/channel":
            apart = self._slices(DISTANCES[metric], "channel") if metric in DISTANCES else []
            moved = sorted((row for row in apart if row.value), key=lambda row: -(row.value or 0.0))
            weights = self.edition["models"]
        return models.side_by_side(f"{metric}-{identifier(dimension)}-models", rows, first, moved, weights)

    def gated_content(self) -> Fragment:
        """How to read leads and forms, whether content is gated or not (S0-35, C7, C15)."""
        told = GATED if self.edition["gated_content"] else NOT_GATED
        return Fragment("prose", tag("p", told), told)

    def attribution_rules(self) -> Fragment:
        """The rules of attribution that this edition was computed under."""
        return models.rules(self.edition["attribution"])

    def influence_rules(self) -> Fragment:
        """What each rule of influence asks for (S0-03)."""
        return models.influence(self.edition["influence"])

    def indicators(self) -> Fragment:
        """Leading metrics by their own record, those that do not lead as the appendix."""
        rows, known = self._slices(LIFT, "indicator"), self._metric(LIFT)
        if not rows:
            return absent(known, None, "indicator")
        return models.indicators(rows, self._clear_lifts())

    def _clear_lifts(self) -> dict[str, float]:
        """The lifts of leading metrics that clear 0 once all of them are allowed for."""
        return {each.row.slice: each.difference for each in clear_of(self._read, [LIFT])}

    def _unled(self, metric: str) -> list[Markup]:
        """One line where a leading metric first stands on its page and its record does not show that it leads (D144)."""
        if metric in self._unled_told or LIFT not in self._read.register or self._metric(metric).kind != "leading":
            return []
        row = next((row for row in self._read.slices(LIFT, "indicator") if row.slice == metric), None)
        why = models.unled(row, self._clear_lifts().get(metric, 0)) if row else ""
        self._unled_told.add(metric)
        return [models.unled_line(why, counted.place(self._metric(LIFT), here=False))] if why else []

    def questions(self) -> Fragment:
        """Every question that the report is asked: the page that answers it, or the input that would."""
        return boards.questions(self._slices("questions_answered", "question"), questions())

    def deliveries(self) -> Fragment:
        """What became of the rows of each table as they were delivered, and what the rules of who is who moved."""
        return boards.deliveries(self.edition.get("deliveries", {}), self.edition.get("identity", {}))

    def promises(self) -> Fragment:
        """What was promised for this quarter, and whether it came true."""
        rows = self._slices("promises_kept_share", "promise")
        whole = self._read.whole("promises_kept_share")
        return boards.promises(rows) if rows else absent(self._metric("promises_kept_share"), whole, "")

    def overview(self, side: str) -> Fragment:
        """Every metric of one side: `core` (the nine), a pillar (`revenue` …) or an audience (`finance` …)."""
        names = [
            name for name, m in self._read.register.items() if side in (m.pillar, *m.audience, "core" if m.core else "")
        ]
        if not names:
            known = {each for m in self._read.register.values() for each in (m.pillar, *m.audience)} | {"core"}
            raise _unknown("side", side, known)
        rows = [row for name in names if (row := self._read.whole(self._use(name)))]
        return boards.overview(side, rows)

    def at_earlier_rates(self) -> Fragment:
        """Amounts beside the same at the exchange rates of the year before: what rates alone have moved (D204)."""
        named = [name for name, metric in self._read.register.items() if "exchange_rates" in metric.by]
        others = [row for name in named for row in self._slices(name, "exchange_rates")]
        return boards.at_earlier_rates([(whole, row) for row in others if (whole := self._read.whole(row.metric))])

    def answer(self, text: str) -> Fragment:
        """The section's heading: what the readings answer to its question."""
        return Fragment("answer", *sentences.fill(text, self._read))

    def say(self, text: str) -> Fragment:
        """Prose with `{metric}` and `{metric:change}` written from the readings."""
        html, plain = sentences.fill(text, self._read)
        return Fragment("prose", tag("p", html), plain)

    def caveats(self) -> Fragment:
        """Every caveat of a whole number of this page with its letter; those of slices stand in the charts' tables."""
        rows = [row for name in self._shown() if (row := self._read.whole(name))]
        self._letter(rows)
        touched = {text: [row.label for row in rows if text in row.caveat_list] for text in self._letters}
        return counted.caveats(self._letters, touched)

    def definitions(self) -> Fragment:
        """How each number of this page is counted: those it has shown, in that order, then the rest of its family.

        A number of another family is defined on that family's page; the executive page defines all that it shows.
        """
        metrics = [self._metric(name) for name in self._shown()]
        own = [metric for metric in metrics if self.family in ("summary", metric.family)]
        agreed = {"Definition": self.edition["definitions"], "Target": self.edition["targets"]}
        return counted.definitions([(metric, self._read.whole(metric.name)) for metric in own], agreed)

    def _counted(self, figure: Figure) -> Figure:
        """A figure with the first sentence on how its metrics are counted, and where the whole definition stands."""
        metrics = [self._metric(self._use(name)) for name in figure.metrics]
        notes = [*figure.notes, *(line for name in figure.metrics for line in self._unled(name))]
        return replace(figure, counted=counted.in_short(metrics, self.family), notes=notes)

    def scope(self) -> Fragment:
        """What kind of numbers these are: progress, potential or return (S2-16)."""
        return counted.scope([self._metric(name) for name in self._used])

    def _metrics(self) -> list[str]:
        """The metrics of the family; of the executive page, its cards."""
        if self.family == "summary":
            return [name for name in sentences.SUMMARY if name in self._read.register and self._read.has(name)]
        side = self.family.removeprefix("for-")
        if self.family in ROLES:
            fits = [name for name in LEADS[self.family] if name in self._read.register]
            return fits + [
                n for n in sentences.SUMMARY if n in self._read.register and n not in fits and self._suits(n, side)
            ]
        return [name for name, metric in self._read.register.items() if metric.family == self.family]

    def _suits(self, metric: str, side: str) -> bool:
        known = self._read.register[metric]
        return side in (*known.audience, known.family)

    def _shown(self) -> list[str]:
        return list(dict.fromkeys([*self._used, *([] if self.family == "summary" else self._metrics())]))

    def _metric(self, name: str) -> Known:
        return self._read.register[self._read.must(name)]

    def _use(self, metric: str) -> str:
        self._used[self._read.must(metric)] = None
        return metric

    def _slices(self, metric: str, dimension: str) -> list[Row]:
        allowed = self.family == "for-sales" and dimension == "owner"  # settled.md 0.17
        if dimension.lower() in PEOPLE and not allowed:
            where, expected = f"{metric} by {dimension}", "a dimension without people"
            fault = Fault("names_of_people", "a page never names people", where, dimension, expected, "use another one")
            raise UsageError(fault)
        return self._read.must_slice(self._use(metric), dimension)

    def _drawn(self, metric: str, dimension: str, draw: Callable[..., Figure]) -> Figure | Fragment:
        """A figure of the slices, or a line saying why there is none."""
        rows, whole = self._slices(metric, dimension), self._read.whole(metric)
        if not any(row.value is not None for row in rows):
            return absent(self._metric(metric), rows[0] if rows else whole, dimension)
        return self._counted(draw(rows, whole, dimension))

    def _tile(self, named: str) -> Tile:
        """`named` is a metric, or one slice of it: `buying_group_penetration:tier=1`."""
        metric, by, value = _part(named)
        history = self._read.history(self._use(metric), by, value)
        row = self._one(named)
        if row is None:
            fault = ("no_whole", "no reading of that", named, "only slices", "a metric with a whole", "use by()")
            raise UsageError(Fault(*fault))
        self._letter([row])
        names = [name for name in COMPANIONS.get(named, ()) if _part(name)[0] in self._read.register]
        companions = [other for name in names if (other := self._one(name))]
        needed = sentences.needed(self._read, metric)
        return Tile(row, history, companions, needed, self._letters, self._unled(metric))

    def _one(self, named: str) -> Row | None:
        """The reading of a metric or of one slice, labelled so; the whole, which says why, where the metric has no slices."""
        metric, by, value = _part(named)
        whole = self._read.whole(metric)
        if not by or (whole is not None and whole.value is None):
            return whole
        row = next((row for row in self._read.slices(metric, by) if row.slice == value), None)
        return replace(row, label=f"{row.label}, {row.name[:1].lower()}{row.name[1:]}") if row else None

    def _letter(self, rows: Sequence[Row]) -> None:
        """A letter for each caveat, in the order in which the page comes to them."""
        for text in (text for row in rows for text in row.caveat_list):
            self._letters.setdefault(text, counted.letter(len(self._letters)))


def of_edition(edition: Mapping[str, Any], notebook: str = "page.deliveries") -> dict[str, Any]:
    """What a run tells a page of its edition, by the notebook's text; all else stands in the head and foot put around it."""
    unused = set() if "page.deliveries" in notebook else OF_DELIVERY
    return {name: edition[name] for name in OF_EDITION if name in edition and name not in unused}


def _part(named: str) -> tuple[str, str, str]:
    """metric, slice_by, slice of `metric:slice_by=slice`, the last two empty for the whole."""
    metric, _, part = named.partition(":")
    by, _, value = part.partition("=")
    return metric, by, value


def page(family: str, quarter: str, company: str) -> Page:
    """The page of a family for a quarter of a company folder. Raises UsageError for an unknown family or quarter."""
    from . import metrics  # noqa: F401  (fills the register)
    from .metric import REGISTER

    folder = os.environ.get(EDITION_FOLDER)
    readings, edition = _stored(Path(folder), quarter) if folder else _compute(family, quarter, company)
    return Page(family, readings, edition, REGISTER, folder=company)


def _stored(folder: Path, quarter: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The readings and the facts of an edition from a run's folder."""
    import duckdb

    edition = of_edition(json.loads((folder / "edition.json").read_text("utf-8")))
    with duckdb.connect() as connection:
        readings = connection.read_parquet(str(folder / "readings.parquet")).df()
    if quarter != edition["quarter"]:
        raise _unknown("quarter", quarter, [edition["quarter"]])
    return readings, edition


def _compute(family: str, quarter: str, company: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The readings that a page needs and the edition of a company folder, computed with the defaults."""
    from . import edition, readings
    from .company import open_company
    from .disclosure import PROFILES
    from .metric import REGISTER

    opened = open_company(company)
    asked = opened.quarter(quarter)
    shown = {metric for question in questions() if question.page == family for metric, _ in question.shows}
    shown |= {DISTANCES[metric] for metric in shown & DISTANCES.keys()}
    shown |= {parent for metric in REGISTER.values() if metric.family == family for parent in metric.of}
    families = () if family in ("summary", "quality", *ROLES) else (family,)
    leading = [metric for metric in REGISTER.values() if metric.kind == "leading"]
    if any(metric.name in shown or metric.family in families for metric in leading):
        shown.add(LIFT)  # which says of a leading metric whether it leads
    table = readings.read(opened, asked, families=families, also=shown, profile=PROFILES["internal"])
    return table, edition.describe(opened, asked, table)


def _facts(quarter: str, company: str) -> Any:
    """The analyst's frames of a company folder."""
    from .company import open_company
    from .facts import AnalystFacts

    opened = open_company(company)
    return AnalystFacts(opened, opened.quarter(quarter))


def _unknown(kind: str, name: str, known: Sequence[str] | set[str] | tuple[str, ...]) -> UsageError:
    return UsageError(
        Fault(f"unknown_{kind}", f"unknown {kind}", "notebook", name, f"a {kind} of this edition", nearest(name, known))
    )
