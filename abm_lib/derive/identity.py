"""Who belongs to whom, where the source does not say: by rules of abm.toml, each counted. What no rule tells stays unknown."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from ..config import Config
from ..tables import tables

FREE_MAIL = Path(__file__).parent / "free_mail.txt"


def settle(con: duckdb.DuckDBPyConnection, config: Config, given: set[str]) -> dict[str, int]:
    """Change `canonical.people` by [identity]: our own people, then accounts by domain. Returns how many, by the rule.

    Money is joined by ids alone; an address only ever leads a person to an account.
    """
    asked, done = config.identity, dict[str, int]()
    if "people" in given and (asked.by_domain or asked.own_domains):
        _domains(con, "person", "select distinct email as text from canonical.people where email is not null")
    if "people" in given and asked.own_domains:
        done["people marked as internal by their address"] = _mark_internal(con, asked.own_domains)
    if {"people", "accounts"} <= given and asked.by_domain:
        done |= _by_domain(con, [*free_mail(), *map(str.lower, asked.free_mail), *map(str.lower, asked.own_domains)])
    if "accounts" in given:
        done |= _rolled_up(con, given, asked.rollup == "parent")
    return {what: count for what, count in done.items() if count}


def left_out(con: duckdb.DuckDBPyConnection, given: set[str]) -> dict[str, int]:
    """Records that no number counts for themselves: accounts declared to be tests, and what was merged into another record."""
    asked = [("accounts", "is_test", "test accounts left out, with all that they did")]
    asked += [(name, "survivor_id is not null", f"{name} merged into others")
              for name in tables() if "survivor_id" in tables()[name].columns]  # fmt: skip
    counts = {
        what: con.execute(f'select count(*) from canonical."{name}" where {condition}').fetchall()[0][0]
        for name, condition, what in asked if name in given
    }  # fmt: skip
    return {what: int(count) for what, count in counts.items() if count}


@cache
def free_mail() -> frozenset[str]:
    """Domains of free mail and of internet providers: of no company's people."""
    lines = FREE_MAIL.read_text(encoding="utf-8").splitlines()
    return frozenset(domain for line in lines if not line.startswith("#") for domain in line.split())


def registered(text: str) -> str:
    """The registered domain of an address or host, `example.co.uk` of `Ann@mail.Example.co.uk.`; empty where it has none."""
    host = text.strip().rpartition("@")[2].strip().rstrip(".").lower()
    try:
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        return ""
    return _suffixes().privatesuffix(host) or ""


@cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=True)


def _domains(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """The temp table NAME_domains (text, domain): the registered domain of each distinct text of a query."""
    con.execute(f"create or replace temp table {name}_domains (text VARCHAR, domain VARCHAR)")
    rows = [(text, domain) for (text,) in con.execute(query).fetchall() if (domain := registered(text))]
    if rows:
        con.executemany(f"insert into {name}_domains values (?, ?)", rows)


def _mark_internal(con: duckdb.DuckDBPyConnection, own: list[str]) -> int:
    ours = ", ".join(f"'{registered(domain)}'" for domain in own)
    where = f"email in (select text from person_domains where domain in ({ours})) and is_internal is distinct from true"
    (count,) = con.execute(f"select count(*) from canonical.people where {where}").fetchall()[0]
    con.execute(f"update canonical.people set is_internal = true where {where}")
    return int(count)


def _by_domain(con: duckdb.DuckDBPyConnection, nobodys: list[str]) -> dict[str, int]:
    """People without an account find the one account that has their domain; merged accounts speak for no domain."""
    several = "trim(unnest(string_split(replace(other_domains, ',', ';'), ';')))"
    living = "from canonical.accounts where survivor_id is null"
    claims = f"select account_id, domain {living} union all select account_id, {several} {living}"
    _domains(con, "account", f"select distinct domain from ({claims}) where domain is not null")
    con.execute("create or replace temp table nobodys_domains as select unnest(?::VARCHAR[]) as domain", [nobodys])
    con.execute(
        f"""create or replace temp table found_by_domain as
        with claimed as (
            select d.domain, min(c.account_id) as account_id, count(distinct c.account_id) as accounts
            from ({claims}) c join account_domains d on d.text = c.domain group by 1)
        select p.person_id, c.account_id, c.accounts
        from canonical.people p join person_domains d on d.text = p.email join claimed c on c.domain = d.domain
        where p.account_id is null and p.survivor_id is null and d.domain not in (from nobodys_domains)"""
    )
    con.execute(
        "update canonical.people set account_id = f.account_id from found_by_domain f "
        "where f.person_id = people.person_id and f.accounts = 1"
    )
    found, unclear = con.execute(
        "select count(*) filter (where accounts = 1), count(*) filter (where accounts > 1) from found_by_domain"
    ).fetchall()[0]
    return {"people led to an account by their address": found, "people whose domain several accounts have": unclear}


def _rolled_up(con: duckdb.DuckDBPyConnection, given: set[str], is_on: bool) -> dict[str, int]:
    """What the roll-up moves, or would move while it is off: accounts that have a parent, and their opportunities."""
    what = "counted" if is_on else 'that `identity.rollup = "parent"` would count'
    children = (
        "select account_id from canonical.accounts where parent_id in (select account_id from canonical.accounts)"
    )
    counted = {f"accounts {what} for their parents": f"select count(*) from ({children})"}
    if "opportunities" in given:
        counted[f"opportunities {what} for a parent"] = (
            f"select count(*) from canonical.opportunities where account_id in ({children})"
        )
    return {what: int(con.execute(query).fetchall()[0][0]) for what, query in counted.items()}
