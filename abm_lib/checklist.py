"""What `abm check` says of a company's inputs: what each source's map found, and what each missing input would unlock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import narwhals as nw
import pandas as pd

from .company import Company
from .derive import snapshots
from .errors import AbmError
from .metric import REGISTER, Metric
from .period import Quarter, instant
from .questions import questions
from .readings import lacks
from .slices import check_own
from .tables import ABOUT_DATA, tables

NAMED = 4  # metrics named in a line; the others are counted


@dataclass(frozen=True)
class Missing:
    """An input that no source delivers: the metrics that wait for it, those that wait for nothing else, and questions."""

    name: str
    metrics: tuple[str, ...]
    alone: tuple[str, ...]
    questions: tuple[str, ...]


def missing(company: Company) -> list[Missing]:
    """Every missing input that a metric waits for, the one that would unlock most first."""
    waits = {metric.name: frozenset(_all_lacks(company, metric)) for metric in REGISTER.values()}
    asked = {question.name: {metric for metric, _ in question.shows} for question in questions()}
    found: dict[str, list[str]] = defaultdict(list)
    for name, inputs in waits.items():
        for each in inputs:
            found[each].append(name)
    listed = []
    for each, names in found.items():
        alone = tuple(name for name in names if waits[name] == {each})
        opened = tuple(name for name, shows in asked.items() if shows & set(names))
        listed.append(Missing(each, tuple(names), alone, opened))
    return sorted(listed, key=lambda one: (-len(one.alone), -len(one.metrics), one.name))


def _all_lacks(company: Company, metric: Metric) -> Iterator[str]:
    """What the metric lacks itself and through those it is worked out from."""
    yield from lacks(company, metric)
    for name in metric.of:
        yield from _all_lacks(company, REGISTER[name])


def lines(company: Company) -> Iterator[str]:
    """The report of `abm check`, line by line."""
    yield from _of_sources(company)
    yield from _of_tables(company)
    yield from _of_own_slices(company)
    yield from (f"as now: {sentence}" for sentence in company.notes["as_now"].values())
    yield from _of_snapshots(company)
    yield from (f"{count} {what}" for what, count in company.notes["identity"].items())
    for one in missing(company):
        yield f"missing {one.name}: {len(one.metrics)} metrics wait for it, {len(one.alone)} for nothing else{_named(one.alone)}; " \
              f"questions {', '.join(one.questions) or 'none'}"  # fmt: skip
    try:
        quarter = company.quarter()
        yield from _at_the_edges(company, quarter)
        yield f"quarters up to {quarter.label}, known until {company.known_until}"
    except AbmError as error:
        what = (
            f"they hold {error.faults[0].expected}"
            if error.faults[0].rule == "F045"
            else "no table has a row with a date"
        )
        yield f"no quarter to report yet: {what}"


def _of_sources(company: Company) -> Iterator[str]:
    for name, source in company.notes["sources"].items():
        if not source["files"]:
            continue
        proof = f"tried on {source['proven']}" if source["proven"] else "unproven: no rows of it were at hand"
        yield f"source {name}: {source['title'] or 'a map of the company'} ({source['map']})" + (
            f", {proof}" if source["is_shipped"] else ""
        )
        for stem, file in source["files"].items():
            yield f"  {stem:28} " + (_of_file(file) if file else "not delivered")
        yield from _unread(source["unread"])


def _of_file(file: dict[str, Any]) -> str:
    left_out = "".join(f", {count} {why}" for why, count in file["left_out"].items())
    lacking = f"; not in it: {', '.join(file['absent'])}" if file["absent"] else ""
    return f"{file['file']}, {file['rows']} rows{left_out}{lacking}"


def _unread(files: dict[str, str]) -> Iterator[str]:
    """Files that lie beside those that were read; where a name holds that of a table not delivered, the line to write."""
    for name, stem in files.items():
        if stem:
            yield f'  not read: {name}; if it is {stem}, say files.{stem} = "{name}" in abm.toml'
    if others := [name for name, stem in files.items() if not stem]:
        yield f"  not read: {len(others)} other files{_named(others)}"


def _of_tables(company: Company) -> Iterator[str]:
    for name in tables():
        counts = company.notes["tables"].get(name)
        line = "read {read} = accepted {accepted} + repeated {repeated} + set aside {set_aside}"
        left_out = "".join(f" + {count} {why}" for why, count in (counts or {}).get("excluded", {}).items())
        days = f"; {company.spans[name][0]} to {company.spans[name][1]}" if name in company.spans else ""
        yield f"{name:22} {line.format(**counts) + left_out + days if counts else 'not delivered'}"


def _of_own_slices(company: Company) -> Iterator[str]:
    check_own(company.config)
    for name, asked in company.config.slices.items():
        rows = company.tables.engine.collect(company.tables.slice_values.filter(nw.col("name") == name))
        values = sorted(rows["value"].dropna().unique())
        blank = int(rows["value"].isna().sum())
        yield f"slice {name} of {asked.table}: {len(values)} values{_named(values)}; {blank} of {len(rows)} without one"


def _of_snapshots(company: Company) -> Iterator[str]:
    """What we keep ourselves of opportunities, where their source tells no history."""
    if days := [moment.date() for moment in snapshots.kept(company.folder)]:
        unused = "" if snapshots.CHANGES in company.notes["as_now"] else "; not used of this delivery"
        yield f"snapshots of {snapshots.CHANGES}: {len(days)}, the first of {days[0]}, the last of {days[-1]}, in .abm/snapshots{unused}"


def _at_the_edges(company: Company, quarter: Quarter) -> Iterator[str]:
    """Of each table that is written in another zone the rows within 24 hours of the quarter's ends, with their money.

    An hour more or less puts such a row into another quarter. Of a table of days they are those of the days beside the ends:
    such days are cut as its source cuts them, and cannot be moved.
    """
    zone = company.config.company.timezone
    for name, theirs in company.notes.get("zones", {}).items():
        if name in ABOUT_DATA:
            continue
        near = _near(company, name, quarter)
        how = "within 24 hours of" if _is_of_moments(name) else "on the days beside"
        if len(near):
            yield f"edge {quarter.label}: {name} has {len(near)} rows {how} its ends{_money(near)}; written in {theirs}, reported in {zone}"


def _is_of_moments(name: str) -> bool:
    return tables()[name].columns[tables()[name].dated].type == "at"


def _near(company: Company, name: str, quarter: Quarter) -> pd.DataFrame:
    """The rows of a table near the ends of the quarter: `amount` and `currency`, where it has them."""
    table, day = tables()[name], timedelta(days=1)
    at = nw.col(table.dated)
    ends: list[date] = [quarter.start, quarter.end]
    if _is_of_moments(name):
        ends = [instant(end, company.config.company.zone) for end in ends]
    beside = [(at >= end - day) & (at < end + day) for end in ends]
    money = next((column.name for column in table.columns.values() if column.type == "money"), "")
    shown = {"amount": nw.col(money), "currency": nw.col("currency")} if money and "currency" in table.columns else {}
    rows = getattr(company.tables, name).filter(beside[0] | beside[1])
    return company.tables.engine.collect(rows.select(table.dated, **shown))


def _money(rows: pd.DataFrame) -> str:
    """`, 1,200.00 EUR and 50.00 USD`: each currency for itself; what is blank is no money."""
    if "amount" not in rows:
        return ""
    sums = (
        rows.dropna(subset=["amount"]).astype({"amount": "float64"}).groupby("currency", dropna=False)["amount"].sum()
    )
    return f", {' and '.join(f'{value:,.2f} {name}' for name, value in sums.items())}" if len(sums) else ""


def _named(names: Iterable[str]) -> str:
    given = list(names)
    more = f" and {len(given) - NAMED} more" if len(given) > NAMED else ""
    return f" ({', '.join(given[:NAMED])}{more})" if given else ""
