"""Attribution: the published tables to the last digit, an obvious twin, and what must hold whatever the journeys."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import attribution_twin as twin
import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from attribution_twin import Walk
from conftest import ROOT, external_data_folder
from hypothesis import given, settings
from hypothesis import strategies as st

from abm_lib.attribution import (
    MODELS,
    Chain,
    Journeys,
    Model,
    chain,
    chain_of,
    one_of_many,
    placed,
    shared_by_effect,
    shared_out,
    steps,
)
from abm_lib.store import DuckDB, Engine, Spark

STAGES = ("lead", "created", "won")
TYPES = {"journey": "BIGINT", "touch_id": "VARCHAR", "channel": "VARCHAR", "day": "BIGINT", "cents": "BIGINT",
         "is_converted": "BOOLEAN", "until_lead": "BOOLEAN", "until_created": "BOOLEAN", "until_won": "BOOLEAN"}  # fmt: skip
few = settings(max_examples=60)


def oracle(name: str) -> pd.DataFrame:
    """A table worked out by others; it lies beside the folder named by ABM_EXTERNAL_DATA."""
    path = Path(ROOT / os.environ.get("ABM_EXTERNAL_DATA", "../shared/data")).parent / "oracles" / name
    if not path.is_file():
        pytest.skip(f"no {name}: set ABM_EXTERNAL_DATA to a folder that has a folder 'oracles' beside it")
    return pd.read_csv(path)


# A case that hypothesis makes, in each of the three forms


@st.composite
def walks(draw: st.DrawFn, least: int = 1, is_won: bool = True) -> list[Walk]:
    """Up to eight journeys over five channels, some of them lost, some without a touch; stages at any touch or at none."""
    found = []
    for _ in range(draw(st.integers(least, 8))):
        channels = draw(st.lists(st.sampled_from(["a", "b", "c", "d", "direct"]), max_size=7))
        days = sorted(draw(st.lists(st.integers(0, 40), min_size=len(channels), max_size=len(channels))))
        until = {stage: draw(st.integers(0, len(channels))) for stage in STAGES}
        won = draw(st.integers(0, 1))
        found.append(Walk(tuple(channels), tuple(days), won, until, 1 - won))
    return found


def in_memory(cases: Sequence[Walk]) -> Journeys:
    journeys = Journeys.from_paths(
        [walk.channels for walk in cases], [walk.converted for walk in cases], [walk.lost for walk in cases]
    )
    at: dict[Any, Any] = {stage: np.array([walk.until.get(stage, 0) for walk in cases]) for stage in STAGES}
    at["last_non_direct"] = np.array([_last_non_direct(walk) for walk in cases])
    days = np.array([day for walk in cases for day in walk.days], float)
    return Journeys(**{**vars(journeys), "days": days, "at": at})


def _last_non_direct(walk: Walk) -> int:
    named = [place for place, channel in enumerate(walk.channels, 1) if channel != "direct"]
    return named[-1] if named else len(walk.channels)


def touches(cases: Sequence[Walk], cents: Sequence[int] | None = None) -> pd.DataFrame:
    rows = [
        {"journey": number, "touch_id": f"{number:03}-{place:03}", "channel": channel, "day": day,
         "cents": cents[number] if cents else 100, "is_converted": bool(walk.converted),
         **{f"until_{stage}": place <= walk.until.get(stage, 0) for stage in STAGES}}
        for number, walk in enumerate(cases) for place, (channel, day) in enumerate(zip(walk.channels, walk.days, strict=True), 1)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(TYPES))


def on_engine(engine: Engine, frame: pd.DataFrame) -> nw.LazyFrame[Any]:
    return placed(engine.frame(frame, TYPES), ["journey"], ["day", "touch_id"], ["direct"])


def shares(
    engine: Engine, cases: Sequence[Walk], models: Sequence[Model], cents: Sequence[int] | None = None
) -> pd.DataFrame:
    """What the engine gives each journey and channel by each model, in cents; removal effects as the chain has them."""
    rows = engine.keep(on_engine(engine, touches(cases, cents)))
    counted = engine.collect(steps(rows.with_columns(quarter=nw.lit("q")), ["quarter"], ["journey"])).to_dict("records")
    effects = chain_of(counted).removal_effects()
    told = engine.frame(
        pd.DataFrame(list(effects.items()), columns=["channel", "effect"]), {"channel": "VARCHAR", "effect": "DOUBLE"}
    )
    rows = rows.filter(nw.col("is_converted")).join(told, on="channel", how="left")
    found = engine.collect(shared_out(rows, ["journey"], ["channel"], models, "cents", 7.0))
    return found.sort_values(["journey", "channel"]).reset_index(drop=True)


# Tables of others


@pytest.fixture(scope="module")
def path_table() -> pd.DataFrame:
    data = external_data_folder() / "channelattribution_pathdata" / "PathData.csv"
    if not data.is_file():
        pytest.skip("no PathData.csv: ABM_EXTERNAL_DATA names its folder")
    return pd.read_csv(data)


def _paths(table: pd.DataFrame, column: str = "path") -> list[tuple[str, ...]]:
    return [tuple(path.split(" > ")) for path in table[column]]


CASES = ("bryl2016", "puzyrov2019", "ca_whitepaper", "mam_test")


@pytest.mark.parametrize("case", CASES)
def test_small_published_paths_come_out_to_the_last_digit(case: str) -> None:
    paths, expected = oracle("paths_small.csv"), oracle("paths_small_expected.csv")
    paths, expected = paths[paths["case"] == case], expected[expected["case"] == case].set_index("channel")
    journeys = Journeys.from_paths(_paths(paths), paths["conversions"], paths["nulls"])
    named = {
        "shapley": "shapley_subset",
        "first": "first",
        "last": "last",
        "linear": "linear",
        "u_first_last": "ushape",
    }
    found = journeys.credit([MODELS[model] for model in named])
    for model, column in named.items():
        assert dict(zip(journeys.channels, found[model], strict=True)) == pytest.approx(
            expected[column].to_dict(), abs=1e-11
        )
    fitted = journeys.chain()
    effects = fitted.removal_effects()
    assert effects == pytest.approx(expected["markov1_removal_effect"].to_dict(), abs=1e-11)
    assert fitted.conversion() == pytest.approx(expected["p_conversion"].iloc[0], abs=1e-11)
    total = float(paths["conversions"].sum())
    assert shared_by_effect(effects, total) == pytest.approx(expected["markov1_conversions"].to_dict(), abs=1e-10)


@pytest.mark.external
def test_ten_thousand_paths_of_a_package_give_its_heuristics_and_the_exact_removal_effects(
    path_table: pd.DataFrame,
) -> None:
    won, lost = path_table["total_conversions"], path_table["total_null"]
    journeys = Journeys.from_paths(_paths(path_table), won, lost, path_table["total_conversion_value"])
    expected = oracle("ca_pathdata_expected.csv").set_index("channel").loc[list(journeys.channels)]
    theirs = oracle("ca_pathdata_heuristics_by_channelattribution_2.2.5.csv").set_index("channel_name")
    theirs = theirs.loc[list(journeys.channels)]
    named = {"first": "first", "last": "last", "linear": "linear", "u_first_last": "ushape"}
    for of, word in (("converted", "conversions"), ("value", "value")):
        found = journeys.credit([MODELS[model] for model in named], of)
        for model, column in named.items():
            assert found[model] == pytest.approx(expected[f"{column}_{word}"].to_numpy(), rel=5e-10)
            if model != "u_first_last":
                touch = f"{column}_touch_{word}"
                assert found[model] == pytest.approx(theirs[touch].to_numpy(), rel=1e-10)
    found = journeys.credit([MODELS["shapley"]])["shapley"]
    assert found == pytest.approx(expected["shapley_subset_conversions"].to_numpy(), rel=1e-9)
    without = Journeys.from_paths(_paths(path_table), won)
    for fitted, suffix in ((journeys, "null"), (without, "nonull")):
        effects = fitted.chain().removal_effects()
        assert list(effects.values()) == pytest.approx(expected[f"markov1_re_{suffix}"].to_list(), abs=1e-9)
        given = shared_by_effect(effects, float(won.sum()))
        assert list(given.values()) == pytest.approx(expected[f"markov1_conv_{suffix}"].to_list(), rel=1e-9)


WORKED = {
    "first": ("first", "closed_won", 7), "last_before_creation": ("last", "opportunity_created", 7),
    "last_before_close": ("last", "closed_won", 7), "linear_before_creation": ("linear", "opportunity_created", 7),
    "linear_before_close": ("linear", "closed_won", 7),
    "u_first_last_40_20_40_before_creation": ("u_first_last", "opportunity_created", 7),
    "marketo_u": ("u_first_lead", "opportunity_created", 7),
    "hubspot_u_before_close": ("u_first_lead_rest", "closed_won", 7), "w": ("w", "opportunity_created", 7),
    "full_path": ("full_path", "closed_won", 7), "time_decay_7d_at_creation": ("time_decay", "opportunity_created", 7),
}  # fmt: skip


def test_the_worked_account_has_every_model_tested() -> None:
    assert set(WORKED) == set(oracle("account_expected.csv")["model"])


@pytest.mark.parametrize("named", WORKED)
def test_the_worked_account_of_four_people_and_nine_touches_is_given_out_as_by_hand(named: str) -> None:
    model, cut, half_life = WORKED[named]
    acts, stages = oracle("account_touches.csv"), oracle("account_stages.csv").set_index("stage")["day"]
    acts = acts[acts["day"] <= stages[cut]]
    until = {"lead": "lead_created", "created": "opportunity_created", "won": "closed_won"}
    reached = {
        key: int((acts["day"] <= stages[stage]).sum()) for key, stage in until.items() if stages[stage] <= stages[cut]
    }
    # Each touch as a channel of its own, so that the credit of a channel is the weight of a touch.
    walk = Walk(tuple(acts["touch"].astype(str)), tuple(acts["day"]), 1, reached)
    expected = oracle("account_expected.csv").query("model == @named").set_index("touch")["weight"]
    expected.index = expected.index.astype(str)
    whole = dict.fromkeys(walk.channels, 0.0) | expected.to_dict()
    for found in (
        dict(
            zip(
                in_memory([walk]).channels,
                in_memory([walk]).credit([MODELS[model]], half_life_days=half_life)[model],
                strict=True,
            )
        ),
        {c: float(w) for c, w in twin.credit([walk], model, half_life).items()},
    ):
        assert found == pytest.approx(whole, abs=1e-12)
    given = shares(DuckDB(), [walk], [MODELS[model]], [10**9])
    assert given.set_index("channel")[model].to_dict() == pytest.approx({c: w * 1e9 for c, w in whole.items()}, abs=1.0)


def test_vendors_weights_are_those_of_the_table() -> None:
    table = oracle("vendor_weights.csv")
    ours = {"marketo_u": "u_first_lead", "marketo_w": "w", "marketo_fullpath": "full_path", "hubspot_u": "u_first_lead_rest",
            "hubspot_j": "j", "dreamdata_u": "u_first_last",
            "salesforce_mi_u": "u_first_last", "google_position": "u_first_last"}  # fmt: skip
    # Dreamdata's W gives a part to the touches of every conversion, which is no anchor of ours.
    assert {*ours, "dreamdata_w"} == set(table["model"])
    words = {"first": "FT", "lead": "LC", "created": "OC", "won": "CW", "last": "LAST"}
    for vendor, name in ours.items():
        model = MODELS[name]
        said = {words[anchor]: weight / 1000 for anchor, weight in model.anchors}
        said |= {"middle": model.rest / 1000} if model.rest else {}
        assert said == table[table["model"] == vendor].set_index("anchor")["weight"].to_dict(), vendor


# By hand


def test_a_model_prints_its_anchors_and_weights() -> None:
    assert str(MODELS["u_first_last"]) == "first touch 40 %, last touch 40 %, touches between 20 %"
    assert str(MODELS["full_path"]).startswith("first touch 22.5 %, last touch until the first person was known 22.5 %")
    assert str(MODELS["linear"]) == "every touch the same"
    assert len({str(model) for model in MODELS.values()}) == len(MODELS)


@pytest.mark.parametrize("anchors", [(("first", 600), ("last", 500)), (("first", 0),)])
def test_weights_that_give_out_too_much_or_nothing_are_refused(anchors: Any) -> None:
    with pytest.raises(ValueError, match="thousandths"):
        Model("wrong", anchors)
    with pytest.raises(ValueError, match="evenly"):
        Model("wrong", (("first", 500),), "by recency")


def test_without_touches_between_their_share_goes_to_the_anchors_and_one_touch_takes_all() -> None:
    two = MODELS["j"].weights({"first": 1, "last": 2}, 2)
    assert two == [Fraction(3, 10), Fraction(7, 10)]  # 20 and 60, and 10 each of the 20 in between
    assert MODELS["w"].weights({"first": 1, "lead": 1, "created": 1}, 1) == [Fraction(1)]


def test_a_stage_that_no_touch_came_before_leaves_its_share_to_the_other_anchors() -> None:
    found = MODELS["full_path"].weights({"first": 1, "lead": None, "created": 3}, 3)
    assert found == [Fraction(45, 100), Fraction(1, 10), Fraction(45, 100)]


def test_the_last_touch_passes_over_direct_only_where_there_is_another() -> None:
    cases = [Walk(("a", "b", "direct"), (0, 1, 2)), Walk(("direct", "direct"), (0, 1))]
    found = shares(DuckDB(), cases, [MODELS["last"], MODELS["last_non_direct"]]).set_index(["journey", "channel"])
    assert found["last"].to_dict() == {(0, "a"): 0, (0, "b"): 0, (0, "direct"): 100, (1, "direct"): 100}
    assert found["last_non_direct"].to_dict() == {(0, "a"): 0, (0, "b"): 100, (0, "direct"): 0, (1, "direct"): 100}


def test_eight_people_at_one_webinar_can_count_as_one_touch() -> None:
    engine = DuckDB()
    acts = pd.DataFrame({"account_id": ["x"] * 5, "campaign_id": ["w", "w", "w", None, None], "touched_on": ["2026-07-01"] * 2 +
                         ["2026-07-02"] * 3, "touch_id": list("abcde")})  # fmt: skip
    types = {"account_id": "VARCHAR", "campaign_id": "VARCHAR", "touched_on": "DATE", "touch_id": "VARCHAR"}
    kept = engine.collect(one_of_many(engine.frame(acts, types), ["touch_id"]))
    assert sorted(kept["touch_id"]) == ["a", "c", "d", "e"]


def test_touches_at_one_instant_go_by_the_order_that_is_asked_for() -> None:
    engine = DuckDB()
    frame = touches([Walk(("b", "a"), (3, 3))])
    for order, first in ((["day", "touch_id"], "b"), (["day", "channel"], "a")):
        rows = placed(engine.frame(frame, TYPES), ["journey"], order)
        found = engine.collect(rows.filter(nw.col("place") == 1))
        assert found["channel"].to_list() == [first]


def test_raw_touches_in_any_order_are_packed_into_journeys() -> None:
    journeys = Journeys.from_touches(
        [1, 0, 1, 0, 3], [20, 10, 10, 30, 5], [0, 1, 1, 0, 2], ["a", "b", "c"], converted=[1, 1, 0, 0]
    )
    assert journeys.codes.tolist() == [1, 0, 1, 0, 2]
    assert journeys.ends.tolist() == [2, 4, 4, 5]
    assert journeys.none() == 0 and journeys.none("lost") == 1  # the third was lost without a touch


def test_keys_too_wide_for_one_number_are_refused() -> None:
    with pytest.raises(ValueError, match="one key"):
        Journeys.from_touches([0, 1], [0, 2**62], [0, 0], ["a"], converted=[1, 1])


def test_what_a_model_needs_is_named_where_it_is_not_there() -> None:
    paths = Journeys.from_paths([("a", "b")], [1])
    for name, lacking in (("w", "lead, created"), ("last_non_direct", "last_non_direct: `at`"), ("time_decay", "days")):
        with pytest.raises(ValueError, match=lacking):
            paths.credit([MODELS[name]])


def test_the_chain_of_no_journeys_converts_nobody() -> None:
    empty = chain([])
    assert np.isnan(empty.conversion()) and empty.removal_effects(["a"]) == {"a": 0.0}
    lost = Journeys.from_paths([("a",)], [0], [1]).chain()
    assert lost.conversion() == 0 and lost.removal_effects() == {"a": 0.0}


# What must hold whatever the journeys


@few
@given(walks())
def test_scans_agree_with_the_obvious_twin(cases: list[Walk]) -> None:
    journeys = in_memory(cases)
    found = journeys.credit(list(MODELS.values()))
    for name in twin.NAMES:
        ours = {c: v for c, v in zip(journeys.channels, found[name], strict=True) if abs(v) > 1e-12}
        assert ours == pytest.approx({c: float(v) for c, v in twin.credit(cases, name).items() if v}, abs=1e-9), name
    for order in (1, 2, 3):
        effects = {c: float(v) for c, v in twin.removal_effects(cases, order).items()}
        assert journeys.chain(order).removal_effects() == pytest.approx(effects, abs=1e-9), order


def some_walks(count: int) -> list[Walk]:
    """Journeys of up to seven touches, stages at any touch or none; the same ones each time."""
    random, found = Random(3), []
    for _ in range(count):
        channels = tuple(random.choice(["a", "b", "c", "d", "direct"]) for _ in range(random.randint(0, 7)))
        days = tuple(sorted(random.randint(0, 40) for _ in channels))
        until = {stage: random.randint(0, len(channels)) for stage in STAGES}
        won = random.randint(0, 1)
        found.append(Walk(channels, days, won, until, 1 - won))
    return found


@pytest.fixture(scope="module")
def on_duckdb() -> tuple[list[Walk], list[int], pd.DataFrame]:
    """Two hundred journeys, the cents of each, and what the engine gives out of them."""
    cases = some_walks(200)
    cents = [Random(n).choice([0, 1, 3, 100, 10**9, 12_345_678_901]) for n in range(200)]
    return cases, cents, shares(DuckDB(), cases, list(MODELS.values()), cents)


def test_credit_of_each_opportunity_is_exactly_its_amount(on_duckdb: Any) -> None:
    _, cents, found = on_duckdb
    for number, row in found.groupby("journey")[list(MODELS)].sum().iterrows():
        assert set(row) == {cents[int(str(number))]}


@pytest.mark.parametrize("name", twin.NAMES)
def test_the_engine_agrees_with_the_obvious_twin_to_the_cent(on_duckdb: Any, name: str) -> None:
    cases, cents, found = on_duckdb
    effects = twin.removal_effects(cases) if name == "markov" else {}
    given = found.set_index(["journey", "channel"])[name]
    for number, walk in enumerate(cases):
        if walk.converted and walk.channels:
            weights = twin.weights(walk, name, 7, effects)
            for channel in set(walk.channels):
                part = sum(w for c, w in zip(walk.channels, weights, strict=True) if c == channel)
                assert abs(given[number, channel] - part * cents[number]) <= 1


def packed(cases: list[Walk], cents: list[int]) -> Journeys:
    """Journeys out of raw touches in no order, by their packed keys: the time of each is its day and its place in it."""
    names = ["a", "b", "c", "d", "direct"]
    rows = [
        (number, 1000 * day + place, names.index(channel))
        for number, walk in enumerate(cases)
        for place, (channel, day) in enumerate(zip(walk.channels, walk.days, strict=True))
    ]
    Random(5).shuffle(rows)
    journey, at, channel = np.array(rows).T
    journeys = Journeys.from_touches(
        journey, at, channel, names, converted=[walk.converted for walk in cases], seconds_a_day=1000,
        value=[amount * walk.converted for amount, walk in zip(cents, cases, strict=True)],
    )  # fmt: skip
    assert journeys.days is not None
    return replace(journeys, days=np.floor(journeys.days).astype(float), at=in_memory(cases).at)


def agree(found: pd.DataFrame, cases: list[Walk], cents: list[int]) -> None:
    """What an engine gave each channel is what the scans over packed keys give it, but for the cents of rounding."""
    journeys = packed(cases, cents)
    theirs = found.groupby("channel")[list(MODELS)].sum()
    for name, credit in journeys.credit(list(MODELS.values()), "value").items():
        assert theirs[name].loc[list(journeys.channels)].to_numpy() == pytest.approx(credit, abs=len(cases)), name


def test_packed_keys_and_windows_in_sql_agree(on_duckdb: Any) -> None:
    cases, cents, found = on_duckdb
    agree(found, cases, cents)


@pytest.mark.slow
@pytest.mark.spark
def test_spark_gives_every_cent_to_the_same_channel_as_duckdb_and_packed_keys(on_duckdb: Any, spark: Any) -> None:
    cases, cents, found = on_duckdb
    theirs = shares(Spark(), cases, list(MODELS.values()), cents)
    pd.testing.assert_frame_equal(theirs, found, check_dtype=False)
    agree(theirs, cases, cents)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_steps_counted_on_the_engine_make_the_same_chain(order: int) -> None:
    cases, engine = some_walks(60), DuckDB()
    rows = on_engine(engine, touches(cases)).with_columns(quarter=nw.lit("q"))
    counted = engine.collect(steps(rows, ["quarter"], ["journey"], order)).to_dict("records")
    ours, theirs = chain_of(counted, order), in_memory(cases).chain(order)
    assert ours.states == theirs.states and ours.conversion() == pytest.approx(theirs.conversion(), abs=1e-12)
    assert ours.removal_effects() == pytest.approx(theirs.removal_effects(), abs=1e-12)


@few
@given(walks())
def test_the_fitted_chain_converts_at_the_observed_rate(cases: list[Walk]) -> None:
    walked = [walk for walk in cases if walk.channels]
    if walked:
        rate = sum(walk.converted for walk in walked) / len(walked)
        for order in (1, 2, 4):
            assert in_memory(walked).chain(order).conversion() == pytest.approx(rate, abs=1e-12)


@few
@given(walks())
def test_steps_from_a_channel_to_itself_change_no_removal_effect(cases: list[Walk]) -> None:
    counted = in_memory(cases).chain()
    alone = counted.steps.copy()
    np.fill_diagonal(alone, 0)
    without = Chain(counted.states, counted.starts, alone, counted.converted, counted.lost)
    assert without.removal_effects() == pytest.approx(counted.removal_effects(), abs=1e-10)


@few
@given(walks(), st.permutations(["a", "b", "c", "d"]))
def test_other_names_for_the_channels_permute_the_result(cases: list[Walk], names: list[str]) -> None:
    other = dict(zip("abcd", names, strict=True)) | {"direct": "direct"}
    renamed = [Walk(tuple(other[c] for c in w.channels), w.days, w.converted, w.until, w.lost) for w in cases]
    ours, theirs = in_memory(cases), in_memory(renamed)
    for name, credit in ours.credit(list(MODELS.values())).items():
        found = dict(zip(theirs.channels, theirs.credit([MODELS[name]])[name], strict=True))
        assert {other[c]: v for c, v in zip(ours.channels, credit, strict=True)} == pytest.approx(found, abs=1e-10)


@few
@given(walks())
def test_journeys_in_another_order_give_the_same(cases: list[Walk]) -> None:
    one, other = in_memory(cases), in_memory(cases[::-1])
    for name, credit in one.credit(list(MODELS.values())).items():
        assert other.credit([MODELS[name]])[name] == pytest.approx(credit, abs=1e-12)


@few
@given(walks())
def test_a_channel_in_no_path_gets_nothing(cases: list[Walk]) -> None:
    journeys = in_memory(cases)
    wider = Journeys(**{**vars(journeys), "channels": (*journeys.channels, "nowhere")})
    assert all(credit[-1] == 0 for credit in wider.credit(list(MODELS.values())).values())
    assert journeys.chain().removal_effects(["nowhere"])["nowhere"] == 0


@few
@given(walks())
def test_splitting_a_grouped_row_into_equal_ones_changes_nothing(cases: list[Walk]) -> None:
    paths = [walk.channels for walk in cases]
    times, lost = [3 * w.converted for w in cases], [2 * w.lost for w in cases]
    grouped = Journeys.from_paths(paths, times, lost)
    split = [(p, 1, 0) for p, n in zip(paths, times, strict=True) for _ in range(n)]
    split += [(p, 0, 1) for p, n in zip(paths, lost, strict=True) for _ in range(n)]
    singly = Journeys.from_paths([s[0] for s in split], [s[1] for s in split], [s[2] for s in split])
    by_path = [
        MODELS[name] for name in ("first", "last", "linear", "u_first_last", "j", "inverse_j", "shapley", "markov")
    ]
    for name, credit in grouped.credit(by_path).items():
        assert singly.credit([MODELS[name]])[name] == pytest.approx(credit, abs=1e-9)


def test_many_channels_are_shared_out_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = some_walks(80)
    few = in_memory(cases).credit([MODELS["shapley"], MODELS["markov"]])
    monkeypatch.setattr("abm_lib.attribution.scan.FEW", 0)
    for name, credit in in_memory(cases).credit([MODELS["shapley"], MODELS["markov"]]).items():
        assert credit == pytest.approx(few[name], abs=1e-10)


def test_two_runs_give_the_same_bytes() -> None:
    random = np.random.default_rng(5)
    cases = [Walk(tuple(random.choice(list("abcd"), n)), tuple(range(n)), int(n % 3 == 0), {}, int(n % 3 > 0)) for n in
             random.integers(0, 9, 400)]  # fmt: skip
    once, again = in_memory(cases), in_memory(cases)
    models = list(MODELS.values())
    assert [c.tobytes() for c in once.credit(models).values()] == [c.tobytes() for c in again.credit(models).values()]
    assert list(once.chain(2).removal_effects().values()) == list(again.chain(2).removal_effects().values())


def test_blocks_of_journeys_add_up_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(11)
    cases = [Walk(tuple(random.choice(list("abcd"), n)), tuple(range(n)), int(random.integers(2)), {}, 1) for n in
             random.integers(0, 6, 50)]  # fmt: skip
    journeys, models = in_memory(cases), list(MODELS.values())
    whole, effects = journeys.credit(models), journeys.chain().removal_effects()
    monkeypatch.setattr("abm_lib.attribution.journeys.BLOCK", 7)
    for name, credit in journeys.credit(models).items():
        assert credit == pytest.approx(whole[name], abs=1e-10)
    assert journeys.chain().removal_effects() == pytest.approx(effects, abs=1e-12)
