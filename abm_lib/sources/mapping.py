"""Maps: which file and column of a system becomes which canonical table and column. Declarative, never Python.

    [tables.opportunities]
    file = "sales_pipeline"                        # the file's stem
    columns = { opportunity_id = "id" }            # canonical = delivered; same-named columns need no line
    constants = { business_type = "new" }
    values.stage = { Won = "won" }                 # delivered value = canonical value; others stay as they are

or, where rows must be built from several files, one DuckDB query over them, each a view named for its stem:

    [tables.opportunity_changes]
    files = ["sales_pipeline"]
    sql = "select … from sales_pipeline"

`canonical` is the map of files that already are canonical tables. Any other name is FOLDER/NAME.toml in the company folder.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from pydantic import BaseModel, ConfigDict, ValidationError

from .. import tables
from ..errors import Fault, UsageError, nearest
from ..tables import quoted


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    file: str = ""
    files: list[str] = []
    sql: str = ""
    columns: dict[str, str] = {}
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}


@dataclass
class TableMap:
    """How one canonical table comes about: from one file by columns, or from several by a query."""

    name: str
    file: str
    files: list[str]
    sql: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)

    def query(self, con: duckdb.DuckDBPyConnection) -> str:
        """SQL giving `_row` and the canonical columns as text."""
        if self.sql:
            return f"select row_number() over () as _row, columns(*)::VARCHAR from ({self.sql})"
        delivered = [c for (c,) in con.execute(f'select column_name from (describe "{self.file}")').fetchall()]
        renamed = {name: canonical for canonical, name in self.columns.items()}
        parts = ["_row"] if "_row" in delivered else []
        parts += [self._column(renamed.get(c, c), c) for c in delivered if c != "_row"]
        parts += [f'{quoted(value)} as "{name}"' for name, value in self.constants.items()]
        return f'select {", ".join(parts)} from "{self.file}"'

    def _column(self, canonical: str, delivered: str) -> str:
        table = self.values.get(canonical)
        if not table:
            return f'"{delivered}" as "{canonical}"'
        cases = " ".join(f"when {quoted(old)} then {quoted(new)}" for old, new in table.items())
        return f'case "{delivered}" {cases} else "{delivered}" end as "{canonical}"'


@dataclass
class Map:
    """The tables that one source delivers."""

    name: str
    tables: dict[str, TableMap]

    def needed_files(self, wanted: list[str]) -> set[str]:
        """The files that must be there: all that a map names; for the canonical map those that abm.toml lists."""
        if self.name == "canonical":
            return set(wanted)
        return self.all_files()

    def all_files(self) -> set[str]:
        return {stem for table in self.tables.values() for stem in table.files}


def load_map(folder: Path, name: str) -> Map:
    """The map NAME: `canonical`, or the file NAME.toml of the company folder.

    Raises UsageError listing every unknown table, column and key.
    """
    if name == "canonical":
        return Map(name, {table: TableMap(table, file=table, files=[table]) for table in tables.tables()})
    path = folder / f"{name}.toml"
    if not path.is_file():
        known = ["canonical", *(p.stem for p in folder.glob("*.toml") if p.stem != "abm")]
        raise UsageError(
            Fault("C11", "no-map", str(path), "no such map", nearest(name, known), "correct `map` in abm.toml")
        )
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(Fault("C11", "not-toml", str(path), str(error), "TOML", "mend the line named")) from None
    faults: list[Fault] = []
    found = {table: _table_map(path, table, entry, faults) for table, entry in text.get("tables", {}).items()}
    if faults:
        raise UsageError(faults)
    return Map(name, {table: entry for table, entry in found.items() if entry})


def _table_map(path: Path, table: str, entry: dict[str, Any], faults: list[Fault]) -> TableMap | None:
    where = f"{path}  [tables.{table}]"
    if table not in tables.tables():
        faults.append(Fault("C11", "unknown-table", where, table, nearest(table, tables.tables()), "correct the name"))
        return None
    try:
        read = _Entry.model_validate(entry)
    except ValidationError as error:
        for item in error.errors():
            key = ".".join(str(part) for part in item["loc"])
            faults.append(Fault("C11", "wrong-key", where, key, nearest(key, _Entry.model_fields), "correct the key"))
        return None
    columns = tables.tables()[table].columns
    for name in [c for c in (*read.columns, *read.constants, *read.values) if c not in columns]:
        faults.append(Fault("C11", "unknown-column", where, name, nearest(name, columns), "correct the name"))
    return TableMap(
        table, read.file, read.files or [read.file], read.sql, read.columns, read.constants, read.values
    )  # fmt: skip
