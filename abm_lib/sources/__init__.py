"""From a company's files to canonical tables in one DuckDB connection.

mapping.py   which file and column becomes which canonical one
reading.py   a file as text, line by line
suspects.py  files that only look like a table
checks.py    what can be judged only when every table is there
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from .. import tables
from ..config import Config
from ..errors import Fault, printable
from ..tables import Accepted
from . import checks
from .mapping import Map, TableMap, delivered_columns
from .reading import File, delivered_files, read_file


@dataclass
class Delivery:
    """What was read: a report and the file per canonical table (none for a query), every file, and all faults."""

    reports: dict[str, Accepted] = field(default_factory=dict)
    origins: dict[str, File | None] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_refused(self) -> bool:
        return any(fault.level == "E" for fault in self.faults)


def read(con: duckdb.DuckDBPyConnection, config: Config, folder: Path, maps: dict[str, Map]) -> Delivery:
    """Read every source of the company into `canonical.*`, and the rows left out into `set_aside.*`.

    Every fault of the run is in the delivery, those of level E too: the caller refuses it.
    """
    delivery = Delivery()
    for schema in ("raw", "canonical", "set_aside"):
        con.execute(f"create schema if not exists {schema}")
    for name, mapping in maps.items():
        files = _read_files(con, mapping, folder, config.sources[name].folder, delivery)
        for table in mapping.tables.values():
            if set(table.files) <= files.keys():
                _accept(con, mapping, table, name, files, delivery)
    read_whole = [file.label for file in delivery.origins.values() if file]
    queried = [file for label, file in delivery.files.items() if file.is_sound and label not in read_whole]
    delivery.faults += checks.losses(config, delivery.reports.values(), queried)
    sound = {name for name, report in delivery.reports.items() if not any(f.level == "E" for f in report.faults)}
    delivery.faults += checks.references(con, config, sound)
    delivery.faults += checks.overlaps(con, sound)
    delivery.faults += checks.stages(con, config, sound)
    return delivery


def _read_files(
    con: duckdb.DuckDBPyConnection, mapping: Map, folder: Path, place: str, delivery: Delivery
) -> dict[str, File]:
    """The source's files as tables of text named for their stems; in messages they are named against the company folder."""
    known = sorted(mapping.files)
    found = delivered_files(folder / place, known, mapping.needed, place, delivery.faults)
    if mapping.is_canonical and (folder / place).is_dir():
        delivery.faults += checks.strays(folder / place, place, known)
    files = {stem: read_file(con, stem, path, (Path(place) / path.name).as_posix()) for stem, path in found.items()}
    for stem, file in files.items():
        delivery.files[file.label] = file
        delivery.faults += file.faults + checks.no_rows(file, stem in mapping.needed)
    return files


def _accept(
    con: duckdb.DuckDBPyConnection,
    mapping: Map,
    table: TableMap,
    source: str,
    files: dict[str, File],
    delivery: Delivery,
) -> None:
    if not all(files[stem].is_sound for stem in table.files):
        return  # said already, and its rows are not there to be judged
    file = None if table.sql else files[table.files[0]]
    where = file.label if file else f"{source}  the query of {table.name}"
    if table.name in delivery.reports:
        found, fix = f"another source delivers {table.name} too", "keep one, or join them in a map by one query"
        delivery.faults.append(Fault("C11", "table-twice", where, found, "one source for each table", fix))
        return
    try:
        delivered = _raw_table(con, table)
    except duckdb.Error as error:
        delivery.faults.append(_query_fault(where, error))
        return
    report = tables.accept(con, table.name, where, file.place if file else lambda row: f"{where}, row {row}")
    report.faults += checks.unmapped(table, where, delivered)
    if mapping.is_canonical:
        report.faults += checks.near_misses(where, report)
    if file:
        report.read += len(file.broken)
        report.set_aside += len(file.broken)
    delivery.reports[table.name], delivery.origins[table.name] = report, file
    delivery.faults += report.faults


def _raw_table(con: duckdb.DuckDBPyConnection, table: TableMap) -> list[str]:
    """Make `raw.NAME` by the map; returns the columns that were delivered for it."""
    delivered = delivered_columns(con, table.relation)
    con.execute(f'create or replace table raw."{table.name}" as {table.query(delivered)}')
    return delivered


def _query_fault(where: str, error: duckdb.Error) -> Fault:
    """A query that failed. Where it failed on a value, the value stays unsaid: it may name a person."""
    on_value = isinstance(error, duckdb.DataError)
    found = "a value that it cannot turn into another type" if on_value else printable(str(error).splitlines()[0])
    return Fault("C10", "map-query", where, found, "a query over the source's files", "correct the query in the map")


def keep_set_aside(con: duckdb.DuckDBPyConnection, place: Path, delivery: Delivery) -> None:
    """PLACE/TABLE.csv for every table that lost rows: where each stood, the rules it broke, and what it held.

    Lines that are no rows stand first, as text. Files of an earlier run are removed.
    """
    for old in place.glob("*.csv"):
        old.unlink()
    for name in [name for name, report in delivery.reports.items() if report.set_aside]:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        file, columns = delivery.origins[name], delivered_columns(con, f'raw."{name}"')
        with (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(["_where", "_rules", "_line", *columns])
            for line, _, broken in file.broken if file else ():
                writer.writerow([f"{file.label if file else name}:{line}", "F011", broken])
            for row, why, *values in _rows_set_aside(con, name, columns):
                writer.writerow([file.place(row) if file else f"row {row}", "; ".join(why), "", *values])


def _rows_set_aside(con: duckdb.DuckDBPyConnection, name: str, columns: list[str]) -> list[tuple[Any, ...]]:
    known = "select 1 from duckdb_tables() where schema_name = 'set_aside' and table_name = ?"
    if not con.execute(known, [name]).fetchall():
        return []
    listed = "".join(f', r."{column}"' for column in columns)
    query = f'select a._row, a._why{listed} from set_aside."{name}" a join raw."{name}" r using (_row) order by a._row'
    return con.execute(query).fetchall()
