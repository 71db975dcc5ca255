"""Maps: which file and column of a system becomes which canonical table and column. Declarative, never Python.

    [tables.opportunities]
    file = "sales_pipeline"                              # the file's stem
    columns = { opportunity_id = "id" }                  # canonical = delivered; same-named columns need no line
    expressions = { cost = "as_number(micros) / 1e6" }   # canonical = SQL over the delivered columns, which are text
    constants = { business_type = "new" }
    values.stage = { Won = "won", "*" = "" }             # delivered = canonical; "*" are all others, which else stay

or, where rows must be built from several files, one DuckDB query over them, each a table of text named for its stem:

    [tables.opportunity_changes]
    files = ["sales_pipeline"]
    sql = "select … from sales_pipeline"

`columns`, `expressions`, `constants` and `values` then speak of the query's columns. Where the files of an entry were not
delivered, `[tables.X.otherwise]` counts. `canonical` is the map of files that already are canonical
tables; SYSTEM-SHAPE, such as salesforce-fivetran, one that ships with abm; any other name is FOLDER/NAME.toml in the company
folder, which may say `base = "SYSTEM-SHAPE"` and then holds only what is different.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from .. import tables
from ..config import Config
from ..errors import Fault, UsageError, nearest
from ..source_settings import Source
from ..tables import quoted
from .mapfile import Entry, FileEntry, MapFile, Shape
from .mapfile import load as load_file

OTHERS = "*"  # in `values`: every value that is not named
WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class TableMap:
    """How one canonical table comes about: from one file by columns, or from several by a query."""

    name: str
    files: tuple[str, ...]
    also: tuple[str, ...] = ()
    sql: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    expressions: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    as_now: str = ""
    left_out: dict[str, str] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)

    @property
    def relation(self) -> str:
        """The file or the query, as SQL, with its rows numbered."""
        if self.sql:
            return f"(select row_number() over () as _row, columns(*)::VARCHAR from ({self.sql}))"
        return f'"{self.files[0]}"'

    @property
    def is_plain(self) -> bool:
        """Whether a file's columns are only named and worded anew."""
        return not (self.sql or self.expressions)

    def query(self, delivered: Iterable[str], absent: Iterable[str] = (), schema: str = "") -> str:
        """SQL giving `_row` and the canonical columns as text, from the columns that the relation has; in SCHEMA, if a file.

        `absent` are columns that the map knows and nobody delivered: what is made of them alone is not there.
        """
        there, gone = [column for column in delivered if column not in absent], set(absent)
        taken = {*self.columns.values(), *self.columns, *self.expressions, *self.constants, "_row"}
        named = [(name, tables.quoted_name(column)) for name, column in self.columns.items() if column in there]
        named += [(name, f"({sql})::VARCHAR") for name, sql in self.expressions.items() if not _is_of(sql, gone, there)]
        named += [(column, tables.quoted_name(column)) for column in there if column not in taken]
        parts = ["_row", *(f"{self._translated(name, sql)} as {tables.quoted_name(name)}" for name, sql in named)]
        parts += [f'{quoted(value)} as "{name}"' for name, value in self.constants.items()]
        return f"select {', '.join(parts)} from {schema if not self.sql else ''}{self.relation}"

    def _translated(self, canonical: str, sql: str) -> str:
        table = self.values.get(canonical)
        if not table:
            return sql
        cases = " ".join(f"when {quoted(old)} then {_or_null(new)}" for old, new in table.items() if old != OTHERS)
        others = _or_null(table[OTHERS]) if OTHERS in table else sql
        return f"case {sql} {cases} else {others} end" if cases else others


def _or_null(text: str) -> str:
    return quoted(text) if text else "NULL"


def _is_of(sql: str, absent: set[str], there: list[str]) -> bool:
    """Whether an expression reads absent columns and no delivered one."""
    words = set(WORD.findall(sql))
    return bool(words & absent) and not words & set(there)


@dataclass(frozen=True)
class Map:
    """The tables that one source may deliver, each with the ways in which it comes about, and the files that must be there."""

    name: str
    tables: dict[str, tuple[TableMap, ...]]
    needed: frozenset[str]
    files: dict[str, FileEntry] = field(default_factory=dict)
    shape: Shape = field(default_factory=Shape)
    ids: str = ""
    title: str = ""
    is_shipped: bool = False
    look_back_days: int = 0

    @property
    def is_canonical(self) -> bool:
        return self.name == "canonical"

    @property
    def wanted(self) -> dict[str, list[str]]:
        """Every file that the map reads, with its other names."""
        stems = {s for ways in self.tables.values() for way in ways for s in (*way.files, *way.also)}
        return {
            stem: self.files[stem].names if stem in self.files else [] for stem in sorted(stems | self.files.keys())
        }


def load_maps(folder: Path, config: Config) -> dict[str, Map]:
    """The map of every source. Raises UsageError listing every unknown map, table, column and key at once."""
    maps, faults = {}, []
    for name, source in config.sources.items():
        unknown = [table for table in source.tables if table not in tables.tables()]
        where = f"{folder / 'abm.toml'}  [sources.{name}] tables"
        faults += [Fault("C11", "unknown-table", where, table, nearest(table, tables.tables()), "correct the name")
                   for table in unknown]  # fmt: skip
        try:
            maps[name] = found = load_map(folder, source.map, source.tables)
            faults += [Fault("C11", "unknown-file", f"{folder / 'abm.toml'}  [sources.{name}] {key}", stem,
                             nearest(stem, found.wanted), "correct the name of the table")
                       for key, stems in _named_files(source).items() for stem in stems if stem not in found.wanted]  # fmt: skip
        except UsageError as error:
            faults += error.faults
    if faults:
        raise UsageError(faults)
    return maps


def _named_files(source: Source) -> dict[str, Iterable[str]]:
    """Every key of abm.toml that names tables of the source's map, with the names."""
    lists = source.rest.resources if source.rest else ()
    return {"files": source.files, "queries": source.queries, "dialects": source.dialects, "rest.resources": lists}


def load_map(folder: Path, name: str, wanted: list[str]) -> Map:
    """The map NAME: `canonical`, one that ships with abm, or the file NAME.toml of the company folder.

    Of a map of the company's own every file must be there, of the others only those of the tables `wanted`.
    """
    if name == "canonical":
        return Map(name, {table: (TableMap(table, (table,)),) for table in tables.tables()}, frozenset(wanted))
    written, shape, is_shipped = load_file(folder, name)
    where = str(folder / f"{name}.toml")
    faults = [fault for table in written.tables for fault in _table_faults(where, table, written)]
    faults += [Fault("C11", "table-not-mapped", where, "no map for it", f"a map of {table}, which abm.toml asks for",
                     "add it to the map, or take it out of `tables`") for table in wanted if table not in written.tables]  # fmt: skip
    if shape.reason:
        faults.append(
            Fault("C11", "map-not-supported", where, name, shape.reason, "deliver the system in another shape")
        )
    if faults:
        raise UsageError(faults)
    found = {table: tuple(_table_map(table, entry) for entry in written.entries(table)) for table in written.tables}
    asked = {table: found[table] for table in wanted} if is_shipped else found
    needed = frozenset(stem for ways in asked.values() if len(ways) == 1 for stem in ways[0].files)
    return Map(
        name, found, needed, written.files, shape, written.ids, written.title, is_shipped, written.look_back_days
    )


def _table_map(table: str, entry: Entry) -> TableMap:
    files = tuple(entry.files) if entry.sql else (entry.file,)
    return TableMap(table, files, tuple(entry.also), entry.sql, entry.columns, entry.expressions, entry.constants,
                    entry.values, entry.as_now, entry.left_out, entry.told)  # fmt: skip


def _table_faults(path: str, table: str, written: MapFile) -> list[Fault]:
    where = f"{path}  [tables.{table}]"
    if table not in tables.tables():
        return [Fault("C11", "unknown-table", where, table, nearest(table, tables.tables()), "correct the name")]
    return [fault for entry in written.entries(table) for fault in _entry_faults(where, table, entry)]


def _entry_faults(where: str, table: str, entry: Entry) -> list[Fault]:
    faults = []
    if bool(entry.file) == bool(entry.sql) or bool(entry.files) != bool(entry.sql):
        given = [key for key in ("file", "files", "sql") if getattr(entry, key)]
        faults.append(Fault("C11", "no-origin", where, " and ".join(given) or "neither", "`file`, or `files` and `sql`",
                            "say where the rows come from"))  # fmt: skip
    columns, given_as = tables.tables()[table].columns, (entry.columns, entry.expressions, entry.constants)
    named = [name for part in given_as for name in part]
    unknown = [name for name in dict.fromkeys((*named, *entry.values)) if name not in columns]
    fix = "correct the name"
    faults += [Fault("C11", "unknown-column", where, name, nearest(name, columns), fix) for name in unknown]
    both = sorted({name for name in named if named.count(name) > 1})
    faults += [
        Fault("C11", "column-twice", where, name, "a column, an expression or a constant", "keep one") for name in both
    ]
    return faults


def delivered_columns(con: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """The columns of a relation but for the row's number."""
    found = con.execute(f"select column_name from (describe select * from {relation})").fetchall()
    return [name for (name,) in found if name != "_row"]
