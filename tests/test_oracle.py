"""What the product says against a second opinion: the same metrics in plain SQL, written from the definitions."""

from __future__ import annotations

import functools
import shutil
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from oracle.fiscal import Fiscal, earlier
from oracle.run import readings
from oracle.survival import median_days
from tiny import SAMPLE, sample_readings

import abm_lib
import abm_lib.sample

FAMILIES = (
    *("ads", "pipeline", "revenue", "website", "content", "accounts", "journey", "voice"),
    *("demand", "customers", "quality"),
)
# Held against readings, or worked out by hand, in test_quality, test_pipeline and test_ads.
OF_OTHER_READINGS = ("readiness", "promises_kept_share", "questions_answered", "attribution_model_distance",
                     "attributed_revenue_model_distance", "ad_experiment_sample_ratio")  # fmt: skip
FITTED = (
    "sbg",
    "sbg_residual",
)  # found by search, to fewer digits than the comparison asks; held against others in test_lifetime
KEY = ["metric", "slice_by", "slice"]
NUMBERS = ["value", "numerator", "denominator", "n"]
QUARTERS = ["2026Q3", "2026Q2", "2025Q4", "2025Q1"]
# The newest edition among the quick tests; each of the others reads the sample once more.
EDITIONS = [QUARTERS[0], *(pytest.param(label, marks=pytest.mark.slow) for label in QUARTERS[1:])]
GENERATED = {
    "dollars, year from February": {"seed": 11, "first_month": 2, "currency": "USD"},
    "pounds, year from July": {"seed": 23, "first_month": 7, "currency": "GBP"},
}


@functools.cache
def said(folder: Path, edition: str) -> pd.DataFrame:
    """The product's readings of these families in one edition."""
    kept = folder.with_name(f"{folder.name}.{edition}.pickle")
    found = pd.read_pickle(kept) if kept.exists() else abm_lib.read(str(folder), edition)
    found = found[found["family"].isin(FAMILIES) & ~found["metric"].isin(OF_OTHER_READINGS)]
    found = found[~found["slice"].isin(FITTED)]
    return found.assign(slice_by=found["slice_by"].fillna(""), slice=found["slice"].fillna(""))


@functools.cache
def worked_out(folder: Path, quarter: str, decimal_money: bool = True) -> pd.DataFrame:
    """The same by plain SQL."""
    return readings(folder, quarter, decimal_money)


def side_by_side(folder: Path, edition: str, quarter: str, decimal_money: bool = True) -> pd.DataFrame:
    """One row per reading that either has; the product's names are bare, the oracle's end in _sql."""
    theirs = said(folder, edition)
    theirs = theirs[theirs["quarter"] == quarter]
    ours = worked_out(folder, quarter, decimal_money)
    if quarter != edition:  # wide slices are there for the edition's own quarter only
        shown = pd.MultiIndex.from_frame(theirs[["metric", "slice_by"]].drop_duplicates())
        ours = ours[pd.MultiIndex.from_frame(ours[["metric", "slice_by"]]).isin(shown)]
    columns = [*KEY, *NUMBERS, "missing_because"]
    return theirs[columns].merge(ours, on=KEY, how="outer", suffixes=("", "_sql"), validate="1:1")


def differ(pairs: pd.DataFrame, name: str) -> pd.Series:
    """Where two columns are not equal to 1e-9; neither side having a number is equal."""
    left, right = pairs[name].astype(float), pairs[f"{name}_sql"].astype(float)
    near = (left - right).abs() <= 1e-9 * right.abs().clip(lower=1)
    return ~(near | (left.isna() & right.isna()))


def explained(pairs: pd.DataFrame) -> pd.Series:
    """Only the product has the row: it says why there is no value, or it is 0 of nothing or none of some."""
    has_reason = pairs["missing_because"].fillna("") != ""
    return pairs["value_sql"].isna() & (has_reason | (pairs["value"] == 0))


def disagreements(folder: Path, edition: str, names: list[str], decimal_money: bool = True) -> list[str]:
    """One line for each reading in which a number differs."""
    quarters = sorted(said(folder, edition)["quarter"].unique()) if edition == QUARTERS[0] else [edition]
    lines = []
    for quarter in quarters:
        pairs = side_by_side(folder, edition, quarter, decimal_money)
        wrong = functools.reduce(lambda so_far, name: so_far | differ(pairs, name), names, differ(pairs, names[0]))
        for _, row in pairs[wrong & ~explained(pairs)].iterrows():
            numbers = ", ".join(f"{name} {row[name]:.12g} (SQL {row[f'{name}_sql']:.12g})" for name in names)
            lines.append(f"{quarter} {row['metric']} {row['slice_by']} {row['slice']}: {numbers}")
    return lines


def assert_none(lines: list[str]) -> None:
    assert not lines, f"{len(lines)} readings differ\n" + "\n".join(lines[:60])


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample company, copied: reading it writes into its folder. Of its last quarter the readings lie beside it."""
    folder = tmp_path_factory.mktemp("oracle") / "sample"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns(".abm"))
    sample_readings(tmp_path_factory).to_pickle(folder.with_name(f"{folder.name}.{QUARTERS[0]}.pickle"))
    return folder


@pytest.fixture(scope="module", params=list(GENERATED))
def generated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small company with another calendar and currency."""
    folder = tmp_path_factory.mktemp("oracle") / "company"
    abm_lib.sample.write(folder, scale=0.15, **GENERATED[request.param])
    return folder


@pytest.mark.parametrize("edition", EDITIONS)
def test_values_with_numerators_and_denominators_are_those_of_plain_sql(sample: Path, edition: str) -> None:
    assert_none(disagreements(sample, edition, ["value", "numerator", "denominator"]))


@pytest.mark.parametrize("edition", EDITIONS)
def test_n_counts_what_the_metric_says_it_counts(sample: Path, edition: str) -> None:
    assert_none(disagreements(sample, edition, ["n"]))


@pytest.mark.slow
def test_amounts_that_fall_on_half_a_cent_are_rounded_as_decimals(sample: Path) -> None:
    """With binary money the second opinion would differ: the sample has such amounts, and the tests above would see them."""
    assert disagreements(sample, QUARTERS[0], ["value"], decimal_money=False)


def test_every_metric_of_these_families_is_compared(sample: Path) -> None:
    compared = set(worked_out(sample, QUARTERS[0])["metric"])
    assert set(said(sample, QUARTERS[0])["metric"]) == compared


def test_closing_pipeline_of_the_bridge_is_open_pipeline(sample: Path) -> None:
    found = said(sample, QUARTERS[0])
    closing = found[(found["metric"] == "pipeline_movement") & (found["slice"] == "closing")]
    stock = found[(found["metric"] == "open_pipeline") & (found["slice_by"] == "")]
    both = closing.set_index("quarter")["value"].compare(stock.set_index("quarter")["value"])
    assert both.empty, both.to_string()


@pytest.mark.parametrize("edition", EDITIONS[1:])
def test_a_quarter_reads_the_same_in_its_own_edition_and_in_a_later_one(sample: Path, edition: str) -> None:
    own, later = said(sample, edition), said(sample, QUARTERS[0])
    own, later = own[own["quarter"] == edition], later[later["quarter"] == edition]
    both = later.merge(own, on=KEY, suffixes=("", "_sql"))
    wrong = differ(both, "value") | differ(both, "n")
    assert_none(
        [
            f"{row.metric} {row.slice_by} {row.slice}: {row.value} n {row.n}, in its own edition {row.value_sql} n {row.n_sql}"
            for row in both[wrong].itertuples()
        ]
    )


@pytest.mark.slow
@pytest.mark.parametrize("edition", QUARTERS)
def test_companies_with_another_calendar_and_currency_agree_as_well(generated: Path, edition: str) -> None:
    assert_none(disagreements(generated, edition, ["value", "numerator", "denominator"]))


@pytest.mark.slow
def test_n_of_other_companies_counts_what_the_metric_says(generated: Path) -> None:
    assert_none(disagreements(generated, QUARTERS[0], ["n"]))


def test_the_oracle_names_a_year_by_its_end_and_begins_days_at_local_midnight() -> None:
    berlin = Fiscal(2, "end", ZoneInfo("Europe/Berlin"))
    assert berlin.quarter("2026Q1") == (date(2025, 2, 1), date(2025, 5, 1))
    assert Fiscal(1, "end", berlin.zone).quarter("2026Q3") == (date(2026, 7, 1), date(2026, 10, 1))
    assert Fiscal(7, "start", berlin.zone).quarter("2026Q3") == (date(2027, 1, 1), date(2027, 4, 1))
    assert str(berlin.instant(date(2026, 7, 1))) == "2026-06-30 22:00:00"
    assert (earlier("2026Q1", 1), earlier("2026Q3", 8), earlier("2026Q4", -1)) == ("2025Q4", "2024Q3", "2027Q1")


def test_the_oracle_finds_a_survival_median_by_hand() -> None:
    # 5 wait; one is won on day 10 (4/5 left), one leaves unwon on day 20, two are won on day 30 (4/5 × 1/3)
    ages = pd.DataFrame({"days": [10, 20, 30, 30, 40], "is_won": [True, False, True, True, False]})
    assert median_days(ages) == 30
    assert median_days(ages.iloc[:2]) == 10
    assert median_days(ages.assign(is_won=False)) is None
