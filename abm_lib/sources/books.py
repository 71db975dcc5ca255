"""Workbooks: one declared sheet of an .xlsx file, row by row. Nothing is unpacked that is too large to be a table."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import Fault, nearest
from . import suspects

SUFFIX = ".xlsx"
LARGEST = 1_000_000_000  # bytes once unpacked


@dataclass
class Sheet:
    """What a sheet holds: its column names, rows with their numbers in the sheet, and rows with a cell in error."""

    header: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    broken: list[tuple[int, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read(path: Path, label: str, sheet: str, marker: str) -> Sheet:
    """The sheet; dates are those of the workbook's own calendar. Its header is the row that holds `marker`, else the first."""
    if refused := _refused(path, label):
        return Sheet(faults=[refused])
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    try:
        names = book.sheetnames
        if sheet not in names:
            found = f"no sheet {sheet!r}; {nearest(sheet, names)}" if sheet else f"no sheet named; {nearest('', names)}"
            fix = 'name it in abm.toml: files.TABLE = "BOOK.xlsx#SHEET"'
            return Sheet(faults=[suspects.fault("F020", "no-sheet", label, found, "one sheet of the workbook", fix)])
        return _read(book[sheet], label, marker)
    finally:
        book.close()


def _read(sheet: Any, label: str, marker: str) -> Sheet:
    found, wanted = Sheet(), suspects.folded(marker)
    for number, cells in enumerate(sheet.iter_rows(), 1):
        values = [cell.value for cell in cells]
        if not found.header:
            if any(v not in (None, "") for v in values) and (not wanted or wanted in map(suspects.folded, values)):
                while values and values[-1] in (None, ""):
                    values.pop()
                found.header = ["" if value is None else str(value) for value in values]
                found.faults += suspects.header_faults(found.header, f"{label} row {number}")
            continue
        row = values[: len(found.header)] + [None] * (len(found.header) - len(values))
        if any(cell.data_type == "e" for cell in cells):
            found.broken.append((number, ", ".join("" if v is None else str(v) for v in row)))
        elif any(v not in (None, "") for v in row):
            found.rows.append(row)
            found.numbers.append(number)
    if not found.header:
        said = f"no column {marker!r}" if marker else "an empty sheet"
        found.faults.append(suspects.fault("F015", "header-not-found", label, said, "a row of column names",
                                           "correct `header` in the dialect, or the sheet"))  # fmt: skip
    return found


def _refused(path: Path, label: str) -> Fault | None:
    try:
        with zipfile.ZipFile(path) as book:
            size = sum(part.file_size for part in book.infolist())
    except zipfile.BadZipFile:
        return suspects.fault("F019", "no-workbook", label, "no workbook, or an incomplete one", "an .xlsx workbook")
    if size > LARGEST:
        found, fix = f"{size:,} bytes once unpacked", "export the table as CSV"
        return suspects.fault("F021", "too-large", label, found, f"at most {LARGEST:,}", fix)
    return None
