"""A delivered file as a text table: every value as it stands, every line accounted for."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import duckdb

from ..errors import Fault, nearest, printable
from ..tables import quoted
from . import suspects

csv.field_size_limit(2**31 - 1)  # a field that a quote left open may hold the rest of the file
WORDS = {"MISSING COLUMNS": "too few values", "TOO MANY COLUMNS": "too many values", "UNQUOTED VALUE": "a quote inside a value",
         "INVALID ENCODING": "not UTF-8; perhaps Windows-1252", "LINE SIZE OVER MAXIMUM": "more than 2 MB"}  # fmt: skip


@dataclass
class File:
    """One delivered file: rows read, and the lines that are none (line, what is wrong with it, its text)."""

    path: Path
    label: str
    rows: int = 0
    width: int = 0
    broken: list[tuple[int, str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def described(self) -> dict[str, object]:
        return {"sha256": sha256(self.path), "bytes": self.path.stat().st_size, "rows": self.rows}

    @property
    def is_sound(self) -> bool:
        return all(fault.level != "E" for fault in self.faults)

    def place(self, row: int) -> str:
        """Where a row, counted from 1, stands in the file."""
        if self.path.suffix == ".parquet" or row > len(self._lines):
            return f"{self.label} row {row}"
        return f"{self.label}:{self._lines[row - 1]}"

    @cached_property
    def _lines(self) -> list[int]:
        """The line on which each row read begins; quoted fields may span lines, broken and blank lines are no rows."""
        broken, lines = {line for line, _, _ in self.broken}, []
        with self.path.open(encoding="latin-1", newline="") as file:
            records = csv.reader(file)
            begins = 1
            for number, record in enumerate(records):
                if number and (record or self.width == 1) and begins not in broken:
                    lines.append(begins)
                begins = records.line_num + 1
        return lines


def delivered_files(
    place: Path, known: Iterable[str], needed: Iterable[str], label: str, faults: list[Fault]
) -> dict[str, Path]:
    """The files of a source by stem. A file that is needed and not there, or there in two forms, is a fault."""
    if not place.is_dir():
        faults.append(
            Fault("F105", "folder-missing", label, "no such folder", "the folder of the source's files",
                  "correct `folder` in abm.toml")
        )  # fmt: skip
        return {}
    there: dict[str, Path] = {}
    for path in sorted(place.iterdir()):
        if path.suffix in (".csv", ".parquet") and path.stem in there:
            faults.append(Fault("F025", "file-twice", f"{label}/{path.name}", f"{there[path.stem].name} is there too",
                                "one file for each table", "take one of them away"))  # fmt: skip
        if path.suffix in (".csv", ".parquet"):
            there.setdefault(path.stem, path)
    for stem in sorted(set(needed) - set(there)):
        faults.append(
            Fault("F105", "file-missing", f"{label}/{stem}.csv", f"no such file; {nearest(stem, there)}", f"the file {stem}",
                  "deliver the file, or correct the map or abm.toml that asks for it")
        )  # fmt: skip
    return {stem: there[stem] for stem in known if stem in there}


def read_file(con: duckdb.DuckDBPyConnection, stem: str, path: Path, label: str) -> File:
    """Make the table STEM of the file's rows, all columns text with blanks as NULL, and `_row` counting from 1.

    A file that cannot be read has a fault of level E and makes an empty table.
    """
    file, before = File(path, label), path.stat()
    try:
        _parquet(con, stem, path) if path.suffix == ".parquet" else _csv(con, stem, file)
    except duckdb.Error as error:
        file.faults.append(suspects.unreadable(path, label, error))
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        file.faults.append(suspects.fault("F027", "still-changing", label, "it changed while it was read"))
    if not file.is_sound:
        con.execute(f'create or replace table "{stem}" as select 1::bigint as _row where false')
    file.rows = int(con.execute(f'select count(*) from "{stem}"').fetchall()[0][0])
    return file


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _csv(con: duckdb.DuckDBPyConnection, stem: str, file: File) -> None:
    """Read with DuckDB's reader; lines that are no rows are kept aside with their number."""
    file.faults += suspects.no_csv(file.path, file.label)
    if file.faults:
        return
    with file.path.open(encoding="utf-8-sig", newline="", errors="surrogateescape") as text:
        header = next(csv.reader(text))
    file.faults += suspects.header_faults(header, file.label)
    if file.faults:
        return
    file.width = len(header)
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in header)
    con.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    con.execute(
        f'create or replace table "{stem}" as select row_number() over () as _row, * from read_csv({quoted(str(file.path))}, '
        f"columns = {{{columns}}}, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
        "nullstr = '', store_rejects = true, rejects_table = 'reject_errors', rejects_scan = 'reject_scans')"
    )
    _keep_broken(con, file)


def _keep_broken(con: duckdb.DuckDBPyConnection, file: File) -> None:
    """The lines that DuckDB rejected, with the line each begins on; one fault for each kind, with the first line and the count."""
    rejected = con.execute(
        "select line_byte_position - 1 + len(csv_line) - len(ltrim(csv_line, chr(13) || chr(10))), min(error_type::varchar), "
        "any_value(trim(csv_line, chr(13) || chr(10))) from reject_errors group by all order by 1"
    ).fetchall()  # a rejected line may begin with the blank ones before it
    numbers = suspects.lines_at(file.path, [byte for byte, _, _ in rejected])
    file.broken = [(number, kind, text) for number, (_, kind, text) in zip(numbers, rejected, strict=True)]
    for wanted in dict.fromkeys(kind for _, kind, _ in file.broken):
        lines = [(number, text) for number, kind, text in file.broken if kind == wanted]
        number, text = lines[0]
        found = WORDS.get(wanted, printable(wanted.lower())) + (
            f" (and {len(lines) - 1} more lines)" if lines[1:] else ""
        )
        fault = Fault("F011", "line-broken", f"{file.label}:{number}", found, f"{file.width} values in UTF-8",
                      "correct the line, or export the file again", level="Q")  # fmt: skip
        if wanted == "UNQUOTED VALUE" and (swallowed := text.count("\n")):
            found = f"a quote is opened and not closed; it takes {swallowed} more lines"
            fault = replace(fault, rule="F010", name="quote-open", found=found, level="E")
        file.faults.append(fault)


def _parquet(con: duckdb.DuckDBPyConnection, stem: str, path: Path) -> None:
    names = [row[0] for row in con.execute(f"describe select * from read_parquet({quoted(str(path))})").fetchall()]
    text = ", ".join(f'nullif("{name}"::VARCHAR, \'\') as "{name}"' for name in names)
    con.execute(
        f'create or replace table "{stem}" as select row_number() over () as _row, {text} '
        f"from read_parquet({quoted(str(path))})"
    )
