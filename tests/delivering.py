"""A company folder read as far as its canonical tables, for tests of what comes in."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from abm_lib import config, sources, store
from abm_lib.errors import Fault
from abm_lib.sources import mapping

COMPANIES = Path(__file__).parent / "companies"
SETTINGS = """
[company]
name = "Tiny"
currency = "EUR"

[opportunity_stages]
order = ["discovery", "offer"]
qualified_from = "offer"
won = ["won"]
lost = ["lost"]

[thresholds]
set_aside_share = 1.0
unmatched_share = 1.0
"""


@dataclass
class Read:
    """What became of a delivery: the canonical tables, to be asked by SQL, and all that was said."""

    con: duckdb.DuckDBPyConnection
    delivery: sources.Delivery

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.con.execute(query).fetchall()

    @property
    def faults(self) -> list[Fault]:
        return self.delivery.faults

    def told(self, rule: str) -> list[Fault]:
        return [fault for fault in self.faults if fault.rule == rule]

    @property
    def counts(self) -> dict[str, tuple[int, ...]]:
        """Per table: read, accepted, repeated, set aside, excluded. They add up, or the test fails here."""
        found = {}
        for name, r in self.delivery.reports.items():
            excluded = sum(r.excluded.values())
            assert r.read == r.accepted + r.repeated + r.set_aside + excluded or self.delivery.is_refused, r
            found[name] = (r.read, r.accepted, r.repeated, r.set_aside, excluded)
        return found


def deliver(folder: Path) -> Read:
    """Read the company folder; nothing is refused here, every fault is kept."""
    settings, con = config.load(folder), store.connect()
    return Read(con, sources.read(con, settings, folder, mapping.load_maps(folder, settings)))


def written(folder: Path, settings: str, **files: str | bytes) -> Path:
    """A company folder with these settings after the ones above, and files by name: `crm__toml` is crm.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "abm.toml").write_text(SETTINGS + settings, encoding="utf-8")
    for name, content in files.items():
        path = folder / (name.replace("__", ".") if "__" in name else f"{name}.csv")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def of_others(company: str, data: Path, folder: Path) -> Path:
    """One of tests/companies with its files where they lie on this machine."""
    shutil.copytree(COMPANIES / company, folder, dirs_exist_ok=True)
    settings = (folder / "abm.toml").read_text()
    assert 'folder = "files"' in settings
    (folder / "abm.toml").write_text(settings.replace('folder = "files"', f'folder = "{data}"'))
    return folder
