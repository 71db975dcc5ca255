"""What changed in the inputs since the last edition: headers, columns, counts, blanks, and values that were never there before.

Before there is an edition, what was frozen last is looked at; nothing is refused for that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import duckdb

from ..config import Config
from ..errors import Fault, nearest, printable
from ..tables import Column, tables

FEW_VALUES = 40  # a text column of at most so many different values is a list to choose from
LEAST_ROWS = 30  # of fewer rows, shares and counts say nothing
FALL, RISE = 0.6, 2.0  # a table of so much of its former rows is told
MORE_BLANK = 0.2  # so much more of a column blank is told
OTHER_UNIT = 300  # so many times the typical value of before is another unit: thousandths, millionths
ALLOW = "; where it is meant, name the column in thresholds.changed_columns of abm.toml"
SETTINGS = {"currency": "F062", "fiscal": "F041", "opportunity_stages": "F098"}  # what every comparison rests on


def profile(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> dict[str, Any]:
    """Per table: its rows, and of each column the share that is blank and, of a list to choose from, its values."""
    found = {}
    for name in sorted(names):
        columns = list(tables()[name].columns.values())
        counts = ", ".join(f'count("{column.name}")' for column in columns)
        rows, *filled = con.execute(f'select count(*), {counts} from canonical."{name}"').fetchall()[0]
        typical = _typical(con, name, columns)
        told = {column.name: {"blank": 1 - count / rows, "values": _values(con, name, column), "typical": typical.get(column.name)}
                for column, count in zip(columns, filled, strict=True) if count}  # fmt: skip
        found[name] = {"rows": rows, "columns": told}
    return found


def _typical(con: duckdb.DuckDBPyConnection, name: str, columns: list[Column]) -> dict[str, float]:
    """The median of what is above zero in each column of amounts and figures."""
    figures = [column.name for column in columns if column.type in ("money", "number")]
    if not figures:
        return {}
    parts = ", ".join(f'median("{c}"::DOUBLE) filter (where "{c}" > 0)' for c in figures)
    found = con.execute(f'select {parts} from canonical."{name}"').fetchall()[0]
    return dict(zip(figures, found, strict=True))


def _values(con: duckdb.DuckDBPyConnection, name: str, column: Column) -> list[str] | None:
    """The values of a list to choose from; None of any other column, and of all that name a person."""
    if column.personal or column.type != "text":
        return None
    query = f'select distinct "{column.name}" from canonical."{name}" where "{column.name}" is not null limit {FEW_VALUES + 1}'
    values = sorted(value for (value,) in con.execute(query).fetchall())
    return values if len(values) <= FEW_VALUES else None


def since(before: Mapping[str, Any], now: Mapping[str, Any], allowed: Collection[str] = ()) -> list[Fault]:
    """All that changed between two states of the inputs, each by its profile, settings and headers; none where there is no other.

    `before` may be an edition: what then nobody can have meant is refused, but for the columns in `allowed`.
    """
    told = list(changes(before.get("profile", now["profile"]), now["profile"]))
    told += changed_settings(before.get("settings", now["settings"]), now["settings"])
    told += changed_headers(before.get("headers", now["headers"]), now["headers"], {_place(fault) for fault in told})
    if "edition" not in before:
        return [replace(fault, level="D") if fault.level == "E" else fault for fault in told]
    told = [replace(fault, expected=f"as in the edition of {before['edition']}") for fault in told]
    return [
        replace(fault, level="D") if fault.level == "E" and ".".join(_place(fault)) in allowed else fault
        for fault in told
    ]


def unknown(allowed: Iterable[str]) -> list[Fault]:
    """Names in thresholds.changed_columns that are no column of a table."""
    known = [f"{table.name}.{column}" for table in tables().values() for column in table.columns]
    where, fix = "abm.toml  [thresholds] changed_columns", "correct the name"
    return [
        Fault("C01", "unknown-name", where, name, nearest(name, known), fix) for name in allowed if name not in known
    ]


def _place(fault: Fault) -> tuple[str, ...]:
    """(table, column) of a fault, (table,) of one that names no column."""
    return tuple(re.sub(r'^table |"', "", fault.where).split("  column "))


def changed_headers(
    before: Mapping[str, list[str]], now: Mapping[str, list[str]], told: Collection[tuple[str, ...]]
) -> Iterator[Fault]:
    """Columns of files that went, perhaps under another name, or came; those told of already as columns of a table are not."""
    for name in sorted(before.keys() & now.keys()):
        known = {place[1] for place in told if place[0] == name.rpartition(".")[2] and len(place) > 1}
        came = [column for column in now[name] if column not in {*before[name], *known}]
        for column in [column for column in before[name] if column not in {*now[name], *known}]:
            close = get_close_matches(column.casefold(), [other.casefold() for other in came], n=1)
            found = "no longer there" + (f"; perhaps it is {printable(close[0])!r} now" if close else "")
            yield _told("F096", f"file {name}  column {printable(column)!r}", found, "map its new name, if it has one")
        for column in came:
            fix = "nothing, or map it if a table has it"
            yield replace(_told("F096", f"file {name}  column {printable(column)!r}", "new", fix), level="N")


def changes(before: dict[str, Any], now: dict[str, Any]) -> Iterator[Fault]:
    """What is told of two profiles."""
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            yield _told(
                "F104",
                f"table {name}",
                "it was delivered before",
                "deliver it again, if it was not left away on purpose",
            )
        elif name in before:
            yield from _of_table(name, before[name], now[name])


def settings(config: Config) -> dict[str, Any]:
    """The settings that every comparison between quarters rests on."""
    fiscal, stages = (part.model_dump(mode="json") for part in (config.fiscal, config.opportunity_stages))
    return {"currency": config.company.currency, "fiscal": fiscal, "opportunity_stages": stages}


def changed_settings(before: dict[str, Any], now: dict[str, Any]) -> Iterator[Fault]:
    """What is told of settings that changed: all quarters are worked out anew by the new ones, editions of before were not."""
    for name in [name for name in SETTINGS if before.get(name, now[name]) != now[name]]:
        fix = "nothing, if it is meant: published editions keep the old one"
        yield _told(SETTINGS[name], f"abm.toml  {name}", "another setting than before", fix)


def _of_table(name: str, before: dict[str, Any], now: dict[str, Any]) -> Iterator[Fault]:
    rows, was = now["rows"], before["rows"]
    if was >= LEAST_ROWS and not FALL * was < rows < RISE * was:
        yield _told(
            "F092",
            f"table {name}",
            f"{rows:,} rows, {was:,} before",
            "see whether the export is whole, and not doubled",
        )
    for column in sorted(before["columns"].keys() | now["columns"].keys()):
        where = f'table {name}  column "{column}"'
        told, earlier = now["columns"].get(column), before["columns"].get(column)
        if told is None:
            found, fix = "blank throughout, or gone; it held values before", "see whether it was renamed: map it then"
            is_lost = min(rows, was) >= LEAST_ROWS
            yield replace(_told("F099", where, found, fix + ALLOW), level="E" if is_lost else "D")
        elif earlier is None:
            yield _told("F096", where, "it holds values now; it held none before", "nothing, if it is meant")
        else:
            if min(rows, was) >= LEAST_ROWS and told["blank"] - earlier["blank"] > MORE_BLANK:
                found = f"{told['blank']:.0%} blank, {earlier['blank']:.0%} before"
                yield _told("F099", where, found, "see whether the export lost it")
            if min(rows, was) >= LEAST_ROWS and (told.get("typical") and earlier.get("typical")):
                yield from _of_unit(where, earlier["typical"], told["typical"])
            if new := sorted(set(told["values"] or ()) - set(earlier["values"] or ())) if earlier["values"] else []:
                yield _told(
                    "F097", where, f"new: {', '.join(new[:5])}", "see whether abm.toml and the map know what it means"
                )


def _of_unit(where: str, before: float, now: float) -> Iterator[Fault]:
    if not before / OTHER_UNIT < now < before * OTHER_UNIT:
        fix = "see whether the unit changed, such as millionths for whole ones" + ALLOW
        yield replace(_told("F058", where, f"about {now:,.4g} as a rule, {before:,.4g} before", fix), level="E")


def _told(rule: str, where: str, found: str, fix: str) -> Fault:
    return Fault(rule, "changed-since", where, found, "as when the inputs were last frozen", fix, level="D")
