"""A company folder of a few rows, for the tests of what happens between a file and a number."""

from __future__ import annotations

from pathlib import Path

import duckdb

from abm_lib.company import Company

SETTINGS = """
stale_after_days = 45

[company]
name = "Lathe & Loom"
currency = "EUR"

[opportunity_stages]
order = ["new", "qualified", "offer", "won", "lost"]
qualified_from = "qualified"
won = ["won"]
lost = ["lost"]

[sources.crm]
"""

ACCOUNTS = "account_id,name,segment\nA1,Alpha,large\nA2,Beta,small\nA3,Gamma,small\n"
PEOPLE = (
    "person_id,account_id,email,created_at\nP1,A1,ann@alpha.example,2026-01-05\nP2,A2,bob@beta.example,2026-02-03\n"
)
DEALS = """opportunity_id,account_id,business_type,created_at
O1,A1,new,2026-01-10
O2,A2,new,2026-04-02
"""
CHANGES = """opportunity_id,changed_at,stage,amount,currency,close_on
O1,2026-01-10 09:00:00,qualified,1000.00,EUR,2026-04-15
O1,2026-04-15 10:00:00,won,1200.00,EUR,2026-04-15
O2,2026-04-02 08:30:00,qualified,500.00,EUR,2026-08-01
"""
FILES = {"accounts": ACCOUNTS, "people": PEOPLE, "opportunities": DEALS, "opportunity_changes": CHANGES}


def write(folder: Path, files: dict[str, str | bytes] | None = None, settings: str = "", base: str = SETTINGS) -> Path:
    """Write abm.toml, with more settings after its own, and the files by stem: those of FILES unless others are given."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "abm.toml").write_text(base + settings, encoding="utf-8")
    for stem, text in (FILES if files is None else files).items():
        name = stem if "." in stem else f"{stem}.csv"
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def frozen(company: Company, query: str) -> list[tuple[object, ...]]:
    """A query over a company's frozen tables, by their names."""
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    for name, digest in company.frozen.tables.items():
        con.read_parquet(str(company.frozen.folder / f"{digest}.parquet")).create_view(name)
    return con.execute(query).fetchall()
