"""A delivered table in the shape that its map knows: columns by their reference names, one row a key, no deleted rows."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from .mapfile import FileEntry, Shape
from .mapping import delivered_columns
from .suspects import folded

YES = "('true', 't', '1', 'yes')"


@dataclass(frozen=True)
class Shaped:
    """What was found of a table: columns that the map knows and nobody delivered, and the rows that no longer count."""

    absent: tuple[str, ...] = ()
    excluded: tuple[tuple[str, int], ...] = ()


def shape(con: duckdb.DuckDBPyConnection, stem: str, entry: FileEntry, how: Shape) -> Shaped:
    """Rewrite the table STEM: see above. A column that was not delivered is there and blank."""
    delivered = delivered_columns(con, f'"{stem}"')
    named = _named(delivered, entry, how)
    extra = [
        c for c in delivered if c not in named.values() and c.casefold() not in {n.casefold() for n in entry.columns}
    ]
    parts = [
        f'"{named[name]}" as "{name}"' if name in named else f'NULL::VARCHAR as "{name}"' for name in entry.columns
    ]
    parts += [f'"{column}"' for column in extra]
    con.execute(f'create or replace table "{stem}" as select {", ".join(["_row", *parts])} from "{stem}"')
    there = {folded(column): column for column in [*extra, *named]}
    excluded = [("deleted", _count_out(con, stem, _is_gone(there, [*how.gone, *entry.gone])))]
    newest = there.get(folded(entry.newest or how.newest), "")
    if newest and entry.key and all(column in named for column in entry.key):
        key = ", ".join(f'"{column}"' for column in entry.key)
        older = f'_row not in (select arg_max(_row, ("{newest}", _row)) from "{stem}" group by {key})'
        excluded.append(("older states", _count_out(con, stem, older)))
    absent = tuple(name for name in entry.columns if name not in named)
    return Shaped(absent, tuple((why, count) for why, count in excluded if count))


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
    marks = [f'"{c}" is not null' if name.endswith("_at") else f'lower(trim("{c}")) in {YES}' for name, c in known]
    return f"coalesce({' or '.join(marks)}, false)" if marks else ""


def _count_out(con: duckdb.DuckDBPyConnection, stem: str, condition: str) -> int:
    if not condition:
        return 0
    (count,) = con.execute(f'select count(*) from "{stem}" where {condition}').fetchall()[0]
    if count:
        con.execute(f'delete from "{stem}" where {condition}')
    return int(count)
