"""What machines did, marked by declared rules. Nothing is taken away: who asks for both figures finds both."""

from __future__ import annotations

import duckdb

from ..config import Config


def mark(con: duckdb.DuckDBPyConnection, config: Config, given: set[str]) -> dict[str, int]:
    """Mark `canonical.email_events.is_machine` by [machines]. Returns how many events a rule marked."""
    seconds, clicks = config.machines.scanner_seconds, config.machines.scanner_clicks
    if "email_events" not in given or not seconds:
        return {}
    con.execute(
        f"""create or replace temp table scanned as
        with event as (
            select event_id, kind, occurred_at, is_machine,
                max(occurred_at) filter (where kind = 'delivered') over (partition by email_id, person_id) as delivered_at,
                count(*) filter (where kind = 'click') over (partition by email_id, person_id order by occurred_at
                    range between interval {seconds} second preceding and interval {seconds} second following) as clicks
            from canonical.email_events)
        select event_id from event
        where kind = 'click' and not coalesce(is_machine, false)
            and (clicks >= {clicks} or occurred_at between delivered_at and delivered_at + interval {seconds} second)"""
    )
    con.execute("update canonical.email_events set is_machine = true where event_id in (from scanned)")
    (count,) = con.execute("select count(*) from scanned").fetchall()[0]
    return {"clicks marked as those of link scanners": int(count)} if count else {}
