"""What every metric promises, held over the register: a new one is covered by being there."""

from __future__ import annotations

import ast
import functools
import typing
from collections.abc import Callable
from pathlib import Path

import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from tiny import SAMPLE, company, opened_small, read, sample_readings

from abm_lib import metrics, readings
from abm_lib.facts import FACTS, Base, Cut
from abm_lib.metric import REGISTER, Better, Kind, Metric, Pillar, Unit
from abm_lib.reader import Reader
from abm_lib.slices import TIME, slice_sets
from abm_lib.tables import tables as canonical_tables

EVERY = pytest.mark.parametrize("metric", REGISTER.values(), ids=lambda metric: metric.name)
FORMULAS = pytest.mark.parametrize("metric", [m for m in REGISTER.values() if m.facts], ids=lambda metric: metric.name)
CONTRACT = """metric version family quarter period_start period_end as_of slice_by slice unit currency scope value numerator
    denominator n counts low high method missing_because caveats target previous year_ago as_reported better status""".split()
REASONS = {"no_data", "undefined", "not_collected", "not_applicable", "suppressed", "withheld", "switched_off"}
STATUS = {"good", "bad", "unclear", "no_target", "small_n", "none"}
OVER_A_TARGET = {
    "revenue_target_attainment",
    "quarter_start_conversion",
    "net_revenue_retention",
    "programme_return",
    "budget_used_share",
    "finance_tie_out",
    "restated_revenue_share",
}  # of something else, so more than all of it is fine
# What they count is what is lacking: with nothing they are 0 and a quarter like the one before.
OF_WHAT_IS_LACKING = {"readiness", "questions_answered", "rows_set_aside_share"}
# Models times channels, and campaigns, are so many that they stand for the quarter reported alone.
NEWEST_ALONE = {"attributed_pipeline", "attributed_opportunities", "attributed_revenue", "attribution_model_distance",
                "attributed_revenue_model_distance", "campaign_win_rate_difference"}  # fmt: skip
IN_PARTS = {"attributed_opportunities"}  # an opportunity is shared out
# No upper end where fewer than half have it behind them.
WAITS = {
    "sales_cycle_days",
    "stage_median_days",
    "mqa_follow_up_days",
    "pipeline_generation_days",
    "demo_to_opportunity_days",
}


# What it says of itself


@EVERY
def test_every_metric_says_its_source_what_it_counts_and_when_it_is_missing(metric: Metric) -> None:
    lines = metric.doc.splitlines()
    assert lines[0].endswith("."), "the first line is one sentence"
    for paragraph in ("Source:", "Counts:", "Missing:"):
        said = [line.removeprefix(paragraph).strip() for line in lines if line.startswith(paragraph)]
        assert len(said) == 1 and said[0], f"{paragraph} is said {len(said)} times"


@EVERY
def test_every_metric_is_of_a_known_kind(metric: Metric) -> None:
    assert metric.unit in typing.get_args(Unit)
    assert metric.better in typing.get_args(Better)
    assert metric.kind in typing.get_args(Kind)
    assert metric.pillar in typing.get_args(Pillar)
    assert metric.scope in ("new", "all") and metric.activity in ("activity", "outcome")
    assert metric.family in metrics.FAMILIES and metric.counts and metric.audience and metric.version >= 1


@EVERY
def test_every_metric_reads_facts_or_metrics_that_exist(metric: Metric) -> None:
    assert bool(metric.facts) != bool(metric.of), "a metric reads facts, or other metrics"
    assert set(metric.facts) <= set(FACTS)
    names = list(REGISTER)
    assert all(
        names.index(other) < names.index(metric.name) for other in metric.of if REGISTER[other].family == metric.family
    )
    assert set(metric.of) <= set(names)


def test_labels_are_unique_and_never_the_bare_word_coverage() -> None:
    labels = [metric.label.casefold() for metric in REGISTER.values()]
    assert len(set(labels)) == len(labels)
    assert not [label for label in labels if label.split()[0] == "coverage"]


# What picks a number out of a table of readings, in the tests of the families.
PICKS = {"value", "reading", "slices", "parts", "_of"}


@functools.cache
def worked_by_hand(family: str) -> set[str]:
    """The metrics of which a test of the family's file that asserts something picks a number."""
    file = Path(__file__).parent / "metrics" / f"test_{family}.py"
    tests = [f for f in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(f, ast.FunctionDef)]
    tests = [f for f in tests if f.name.startswith("test_") and any(isinstance(n, ast.Assert) for n in ast.walk(f))]
    calls = [node for test in tests for node in ast.walk(test) if isinstance(node, ast.Call)]
    picks = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in PICKS]
    given = [each for pick in picks for each in (*pick.args, *(keyword.value for keyword in pick.keywords))]
    return {each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)}


@EVERY
def test_every_metric_is_worked_by_hand_in_the_file_of_its_family(metric: Metric) -> None:
    assert metric.name in worked_by_hand(metric.family)


# Without a row of data


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company that delivers every table, and no row in any but the one that says when it was extracted."""
    drawn = {name: " | ".join(table.columns) for name, table in canonical_tables().items() if name != "loads"}
    return company(tmp_path_factory.mktemp("empty"), drawn)


@pytest.fixture(scope="module")
def of_nothing(empty: Path) -> pd.DataFrame:
    return read(empty, by=[])


@pytest.mark.parametrize("metric", REGISTER.values(), ids=lambda metric: metric.name)
def test_every_metric_over_nothing_is_missing_with_a_reason_and_never_0(
    metric: Metric, of_nothing: pd.DataFrame
) -> None:
    found = of_nothing[(of_nothing["metric"] == metric.name) & (of_nothing["slice_by"] == "")]
    quarters = 1 if metric.window == "delivery" else 8
    assert len(found) == (quarters if metric.has_whole else 0)
    if metric.name in OF_WHAT_IS_LACKING:
        assert (found["numerator"] == 0).all()
        return
    assert found["value"].isna().all(), found[["quarter", "value"]]
    assert set(found["missing_because"]) <= REASONS and (found["caveats"] != "").all()


@pytest.fixture(scope="module")
def columns(empty: Path) -> Callable[[str, str], set[str]]:
    """The columns of a fact cut into windows of a kind."""
    opened = opened_small(empty)
    base = Base(opened, opened.calendar.quarter("2026Q3"), None, 1)
    return functools.cache(lambda fact, kind: set(FACTS[fact].cut(Cut(base, kind)).collect_schema().names()))


@FORMULAS
def test_every_slice_is_a_column_of_each_fact_that_it_is_counted_in(
    metric: Metric, columns: Callable[[str, str], set[str]]
) -> None:
    for chosen in slice_sets(metric):
        terms = [term for amount in metric.formula.in_slice(chosen.name).amounts() for term in amount.terms]
        for name in {term.fact for term in terms if not term.whole}:
            assert {"quarter", "window", *chosen.columns} <= columns(name, chosen.kind), f"{chosen.name} in {name}"


# Over the sample


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return sample_readings(tmp_path_factory)


def test_readings_have_the_columns_of_the_contract_and_one_row_per_metric_quarter_and_slice(
    table: pd.DataFrame,
) -> None:
    assert list(table.columns) == CONTRACT == list(readings.COLUMNS)
    assert not table.duplicated(["metric", "quarter", "slice_by", "slice"]).any()
    assert table["quarter"].nunique() == 8


@EVERY
def test_every_metric_of_the_sample_has_values_in_six_of_eight_quarters_and_is_not_constant(
    metric: Metric, table: pd.DataFrame
) -> None:
    found = table[(table["metric"] == metric.name) & table["value"].notna()]
    whole = found[found["slice_by"] == ""]
    assert len(whole) >= 1 if metric.has_whole else whole.empty
    shown = whole if metric.has_whole else found
    if metric.window == "delivery" or metric.name in NEWEST_ALONE:
        assert set(shown["quarter"]) == {"2026Q3"}
        return
    assert shown["quarter"].nunique() >= 6
    assert shown["value"].nunique() > 1 or metric.name in OF_WHAT_IS_LACKING


@EVERY
def test_every_metric_of_the_sample_has_the_slices_it_declares_and_no_other(
    metric: Metric, table: pd.DataFrame
) -> None:
    found = table[(table["metric"] == metric.name) & (table["slice_by"] != "")]
    assert set(found["slice_by"]) == set(metric.by)
    assert set(found.loc[found["value"].notna(), "slice_by"]) == set(metric.by), "each has a value in some quarter"


def test_a_slice_has_a_name_and_the_whole_has_none(table: pd.DataFrame) -> None:
    assert ((table["slice_by"] == "") == (table["slice"] == "")).all()


def test_a_value_is_empty_exactly_where_a_reason_is_given(table: pd.DataFrame) -> None:
    assert (table["value"].isna() == (table["missing_because"] != "")).all()
    assert set(table["missing_because"]) <= REASONS | {""}
    assert (table.loc[table["value"].isna(), "caveats"] != "").all(), "a reason comes with a sentence"
    assert table.loc[table["value"].isna(), ["low", "high"]].isna().all(axis=None)


def test_numbers_are_finite_and_lie_within_their_range(table: pd.DataFrame) -> None:
    numbers = table[["value", "numerator", "denominator", "n", "low", "high", "target", "previous", "year_ago"]]
    assert not np.isinf(numbers.to_numpy(dtype=float)).any()
    ranged = table[table["low"].notna() | table["high"].notna()]  # a wait may have no upper end
    slack = 1e-9 * ranged["value"].abs()
    assert not (ranged["low"] > ranged["value"] + slack).any() and not (ranged["high"] < ranged["value"] - slack).any()
    assert (ranged["method"] != "").all() and ranged.loc[~ranged["metric"].isin(WAITS), "high"].notna().all()
    assert (table["n"].dropna() >= 0).all()


def test_a_ratio_is_its_numerator_over_its_denominator(table: pd.DataFrame) -> None:
    pairs = table[table["value"].notna() & table["denominator"].notna() & (table["unit"] != "points")]
    assert (pairs["value"] - pairs["numerator"] / pairs["denominator"]).abs().max() < 1e-9
    assert len(pairs) > 1000


def test_shares_lie_between_0_and_1(table: pd.DataFrame) -> None:
    shares = table[(table["unit"] == "share") & ~table["metric"].isin(OVER_A_TARGET)]
    assert shares["value"].dropna().between(0, 1 + 1e-12).all()
    assert table.loc[table["unit"] == "points", "value"].dropna().between(-1, 1).all()


def test_counts_are_whole_numbers(table: pd.DataFrame) -> None:
    counts = table.loc[(table["unit"] == "count") & ~table["metric"].isin(IN_PARTS), "value"].dropna()
    assert (counts == counts.round()).all() and (counts >= 0).all()


def test_previous_and_year_ago_are_the_readings_of_those_quarters(table: pd.DataFrame) -> None:
    """Months, weeks and years look back by their own kind, and are compared below."""
    quarters = sorted(table["quarter"].unique())
    plain = table[~table["slice_by"].isin(TIME)]
    value = plain.set_index(["metric", "slice_by", "slice", "quarter"])["value"]
    for column, steps in (("previous", 1), ("year_ago", 4)):
        for now, then in zip(quarters[steps:], quarters, strict=False):
            given = plain[plain["quarter"] == now].set_index(["metric", "slice_by", "slice"])[column]
            expected = value.xs(then, level="quarter").reindex(given.index)
            pd.testing.assert_series_equal(given, expected, check_names=False)


def test_a_month_looks_back_at_the_month_before_and_at_the_same_one_a_year_ago(table: pd.DataFrame) -> None:
    months = table[(table["slice_by"] == "month") & (table["metric"] == "pipeline_created")].set_index("slice")
    assert months.loc["2026-07", "previous"] == months.loc["2026-06", "value"]
    assert months.loc["2026-09", "previous"] == months.loc["2026-08", "value"]
    assert months.loc["2026-07", "year_ago"] == months.loc["2025-07", "value"]


def test_each_row_says_of_its_metric_what_the_register_says(table: pd.DataFrame) -> None:
    for field in ("family", "unit", "scope", "counts", "better", "version"):
        assert (table[field] == table["metric"].map({m.name: getattr(m, field) for m in REGISTER.values()})).all()
    money = table["unit"].isin(["money", "money_per_day"])
    assert (table["currency"] == money.map({True: "EUR", False: ""})).all()
    assert set(table["status"]) <= STATUS
    assert set(table.loc[(table["better"] == "neither") | table["value"].isna(), "status"]) == {"none"}


def test_periods_lie_inside_what_was_known(table: pd.DataFrame) -> None:
    assert (table["period_start"] < table["period_end"]).all() and (table["period_end"] <= table["as_of"]).all()
    ends = table.loc[table["slice_by"] != "week", "period_end"]
    assert set(ends.str[5:]) <= {f"{month:02}-01" for month in range(1, 13)}


# An analyst's own frames

READ = "2026Q3"
ON_QUARTERS = [m for m in REGISTER.values() if m.facts and m.has_whole and m.window == "quarter"]


@pytest.fixture(scope="module")
def facts() -> dict[str, pd.DataFrame]:
    """The facts of the sample's last quarter as pandas frames, each read once."""
    opened = opened_small(SAMPLE)
    base = Base(opened, opened.calendar.quarter(READ), None, 8)
    wanted = sorted({name for metric in ON_QUARTERS for name in metric.facts})
    return {
        name: opened.tables.engine.collect(FACTS[name].cut(Cut(base, "quarter")).filter(nw.col("quarter") == READ))
        for name in wanted
    }


@pytest.mark.parametrize("metric", ON_QUARTERS, ids=lambda metric: metric.name)
def test_every_metric_reads_an_analyst_s_frames_alike_and_leaves_them_as_they_were(
    metric: Metric, facts: dict[str, pd.DataFrame], table: pd.DataFrame
) -> None:
    import abm_lib as abm

    frames = [facts[name] for name in metric.facts]
    if metric.scope == "new":
        frames = [f[f["business_type"] == "new"].reset_index(drop=True) if "business_type" in f else f for f in frames]
    before = [frame.copy(deep=True) for frame in frames]
    found = getattr(abm, metric.name)(*frames)
    for frame, copy in zip(frames, before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)
    (expected,) = table[(table["metric"] == metric.name) & (table["slice_by"] == "") & (table["quarter"] == READ)][
        "value"
    ]
    assert found.value == pytest.approx(expected, rel=1e-9)


def _how_added(metric: Metric) -> set[str]:
    return {"distinct" if term.how == "distinct" else "added" for term in metric.formula.terms()}


@pytest.mark.parametrize("metric", [m for m in ON_QUARTERS if len(_how_added(m)) == 1], ids=lambda metric: metric.name)
def test_rows_delivered_twice_double_what_is_added_up_and_leave_every_ratio_and_median(
    metric: Metric, facts: dict[str, pd.DataFrame]
) -> None:
    import abm_lib as abm

    frames = [facts[name] for name in metric.facts]
    twice = [pd.concat([frame, frame], ignore_index=True) for frame in frames]
    once, doubled = getattr(abm, metric.name)(*frames), getattr(abm, metric.name)(*twice)
    is_total = metric.formula.denominator is None and not metric.formula.needs_rows
    factor = 2 if is_total and _how_added(metric) == {"added"} else 1
    assert doubled.value == pytest.approx(factor * once.value, rel=1e-9)


# One query


def test_all_metrics_of_one_fact_and_slice_set_are_read_by_one_query() -> None:
    opened = opened_small(SAMPLE)
    reader = Reader(Base(opened, opened.calendar.quarter(READ), None, 8))
    metrics = [m for m in REGISTER.values() if m.family in ("ads", "pipeline", "revenue") and m.facts]
    reader.plan(metrics)
    asked, needing, terms = set(), set(), 0
    for metric in metrics:
        for chosen in reader.slice_sets(metric):
            reader.read(metric, chosen)
            formula = metric.formula.in_slice(chosen.name)
            found = [(term.fact, chosen.kind, () if term.whole else chosen.columns) for term in formula.terms()]
            asked, terms = asked | set(found), terms + len(found)
            needing |= {(formula.numerator.terms[0].fact, chosen.kind)} if formula.needs_rows else set()
    assert reader.queries == len(asked) + len(needing)
    assert terms > 3 * reader.queries
