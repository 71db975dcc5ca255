"""Waits with those still waiting: textbook tables, other packages, and a pipeline whose truth is known."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from abm_lib.survival import (
    aalen_johansen,
    day_of_most_to_come,
    kaplan_meier,
    log_rank,
    mean_of_those_to_come,
    median_of_those_to_come,
    median_wait,
)

FEW = settings(max_examples=50)
QUIET = pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")


def oracle(name: str) -> pd.DataFrame:
    """A table worked out by others; it lies beside the folder named by ABM_EXTERNAL_DATA."""
    path = (ROOT / os.environ.get("ABM_EXTERNAL_DATA", "../shared/data")).parent / "oracles" / name
    if not path.is_file():
        pytest.skip(f"no {name}: set ABM_EXTERNAL_DATA to a folder that has a folder 'oracles' beside it")
    return pd.read_csv(path)


def unknown(numbers: tuple[float, ...]) -> bool:
    return all(math.isnan(number) for number in numbers)


def test_curves_do_not_load_scipys_statistics_before_one_is_asked_for() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import sys, abm_lib.survival; print('scipy.stats' in sys.modules)"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert said.stdout.strip() == "False"


# Kaplan and Meier


def test_the_curve_of_the_6mp_arm_is_that_of_every_textbook() -> None:
    table, expected = oracle("km_freireich_6mp.csv"), oracle("km_freireich_6mp_expected.csv")
    curve = kaplan_meier(table["T"], table["E"])
    found = dict(zip(curve.days, curve.share, strict=True))
    for row in expected.itertuples():
        assert round(found[row.t], 3) == row.S_published
        assert found[row.t] == pytest.approx(row.S, abs=5e-7)


@pytest.mark.external
def test_the_curve_of_waltons_flies_and_its_band_are_those_of_lifelines() -> None:
    table, expected = oracle("km_waltons.csv"), oracle("km_waltons_expected.csv").iloc[1:]
    curve = kaplan_meier(table["T"], table["E"])
    found = pd.DataFrame({"t": curve.days, "S": curve.share, "low": curve.low, "high": curve.high}).set_index("t")
    for row in expected.itertuples():
        assert found.loc[row.timeline, "S"] == pytest.approx(row.S, abs=6e-9)
        if row.S > 0:
            assert tuple(found.loc[row.timeline, ["low", "high"]]) == pytest.approx((row.lo95, row.hi95), abs=6e-9)


@pytest.mark.external
def test_the_log_rank_test_of_waltons_flies_has_the_published_statistic() -> None:
    table = oracle("km_waltons.csv")
    one, other = (table[table["group"] == group] for group in ("control", "miR-137"))
    chi_squared, p = log_rank(one["T"], one["E"], other["T"], other["E"])
    assert chi_squared == pytest.approx(122.249126, abs=1e-6)
    assert p == pytest.approx(2.04e-28, rel=0.01)


def test_the_median_wait_of_a_hand_worked_table() -> None:
    # At risk 6, 5, 4, 2, 1: S = 5/6, 2/3 after day 9, censored at 10 and 12, then 1/2 * 2/3 = 1/3 at day 20.
    days, happened = [5, 9, 10, 12, 20, 30], [1, 1, 0, 0, 1, 0]
    assert median_wait(days, happened)[0] == 20


def test_a_curve_at_exactly_one_half_has_reached_it() -> None:
    assert median_wait([1, 2, 3, 4], [1, 1, 1, 1])[0] == 2
    # 23/24 x 22/23 x ... x 12/13 is one half, and floating point makes it a little more.
    assert median_wait(range(1, 25), [1] * 12 + [0] * 12)[0] == 12


def test_a_wait_that_most_still_wait_out_has_no_median_and_no_upper_end() -> None:
    median, low, high = median_wait([3, 5, 50, 50, 50, 50, 50, 50], [1, 1, 0, 0, 0, 0, 0, 0])
    assert unknown((median, high))
    # At day 3 S = 7/8, and the band's lower side is exp(-exp(ln(-ln 7/8) + 1.96 x 1.00075)) = 0.387.
    assert low == 3


@pytest.mark.parametrize(("days", "happened"), [([], []), ([4, 8, 9], [0, 0, 0])])
def test_where_nothing_happened_there_is_no_median(days: list[float], happened: list[int]) -> None:
    assert unknown(median_wait(days, happened))
    assert unknown(median_of_those_to_come(days, happened, [0] * len(days)))
    assert math.isnan(mean_of_those_to_come(days, happened, [1] * len(days)))
    assert math.isnan(day_of_most_to_come(days, happened, [1] * len(days), 0.9))


@pytest.mark.parametrize("wait", [median_wait, lambda days, over: aalen_johansen(days, over, over)])
def test_a_missing_wait_is_refused_and_not_guessed(wait: object) -> None:
    with pytest.raises(ValueError, match="missing value"):
        wait([1.0, math.nan], [1, 0])  # type: ignore[operator]


@pytest.mark.external
@pytest.mark.parametrize(
    ("group", "expected"),
    [(None, (56, 53, 58)), ("control", (58, 56, 60)), ("miR-137", (26, 19, 29))],
)
def test_the_median_wait_of_waltons_flies_is_that_of_lifelines(group: str | None, expected: tuple[int, ...]) -> None:
    table = oracle("km_waltons.csv")
    rows = table if group is None else table[table["group"] == group]
    assert median_wait(rows["T"], rows["E"]) == expected


def drawn(seed: int, size: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Waits in whole days, some of them cut short."""
    random = np.random.default_rng(seed)
    waits, limits = (random.exponential(40, size).round() + 1, random.uniform(20, 150, size).round() + 1)
    return np.minimum(waits, limits), waits <= limits


@QUIET
@pytest.mark.parametrize("seed", range(12))
def test_the_median_wait_equals_statsmodels(seed: int) -> None:
    days, happened = drawn(seed)
    theirs = SurvfuncRight(days, happened)
    assert median_wait(days, happened) == (theirs.quantile(0.5), *theirs.quantile_ci(0.5, method="cloglog"))


# Aalen and Johansen


def test_an_incidence_worked_out_by_hand() -> None:
    # Of 5, one is won on day 1 (1/5), one lost on day 2 (3/5 wait), one open leaves, one of 2 is won on day 4 (3/5 x 1/2).
    curve = aalen_johansen([1, 2, 3, 4, 9], [1, 0, 0, 1, 0], [0, 1, 0, 0, 0])
    assert curve.days.tolist() == [1, 2, 4]
    assert curve.share == pytest.approx([1 / 5, 1 / 5, 1 / 2])
    assert curve.at(3.5)[0] == pytest.approx(1 / 5) and curve.at(0.5)[0] == 0
    assert median_of_those_to_come([1, 2, 3, 4, 9], [1, 0, 0, 1, 0], [0, 1, 0, 0, 0])[0] == 4
    # Of the half that is won two fifths come on day 1, the rest on day 4.
    assert [day_of_most_to_come([1, 2, 3, 4, 9], [1, 0, 0, 1, 0], [0, 1, 0, 0, 0], p) for p in (0.4, 0.41)] == [1, 4]
    assert mean_of_those_to_come([1, 2, 3, 4, 9], [1, 0, 0, 1, 0], [0, 1, 0, 0, 0]) == pytest.approx(
        (1 * 0.2 + 4 * 0.3) / 0.5
    )


@QUIET
@pytest.mark.parametrize("seed", range(8))
def test_the_incidence_and_its_variance_equal_statsmodels(seed: int) -> None:
    random = np.random.default_rng(seed)
    days, state = np.ceil(random.exponential(90, 150)), random.integers(0, 3, 150)
    theirs, ours = CumIncidenceRight(days, state), aalen_johansen(days, state == 1, state == 2)
    expected = pd.DataFrame({"share": theirs.cinc[0], "error": theirs.cinc_se[0]}, index=theirs.times).loc[ours.days]
    assert ours.share == pytest.approx(expected["share"].to_numpy(), abs=1e-12)
    known = (
        np.isfinite(ours.low)
        & np.isfinite(expected["error"].to_numpy())
        & (np.arange(len(ours.days)) < len(ours.days) - 1)
    )
    half = 1.959963984540054 * expected["error"].to_numpy()[known]
    level = np.log(-np.log(ours.share[known]))
    slope = -ours.share[known] * np.log(ours.share[known])
    assert np.log(-np.log(ours.low[known])) - level == pytest.approx(half / slope, abs=1e-9)


@FEW
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=1, max_size=30))
def test_what_came_what_came_instead_and_who_still_waits_are_everybody(rows: list[tuple[int, int]]) -> None:
    days, state = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows])
    won, lost = aalen_johansen(days, state == 1, state == 2), aalen_johansen(days, state == 2, state == 1)
    if len(won.days):
        waiting = kaplan_meier(days, state > 0)
        left = dict(zip(waiting.days, waiting.share, strict=True))
        for day, one, other in zip(won.days, won.share, lost.share, strict=True):
            assert one + other + left[day] == pytest.approx(1, abs=1e-12)


@FEW
@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=30))
def test_when_nothing_is_open_the_incidence_is_the_plain_share_and_the_mean_the_plain_mean(
    rows: list[tuple[int, bool]],
) -> None:
    days, won = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows])
    curve = aalen_johansen(days, won, ~won)
    assert curve.share[-1] == pytest.approx(won.mean(), abs=1e-12)
    if won.any():
        assert mean_of_those_to_come(days, won, ~won) == pytest.approx(days[won].mean(), abs=1e-9)


# A pipeline that grows, of which the truth is known


def growing(seed: int) -> pd.DataFrame:
    """Deals qualified over two years, each quarter two fifths more than the last, as seen at the end; a quarter of them are won.

    The won take 100 days in the mean, the lost 180: as in life, a no is said late.
    """
    random = np.random.default_rng(seed)
    begun = np.concatenate([random.uniform(91 * q, 91 * (q + 1), int(60 * 1.4**q)) for q in range(8)])
    will = random.random(len(begun)) < 0.25
    takes = np.ceil(random.gamma(2.0, np.where(will, 50, 90)))
    seen = np.floor(728 - begun)
    is_over = takes <= seen
    return pd.DataFrame(
        {
            "days": np.minimum(takes, seen),
            "takes": takes,
            "will": will,
            "is_won": will & is_over,
            "is_lost": ~will & is_over,
        }
    )


@pytest.mark.parametrize("seed", range(1, 4))
def test_deals_still_open_make_the_difference_between_the_true_cycle_and_a_short_one(seed: int) -> None:
    deals = growing(seed)
    won = deals.loc[deals["is_won"], "days"]
    truth = deals.loc[deals["will"], "takes"]
    assert won.mean() < 88  # the truth is 100: the deals closed by now are the quick ones
    assert mean_of_those_to_come(deals["days"], deals["is_won"], deals["is_lost"]) == pytest.approx(truth.mean(), abs=6)
    median, low, high = median_of_those_to_come(deals["days"], deals["is_won"], deals["is_lost"])
    assert median == pytest.approx(truth.median(), abs=6) and low <= truth.median() <= high
    # Taking the lost for waiting asks when a deal would be won that cannot be lost: more than twice too long.
    assert not median_wait(deals["days"], deals["is_won"])[0] < 2 * truth.median()


@pytest.mark.parametrize("seed", range(1, 4))
def test_the_win_rate_of_a_growing_pipeline_is_recovered_whatever_is_open(seed: int) -> None:
    deals = growing(seed)
    truth = deals["will"].mean()
    assert (
        deals["is_won"].sum() / (deals["is_won"] | deals["is_lost"]).sum() > truth + 0.04
    )  # closed deals alone flatter
    curve = aalen_johansen(deals["days"], deals["is_won"], deals["is_lost"])
    assert curve.share[-1] == pytest.approx(truth, abs=0.015)
    by_half_a_year, low, high = curve.at(182)
    assert low <= (deals["will"] & (deals["takes"] <= 182)).mean() <= high and by_half_a_year < curve.share[-1]
