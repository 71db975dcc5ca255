"""A pipeline that grows, of which the truth is known, written as a company's files and read by the product."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import readings_fixture as invented
from tiny import company, deals, read, reading, slices

from abm_lib.metric import REGISTER
from abm_lib.pages import Page
from abm_lib.show import published

TRUE_RATE, TRUE_DAYS, DAYS_TO_LOSE = 0.25, 125, 220
FIRST, END = date(2024, 10, 1), date(2026, 10, 1)
CANONICAL = '[win_rate]\ncanonical_period = "trailing_4_quarters"'
METRICS = ("win_rate_closed", "win_rate_cohort", "sales_cycle_days", "sales_cycle_days_mean", "sales_cycle_days_won")


def begun_on(random: np.random.Generator) -> np.ndarray:
    """Days since the first on which something begins, each quarter two fifths more often than in the last."""
    edges = np.linspace(0, (END - FIRST).days, 9)
    return np.concatenate([random.uniform(edges[q], edges[q + 1], int(60 * 1.4**q)) for q in range(8)]).astype(int)


def drawn(seed: int) -> tuple[str, pd.Series]:
    """Deals qualified over eight quarters, each two fifths more than the last, as seen at the end; and the days of the won to be.

    A quarter of them are won, after 125 days in the mean; the lost take 220: as in life, a no is said late.
    """
    random = np.random.default_rng(seed)
    begun = begun_on(random)
    will = random.random(len(begun)) < TRUE_RATE
    takes = np.ceil(random.gamma(2.0, np.where(will, TRUE_DAYS, DAYS_TO_LOSE) / 2)).astype(int)
    lines = ["deal | qualified | ended | stage | amount"]
    for number, (day, is_won, days) in enumerate(zip(begun.tolist(), will, takes.tolist(), strict=True)):
        qualified = FIRST + timedelta(day)
        ended = qualified + timedelta(days)
        closed = f"{ended} | {'won' if is_won else 'lost'}" if ended < END else "|"
        lines.append(f"d{number} | {qualified} | {closed} | 100")
    return "\n".join(lines), pd.Series(takes[will])


@pytest.fixture(scope="module", params=[1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4, 5))])
def simulated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, pd.Series]:
    lines, days = drawn(request.param)
    folder: Path = company(tmp_path_factory.mktemp("growing"), deals(lines), CANONICAL)
    return read(folder, *METRICS, by=["creation_quarter", "matured_share"]), days


def test_the_true_win_rate_is_that_of_the_cohort_and_not_that_of_closed_deals(
    simulated: tuple[pd.DataFrame, pd.Series],
) -> None:
    table, _ = simulated
    cohort, closed = reading(table, "win_rate_cohort"), reading(table, "win_rate_closed")
    assert cohort["low"] < TRUE_RATE < cohort["high"]
    assert closed["low"] > TRUE_RATE


def test_the_cohort_taken_is_one_of_which_nearly_all_that_will_be_won_is_won(
    simulated: tuple[pd.DataFrame, pd.Series],
) -> None:
    # Half as long again as the median is 160 days: the first quarter of 2026 is 183 days old, and a fifth of its wins to come.
    table, _ = simulated
    cohorts, taken = slices(table, "win_rate_cohort", "creation_quarter"), reading(table, "win_rate_cohort")["value"]
    assert round(taken, 9) == cohorts["2025Q4"]
    closed = slices(table, "win_rate_cohort", "matured_share")
    assert closed["2024Q4"] > 0.95 and closed["2026Q3"] < 0.2


def test_the_true_cycle_is_that_of_all_deals_and_not_the_mean_of_the_won(
    simulated: tuple[pd.DataFrame, pd.Series],
) -> None:
    table, truth = simulated
    middle, mean, naive = (reading(table, f"sales_cycle_days{end}") for end in ("", "_mean", "_won"))
    assert middle["low"] <= truth.median() <= middle["high"]
    assert mean["value"] == pytest.approx(truth.mean(), rel=0.1)
    assert naive["high"] < truth.mean()


def test_the_card_of_the_canonical_rate_shows_both(simulated: tuple[pd.DataFrame, pd.Series]) -> None:
    page = Page("revenue", simulated[0], invented.EDITION, REGISTER)
    numbers = published.numbers(str(page.scorecard("win_rate_closed").html))
    shown = {
        number.metric: number.value for number in numbers if number.field == "value" and number.quarter == "2026Q3"
    }
    for metric in ("win_rate_closed", "win_rate_cohort"):
        assert shown[metric] == pytest.approx(reading(simulated[0], metric)["value"])


# Accounts on their way to an opportunity


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))])
def test_the_true_days_to_an_opportunity_are_found_while_many_accounts_still_wait(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    begun = begun_on(random)
    will, takes = random.random(len(begun)) < 0.6, np.ceil(random.gamma(2.0, 60, len(begun))).astype(int)
    lines = ["deal | account_id | qualified | ended | stage | amount"]
    touches = ["touch_id | touched_at | account_id | person_id | channel | kind | is_response"]
    for number, (day, comes, days) in enumerate(zip(begun.tolist(), will, takes.tolist(), strict=True)):
        touched, qualified = FIRST + timedelta(day), FIRST + timedelta(day + days)
        touches.append(f"t{number} | {touched} | a{number} | | webinar | webinar | yes")
        if comes and qualified < END:
            lines.append(f"d{number} | a{number} | {qualified} | | | 100")
    folder = company(tmp_path, deals("\n".join(lines)) | {"touches": "\n".join(touches)})
    table, truth = read(folder, "pipeline_generation_days", by=["naive"]), pd.Series(takes[will])
    found = reading(table, "pipeline_generation_days")
    naive = reading(table, "pipeline_generation_days", "naive", "mean of those that came")
    assert found["low"] <= truth.median() <= found["high"]
    assert naive["high"] < truth.mean()
