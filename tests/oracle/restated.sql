-- What the four quarters before reported as won, and what is known of the same days now: revenue_restatement, restated_revenue_share. Runs after closed.sql.

-- The four quarters before that began after the first day of the history.
create or replace table restated_quarters as
with four as (
    select past.quarter, past.day_from, past.day_to, past.ends_at, past.known from past order by past.day_from desc limit 4),
history as (
    select local_day(min(changes.changed_at)) as first_day
    from changes left join opportunities using (opportunity_id) where is_real(opportunities.account_id))
select four.* from four, history where four.day_from > history.first_day;

-- What each of them knew as won when it itself had settled, under whatever day.
create or replace table known_won_then as
with seen as (
    select restated_quarters.quarter, restated_quarters.day_from, restated_quarters.day_to, changes.*
    from restated_quarters join changes on changes.changed_at < restated_quarters.ends_at and changes.recorded_at < restated_quarters.known
    qualify row_number() over (
        partition by restated_quarters.quarter, changes.opportunity_id order by changes.changed_at desc, changes.recorded_at desc) = 1)
select seen.quarter, seen.opportunity_id,
    coalesce(seen.close_on >= seen.day_from and seen.close_on < seen.day_to, false) as is_reported,
    coalesce(priced(seen.amount, seen.currency, seen.close_on), 0) as money
from seen
where seen.is_won and not seen.is_deleted and seen.opportunity_id in (select opportunity_id from facts);

-- What is won in them by the state of the reported quarter's end, as known when it has settled.
create or replace table won_as_known_now as
select restated_quarters.quarter, state.opportunity_id, coalesce(priced(state.amount, state.currency, state.close_on), 0) as money
from state join restated_quarters on state.close_on >= restated_quarters.day_from and state.close_on < restated_quarters.day_to
where state.is_won and not state.is_deleted and state.opportunity_id in (select opportunity_id from facts);

-- One row for each opportunity and quarter in which it was reported or is won now: what was told, what stands, and why they differ.
create or replace table restated_parts as
with told as (
    select quarter, opportunity_id, money from known_won_then where is_reported),
both_sides as (
    select coalesce(told.quarter, held.quarter) as quarter, coalesce(told.opportunity_id, held.opportunity_id) as opportunity_id,
        told.money as told_money, held.money as held_money
    from told full join won_as_known_now held on held.quarter = told.quarter and held.opportunity_id = told.opportunity_id)
select both_sides.quarter, both_sides.opportunity_id, both_sides.told_money, both_sides.held_money,
    coalesce(both_sides.held_money, 0) - coalesce(both_sides.told_money, 0) as difference,
    case
        when both_sides.told_money is null and (
            known_won.opportunity_id is not null or both_sides.opportunity_id in (select opportunity_id from told)) then 'moved_in'
        when both_sides.told_money is null then 'recorded_late'
        when both_sides.held_money is null and state.is_deleted and opportunities.survivor_id is not null then 'merged'
        when both_sides.held_money is null and state.is_deleted then 'deleted'
        when both_sides.held_money is null and state.is_won then 'moved_out'
        when both_sides.held_money is null then 'no_longer_won'
        when both_sides.held_money > both_sides.told_money then 'amount_up'
        when both_sides.held_money < both_sides.told_money then 'amount_down' end as movement
from both_sides
left join known_won_then known_won on known_won.quarter = both_sides.quarter and known_won.opportunity_id = both_sides.opportunity_id
left join state on state.opportunity_id = both_sides.opportunity_id
left join opportunities on opportunities.opportunity_id = both_sides.opportunity_id;

insert into readings (metric, slice_by, slice, value, numerator, denominator, n)
with lines as (
    select 'opening' as movement, told_money as money from restated_parts where told_money is not null
    union all
    select 'closing', held_money from restated_parts where held_money is not null
    union all
    select movement, difference from restated_parts where movement is not null),
sliced as (
    select '' as slice_by, '' as slice, opportunity_id, told_money, difference, movement from restated_parts
    union all
    select 'restated_quarter', quarter, opportunity_id, told_money, difference, movement from restated_parts)
select 'revenue_restatement' as metric, 'movement' as slice_by, lines.movement as slice, sum(lines.money) as value, sum(lines.money) as numerator,
    cast(null as double) as denominator, count(*) as n
from lines group by lines.movement
union all
select 'restated_revenue_share', sliced.slice_by, sliced.slice, cast(sum(sliced.difference) as double) / cast(sum(sliced.told_money) as double),
    sum(sliced.difference), sum(sliced.told_money), count(distinct sliced.opportunity_id) filter (sliced.movement is not null)
from sliced group by sliced.slice_by, sliced.slice having sum(sliced.told_money) > 0;
