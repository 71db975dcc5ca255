"""Where a record begins, by counting quotes, against a reader that knows fields."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm_lib.sources import lines

VALUES = st.sampled_from(["a", "", '"x"', '"q""q"', '"one{}two"', '"{}{}"', '""'])
ROWS = st.lists(st.lists(VALUES, min_size=1, max_size=3).map(",".join), max_size=8)


def by_fields(path: Path, blank_too: bool) -> list[int]:
    with path.open(encoding="latin-1", newline="") as text:
        records, begins, found = csv.reader(text), 1, []
        for record in records:
            if record or blank_too:
                found.append(begins)
            begins = records.line_num + 1
    return found


@settings(max_examples=300)
@given(
    rows=ROWS,
    end=st.sampled_from(["\n", "\r\n"]),
    rest=st.sampled_from(["", "z"]),
    blank_too=st.booleans(),
    size=st.integers(1, 40),
)
def test_records_begin_where_a_reader_of_fields_begins_them(
    rows: list[str], end: str, rest: str, blank_too: bool, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "records.csv"
    path.write_bytes(("".join(row.replace("{}", end) + end for row in rows) + rest).encode())
    assert lines.of_records(path, '"', blank_too, size) == by_fields(path, blank_too)


def test_a_byte_lies_on_the_line_that_holds_it(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"ab\r\nc\nd")
    assert lines.at(tmp_path / "x", [0, 1, 4, 6]) == [1, 1, 2, 3]
