"""Changes of the input that change no number: the order of rows, their copies, the file's form, names of people, more columns."""

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


def rewritten(path: Path, change: Callable[[list[str], list[list[str]]], tuple[list[str], list[list[str]]]]) -> None:
    """The file anew, its columns and rows changed."""
    with path.open(encoding="utf-8", newline="") as file:
        columns, *rows = csv.reader(file)
    columns, rows = change(columns, rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


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
    "change", [shuffled, delivered_twice, with_more_columns, of_another_form, as_parquet, people_renamed]
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
    numbers = ["value", "numerator", "denominator", "n"]
    pd.testing.assert_frame_equal(after[numbers], before[numbers], rtol=1e-9, atol=1e-9)
    assert after["missing_because"].tolist() == before["missing_because"].tolist()
