"""A company small enough to be worked out in the head: its tables drawn as text, written as a folder, and read."""

from __future__ import annotations

import csv
import os
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
import tomli_w
from conftest import ROOT, rows
from filelock import FileLock

import abm_lib.metrics  # noqa: F401  (fills the register)
from abm_lib import readings, store
from abm_lib.company import Company, open_company
from abm_lib.facts import FACTS, Base, Cut
from abm_lib.metric import REGISTER

SAMPLE = ROOT / "data" / "sample"
SETTINGS = """
[company]
name = "Tiny"
currency = "EUR"
timezone = "UTC"

[opportunity_stages]
order = ["discovery", "qualified", "proposal", "won", "lost"]
qualified_from = "qualified"
won = ["won"]
lost = ["lost"]

[channels.linkedin_ads]
owner = "marketing"
paid = true
match = ["LinkedIn"]

[channels.outbound]
owner = "sales"
match = ["Cold Call"]

[channels.partner]
owner = "partner"

[win_rate]
canonical_period = "quarter"

[sources.files]
"""
LATER = """
table    | source | extracted_at
accounts | files  | 2027-01-31 06:00
"""


def company(folder: Path, tables: dict[str, str], settings: str = "") -> Path:
    """Write a company folder: EUR, UTC, calendar quarters, win rates over one quarter; `settings` overrule its abm.toml.

    A drawing of one line is a table without rows. The data are extracted in 2027, so that no quarter of 2026 is running.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = _merged(tomllib.loads(SETTINGS), tomllib.loads(settings))
    (folder / "abm.toml").write_text(tomli_w.dumps(text), encoding="utf-8")
    for name, drawing in ({"loads": LATER} | tables).items():
        columns = [column.strip() for column in drawing.strip().splitlines()[0].split("|")]
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows([{column: _text(cell) for column, cell in row.items()} for row in rows(drawing)])
    return folder


def _merged(settings: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    both = {k: _merged(settings[k], v) if isinstance(v, dict) and k in settings else v for k, v in given.items()}
    return settings | both


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return "" if cell is None else cell.isoformat() if isinstance(cell, date) else str(cell)


def deals(drawing: str, details: str = "") -> dict[str, str]:
    """`opportunities` and `opportunity_changes` from one line per deal: `deal, qualified, ended, stage, amount, due`.

    A deal is recorded when it is qualified (in discovery, where it never was) and when it ended; `due` is the close date
    until then, in its `currency`, EUR where none is drawn. Every other column is the opportunity's own, and so is
    every column of `details`, drawn for some deals.
    """
    drawn, changes, opportunities = rows(drawing), [], []
    told = {row.pop("deal"): row for row in rows(details)} if details else {}
    blank = dict.fromkeys(column for row in told.values() for column in row)
    for deal in drawn:
        name, begun, ended, stage, amount = (deal.pop(c) for c in ("deal", "qualified", "ended", "stage", "amount"))
        due = deal.pop("due", None) or ended or date(2027, 12, 31)
        money = deal.pop("currency", "EUR")
        first = begun or (ended if ended else date(2026, 7, 1)) - timedelta(days=30)
        changes.append((name, first, "qualified" if begun else "discovery", amount, money, due))
        if ended:
            changes.append((name, ended, stage, amount, money, ended))
        opportunities.append(
            {"opportunity_id": name, "created_at": first, "business_type": "new", **deal, **told.get(name, blank)}
        )
    written = ["opportunity_id | changed_at | stage | amount | currency | close_on"]
    written += [
        f"{n} | {at} | {stage} | {'' if amount is None else amount} | {money} | {due}"
        for n, at, stage, amount, money, due in changes
    ]
    return {"opportunities": _drawn(opportunities), "opportunity_changes": "\n".join(written)}


def _drawn(table: list[dict[str, Any]]) -> str:
    return "\n".join([" | ".join(table[0]), *(" | ".join(map(_text, row.values())) for row in table)])


def read(
    folder: Path, *metrics: str, by: Iterable[str] | None = None, quarter: str = "2026Q3", as_of: date | None = None
) -> pd.DataFrame:
    """The readings of these metrics, of a family, or of all, for the quarter and the seven before it; of all slices or some."""
    opened = opened_small(folder)
    asked = {n: m for n, m in REGISTER.items() if not metrics or n in metrics or m.family in metrics}
    asked |= {n: REGISTER[n] for n in _needed(asked)}
    if by is not None:
        asked = {n: replace(m, by=tuple(name for name in m.by if name in {*by, "window"})) for n, m in asked.items()}
    with patch.object(readings, "REGISTER", asked):
        return readings.read(opened, opened.calendar.quarter(quarter), as_of=as_of)


def opened_small(folder: Path) -> Company:
    """The company on one thread: tables of a few rows are slower on two."""
    connect = store.connect

    def on_one_thread(*spill: Path) -> Any:
        con = connect(*spill)
        con.execute("set threads = 1")
        return con

    with patch.object(store, "connect", on_one_thread):
        return open_company(folder)


def _needed(names: Iterable[str]) -> set[str]:
    found = {other for name in names for other in REGISTER[name].of}
    return found | (_needed(found) if found else set())


Cells = dict[tuple[str, str, str], dict[str, list[dict[str, Any]]]]
_looked_into: list[
    tuple[pd.DataFrame, Cells]
] = []  # the last few, since a look through a table takes longer than many answers


def _cells(table: pd.DataFrame) -> Cells:
    """The rows by metric, kind of slice and quarter, then by slice."""
    for known, cells in _looked_into:
        if known is table:
            return cells
    found: Cells = {}
    for row in table.to_dict("records"):
        kind = found.setdefault((row["metric"], row["slice_by"], row["quarter"]), {})
        kind.setdefault(row["slice"], []).append(row)
    _looked_into[:] = [*_looked_into[-3:], (table, found)]
    return found


def _of_kind(table: pd.DataFrame, metric: str, slice_by: str, quarter: str) -> dict[str, list[dict[str, Any]]]:
    cells = _cells(table)
    return cells.get((metric, slice_by, quarter or max(quarter for _, _, quarter in cells)), {})


def reading(table: pd.DataFrame, metric: str, slice_by: str = "", named: str = "", quarter: str = "") -> dict[str, Any]:
    """The one row of a metric and slice, in the last quarter read unless another is named."""
    found = _of_kind(table, metric, slice_by, quarter).get(named, [])
    assert len(found) == 1, f"{len(found)} rows of {metric} {slice_by} {named}"
    return {name: None if pd.isna(cell) else cell for name, cell in found[0].items()}


def value(table: pd.DataFrame, metric: str, slice_by: str = "", named: str = "", quarter: str = "") -> Any:
    """The value to nine places, or the code of the reason why there is none."""
    found = reading(table, metric, slice_by, named, quarter)
    return found["missing_because"] if found["value"] is None else round(found["value"], 9)


def slices(table: pd.DataFrame, metric: str, slice_by: str, quarter: str = "") -> dict[str, Any]:
    """Every slice of a metric with its value, or the code of the reason why there is none."""
    return {name: value(table, metric, slice_by, name, quarter) for name in _of_kind(table, metric, slice_by, quarter)}


def sample_readings(temporary: pytest.TempPathFactory) -> pd.DataFrame:
    """Every reading of the sample company, worked out once in a test run, whichever worker asks first."""
    place = temporary.getbasetemp()
    place = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place
    with FileLock(place / "sample.lock"):
        if not (place / "sample.pickle").exists():
            opened = open_company(SAMPLE)
            readings.read(opened, opened.calendar.quarter("2026Q3")).to_pickle(place / "sample.pickle")
    return pd.read_pickle(place / "sample.pickle")


def facts(folder: Path, *names: str, quarter: str = "2026Q3", shown: int = 1) -> dict[str, pd.DataFrame]:
    """The rows of each fact in the last quarters, as pandas."""
    opened = opened_small(folder)
    base = Base(opened, opened.calendar.quarter(quarter), None, shown)
    labels = [q.label for q in base.shown]
    found = {name: opened.tables.engine.collect(FACTS[name].cut(Cut(base, "quarter"))) for name in names}
    return {name: table[table["quarter"].isin(labels)].reset_index(drop=True) for name, table in found.items()}


# Histories of one opportunity each, and what they say, worked out slowly


@dataclass(frozen=True)
class Change:
    """One recorded state of an opportunity."""

    changed_at: datetime
    stage: str
    amount: int | None = None
    close_on: date | None = None
    recorded_at: datetime | None = None
    is_deleted: bool = False
    overtaken_at: datetime | None = None

    @property
    def effective_at(self) -> datetime:
        """When it took effect (D3): a close without a day of recording on its close date, all else when it was made.

        What a close entered later has overtaken took effect just before that close.
        """
        if self.overtaken_at:
            return self.overtaken_at
        closed = self.stage in ("won", "lost")
        if self.recorded_at is None and closed and self.close_on and self.close_on < self.changed_at.date():
            return datetime.combine(self.close_on, time())
        return self.changed_at

    @property
    def known_at(self) -> datetime:
        return self.recorded_at or self.changed_at

    @property
    def is_live(self) -> bool:
        return self.stage in ("qualified", "proposal") and not self.is_deleted

    @property
    def is_won(self) -> bool:
        return self.stage == "won" and not self.is_deleted

    @property
    def is_lost(self) -> bool:
        return self.stage == "lost" and not self.is_deleted


def known(history: Sequence[Change], before: datetime, until: datetime) -> list[Change]:
    """What had taken effect before one instant and was known before another, in the order in which it took effect."""
    kept = []
    for change in overtaken(history):
        if change.effective_at < before and change.known_at < until:
            kept.append(change)
    return sorted(kept, key=lambda change: (change.effective_at, change.known_at, change.changed_at))


def overtaken(history: Sequence[Change]) -> list[Change]:
    """The history with what was changed between a close date and the day on which the close was entered moved before it."""
    made = sorted(history, key=lambda change: change.changed_at)
    found = []
    for place, change in enumerate(made):
        closes = [later.effective_at for later in made[place + 1 :] if later.stage in ("won", "lost")]
        opens = [earlier.changed_at for earlier in made[:place] if earlier.stage not in ("won", "lost")]
        is_close, room = change.stage in ("won", "lost"), timedelta(milliseconds=1)
        if change.recorded_at is None and is_close and opens and max(opens) > change.effective_at:
            change = replace(change, overtaken_at=change.effective_at + room)
        elif change.recorded_at is None and not is_close and closes and min(closes) < change.changed_at:
            change = replace(change, overtaken_at=min(closes) + room - timedelta(microseconds=len(made) - place))
        found.append(change)
    return found


def histories(seed: int, moments: Sequence[datetime], days: Sequence[date], recorded: bool) -> list[list[Change]]:
    """A hundred short histories out of a few moments and close dates, so that edges and ties are met often."""
    random = Random(seed)

    def change(at: datetime) -> Change:
        late = timedelta(days=random.choice([0, 0, 3, 20]))
        stage = random.choice(["discovery", "qualified", "qualified", "proposal", "won", "lost"])
        amount, close_on = random.choice([None, 100, 200, 300]), random.choice([None, *days])
        return Change(at, stage, amount, close_on, at + late if recorded else None, random.random() < 0.08)

    return [[change(at) for at in random.sample(list(moments), random.randint(1, 6))] for _ in range(100)]


def with_histories(all_of_them: Sequence[Sequence[Change]], **columns: Sequence[Any]) -> dict[str, str]:
    """`opportunities` and `opportunity_changes` of these histories; the opportunities are called 0, 1, 2 and so on.

    Without a day of recording in any of them the table has no such column.
    """
    shown = [
        f.name
        for f in fields(Change)
        if f.name not in ("recorded_at", "overtaken_at")
        or (f.name == "recorded_at" and any(c.recorded_at for h in all_of_them for c in h))
    ]
    changes = [
        {"opportunity_id": f"'{n}'", "currency": "EUR", **{name: getattr(change, name) for name in shown}}
        for n, history in enumerate(all_of_them)
        for change in history
    ]
    given = [
        {"opportunity_id": f"'{n}'", "business_type": "new", **{name: cells[n] for name, cells in columns.items()}}
        for n in range(len(all_of_them))
    ]
    return {"opportunities": _drawn(given), "opportunity_changes": _drawn(changes)}
