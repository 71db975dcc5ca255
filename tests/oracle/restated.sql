-- What each of the four quarters before reported as won when it had settled, and what is known of the same days now.

create or replace table wins_told as
with four as (
    select * from past where day_from > (select min(local_day(changed_at)) from changes) order by day_from desc limit 4),
told as (
    select quarter as won_in, day_from, day_to, changes.* from four join changes on changed_at < ends_at and recorded_at < four.known
    qualify row_number() over (partition by quarter, opportunity_id order by changed_at desc) = 1),
reported as (
    select won_in, opportunity_id, coalesce(priced(amount, currency, close_on), 0) as before from told semi join facts using (opportunity_id)
    where is_won and not is_deleted and close_on >= day_from and close_on < day_to),
known as (
    select four.quarter as won_in, opportunity_id, coalesce(priced(amount, currency, close_on), 0) as after
    from four join state on close_on >= day_from and close_on < day_to semi join facts using (opportunity_id)
    where is_won and not is_deleted),
won_then as (select won_in, opportunity_id from told where is_won and not is_deleted)
select won_in, opportunity_id, before, after, coalesce(after, 0) - coalesce(before, 0) as change,
    case
        when before = after then null
        when before is not null and after is not null then if(after > before, 'amount_up', 'amount_down')
        when after is not null then if(opportunity_id in (select opportunity_id from reported)
            or (won_in, opportunity_id) in (select (won_in, opportunity_id) from won_then), 'moved_in', 'recorded_late')
        when state.is_won and not state.is_deleted then 'moved_out'
        when not state.is_deleted then 'no_longer_won'
        when opportunities.survivor_id is not null then 'merged'
        else 'deleted' end as cause
from reported full join known using (won_in, opportunity_id) left join state using (opportunity_id) join opportunities using (opportunity_id);

insert into readings
with steps as (
    select 'opening' as step, before as money from wins_told where before is not null
    union all select 'closing', after from wins_told where after is not null
    union all select cause, change from wins_told where cause is not null)
select 'revenue_restatement', 'movement', step, sum(money), sum(money), null, count(*) from steps group by all
union all
select 'restated_revenue_share', '', '', sum(change) / sum(before), sum(change), sum(before), count(distinct opportunity_id) filter (cause is not null)
from wins_told having sum(before) > 0
union all
select 'restated_revenue_share', 'restated_quarter', won_in, sum(change) / sum(before), sum(change), sum(before), count(distinct opportunity_id) filter (cause is not null)
from wins_told group by all having sum(before) > 0;
