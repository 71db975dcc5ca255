"""The same numbers on Spark: traps of the engine one by one, then every metric, three families in all their slices."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest
import small_company
from conftest import NO_JAVA, find_java, rows

import abm_lib.metrics  # noqa: F401  (fills the register)
from abm_lib import readings, sample
from abm_lib.company import open_company
from abm_lib.errors import EnvironmentFault
from abm_lib.formula import Columns
from abm_lib.metric import REGISTER
from abm_lib.store import ENGINES, Engine, Spark

DEALS = """
    deal | person | kind | amount
    d1   | p1     | a    | 10
    d2   | p1     | a    | 20
    d3   |        | b    | 40
    d4   | p2     | b    |
"""
TYPES = {"deal": "VARCHAR", "person": "VARCHAR", "kind": "VARCHAR", "amount": "BIGINT"}
NUMBERS = ("value", "numerator", "denominator", "n", "low", "high")


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=[pytest.mark.spark, pytest.mark.slow])])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn; the session of the tests is there before ours asks for one."""
    if request.param == "spark":
        request.getfixturevalue("spark")
    return ENGINES[request.param]()


@pytest.fixture
def deals(engine: Engine) -> nw.LazyFrame[Any]:
    return engine.frame(pd.DataFrame(rows(DEALS), dtype=object), TYPES)


def by_kind(engine: Engine, frame: nw.LazyFrame[Any], expression: nw.Expr) -> dict[str, float]:
    table = engine.collect(frame.group_by("kind").agg(expression.alias("found")))
    return {kind: float(found) for kind, found in zip(table["kind"], table["found"], strict=True)}


# The traps, on both engines


def test_a_condition_inside_a_sum_is_heard_with_a_name_and_without(engine: Engine, deals: nw.LazyFrame[Any]) -> None:
    of_a = nw.when(nw.col("kind") == "a").then(nw.col("amount")).sum()
    assert by_kind(engine, deals, of_a) == {"a": 30, "b": 0}
    assert engine.collect(deals.select(found=of_a))["found"].tolist() == [30]
    assert engine.collect(deals.select(of_a.alias("found")))["found"].tolist() == [30]


def test_a_sum_over_nothing_is_0_and_only_the_count_of_rows_tells(engine: Engine, deals: nw.LazyFrame[Any]) -> None:
    never = nw.col("kind") == "z"
    total, count = (
        amount.terms[0].aggregate(None)
        for amount in (Columns("deals").total("amount", where=never), Columns("deals").count(where=never))
    )
    assert by_kind(engine, deals, total) == {"a": 0, "b": 0}
    assert by_kind(engine, deals, count) == {"a": 0, "b": 0}
    assert by_kind(engine, deals, Columns("deals").count().terms[0].aggregate(None)) == {"a": 2, "b": 2}


def test_a_blank_is_not_counted_among_the_distinct(engine: Engine, deals: nw.LazyFrame[Any]) -> None:
    people = Columns("deals").distinct("person").terms[0].aggregate(None)
    assert by_kind(engine, deals, people) == {"a": 1, "b": 1}
    known = Columns("deals").distinct("person", where=nw.col("kind") == "b").terms[0].aggregate(None)
    assert by_kind(engine, deals, known) == {"a": 0, "b": 1}
    assert by_kind(engine, deals, nw.col("person").n_unique()) == {"a": 1, "b": 2}  # what narwhals would say


def test_a_median_is_exact(engine: Engine) -> None:
    draw = np.random.default_rng(7).normal(size=2_000).tolist()
    table = pd.DataFrame({"kind": ["a", "b"] * 1_000, "amount": draw}, dtype=object)
    frame = engine.frame(table, {"kind": "VARCHAR", "amount": "DOUBLE"})
    expected = {kind: float(np.median(draw[start::2])) for start, kind in enumerate("ab")}
    assert by_kind(engine, frame, nw.col("amount").median()) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("amount", ["0.125", "1.005", "2.675", "1234567.895", "-0.125", "-2.5"])
def test_money_is_rounded_to_the_same_cent(engine: Engine, amount: str) -> None:
    frame = engine.frame(pd.DataFrame({"amount": [float(amount)]}), {"amount": "DOUBLE"})
    money = Columns("deals").money("amount").terms[0].aggregate(None)
    cents = duckdb.sql(f"select (round({amount}::double * 100))::bigint").fetchall()[0][0]
    assert int(engine.collect(frame.select(cents=money))["cents"].iloc[0]) == cents


def test_a_shift_gives_the_state_that_came_after(engine: Engine, deals: nw.LazyFrame[Any]) -> None:
    after = nw.col("deal").shift(-1).over("kind", order_by="deal")
    table = engine.collect(deals.with_columns(after=after)).sort_values("deal")
    assert [None if pd.isna(deal) else deal for deal in table["after"]] == ["d2", None, "d4", None]


def test_a_cross_join_and_a_filter_find_what_held_at_each_moment(engine: Engine) -> None:
    states = pd.DataFrame({"state": ["open", "won"], "since": [date(2026, 1, 1), date(2026, 4, 1)]}, dtype=object)
    moments = pd.DataFrame({"moment": ["early", "late"], "day": [date(2026, 3, 31), date(2026, 4, 1)]}, dtype=object)
    held = engine.frame(moments, {"moment": "VARCHAR", "day": "DATE"}).join(
        engine.frame(states, {"state": "VARCHAR", "since": "DATE"}), how="cross"
    )
    table = engine.collect(held.filter(nw.col("since") <= nw.col("day")).select("moment", "state"))
    assert sorted(map(tuple, table.to_numpy())) == [("early", "open"), ("late", "open"), ("late", "won")]


# Time and types


def test_timestamps_stay_as_they_are_written_wherever_the_clock_skips(engine: Engine, tmp_path: Path) -> None:
    """At 02:30 on 29 March the clocks of Berlin skip an hour."""
    path = tmp_path / "moments.parquet"
    duckdb.sql("select timestamp '2026-03-29 02:30:00' as at, date '2026-03-29' as day").write_parquet(str(path))
    table = engine.collect(engine.table(path).with_columns(on=nw.col("at").dt.date()))
    assert table["at"].dt.tz is None
    assert table["at"].tolist() == [pd.Timestamp("2026-03-29 02:30:00")]
    assert [str(day)[:10] for day in (*table["day"], *table["on"])] == ["2026-03-29"] * 2


def test_a_year_before_a_leap_day_is_the_28th(engine: Engine) -> None:
    days = [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2025, 2, 28)]
    frame = engine.frame(pd.DataFrame({"day": days}, dtype=object), {"day": "DATE"})
    table = engine.collect(frame.with_columns(before=nw.col("day").dt.offset_by("-1y").cast(nw.Date)).sort("day"))
    assert [str(day)[:10] for day in table["before"]] == ["2023-02-28", "2023-02-28", "2023-03-01", "2024-02-28"]


def test_a_frame_of_ours_keeps_its_types_and_its_blanks(engine: Engine) -> None:
    row = ["0'1\"", 7, 0.5, True, date(2026, 9, 30), datetime(2026, 9, 30, 22, 15)]
    types = ["VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP"]
    table = pd.DataFrame([row, [None] * len(row)], columns=list("abcdef"), dtype=object)
    frame = engine.frame(table, dict(zip("abcdef", types, strict=True)))
    expected = [nw.String, nw.Int64, nw.Float64, nw.Boolean, nw.Date, nw.Datetime]
    assert [
        type(kind) if isinstance(kind, nw.Datetime) else kind for kind in frame.collect_schema().dtypes()
    ] == expected
    first = engine.collect(frame.filter(~nw.col("a").is_null())).iloc[0]
    assert [first["a"], first["b"], first["c"], first["d"]] == row[:4]
    assert pd.Timestamp(first["e"]) == pd.Timestamp(2026, 9, 30)
    assert pd.Timestamp(first["f"]) == pd.Timestamp(2026, 9, 30, 22, 15)
    assert engine.collect(frame.filter(nw.col("b").is_null())).isna().all(axis=None)


def test_an_empty_frame_has_its_columns(engine: Engine) -> None:
    frame = engine.frame(pd.DataFrame({name: pd.Series(dtype="object") for name in TYPES}), TYPES)
    table = engine.collect(frame)
    assert list(table.columns) == list(TYPES)
    assert table.empty


def test_decimals_reach_pandas_as_numbers(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "money.parquet"
    duckdb.sql("select 12.5::decimal(18, 4) as amount").write_parquet(str(path))
    assert engine.collect(engine.table(path))["amount"].dtype == "float64"


def test_a_kept_frame_is_not_read_again(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "once.parquet"
    duckdb.sql("select unnest([1, 2, 3]) as n").write_parquet(str(path))
    kept = engine.keep(engine.table(path).filter(nw.col("n") > 1))
    path.unlink()
    assert sorted(engine.collect(kept)["n"]) == [2, 3]


@pytest.mark.slow
def test_the_session_is_in_utc_and_writes_naive_timestamps(spark: Any) -> None:
    ours = Spark().session.conf
    assert ours.get("spark.sql.session.timeZone") == "UTC"
    assert ours.get("spark.sql.timestampType") == "TIMESTAMP_NTZ"
    assert ours.get("spark.sql.shuffle.partitions") == spark.conf.get("spark.sql.shuffle.partitions")


def test_without_pyspark_the_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(EnvironmentFault, match="abm_lib\\[spark\\]"):
        ENGINES["spark"]()


# Every reading

IN_FULL = ("ads", "pipeline", "revenue")


@pytest.fixture(scope="module")
def both(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Readings of a tenth of the sample, from DuckDB and from Spark side by side: every metric, three families in all slices.

    A query costs Spark half a second whatever its size, and all slices of all families are thousands.
    """
    folder = tmp_path_factory.mktemp("tenth")
    sample.write(folder, scale=0.1)
    # Hundreds of small queries would spend their time in the compiler.
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    found = {}
    one = {name: () if m.has_whole else m.by[:1] for name, m in REGISTER.items()}
    asked = {name: m if m.family in IN_FULL else replace(m, by=one[name]) for name, m in REGISTER.items()}
    with patch.object(readings, "REGISTER", asked):
        for name in ENGINES:
            company = open_company(folder, name)
            found[name] = readings.read(company, company.quarter(""))
    return found["duckdb"].merge(
        found["spark"], on=["metric", "quarter", "slice_by", "slice"], how="outer", suffixes=("", "_spark"),
        indicator="where",
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("number", NUMBERS)
def test_spark_reads_every_number_that_duckdb_reads(both: pd.DataFrame, number: str) -> None:
    same = np.isclose(both[number], both[f"{number}_spark"], rtol=1e-9, atol=1e-9, equal_nan=True)
    differing = both.loc[~same, ["metric", "quarter", "slice_by", "slice", number, f"{number}_spark"]]
    assert differing.empty, differing.head(20).to_string()


@pytest.mark.slow
def test_spark_has_the_same_rows_and_the_same_reasons(both: pd.DataFrame) -> None:
    assert set(both["where"]) == {"both"}
    assert len(both) > 5_000
    assert set(both["metric"]) == set(REGISTER)
    for words in ("method", "missing_because", "caveats", "status", "period_start", "period_end"):
        assert both[words].tolist() == both[f"{words}_spark"].tolist(), words


DEFAULTS = """
spark.master local[2]
spark.ui.enabled false
spark.ui.showConsoleProgress false
spark.driver.bindAddress 127.0.0.1
spark.driver.host 127.0.0.1
spark.sql.shuffle.partitions 1
spark.sql.codegen.wholeStage false
"""


@pytest.mark.slow
@pytest.mark.spark
def test_the_command_publishes_from_spark_what_it_publishes_from_duckdb(tmp_path: Path) -> None:
    """`abm run --engine spark` in a process of its own, set up by nothing but Spark's own file of defaults."""
    if not find_java():
        pytest.skip(NO_JAVA)
    company = small_company.write(tmp_path / "firm")
    (tmp_path / "spark-defaults.conf").write_text(DEFAULTS)
    found = {}
    for engine in ENGINES:
        out = tmp_path / engine
        command = [sys.executable, "-m", "abm_lib.cli", "run", str(company), "--quarter", "2026Q2", "--only", "pipeline",
                   "--engine", engine, "--out", str(out)]  # fmt: skip
        told = {**os.environ, "SPARK_CONF_DIR": str(tmp_path), "PYSPARK_PYTHON": sys.executable}
        done = subprocess.run(command, capture_output=True, text=True, env=told, timeout=900)
        assert done.returncode == 0, done.stderr[-3_000:]
        assert done.stdout.strip() == str(out / "2026Q2" / "index.html")
        assert (out / "2026Q2" / "pipeline.html").stat().st_size > 10_000
        found[engine] = pd.read_parquet(out / "2026Q2" / "readings.parquet")
    assert found["duckdb"]["value"].notna().sum() > 50
    pd.testing.assert_frame_equal(found["duckdb"], found["spark"], rtol=1e-9, atol=1e-9)
