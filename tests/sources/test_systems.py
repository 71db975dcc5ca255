"""The sample company as each system and tool would deliver it, read back: the same tables as before, and so the same readings."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
from delivering import deliver
from systems import SYSTEMS, tables, write

from abm_lib import sample
from abm_lib.sources import mapfile

CASES = [(system, shape) for system in SYSTEMS for shape in ("native", "fivetran", "airbyte", "dlt")]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    sample.write(folder, scale=0.01, seed=5)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("system", "shape"), CASES)
def test_a_systems_tables_come_back_as_they_were(company: Path, tmp_path: Path, system: str, shape: str) -> None:
    if mapfile.shipped()[f"{system}-{shape}"].reason:
        assert (system, shape) == ("google_ads", "dlt")
        return
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
