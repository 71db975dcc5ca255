"""Sums that must tie, over the sample company and over a small one with another calendar, currency and seed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tiny import read, sample_readings

from abm_lib import sample
from abm_lib.facts.movement import FLOWS
from abm_lib.metric import REGISTER
from abm_lib.slices import ONE_QUARTER, TIME

ADDITIVE = [m for m in REGISTER.values() if m.additive and m.has_whole]
MOVEMENTS = ("movement", "bridge/movement", "movement/tier", "movement/business_type")
OTHERS = ("pipeline_movement", "influenced_pipeline", "influenced_pipeline_share", "influenced_target_accounts",
          "influenced_pipeline_by_touches", "marketing_sourced_pipeline_share", "marketing_sourced_revenue_share",
          "revenue_restatement", "restated_revenue_share")  # fmt: skip
CENT = 0.005
GENEROUS = (
    "any_touch",
    "one_response",
    "default",
    "strict",
)  # rules of influence: each asks for all that the one before does


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    sample.write(folder, seed=23, scale=0.05, first_month=2, currency="USD", last_quarter="2027Q2")
    return folder


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return sample_readings(tmp_path_factory)


@pytest.fixture(scope="module")
def generated(small: Path) -> pd.DataFrame:
    by = (
        {name for metric in ADDITIVE for name in metric.by} | set(MOVEMENTS) | {"rule", "source_owner", "least_touches"}
    )
    return read(small, *(m.name for m in ADDITIVE), *OTHERS, by=by, quarter="2027Q2")


@pytest.fixture(scope="module")
def settled(small: Path) -> pd.DataFrame:
    """The small company with ten years to settle: nothing is recorded late."""
    settings = (small / "abm.toml").read_text(encoding="utf-8")
    (small / "abm.toml").write_text(settings.replace("settle_days = 10 ", "settle_days = 3650 "), encoding="utf-8")
    metrics = ("closed_won_revenue", "deals_won", "pipeline_movement", "open_pipeline", "revenue_restatement")
    return read(small, *metrics, by=["year", "quarter", *MOVEMENTS], quarter="2027Q2")


@pytest.fixture(params=["sampled", "generated"])
def table(request: pytest.FixtureRequest) -> pd.DataFrame:
    return request.getfixturevalue(request.param)


def whole(table: pd.DataFrame, metric: str, column: str = "value") -> pd.Series:
    return table[(table["metric"] == metric) & (table["slice_by"] == "")].set_index("quarter")[column]


def summed(table: pd.DataFrame, metric: str, slice_by: str, column: str = "value") -> pd.Series:
    found = table[(table["metric"] == metric) & (table["slice_by"] == slice_by)]
    return found.groupby("quarter")[column].sum()


def same(one: pd.Series, other: pd.Series) -> bool:
    """Alike to the cent in every quarter; a quarter without a row has nothing in it."""
    assert len(one) or len(other)
    return bool(((one.reindex(other.index, fill_value=0.0) - other).abs() < CENT).all())


@pytest.mark.parametrize("name", [m.name for m in ADDITIVE])
def test_the_slices_of_an_additive_metric_sum_to_the_whole(table: pd.DataFrame, name: str) -> None:
    metric = REGISTER[name]
    # A metric of new business has business types that it does not count itself.
    telling = [by for by in metric.by if by not in TIME and not (by == "business_type" and metric.scope == "new")]
    # A window is the same counted over another time; who joined and left the list is no part of who is on it.
    telling = [by for by in telling if by != "window" and (name, by) != ("target_accounts", "movement")]
    telling = [by for by in telling if by != "exchange_rates"]  # another sum of the same
    assert telling or set(metric.by) <= set(TIME)
    expected = whole(table, name, "numerator")
    for slice_by in telling:
        shown = expected.iloc[-1:] if slice_by in ONE_QUARTER else expected  # campaigns stand for one quarter only
        assert same(summed(table, name, slice_by, "numerator"), shown), slice_by


@pytest.mark.parametrize("name", [m.name for m in ADDITIVE if "month" in m.by])
def test_months_sum_to_the_quarter(table: pd.DataFrame, name: str) -> None:
    assert same(summed(table, name, "month", "numerator"), whole(table, name, "numerator"))


@pytest.mark.parametrize("name", ["marketing_sourced_pipeline_share", "marketing_sourced_revenue_share"])
def test_the_shares_of_the_source_owners_sum_to_1(table: pd.DataFrame, name: str) -> None:
    shares = summed(table, name, "source_owner")[whole(table, name).notna()]
    assert len(shares) >= 5 and ((shares - 1).abs() < 1e-9).all()


def steps(table: pd.DataFrame, slice_by: str) -> pd.DataFrame:
    """The movement as a table: a row for each quarter and bridge, tier or business type, a column for each step."""
    found = table[(table["metric"] == "pipeline_movement") & (table["slice_by"] == slice_by)]
    parts = found["slice"].str.split("/", expand=True)
    found = found.assign(step=parts[list(slice_by.split("/")).index("movement")])
    rest = parts.drop(columns=list(slice_by.split("/")).index("movement"))
    found["of"] = rest[rest.columns[0]] if len(rest.columns) else ""
    table = found.pivot(index=["quarter", "of"], columns="step", values="value")
    return table.reindex(columns=["opening", *FLOWS, "fx", "re_tiered", "closing", "residual"]).fillna(0.0)


@pytest.mark.parametrize("slice_by", MOVEMENTS)
def test_the_movement_closes_without_a_residual(table: pd.DataFrame, slice_by: str) -> None:
    moved = steps(table, slice_by)
    quarters = moved.index.get_level_values("quarter").nunique()
    assert quarters in (1, 8)  # a slice of many values is published for the last quarter only
    assert (moved["residual"] == 0).all()
    flows = moved.drop(columns=["opening", "closing", "residual"]).sum(axis=1)
    assert ((moved["opening"] + flows - moved["closing"]).abs() < CENT).all()
    assert (moved["closing"] != 0).any()


def test_the_restatement_leads_from_the_trend_to_what_is_known_now(table: pd.DataFrame) -> None:
    found = table[(table["metric"] == "revenue_restatement") & (table["slice_by"] == "movement")]
    moved = found.pivot(index="quarter", columns="slice", values="value")
    changed = moved.drop(columns=["opening", "closing"]).sum(axis=1)
    assert ((moved["opening"] + changed - moved["closing"]).abs() < CENT).all()
    assert same(changed, whole(table, "restated_revenue_share", "numerator"))
    trend = whole(table, "closed_won_revenue", "value")
    told = trend.rolling(4).sum().shift(1).dropna()
    assert len(told) == 4 and same(moved["opening"][told.index], told)


def test_nothing_is_restated_where_nothing_is_recorded_late(settled: pd.DataFrame) -> None:
    found = settled[(settled["metric"] == "revenue_restatement") & (settled["value"] != 0)]
    assert set(found["slice"]) == {"opening", "closing"}


def test_movements_have_the_sign_of_what_they_did(table: pd.DataFrame) -> None:
    moved = steps(table, "bridge/movement")
    assert (moved[["opening", "created", "reopened", "pulled_in", "amount_up", "closing"]] >= 0).all(axis=None)
    assert (moved[["amount_down", "pushed_out", "won", "lost", "deleted"]] <= 0).all(axis=None)
    assert (moved.xs("all_open", level="of")[["pulled_in", "pushed_out"]] == 0).all(axis=None)


def test_influenced_never_exceeds_created_and_any_touch_never_less_than_the_default(table: pd.DataFrame) -> None:
    created = whole(table, "pipeline_created")
    for name in ("influenced_pipeline", "influenced_pipeline_share", "influenced_target_accounts"):
        rules = table[(table["metric"] == name) & (table["slice_by"] == "rule")].pivot(
            index="quarter", columns="slice", values="value"
        )
        assert len(rules) == 8 and (rules["any_touch"] >= rules["default"]).all()
        assert (rules["any_touch"] > rules["default"]).any()
        assert (rules[list(GENEROUS[:-1])].to_numpy() >= rules[list(GENEROUS[1:])].to_numpy()).all()
        assert same(whole(table, name), rules["default"])
        if name != "influenced_target_accounts":
            most = created + CENT if name == "influenced_pipeline" else 1.0
            assert rules.le(most, axis=0).all(axis=None)


def test_the_curve_of_influence_never_rises_with_the_touches_asked_for_nor_passes_all_that_was_created(
    table: pd.DataFrame,
) -> None:
    curve = table[(table["metric"] == "influenced_pipeline_by_touches") & (table["slice_by"] == "least_touches")]
    curve = curve.pivot(index="quarter", columns="slice", values="value").dropna()
    assert len(curve) and list(curve.columns) == ["01", "02", "03", "05", "08", "13"]
    assert (curve.diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)
    assert curve.le(1.0).all(axis=None)


def test_influenced_is_never_added_to_sourced() -> None:
    both = [
        m.name for m in REGISTER.values() if any(n.startswith("influenced") for n in m.of) and m.family != "quality"
    ]
    assert both == []


def test_marketing_sourced_is_a_part_of_all_that_was_created_and_won(table: pd.DataFrame) -> None:
    assert (whole(table, "marketing_sourced_pipeline") <= whole(table, "pipeline_created") + CENT).all()
    assert (whole(table, "marketing_sourced_opportunities") <= whole(table, "opportunities_created")).all()
    assert (whole(table, "marketing_sourced_revenue") <= whole(table, "closed_won_revenue") + CENT).all()


def test_the_year_is_the_sum_of_its_quarters(settled: pd.DataFrame) -> None:
    """With time to settle: else a win recorded late is in the year to date and in no quarter."""
    for name in ("closed_won_revenue", "deals_won"):
        quarters, years = whole(settled, name), settled[(settled["metric"] == name) & (settled["slice_by"] == "year")]
        assert same(summed(settled, name, "quarter"), quarters)
        for row in years[years["quarter"] >= "2026Q1"].itertuples():
            inside = [label for label in quarters.index if label[:4] == row.slice and label <= row.quarter]
            assert abs(row.value - quarters[inside].sum()) < CENT
        assert len(years) == 8


@pytest.mark.parametrize("slice_by", ["movement", "movement/business_type"])
def test_a_quarter_opens_with_what_the_one_before_closed_with(settled: pd.DataFrame, slice_by: str) -> None:
    moved = steps(settled, slice_by).unstack("of")
    opening, closing = moved["opening"], moved["closing"]
    assert ((opening - closing.shift()).iloc[1:].abs() < CENT).all(axis=None)
    assert (opening != 0).any(axis=None)


def test_the_bridge_closes_with_open_pipeline(table: pd.DataFrame) -> None:
    assert same(steps(table, "movement").droplevel("of")["closing"], whole(table, "open_pipeline"))
