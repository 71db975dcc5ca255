"""What changed in the inputs since they were last frozen: columns, counts, blanks, and values that were never there before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import duckdb

from ..config import Config
from ..errors import Fault
from ..tables import Column, tables

FEW_VALUES = 40  # a text column of at most so many different values is a list to choose from
LEAST_ROWS = 30  # of fewer rows, shares and counts say nothing
FALL, RISE = 0.6, 2.0  # a table of so much of its former rows is told
MORE_BLANK = 0.2  # so much more of a column blank is told
OTHER_UNIT = 300  # so many times the typical value of before is another unit: thousandths, millionths
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


def changes(before: dict[str, Any], now: dict[str, Any]) -> Iterator[Fault]:
    """What is told of two profiles; nothing is refused for it."""
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
            yield _told(
                "F099",
                where,
                "blank throughout, or gone; it held values before",
                "see whether it was renamed: map it then",
            )
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
        fix = "see whether the unit changed, such as millionths for whole ones"
        yield _told("F058", where, f"about {now:,.4g} as a rule, {before:,.4g} before", fix)


def _told(rule: str, where: str, found: str, fix: str) -> Fault:
    return Fault(rule, "changed-since", where, found, "as when the inputs were last frozen", fix, level="D")
