"""A delivered table in the shape that its map knows: columns by their reference names, one row a key, no deleted rows."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from ..tables import quoted_name
from .mapfile import FileEntry, Shape
from .mapping import delivered_columns
from .suspects import folded

YES = "('true', 't', '1', 'yes')"


@dataclass(frozen=True)
class Shaped:
    """What was found of a table.

    Columns that nobody delivered; rows that no longer count, by the reason; when a tool last read a row, as text; and how many rows
    differ from another of their key, where nothing says which is the newer.
    """

    absent: tuple[str, ...] = ()
    excluded: tuple[tuple[str, int], ...] = ()
    newest: str = ""
    conflicts: int = 0


def shape(con: duckdb.DuckDBPyConnection, stem: str, entry: FileEntry, how: Shape) -> Shaped:
    """Rewrite the table STEM: see above. A column that was not delivered is there and blank."""
    delivered = delivered_columns(con, f'"{stem}"')
    named = _named(delivered, entry, how)
    extra = [
        c for c in delivered if c not in named.values() and c.casefold() not in {n.casefold() for n in entry.columns}
    ]
    parts = [
        f'{quoted_name(named[name])} as "{name}"' if name in named else f'NULL::VARCHAR as "{name}"'
        for name in entry.columns
    ]
    parts += [quoted_name(column) for column in extra]
    con.execute(f'create or replace table "{stem}" as select {", ".join(["_row", *parts])} from "{stem}"')
    there = {folded(column): column for column in [*extra, *named]}
    gone = _is_gone(there, [*how.gone, *entry.gone])
    if gone and entry.merged in named:
        gone += f' and "{entry.merged}" is null'
    excluded = [("deleted", _count_out(con, stem, gone))]
    newest = next((there[folded(n)] for n in (entry.newest, how.newest) if n and folded(n) in there), "")
    conflicts = 0
    if entry.key and set(entry.key) <= named.keys():
        key = ", ".join(f'"{column}"' for column in entry.key)
        active = _says_yes(there.get(folded(how.active), "")) if how.active else "false"
        if newest:
            order = f"""({active}, coalesce({_moment(newest)}, timestamp 'epoch'), coalesce({quoted_name(newest)}, ''), _row)"""
            kept = f'select arg_max(_row, {order}) from "{stem}" group by {key}'
            excluded.append(("older states", _count_out(con, stem, f"_row not in ({kept})")))
        else:
            now = f'select ({key}) from "{stem}" where {active}'
            past = f"not {active} and ({key}) in ({now})" if active != "false" else ""
            excluded.append(("older states", _count_out(con, stem, past)))
            whole = ", ".join(map(quoted_name, [*entry.columns, *extra]))
            kept = f'select min(_row) from "{stem}" group by {whole}'
            excluded.append(("copies", _count_out(con, stem, f"_row not in ({kept})")))
            (conflicts,) = con.execute(f'select count(*) - count(distinct ({key})) from "{stem}"').fetchall()[0]
    absent = tuple(name for name in entry.columns if name not in named)
    counted = tuple((why, count) for why, count in excluded if count)
    return Shaped(absent, counted, _newest(con, stem, there, how), conflicts)


def blank(con: duckdb.DuckDBPyConnection, stem: str, entry: FileEntry) -> None:
    """An empty table for a file that a query may read and nobody delivered."""
    columns = "".join(f', "{name}" VARCHAR' for name in entry.columns)
    con.execute(f'create or replace table "{stem}" (_row BIGINT{columns})')


def _named(delivered: list[str], entry: FileEntry, how: Shape) -> dict[str, str]:
    """Reference name: delivered column. A column goes by its name, its labels, and those without the shape's prefix."""
    bare: dict[str, str] = {}
    for prefix in ("", *how.prefixes):
        for column in delivered:
            if column.casefold().startswith(prefix):
                bare.setdefault(folded(column[len(prefix) :]), column)
    named: dict[str, str] = {}
    for name in entry.columns:
        candidates = [folded(candidate) for candidate in (name, *entry.labels.get(name, []))]
        found = next((bare[candidate] for candidate in candidates if candidate in bare), "")
        if found and found not in named.values():
            named[name] = found
    return named


def _is_gone(there: dict[str, str], columns: list[str]) -> str:
    """SQL that is true of a deleted row: a column says yes, or one that ends in `_at` holds when."""
    known = [(column, there[folded(column)]) for column in columns if folded(column) in there]
    marks = [f"{quoted_name(c)} is not null" if name.endswith("_at") else _says_yes(c) for name, c in known]
    return f"({' or '.join(marks)})" if marks else ""


def _says_yes(column: str) -> str:
    """SQL for whether the column says yes; it does not where it is blank or not there."""
    return f"""(coalesce(lower(trim({quoted_name(column)})), '') in {YES})""" if column else "false"


def _moment(column: str) -> str:
    """SQL for the time that the column tells; seconds since 1970 are understood too."""
    seconds = f"try(make_timestamp(try_cast(try_cast({quoted_name(column)} as DOUBLE) * 1000000 as BIGINT)))"
    return f"coalesce(try_cast({quoted_name(column)} as TIMESTAMP), {seconds})"


def _count_out(con: duckdb.DuckDBPyConnection, stem: str, condition: str) -> int:
    if not condition:
        return 0
    (count,) = con.execute(f'select count(*) from "{stem}" where {condition}').fetchall()[0]
    if count:
        con.execute(f'delete from "{stem}" where {condition}')
    return int(count)


def _newest(con: duckdb.DuckDBPyConnection, stem: str, there: dict[str, str], how: Shape) -> str:
    """The newest time in the column that the shape calls newest."""
    column = there.get(folded(how.newest), "") if how.newest else ""
    if not column:
        return ""
    return str(con.execute(f"select coalesce(max({_moment(column)})::VARCHAR, '') from \"{stem}\"").fetchall()[0][0])
