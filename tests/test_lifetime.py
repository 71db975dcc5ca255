"""Lifetimes by the shifted-beta-geometric model: the published tables, and what must hold."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from abm_lib.lifetime import Renewals, fitted


def oracle(name: str) -> pd.DataFrame:
    """A table worked out by others; it lies beside the folder named by ABM_EXTERNAL_DATA."""
    path = (ROOT / os.environ.get("ABM_EXTERNAL_DATA", "../shared/data")).parent / "oracles" / name
    if not path.is_file():
        pytest.skip(f"no {name}: set ABM_EXTERNAL_DATA to a folder that has a folder 'oracles' beside it")
    return pd.read_csv(path)


def cohort(name: str, renewals: int) -> tuple[list[int], list[int]]:
    """A thousand customers of a published cohort: at which renewal each left, or 0, and how many each stayed through."""
    alive = (oracle("sbg_survival.csv")[f"{name}_pct_surviving"] * 10).round().astype(int)[: renewals + 1].tolist()
    left = [n for n in range(1, renewals + 1) for _ in range(alive[n - 1] - alive[n])]
    return left + [0] * alive[renewals], [0] * len(left) + [renewals] * alive[renewals]


@pytest.mark.parametrize("row", range(4))
def test_the_fit_of_both_published_cohorts_has_their_parameters(row: int) -> None:
    expected = oracle("sbg_expected.csv").iloc[row]
    found = fitted(*cohort(expected["cohort"], int(expected["renewals_used"])))
    assert found is not None
    assert (found.alpha, found.beta) == pytest.approx((expected["alpha"], expected["beta"]), rel=1e-3)
    assert found.log_likelihood == pytest.approx(expected["loglik"], abs=1e-3)


def test_the_first_five_points_foretell_the_next_six_as_published() -> None:
    found = Renewals(1.281009, 7.790563, 0)
    published = [53.44303, 48.57783, 44.44895, 40.90608, 37.83658, 35.15453]
    assert 100 * found.surviving(range(5, 11)) == pytest.approx(published, abs=1e-4)


@pytest.mark.parametrize("row", range(10))
def test_the_discounted_residual_lifetime_is_that_of_the_published_formula(row: int) -> None:
    expected = oracle("sbg_derl.csv").iloc[row]
    found = Renewals(expected["alpha"], expected["beta"], 0).residual(
        int(expected["n_contract_period"]), expected["discount"]
    )
    assert found == pytest.approx(expected["DERL"], abs=1e-6)


def test_a_new_customers_lifetime_is_the_discounted_sum_of_those_still_there() -> None:
    model = Renewals(0.668, 3.806, 0)
    years = np.arange(5_000)
    assert model.lifetime(0.1) == pytest.approx(float((model.surviving(years) / 1.1**years).sum()), rel=1e-9)


def test_who_stays_longer_is_worth_more_than_who_is_new() -> None:
    model = Renewals(0.668, 3.806, 0)
    assert model.residual(1, 0.1) < model.residual(2, 0.1) < model.residual(5, 0.1)


def test_customers_that_came_into_sight_late_do_not_pass_for_loyal_ones() -> None:
    random = np.random.default_rng(3)
    chance = random.beta(1.0, 4.0, 6_000)
    left = random.geometric(chance)
    seen_from, until = random.integers(0, 4, 6_000), 8
    seen = left > seen_from  # the others had left before the records begin
    gone = seen & (left <= until)
    found = fitted(np.where(gone, left, 0)[seen], np.full(seen.sum(), until), seen_from[seen])
    assert found is not None
    assert found.surviving([1, 4, 8]) == pytest.approx(Renewals(1.0, 4.0, 0).surviving([1, 4, 8]), abs=0.02)
    careless = fitted(np.where(gone, left, 0)[seen], np.full(seen.sum(), until))
    assert careless is not None and careless.surviving(1) > found.surviving(1) + 0.03


def test_too_few_customers_or_too_few_who_left_are_not_fitted() -> None:
    assert fitted([1] * 5 + [0] * 10, [0] * 5 + [3] * 10) is None
    assert fitted([1] * 4 + [0] * 96, [0] * 4 + [3] * 96) is None


def test_customers_who_all_have_the_same_chance_to_leave_are_fitted_by_one() -> None:
    random = np.random.default_rng(9)
    left = random.geometric(0.1, 4_000)
    found = fitted(np.where(left <= 6, left, 0), np.full(4_000, 6))
    assert found is not None and np.isfinite(found.lifetime(0.1))
    assert found.surviving([1, 6]) == pytest.approx(np.array([0.9, 0.9**6]), abs=0.02)
