"""A CRM that is not shaped like ours, mapped by a company folder and no code: known answers, and what it lacks is said.

The answers are those that several people published for this data set, and stand in its SOURCE.txt.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from bs4 import BeautifulSoup

import abm_lib as abm
from abm_lib.company import Company, open_company
from abm_lib.store import Tables

FOLDER = Path(__file__).parent / "companies" / "maven"
QUARTERS = ["2017Q1", "2017Q2", "2017Q3", "2017Q4"]
WON = [531, 1254, 1257, 1196]
LOST = [116, 778, 790, 789]
REVENUE = [1_134_672, 3_086_111, 2_982_255, 2_802_496]
pytestmark = pytest.mark.external


@pytest.fixture(scope="module")
def folder(external_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company folder with its `folder` set to where the files lie on this machine."""
    place = tmp_path_factory.mktemp("maven")
    shutil.copytree(FOLDER, place, dirs_exist_ok=True)
    settings = (FOLDER / "abm.toml").read_text()
    assert 'folder = "files"' in settings
    (place / "abm.toml").write_text(settings.replace('"files"', f'"{external_data / "maven_crm"}"'))
    return place


@pytest.fixture(scope="module")
def company(folder: Path) -> Company:
    return open_company(folder)


@pytest.fixture(scope="module")
def readings(folder: Path) -> pd.DataFrame:
    return abm.read(str(folder), "2017Q4")


@pytest.fixture(scope="module")
def source(external_data: Path) -> duckdb.DuckDBPyRelation:
    """The pipeline file as its owner wrote it."""
    return duckdb.connect().read_csv(str(external_data / "maven_crm" / "sales_pipeline.csv"))


def whole(readings: pd.DataFrame, metric: str, quarter: str = "2017Q4") -> pd.Series:
    rows = readings[(readings.metric == metric) & (readings.quarter == quarter) & (readings.slice_by == "")]
    assert len(rows) == 1, metric
    return rows.iloc[0]


def frozen(company: Company, query: str) -> list[tuple[object, ...]]:
    """A query over the frozen tables by their names."""
    con = duckdb.connect()
    for name, digest in company.frozen.tables.items():
        con.read_parquet(str(company.frozen.folder / f"{digest}.parquet")).create_view(name)
    return con.execute(query).fetchall()


# The map


def test_every_row_is_accepted_and_blanks_set_none_aside(company: Company) -> None:
    counts = {name: (t["read"], t["accepted"]) for name, t in company.notes["tables"].items()}
    assert counts == {
        "accounts": (85, 85), "owners": (35, 35), "opportunities": (8800, 8800),
        "opportunity_changes": (6711 * 2 + 1589 + 500,) * 2, "loads": (2, 2),
    }  # fmt: skip
    assert company.notes["faults"] == []
    assert not list((company.folder / ".abm").glob("set_aside/*"))


def test_the_committed_folder_names_no_place_of_this_machine(external_data: Path) -> None:
    texts = [path.read_text() for path in FOLDER.iterdir()]
    assert len(texts) == 3
    assert not [text for text in texts if str(external_data) in text or '"/' in text]


def test_misspelt_names_are_mapped_to_the_ones_of_the_product_list(company: Company, external_data: Path) -> None:
    listed = duckdb.connect().read_csv(str(external_data / "maven_crm" / "products.csv")).project("product").fetchall()
    assert frozen(company, "select distinct product from opportunities order by 1") == sorted(listed)
    assert frozen(company, "select count(*) from opportunities where product = 'GTX Pro'") == [(1480,)]
    assert frozen(company, "select count(*) from accounts where industry = 'technology'") == [(12,)]
    assert frozen(company, "select count(*) from accounts where industry = 'technolgy'") == [(0,)]


def test_amounts_of_accounts_are_dollars_and_not_millions(company: Company) -> None:
    found = frozen(company, "select annual_revenue, currency from accounts where name = 'Acme Corporation'")
    assert [(float(amount), currency) for amount, currency in found] == [(1_100_040_000.0, "USD")]


def test_an_account_leads_to_its_parent_and_a_deal_to_its_owner(company: Company) -> None:
    assert frozen(company, "select count(*) from accounts where parent_id is not null") == [(15,)]
    query = "select count(*) from opportunities o join owners using (owner_id) where team is not null and region is not null"
    assert frozen(company, query) == [(8800,)]
    assert frozen(company, "select count(*) from opportunities where account_id is null") == [(1425,)]


def test_a_closed_deal_has_two_states_and_an_open_one_has_one(company: Company) -> None:
    query = "select stage, count(*), count(amount), count(close_on) from opportunity_changes group by 1 order by 1"
    assert frozen(company, query) == [
        ("Engaging", 8300, 0, 0), ("Lost", 2473, 2473, 2473), ("Prospecting", 500, 0, 0), ("Won", 4238, 4238, 4238),
    ]  # fmt: skip


def test_the_states_stand_on_the_days_of_the_source(company: Company, source: duckdb.DuckDBPyRelation) -> None:
    expected = source.filter("engage_date is not null").project("opportunity_id, engage_date").order("1").fetchall()
    query = "select opportunity_id, changed_at::date from opportunity_changes where stage = 'Engaging' order by 1"
    assert frozen(company, query) == expected


def test_deals_without_a_date_stand_after_the_data_and_in_no_quarter_before(company: Company) -> None:
    query = "select distinct changed_at::date::varchar from opportunity_changes where stage = 'Prospecting'"
    assert frozen(company, query) == [("2018-01-01",)]
    assert str(company.known_until) == "2018-01-01"
    assert company.quarter().label == "2017Q4"
    query = "select count(*) from opportunities where created_at is null"
    assert frozen(company, query) == [(500,)]


# The known answers


@pytest.mark.parametrize(("quarter", "revenue"), [*zip(QUARTERS, REVENUE, strict=True)])
def test_revenue_by_close_quarter_is_the_published_one(readings: pd.DataFrame, quarter: str, revenue: int) -> None:
    assert whole(readings, "closed_won_revenue", quarter).value == revenue


@pytest.mark.parametrize(("quarter", "won", "lost"), [*zip(QUARTERS, WON, LOST, strict=True)])
def test_deals_won_and_lost_are_the_published_ones(readings: pd.DataFrame, quarter: str, won: int, lost: int) -> None:
    assert whole(readings, "deals_won", quarter).value == won
    rows = readings[(readings.metric == "win_rate_closed") & (readings.slice_by == "quarter")]
    row = rows[(rows.quarter == quarter) & (rows.slice == quarter)].iloc[0]
    assert (row.numerator, row.denominator) == (won, won + lost)


def test_the_win_rate_leaves_open_deals_out_and_is_not_the_famous_wrong_one(readings: pd.DataFrame) -> None:
    rows = readings[(readings.metric == "win_rate_closed") & (readings.quarter == "2017Q4")]
    row = rows[(rows.slice_by == "year") & (rows.slice == "2017")].iloc[0]
    assert (row.numerator, row.denominator, row.n) == (4238, 6711, 6711)
    assert row.value == pytest.approx(0.6315, abs=5e-5)
    assert row.value != pytest.approx(4238 / 8800, abs=0.05)
    assert row.low < 4238 / 6711 < row.high


def test_the_year_is_the_sum_of_its_quarters_and_of_the_source(
    readings: pd.DataFrame, source: duckdb.DuckDBPyRelation
) -> None:
    rows = readings[(readings.metric == "closed_won_revenue") & (readings.quarter == "2017Q4")]
    (total,) = source.filter("deal_stage = 'Won'").sum("close_value").fetchall()[0]
    assert rows[(rows.slice_by == "year") & (rows.slice == "2017")].iloc[0].value == total == sum(REVENUE) == 10_005_534


def test_deals_are_created_on_the_day_they_were_engaged(
    readings: pd.DataFrame, source: duckdb.DuckDBPyRelation
) -> None:
    counted = source.filter("engage_date >= '2017-10-01' and engage_date < '2018-01-01'").count("*").fetchall()[0][0]
    assert whole(readings, "opportunities_created").value == counted


# What it lacks


@pytest.mark.parametrize(
    ("metric", "lacking"),
    [
        ("ad_impressions", {"ad_days"}),
        ("ad_spend", {"ad_days"}),
        ("ad_target_reach_rate", {"ad_account_days", "account_lists"}),
        ("pipeline_coverage", {"targets"}),
        ("revenue_target_attainment", {"targets"}),
        ("influenced_pipeline", {"touches"}),
        ("target_account_conversion_rate", {"account_lists"}),
        ("website_sessions", {"page_views"}),
        ("leads", {"people"}),
    ],
)
def test_what_needs_an_absent_input_is_absent_and_names_the_input(
    readings: pd.DataFrame, metric: str, lacking: set[str]
) -> None:
    for quarter in QUARTERS:
        row = whole(readings, metric, quarter)
        assert pd.isna(row.value) and pd.isna(row.numerator)
        assert row.missing_because == "not_collected"
        assert all(name in row.caveats for name in lacking)


def test_no_table_that_was_not_delivered_passes_for_an_empty_one(company: Company) -> None:
    assert isinstance(company.tables, Tables)
    delivered = company.tables.delivered
    assert {"accounts", "owners", "opportunities", "opportunity_changes"} <= delivered
    assert not {"ad_days", "page_views", "people", "touches", "targets", "opportunity_sources"} & delivered


def test_the_win_rate_by_value_is_withheld_because_lost_deals_have_no_amount(readings: pd.DataFrame) -> None:
    row = whole(readings, "win_rate_closed_value")
    assert pd.isna(row.value)
    assert row.missing_because == "withheld"
    assert "0 of 2473 lost deals" in row.caveats


def test_open_pipeline_has_no_value_because_no_open_deal_has_an_amount(readings: pd.DataFrame) -> None:
    row = whole(readings, "open_pipeline")
    assert pd.isna(row.value)
    assert row.missing_because == "no_data"
    assert row.n == 1589
    assert "none of 1589 carries an amount" in row.caveats


def test_a_quarter_before_the_first_close_is_no_data_and_not_zero(readings: pd.DataFrame) -> None:
    row = whole(readings, "closed_won_revenue", "2016Q4")
    assert pd.isna(row.value)
    assert row.missing_because == "no_data"


def test_every_reading_has_a_value_or_a_reason(readings: pd.DataFrame) -> None:
    assert (readings.value.isna() == (readings.missing_because != "")).all()
    assert readings.metric.nunique() > 40


# The whole run


@pytest.mark.slow
def test_the_report_is_published_and_its_pages_say_what_is_missing(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "abm_lib.cli", "run", str(folder), "--quarter", "2017Q4", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": "0"})
    assert done.returncode == 0, done.stderr
    pages = {path.stem: _text(path) for path in (tmp_path / "2017Q4").glob("*.html")}
    assert {"index", "ads", "pipeline", "revenue"} <= pages.keys()
    assert "needs ad_days, which no source delivers" in pages["ads"]
    assert "needs targets, which no source delivers" in pages["pipeline"]
    assert "needs page_views, which no source delivers" in pages["website"]
    assert "none of 1589 carries an amount" in pages["pipeline"].lower()
    assert "0 of 2473 lost deals have an amount" in pages["revenue"]
    assert "4,238 of 6,711" in pages["index"]
    assert "$2.80" in pages["index"]


def _text(path: Path) -> str:
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html5lib")
    for hidden in page(["script", "style"]):
        hidden.decompose()
    return " ".join(page.get_text(" ").split())
