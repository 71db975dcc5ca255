"""Maps: which file and column of a system becomes which canonical table and column. Declarative, never Python.

    [tables.opportunities]
    file = "sales_pipeline"                        # the file's stem
    columns = { opportunity_id = "id" }            # canonical = delivered; same-named columns need no line
    constants = { business_type = "new" }
    values.stage = { Won = "won" }                 # delivered value = canonical value; others stay as they are

or, where rows must be built from several files, one DuckDB query over them, each a table of text named for its stem:

    [tables.opportunity_changes]
    files = ["sales_pipeline"]
    sql = "select … from sales_pipeline"

`columns`, `constants` and `values` then speak of the query's columns. `canonical` is the map of files that already are
canonical tables; any other name is FOLDER/NAME.toml in the company folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from pydantic import Field

from .. import tables
from ..config import Config, read_toml
from ..errors import Fault, UsageError, nearest
from ..settings import Settings
from ..tables import quoted


class _Entry(Settings):
    file: str = ""
    files: list[str] = Field(default_factory=list)
    sql: str = ""
    columns: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)


class _MapFile(Settings):
    tables: dict[str, _Entry]


@dataclass(frozen=True)
class TableMap:
    """How one canonical table comes about: from one file by columns, or from several by a query."""

    name: str
    files: tuple[str, ...]
    sql: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def relation(self) -> str:
        """The file or the query, as SQL, with its rows numbered."""
        if self.sql:
            return f"(select row_number() over () as _row, columns(*)::VARCHAR from ({self.sql}))"
        return f'"{self.files[0]}"'

    def query(self, delivered: list[str]) -> str:
        """SQL giving `_row` and the canonical columns as text, from the columns that the relation has."""
        taken = {*self.columns.values(), *self.columns, *self.constants, "_row"}
        named = [(name, column) for name, column in self.columns.items() if column in delivered]
        named += [(column, column) for column in delivered if column not in taken]
        parts = ["_row", *(self._column(name, column) for name, column in named)]
        parts += [f'{quoted(value)} as "{name}"' for name, value in self.constants.items()]
        return f"select {', '.join(parts)} from {self.relation}"

    def _column(self, canonical: str, delivered: str) -> str:
        table = self.values.get(canonical)
        if not table:
            return f'"{delivered}" as "{canonical}"'
        cases = " ".join(f"when {quoted(old)} then {quoted(new)}" for old, new in table.items())
        return f'case "{delivered}" {cases} else "{delivered}" end as "{canonical}"'


@dataclass(frozen=True)
class Map:
    """The tables that one source may deliver, and the files that must be there."""

    name: str
    tables: dict[str, TableMap]
    needed: frozenset[str]

    @property
    def is_canonical(self) -> bool:
        return self.name == "canonical"

    @property
    def files(self) -> set[str]:
        return {stem for table in self.tables.values() for stem in table.files}


def load_maps(folder: Path, config: Config) -> dict[str, Map]:
    """The map of every source. Raises UsageError listing every unknown map, table, column and key at once."""
    maps, faults = {}, []
    for name, source in config.sources.items():
        unknown = [table for table in source.tables if table not in tables.tables()]
        where = f"{folder / 'abm.toml'}  [sources.{name}] tables"
        faults += [Fault("C11", "unknown-table", where, table, nearest(table, tables.tables()), "correct the name")
                   for table in unknown]  # fmt: skip
        try:
            maps[name] = load_map(folder, source.map, source.tables)
        except UsageError as error:
            faults += error.faults
    if faults:
        raise UsageError(faults)
    return maps


def load_map(folder: Path, name: str, wanted: list[str]) -> Map:
    """The map NAME: `canonical`, of which only the tables wanted must be there, or the file NAME.toml of the company folder."""
    if name == "canonical":
        return Map(name, {table: TableMap(table, (table,)) for table in tables.tables()}, frozenset(wanted))
    path = folder / f"{name}.toml"
    if not path.is_file():
        known = ["canonical", *(p.stem for p in folder.glob("*.toml") if p.stem != "abm")]
        raise UsageError(
            Fault("C11", "no-map", str(path), "no such file", nearest(name, known), "correct `map` in abm.toml")
        )
    entries = read_toml(path, _MapFile).tables
    faults = [fault for table, entry in entries.items() for fault in _entry_faults(path, table, entry)]
    faults += [Fault("C11", "table-not-mapped", str(path), "no map for it", f"a map of {table}, which abm.toml asks for",
                     "add it to the map, or take it out of `tables`") for table in wanted if table not in entries]  # fmt: skip
    if faults:
        raise UsageError(faults)
    found = {table: _table_map(table, entry) for table, entry in entries.items()}
    return Map(name, found, frozenset(stem for table in found.values() for stem in table.files))


def _table_map(table: str, entry: _Entry) -> TableMap:
    files = tuple(entry.files) if entry.sql else (entry.file,)
    return TableMap(table, files, entry.sql, entry.columns, entry.constants, entry.values)


def _entry_faults(path: Path, table: str, entry: _Entry) -> list[Fault]:
    where = f"{path}  [tables.{table}]"
    if table not in tables.tables():
        return [Fault("C11", "unknown-table", where, table, nearest(table, tables.tables()), "correct the name")]
    faults = []
    if bool(entry.file) == bool(entry.sql) or bool(entry.files) != bool(entry.sql):
        given = [key for key in ("file", "files", "sql") if getattr(entry, key)]
        faults.append(Fault("C11", "no-origin", where, " and ".join(given) or "neither", "`file`, or `files` and `sql`",
                            "say where the rows come from"))  # fmt: skip
    columns = tables.tables()[table].columns
    unknown = [name for name in dict.fromkeys((*entry.columns, *entry.constants, *entry.values)) if name not in columns]
    fix = "correct the name"
    faults += [Fault("C11", "unknown-column", where, name, nearest(name, columns), fix) for name in unknown]
    both = entry.columns.keys() & entry.constants.keys()
    faults += [Fault("C11", "column-twice", where, name, "a column or a constant", "keep one") for name in sorted(both)]
    return faults


def delivered_columns(con: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """The columns of a relation but for the row's number."""
    found = con.execute(f"select column_name from (describe select * from {relation})").fetchall()
    return [name for (name,) in found if name != "_row"]
