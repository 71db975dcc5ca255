"""Messy rows through the fast way and through a slow obvious one: Python's csv, datetime and decimal."""

from __future__ import annotations

import csv
import io
import random
import re
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from delivering import SETTINGS

from abm_lib import config, sources, store
from abm_lib.sources import mapping, reading

DIALECT = """
[sources.export]
dialect.delimiter = ";"
dialect.decimal = ","
dialect.thousands = "."
dialect.times = ["%d.%m.%Y %H:%M:%S", "%d.%m.%Y"]
dialect.blanks = ["--", "0"]
"""
COLUMNS = ["touch_id", "touched_at", "person_id", "channel", "kind", "detail", "is_response", "minutes"]
REQUIRED = ["touch_id", "touched_at", "channel", "kind"]
MOMENTS = ["01.02.2026 10:00:00", "28.12.2025", "31.02.2026 10:00:00", "01.02.0026", "2026-02-01", "x", " -- ", ""]
KINDS = ["visit", "call", "Visit", "visitt", "0", ""]
DETAILS = ["plain", "Größe", 'two\r\nlines; and "quotes"', "t1;01.02.2026;p1;web;visit;x;1;2\r\n" * 3, "--", " ", ""]
ANSWERS = ["1", "0", "true", " YES ", "No", "maybe", "--", ""]
MINUTES = [
    "7",
    "12,25",
    "1.250,5",
    "12.34,5",
    "(3,5)",
    "3-",
    "\N{MINUS SIGN}2",
    "1e3",
    "+4",
    "1,2,3",
    "inf",
    "0",
    " -- ",
    "",
]
MINUTES += ["7"] * 9


def messy(chosen: random.Random, rows: int) -> bytes:
    """A header and so many records, some of them none: too few values, too many, blank lines, bytes that are not UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for number in range(rows):
        key = f"t{chosen.randrange(number + 1) if chosen.random() < 0.05 else number}"
        moment = chosen.choice(MOMENTS) if chosen.random() < 0.1 else MOMENTS[0]
        kind = chosen.choice(KINDS) if chosen.random() < 0.1 else KINDS[0]
        row = [key, moment, "p1", chosen.choice(["web"] * 30 + [""]), kind]
        row += [chosen.choice(options) for options in (DETAILS, ANSWERS, MINUTES)]
        odd = chosen.random()
        if odd < 0.01:
            text.write("\r\n")
        writer.writerow(row[:3] if odd > 0.99 else [*row, "more"] if odd > 0.98 else row)
        if odd < 0.1:  # as it stands, once more
            writer.writerow(row)
        if odd < 0.005:
            text.write("t;caf\udce9;;;;;;\r\n")
    return text.getvalue().encode("utf-8", "surrogateescape")


def slowly(data: bytes) -> tuple[list[tuple[Any, ...]], list[tuple[int, list[str]]], int]:
    """Rows accepted; line and rules of each that is set aside; rows repeated."""
    aside, rows, line = [], [], 1
    records = csv.reader(io.StringIO(data.decode("utf-8", "surrogateescape"), newline=""), delimiter=";")
    for number, record in enumerate(records):
        begins, line = line, records.line_num + 1
        if number and record:
            if len(record) != len(COLUMNS) or any("\udc80" <= letter <= "\udcff" for cell in record for letter in cell):
                aside.append((begins, ["F011"]))
            else:
                rows.append((begins, record))
    typed = defaultdict(list)
    for begins, record in rows:
        row, why = values(dict(zip(COLUMNS, record, strict=True)))
        if why:
            aside.append((begins, why))
        else:
            typed[row[0]].append((begins, row))
    accepted, repeated = [], 0
    for same in typed.values():
        first = {row: begins for begins, row in reversed(same)}
        repeated += len(same) - len(first)
        if len(first) > 1:
            aside += [(begins, ["F074 touch_id"]) for begins in first.values()]
        else:
            accepted += [(begins, row) for row, begins in first.items()]
    return [row for _, row in sorted(accepted)], sorted(aside), repeated


def values(record: dict[str, str]) -> tuple[tuple[Any, ...], list[str]]:
    """The record's values, and what is wrong with them."""
    read = {
        "touched_at": moment,
        "is_response": answer,
        "minutes": minutes,
        "kind": lambda t: t if t in KINDS[:2] else None,
    }
    found, why = [], []
    for name, text in record.items():
        is_blank = not text or (name in read and text.strip(" ") in ("--", "0"))
        value = None if is_blank else read.get(name, str)(text)
        if not is_blank and value is None:
            why.append(f"F031 {name}")
        if is_blank and name in REQUIRED:
            why.append(f"F087 {name}")
        found.append(value)
    return tuple(found), why


def moment(text: str) -> datetime | None:
    for form in ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y"):
        try:
            found = datetime.strptime(text, form)
        except ValueError:
            continue
        return found if 1900 <= found.year <= 2199 else None
    return None


def answer(text: str) -> bool | None:
    return {"1": True, "true": True, "yes": True, "false": False, "no": False}.get(text.strip(" ").lower())


def minutes(text: str) -> float | None:
    plain = text.strip(" ").replace("\N{MINUS SIGN}", "-")
    if plain.startswith("(") and plain.endswith(")"):
        plain = f"-{plain[1:-1]}"
    if plain.endswith("-"):
        plain = f"-{plain[:-1]}"
    whole = re.match(r"[+-]?([0-9.]*)", plain).group(1)  # type: ignore[union-attr]
    if "." in whole and not all(len(part) == 3 for part in whole.split(".")[1:]):
        return None
    if not re.fullmatch(r"[-+0-9.,e]+", plain):
        return None
    try:
        return float(Decimal(plain.replace(".", "").replace(",", ".")))
    except ArithmeticError:
        return None


def read(folder: Path) -> tuple[duckdb.DuckDBPyConnection, sources.Delivery]:
    asked, con = config.load(folder), store.connect()
    delivery = sources.read(con, asked, folder, mapping.load_maps(folder, asked))
    sources.keep_set_aside(con, folder / "aside", delivery)
    return con, delivery


@pytest.mark.parametrize("part", [700, 20_000, 1 << 24], ids=["many parts", "some parts", "whole"])
def test_messy_rows_are_read_as_a_slow_obvious_reader_reads_them(
    part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PART", part)
    data = messy(random.Random(part), 3_000)
    (tmp_path / "abm.toml").write_text(SETTINGS + DIALECT, encoding="utf-8")
    (tmp_path / "touches.csv").write_bytes(data)
    con, delivery = read(tmp_path)
    rows, aside, repeated = slowly(data)

    listed = ", ".join(COLUMNS)
    assert con.execute(f"select {listed} from canonical.touches").fetchall() == rows
    report = delivery.reports["touches"]
    assert (report.accepted, report.set_aside, report.repeated) == (len(rows), len(aside), repeated)
    assert report.read == len(rows) + len(aside) + repeated
    assert min(len(rows) - 1_500, len(aside) - 500, repeated - 100) > 0  # enough of each
    with (tmp_path / "aside" / "touches.csv").open(encoding="utf-8", newline="") as text:
        told = [(row["_where"], row["_rules"].split("; ")) for row in csv.DictReader(text)]
    assert sorted(told) == sorted((f"touches.csv:{line}", why) for line, why in aside)


LIKE_ROWS = "".join(f"X{number},no row,a\r\n" for number in range(60_000))  # about a megabyte


@pytest.mark.parametrize("first", ["plain", '5" pipe'], ids=["quotes around values", "a quote inside a value"])
def test_lines_in_a_quoted_value_of_a_large_file_are_no_rows(first: str, tmp_path: Path) -> None:
    (tmp_path / "abm.toml").write_text(SETTINGS + "[sources.export]\n", encoding="utf-8")
    with (tmp_path / "accounts.csv").open("w", encoding="utf-8", newline="") as file:
        file.write(f"account_id,name,segment\r\nA0,{first},a\r\n")
        for number in range(1, 21):
            file.write(f'A{number},"{LIKE_ROWS}",a\r\nB{number},x,{"" if number < 20 else "a,too many"}\r\n')
    assert (tmp_path / "accounts.csv").stat().st_size > reading.PART > 2 * 8_000_000
    con, delivery = read(tmp_path)
    found = con.execute("select account_id, length(name) from canonical.accounts").fetchall()
    assert found == [("A0", len(first)), *((f"{letter}{n}", len(LIKE_ROWS) if letter == "A" else 1)
                                           for n in range(1, 21) for letter in "AB")][:-1]  # fmt: skip
    (broken,) = [fault for fault in delivery.faults if fault.rule == "F011"]
    assert broken.where == f"accounts.csv:{3 + 20 * 60_001 + 19}"


def test_a_quote_left_open_at_the_end_of_a_large_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART", 1_000)
    (tmp_path / "abm.toml").write_text(SETTINGS + "[sources.export]\n", encoding="utf-8")
    rows = "".join(f'A{number},"x ""{number}"""\n' for number in range(1_000))
    (tmp_path / "accounts.csv").write_text(f'account_id,name\n{rows}B,"open\nC,d\n', encoding="utf-8")
    _, delivery = read(tmp_path)
    assert [(f.rule, f.level, f.where) for f in delivery.faults] == [("F010", "E", "accounts.csv:1002")]


def test_a_table_may_be_called_what_our_own_are_called(tmp_path: Path) -> None:
    (tmp_path / "abm.toml").write_text(SETTINGS + '[sources.export]\nmap = "own"\n', encoding="utf-8")
    (tmp_path / "own.toml").write_text('[tables.accounts]\nfile = "kept"\n', encoding="utf-8")
    (tmp_path / "kept.csv").write_text("account_id,name\nA1,Alpha\n,Beta\n", encoding="utf-8")
    con, _ = read(tmp_path)
    assert con.execute("select account_id, name from canonical.accounts").fetchall() == [("A1", "Alpha")]
