"""Our own snapshots of opportunities, for a company whose source tells today's state alone.

`COMPANY/.abm/snapshots/TABLE/<moment>.parquet` holds what the tables `opportunities` and `opportunity_changes` gave at the
moment of which the source speaks (UTC). From the second one on `canonical.opportunity_changes` is the history that they tell:

    of an opportunity's first snapshot every row, dated as the source dates it;
    of each later one the rows that the source dates later than all it told before, such as a close on its close date;
    else, where its last state differs, one row at the snapshot's moment, and one that is deleted where it is gone.

What changed unseen across a quarter's end counts at that end while the quarter was settling: the state then is that of the
first snapshot within `as_of.settle_days` (definitions 1). `recorded_at` is when we saw it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from ..config import Config
from ..errors import Fault, InputRefused, nearest
from ..period import Calendar, instant
from ..tables import quoted, tables

CHANGES, OPPORTUNITIES = "opportunity_changes", "opportunities"
FORM = "%Y-%m-%dT%H%M%S"
STATE = ("stage", "amount", "currency", "close_on", "probability", "forecast_category", "owner_id", "business_type")


def kept(folder: Path, table: str = CHANGES) -> dict[datetime, Path]:
    """The snapshots of a table by their moments, oldest first. Files of other names are none."""
    found = {}
    for path in (folder / ".abm" / "snapshots" / table).glob("*.parquet"):
        try:
            found[datetime.strptime(path.stem, FORM)] = path  # noqa: DTZ007 (moments are UTC throughout)
        except ValueError:
            continue
    return dict(sorted(found.items()))


def files(folder: Path) -> list[Path]:
    """Every snapshot that numbers may come from."""
    return [path for table in (OPPORTUNITIES, CHANGES) for path in kept(folder, table).values()]


def keep(con: duckdb.DuckDBPyConnection, folder: Path, said: str) -> None:
    """Write what the canonical tables hold as the snapshot of the moment `said`, or of now where it says none.

    What differs in nothing from the snapshot before it is not written; what is delivered again for a moment replaces it.
    """
    if not con.execute(f"select 1 from canonical.{CHANGES} limit 1").fetchall():
        return
    (told,) = con.execute("select try_cast(? as TIMESTAMP)", [said]).fetchall()[0]
    moment = (told or datetime.now(UTC).replace(tzinfo=None)).replace(microsecond=0)
    earlier = [path for then, path in kept(folder).items() if then <= moment]
    if earlier and not _differs(con, earlier[-1]):
        return
    for table in (OPPORTUNITIES, CHANGES):  # the changes last: their file says that the snapshot is there
        if _is_given(con, table):
            place = folder / ".abm" / "snapshots"
            for each in (place, place / table):
                each.mkdir(mode=0o700, exist_ok=True)
            draft = place / table / f"draft-{os.getpid()}"
            con.execute(f"copy canonical.{table} to {quoted(str(draft))} (format parquet, compression zstd)")
            draft.replace(place / table / f"{moment:{FORM}}.parquet")


def tell(con: duckdb.DuckDBPyConnection, config: Config, folder: Path) -> list[Fault]:
    """Make `canonical.opportunity_changes` what all snapshots tell together, and bring back opportunities that are gone.

    Of one snapshot alone nothing is made. Raises InputRefused where a snapshot cannot be read.
    """
    there = kept(folder)
    if len(there) < 2:
        return []
    _read(con, CHANGES, there)
    types = ", ".join(f"{name} TIMESTAMP" for name in ("moment", "before", "after", "dated_at"))
    con.execute(f"create or replace temp table snapshot_moments ({types})")
    con.executemany("insert into snapshot_moments values (?, ?, ?, ?)", _dated(list(there), config))
    columns = ", ".join(f'"{name}"' for name in tables()[CHANGES].columns)
    con.execute(
        f"create or replace temp table told as select {columns} from ({_history(config)}) order by opportunity_id, changed_at"
    )
    unknown = _unknown_stages(con, config)
    con.execute(f"create or replace table canonical.{CHANGES} as from told; drop table told")
    _bring_back(con, {then: path for then, path in kept(folder, OPPORTUNITIES).items() if then in there})
    return unknown


def sentence(as_now: str, moments: Sequence[datetime]) -> str:
    """The sentence of a source without history, with the days of which our own snapshots tell."""
    if not moments:
        return as_now
    first, last, count = moments[0].date(), moments[-1].date(), len(moments)
    if count == 1:
        return f"{as_now}; snapshots of our own are kept from {first} on"
    return f"{as_now}. That goes for the days up to {first}; later ones are told by {count} snapshots of our own, up to {last}"


def _is_given(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    query = "select 1 from duckdb_tables() where schema_name = 'canonical' and table_name = ?"
    return bool(con.execute(query, [table]).fetchall())


def _differs(con: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Whether the canonical table holds other rows than the snapshot."""
    moment = datetime.strptime(path.stem, FORM)  # noqa: DTZ007
    _read(con, CHANGES, {moment: path})
    columns = ", ".join(f'"{name}"' for name in tables()[CHANGES].columns)
    now, then = f"select {columns} from canonical.{CHANGES}", f"select {columns} from snapshots_{CHANGES}"
    return bool(con.execute(f"({now} except all {then}) union all ({then} except all {now}) limit 1").fetchall())


def _read(con: duckdb.DuckDBPyConnection, table: str, there: dict[datetime, Path]) -> None:
    """Temp table `snapshots_TABLE`: the rows of every snapshot with their moment. Columns younger than a snapshot are blank."""
    known = tables()[table].columns
    typed = ", ".join(f'null::{column.sql_type} as "{name}"' for name, column in known.items())
    columns, paths = ", ".join(f'"{name}"' for name in known), ", ".join(quoted(str(path)) for path in there.values())
    try:
        con.execute(
            f"""create or replace temp table snapshots_{table} as
            select moment, {columns} from (select null::TIMESTAMP as moment, {typed} where false union all by name
                select *, strptime(parse_filename(filename, true), {quoted(FORM)}) as moment
                from read_parquet([{paths}], union_by_name = true, filename = true))"""
        )
    except duckdb.Error:
        raise InputRefused(
            Fault("P24", "snapshot-unreadable", f".abm/snapshots/{table}", "a file that is no snapshot", "Parquet, as it was written",
                  "restore the broken file from a copy, or remove it: what it told is then lost")
        ) from None  # fmt: skip


def _dated(moments: Sequence[datetime], config: Config) -> list[tuple[datetime | None, ...]]:
    """(moment, before, after, dated_at): when what a snapshot is first to show is taken to have happened."""
    calendar, zone = Calendar(**config.fiscal.model_dump()), config.company.zone
    found: list[tuple[datetime | None, ...]] = []
    for before, moment, after in zip([None, *moments], moments, [*moments[1:], None], strict=False):
        start = calendar.quarter_of(moment.replace(tzinfo=UTC).astimezone(zone).date()).start
        edge, settled = instant(start, zone), instant(start + timedelta(days=config.as_of.settle_days + 1), zone)
        crosses = before is not None and before < edge <= moment < settled
        found.append((moment, before, after, edge - timedelta(microseconds=1) if crosses else moment))
    return found


def _history(config: Config) -> str:
    """SQL for the table that all snapshots tell; each row follows the one before it, by a microsecond at least: keys stay unique.

    A close counts from its close date even when we saw it later, and was known when we saw it (settled 0.2).
    """
    stages = ", ".join(map(quoted, config.opportunity_stages.won + config.opportunity_stages.lost))
    closed_at = f"(close_on::timestamp at time zone {quoted(config.company.timezone)}) at time zone 'UTC'"
    state = f"row({', '.join(STATE)}, coalesce(is_deleted, false))"
    return f"""
    with held as (
        select *, lag(newest) over each as newest_before, lead(moment) over each as held_next
        from (select opportunity_id, moment, max(changed_at) as newest from snapshots_{CHANGES} group by all)
        window each as (partition by opportunity_id order by moment)),
    seen as (
        select s.*, h.newest_before, h.newest, h.held_next, m.before, m.after, m.dated_at,
            stage in ({stages}) and not coalesce(is_deleted, false) as is_closed
        from snapshots_{CHANGES} s join held h using (opportunity_id, moment) join snapshot_moments m using (moment)),
    told as (
        select *, newest_before is null as is_first,
            case when is_closed and not is_first then least(changed_at, {closed_at}, moment)
                when is_first or changed_at > newest_before then least(changed_at, moment) else dated_at end as told_at,
            case when is_first then recorded_at
                when changed_at > newest_before then coalesce(recorded_at, case when changed_at > before then told_at end, moment)
                else moment end as seen_at
        from seen where newest_before is null or changed_at > newest_before or changed_at = newest
        union all by name
        select s.* replace (true as is_deleted, s.after as moment), false as is_first, m.dated_at as told_at, s.after as seen_at
        from seen s join snapshot_moments m on m.moment = s.after
        where s.changed_at = s.newest and s.held_next is distinct from s.after),
    changed as (
        select * replace (seen_at as recorded_at) from told
        qualify is_first or {state} is distinct from lag({state}) over (partition by opportunity_id order by moment, changed_at)),
    placed as (
        select *, to_microseconds(row_number() over (partition by opportunity_id order by moment, changed_at)) as place from changed)
    select * replace (max(told_at - place) over (partition by opportunity_id order by moment, changed_at) + place as changed_at)
    from placed"""


def _unknown_stages(con: duckdb.DuckDBPyConnection, config: Config) -> list[Fault]:
    """Stages that only earlier snapshots hold and abm.toml does not place (F097); those of today's table are said already."""
    known = {*config.opportunity_stages.order, *config.opportunity_stages.won, *config.opportunity_stages.lost}
    query = f"select stage, count(*) from told where stage not in (select stage from canonical.{CHANGES}) group by 1 order by 1"
    return [
        Fault("F097", "stage-unknown", f".abm/snapshots/{CHANGES}", f"{stage} ({count} rows)", nearest(stage, known),
              "keep it in opportunity_stages in abm.toml: deals once stood in it", level="D")
        for stage, count in con.execute(query).fetchall() if stage not in known
    ]  # fmt: skip


def _bring_back(con: duckdb.DuckDBPyConnection, there: dict[datetime, Path]) -> None:
    """Add to `canonical.opportunities` those that it no longer holds, as they were last seen: their past is still theirs."""
    if not there or not _is_given(con, OPPORTUNITIES):
        return
    _read(con, OPPORTUNITIES, there)
    con.execute(
        f"""insert into canonical.{OPPORTUNITIES} by name
        select s.* exclude (moment) replace (coalesce(deleted_at, d.gone_at) as deleted_at) from snapshots_{OPPORTUNITIES} s
        left join (select opportunity_id, max(changed_at) as gone_at from canonical.{CHANGES} group by 1
            having arg_max(coalesce(is_deleted, false), changed_at)) d using (opportunity_id)
        where opportunity_id not in (select opportunity_id from canonical.{OPPORTUNITIES})
        qualify row_number() over (partition by opportunity_id order by moment desc) = 1 order by opportunity_id"""
    )
