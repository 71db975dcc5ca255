"""Touches from event tables, and account stages from everything an account did: for sources that give raw events only."""

from __future__ import annotations

import duckdb

from ..config import Config
from ..tables import quoted, tables

EVENT_TABLES = ("page_views", "email_events", "cta_events", "meetings", "ad_account_days")
COLUMNS = ("touch_id", "touched_at", "account_id", "person_id", "opportunity_id", "channel", "campaign_id", "kind",
           "is_response")  # fmt: skip

# One row per act. A visit is a session: its first page view speaks for it. Machines, bots and our own people are no touches.
ACTS = {
    "page_views": """
        select 'page_views:' || session_id, min(viewed_at), arg_min(account_id, first), arg_min(person_id, first), null,
            coalesce(arg_min(channel, first), 'website'), arg_min(campaign_id, first),
            case when bool_or(starts_with(page, '/pricing')) then 'pricing_visit' else 'visit' end,
            bool_or(starts_with(page, '/pricing'))
        from (select *, (viewed_at, view_id) as first from frozen.page_views
            where not coalesce(is_bot, false) and account_id is not null)
        group by session_id""",
    "email_events": """
        select 'email_events:' || event_id, occurred_at, p.account_id, person_id, null, 'email', e.campaign_id,
            'email_' || kind, true
        from frozen.email_events e join {people} p using (person_id)
        where kind in ('click', 'reply') and not coalesce(is_machine, false) and p.account_id is not null""",
    "cta_events": """
        select 'cta_events:' || event_id, occurred_at, coalesce(e.account_id, p.account_id), person_id, null, 'website', null,
            case when cta_id = 'demo_request' then 'demo_request' else 'form' end, true
        from frozen.cta_events e left join {people} p using (person_id)
        where kind = 'completed' and not coalesce(is_machine, false) and coalesce(e.account_id, p.account_id) is not null""",
    "meetings": """
        select 'meetings:' || meeting_id, starts_at, account_id, person_id, opportunity_id, coalesce(channel, 'outbound'),
            campaign_id, case when kind = 'call' then 'call' else 'meeting' end, true
        from frozen.meetings
        where outcome = 'held' and not coalesce(is_internal, false) and account_id is not null""",
    "ad_account_days": """
        select 'ad_account_days:' || concat_ws('|', day::varchar, platform, coalesce(campaign_id, ''), account_id),
            day + interval 12 hour, account_id, null, null, channel, campaign_id, 'ad_click', false
        from frozen.ad_account_days where account_id is not null and clicks > 0""",
}


def touches(con: duckdb.DuckDBPyConnection, given: set[str], config: Config) -> None:
    """frozen.touches: the union of the event tables and what the file adds; one row per act, key `table:key`."""
    from . import frozen, local_day

    own = " and ".join(f"not starts_with(touch_id, {quoted(name + ':')})" for name in EVENT_TABLES)
    columns, named = ", ".join(f'"{c}"' for c in tables()["touches"].columns), ", ".join(COLUMNS)
    parts = [f"select {columns} from {frozen(con, 'touches')} where {own}"]
    acts = [query.format(people=frozen(con, "people")) for name, query in ACTS.items() if name in given]
    parts += [f"select * from ({query}) act ({named})" for query in acts]
    con.execute(f"create or replace temp table all_touches as {' union all by name '.join(parts)}")
    con.execute(
        f"create or replace table frozen.touches as select *, {local_day('touched_at', config)} as touched_on "
        "from all_touches order by touch_id"
    )


def account_stages(con: duckdb.DuckDBPyConnection, config: Config) -> None:
    """frozen.account_stages: the highest stage whose rule holds, on each day on which something can change (S2-18).

    Evaluated from the bottom of the journey up; a lost opportunity, a churned subscription or a quiet window moves an
    account back. Days are UTC dates.
    """
    from . import frozen

    names = ("accounts", "account_lists", "touches", "meetings", "subscriptions", "opportunities", "loads")
    con.execute(_STAGES.format(
        window=config.engaged.window_days, engaged_people=config.engaged.min_people, mqa_people=config.mqa.min_people,
        mqa_touches=config.mqa.min_touches, high_intent=", ".join(quoted(kind) for kind in config.engaged.high_intent) or "''",
        **{name: frozen(con, name) for name in names},
    ))  # fmt: skip


_STAGES = """
create or replace table frozen.account_stages as
with acts as (
    select account_id, touched_at::date as day, person_id, kind in ({high_intent}) as intent
    from {touches} where kind <> 'impression' and account_id is not null),
demos as (
    select account_id, starts_at::date as day from {meetings}
    where kind = 'demo' and outcome = 'held' and not coalesce(is_internal, false) and account_id is not null),
deals as (
    select o.account_id, day, lead(day) over (partition by opportunity_id order by day) as until, is_open and is_qualified as live
    from (select opportunity_id, effective_at::date as day, arg_max(is_open, effective_at) as is_open,
              arg_max(is_qualified, effective_at) as is_qualified from frozen.opportunity_history group by 1, 2)
    join {opportunities} o using (opportunity_id) where o.account_id is not null),
revenue as (
    select account_id, effective_on as day, sum(arr_change) as change, bool_or(kind = 'renewal') as renewed
    from {subscriptions} group by 1, 2),
listed as (
    select account_id, coalesce(created_at::date, (select min(day) from acts a where a.account_id = listing.account_id)) as born
    from {accounts} listing),
known as (
    select account_id from acts union select account_id from deals union select account_id from revenue
    union select account_id from {account_lists} where is_target),
horizon as (
    select coalesce((select max(extracted_at)::date from {loads}), (select max(day) from acts)) as last_day),
days as (
    select distinct account_id, greatest(day, born) as day from listed join known using (account_id) join (
        select account_id, born as day from listed
        union all select account_id, day from acts union all select account_id, day + {window} from acts
        union all select account_id, day from demos union all select account_id, day + {window} from demos
        union all select account_id, day from deals union all select account_id, day from revenue) using (account_id)
    where day <= (select last_day from horizon)),
engagement as (
    select d.account_id, d.day, count(distinct person_id) as people, count(*) as touches, bool_or(intent) as intent
    from days d join acts a on a.account_id = d.account_id and a.day > d.day - {window} and a.day <= d.day group by 1, 2),
demonstrated as (
    select distinct d.account_id, d.day from days d join demos m
    on m.account_id = d.account_id and m.day > d.day - {window} and m.day <= d.day),
dealing as (
    select distinct d.account_id, d.day from days d join deals o
    on o.account_id = d.account_id and o.live and o.day <= d.day and (o.until is null or d.day < o.until)),
owning as (
    select d.account_id, d.day, sum(change) > 0 as is_customer, bool_or(renewed) as renewed
    from days d join revenue r on r.account_id = d.account_id and r.day <= d.day group by 1, 2),
staged as (
    select account_id, day, case
        when o.is_customer and o.renewed then 'renewal' when o.is_customer then 'customer'
        when p.account_id is not null then 'opportunity' when m.account_id is not null then 'demo'
        when e.people >= {mqa_people} and e.touches >= {mqa_touches} then 'mqa'
        when e.people >= {engaged_people} or e.intent then 'engaged' else 'cold' end as stage
    from days left join engagement e using (account_id, day) left join owning o using (account_id, day)
    left join dealing p using (account_id, day) left join demonstrated m using (account_id, day))
select account_id, stage, day::timestamp as entered_at, day::timestamp as recorded_at, day as entered_on
from (select *, lag(stage) over (partition by account_id order by day) as before from staged)
where before is distinct from stage order by account_id, day
"""
