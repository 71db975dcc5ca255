"""What was planted in the sample company is found, and where outcomes are dealt anew nothing is, but for the stated error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny import SAMPLE, opened_small, reading, sample_readings, slices

from abm_lib import intervals
from abm_lib.facts import Base, Cut
from abm_lib.facts.comparisons import touched_contests
from abm_lib.facts.indicators import lifts, pooled
from abm_lib.metric import REGISTER
from abm_lib.show.findings import LEVEL, clear_differences, findings, judged, widened
from abm_lib.show.findings import _compared as compared_slices
from abm_lib.show.rows import Readings, Row

SHUFFLES = 300
QUARTER_OF_END = {"2024-06-30": "2024Q2", "2025-03-31": "2025Q1", "2025-12-31": "2025Q4", "2026-09-30": "2026Q3"}
FEWEST = 10


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return sample_readings(tmp_path_factory)


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def base() -> Base:
    company = opened_small(SAMPLE)
    return Base(company, company.calendar.quarter("2026Q3"), None, 1)


def test_the_campaign_that_works_is_the_one_campaign_that_stands_out(
    table: pd.DataFrame, truth: dict[str, Any]
) -> None:
    campaigns = pd.read_csv(SAMPLE / "campaigns.csv").set_index("campaign_id")["name"]
    planted = campaigns[truth["campaign_that_works"]["campaign_id"]]
    found = findings(Readings(table, REGISTER, "2026Q3"), ["revenue"])
    assert [f.row.slice for f in found if f.row.metric == "campaign_win_rate_difference"] == [planted]
    row = reading(table, "campaign_win_rate_difference", "campaign", planted)
    assert row["low"] <= truth["campaign_that_works"]["planned_win_rate_lift"] <= row["high"]


def test_the_wins_entered_after_settling_are_what_restates_the_four_quarters_before(
    table: pd.DataFrame, truth: dict[str, Any]
) -> None:
    late = pd.DataFrame(truth["restated_after_settling"]).query("stage == 'won' and '2025Q3' <= quarter <= '2026Q2'")
    steps = slices(table, "revenue_restatement", "movement")
    assert {name: value for name, value in steps.items() if value and name not in ("opening", "closing")} == {
        "recorded_late": round(late["amount_in_reporting_currency"].sum(), 2)
    }
    assert reading(table, "restated_revenue_share")["n"] == len(late) == 5


# What truth.json calls the indicator, and the leading metric that counts it.
INDICATORS = {"two or more engaged people": "multithreaded_account_rate"}


def test_the_leading_indicator_leads_by_as_much_as_was_planted(table: pd.DataFrame, truth: dict[str, Any]) -> None:
    planted = truth["leading_indicator"]
    name = INDICATORS[planted["indicator"]]
    found = reading(table, "leading_indicator_lift", "indicator", name)
    assert found["low"] <= planted["progressed_with"] - planted["progressed_without"] <= found["high"]
    clear = clear_differences(Readings(table, REGISTER, "2026Q3"), ["quality"])
    assert name in {f.row.slice for f in clear if f.row.metric == "leading_indicator_lift" and f.difference > 0}


def test_the_segment_that_wins_is_the_one_that_stands_out(table: pd.DataFrame, truth: dict[str, Any]) -> None:
    planted = truth["segment_that_wins"]["segment"]
    found = clear_differences(Readings(table, REGISTER, "2026Q3"), ["revenue"])
    said = {
        f.row.slice: f.difference for f in found if (f.row.metric, f.row.slice_by) == ("win_rate_closed", "segment")
    }
    assert said[planted] > 0 and not [name for name, by in said.items() if by > 0 and name != planted]


def test_experiments_end_as_they_were_planted(table: pd.DataFrame, truth: dict[str, Any]) -> None:
    names = pd.read_csv(SAMPLE / "experiments.csv").set_index("experiment_id")
    shown = set(table["quarter"])
    ended = {each: QUARTER_OF_END[day] for each, day in names["ends_on"].items()}
    assert [each for each, quarter in ended.items() if quarter in shown] == [
        "x2",
        "x3",
        "x4",
    ]  # x1 ended before those shown
    for planted in (each for each in truth["experiments"] if ended[each["experiment_id"]] in shown):
        quarter = ended[planted["experiment_id"]]
        found = reading(
            table, "ad_experiment_difference", "experiment", names["name"][planted["experiment_id"]], quarter
        )
        assert found["value"] == pytest.approx(planted["click_rate_B"] - planted["click_rate_A"], abs=2e-6)
        winner = {"B wins clearly": found["low"] > 0, "no difference": found["low"] < 0 < found["high"]}
        assert winner.get(planted["verdict"], True), planted


def test_the_page_that_does_not_keep_the_ads_promise_is_named(table: pd.DataFrame, truth: dict[str, Any]) -> None:
    planted = truth["landing_page_mismatched"]["page"]
    assert slices(table, "landing_pages_mismatched", "landing_page")[planted] == 1


def test_media_differ_from_finance_by_as_much_as_was_planted(table: pd.DataFrame, truth: dict[str, Any]) -> None:
    found = reading(table, "finance_tie_out", "metric", "ad_spend")
    assert abs(found["value"] - 1) == pytest.approx(truth["finance_media_difference"], abs=5e-4)


def test_target_accounts_did_no_better_before_they_were_worked_on_and_better_since(table: pd.DataFrame) -> None:
    before, after = (reading(table, "target_account_lift", "period", name) for name in ("before", "after"))
    assert before["low"] < 0 < before["high"] and after["low"] > 0


def _clear(row: Row, told: tuple[float, float, float], widen: float) -> bool:
    """Whether a page says that this difference, with its ends, stands out."""
    return judged(row, None, told, widen) is not None


def test_of_shuffled_wins_a_campaign_stands_out_once_in_twenty_at_most(base: Base, table: pd.DataFrame) -> None:
    row = Readings(table, REGISTER, "2026Q3").slices("campaign_win_rate_difference", "campaign")[0]
    cut = Cut(base, "trailing_8_quarters")
    met = base.tables.engine.collect(touched_contests(cut))
    deals = sorted(set(met["opportunity_id"]))
    member = pd.crosstab(met["campaign"], met["opportunity_id"]).reindex(columns=deals).to_numpy()
    member = member[(member.sum(axis=1) >= FEWEST) & (len(deals) - member.sum(axis=1) >= FEWEST)]
    won = met.drop_duplicates("opportunity_id").set_index("opportunity_id")["is_won"].reindex(deals).to_numpy(int)
    widen, random, said = widened(len(member)), np.random.default_rng(17), 0
    for _ in range(SHUFFLES):
        dealt = random.permutation(won)
        k, n = member @ dealt, member.sum(axis=1)
        low, high = intervals.newcombe(k, n, dealt.sum() - k, len(dealt) - n)
        difference = k / n - (dealt.sum() - k) / (len(dealt) - n)
        said += any(_clear(row, told, widen) for told in zip(difference, low, high, strict=True))
    assert len(member) > 40 and said <= SHUFFLES * LEVEL


@pytest.mark.slow
def test_of_shuffled_progress_an_indicator_leads_once_in_twenty_at_most(base: Base, table: pd.DataFrame) -> None:
    engine, told = base.tables.engine, Readings(table, REGISTER, "2026Q3")
    rows = (
        engine.collect(pooled(base)).sort_values(["window", "tier", "indicator", "account_id"]).reset_index(drop=True)
    )
    types = {"quarter": "VARCHAR", "window": "VARCHAR", "indicator": "VARCHAR", "account_id": "VARCHAR", "tier": "VARCHAR",
             "is_progressed": "BOOLEAN", "has_it": "BOOLEAN"}  # fmt: skip
    # All that the page compares shares its one error in twenty.
    beside = [each for name, m in REGISTER.items() if m.family == "quality" for each in compared_slices(told, name)]
    widen, row = widened(len(beside)), told.slices("leading_indicator_lift", "indicator")[0]
    dealt = _dealt(rows[list(types)], 200)
    said = sum(_says_something(row, engine.collect(lifts(engine.frame(each, types))), widen) for each in dealt)
    assert said <= 200 * LEVEL


def _dealt(rows: pd.DataFrame, times: int) -> Iterator[pd.DataFrame]:
    """Progress of a quarter and tier dealt anew among its accounts, each account's the same for every indicator."""
    random = np.random.default_rng(23)
    accounts = rows.drop_duplicates(["window", "account_id"])[["window", "tier", "account_id", "is_progressed"]]
    for _ in range(times):
        places = accounts.groupby(["window", "tier"])["is_progressed"]
        new = accounts.assign(is_progressed=places.transform(lambda own: random.permutation(own.to_numpy())))
        yield rows.drop(columns="is_progressed").merge(new, on=["window", "tier", "account_id"])[rows.columns]


def _says_something(row: Row, found: pd.DataFrame, widen: float) -> bool:
    groups = list(found.sort_values(["indicator", "account_id"]).groupby("indicator"))
    for name, own in groups:
        low, high = intervals.bootstrap(own["lift"], own["pairs"], seed_text=str(name), resamples=399)
        if _clear(row, (own["lift"].sum() / own["pairs"].sum(), low, high), widen):
            return True
    return False
