"""The sample company as each system and tool would deliver it, read back: the same tables as before, and so the same readings."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
from conftest import ROOT
from delivering import deliver
from systems import SYSTEMS, tables, write

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


@pytest.mark.slow
@pytest.mark.parametrize(("system", "shape"), CASES)
def test_a_systems_tables_come_back_as_they_were(company: Path, tmp_path: Path, system: str, shape: str) -> None:
    held, con = SYSTEMS[system], duckdb.connect()
    tables(con, company, held)
    expected, found = tmp_path / "canonical", tmp_path / "system"
    settings = re.split(r"\[sources", (company / "abm.toml").read_text())[0]
    settings += "\n[thresholds]\nset_aside_share = 1.0\nunmatched_share = 1.0\n"
    for folder in (expected, found):
        folder.mkdir()
    (expected / "abm.toml").write_text(settings + "[sources.files]\n")
    for name in held.kept:
        con.execute(f"copy \"kept {name}\" to '{expected}/{name}.csv' (header)")
    (found / "abm.toml").write_text(settings + '[sources.system]\nmap = "crm"\n')
    (found / "crm.toml").write_text(f'base = "{system}-{shape}"\n{held.own}')
    write(con, found, system, shape, held)
    before, after = deliver(expected), deliver(found)
    assert [fault for fault in after.faults if fault.level in "EQ"] == []
    for name in held.kept:
        query = f"select * from canonical.{name} order by all"
        assert after.rows(query) == before.rows(query), name
    assert after.counts.keys() >= held.kept.keys()
