"""An invented company of any size, written straight into its frozen store: for benchmarks, never for a report to read.

Every value is a hash of the seed and its row, so DuckDB streams each table from `range()` into a database file and memory
stays bounded. The tables are typed from the start and so pass the text reader by; what is derived, is derived as always.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from .. import config, derive, store
from ..period import Calendar
from ..tables import quoted, tables
from .stream_tables import SETTINGS, TABLES

LAST_QUARTER, QUARTERS = "2026Q3", 12
LARGE = ("ad_days", "touches")  # too large to be held twice, as delivered and as derived
MEMORY = "1GB"


@dataclass(frozen=True)
class Size:
    """How many rows each table has; opportunities have about four recorded states each."""

    ad_days: int = 20_000_000
    touches: int = 20_000_000
    accounts: int = 50_000
    opportunities: int = 20_000


def write(folder: Path, size: Size | None = None, *, seed: int = 7) -> store.Frozen:
    """Write abm.toml and the frozen store of a company with twelve quarters of data up to 2026Q3 into `folder`.

    The same size and seed give the same store with the same DuckDB.
    Raises EnvironmentFault when the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "abm.toml").write_text(SETTINGS, encoding="utf-8")
    settings = config.load(folder)
    work = folder / ".abm" / "stream.duckdb"
    work.parent.mkdir(exist_ok=True)
    con = store.connect()
    try:
        con.execute(f"set memory_limit = '{MEMORY}'; set temp_directory = {quoted(str(work.parent / 'spill'))}")
        con.execute(f"attach {quoted(str(work))} as work; use work; create schema canonical; create schema frozen")
        days = _words(con, size or Size(), seed)
        for name in TABLES:
            _fill(con, name, settings)
        derive.complete(con, settings)
        return store.freeze(con, folder, store.key_of(folder, []), _notes(con, days))
    finally:
        con.close()
        work.unlink(missing_ok=True)


def _words(con: duckdb.DuckDBPyConnection, size: Size, seed: int) -> tuple[date, date]:
    """What the queries of TABLES speak of: the quarters, the sizes, and `u(row, salt)`, a draw from 0 to 1."""
    calendar = Calendar()
    quarters = calendar.quarters(LAST_QUARTER, QUARTERS)
    first, end = quarters[0].start, quarters[-1].end
    planned = [*quarters, *(calendar.step(quarters[-1], n) for n in (1, 2))]
    con.execute("create table quarters (label VARCHAR, start_on DATE)")
    con.executemany("insert into quarters values (?, ?)", [[q.label, q.start] for q in planned])
    words = {"first_day": f"date '{first}'", "end_day": f"date '{end}'", "days": (end - first).days} | asdict(size)
    for name, value in words.items():
        con.execute(f"create macro n_{name}() as {value}")
    con.execute(f"create macro u(i, salt) as (hash(i, salt, {seed}) >> 11)::double / 9007199254740992")
    con.execute("create macro pick(words, x) as words[1 + floor(x * len(words))::bigint]")
    return first, end - timedelta(days=1)


def _fill(con: duckdb.DuckDBPyConnection, name: str, settings: config.Config) -> None:
    """One table of TABLES: the large ones in `frozen` at once, with their local day as `derive` would add it."""
    table, query = tables()[name], TABLES[name]
    schema = "frozen" if name in LARGE else "canonical"
    columns = ", ".join(f'"{column.name}" {column.sql_type}' for column in table.columns.values())
    if name in LARGE and table.days:
        columns += "".join(f", {day} DATE" for day in table.days.values())
        days = ", ".join(f"{derive.local_day(at, settings)} as {day}" for at, day in table.days.items())
        query = f"select *, {days} from ({query})"
    con.execute(f'create table {schema}."{name}" ({columns})')
    # Joins give their rows in no order; the large tables are drawn from one range and keep its own.
    ordered = query if name in LARGE else f"from ({query}) order by all"
    con.execute(f'insert into {schema}."{name}" by name {ordered}')


def _notes(con: duckdb.DuckDBPyConnection, days: tuple[date, date]) -> dict[str, object]:
    """What a company says of its inputs: rows per table, and that each dated one covers all of the days."""
    counts = {name: _count(con, name) for name in TABLES}
    none = {"repeated": 0, "set_aside": 0, "missing_columns": [], "added_columns": []}
    return {
        "files": {},
        "tables": {name: {"read": rows, "accepted": rows} | none for name, rows in counts.items()},
        "faults": [],
        "spans": {name: (str(days[0]), str(days[1])) for name in TABLES if tables()[name].dated},
        "extracted_at": f"{days[1] + timedelta(days=11)} 00:00:00",
    }


def _count(con: duckdb.DuckDBPyConnection, name: str) -> int:
    return int(con.execute(f'select count(*) from frozen."{name}"').fetchall()[0][0])
