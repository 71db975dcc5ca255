"""The canonical tables: read from tables.toml, and the check that a delivered table is one of them.

`accept` turns text into types inside DuckDB. A row that cannot be typed, lacks a required value or contradicts another
row of its key is set aside with its rule; the rest becomes the canonical table. Nothing is dropped without a count:
read = accepted + repeated + set aside.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from .errors import Fault

TIMESTAMP = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?)?$"
TRUE, FALSE = "('true', '1', 'yes')", "('false', '0', 'no')"

# type -> (SQL type, typed value of the text {c}, what a user would call it)
TYPES = {
    "id": ("VARCHAR", "{c}", "an id"),
    "text": ("VARCHAR", "{c}", "text"),
    "at": ("TIMESTAMP", f"case when regexp_matches({{c}}, '{TIMESTAMP}') then try_cast(rtrim({{c}}, 'Z') as TIMESTAMP) end",
           "a UTC timestamp such as 2026-09-30 14:05:00"),
    "on": ("DATE", r"case when regexp_matches({c}, '^\d{4}-\d{2}-\d{2}$') then try_cast({c} as DATE) end",
           "a date such as 2026-09-30"),
    "money": ("DECIMAL(18,4)", "try_cast({c} as DECIMAL(18,4))", "an amount such as 1250.50"),
    "currency": ("VARCHAR", "case when regexp_matches({c}, '^[A-Z]{3}$') then {c} end", "a currency code such as EUR"),
    "share": ("DOUBLE", "case when try_cast({c} as DOUBLE) between 0 and 1 then try_cast({c} as DOUBLE) end",
              "a share from 0 to 1"),
    "number": ("DOUBLE", "case when isfinite(try_cast({c} as DOUBLE)) then try_cast({c} as DOUBLE) end", "a number"),
    "whole": ("BIGINT", r"case when regexp_matches({c}, '^-?\d+$') then try_cast({c} as BIGINT) end", "a whole number"),
    "yes_no": ("BOOLEAN", f"case when lower({{c}}) in {TRUE} then true when lower({{c}}) in {FALSE} then false end",
               "true or false"),
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column: its type, whether a row needs it, which table it points to, and whether it names a person."""

    name: str
    type: str
    choices: tuple[str, ...] = ()
    required: bool = False
    references: str = ""
    personal: bool = False

    @property
    def sql_type(self) -> str:
        return "VARCHAR" if self.choices else TYPES[self.type][0]

    @property
    def expected(self) -> str:
        return f"one of {', '.join(self.choices)}" if self.choices else TYPES[self.type][2]

    def typed(self) -> str:
        """SQL that turns the column's text into its type, or into NULL where it cannot."""
        name = f'"{self.name}"'
        if self.choices:
            return f"case when {name} in ({', '.join(quoted(c) for c in self.choices)}) then {name} end"
        return TYPES[self.type][1].replace("{c}", name)


@dataclass(frozen=True)
class Table:
    """One canonical table: its grain, key and columns. `dated` names the column that places a row in time."""

    name: str
    one_row_per: str
    key: tuple[str, ...]
    columns: dict[str, Column]
    dated: str = ""


@dataclass
class Accepted:
    """What became of one delivered table: read = accepted + repeated + set_aside, and every fault met."""

    table: str
    read: int = 0
    accepted: int = 0
    repeated: int = 0
    set_aside: int = 0
    faults: list[Fault] = field(default_factory=list)
    missing_columns: list[str] = field(default_factory=list)
    added_columns: list[str] = field(default_factory=list)


def quoted(text: str) -> str:
    """Text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


@cache
def tables() -> dict[str, Table]:
    """Every canonical table by name, in the order of tables.toml."""
    text = tomllib.loads((Path(__file__).parent / "tables.toml").read_text(encoding="utf-8"))
    return {name: _table(name, entry) for name, entry in text.items()}


def _table(name: str, entry: dict[str, Any]) -> Table:
    columns = {}
    key = tuple(entry.pop("key"))
    one_row_per, dated = entry.pop("one_row_per"), entry.pop("dated", "")
    for column, text in entry.items():
        kind, *notes = [part.strip() for part in text.split(",")]
        choices = tuple(kind.removeprefix("one of ").split("|")) if kind.startswith("one of ") else ()
        references = next((note.removeprefix("references ") for note in notes if note.startswith("references ")), "")
        columns[column] = Column(
            name=column,
            type="text" if choices else kind,
            choices=choices,
            required="required" in notes or (column in key and "optional" not in notes),
            references=references,
            personal="personal" in notes,
        )
    return Table(name, one_row_per, key, columns, dated)


def accept(con: duckdb.DuckDBPyConnection, name: str, where: str) -> Accepted:
    """Turn `raw.NAME` (text columns and `_row`) into `canonical.NAME` and `set_aside.NAME`.

    `where` names the delivered file in messages. Missing required columns are faults of level E and leave no table.
    """
    table, report = tables()[name], Accepted(name)
    delivered = [row[0] for row in con.execute(f'select column_name from (describe raw."{name}")').fetchall()]
    report.added_columns = [c for c in delivered if c not in table.columns and c != "_row"]
    report.missing_columns = [c for c in table.columns if c not in delivered]
    lacking = [c for c in report.missing_columns if table.columns[c].required]
    report.faults += [_missing_column(where, table.columns[c], report.added_columns) for c in lacking]
    report.read = _count(con, f'raw."{name}"')
    if not lacking:
        _type_rows(con, table, delivered)
        report.repeated = _settle_keys(con, table)
        report.accepted = _count(con, f'canonical."{name}"')
        report.set_aside = _count(con, f'set_aside."{name}"')
        report.faults += _set_aside_faults(con, table, where)
    return report


def _missing_column(where: str, column: Column, added: list[str]) -> Fault:
    close = f"; the file has {', '.join(added)}" if added else ""
    return Fault(
        "F096", "column-missing", f'{where}  column "{column.name}"', f"no such column{close}", column.expected,
        f"add the column, or map another one to {column.name}",
    )  # fmt: skip


def _type_rows(con: duckdb.DuckDBPyConnection, table: Table, delivered: list[str]) -> None:
    """Split the raw rows into typed ones and those with a fault; `_why` lists `rule column` of each fault."""
    present = [c for c in table.columns.values() if c.name in delivered]
    why = [f"case when \"{c.name}\" is not null and {c.typed()} is null then 'F031 {c.name}' end" for c in present]
    why += [f"case when \"{c.name}\" is null then 'F087 {c.name}' end" for c in present if c.required]
    typed = [
        f'{c.typed() if c.name in delivered else "NULL"}::{c.sql_type} as "{c.name}"' for c in table.columns.values()
    ]
    con.execute(
        f"create or replace table typed as select _row, list_filter([{', '.join(why)}], lambda x: x is not null) as _why, "
        f'{", ".join(typed)} from raw."{table.name}" order by _row'
    )
    con.execute(f'create or replace table set_aside."{table.name}" as select _row, _why from typed where len(_why) > 0')


def _settle_keys(con: duckdb.DuckDBPyConnection, table: Table) -> int:
    """Keep one of identical rows; set aside all rows of a key that contradict each other. Return the rows repeated."""
    names = ", ".join(f'"{c}"' for c in table.columns)
    key = ", ".join(f'"{c}"' for c in table.key)
    con.execute(
        f"create or replace table sound as select {names}, min(_row) as _row, count(*) as _copies, "
        f"count(*) over (partition by {key}) as _versions from typed where len(_why) = 0 group by {names}"
    )
    con.execute(
        f'insert into set_aside."{table.name}" select _row, [{quoted("F074 " + table.key[0])}] from sound where _versions > 1'
    )
    # A contradicting row may itself stand more than once: its copies are repeats of the row set aside.
    con.execute(
        f'create or replace table canonical."{table.name}" as select {names} from sound where _versions = 1 order by _row'
    )
    (repeated,) = con.execute("select coalesce(sum(_copies - 1), 0)::bigint from sound").fetchall()[0]
    return int(repeated)


def _set_aside_faults(con: duckdb.DuckDBPyConnection, table: Table, where: str) -> list[Fault]:
    """One fault for each rule and column that set rows aside, with the first line, an example and the count."""
    groups = con.execute(
        f'select why, min(_row), count(*) from (select unnest(_why) as why, _row from set_aside."{table.name}") '
        "group by why order by why"
    ).fetchall()
    return [_set_aside_fault(con, table, where, why, row, count) for why, row, count in groups]


def _set_aside_fault(con: duckdb.DuckDBPyConnection, table: Table, where: str, why: str, row: int, count: int) -> Fault:
    rule, name = why.split(" ", 1)
    column = table.columns[name]
    place = f'{where}:{line(con, table.name, row)}  column "{name}"'
    (value,) = con.execute(f'select "{name}" from raw."{table.name}" where _row = ?', [row]).fetchall()[0]
    shown = "a value that names a person" if column.personal else value
    more = f" (and {count - 1} more)" if count > 1 else ""
    if rule == "F031":
        return Fault(rule, "wrong-type", place, f"{shown}{more}", column.expected, "correct the value", level="Q")
    if rule == "F087":
        return Fault(rule, "value-missing", place, f"blank{more}", column.expected, "fill the value", level="Q")
    key = ", ".join(table.key)
    return Fault(
        rule, "key-conflict", place, f"{shown}: rows of one key that differ ({count} rows)",
        f"one row per {table.one_row_per}", f"keep one row for each {key}", level="Q",
    )  # fmt: skip


def line(con: duckdb.DuckDBPyConnection, name: str, row: int) -> int:
    """The physical line of raw row `row` (from 1) in its file: header, and newlines inside quoted fields, counted."""
    names = [c for (c,) in con.execute(f'select column_name from (describe raw."{name}")').fetchall() if c != "_row"]
    breaks = " + ".join(f'coalesce(len("{c}") - len(replace("{c}", chr(10), \'\')), 0)' for c in names)
    (inside,) = con.execute(f'select coalesce(sum({breaks}), 0) from raw."{name}" where _row < ?', [row]).fetchall()[0]
    return 1 + row + int(inside)


def references(con: duckdb.DuckDBPyConnection, names: set[str]) -> list[tuple[str, Column, int, int, str]]:
    """Unmatched references among the canonical tables present: (table, column, unmatched, filled, an example)."""
    found = []
    for name in tables():
        for column in tables()[name].columns.values() if name in names else ():
            if column.references in names:
                target = tables()[column.references]
                found.append((name, column, *_unmatched(con, name, column.name, target)))
    return [row for row in found if row[2]]


def _unmatched(con: duckdb.DuckDBPyConnection, name: str, column: str, target: Table) -> tuple[int, int, str]:
    unmatched, filled, example = con.execute(
        f'select count(*) filter (where t."{target.key[0]}" is null), count(*), '
        f'min(c."{column}") filter (where t."{target.key[0]}" is null) '
        f'from canonical."{name}" c left join canonical."{target.name}" t on c."{column}" = t."{target.key[0]}" '
        f'where c."{column}" is not null'
    ).fetchall()[0]
    return unmatched, filled, example or ""


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(con.execute(f"select count(*) from {relation}").fetchall()[0][0])
