"""The benchmarks measure what they say, on a company that is sound, and both sides of them give the same numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from abm_lib import store
from abm_lib.company import open_company
from abm_lib.sample import stream
from abm_lib.tables import tables

sys.path.append(str(Path(__file__).resolve().parent.parent / "benchmarks"))

import by_hand
import measure
import metrics
from measure import Figure

SMALL = stream.Size(ad_days=4_000, touches=6_000, accounts=150, opportunities=400)


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> store.Frozen:
    return stream.write(tmp_path_factory.mktemp("stream"), SMALL)


@pytest.fixture(scope="module")
def ours(frozen: store.Frozen) -> pd.DataFrame:
    import abm_lib as abm

    return abm.read(str(frozen.folder.parent.parent), "2026Q3")


def asked(frozen: store.Frozen, query: str) -> list[Any]:
    """The one row that a query of the frozen tables gives."""
    con = duckdb.connect()
    for name, digest in frozen.tables.items():
        con.execute(f"create view \"{name}\" as from read_parquet('{frozen.folder / digest}.parquet')")
    (row,) = con.execute(query).fetchall()
    return list(row)


# The company


@pytest.mark.parametrize("name", ["ad_days", "touches", "accounts", "opportunities"])
def test_a_streamed_table_has_as_many_rows_as_asked_for(frozen: store.Frozen, name: str) -> None:
    assert asked(frozen, f"select count(*) from {name}") == [getattr(SMALL, name)]


@pytest.mark.parametrize("name", stream.TABLES)
def test_a_streamed_table_is_a_canonical_one(frozen: store.Frozen, name: str) -> None:
    table = tables()[name]
    types = asked(frozen, f"select map_from_entries(list((column_name, column_type))) from (describe {name})")[0]
    own = dict.fromkeys(table.days.values(), "DATE")
    assert types == {column.name: column.sql_type for column in table.columns.values()} | own
    blank = " or ".join(f'"{c.name}" is null' for c in table.columns.values() if c.required and c.name != "person_id")
    # A table without optional parts of its key repeats no key at all.
    key = ", ".join(f"coalesce({c}::varchar, '')" for c in table.key)
    assert asked(frozen, f"select count(*) filter ({blank}), count(*) - count(distinct ({key})) from {name}") == [0, 0]


@pytest.mark.parametrize("name", ["ad_days", "touches", "opportunities", "opportunity_changes", "account_lists"])
def test_a_streamed_row_leads_to_the_account_campaign_or_deal_it_names(frozen: store.Frozen, name: str) -> None:
    for column in tables()[name].columns.values():
        if column.references in stream.TABLES:
            target, key = column.references, tables()[column.references].key[0]
            lost = f"select count(*) from {name} where {column.name} not in (select {key} from {target})"
            assert asked(frozen, lost) == [0], column.name


def test_the_twelve_quarters_are_filled_from_the_first_day_to_the_last(frozen: store.Frozen) -> None:
    days = "select min(day)::varchar, max(day)::varchar, count(distinct day) from ad_days"
    assert asked(frozen, days) == ["2023-10-01", "2026-09-30", 1096]
    assert asked(frozen, "select min(touched_on)::varchar, max(touched_on)::varchar from touches")[0] == "2023-10-01"
    company = open_company(frozen.folder.parent.parent)
    assert company.frozen.key == frozen.key
    assert company.quarter("").label == "2026Q3"


def test_the_same_seed_streams_the_same_bytes_and_another_seed_others(frozen: store.Frozen, tmp_path: Path) -> None:
    assert stream.write(tmp_path / "again", SMALL).tables == frozen.tables
    assert stream.write(tmp_path / "other", SMALL, seed=8).tables["touches"] != frozen.tables["touches"]


def test_nothing_but_the_store_is_left_behind(frozen: store.Frozen) -> None:
    hidden = frozen.folder.parent
    assert sorted(path.name for path in hidden.parent.iterdir()) == [".abm", "abm.toml"]
    assert [path.name for path in hidden.iterdir() if any(path.iterdir())] == ["store"]


# The two sides


@pytest.mark.slow
def test_the_readings_are_what_sql_written_by_hand_finds(frozen: store.Frozen, ours: pd.DataFrame) -> None:
    compared = metrics.differences(ours, by_hand.read(frozen.folder, frozen.tables))
    assert compared[compared["differs"]].empty, compared[compared["differs"]].head(20).to_string()
    assert len(compared) > 4_000
    assert compared["metric"].nunique() > 30
    assert {"ad_spend", "influenced_pipeline", "pipeline_movement", "sales_cycle_days"} <= set(compared["metric"])


def test_a_number_that_differs_is_found() -> None:
    row = {"metric": "ad_clicks", "quarter": "2026Q3", "slice_by": "", "slice": ""}
    ours = pd.DataFrame([row | {"value": 10.0}])
    for value, differs in ((10, False), (10.001, True)):
        assert metrics.differences(ours, pd.DataFrame([row | {"value": value}]))["differs"].tolist() == [differs]


def test_a_group_that_sql_has_no_line_for_must_be_0() -> None:
    row = {"metric": "ad_clicks", "quarter": "2026Q3", "slice_by": "channel", "slice": "event"}
    other = row | {"slice": "website", "value": 3}
    for value, differs in ((0.0, [False, False]), (2.0, [True, False])):
        ours = pd.DataFrame([row | {"value": value}, other])
        assert metrics.differences(ours, pd.DataFrame([other]))["differs"].tolist() == differs


def test_a_number_that_only_the_sql_finds_is_found_to_differ() -> None:
    row = {"metric": "ad_clicks", "quarter": "2026Q3", "slice_by": "channel", "slice": "event", "value": 3.0}
    ours = pd.DataFrame([row | {"slice": "website"}])
    hand = pd.DataFrame([row, row | {"slice": "website"}])
    assert metrics.differences(ours, hand)["differs"].tolist() == [True, False]


def test_only_numbers_asked_of_both_are_compared() -> None:
    row = {"metric": "ad_clicks", "quarter": "2026Q3", "slice_by": "", "slice": "", "value": 3.0}
    ours = pd.DataFrame([row, row | {"metric": "attributed_pipeline"}, row | {"slice_by": "moon"}])
    assert len(metrics.differences(ours, pd.DataFrame([row]))) == 1


# The measuring


def test_a_childs_cpu_and_memory_are_its_own() -> None:
    idle = measure.run(sys.executable, "-c", "import time; time.sleep(0.3)")
    busy = measure.run(sys.executable, "-c", "x = bytearray(200_000_000)\nfor n in range(10_000_000): pass")
    assert idle.wall >= 0.3
    assert busy.cpu > idle.cpu + 0.05
    assert busy.peak > idle.peak + 150


def test_a_child_that_fails_is_no_measurement() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        measure.run(sys.executable, "-c", "raise SystemExit(3)")


def test_a_figure_over_its_target_is_missed_and_said_to_be() -> None:
    figures = [Figure("slow", 1.31, "x", 1.3), Figure("quick", 1.3, "x", 1.3), Figure("free", 5, "s")]
    assert [figure.is_met for figure in figures] == [False, True, True]
    lines = measure.table(figures).splitlines()
    assert ["MISSED" in line for line in lines[2:]] == [True, False, False]
    least = [Figure("slow", 0.49, "x", 0.5, is_least=True), Figure("quick", 0.5, "x", 0.5, is_least=True)]
    assert [figure.is_met for figure in least] == [False, True]
    assert "at least 0.5 x" in measure.table(least)
    assert len({len(line) for line in lines}) == 1


@pytest.mark.slow
def test_all_benchmarks_run_at_small_size(chromium: str) -> None:
    command = [sys.executable, str(measure.PROJECT / "benchmarks" / "run.py"), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "import abm_lib beyond pandas and narwhals" in done.stdout
    assert "numbers that differ by more than 1e-9 of them" in done.stdout
    assert "lines not accounted for" in done.stdout
    assert "charts in sight answer" in done.stdout


def test_the_store_on_disk_says_what_is_in_it(frozen: store.Frozen) -> None:
    state = json.loads((frozen.folder / f"{frozen.key}.json").read_text(encoding="utf-8"))
    assert state["notes"]["spans"]["ad_days"] == ["2023-10-01", "2026-09-30"]
    assert state["notes"]["tables"]["touches"]["accepted"] == SMALL.touches
