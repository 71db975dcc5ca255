"""From a company's files to canonical tables in one DuckDB connection.

mapping.py says which file and column becomes which canonical one; reading.py reads a file as text, line by line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from .. import tables
from ..config import Config
from ..errors import Fault, InputRefused, printable
from ..tables import Accepted
from .mapping import Map, TableMap, load_map
from .reading import delivered_files, read_file


@dataclass
class Delivery:
    """What was read: a report per canonical table, the files with their hashes, and the faults that refuse nothing."""

    reports: dict[str, Accepted] = field(default_factory=dict)
    files: dict[str, dict[str, object]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read(con: duckdb.DuckDBPyConnection, config: Config, folder: Path) -> Delivery:
    """Read every source of the company into `canonical.*`, and the rows left out into `set_aside.*`.

    Raises InputRefused with every fault of the run: missing files and columns, and tables of which more rows were set
    aside, or more references left unmatched, than abm.toml allows.
    """
    delivery = Delivery()
    for schema in ("raw", "canonical", "set_aside"):
        con.execute(f"create schema if not exists {schema}")
    for name, source in config.sources.items():
        mapping = load_map(folder, source.map)
        place = folder / source.folder
        delivery.files |= read_files(con, mapping, place, source.tables, delivery.faults)
        for table in mapping.tables:
            _accept(con, mapping.tables[table], place, name, delivery)
    delivery.faults += _thresholds(con, config, delivery)
    if any(fault.level == "E" for fault in delivery.faults):
        raise InputRefused(delivery.faults)
    return delivery


def read_files(
    con: duckdb.DuckDBPyConnection, mapping: Map, place: Path, wanted: list[str], faults: list[Fault]
) -> dict[str, dict[str, object]]:
    """Read the source's files as text views named for their stems; keep in the map only the tables that were delivered."""
    files = delivered_files(mapping, place, wanted, faults)
    described = {}
    for stem, path in files.items():
        described[path.name] = read_file(con, stem, path, faults)
    for name in [n for n, t in mapping.tables.items() if not set(t.files) <= set(files)]:
        del mapping.tables[name]
    return described


def _accept(con: duckdb.DuckDBPyConnection, table: TableMap, place: Path, source: str, delivery: Delivery) -> None:
    where = str(place / table.file) if table.file else f"{source}: the query of {table.name}"
    try:
        con.execute(f'create or replace table raw."{table.name}" as {table.query(con)}')
    except duckdb.Error as error:
        delivery.faults.append(
            Fault("C10", "map-query", f"{source}  table {table.name}", printable(error), "a query over the source's files",
                  "correct the map")
        )  # fmt: skip
        return
    report = tables.accept(con, table.name, where)
    delivery.reports[table.name] = report
    delivery.faults += report.faults


def _thresholds(con: duckdb.DuckDBPyConnection, config: Config, delivery: Delivery) -> list[Fault]:
    """Refuse a table that lost too many rows, or whose references lead nowhere too often; name every loss."""
    limit, faults = config.thresholds.set_aside_share, []
    for report in delivery.reports.values():
        if report.set_aside > limit * report.read:
            faults.append(
                Fault("F092", "too-many-set-aside", f"table {report.table}",
                      f"{report.set_aside} of {report.read} rows set aside", f"at most {limit:.1%}",
                      "mend the rows listed above, or raise thresholds.set_aside_share in abm.toml")
            )  # fmt: skip
    present = {name for name, report in delivery.reports.items() if not any(f.level == "E" for f in report.faults)}
    limit = config.thresholds.unmatched_share
    for name, column, unmatched, filled, example in tables.references(con, present):
        shown = "an id that names a person" if column.personal else example
        faults.append(
            Fault("F081", "reference-unmatched", f'table {name}  column "{column.name}"',
                  f"{unmatched} of {filled} lead to no row of {column.references}, such as {shown}",
                  f"a key of {column.references}",
                  f"deliver the missing {column.references}, or raise thresholds.unmatched_share in abm.toml",
                  level="E" if unmatched > limit * filled else "D")
        )  # fmt: skip
    return faults
