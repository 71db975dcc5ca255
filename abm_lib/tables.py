"""The canonical tables: read from tables.toml, and the check that a delivered table is one of them.

`accept` turns text into types inside DuckDB. A row that cannot be typed, lacks a required value or contradicts another
row of its key is set aside with its rule; the rest becomes the canonical table. Nothing is dropped without a count:
read = accepted + repeated + set aside + excluded.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from babel.core import get_global
from babel.numbers import list_currencies

from .errors import Fault, nearest

TIMESTAMP = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$"
ABOUT_DATA = ("loads", "fx", "events_log")  # tables that tell nothing of what happened to the company
YEARS = "between 1900 and 2199"  # those of the calendar: 0001-01-01 and 9999-12-31 stand for "none" and are no days
TRUE, FALSE = "('true', '1', 'yes')", "('false', '0', 'no')"
DAMAGED = r"^\d(\.\d+)?[eE]\+\d+$"  # an id after a spreadsheet took it for a number (F056)

# What else may be done about a value that is not of its type: a source may declare how it writes them.
DECLARE = {"on": ", or declare the order of day and month: `dates` in the source's dialect",
           "at": ", or declare how moments are written: `times` in the source's dialect",
           "money": ", or declare its marks: `decimal`, `thousands` and `signs` in the source's dialect",
           "share": ", or declare its unit: `percent` in the source's dialect"}  # fmt: skip


@cache
def last_tender() -> dict[str, date]:
    """Of each currency that was or is legal tender somewhere the last day on which it was, far ahead where it still is."""
    found: dict[str, date] = {}
    for used in get_global("territory_currencies").values():
        for code, _, last, is_tender in used:
            if is_tender:
                found[code] = max(date(*last) if last else date.max, found.get(code, date.min))
    return found


def _if(condition: str, value: str) -> str:
    return f"case when {condition} then {value} end"


# A time with an offset is turned to UTC, one without is UTC: connections are in UTC.
MOMENT, DAY, DOUBLE = "try_cast({c} as TIMESTAMPTZ)::TIMESTAMP", "try_cast({c} as DATE)", "try_cast({c} as DOUBLE)"

# The codes of ISO 4217, those of the past too; not XXX, which is no currency, nor those of metals and tests (F061).
CURRENCIES = tuple(sorted(code for code in list_currencies() if code[0] != "X" or code in last_tender()))

# type -> (SQL type, typed value of the text {c}, what a user would call it)
TYPES = {
    "id": ("VARCHAR", "{c}", "an id"),
    "text": ("VARCHAR", "{c}", "text"),
    "at": ("TIMESTAMP", _if(f"regexp_matches({{c}}, '{TIMESTAMP}') and year({MOMENT}) {YEARS}", MOMENT),
           "a timestamp such as 2026-09-30 14:05:00, in UTC or with its offset, from 1900 to 2199"),
    "on": ("DATE", _if(rf"regexp_matches({{c}}, '^\d{{4}}-\d{{2}}-\d{{2}}$') and year({DAY}) {YEARS}", DAY),
           "a date such as 2026-09-30, from 1900 to 2199"),
    "money": ("DECIMAL(18,4)", "try_cast({c} as DECIMAL(18,4))", "an amount such as 1250.50"),
    "currency": ("VARCHAR", _if(f"{{c}} in {CURRENCIES}", "{c}"), "a currency code such as EUR"),
    "share": ("DOUBLE", _if(f"{DOUBLE} between 0 and 1", DOUBLE), "a share from 0 to 1"),
    "rate": ("DOUBLE", _if(f"{DOUBLE} > 0 and isfinite({DOUBLE})", DOUBLE), "a rate above zero"),
    "number": ("DOUBLE", _if(f"isfinite({DOUBLE})", DOUBLE), "a number"),
    "whole": ("BIGINT", _if(r"regexp_matches({c}, '^-?\d+$')", "try_cast({c} as BIGINT)"), "a whole number"),
    "yes_no": ("BOOLEAN", f"case when {{c}} in {TRUE} then true when {{c}} in {FALSE} then false "
               f"when lower(trim({{c}})) in {TRUE} then true when lower(trim({{c}})) in {FALSE} then false end", "true or false"),
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
    """One canonical table: its grain, key and columns. `dated` names the column that places a row in time.

    In a table that `stands`, a row holds until another ends it: that no newer one came is no gap in the data.
    """

    name: str
    one_row_per: str
    key: tuple[str, ...]
    columns: dict[str, Column]
    dated: str = ""
    stands: bool = False

    @property
    def days(self) -> dict[str, str]:
        """The column that derive adds beside each timestamp: its day in the reporting zone, `booked_on` of `booked_at`."""
        return {c.name: f"{c.name.removesuffix('_at')}_on" for c in self.columns.values() if c.type == "at"}

    @property
    def day(self) -> str:
        """The day that places a row in time. Empty where nothing does."""
        return self.days.get(self.dated, self.dated)


@dataclass(frozen=True)
class Form:
    """How a delivered table writes its values; the default is the plain form of canonical files.

    SQL for a column's typed value, what a user would call it, SQL that is true of an id {c} that contradicts itself, and SQL for
    the text of each column in which a text stands for a blank.
    """

    typed: Callable[[Column], str] = Column.typed
    expected: Callable[[Column], str] = lambda column: column.expected
    wrong_id: str = ""
    without_blanks: Mapping[str, str] = field(default_factory=dict)

    def texts(self, rows: str) -> str:
        """SQL for rows of text with every blank as NULL."""
        replaced = ", ".join(f'{sql} as "{name}"' for name, sql in self.without_blanks.items())
        return f"(select *{f' replace ({replaced})' if replaced else ''} from {rows})"


PLAIN = Form()


@dataclass
class Accepted:
    """What became of one delivered table: read = accepted + repeated + set aside + excluded, and every fault met.

    `excluded` are rows that a declared rule leaves out, by the rule: deleted records, older states, totals.
    """

    table: str
    read: int = 0
    accepted: int = 0
    repeated: int = 0
    set_aside: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    missing_columns: list[str] = field(default_factory=list)
    added_columns: list[str] = field(default_factory=list)

    @property
    def adds_up(self) -> bool:
        """Whether every row read is accounted for; of a table that is refused nothing is accepted."""
        told = self.accepted + self.repeated + self.set_aside + sum(self.excluded.values())
        return self.read == told or any(fault.level == "E" for fault in self.faults)


def quoted_name(name: str) -> str:
    """A column's name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def quoted(text: str) -> str:
    """Text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def tells_until(name: str) -> bool:
    """Whether the newest row of a table tells until when the data are known: rows of what happened, not of what holds or is due."""
    return bool(tables()[name].dated) and not tables()[name].stands and name not in ABOUT_DATA


@cache
def tables() -> dict[str, Table]:
    """Every canonical table by name, in the order of tables.toml."""
    text = tomllib.loads((Path(__file__).parent / "tables.toml").read_text(encoding="utf-8"))
    return {name: _table(name, entry) for name, entry in text.items()}


def _table(name: str, entry: dict[str, Any]) -> Table:
    columns = {}
    key = tuple(entry.pop("key"))
    one_row_per, dated = entry.pop("one_row_per"), entry.pop("dated", "")
    stands = entry.pop("stands", False)
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
    return Table(name, one_row_per, key, columns, dated, stands)


def accept(
    con: duckdb.DuckDBPyConnection,
    name: str,
    where: str,
    place: Callable[[int], str],
    form: Form = PLAIN,
    key: str = "",
) -> Accepted:
    """Turn the view `raw.NAME` (text columns and `_row`) into `canonical.NAME` and `set_aside.NAME`.

    `raw.NAME` becomes a table of the rows set aside. `where` names the delivered table in messages, `place` one row of it,
    `form` says how values are written. Missing required columns are faults of level E and leave no table. `key` stands for
    NAME in those three where several sources deliver the table.
    """
    table, report = replace(tables()[name], name=key or name), Accepted(name)
    delivered = [row[0] for row in con.execute(f'select column_name from (describe raw."{table.name}")').fetchall()]
    report.added_columns = [c for c in delivered if c not in table.columns and c != "_row"]
    report.missing_columns = [c for c in table.columns if c not in delivered]
    lacking = [table.columns[c] for c in report.missing_columns if table.columns[c].required]
    report.read = _count(con, f'raw."{table.name}"')
    con.execute(f'create or replace temp table kept as from raw."{table.name}" limit 0')
    if lacking and len(report.missing_columns) == len(table.columns):
        report.faults.append(
            Fault("F014", "header-missing", where, "no known column in the first line", ", ".join(table.columns),
                  "put the names of the columns into the first line, or map them")
        )  # fmt: skip
    elif lacking:
        report.faults += [_missing_column(where, column, report.added_columns) for column in lacking]
    else:
        _type_rows(con, table, delivered, form)
        report.repeated = _settle_keys(con, table)
        _keep(con, table, form, "conflicts")
        con.execute(f'alter table canonical."{table.name}" drop column _row')
        report.accepted = _count(con, f'canonical."{table.name}"')
        report.set_aside = _count(con, f'set_aside."{table.name}"')
    con.execute(f'drop view raw."{table.name}"; create table raw."{table.name}" as from kept; drop table kept')
    if report.set_aside:
        report.faults += _set_aside_faults(con, table, place, form)
    return report


def _missing_column(where: str, column: Column, added: list[str]) -> Fault:
    found = f"no such column; {nearest(column.name, added)}" if added else "no such column"
    return Fault(
        "F096", "column-missing", f'{where}  column "{column.name}"', found, column.expected,
        f"add the column, or map another one to {column.name}",
    )  # fmt: skip


def _type_rows(con: duckdb.DuckDBPyConnection, table: Table, delivered: list[str], form: Form) -> None:
    """Split the raw rows into typed ones and those with a fault; `_why` lists `rule column` of each fault.

    Faults are spelled out only for the rows that have any.
    """
    present = [c for c in table.columns.values() if c.name in delivered]
    raw = {c.name: quoted_name(f"as delivered {c.name}") for c in present}
    sql = {c.name: form.typed(c) for c in present}
    faults = [fault for c in present for fault in _faults(c, raw[c.name], form)]
    wrong = " or ".join(condition for condition, _ in faults) or "false"
    why = ", ".join(f"case when {condition} then {quoted(rule)} end" for condition, rule in faults)
    values = [f'{sql.get(c.name, "NULL")}::{c.sql_type} as "{c.name}"' for c in table.columns.values()] + [
        f'"{name}" as {kept}' for name, kept in raw.items()
    ]
    names, typed = ", ".join(f'"{c}"' for c in table.columns), f"select _row, {', '.join(values)} from"
    accepted, texts = f'canonical."{table.name}"', form.texts(f'raw."{table.name}"')
    con.execute(
        f"create or replace table {accepted} as select _row, case when {wrong} then true end as _wrong, {names} from ({typed} {texts})"
    )
    con.execute(f"create or replace temp table wrong as select _row from {accepted} where _wrong")
    _keep(con, table, form, "wrong")
    con.execute(
        f'create or replace table set_aside."{table.name}" as select _row, list_filter([{why}], lambda x: x is not null) as _why '
        f"from ({typed} kept)"
    )
    con.execute(f"delete from {accepted} where _wrong; alter table {accepted} drop column _wrong")


def _keep(con: duckdb.DuckDBPyConnection, table: Table, form: Form, rows: str) -> None:
    """Add the rows of text whose `_row` the table ROWS names to `kept`. It is a table, so that it is known how few they are."""
    con.execute(
        f'insert into kept from {form.texts(f"""(from raw."{table.name}" where _row in (select _row from {rows}))""")}'
    )


def _faults(column: Column, raw: str, form: Form) -> Iterator[tuple[str, str]]:
    """(condition, `rule column`) of all that may be wrong with a value, of which `raw` is the text."""
    name = column.name
    if column.choices or column.type not in ("id", "text"):
        yield f'({raw} is not null and "{name}" is null)', f"F031 {name}"
    if column.required:
        yield f"{raw} is null", f"F087 {name}"
    if column.type == "id":
        # The first condition is the cheap one: most ids begin with a letter.
        yield (
            f"({raw} between '0' and ':' and contains({raw}, '+') and regexp_matches({raw}, '{DAMAGED}'))",
            f"F056 {name}",
        )
        if form.wrong_id:
            yield f"coalesce({form.wrong_id.replace('{c}', raw)}, false)", f"F070 {name}"


def _settle_keys(con: duckdb.DuckDBPyConnection, table: Table) -> int:
    """Keep one of identical rows; set aside all rows of a key that contradict each other. Return the rows repeated."""
    names, rows = ", ".join(f'"{c}"' for c in table.columns), f'canonical."{table.name}"'
    key = ", ".join(f'"{c}"' for c in table.key)
    alike = " and ".join(f'c."{c}" is not distinct from twice."{c}"' for c in table.key)
    con.execute(
        f"create or replace temp table copies as select {names}, _row, min(_row) over (partition by {names}) as _first, "
        f"dense_rank() over (partition by {key} order by {names}) as _version from {rows} c where exists "
        f"(select 1 from (select {key} from {rows} group by {key} having count(*) > 1) twice where {alike})"
    )
    con.execute(
        f"create or replace temp table conflicts as select _row from copies "
        f"qualify max(_version) over (partition by {key}) > 1 and _row = _first"
    )
    # A contradicting row may itself stand more than once: its copies are repeats of the row set aside.
    con.execute(f'insert into set_aside."{table.name}" select _row, [{quoted("F074 " + table.key[0])}] from conflicts')
    con.execute(  # not by a join, which would lose the order
        f"delete from {rows} where _row in (select _row from copies where _row <> _first union all from conflicts)"
    )
    (repeated,) = con.execute("select count(*) from copies where _row <> _first").fetchall()[0]
    con.execute("drop table copies")
    return int(repeated)


def _set_aside_faults(
    con: duckdb.DuckDBPyConnection, table: Table, place: Callable[[int], str], form: Form
) -> list[Fault]:
    """One fault for each rule and column that set rows aside, with the first line, an example and the count."""
    groups = con.execute(
        f'select why, min(_row), count(*) from (select unnest(_why) as why, _row from set_aside."{table.name}") '
        "group by why order by why"
    ).fetchall()
    return [_set_aside_fault(con, table, place(row), why, row, count, form) for why, row, count in groups]


def _set_aside_fault(
    con: duckdb.DuckDBPyConnection, table: Table, place: str, why: str, row: int, count: int, form: Form
) -> Fault:
    rule, name = why.split(" ", 1)
    column, where = table.columns[name], f'{place}  column "{name}"'
    (value,) = con.execute(f'select "{name}" from raw."{table.name}" where _row = ?', [row]).fetchall()[0]
    found = "a value that names a person" if column.personal else "blank" if value is None else value
    found += f" (and {count - 1} more)" if count > 1 else ""
    if rule == "F031":
        means = f", or say in a map what it means: `values.{name}`" if column.choices else DECLARE.get(column.type, "")
        fix = f"correct the value{means}"
        return Fault(rule, "wrong-type", where, found, form.expected(column), fix, level="Q")
    if rule == "F087":
        return Fault(rule, "value-missing", where, found, column.expected, "fill in the value", level="Q")
    if rule == "F070":
        said, fix = (
            "an id whose last three letters fit the others",
            "export the id anew, with its upper and lower case letters",
        )
        return Fault(rule, "id-checksum", where, found, said, fix, level="Q")
    if rule == "F056":
        why, fix = (
            "a spreadsheet program has rewritten the ids",
            "export again and do not open the file in a spreadsheet",
        )
        return Fault(rule, "ids-damaged", where, found, column.expected, fix, why)
    return Fault(
        rule, "key-conflict", where, f"{found}: rows of one key that differ", f"one row per {table.one_row_per}",
        f"keep one row for each {', '.join(table.key)}", level="Q",
    )  # fmt: skip


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(con.execute(f"select count(*) from {relation}").fetchall()[0][0])
