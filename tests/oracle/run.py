"""Readings of one quarter, worked out from a company's files by plain SQL."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd

from oracle.chain import removal_effects
from oracle.fiscal import Fiscal, earlier, months
from oracle.survival import mean_to_win, median_days, median_to_win, most_to_win, won_within

SQL = Path(__file__).parent
DAYS_READ = (1, 5, 15, 30, 45, 60, 75, 90)
HORIZONS = ("current", "next", "in_two")
SEEN_FROM = ("segment", "source_owner", "target", "promotion")
# What the settings say where abm.toml is silent: roles, people and weight of a buying group, and the words of a title by role.
GROUPS = {
    "1": (["champion", "economic_buyer", "decision_maker", "influencer", "user"], 12, 3.0),
    "2": (["champion", "economic_buyer", "decision_maker", "user"], 7, 2.0),
    "3": (["champion", "decision_maker"], 3, 1.0),
}
TITLES = {
    "blocker": ["procurement", "purchasing", "legal"],
    "economic_buyer": ["chief", "ceo", "cfo", "coo", "owner", "managing director"],
    "champion": ["head of", "plant manager", "project manager"],
    "influencer": ["it director", "manager", "architect", "consultant"],
    "decision_maker": ["director", "vp", "vice president"],
    "user": ["engineer", "operator", "technician", "specialist"],
}


def readings(folder: Path, quarter: str, decimal_money: bool = True) -> pd.DataFrame:
    """Every metric of the families as of one quarter: whole and slices."""
    settings = tomllib.loads((folder / "abm.toml").read_text(encoding="utf-8"))
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    _set(con, decimal_money=decimal_money)
    _company(con, folder, settings)
    _quarter(con, settings, quarter)
    for name in ("quarter", "ads", "created", "closed", "restated", "stock", "rates", "bridge", "cohorts"):
        if name == "cohorts":
            _cycles(con)
        con.execute((SQL / f"{name}.sql").read_text(encoding="utf-8"))
    con.execute((SQL / "formulas.sql").read_text(encoding="utf-8"))
    for name in ("website", "accounts", "content", "journey", "voice"):
        con.execute((SQL / f"{name}.sql").read_text(encoding="utf-8"))
    _stays(con)
    _generation(con)
    for name in ("demand", "customers", "quality", "walks", "credit", "effects", "lift"):
        if name == "credit":
            _chains(con)
        con.execute((SQL / f"{name}.sql").read_text(encoding="utf-8"))
    _follow_ups(con)
    return con.sql("select * from readings").df()


def _company(con: duckdb.DuckDBPyConnection, folder: Path, settings: dict[str, Any]) -> None:
    stages = settings["opportunity_stages"]
    ends = {*stages["won"], *stages["lost"]}
    start = stages["order"].index(stages["qualified_from"])
    _table(con, "open_stages", "stage varchar", [(s,) for s in stages["order"][start:] if s not in ends])
    _table(con, "won_stages", "stage varchar", [(s,) for s in stages["won"]])
    _table(con, "lost_stages", "stage varchar", [(s,) for s in stages["lost"]])
    reasons = settings.get("win_rate", {}).get("disqualified_reasons", [])
    _table(con, "disqualified", "reason varchar", [(reason,) for reason in reasons])
    _named(con, settings["channels"])
    utm = settings.get("utm", {})
    _set(con, utm_pattern=utm.get("pattern", "^[a-z0-9][a-z0-9_.-]*$"))
    _table(con, "utm_sources", "said varchar", [(name,) for name in utm.get("sources", [])])
    _table(con, "utm_mediums", "said varchar", [(name,) for name in utm.get("mediums", [])])
    _set(con, folder=str(folder), zone=settings["company"]["timezone"], currency=settings["company"]["currency"])
    lifetime = {"gross_margin": 0.75, "longest_years": 7.0} | settings.get("lifetime", {})
    _set(con, **{name: Decimal(str(value)) for name, value in lifetime.items()})
    con.execute((SQL / "base.sql").read_text(encoding="utf-8"))


def _named(con: duckdb.DuckDBPyConnection, channels: dict[str, Any]) -> None:
    """Channels with their owners and the answers that mean them; buying groups and titles."""
    answers = {(name, word) for name, channel in channels.items() for word in (name, *channel.get("match", []))}
    _table(con, "answer_channels", "channel varchar, answer varchar", sorted(answers))
    _table(con, "channel_owners", "channel varchar, owner varchar", [(n, c["owner"]) for n, c in channels.items()])
    untracked = [(n,) for n, c in channels.items() if not c.get("tracked", True)]
    _table(con, "untracked_channels", "channel varchar", untracked)
    _table(con, "paid_channels", "channel varchar", [(n,) for n, c in channels.items() if c.get("paid")])
    _table(con, "teams", "tier varchar, size integer, weight double", [(t, g[1], g[2]) for t, g in GROUPS.items()])
    _table(con, "buying_roles", "tier varchar, role varchar", [(t, role) for t, g in GROUPS.items() for role in g[0]])
    words = [(place, role, word) for place, (role, said) in enumerate(TITLES.items()) for word in said]
    _table(con, "title_words", "place integer, role varchar, word varchar", words)


def _quarter(con: duckdb.DuckDBPyConnection, settings: dict[str, Any], quarter: str) -> None:
    fiscal = Fiscal(
        settings["fiscal"]["first_month"], settings["fiscal"]["named_by"], ZoneInfo(settings["company"]["timezone"])
    )
    settle = settings["as_of"]["settle_days"] + 1  # all of the as-of day counts
    begins, ends = fiscal.quarter(quarter)
    read_day = begins + timedelta(days=settings["coverage"]["read_on_day"])
    _set(
        con,
        quarter=quarter,
        q_from=begins,
        q_to=ends,
        q_start=fiscal.instant(begins),
        q_end=fiscal.instant(ends),
        known=fiscal.instant(ends + timedelta(days=settle)),
        read_day=read_day,
        read_at=fiscal.instant(read_day),
        read_known=fiscal.instant(read_day + timedelta(days=settle)),
        thirty_before=fiscal.instant(ends - timedelta(days=30)),
        stale_before=fiscal.instant(ends - timedelta(days=settings.get("stale_after_days", 60))),
    )
    _table(con, "quarters", "label varchar, day_from date, day_to date", fiscal.quarters())
    _table(con, "last_eight", "label varchar", [(earlier(quarter, back),) for back in range(8)])
    _table(con, "last_four", "label varchar", [(earlier(quarter, back),) for back in range(4)])
    _table(
        con,
        "spans",
        '"window" varchar, slice_by varchar, slice varchar, day_from date, day_to date',
        _spans(fiscal, settings, quarter),
    )
    past = [(label, *fiscal.quarter(label)) for label in (earlier(quarter, back) for back in range(1, 9))]
    _table(
        con,
        "past",
        "quarter varchar, day_from date, day_to date, starts_at timestamp, ends_at timestamp, known timestamp",
        [
            (*row, fiscal.instant(row[1]), fiscal.instant(row[2]), fiscal.instant(row[2] + timedelta(days=settle)))
            for row in past
        ],
    )
    columns = (
        "look varchar, quarter varchar, moment timestamp, known timestamp, priced_on date, due_from date, due_to date"
    )
    _table(con, "looks", columns, _looks(fiscal, quarter, settle, settings["coverage"]["read_on_day"]))


def _spans(fiscal: Fiscal, settings: dict[str, Any], quarter: str) -> list[tuple[Any, ...]]:
    begins, ends = fiscal.quarter(quarter)
    year = fiscal.year_begins(int(quarter[:4]))
    canonical = {"quarter": begins, "year": year, "trailing_4_quarters": fiscal.quarter(earlier(quarter, 3))[0]}
    found = [
        ("quarter", "", "", begins, ends),
        ("quarter", "quarter", quarter, begins, ends),
        ("quarter", "year", quarter[:4], year, ends),
        ("canonical", "", "", canonical[settings["win_rate"]["canonical_period"]], ends),
    ]
    return found + [("quarter", "month", *month) for month in months(begins, ends)]


def _looks(fiscal: Fiscal, quarter: str, settle: int, read_on_day: int) -> list[tuple[Any, ...]]:
    """Each reading of due pipeline: its name, the quarter it is for, and the local day before which it was taken."""
    begins, ends = fiscal.quarter(quarter)
    asked = [("current", quarter, begins + timedelta(days=read_on_day))]
    asked += [("next", earlier(quarter, -1), ends), ("in_two", earlier(quarter, -2), ends)]
    asked += [(f"day {day:02d}", quarter, begins + timedelta(days=day)) for day in DAYS_READ]
    for back in range(1, 9):
        label = earlier(quarter, back)
        asked.append(("past current", label, fiscal.quarter(label)[0] + timedelta(days=read_on_day)))
        asked.append(("past next", label, fiscal.quarter(label)[0]))
        asked.append(("past in_two", label, fiscal.quarter(earlier(label, 1))[0]))
    return [
        (look, label, fiscal.instant(day), fiscal.instant(day + timedelta(days=settle)), day - timedelta(days=1),
         *fiscal.quarter(label))
        for look, label, day in asked
    ]  # fmt: skip


def _cycles(con: duckdb.DuckDBPyConnection) -> None:
    """Sales cycles over the trailing eight quarters: of all waits, open ones included; won and lost compete."""
    con.execute((SQL / "ages.sql").read_text(encoding="utf-8"))
    ages = con.sql("select * from cycle_ages order by opportunity_id").df()
    new = ages[ages["business_type"] == "new"]
    _set(con, usual_days=median_to_win(new), most_days=most_to_win(new, 0.9))
    rows: list[tuple[Any, ...]] = [("sales_cycle_days", "", "", median_to_win(new), len(new))]
    rows += [("sales_cycle_days_mean", "", "", mean_to_win(new), len(new))]
    swapped = new.assign(is_won=new["is_lost"], is_lost=new["is_won"])
    for name, waits in (("win_rate_within_days", new), ("loss_rate_within_days", swapped)):
        rows += [(name, "", "", won_within(waits, 180), len(waits))]
        asked = (30, 60, 90, 120, 180, 240, 300, 365, 540)
        rows += [(name, "within_days", f"{d:03}", won_within(waits, d), len(waits)) for d in asked]
    for name in (*SEEN_FROM, "business_type"):
        parts = (ages if name == "business_type" else new).groupby(name)
        rows += [("sales_cycle_days", name, value, median_to_win(part), len(part)) for value, part in parts]
        if name in ("segment", "source_owner", "target"):
            rows += [("win_rate_within_days", name, value, won_within(part, 180), len(part)) for value, part in parts]
    con.executemany(
        "insert into readings values (?, ?, ?, ?, null, null, ?)", [row for row in rows if row[3] is not None]
    )


def _stays(con: duckdb.DuckDBPyConnection) -> None:
    """Days in each stage: the median of all stays, those that go on included."""
    ages = con.sql("select * from stays order by account_id, stage").df()
    rows = [("stage", stage, median_days(part), len(part)) for stage, part in ages.groupby("stage")]
    owned = ages.groupby(["stage", "source_owner"])
    rows += [("stage/source_owner", "/".join(name), median_days(part), len(part)) for name, part in owned]
    found = [row for row in rows if row[2] is not None]
    con.executemany("insert into readings values ('stage_median_days', ?, ?, ?, null, null, ?)", found)


def _generation(con: duckdb.DuckDBPyConnection) -> None:
    """Days from the first touch, or the MQA, to an opportunity, and from a demo to one: of all waits, open ones included."""
    waits = con.sql("select * from generation_waits order by began, account_id, began_at").df()
    touched = waits[waits["began"] == "first touch"]
    demos = con.sql("select * from demo_waits order by meeting_id").df()
    asked = [("pipeline_generation_days", "", "", touched), ("demo_to_opportunity_days", "", "", demos)]
    asked += [("pipeline_generation_days", "from", began, part) for began, part in waits.groupby("began")]
    for metric, table, names in (("pipeline_generation_days", touched, ("tier", "channel")),
                                 ("demo_to_opportunity_days", demos, ("channel", "source_owner"))):  # fmt: skip
        asked += [(metric, name, value, part) for name in names for value, part in table.groupby(name)]
    rows = [(metric, by, value, median_to_win(part), len(part)) for metric, by, value, part in asked]
    con.executemany(
        "insert into readings values (?, ?, ?, ?, null, null, ?)", [row for row in rows if row[3] is not None]
    )


def _chains(con: duckdb.DuckDBPyConnection) -> None:
    """What removing each channel does to the chain of pipeline, and of revenue."""
    walks = con.sql("select * from walks order by metric, walk, place").df()
    found = [(metric, *effect) for metric, own in walks.groupby("metric") for effect in removal_effects(own).items()]
    _table(con, "effects", "metric varchar, channel varchar, effect double", found)


def _follow_ups(con: duckdb.DuckDBPyConnection) -> None:
    """Days until a qualified account is followed up: the median of all waits, open ones included."""
    ages = con.sql("select * from mqa_waits order by account_id").df()
    rows: list[tuple[Any, ...]] = [("", "", median_days(ages), len(ages))]
    rows += [("tier", tier, median_days(part), len(part)) for tier, part in ages.groupby("tier")]
    found = [row for row in rows if row[2] is not None]
    con.executemany("insert into readings values ('mqa_follow_up_days', ?, ?, ?, null, null, ?)", found)


def _set(con: duckdb.DuckDBPyConnection, **variables: Any) -> None:
    for name, value in variables.items():
        con.execute(f"set variable {name} = ?", [value])


def _table(con: duckdb.DuckDBPyConnection, name: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    con.execute(f"create or replace table {name} ({columns})")
    if rows:
        con.executemany(f"insert into {name} values ({', '.join('?' * len(rows[0]))})", rows)
