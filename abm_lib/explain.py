"""What `abm run --explain` says: the queries that the readings take, what needs the rows themselves, and what has no input."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from . import metrics  # noqa: F401  (fills the register)
from .company import Company
from .formula import Formula
from .metric import REGISTER, Metric
from .readings import lacks
from .slices import slice_sets

WHY_ROWS = {
    "median": "medians",
    "survival": "medians of waits (Kaplan–Meier)",
    "to come": "waits with another end (Aalen–Johansen)",
    "mean to come": "waits with another end (Aalen–Johansen)",
    "within": "waits with another end (Aalen–Johansen)",
    "ratio": "resampled intervals",
}


def lines(company: Company) -> Iterator[str]:
    """A line for each fact, for each reason why rows are pulled, and for each metric that has no number here."""
    off = company.config.switched_off
    lacking = {name: lacks(company, metric) for name, metric in REGISTER.items() if name not in off}
    told = [metric for name, metric in REGISTER.items() if name in lacking and not lacking[name]]
    queries, of_rows = _queries(told), _of_rows(told)
    sets = sum(len(chosen) for chosen, _ in queries.values())
    yield f"{len(told)} of {len(REGISTER)} metrics by {sets} queries, one per fact and slice set, and at most {_pulls(told)} pulls of rows"
    for fact, (chosen, names) in sorted(queries.items()):
        yield f"{fact}: {len(chosen)} {'query' if len(chosen) == 1 else 'queries'} for {', '.join(names)}"
    for why, names in sorted(of_rows.items()):
        yield f"from the rows of a fact, pulled once for all: {why} of {', '.join(names)}"
    yield f"from other readings: {', '.join(metric.name for metric in told if metric.of)}"
    yield from (f"no number: {name}, switched off in abm.toml" for name in REGISTER if name in off)
    yield from (f"no number: {name}, needs {', '.join(needs)}" for name, needs in lacking.items() if needs)


def _formulas(metric: Metric) -> Iterator[tuple[str, tuple[str, ...], Formula]]:
    """Each slice set of a metric over facts: the kind of window, the columns, and what is asked there."""
    for chosen in slice_sets(metric) if metric.facts else ():
        yield chosen.kind, chosen.columns, metric.formula.in_slice(chosen.name)


def _queries(told: list[Metric]) -> dict[str, tuple[set[tuple[str, tuple[str, ...]]], dict[str, None]]]:
    """By fact: its slice sets, each of which is one query, and the metrics that they serve."""
    found: dict[str, tuple[set[tuple[str, tuple[str, ...]]], dict[str, None]]] = defaultdict(lambda: (set(), {}))
    for metric in told:
        for kind, columns, formula in _formulas(metric):
            for term in formula.terms():
                sets, names = found[term.fact]
                sets.add((kind, () if term.whole else columns))
                names[metric.name] = None
    return found


def _pulls(told: list[Metric]) -> int:
    """How often the rows of a fact are pulled: once for each kind of window in which something needs them."""
    needed = [(kind, formula) for metric in told for kind, _, formula in _formulas(metric) if formula.needs_rows]
    return len({(formula.numerator.terms[0].fact, kind) for kind, formula in needed})


def _of_rows(told: list[Metric]) -> dict[str, dict[str, None]]:
    """By reason: the metrics whose rows are pulled as well."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for metric in told:
        for _, _, formula in _formulas(metric):
            if formula.needs_rows:
                found[WHY_ROWS[formula.statistic]][metric.name] = None
    return found
