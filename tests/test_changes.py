"""Changes of the input that change no number: order and copies of rows, form and number of files, locale, names, more columns."""

from __future__ import annotations

import csv
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import abm_lib.metrics  # noqa: F401  (fills the register)
from abm_lib import readings, sample
from abm_lib.company import open_company
from abm_lib.tables import tables as canonical_tables

KEY = ["metric", "quarter", "slice_by", "slice"]
# What speaks of the delivery itself: how many rows there were, and of which tables.
OF_THE_DELIVERY = {"rows_set_aside_share"}


def told(folder: Path) -> pd.DataFrame:
    opened = open_company(folder)
    found = readings.read(opened, opened.quarter())
    return found[~found["metric"].isin(OF_THE_DELIVERY)].sort_values(KEY).reset_index(drop=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("plain")
    sample.write(folder, scale=0.02, seed=5)
    return folder, told(folder)


def tables(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.csv"))


def rewritten(
    path: Path,
    change: Callable[[list[str], list[list[str]]], tuple[list[str], list[list[str]]]],
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> None:
    """The file anew, its columns and rows changed."""
    with path.open(encoding="utf-8", newline="") as file:
        columns, *rows = csv.reader(file)
    columns, rows = change(columns, rows)
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([columns, *rows])


def shuffled(folder: Path) -> None:
    mixed = random.Random(1)
    for path in tables(folder):
        rewritten(path, lambda columns, rows: (columns, mixed.sample(rows, len(rows))))


def delivered_twice(folder: Path) -> None:
    """Every row once more; a repeated row is a copy, not another act."""
    for path in tables(folder):
        rewritten(path, lambda columns, rows: (columns, [*rows, *rows]))


def with_more_columns(folder: Path) -> None:
    for path in tables(folder):
        rewritten(path, lambda columns, rows: ([*columns, "our_own_note"], [[*row, "x"] for row in rows]))


def of_another_form(folder: Path) -> None:
    """A mark at the beginning and the line ends of another system."""
    for path in tables(folder):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def as_parquet(folder: Path) -> None:
    """The largest tables as Parquet of text, as a warehouse hands them over."""
    for name in ("touches", "page_views", "opportunity_changes"):
        path = folder / f"{name}.csv"
        duckdb.read_csv(str(path), all_varchar=True).write_parquet(str(path.with_suffix(".parquet")))
        path.unlink()


def split_in_several(folder: Path) -> None:
    """The largest tables as three files each, named in abm.toml."""
    names = ("touches", "page_views", "opportunity_changes", "people")
    for name in names:
        header, *lines = (folder / f"{name}.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        for part in range(3):
            text = header + "".join(lines[part * len(lines) // 3 : (part + 1) * len(lines) // 3])
            (folder / f"{name}-{part}.csv").write_text(text, encoding="utf-8")
        (folder / f"{name}.csv").unlink()
    files = "".join(f'files.{name} = "{name}-*.csv"\n' for name in names)
    (folder / "abm.toml").write_text((folder / "abm.toml").read_text() + files)


def of_another_country(folder: Path) -> None:
    """Semicolons, decimal commas, points in thousands, days before months, a Windows encoding; all declared."""
    for path in tables(folder):
        declared = canonical_tables()[path.stem].columns
        rewritten(path, lambda columns, rows, declared=declared: (columns, [
            [_german(declared[c].type, value) if c in declared else value for c, value in zip(columns, row, strict=True)] for row in rows
        ]), delimiter=";", encoding="cp1252")  # fmt: skip
    dialect = 'encoding = "cp1252"\ndelimiter = ";"\ndecimal = ","\nthousands = "."\n'
    dialect += 'dates = ["%d.%m.%Y"]\ntimes = ["%d.%m.%Y %H:%M:%S"]\n'
    settings = (folder / "abm.toml").read_text() + f"[sources.export.dialect]\n{dialect}"
    (folder / "abm.toml").write_text(settings)


def _german(kind: str, value: str) -> str:
    if not value:
        return value
    if kind == "on":
        return f"{value[8:]}.{value[5:7]}.{value[:4]}"
    if kind == "at":
        return f"{value[8:10]}.{value[5:7]}.{value[:4]} {value[11:] or '00:00:00'}"
    if kind in ("money", "number", "share", "rate", "whole"):
        whole, _, part = value.partition(".")
        grouped = f"{int(whole):,}".replace(",", ".") if kind == "money" and whole not in ("-0", "") else whole
        return grouped + (f",{part}" if part else "")
    return value


def people_renamed(folder: Path) -> None:
    """Every address is another one; who withdrew is named by id instead."""

    def change(columns: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
        place = columns.index("email")
        return columns, [
            [*r[:place], f"p{n}@other.example" if r[place] else "", *r[place + 1 :]] for n, r in enumerate(rows)
        ]

    people = pd.read_csv(folder / "people.csv", dtype=str)
    withdrawn = pd.read_csv(folder / "suppressions.csv", dtype=str)
    hashes = duckdb.sql("select person_id, sha256(lower(trim(email))) as hash from people").df()
    named = withdrawn.merge(hashes, left_on="email_hash", right_on="hash", how="left")
    withdrawn["person_id"] = named["person_id_x"].fillna(named["person_id_y"])
    withdrawn.assign(email_hash=None).dropna(subset=["person_id"]).to_csv(folder / "suppressions.csv", index=False)
    rewritten(folder / "people.csv", change)
    assert len(people)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        shuffled,
        delivered_twice,
        with_more_columns,
        of_another_form,
        as_parquet,
        people_renamed,
        split_in_several,
        of_another_country,
    ],
)
def test_no_number_moves_when_the_input_is(
    change: Callable[[Path], None], plain: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    source, before = plain
    folder = tmp_path / "changed"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".abm"))
    change(folder)
    after = told(folder)
    pd.testing.assert_frame_equal(after[KEY], before[KEY])
    numbers = ["value", "numerator", "denominator", "n", "low", "high", "target", "previous", "year_ago"]
    pd.testing.assert_frame_equal(after[numbers], before[numbers], rtol=1e-9, atol=1e-9)
    words = ["missing_because", "status"]
    pd.testing.assert_frame_equal(after[words], before[words])


@pytest.mark.slow
@pytest.mark.parametrize("change", [split_in_several, of_another_country])
def test_the_frozen_tables_are_byte_for_byte_the_same(change: Callable[[Path], None], tmp_path: Path) -> None:
    """Readings are made of the frozen tables alone, so where these are the same, no number moves."""
    sample.write(tmp_path / "plain", scale=0.02, seed=5)
    sample.write(tmp_path / "changed", scale=0.02, seed=5)
    change(tmp_path / "changed")
    plain, changed = (open_company(tmp_path / name) for name in ("plain", "changed"))
    assert changed.frozen.tables == plain.frozen.tables
    assert changed.frozen.key != plain.frozen.key
