"""What a source does not give, worked out once between the canonical tables and the store.

Runs in DuckDB on `canonical.*` and leaves in `frozen.*` every canonical table, with merged accounts and people followed to
their survivors and a day in the reporting zone beside each table's dating timestamp, and these tables of our own:

    channels              one row per channel: its owner and whether it is paid
    fx_days               one row per currency and day: the newest rate not older than fx.max_age_days, and that of a year before
    opportunity_history   one row per recorded state of an opportunity: when it took effect, when it was known, what it means
    slice_values          one row per record and slice of the company's own: its value; only where abm.toml has such slices
    opportunity_origins   one row per opportunity: its source owner and channel, and what the first touch would say
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from ..config import Config
from ..sources.own_slices import CARRIED
from ..tables import Table, quoted, tables
from . import acts, identity, machines, opportunities

MERGED_ROWS_DROPPED = ("accounts", "account_changes", "account_lists", "account_stages", "people")


def complete(con: duckdb.DuckDBPyConnection, config: Config) -> dict[str, int]:
    """Fill `frozen.*` from `canonical.*`. Tables that were not delivered stay away, but for those derived here.

    Returns what the rules of [identity] and [machines] changed: how many, by what was done.
    """
    con.execute("create schema if not exists frozen")
    given = {
        n for (n,) in con.execute("select table_name from duckdb_tables() where schema_name = 'canonical'").fetchall()
    }
    done = identity.settle(con, config, given) | identity.left_out(con, given) | machines.mark(con, config, given)
    derived = {name for name in ("touches", "account_stages") if getattr(config.derive, name) == "derived"}
    for name in given:
        query, is_joined = _followed(con, name, given, config)
        kind = "table" if is_joined or name in derived else "view"
        con.execute(f'create or replace {kind} frozen."{name}" as {query}')
    _channels(con, config)
    _fx_days(con, config, "fx" in given)
    opportunities.history(con, config)
    if config.derive.touches == "derived":
        acts.touches(con, given, config)
    if config.derive.account_stages == "derived":
        acts.account_stages(con, config)
    if "opportunities" in given:
        opportunities.origins(con, config)
    if config.slices:
        con.execute(f"create or replace table frozen.slice_values as from {CARRIED} order by all")
    return done


def frozen(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """`frozen.NAME`, or where it was not delivered an empty stand-in for a query to read; what is absent stays absent."""
    there = "select 1 from information_schema.tables where table_schema = 'frozen' and table_name = ?"
    if con.execute(there, [name]).fetchall():
        return f'frozen."{name}"'
    table = tables()[name]
    columns = ", ".join(f'"{c.name}" {c.sql_type}' for c in table.columns.values())
    columns += "".join(f", {day} DATE" for day in table.days.values())
    con.execute(f'create or replace temp table "no_{name}" ({columns})')
    return f'"no_{name}"'


def _followed(con: duckdb.DuckDBPyConnection, name: str, given: set[str], config: Config) -> tuple[str, bool]:
    """The table with account_id and person_id of merged records replaced by their survivors', and its local days.

    Who withdrew consent is nobody: their acts stay, without them; rows that are about them alone go. Beside it, whether it
    takes other tables or only columns of its own.
    """
    table, parts, joins, keep = tables()[name], [], [], []
    written = {column: f't."{column}"' for column in table.columns} | _of_first_records(table, given)
    for column in table.columns.values():
        target = {"account_id": "accounts", "person_id": "people"}.get(column.name)
        if target in given:
            survivor = f"s_{target}"
            living = f'coalesce({survivor}.survivor_id, t."{column.name}")'
            if target == "people" and name != "suppressions" and "suppressions" in given:
                withdrawn = f"{living} in ({_WITHDRAWN})"
                if column.required or column.name in table.key:
                    keep.append(f"not {withdrawn}")
                else:
                    living = f"case when {living} is null or not {withdrawn} then {living} end"
            parts.append(f'{living} as "{column.name}"')
            joins.append(f'left join ({_survivors(target, config)}) {survivor} on t."{column.name}" = {survivor}.id')
            if name in MERGED_ROWS_DROPPED and column.name == table.key[0]:
                keep.append(f"{survivor}.id is null")
        else:
            parts.append(f'{written[column.name]} as "{column.name}"')
    for join, condition in (*_first_records(table, given, config), *_no_test(table, given)):
        joins.append(join)
        keep.append(condition)
    parts += [f"{local_day(written[at], config)} as {day}" for at, day in table.days.items()]
    query = f'select {", ".join(parts)} from canonical."{name}" t {" ".join(joins)}'
    where = f"where {' and '.join(keep)}" if keep else ""
    return (f"{query} {where} order by t.rowid", True) if joins or keep else (query, False)


def _of_first_records(table: Table, given: set[str]) -> dict[str, str]:
    """Columns that a merged record tells as well: who was recorded twice is known since the earlier record.

    Where they worked before the surviving record's first stay, the others say.
    """
    if table.name == "people":
        return {"created_at": "least(t.created_at, first.created_at)"}
    if table.name == "person_accounts" and "people" in given:
        return {
            "valid_to": "case when s_people.id is null then t.valid_to else least(t.valid_to, first.valid_from) end"
        }
    return {}


def _first_records(table: Table, given: set[str], config: Config) -> Iterator[tuple[str, str]]:
    """(join, condition) of what _of_first_records reads."""
    if table.name == "people":
        records = "select s.survivor_id as person_id, min(p.created_at) as created_at from canonical.people p "
        records += f"join ({_survivors('people', config)}) s on s.id = p.person_id group by 1"
        yield f"left join ({records}) first on first.person_id = t.person_id", "true"
    if table.name == "person_accounts" and "people" in given:
        stays = "select person_id, min(valid_from) as valid_from from canonical.person_accounts group by 1"
        yield (
            f"left join ({stays}) first on first.person_id = s_people.survivor_id",
            "(first.valid_from is null or t.valid_from < first.valid_from)",
        )


def _no_test(table: Table, given: set[str]) -> Iterator[tuple[str, str]]:
    """(join, condition) that leave out test accounts and all that they did: they are no part of the company.

    A row that names a person and no account is one of the person's account.
    """
    if "accounts" not in given:
        return
    named = "account_id" in table.columns
    if named:
        test = "select account_id from canonical.accounts where is_test"
        yield f"left join ({test}) test on test.account_id = t.account_id", "test.account_id is null"
    if "people" in given and "person_id" in table.columns and table.name not in ("people", "suppressions"):
        someone = (
            "select p.person_id from canonical.people p join canonical.accounts a using (account_id) where a.is_test"
        )
        at_account = "t.account_id is not null or " if named else ""
        yield (
            f"left join ({someone}) tester on tester.person_id = coalesce(s_people.survivor_id, t.person_id)",
            f"({at_account}tester.person_id is null)",
        )


# Named by their id or by the hash of their address; whoever lives on as them withdrew as well.
_WITHDRAWN = """with gone as (
    select person_id from canonical.suppressions where person_id is not null
    union select p.person_id from canonical.people p join canonical.suppressions s on s.email_hash = sha256(lower(trim(p.email))))
select person_id from gone union
select p.survivor_id from canonical.people p join gone using (person_id) where p.survivor_id is not null"""


def _survivors(table: str, config: Config) -> str:
    """(id, survivor_id) of every merged record, the chain followed to its end; a loop ends nowhere and is left alone.

    Where accounts are rolled up, a parent stands for its children as a survivor does for those merged into it.
    """
    key = tables()[table].key[0]
    rolled = table == "accounts" and config.identity.rollup == "parent"
    known = "exists (from canonical.accounts p where p.account_id = r.parent_id)"
    after = f"coalesce(survivor_id, case when {known} then parent_id end)" if rolled else "survivor_id"
    leads = f"(select {key}, {after} as survivor_id from canonical.{table} r)"
    return (
        f"with recursive chain as (select {key} as id, survivor_id, 1 as steps from {leads} where survivor_id is not null "
        f"union all select c.id, t.survivor_id, steps + 1 from chain c join {leads} t on t.{key} = c.survivor_id "
        f"where t.survivor_id is not null and steps < 50) "
        f"select id, arg_max(survivor_id, steps) as survivor_id from chain group by id having max(steps) < 50"
    )


def local_day(expression: str, config: Config) -> str:
    """SQL for the day of a UTC timestamp in the reporting zone."""
    if config.company.timezone == "UTC":
        return f"({expression})::date"
    return f"(({expression} at time zone 'UTC') at time zone {quoted(config.company.timezone)})::date"


def _channels(con: duckdb.DuckDBPyConnection, config: Config) -> None:
    con.execute("create or replace table frozen.channels (channel VARCHAR, owner VARCHAR, is_paid BOOLEAN)")
    con.execute("create or replace temp table channel_words (word VARCHAR, channel VARCHAR)")
    for name, channel in config.channels.items():
        con.execute("insert into frozen.channels values (?, ?, ?)", [name, channel.owner, channel.paid])
        for word in {name.lower(), *(word.strip().lower() for word in channel.match)}:
            con.execute("insert into channel_words values (?, ?)", [word, name])


def _fx_days(con: duckdb.DuckDBPyConnection, config: Config, given: bool) -> None:
    """Each currency's newest rate on each day, none once it is older than fx.max_age_days (settled: counted, not priced).

    `earlier_rate` is that of the same day a year before, of the 28th before 29 February.
    """
    rates = (
        "frozen.fx" if given else "(select ''::VARCHAR as currency, null::DATE as day, 0.0::DOUBLE as rate where false)"
    )
    con.execute(
        f"""create or replace table frozen.fx_days as
        with span as (select currency, day, rate,
                coalesce(lead(day) over (partition by currency order by day), day + {config.fx.max_age_days + 1}) as next_day
            from {rates}),
        known as (select currency, rate, day as rated_on,
                unnest(generate_series(day, least(next_day - 1, day + {config.fx.max_age_days}), interval 1 day))::date as day
            from span),
        later as (select currency, rate, day, unnest([day + interval 1 year, day + interval 366 day])::date as later from known),
        earlier as (select distinct currency, later as day, rate as earlier_rate
            from later where (later - interval 1 year)::date = day)
        select currency, day, rate, earlier_rate, rated_on from known full join earlier using (currency, day) order by currency, day"""
    )
