"""A company's own slices: columns that no canonical table has, carried beside the records of accounts and opportunities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from ..config import Config
from ..errors import ADDRESS, Fault, nearest
from ..settings import OwnSlice
from ..source_settings import Dialect
from ..tables import quoted, quoted_name, tables
from .mapping import OTHERS, delivered_columns
from .suspects import folded

CARRIED = 'raw."values of slices"'  # table_name, record_id, name, value
MOST = 50  # values that a slice may have; columns with more are names, ids and free text


def hold(con: duckdb.DuckDBPyConnection, config: Config, table: str, key: str) -> None:
    """Keep what a source delivered for a table that is sliced: of `raw.KEY` only the rows set aside are left later."""
    if any(asked.table == table for asked in config.slices.values()):
        con.execute(f'create or replace table {_held(key)} as from raw."{key}"')


def _held(key: str) -> str:
    return f'raw."{key} for slices"'


def carry(con: duckdb.DuckDBPyConnection, config: Config, parts: Sequence[tuple[str, str, Dialect]]) -> Iterator[Fault]:
    """Fill CARRIED for every record accepted; faults for a column that no source delivers or that is no slice.

    `parts` are what sources gave: the canonical table, the name of its raw table that is held, and how it is written.
    """
    con.execute(
        f"create or replace table {CARRIED} (table_name VARCHAR, record_id VARCHAR, name VARCHAR, value VARCHAR)"
    )
    for name, asked in config.slices.items():
        where, wanted, known = f"abm.toml  [slices.{name}]", asked.column or name, list[str]()
        given = [(key, dialect) for table, key, dialect in parts if table == asked.table]
        for key, dialect in given:
            columns = delivered_columns(con, _held(key))
            known += columns
            if column := next((each for each in columns if folded(each) == folded(wanted)), ""):
                _take(con, name, asked, key, column, dialect)
        if given and not any(folded(each) == folded(wanted) for each in known):
            close = nearest(wanted, known)
            fix = "correct `column`, or deliver it"
            yield Fault("F096", "column-missing", where, f"no source delivers {wanted}", close, fix)
        elif given:
            yield from _no_slice(con, where, name, asked, wanted)


def _take(con: duckdb.DuckDBPyConnection, name: str, asked: OwnSlice, key: str, column: str, dialect: Dialect) -> None:
    """The column's value for each record; where copies of a record contradict each other it is not known."""
    record = tables()[asked.table].key[0]
    value = f"nullif(trim({quoted_name(column)}), '')"
    if dialect.blanks:
        value = f"case when {value} not in ({', '.join(map(quoted, dialect.blanks))}) then {value} end"
    shown = "".join(
        f" when {quoted(old)} then nullif({quoted(new)}, '')" for old, new in asked.values.items() if old != OTHERS
    )
    others = f"nullif({quoted(asked.values[OTHERS])}, '')" if OTHERS in asked.values else "value"
    con.execute(
        f"insert into {CARRIED} select {quoted(asked.table)}, record, {quoted(name)}, "
        f"case value when null then null{shown} else case when value is not null then {others} end end from ("
        f"select {quoted_name(record)} as record, case when count(distinct {value}) = 1 then min({value}) end as value "
        f"from {_held(key)} where {quoted_name(record)} in (select {quoted_name(record)} from canonical.{asked.table}) group by 1)"
    )


def _no_slice(con: duckdb.DuckDBPyConnection, where: str, name: str, asked: OwnSlice, wanted: str) -> Iterator[Fault]:
    """What a slice may not be: ids, people, and columns of so many values that each stands for one record."""
    expected, fix = f"at most {MOST} values that name nobody", "choose another column, or say by `values` what is shown"
    column = tables()[asked.table].columns.get(wanted)
    if column and (column.type == "id" or column.personal):
        yield Fault("C01", "no-slice", where, f"{wanted} holds ids", expected, fix)
        return
    rows = con.execute(
        f"select distinct value from {CARRIED} where name = ? and value is not null limit ?", [name, MOST + 1]
    )
    values = [value for (value,) in rows.fetchall()]
    if len(values) > MOST:
        yield Fault("C01", "no-slice", where, f"more than {MOST} values in {wanted}", expected, fix)
    elif any(ADDRESS.search(value) for value in values):
        yield Fault("C01", "no-slice", where, f"mail addresses in {wanted}", expected, fix)
