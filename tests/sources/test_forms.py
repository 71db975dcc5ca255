"""One table in every form that a company may hand it over, and in several files: it stays the same table."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from conftest import ROOT
from delivering import Read, deliver, written
from openpyxl import Workbook

from abm_lib import company as companies
from abm_lib.errors import InputRefused
from abm_lib.sources import books, forms

SOURCE = "\n[sources.crm]\n"
DEALS = [
    ("O1", "new", datetime(2026, 1, 10, 8, 30), "Ünal, Ltd", 1250.5, True),
    ("O2", "renewal", datetime(2026, 2, 11), None, None, False),
    ("003", "expansion", datetime(2026, 6, 30, 23, 59, 59), 'a "b"\nc', 12.0, None),
]
COLUMNS = ["opportunity_id", "business_type", "created_at", "product", "annual_value", "is_promotion"]
QUERY = f"select {', '.join(COLUMNS)} from canonical.opportunities order by opportunity_id desc"


def frame() -> pd.DataFrame:
    return pd.DataFrame(DEALS, columns=COLUMNS)


def as_csv(folder: Path) -> str:
    frame().to_csv(folder / "opportunities.csv", index=False)
    return ""


def as_gzip(folder: Path) -> str:
    with gzip.open(folder / "opportunities.csv.gz", "wt", encoding="utf-8", newline="") as file:
        frame().to_csv(file, index=False)
    return ""


def as_utf16(folder: Path) -> str:
    frame().to_csv(folder / "opportunities.csv", index=False, sep="\t", encoding="utf-16")
    return 'dialect.delimiter = "\\t"\n'


def as_parquet(folder: Path) -> str:
    duckdb.from_df(frame()).write_parquet(str(folder / "opportunities.parquet"))
    return ""


def as_json(folder: Path) -> str:
    rows = [dict(zip(COLUMNS, [str(v) if isinstance(v, datetime) else v for v in row], strict=True)) for row in DEALS]
    (folder / "opportunities.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ""


def as_duckdb(folder: Path) -> str:
    with duckdb.connect(str(folder / "warehouse.duckdb")) as con:
        deals = frame()  # noqa: F841  (DuckDB reads it by its name)
        con.execute("create schema crm; create table crm.opportunities as from deals")
    return 'database = "warehouse.duckdb"\ndb_schema = "crm"\n'


def as_sqlite(folder: Path) -> str:
    with sqlite3.connect(folder / "crm.sqlite") as con:
        frame().assign(created_at=frame()["created_at"].astype(str)).to_sql("opportunities", con, index=False)
    return 'database = "crm.sqlite"\n'


def as_book(folder: Path) -> str:
    book = Workbook()
    book.active.title = "Read me"
    sheet = book.create_sheet("Deals")
    for row in [["Deals of the quarter"], [], COLUMNS, DEALS[0], [], *DEALS[1:]]:
        sheet.append(list(row))
    sheet.sheet_state = "hidden"
    book.save(folder / "crm.xlsx")
    return 'files.opportunities = "crm.xlsx#Deals"\ndialects.opportunities.header = "opportunity id"\n'


def as_several(folder: Path) -> str:
    for number, row in enumerate(DEALS):
        pd.DataFrame([row], columns=COLUMNS).to_csv(folder / f"deals-{number}.csv", index=False)
    return 'files.opportunities = "deals-*.csv"\n'


FORMS = [as_csv, as_gzip, as_utf16, as_parquet, as_json, as_duckdb, as_sqlite, as_book, as_several]


def read(tmp_path: Path, form: Callable[[Path], str]) -> Read:
    return deliver(written(tmp_path, SOURCE + form(tmp_path)))


@pytest.mark.parametrize("form", FORMS)
def test_the_table_is_the_same_in_every_form(tmp_path: Path, form: Callable[[Path], str]) -> None:
    found = read(tmp_path, form)
    assert [fault for fault in found.faults if fault.rule != "F105"] == []
    assert found.counts["opportunities"] == (3, 3, 0, 0, 0)
    expected = sorted(((*row[:4], row[4], row[5]) for row in DEALS), reverse=True)
    assert [(*row[:4], None if row[4] is None else float(row[4]), row[5]) for row in found.rows(QUERY)] == expected


@pytest.mark.parametrize("form", [as_gzip, as_json, as_duckdb, as_sqlite, as_book, as_several])
def test_another_value_in_it_is_another_state_of_the_inputs(tmp_path: Path, form: Callable[[Path], str]) -> None:
    loads = "table,source,extracted_at\nopportunities,crm,2027-01-01\n"
    folder = written(tmp_path / "a", SOURCE + form(written(tmp_path / "a", "")), loads=loads)
    before = companies.open_company(folder).frozen
    DEALS.append(("O9", "new", datetime(2026, 3, 1), None, 5.0, None))
    try:
        for path in [*folder.glob("*.duckdb"), *folder.glob("*.sqlite")]:
            path.unlink()
        form(folder)
    finally:
        DEALS.pop()
    after = companies.open_company(folder).frozen
    assert before.key != after.key
    assert before.tables["opportunities"] != after.tables["opportunities"]


# Several files


def test_a_row_is_named_by_the_file_and_line_it_stands_in(tmp_path: Path) -> None:
    header, settings = "account_id,name\n", SOURCE + 'files.accounts = "accounts/*.csv"\n'
    folder = written(tmp_path, settings)
    (folder / "accounts").mkdir()
    (folder / "accounts" / "1.csv").write_text(f'{header}A1,"two\nlines"\nA2\n')
    (folder / "accounts" / "2.csv").write_text(f"{header}A3,Gamma\nA4,\n")
    (folder / "accounts" / "3.csv").write_text(f"{header}A5,Epsilon\nA1,another\n")
    found = deliver(folder)
    assert {(f.rule, f.where) for f in found.faults if f.level == "Q"} == {
        ("F011", "accounts/1.csv:4"), ("F087", 'accounts/2.csv:3  column "name"'), ("F074", 'accounts/1.csv:2  column "account_id"'),
    }  # fmt: skip
    assert found.counts["accounts"] == (6, 2, 0, 4, 0)


def test_a_column_that_one_of_the_files_lacks_is_blank_there(tmp_path: Path) -> None:
    files = {"a1": "account_id,name,country\nA1,Alpha,DE\n", "a2": "name,account_id\nBeta,A2\n"}
    found = deliver(written(tmp_path, SOURCE + 'files.accounts = "a*.csv"\n', **files))
    assert found.rows("select account_id, name, country from canonical.accounts order by 1") == [
        ("A1", "Alpha", "DE"),
        ("A2", "Beta", None),
    ]


def test_the_same_bytes_under_two_names_are_read_once_and_told(tmp_path: Path) -> None:
    files = dict.fromkeys(("a1", "a2"), "account_id,name\nA1,Alpha\n")
    found = deliver(written(tmp_path, SOURCE + 'files.accounts = "a*.csv"\n', **files))
    assert found.counts["accounts"] == (1, 1, 0, 0, 0)
    assert [(f.rule, f.level, f.where, f.found) for f in found.told("F025")] == [
        ("F025", "N", "./a2.csv", "the same bytes as a1.csv")
    ]


def test_exports_that_overlap_count_each_row_once(tmp_path: Path) -> None:
    files = {"a1": "account_id,name\nA1,Alpha\nA2,Beta\n", "a2": "account_id,name\nA2,Beta\nA3,Gamma\n"}
    found = deliver(written(tmp_path, SOURCE + 'files.accounts = "a*.csv"\n', **files))
    assert found.counts["accounts"] == (4, 3, 1, 0, 0)


# What is no table


def test_a_file_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("account_id,name\nA1,x\n")
    folder = written(tmp_path / "company", SOURCE + 'files.accounts = "in.csv"\n')
    (folder / "in.csv").symlink_to(tmp_path / "secret.csv")
    assert [(f.rule, f.level) for f in deliver(folder).faults if f.level == "E"] == [("F024", "E")]


def test_a_declared_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (fault,) = deliver(written(tmp_path, SOURCE + 'files.accounts = "crm.csv"\n')).faults
    assert (fault.rule, fault.level, fault.where) == ("F105", "E", "./crm.csv")


@pytest.mark.parametrize(
    ("settings", "rule", "words"),
    [
        ('files.accounts = "crm.xlsx#Sheet9"', "F020", "did you mean 'Sheet1'?"),
        ('files.accounts = "crm.xlsx"', "F020", "no sheet named"),
        ('files.accounts = "crm.xlsx#Sheet1"\ndialect.header = "Day"', "F015", "no column 'Day'"),
        ('files.accounts = "crm.xlsx#Empty"', "F015", "an empty sheet"),
    ],
)
def test_a_sheet_that_is_not_declared_or_not_there_is_refused(
    tmp_path: Path, settings: str, rule: str, words: str
) -> None:
    book = Workbook()
    book.active.title = "Sheet1"
    book.active.append(["account_id", "name"])
    book.create_sheet("Empty")
    book.save(written(tmp_path, SOURCE + settings + "\n") / "crm.xlsx")
    (fault,) = [fault for fault in deliver(tmp_path).faults if fault.level == "E"]
    assert fault.rule == rule and words in fault.found


def test_a_row_with_a_cell_in_error_is_set_aside_with_its_number(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "S"
    for row in (["account_id", "name"], ["A1", "Alpha"], ["A2", "#REF!"], ["A3", "Gamma"]):
        book.active.append(row)
    book.active["B3"].data_type = "e"
    book.save(written(tmp_path, SOURCE + 'files.accounts = "crm.xlsx#S"\n') / "crm.xlsx")
    found = deliver(tmp_path)
    assert found.counts["accounts"] == (3, 2, 0, 1, 0)
    assert [(f.rule, f.level, f.where) for f in found.faults] == [("F020", "Q", "crm.xlsx:3")]


def test_days_of_a_workbook_of_1904_are_its_own(tmp_path: Path) -> None:
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.title = "S"
    book.active.append(["account_id", "is_target", "valid_from"])
    book.active.append(["A1", True, date(2026, 4, 5)])
    book.save(written(tmp_path, SOURCE + 'files.account_lists = "lists.xlsx#S"\n') / "lists.xlsx")
    assert deliver(tmp_path).rows("select valid_from, is_target from canonical.account_lists") == [
        (date(2026, 4, 5), True)
    ]


def test_a_workbook_that_grows_without_end_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "LARGEST", 1000)
    folder = written(tmp_path, SOURCE + 'files.accounts = "crm.xlsx#S"\n')
    with zipfile.ZipFile(folder / "crm.xlsx", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/worksheets/sheet1.xml", b"0" * 100_000)
    assert [(f.rule, f.level) for f in deliver(folder).faults] == [("F021", "E")]


@pytest.mark.parametrize("content", [b"account_id,name\n", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    found = deliver(written(tmp_path, SOURCE + 'files.accounts = "crm.xlsx#S"\n', crm__xlsx=content))
    assert [(f.rule, f.level) for f in found.faults] == [("F019", "E")]


@pytest.mark.parametrize("cut", [20, -4])
def test_a_compressed_file_that_was_cut_is_refused(tmp_path: Path, cut: int) -> None:
    packed = gzip.compress(b"account_id,name\n" + b"".join(b"A%d,x%d\n" % (i, i * i) for i in range(5000)))
    folder = written(tmp_path, SOURCE)
    (folder / "accounts.csv.gz").write_bytes(packed[:cut])
    assert [(f.rule, f.level, f.where) for f in deliver(folder).faults] == [("F022", "E", "accounts.csv.gz")]


@pytest.mark.parametrize(
    ("settings", "rule", "words"),
    [
        ('database = "none.duckdb"', "F105", "no such file"),
        ('database = "text.duckdb"', "F019", "no database"),
        ('database = "crm.sqlite"\ntables = ["accounts"]', "F105", "did you mean 'acounts'?"),
        ('database = "crm.sqlite"\nqueries.accounts = "select * from nowhere"', "C10", "nowhere"),
    ],
)
def test_a_database_or_query_that_cannot_be_read_is_refused(
    tmp_path: Path, settings: str, rule: str, words: str
) -> None:
    folder = written(tmp_path, f"{SOURCE}{settings}\n", text__duckdb="hello, I am no database at all, not even by far")
    with sqlite3.connect(folder / "crm.sqlite") as con:
        con.execute("create table acounts (account_id, name)")
    (fault,) = [fault for fault in deliver(folder).faults if fault.level == "E"]
    assert fault.rule == rule and words in fault.found


def test_a_query_names_what_is_read_of_a_database(tmp_path: Path) -> None:
    settings = f'{SOURCE}database = "crm.sqlite"\n'
    settings += "queries.accounts = \"select id as account_id, upper(name) as name from a where id <> 'A2'\"\n"
    with sqlite3.connect(written(tmp_path, settings) / "crm.sqlite") as con:
        con.execute("create table a (id, name)")
        con.executemany("insert into a values (?, ?)", [("A1", "alpha"), ("A2", "beta")])
    assert deliver(tmp_path).rows("select account_id, name from canonical.accounts") == [("A1", "ALPHA")]


def test_names_of_files_and_queries_that_the_map_does_not_know_are_usage_errors(tmp_path: Path) -> None:
    from abm_lib.errors import UsageError

    with pytest.raises(UsageError) as caught:
        deliver(written(tmp_path, SOURCE + 'files.acounts = "x.csv"\nqueries.dealz = "select 1"\n'))
    assert [fault.found for fault in caught.value.faults] == ["acounts", "dealz"]


def test_a_refused_delivery_says_so_through_the_company(tmp_path: Path) -> None:
    with pytest.raises(InputRefused):
        companies.open_company(written(tmp_path, SOURCE + 'files.accounts = "crm.csv"\n'))


def cells(*values: Any) -> list[str | None]:
    from abm_lib.sources import forms

    return [forms.cell_text(value) for value in values]


def test_a_value_of_a_cell_becomes_the_text_that_a_file_would_hold() -> None:
    assert cells(1.0, 12345678901234.0, 0.1, True, None, "", date(2026, 4, 5), datetime(2026, 4, 5, 1, 2), 7, "x") == [
        "1", "12345678901234", "0.1", "true", None, None, "2026-04-05", "2026-04-05 01:02:00", "7", "x",
    ]  # fmt: skip


def test_a_database_file_is_opened_by_a_duckdb_that_installs_nothing(tmp_path: Path) -> None:
    asked = "select 'O1' as opportunity_id, 'new' as business_type, current_setting('autoinstall_known_extensions') as product"
    settings = f'{SOURCE}database = "warehouse.duckdb"\nqueries.opportunities = "{asked}"\n'
    folder = written(tmp_path, settings)
    duckdb.connect(str(folder / "warehouse.duckdb")).close()
    assert deliver(folder).rows("select product from canonical.opportunities") == [("false",)]


def test_every_duckdb_that_reads_what_others_wrote_installs_nothing() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "abm_lib" / "sources").glob("*.py"))]
    opened = [call for text in texts for call in re.findall(r"duckdb\.connect\(.*\)", text)]
    assert len(opened) == 4 and all("config=CLOSED" in call or "config=forms.CLOSED" in call for call in opened)
    assert forms.CLOSED == {"autoinstall_known_extensions": "false"}
