"""What is worked out again after one table changed: what was made of it, and nothing else; the numbers are those of a fresh start."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT

import abm_lib.metrics  # noqa: F401  (fills the register)
from abm_lib import edition, readings, sample, store
from abm_lib.company import Company, open_company
from abm_lib.disclosure import PROFILES
from abm_lib.facts import FACTS
from abm_lib.run import reuse
from abm_lib.run.reuse import Made
from abm_lib.store import EVERYTHING

FAMILIES = ("ads", "voice")


def made(company: Company) -> Made:
    return Made(company, company.quarter().label, None, "duckdb", "internal")


def read(company: Company, kept: Made | None, *families: str) -> pd.DataFrame:
    return readings.read(company, company.quarter(), families=families, kept=kept)


def with_one_cell_changed(folder: Path, table: str, column: str, value: str) -> None:
    """The last row of the quarters that are told says something else."""
    path = folder / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        columns, *rows = csv.reader(file)
    row = [row for row in rows if any(cell.startswith("2026-0") for cell in row)][-1]
    row[columns.index(column)] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def changed(before: Company, after: Company) -> set[str]:
    """The frozen tables that are not the same."""
    return {name for name, digest in after.frozen.tables.items() if before.frozen.tables[name] != digest}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """A small sample company with the rows of two families kept, and their readings."""
    folder = tmp_path_factory.mktemp("kept") / "firm"
    sample.write(folder, scale=0.02, seed=5)
    company = open_company(folder)
    return folder, read(company, made(company), *FAMILIES)


@pytest.mark.parametrize(
    ("table", "column", "value", "moves", "stays"),
    [
        ("ad_days", "impressions", "98765", "ad_impressions", "note_mentions"),
        ("notes", "noted_on", "2026-07-15", "note_mentions", "ad_impressions"),
        pytest.param("ad_account_days", "impressions", "9876", "ad_frequency", "ad_clicks", marks=pytest.mark.slow),
    ],
)
def test_one_changed_table_recomputes_the_metrics_that_read_it_and_no_other(
    small: tuple[Path, pd.DataFrame], tmp_path: Path, table: str, column: str, value: str, moves: str, stays: str
) -> None:
    folder = tmp_path / "firm"
    shutil.copytree(small[0], folder)
    before = open_company(folder)
    of = made(before).unfinished().read
    with_one_cell_changed(folder, table, column, value)
    company = open_company(folder)
    kept = made(company)
    again = set(of) - set(kept.unfinished().read)
    assert changed(before, company) >= {table}
    assert again == {name for name, names in of.items() if names & {EVERYTHING, *changed(before, company)}}
    assert moves in again and stays in of.keys() - again
    now = read(company, kept, *FAMILIES)
    pd.testing.assert_frame_equal(now, read(company, None, *FAMILIES), check_exact=True)
    assert not now[now["metric"] == moves].equals(small[1][small[1]["metric"] == moves])
    assert made(company).unfinished().read.keys() == of.keys(), "what was worked out anew is kept beside the rest"


def test_nothing_changed_keeps_every_row(small: tuple[Path, pd.DataFrame]) -> None:
    company = open_company(small[0])
    assert set(made(company).unfinished().read) >= {"ad_clicks", "note_mentions"}
    pd.testing.assert_frame_equal(read(company, made(company), *FAMILIES), small[1], check_exact=True)


def test_another_setting_or_day_keeps_no_row(small: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    folder = tmp_path / "firm"
    shutil.copytree(small[0], folder)
    company = open_company(folder)
    label = company.quarter().label
    assert not Made(company, label, company.known_until, "duckdb", "internal").unfinished().read
    assert Made(company, label, None, "duckdb", "shared").unfinished().read, "profiles hide only what is finished"
    (folder / "abm.toml").write_text((folder / "abm.toml").read_text() + "\n[min_n]\ncolour = 9\n")
    assert not made(open_company(folder)).unfinished().read


def test_a_metric_has_read_every_table_that_its_facts_cannot_do_without(small: tuple[Path, pd.DataFrame]) -> None:
    company = open_company(small[0])
    of = made(company).unfinished().read
    for name in ("ad_click_rate", "ad_spend", "note_mentions"):
        needs = {need for fact in readings.REGISTER[name].facts for need in FACTS[fact].needs if "|" not in need}
        assert needs and needs <= of[name]


def test_facts_ask_only_where_it_is_noted() -> None:
    """The days that tables cover through `span`; `known_until`, which is not noted, beside the notes, which are everything.

    The calendar ends its windows there: that day is part of what every metric is made of.
    """
    for path in sorted((reuse.PACKAGE / "facts").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert "company.spans" not in text and ".frozen" not in text, path.name
        noted = "company.notes" in text or path.name == "calendar.py"
        assert "company.known_until" not in text or noted, path.name


def test_what_several_facts_share_is_noted_for_each_of_them(small: tuple[Path, pd.DataFrame]) -> None:
    company = open_company(small[0])
    base = readings.Base(company, company.quarter(), None, 1)
    built: list[str] = []

    def build() -> object:
        built.append("once")
        return company.tables.notes

    for fact in ("first", "second"):
        with base.noting(fact):
            base.once("shared", build)  # type: ignore[arg-type]
    assert built == ["once"] and base.read == {"first": {"notes"}, "second": {"notes"}}


def layers() -> list[str]:
    """The modules in the order of their imports, from the command to the messages."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    return [name.strip("() ") for line in told for name in line.split("|")]


def test_what_readings_import_is_in_the_digest_of_what_they_come_from() -> None:
    order = layers()
    above = order[: order.index("readings")]
    assert {name.removesuffix(".py") for name in reuse.PAGES_ALONE} - {"template"} <= set(above)


def test_every_module_that_reads_and_derives_is_in_the_key_of_the_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[str] = set()

    def noted(path: Path) -> str:
        seen.add(path.relative_to(Path(reuse.PACKAGE)).as_posix())
        return "x"

    monkeypatch.setattr(store, "sha256_of_input", noted)
    store.key_of(tmp_path, [])
    order = layers()
    expected = order[order.index("company") :]
    assert {name.removesuffix(".py").partition("/")[0] for name in seen} >= set(expected)
    assert {"derive/free_mail.txt", "sources/lines.py", "tables.toml", "settings.py"} <= seen


def test_another_notebook_is_drawn_otherwise_and_so_said_of_no_number(tmp_path: Path) -> None:
    (tmp_path / "ads.ipynb").write_text("{}")
    before = reuse.drawing(tmp_path)
    assert reuse.drawing(tmp_path) == before
    (tmp_path / "ads.ipynb").write_text("{} ")
    assert reuse.drawing(tmp_path) != before


def abm_run(folder: Path, out: Path) -> Path:
    command = [sys.executable, "-m", "abm_lib.cli", "run", str(folder), "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    (quarter,) = out.glob("*/manifest.json")
    return quarter.parent.resolve()


def told(published: Path) -> dict[str, bytes]:
    """What readers get, without the run's id."""
    files = {path.name: path.read_bytes().replace(published.name.encode(), b"") for path in published.iterdir()}
    return {name: data for name, data in files.items() if name not in ("manifest.json", "run.json")}


def notebooks(published: Path) -> set[str]:
    return set(json.loads((published / "run.json").read_text())["notebooks"])


@pytest.mark.slow
def test_a_second_run_starts_no_kernel_and_one_changed_file_makes_the_pages_that_asked_for_its_numbers(
    tmp_path: Path,
) -> None:
    folder, out = tmp_path / "firm", tmp_path / "reports"
    sample.write(folder, scale=0.02, seed=5)
    first = abm_run(folder, out)
    second = abm_run(folder, out)
    assert len(notebooks(first)) == 16 and notebooks(second) == set()
    assert told(first) == told(second)
    asked = {
        path.name.rpartition("-")[0]: set(json.loads(path.read_text())["metrics"])
        for path in (folder / ".abm" / "made").glob("*.json")
    }
    with_one_cell_changed(folder, "ad_days", "impressions", "98765")
    third = abm_run(folder, out)
    before, after = (edition.read_readings(each) for each in (second, third))
    both = before.merge(after, how="outer", indicator=True)
    moved = set(both.loc[both["_merge"] != "both", "metric"])
    assert "ad_impressions" in moved and "deals_won" not in moved
    assert notebooks(third) == {family for family, metrics in asked.items() if metrics & moved}
    assert "ads" in notebooks(third) and "customers" not in notebooks(third)
    shutil.rmtree(folder / ".abm")
    company = open_company(folder)
    fresh = readings.read(company, company.quarter(), profile=PROFILES["internal"])
    edition.write(tmp_path, edition.as_reported(fresh, "internal", out), {})
    for name in ("readings.csv", "readings.parquet"):
        assert (third / name).read_bytes() == (tmp_path / name).read_bytes(), name
