"""A delivered file as a text table: every value as it stands, every line accounted for."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import duckdb

from ..errors import Fault, nearest, printable
from ..tables import quoted
from .mapping import Map


def delivered_files(mapping: Map, place: Path, wanted: list[str], faults: list[Fault]) -> dict[str, Path]:
    """The files of a source by stem. A file that the map or abm.toml names and that is not there is a fault."""
    if not place.is_dir():
        faults.append(
            Fault("F105", "folder-missing", str(place), "no such folder", "the folder named in abm.toml", "correct it")
        )
        return {}
    there = {path.stem: path for path in sorted(place.iterdir()) if path.suffix in (".csv", ".parquet")}
    needed = mapping.needed_files(wanted)
    for stem in sorted(needed - set(there)):
        faults.append(
            Fault("F105", "file-missing", str(place / f"{stem}.csv"), f"no such file; {nearest(stem, there)}",
                  f"the file that the map reads as {stem}", "deliver the file, or take it out of the map")
        )  # fmt: skip
    return {stem: there[stem] for stem in mapping.all_files() if stem in there}


def read_file(con: duckdb.DuckDBPyConnection, stem: str, path: Path, faults: list[Fault]) -> dict[str, object]:
    """Make the view STEM over the file, all columns text with blanks as NULL, and `_row` counting from 1.

    Returns the file's sha256, bytes and rows. A file that cannot be read adds a fault and makes an empty view.
    """
    try:
        rows = _parquet(con, stem, path) if path.suffix == ".parquet" else _csv(con, stem, path, faults)
    except (duckdb.Error, UnicodeDecodeError, csv.Error, StopIteration) as error:
        faults.append(
            Fault("F007", "file-unreadable", str(path), printable(str(error).splitlines()[0] if str(error) else "empty"),
                  "a UTF-8 CSV file with a header line, or Parquet", "export the file again")
        )  # fmt: skip
        con.execute(f'create or replace view "{stem}" as select 1::bigint as _row where false')
        rows = 0
    return {"sha256": sha256(path), "bytes": path.stat().st_size, "rows": rows}


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _csv(con: duckdb.DuckDBPyConnection, stem: str, path: Path, faults: list[Fault]) -> int:
    """Read with DuckDB's reader; lines of a wrong length come back as faults with their number."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file))
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        faults.append(
            Fault("F012", "header-twice", f"{path}:1", ", ".join(twice), "each column once", "rename the second one")
        )
        header = [f"{name}.{i}" if header.index(name) < i else name for i, name in enumerate(header)]
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in header)
    con.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    con.execute(
        f'create or replace table "{stem}" as select row_number() over () as _row, * from read_csv({quoted(str(path))}, '
        f"columns = {{{columns}}}, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
        "nullstr = '', store_rejects = true, rejects_table = 'reject_errors', rejects_scan = 'reject_scans')"
    )
    rejected = con.execute(
        "select line, error_type, count(*) over () from reject_errors order by line limit 1"
    ).fetchall()
    for number, kind, count in rejected:
        faults.append(
            Fault("F011", "line-broken", f"{path}:{number}", f"{kind.lower()} ({count} lines)",
                  f"{len(header)} values in a line", "mend the line, or export the file again")
        )  # fmt: skip
    return int(con.execute(f'select count(*) from "{stem}"').fetchall()[0][0])


def _parquet(con: duckdb.DuckDBPyConnection, stem: str, path: Path) -> int:
    names = [row[0] for row in con.execute(f"describe select * from read_parquet({quoted(str(path))})").fetchall()]
    text = ", ".join(f'"{name}"::VARCHAR as "{name}"' for name in names)
    con.execute(
        f'create or replace table "{stem}" as select row_number() over () as _row, {text} '
        f"from read_parquet({quoted(str(path))})"
    )
    return int(con.execute(f'select count(*) from "{stem}"').fetchall()[0][0])
