"""Forms that know types: Parquet, JSON lines, and the tables of DuckDB and SQLite files. Their values become text."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from ..source_settings import Dialect
from ..tables import quoted, quoted_name

DAYS = ["%Y-%m-%d", "%Y-%m-%d 00:00:00"]
MOMENTS = [f"%Y-%m-%d{apart}{time}" for apart in " T" for time in ("%H:%M:%S", "%H:%M:%S.%f", "%H:%M")]
NESTED = ("STRUCT", "MAP", "UNION", "JSON")
# A DuckDB that fetches nothing, whatever a file or query asks for.
CLOSED: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": "false"}
UNREADABLE = (duckdb.Error, sqlite3.Error)
BATCH = 50_000  # rows held in Python at once


def of_typed(dialect: Dialect) -> Dialect:
    """The dialect of values that had a type: numbers are plain, days and moments are ISO where they are not as declared."""
    kept = without_marks(dialect).model_dump(exclude_unset=True)
    return Dialect(**kept | {"dates": [*dialect.dates, *DAYS], "times": [*dialect.times, *MOMENTS]})


def without_marks(dialect: Dialect) -> Dialect:
    """The dialect but for the marks of numbers, which a number that had a type does not hold."""
    return Dialect(**dialect.model_dump(exclude_unset=True, exclude={"decimal", "thousands", "signs"}))


def parquet(con: duckdb.DuckDBPyConnection, stem: str, path: Path) -> None:
    _from_relation(con, stem, f"read_parquet({quoted(str(path))})")


def json_lines(con: duckdb.DuckDBPyConnection, stem: str, path: Path) -> None:
    _from_relation(
        con, stem, f"read_json({quoted(str(path))}, format = 'newline_delimited', maximum_depth = 1, sample_size = -1)"
    )


READERS: dict[str, Callable[[duckdb.DuckDBPyConnection, str, Path], None]] = {
    ".parquet": parquet, ".jsonl": json_lines, ".ndjson": json_lines,
}  # fmt: skip


def _from_relation(con: duckdb.DuckDBPyConnection, stem: str, relation: str) -> None:
    """The table STEM of a relation's rows as text; what is nested becomes JSON."""
    described = con.execute(f"describe select * from {relation}").fetchall()
    parts = [f"nullif({_as_text(name, kind)}, '') as {quoted_name(name)}" for name, kind, *_ in described]
    con.execute(
        f'create or replace table "{stem}" as select row_number() over () as _row, {", ".join(parts)} from {relation}'
    )


def _as_text(name: str, kind: str) -> str:
    column = quoted_name(name)
    if kind == "JSON":  # a text among JSON stands in quotes
        return f"""case when json_type({column}) = 'VARCHAR' then {column}->>'$' else nullif({column}::VARCHAR, 'null') end"""
    if kind.startswith(NESTED) or kind.endswith("]"):
        return f"to_json({column})::VARCHAR"
    return f"{column}::VARCHAR"


def from_rows(con: duckdb.DuckDBPyConnection, stem: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """The table STEM of rows held in Python, which may be many: they are taken in by and by."""
    columns = ", ".join(f"{quoted_name(name)} VARCHAR" for name in header)
    con.execute(f'create or replace table "{stem}" (_row BIGINT, {columns})')
    done, batch = 0, list[tuple[Any, ...]]()
    for row in rows:
        batch.append((done + len(batch) + 1, *(cell_text(value) for value in row)))
        if len(batch) == BATCH:
            done += _insert(con, stem, header, batch)
            batch = []
    if batch:
        _insert(con, stem, header, batch)


def _insert(con: duckdb.DuckDBPyConnection, stem: str, header: Sequence[str], batch: list[tuple[Any, ...]]) -> int:
    frame = pd.DataFrame(batch, columns=["_row", *header], dtype=object)
    con.register("rows_given", frame.astype({"_row": "int64"}))
    con.execute(f'insert into "{stem}" select * from rows_given')
    con.unregister("rows_given")
    return len(batch)


def cell_text(value: Any) -> str | None:
    """A value of Python as the text that a file of text would hold; None for nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def duckdb_tables(path: Path, db_schema: str) -> list[str]:
    """The names of a DuckDB file's tables and views, of one schema or of all."""
    with duckdb.connect(str(path), read_only=True, config=CLOSED) as con:
        rows = con.execute("select table_schema, table_name from information_schema.tables order by 2").fetchall()
    return [name for schema, name in rows if schema == (db_schema or "main")]


def from_duckdb(con: duckdb.DuckDBPyConnection, stem: str, path: Path, query: str) -> None:
    """The table STEM of a query over a DuckDB file, which is only read."""
    with duckdb.connect(str(path), read_only=True, config=CLOSED) as other:
        _copied(con, stem, other, query)


def _copied(con: duckdb.DuckDBPyConnection, stem: str, other: duckdb.DuckDBPyConnection, query: str) -> None:
    described = other.execute(f"describe {query}").fetchall()
    parts = ", ".join(f"{_as_text(name, kind)} as {quoted_name(name)}" for name, kind, *_ in described)
    found = other.execute(f"select {parts} from ({query})")
    from_rows(con, stem, [name for name, *_ in described], iter(found.fetchone, None))


def is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def sqlite_tables(path: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as other:
        return [
            name
            for (name,) in other.execute("select name from sqlite_master where type in ('table', 'view') order by 1")
        ]


def from_sqlite(con: duckdb.DuckDBPyConnection, stem: str, path: Path, query: str) -> None:
    """The table STEM of a query over a SQLite file, which is only read."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as other:
        found = other.execute(query)
        from_rows(con, stem, [column[0] for column in found.description], found)
