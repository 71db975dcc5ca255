"""What was planted in the sample company is found, and where outcomes are dealt anew nothing is, but for the stated error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny import SAMPLE, opened_small, reading, sample_readings

from abm_lib import intervals
from abm_lib.facts import Base, Cut
from abm_lib.facts.comparisons import touched_contests
from abm_lib.facts.indicators import lifts, pooled
from abm_lib.metric import REGISTER
from abm_lib.show.findings import LEVEL, findings
from abm_lib.show.findings import _compared as compared_slices
from abm_lib.show.rows import Readings

SHUFFLES = 300
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


def test_the_leading_indicator_leads(table: pd.DataFrame) -> None:
    found = reading(table, "leading_indicator_lift", "indicator", "multithreaded_account_rate")
    assert found["low"] > 0


def test_target_accounts_did_no_better_before_they_were_worked_on_and_better_since(table: pd.DataFrame) -> None:
    before, after = (reading(table, "target_account_lift", "period", name) for name in ("before", "after"))
    assert before["low"] < 0 < before["high"] and after["low"] > 0


def _widened(compared: int) -> float:
    return NormalDist().inv_cdf(1 - LEVEL / 2 / compared) / intervals.Z


def _clear(difference: float, low: float, high: float, widen: float) -> bool:
    reach = ((difference - low) if difference > 0 else (high - difference)) * widen
    return abs(difference) > reach


def test_of_shuffled_wins_a_campaign_stands_out_once_in_twenty_at_most(base: Base) -> None:
    cut = Cut(base, "trailing_8_quarters")
    met = base.tables.engine.collect(touched_contests(cut))
    deals = sorted(set(met["opportunity_id"]))
    member = pd.crosstab(met["campaign"], met["opportunity_id"]).reindex(columns=deals).to_numpy()
    member = member[(member.sum(axis=1) >= FEWEST) & (len(deals) - member.sum(axis=1) >= FEWEST)]
    won = met.drop_duplicates("opportunity_id").set_index("opportunity_id")["is_won"].reindex(deals).to_numpy(int)
    widen, random, said = _widened(len(member)), np.random.default_rng(17), 0
    for _ in range(SHUFFLES):
        dealt = random.permutation(won)
        k, n = member @ dealt, member.sum(axis=1)
        low, high = intervals.newcombe(k, n, dealt.sum() - k, len(dealt) - n)
        difference = k / n - (dealt.sum() - k) / (len(dealt) - n)
        said += any(_clear(*told, widen) for told in zip(difference, low, high, strict=True))
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
    widen = _widened(len(beside))
    dealt = _dealt(rows[list(types)], 200)
    said = sum(_says_something(engine.collect(lifts(engine.frame(each, types))), widen) for each in dealt)
    assert said <= 200 * LEVEL


def _dealt(rows: pd.DataFrame, times: int) -> Iterator[pd.DataFrame]:
    """Progress of a quarter and tier dealt anew among its accounts, each account's the same for every indicator."""
    random = np.random.default_rng(23)
    accounts = rows.drop_duplicates(["window", "account_id"])[["window", "tier", "account_id", "is_progressed"]]
    for _ in range(times):
        places = accounts.groupby(["window", "tier"])["is_progressed"]
        new = accounts.assign(is_progressed=places.transform(lambda own: random.permutation(own.to_numpy())))
        yield rows.drop(columns="is_progressed").merge(new, on=["window", "tier", "account_id"])[rows.columns]


def _says_something(found: pd.DataFrame, widen: float) -> bool:
    groups = list(found.sort_values(["indicator", "account_id"]).groupby("indicator"))
    for name, own in groups:
        low, high = intervals.bootstrap(own["lift"], own["pairs"], seed_text=str(name), resamples=399)
        if _clear(own["lift"].sum() / own["pairs"].sum(), low, high, widen):
            return True
    return False
