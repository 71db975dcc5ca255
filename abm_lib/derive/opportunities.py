"""What an opportunity's recorded states mean, and where the opportunity came from."""

from __future__ import annotations

import duckdb

from ..config import Config
from ..tables import quoted

ROOM = 1000  # microseconds


def history(con: duckdb.DuckDBPyConnection, config: Config) -> None:
    """frozen.opportunity_history: each recorded state with both time axes and its meaning.

    Where the source says when a change was recorded, it took effect when it says it changed. Where it does not, a close
    takes effect on its close date and every other change when it was made, and all were known when made (settled 0.2); what was
    still changed between the close date and the day on which the close was entered took effect on the close date too, before the close.
    A merged opportunity counts until it was deleted; one that never says so counts in its survivor alone.
    """
    from . import frozen

    stages = config.opportunity_stages
    order = ", ".join(f"({quoted(name)}, {place})" for place, name in enumerate(stages.order))
    zone = quoted(config.company.timezone)
    changes, closed = frozen(con, "opportunity_changes"), f"stage in ({_list(stages.won + stages.lost)})"
    con.execute(
        f"""create or replace table frozen.opportunity_history as
        with stage_order (stage, place) as (values {order}),
        merged as (
            select opportunity_id from {frozen(con, "opportunities")} where survivor_id is not null
            except select opportunity_id from {changes} where is_deleted),
        dated as ({_taking_effect(changes, closed, zone)})
        select d.opportunity_id, effective_at, coalesce(d.recorded_at, d.changed_at) as known_at, d.changed_at,
            ((effective_at at time zone 'UTC') at time zone {zone})::date as effective_on,
            d.stage, d.amount, d.currency, d.close_on, d.probability, d.forecast_category,
            d.business_type, d.owner_id, d.is_deleted,
            (coalesce(o.place >= {stages.order.index(stages.qualified_from)}, false) or d.stage in ({_list(stages.won)}))
                and d.stage not in ({_list(stages.lost)}) and not d.is_deleted as is_qualified,
            d.stage in ({_list(stages.won)}) and not d.is_deleted as is_won,
            d.stage in ({_list(stages.lost)}) and not d.is_deleted as is_lost,
            not d.is_closed and not d.is_deleted as is_open
        from dated d left join stage_order o on o.stage = d.stage
        order by d.opportunity_id, effective_at, known_at"""
    )


def _taking_effect(changes: str, closed: str, zone: str) -> str:
    """SQL for the recorded states with `effective_at`; ROOM on a close date is left to what its close overtakes."""
    own = "over (partition by opportunity_id order by changed_at"
    return f"""
        select * replace (case when recorded_at is not null then effective_at
            when is_closed and last_open_at > effective_at then effective_at + to_microseconds({ROOM})
            when not is_closed and overtaken_at < effective_at then overtaken_at + to_microseconds(greatest({ROOM} - back, 0))
            else effective_at end as effective_at)
        from (select *, row_number() {own} desc) as back,
            min(case when is_closed then effective_at end) {own} rows between 1 following and unbounded following) as overtaken_at,
            max(case when not is_closed then effective_at end) {own} rows between unbounded preceding and 1 preceding) as last_open_at
            from (select c.* exclude (is_deleted), {closed} as is_closed,
                coalesce(c.is_deleted, false) or m.opportunity_id is not null as is_deleted,
                case when recorded_at is null and {closed} and close_on < changed_on
                    then (close_on::timestamp at time zone {zone}) at time zone 'UTC' else changed_at end as effective_at
                from {changes} c left join merged m using (opportunity_id)))"""


def origins(con: duckdb.DuckDBPyConnection, config: Config) -> None:
    """frozen.opportunity_origins: the source frozen at qualification where given, else by `sourced.rule`.

    A blank source field stays unknown; it never falls through to another rule (settled 0.8).
    """
    from . import frozen

    given, touches = frozen(con, "opportunity_sources"), frozen(con, "touches")
    owner = "first_touch_owner" if config.sourced.rule == "first_touch" else "field_owner"
    channel = "first_touch_channel" if config.sourced.rule == "first_touch" else "field_channel"
    con.execute(
        f"""create or replace table frozen.opportunity_origins as
        with field as (
            select o.opportunity_id, o.account_id, coalesce(o.qualified_at, o.created_at) as until_at,
                coalesce(o.channel, w.channel) as field_channel, c.owner as field_owner
            from frozen.opportunities o
            left join channel_words w on w.word = lower(trim(o.source))
            left join frozen.channels c on c.channel = coalesce(o.channel, w.channel)),
        first_touch as (
            select f.opportunity_id, arg_min(t.channel, (t.touched_at, t.touch_id)) as first_touch_channel
            from field f join {touches} t on t.account_id = f.account_id and t.touched_at <= f.until_at
                and t.touched_at >= f.until_at - interval {config.sourced.look_back_days} day and t.kind <> 'impression'
            group by 1)
        select opportunity_id, coalesce(s.owner, {owner}, 'unknown') as source_owner,
            coalesce(s.channel, {channel}, 'unknown') as channel,
            t.first_touch_channel, coalesce(c.owner, 'unknown') as first_touch_owner
        from (select f.*, t.first_touch_channel, c.owner as first_touch_owner from field f
            left join first_touch t using (opportunity_id) left join frozen.channels c on c.channel = t.first_touch_channel) t
        left join {given} s using (opportunity_id)
        left join frozen.channels c on c.channel = t.first_touch_channel
        order by opportunity_id"""
    )


def _list(names: list[str]) -> str:
    return ", ".join(quoted(name) for name in names)
