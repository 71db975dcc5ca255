"""Where a record begins, by counting quotes, against a reader that knows fields."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm_lib.source_settings import Dialect
from abm_lib.sources import lines, reading

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
    found = lines.by_quotes(path, '"', ",", blank_too, size)
    assert found.lines.tolist() == by_fields(path, blank_too)
    assert lines.at(path, found.bytes.tolist()) == found.lines.tolist()
    assert found.is_certain
    slowly = lines.by_fields(path, '"', ",", blank_too)
    assert (slowly.bytes.tolist(), slowly.lines.tolist()) == (found.bytes.tolist(), found.lines.tolist())


def test_a_byte_lies_on_the_line_that_holds_it(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"ab\r\nc\nd")
    assert lines.at(tmp_path / "x", [0, 1, 4, 6]) == [1, 1, 2, 3]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("text", "is_certain"),
    [
        ('a,b\n"x",""\n', True),
        ('"a","b"', True),
        ('a\n"one\r\ntwo ""quoted"""\r\nz\r\n', True),
        ('a\n5" pipe\n6" pipe\n', False),  # a quote inside a value: another reader may see other records
        ('a\n"x" y\n', False),
        ('a\nx "y"\n', False),
        ('a\n"open\nz\n', False),
    ],
)
def test_it_is_certain_where_records_begin_when_quotes_stand_around_values(
    text: str, is_certain: bool, size: int, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(text.encode())
    assert lines.by_quotes(tmp_path / "x", '"', ",", False, size).is_certain == is_certain


def test_a_text_is_cut_only_where_records_begin(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b'a,b\n1,"2\n3"\n4,5\n6,7\n')
    found = lines.by_quotes(tmp_path / "x", '"', ",", False)
    assert found.bytes.tolist() == [0, 4, 12, 16]
    assert found.cuts(1, 1) == [4, 12, 16]
    assert found.cuts(1, 9) == [4, 16]  # the byte 13 lies inside a record
    assert found.cuts(4, 9) == []
    assert [found.line_of(byte) for byte in (0, 5, 11, 12, 19)] == [1, 2, 2, 4, 5]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("inside", ["\n", "\r\n"])
def test_a_name_of_two_lines_loses_no_row_whatever_line_end_it_holds(end: str, inside: str, tmp_path: Path) -> None:
    """Excel writes LF inside a cell and CRLF behind a row; DuckDB's reader alone would then find no row at all."""
    (tmp_path / "room").mkdir()
    (tmp_path / "t.csv").write_bytes(f'id,"first{inside}line",x{end}1,a,b{end}bad{end}2,c,d{end}'.encode())
    con = duckdb.connect()
    file = reading.read_file(con, "t", tmp_path / "t.csv", "t.csv", Dialect(), tmp_path / "room")
    assert con.execute("select * exclude (_row) from t").fetchall() == [("1", "a", "b"), ("2", "c", "d")]
    assert [file.place(row) for row in (1, 2)] == ["t.csv:3", "t.csv:5"]
    assert [(line, text) for line, _, text in file.broken] == [(4, "bad")]
