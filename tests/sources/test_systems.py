"""The sample company as each system and tool would deliver it, read back: the same tables as before, and so the same readings."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from conftest import ROOT
from delivering import deliver
from systems import SYSTEMS, tables, write
from tiny import read

from abm_lib import sample
from abm_lib.sources import mapfile

SHAPES = ("native", "fivetran", "airbyte", "dlt")
NOT_SUPPORTED = {("ga4", "dlt"), ("google_ads", "dlt")}
CASES = [(system, shape) for system in SYSTEMS for shape in SHAPES if (system, shape) not in NOT_SUPPORTED]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    sample.write(folder, scale=0.01, seed=5)
    return folder


def test_each_of_the_24_comes_back_or_is_said_to_be_not_supported_with_the_reason() -> None:
    assert len(CASES) + len(NOT_SUPPORTED) == 24
    lines = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8").splitlines()
    (head,) = [line for line in lines if line.startswith("| | native")]
    told = {
        line.split("`")[1]: [cell.strip() for cell in line.strip("|").split("|")[1:]]
        for line in lines
        if line.startswith("| `")
    }
    assert [cell.strip() for cell in head.strip("|").split("|")[1:]] == list(SHAPES)
    for system in SYSTEMS:
        for shape, cell in zip(SHAPES, told[system], strict=True):
            found = mapfile.shipped()[f"{system}-{shape}"]
            reason, proof = found.reason, "tried on " if found.proven else "unproven"
            assert reason or cell.startswith(proof), (system, shape, cell)
            assert bool(reason) == cell.startswith("not supported: ") == ((system, shape) in NOT_SUPPORTED), (
                system,
                shape,
            )


SETTINGS_OF = """
[thresholds]
set_aside_share = 1.0
unmatched_share = 1.0
[sources.system]
extracted_on = 2026-10-20
"""


@pytest.fixture(scope="module")
def canonical(company: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, pd.DataFrame]]:
    """By system the company of nothing but what the system can hold, and every reading of it that has a value."""

    @cache
    def made(system: str) -> tuple[Path, pd.DataFrame]:
        folder, con = tmp_path_factory.mktemp(system), duckdb.connect()
        tables(con, company, SYSTEMS[system])
        (folder / "abm.toml").write_text(settings_of(company))
        for name in SYSTEMS[system].kept:
            con.execute(f"copy \"kept {name}\" to '{folder}/{name}.csv' (header)")
        return folder, valued(read(folder))

    return made


def settings_of(company: Path) -> str:
    return re.split(r"\[sources", (company / "abm.toml").read_text())[0] + SETTINGS_OF


def valued(rows: pd.DataFrame) -> pd.DataFrame:
    """Readings with a value, in one order whatever that of the rows they were read from.

    But for the one that counts the rows as delivered: systems cut them up in other ways.
    """
    rows = rows[rows["value"].notna() & (rows["metric"] != "rows_set_aside_share")].sort_values(
        ["metric", "quarter", "slice_by", "slice"]
    )
    return rows.reset_index(drop=True)


@pytest.mark.slow
@pytest.mark.parametrize(("system", "shape"), CASES)
def test_a_systems_tables_come_back_as_they_were_and_so_do_the_readings(
    company: Path, canonical: Callable[[str], tuple[Path, pd.DataFrame]], tmp_path: Path, system: str, shape: str
) -> None:
    held, con = SYSTEMS[system], duckdb.connect()
    expected, readings = canonical(system)
    tables(con, company, held)
    (tmp_path / "abm.toml").write_text(settings_of(company) + 'map = "crm"\n')
    (tmp_path / "crm.toml").write_text(f'base = "{system}-{shape}"\n{held.own}')
    write(con, tmp_path, system, shape, held)
    before, after = deliver(expected), deliver(tmp_path)
    assert [fault for fault in after.faults if fault.level in "EQ"] == []
    for name in held.kept:
        query = f"select * from canonical.{name} order by all"
        assert after.rows(query) == before.rows(query), name
        lacking, known_to_lack = (side.delivery.reports[name].missing_columns for side in (after, before))
        assert sorted(lacking) == sorted(known_to_lack), name  # what the system cannot say is said to be missing
    assert after.counts.keys() >= held.kept.keys()
    assert len(readings) > 500 and readings["metric"].nunique() >= 8
    again = valued(read(tmp_path))
    numbers = [
        "metric",
        "quarter",
        "slice_by",
        "slice",
        "value",
        "numerator",
        "denominator",
        "low",
        "high",
        "n",
        "currency",
    ]
    pd.testing.assert_frame_equal(again[numbers], readings[numbers], rtol=1e-12)
