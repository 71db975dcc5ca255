"""The files that queries of maps read: rows with a value that its query could not read are set aside before it runs.

In a query `as_number(cost)` gives nothing for text that is no number, as it does for a blank; behind the query nobody could tell
the two apart.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ..errors import Fault
from ..source_settings import Dialect
from ..tables import DECLARE, Column, quoted
from . import checks, dialects
from .mapping import TableMap, delivered_columns
from .reading import File

CALL = re.compile(r"\bas_(number|day|moment|yes)\(")
RELATION = re.compile(r"\b(?:from|join)\s+(\w+)\s+(?:as\s+)?(\w+)", re.IGNORECASE)
QUALIFIER = re.compile(r"\b(\w+)\.(?=[\w\"])")
SLICE = re.compile(r"\[[^\]]*\]")
WORD = re.compile(r"'[^']*'|[A-Za-z_]\w*")  # text in quotes is no column
TYPES = {"number": "number", "day": "on", "moment": "at", "yes": "yes_no"}


@dataclass(frozen=True)
class Input:
    """One file of a source."""

    source: str
    stem: str
    file: File

    @property
    def key(self) -> str:
        """The name under which its rows are set aside."""
        return f"{self.source}.{self.stem}"


@dataclass(frozen=True)
class Conversion:
    """What a query makes of a file's text: the kind of value, and SQL for the text it is made from."""

    kind: str
    text: str

    @property
    def column(self) -> str:
        return " or ".join(dict.fromkeys(_columns(self.text)))

    @property
    def is_unreadable(self) -> str:
        """SQL that is true of a row with a text that is no value of the kind."""
        return f"(is_told({self.text}) and as_{self.kind}({self.text}) is null)"

    def expected(self, dialect: Dialect) -> str:
        """What a user would call a value of the kind, written as declared."""
        return dialects.expected(dialect, Column(self.column, TYPES[self.kind]))

    def fault(self, where: str, found: str, count: int, dialect: Dialect) -> Fault:
        found += f" (and {count - 1} more)" if count > 1 else ""
        fix = f"correct the value{DECLARE.get('money' if self.kind == 'number' else TYPES[self.kind], '')}"
        place = f'{where}  column "{self.column}"'
        return Fault("F031", "wrong-type", place, found, self.expected(dialect), fix, level="Q")


def set_unreadable_aside(
    con: duckdb.DuckDBPyConnection, way: TableMap, inputs: Iterable[Input], dialect: Dialect
) -> list[Fault]:
    """Take the rows of which the way could not read a value out of its files, into `set_aside."SOURCE.STEM"`, and count them."""
    found = list(inputs)
    columns = {one.stem: delivered_columns(con, f'"{one.stem}"') for one in found}
    asked = conversions(way, columns)
    faults = []
    for one in found:
        if asked[one.stem]:
            faults += _judged(con, one, asked[one.stem], dialect)
    return faults


def conversions(way: TableMap, columns: dict[str, list[str]]) -> dict[str, list[Conversion]]:
    """By file what the way makes of columns of that file alone. A column that is of no file by its name is of all that have it."""
    found: dict[str, dict[Conversion, None]] = {stem: {} for stem in columns}
    named = {alias: stem for stem, alias in RELATION.findall(way.sql) if stem in columns}
    for sql in (way.sql, *way.expressions.values()):
        for kind, text in _calls(sql):
            files = {named[alias] for alias in QUALIFIER.findall(text) if alias in named} or set(columns)
            bare = QUALIFIER.sub("", text)
            for stem in files:
                known = {column.casefold() for column in columns[stem]}
                if (read := _columns(bare)) and {column.casefold() for column in read} <= known:
                    found[stem][Conversion(kind, bare)] = None
    return {stem: list(each) for stem, each in found.items()}


def _calls(sql: str) -> Iterator[tuple[str, str]]:
    """Every conversion of a query: its kind, and what stands between its brackets."""
    for call in CALL.finditer(sql):
        depth, end = 1, call.end()
        while depth and end < len(sql):
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        yield call[1], sql[call.end() : end - 1]


def _columns(text: str) -> list[str]:
    return [word for word in WORD.findall(text) if word[0] != "'" and word not in ("coalesce", "param")]


def _judged(con: duckdb.DuckDBPyConnection, one: Input, asked: list[Conversion], dialect: Dialect) -> list[Fault]:
    """One query over the file for all its conversions; its rows are touched only where any cannot be read."""
    texts = ", ".join(
        f"{c.text} as _text{i}" for i, c in enumerate(asked)
    )  # each is worked out once: it may be cut out of JSON
    parts = ", ".join(
        f"count(*) filter (where {wrong}), min(_row) filter (where {wrong}), "
        f"count(*) filter (where {dialects.stands_for_blank(dialect, f'_text{i}')})"
        for i, wrong in enumerate(Conversion(c.kind, f"_text{i}").is_unreadable for i, c in enumerate(asked))
    )
    counts = con.execute(f'select {parts} from (select _row, {texts} from "{one.stem}")').fetchall()[0]
    faults, wrong = list[Fault](), list[Conversion]()
    for place, conversion in enumerate(asked):
        count, row, blank = counts[3 * place : 3 * place + 3]
        where = f'{one.file.label}  column "{conversion.column}"'
        if count:
            whole = SLICE.sub("", conversion.text)
            (found,) = con.execute(f'select {whole} from "{one.stem}" where _row = ?', [row]).fetchall()[0]
            told = conversion.fault(one.file.place(row), found, count, dialect)
            faults += [told] if told.where not in {fault.where for fault in faults} else []
            wrong.append(conversion)
        if blank:
            faults.append(checks.taken_as_blank(where, blank, conversion.expected(dialect)))
        if conversion.kind == "number" and one.file.is_text:
            faults += checks.unclear_marks_of(con, f'"{one.stem}"', conversion.text, where, dialect)
    if one.file.is_text:
        moments = {c.column: c.text for c in asked if c.kind == "moment"}
        faults += checks.mixed_zones_of(con, f'"{one.stem}"', moments, one.file.label, dialect)
    if wrong:
        one.file.unreadable += _set_aside(con, one, wrong)
    return faults


def _set_aside(con: duckdb.DuckDBPyConnection, one: Input, wrong: list[Conversion]) -> int:
    columns = {c.column: [o.is_unreadable for o in wrong if o.column == c.column] for c in wrong}
    why = ", ".join(
        f"case when {' or '.join(is_any)} then {quoted(f'F031 {name}')} end" for name, is_any in columns.items()
    )
    any_of = " or ".join(c.is_unreadable for c in wrong)
    rows = f'select *, list_filter([{why}], lambda x: x is not null) as _why from "{one.stem}" where {any_of}'
    con.execute(f'create table if not exists set_aside."{one.key}" as {rows} limit 0')
    con.execute(f'insert into set_aside."{one.key}" {rows}; delete from "{one.stem}" where {any_of}')
    (count,) = con.execute(f'select count(*) from set_aside."{one.key}"').fetchall()[0]
    return int(count) - one.file.unreadable


def keep_set_aside(con: duckdb.DuckDBPyConnection, place: Path, inputs: Iterable[Input], read_whole: set[str]) -> None:
    """PLACE/SOURCE.STEM.csv for every file that lost rows to its queries; lines that are no rows too, where no table tells them."""
    for one in inputs:
        broken = [] if one.file.label in read_whole else list(one.file.lines_that_are_no_rows())
        if not (broken or one.file.unreadable):
            continue
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        columns = delivered_columns(con, f'set_aside."{one.key}"') if one.file.unreadable else ["_why"]
        rows = con.execute(f'from set_aside."{one.key}" order by _row').fetchall() if one.file.unreadable else []
        with (place / f"{one.key}.csv").open("w", encoding="utf-8", newline="") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(["_where", "_rules", "_line", *columns[:-1]])
            writer.writerows([where, "F011", line] for where, line in broken)
            writer.writerows([one.file.place(row), "; ".join(why), "", *values] for row, *values, why in rows)
