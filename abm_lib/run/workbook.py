"""The readings as a workbook (`--xlsx`): every number with its definition beside it, text as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ..catalogue import records
from ..edition import FORMULA_STARTS
from ..metric import Metric
from ..show.html import clean

LONGEST = 32_000  # a cell holds 32,767 characters
WIDTHS = {"metric": 34, "slice": 28, "caveats": 40, "label": 40, "doc": 90}


def write(path: Path, readings: pd.DataFrame, edition: Mapping[str, Any], register: Mapping[str, Metric]) -> None:
    """Three sheets: what this is, the readings of every quarter, and how each metric is counted. Dates and times are the data's."""
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(str(path), options) as book:
        made = datetime.fromisoformat(edition["generated"])
        book.set_properties({"title": f"Readings {edition['quarter']}", "author": "", "created": made})
        marked = book.add_format({"quote_prefix": True})
        head = book.add_format({"bold": True, "bottom": 1})
        _sheet(book.add_worksheet("About"), ["", ""], _about(edition), head, marked)
        rows = readings.astype(object).where(readings.notna(), None).itertuples(index=False)
        _sheet(book.add_worksheet("Readings"), list(readings.columns), rows, head, marked)
        told = records(register)
        _sheet(book.add_worksheet("Definitions"), list(told[0]), (row.values() for row in told), head, marked)


def plain(text: object) -> str:
    """Text from data as a cell holds it: no control or reordering marks, and cut where a cell ends."""
    line = clean(text)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _about(edition: Mapping[str, Any]) -> list[tuple[str, str]]:
    shown = ("company", "quarter", "period_start", "period_end", "as_of", "state", "profile", "disclosure", "currency",
             "timezone", "run", "version")  # fmt: skip
    return [(name, str(edition.get(name, ""))) for name in shown]


def _sheet(sheet: Any, columns: Sequence[str], rows: Iterable[Iterable[Any]], head: Any, marked: Any) -> None:
    for place, name in enumerate(columns):
        sheet.write_string(0, place, name, head)
        sheet.set_column(place, place, WIDTHS.get(name, 14))
    last = 0
    for last, row in enumerate(rows, 1):
        for place, cell in enumerate(row):
            if isinstance(cell, (bool, str)) or not isinstance(cell, (int, float)):
                text = "" if cell is None else plain(cell)
                if text:
                    # Marked as text for whoever copies the cell on: it would be a formula elsewhere.
                    sheet.write_string(last, place, text, marked if text.startswith(FORMULA_STARTS) else None)
            else:
                sheet.write_number(last, place, cell)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(last, 1), len(columns) - 1)
